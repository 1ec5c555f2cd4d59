// The constant matrices of Winograd's F(m, 3), m = 2 or 4, of stride 1 or 2, applied to vectors along both dimensions
// of a tile.
#ifndef COAT_LIB_VECTOR_WINOGRADTRANSFORMS_H
#define COAT_LIB_VECTOR_WINOGRADTRANSFORMS_H

#include "VectorBuilder.h"
#include "coat/Dialect/WinogradTile.h"

namespace coat {
/// A square of values, row by row.
using TileOf = llvm::function_ref<mlir::Value(int64_t row, int64_t column)>;

/// B^T d B of a tile d of inputs, row by row.
llvm::SmallVector<mlir::Value> transformInput(VectorBuilder &v, WinogradTile sizes, TileOf d);

/// A^T p A of as many products: the outputs of a tile, row by row.
llvm::SmallVector<mlir::Value> transformOutput(VectorBuilder &v, WinogradTile sizes, TileOf p);
} // namespace coat

#endif
