// Borders around the input of sliding windows: what pooling and convolution share.
#ifndef COAT_LIB_TILE_WINDOWS_H
#define COAT_LIB_TILE_WINDOWS_H

#include "Scalars.h"

namespace coat {
/// `input` with `low` and `high` elements of `value` around each dimension; `input` itself where all are zero.
mlir::Value bordered(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value input, llvm::ArrayRef<int64_t> low,
                     llvm::ArrayRef<mlir::OpFoldResult> high, mlir::TypedAttr value);
} // namespace coat

#endif
