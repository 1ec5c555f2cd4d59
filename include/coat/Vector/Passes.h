// Passes of the Vector stage; declarations are generated from Passes.td.
#ifndef COAT_VECTOR_PASSES_H
#define COAT_VECTOR_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace coat {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "coat/Vector/Passes.h.inc"

/// Appends the passes of the stage, in order. Without `mayRound` every sum is taken in the order of its loops.
void buildVectorPipeline(mlir::OpPassManager &pm, bool mayRound = true);
} // namespace coat

#endif
