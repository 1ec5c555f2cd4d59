// Passes of the Graph stage; declarations are generated from Passes.td.
#ifndef COAT_GRAPH_PASSES_H
#define COAT_GRAPH_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace coat {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "coat/Graph/Passes.h.inc"

/// Appends the passes that say what quantized and unsigned models mean in ops that every later stage knows.
void buildMeaningPipeline(mlir::OpPassManager &pm);

/// Appends the passes of the stage, in order. Without `mayRound` no factor moves into a weight.
void buildGraphPipeline(mlir::OpPassManager &pm, bool mayRound = true);
} // namespace coat

#endif
