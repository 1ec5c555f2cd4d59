// The constant matrices of Winograd's F(m, r), applied to vectors along both dimensions of a tile.
#ifndef COAT_LIB_VECTOR_WINOGRADTRANSFORMS_H
#define COAT_LIB_VECTOR_WINOGRADTRANSFORMS_H

#include "VectorBuilder.h"
#include "coat/Dialect/WinogradTile.h"

namespace coat {
/// Where the values of a tile come from, and into which tensor a result goes, by row and column.
struct TileAccess {
  llvm::function_ref<mlir::Value(mlir::Value row, mlir::Value column)> load;
  llvm::function_ref<mlir::Value(mlir::Value result, mlir::Value row, int64_t column, mlir::Value tensor)> store;
};

/// B^T d B of a tile d of inputs.
mlir::Value transformInput(VectorBuilder &v, const WinogradTile &sizes, const TileAccess &access, mlir::Value tensor);

/// A^T p A + bias of as many products: of the outputs of a tile the first `rows` and `columns`. The bias may be null.
mlir::Value transformOutput(VectorBuilder &v, const WinogradTile &sizes, int64_t rows, int64_t columns,
                            mlir::Value bias, const TileAccess &access, mlir::Value tensor);
} // namespace coat

#endif
