// The constant matrices of Winograd's F(m, 3), m = 2 or 4, applied to vectors along both dimensions of a tile.
#ifndef COAT_LIB_VECTOR_WINOGRADTRANSFORMS_H
#define COAT_LIB_VECTOR_WINOGRADTRANSFORMS_H

#include "VectorBuilder.h"

namespace coat {
/// A square of values, row by row.
using TileOf = llvm::function_ref<mlir::Value(int64_t row, int64_t column)>;

/// B^T d B of a tile d of (m + 2) x (m + 2) inputs, row by row.
llvm::SmallVector<mlir::Value> transformInput(VectorBuilder &v, int64_t m, TileOf d);

/// A^T p A of (m + 2) x (m + 2) products: m x m outputs, row by row.
llvm::SmallVector<mlir::Value> transformOutput(VectorBuilder &v, int64_t m, TileOf p);
} // namespace coat

#endif
