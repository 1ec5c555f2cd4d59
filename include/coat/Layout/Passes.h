// Passes of the Layout stage; declarations are generated from Passes.td.
#ifndef COAT_LAYOUT_PASSES_H
#define COAT_LAYOUT_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace coat {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "coat/Layout/Passes.h.inc"

/// Appends the passes of the stage, in order.
void buildLayoutPipeline(mlir::OpPassManager &pm, llvm::StringRef cpu);
} // namespace coat

#endif
