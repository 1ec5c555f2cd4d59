// Passes of the Kernels stage; declarations are generated from Passes.td.
#ifndef COAT_KERNELS_PASSES_H
#define COAT_KERNELS_PASSES_H

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace coat {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "coat/Kernels/Passes.h.inc"

/// Appends the passes of the stage, in order.
/// With `fuse` false every op is a kernel of its own (-O1).
void buildKernelsPipeline(mlir::OpPassManager &pm, bool fuse);
} // namespace coat

#endif
