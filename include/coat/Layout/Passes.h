// Passes of the Layout stage; declarations are generated from Passes.td.
#ifndef COAT_LAYOUT_PASSES_H
#define COAT_LAYOUT_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace coat {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "coat/Layout/Passes.h.inc"

struct LayoutOptions {
  std::string cpu = "x86-64-v3"; // as in -march
  bool winograd = true;          // permits the rounding and the growth of weights that come with it
  std::string tuning;            // file of measured schedules; empty: none
  int64_t variant = -1;          // the alternative schedules to measure; -1: what is best
};

/// Appends the passes of the stage, in order.
void buildLayoutPipeline(mlir::OpPassManager &pm, const LayoutOptions &options);
/// The same for GPUs: layouts only; padding stays with its op, weights stay as the model has them. `dtype` (f16, bf16
/// or empty): what products multiply.
void buildGpuLayoutPipeline(mlir::OpPassManager &pm, llvm::StringRef dtype = {});
} // namespace coat

#endif
