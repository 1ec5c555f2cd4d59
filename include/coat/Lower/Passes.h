// Passes of the Lower stage; declarations are generated from Passes.td.
#ifndef COAT_LOWER_PASSES_H
#define COAT_LOWER_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace coat {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "coat/Lower/Passes.h.inc"

struct LowerOptions {
  bool strict = false;     // one rounding an operation: no fused multiply-adds, no fast-math flags
  bool fast = false;       // shorter polynomials
  bool debugLines = false; // the ops' locations become line tables
};

/// Appends the passes of the stage, in order.
void buildLowerCPUPipeline(mlir::OpPassManager &pm, LowerOptions options = {});
/// The same for a model whose kernels are in gpu.modules: what is left is the host's launch list.
void buildLowerDevicePipeline(mlir::OpPassManager &pm);
} // namespace coat

#endif
