// Passes of the Kernels stage; declarations are generated from Passes.td.
#ifndef COAT_KERNELS_PASSES_H
#define COAT_KERNELS_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace coat {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "coat/Kernels/Passes.h.inc"

/// Appends the passes of the stage, in order.
void buildKernelsPipeline(mlir::OpPassManager &pm);
} // namespace coat

#endif
