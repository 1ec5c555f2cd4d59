// The pattern sets of coat-simplify-movement, one idea each.
#ifndef COAT_GRAPH_MOVEMENT_H
#define COAT_GRAPH_MOVEMENT_H

#include "coat/Graph/Transposes.h"

namespace coat::graph {

/// Between a reshape and a transpose, splitting reshapes go first and merging ones last, so that transposes
/// are over the finest dimensions, meet, and compose.
void populateOrderReshapePatterns(mlir::RewritePatternSet &patterns);

/// An element-wise op between a reshape and its inverse is computed in front of both.
void populateCancelReshapePatterns(mlir::RewritePatternSet &patterns);

/// `input` with dimension i taken from dimension permutation[i]; no op when that is the identity.
mlir::Value transposed(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value input,
                       llvm::ArrayRef<int64_t> permutation);

/// Whether dimensions of more than one element keep their order.
bool movesUnitsOnly(llvm::ArrayRef<int64_t> permutation, llvm::ArrayRef<int64_t> shape);

/// The dynamic sizes of `input` in order, as tensor.dim.
llvm::SmallVector<mlir::Value> dynamicSizes(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value input);

} // namespace coat::graph

#endif
