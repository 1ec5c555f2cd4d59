// Passes of the Memory stage; declarations are generated from Passes.td.
#ifndef COAT_MEMORY_PASSES_H
#define COAT_MEMORY_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace coat {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "coat/Memory/Passes.h.inc"

/// Appends the passes of the stage, in order.
void buildMemoryPipeline(mlir::OpPassManager &pm);
} // namespace coat

#endif
