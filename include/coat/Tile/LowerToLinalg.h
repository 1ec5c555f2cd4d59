// Value-semantics lowering of coat ops to linalg.generic: the pattern sets of coat-lower-to-linalg that
// other stages share.
#ifndef COAT_TILE_LOWERTOLINALG_H
#define COAT_TILE_LOWERTOLINALG_H

#include "mlir/IR/PatternMatch.h"

namespace coat {
/// coat.elementwise, cast, broadcast and transpose: one linalg.generic each, of the result's rank, whose
/// broadcasts and permutations are indexing maps. Kernels uses it so that upstream fusion merges chains.
void populateElementwiseToLinalgPatterns(mlir::RewritePatternSet &patterns);
} // namespace coat

#endif
