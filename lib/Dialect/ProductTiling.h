// Parts of the tilings of convolutions and products.
#ifndef COAT_LIB_DIALECT_PRODUCTTILING_H
#define COAT_LIB_DIALECT_PRODUCTTILING_H

#include "mlir/Interfaces/TilingInterface.h"

namespace coat {
/// The box [0, size of the result) as loops.
llvm::SmallVector<mlir::Range> domainOf(mlir::OpBuilder &builder, mlir::Value result);

/// A slice of `source`; remembered in `result` so that fusion can follow it.
mlir::Value sliceOf(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source,
                    llvm::ArrayRef<mlir::OpFoldResult> offsets, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                    mlir::TilingResult &result);

/// The part of `bias` (may be null) for a range of channels.
mlir::Value biasSlice(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value bias, mlir::OpFoldResult offset,
                      mlir::OpFoldResult size, mlir::TilingResult &result);

/// A range as blocks; fails where it may start inside a block.
llvm::LogicalResult packedRange(mlir::OpBuilder &builder, mlir::Location loc, mlir::OpFoldResult offset,
                                mlir::OpFoldResult size, int64_t block, mlir::OpFoldResult &blockOffset,
                                mlir::OpFoldResult &blockCount);

/// `result` with `op` as its tile.
mlir::TilingResult resultOf(mlir::TilingResult result, mlir::Operation *op);
} // namespace coat

#endif
