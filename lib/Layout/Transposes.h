// The patterns that move transposes towards the results; shared by the passes of this folder.
#ifndef COAT_LAYOUT_TRANSPOSES_H
#define COAT_LAYOUT_TRANSPOSES_H

#include "mlir/IR/PatternMatch.h"

namespace coat {

/// Patterns `op(transpose(x))` -> `transpose(op(x))` for ops that do not care
/// about the order of dimensions, and those that cancel what meets.
void populateSinkTransposePatterns(mlir::RewritePatternSet &patterns);

/// Transposed convolutions to channels-last ones without zeros between the elements of the input.
void populateTransposedConvPatterns(mlir::RewritePatternSet &patterns);

/// The channels-first to channels-last permutation (0, 2, .., rank-1, 1).
llvm::SmallVector<int64_t> toChannelsLast(int64_t rank);
/// Its inverse (0, rank-1, 1, .., rank-2).
llvm::SmallVector<int64_t> toChannelsFirst(int64_t rank);

} // namespace coat

#endif
