// Reduction of some dimensions of a tensor as linalg.generic: what reduce, global_pool, softmax and the norms share.
#ifndef COAT_LIB_TILE_REDUCTION_H
#define COAT_LIB_TILE_REDUCTION_H

#include "Scalars.h"

namespace coat {
/// Which dimensions of a tensor go away, and how the loops of generics over it are numbered: first the
/// dimensions of the reduced tensor, then the reduced ones.
struct Reduction {
  llvm::SmallVector<int64_t> axes;
  bool keepDims = false;

  bool reduces(int64_t dim) const { return llvm::is_contained(axes, dim); }
  int64_t resultRank(int64_t rank) const { return keepDims ? rank : rank - static_cast<int64_t>(axes.size()); }

  /// Map of the unreduced tensor in the loops of the reducing generic.
  mlir::AffineMap inputMap(mlir::MLIRContext *context, int64_t rank) const;
  /// Map of the reduced tensor in loops over the unreduced one.
  mlir::AffineMap resultMap(mlir::MLIRContext *context, int64_t rank) const;
  /// Sizes of the reduced tensor.
  llvm::SmallVector<mlir::OpFoldResult> resultSizes(mlir::OpBuilder &builder,
                                                    llvm::ArrayRef<mlir::OpFoldResult> sizes) const;
  /// Number of reduced elements as a scalar of `type`.
  mlir::Value count(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                    mlir::Type type) const;

  /// The reducing generic over `input` and further inputs of the reduced shape; `body` gets the elements, then
  /// the accumulator, which starts as `init`.
  mlir::Value apply(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value input, mlir::ValueRange perResult,
                    mlir::TypedAttr init, BodyBuilder body) const;
};
} // namespace coat

#endif
