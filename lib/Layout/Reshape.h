// Another shape for the same elements, some of whose sizes may be values.
#ifndef COAT_LIB_LAYOUT_RESHAPE_H
#define COAT_LIB_LAYOUT_RESHAPE_H

#include "coat/Dialect/Coat.h"

namespace coat {
/// `value` with shape `sizes`.
inline mlir::Value reshapeTo(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value,
                             llvm::ArrayRef<mlir::OpFoldResult> sizes) {
  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<mlir::Value> dynamic;
  dispatchIndexOpFoldResults(sizes, dynamic, shape);
  auto type = llvm::cast<mlir::RankedTensorType>(value.getType());
  return ReshapeOp::create(b, loc, type.clone(shape), value, dynamic);
}
} // namespace coat

#endif
