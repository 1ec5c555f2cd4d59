// Patterns that move transposes, for the passes of Graph and of Layout.
#ifndef COAT_GRAPH_TRANSPOSES_H
#define COAT_GRAPH_TRANSPOSES_H

#include "mlir/IR/PatternMatch.h"

namespace coat::graph {

/// Transposes move towards the results through ops that do not care about the order of dimensions, and compose.
void populateSinkTransposePatterns(mlir::RewritePatternSet &patterns);

/// A transpose that moves only dimensions of size 1 is a reshape.
void populateUnitTransposePatterns(mlir::RewritePatternSet &patterns, mlir::PatternBenefit benefit = 1);

} // namespace coat::graph

#endif
