// Passes of the Lower stage; declarations are generated from Passes.td.
#ifndef COAT_LOWER_PASSES_H
#define COAT_LOWER_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace coat {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "coat/Lower/Passes.h.inc"

/// Appends the passes of the stage, in order.
void buildLowerCPUPipeline(mlir::OpPassManager &pm);
} // namespace coat

#endif
