// The product of two tiles in shared memory, by the warps of a block, into sums in registers.
//
// Two kinds: warp matrices (mma.sync on fragments that ldmatrix reads) and multiply-adds of f32. Both say which element
// of the block's tile each sum of a thread is, so that one epilogue serves both.
#ifndef COAT_LIB_LOWER_NVGPU_TILEPRODUCT_H
#define COAT_LIB_LOWER_NVGPU_TILEPRODUCT_H

#include "ProductTiles.h"
#include "ResultTiles.h"
#include "TileLoads.h"

namespace coat {
/// A tile of one operand in shared memory, dense along k or along m (or n).
struct OperandTile {
  SharedTile tile;
  bool innerIsDense;
};

class TileProduct {
public:
  TileProduct(GpuBuilder &g, const BlockTile &block, OperandTile left, OperandTile right);
  virtual ~TileProduct() = default;

  /// Sums that a thread has.
  virtual int64_t sums() const = 0;
  /// `sums` plus the product of the tiles at these bytes of shared memory.
  virtual Values accumulate(Values sums, mlir::Value left, mlir::Value right) = 0;
  /// Which elements of the block's tile a thread's sums are.
  virtual llvm::SmallVector<SumRow> rows() = 0;
  /// The part of k that the warp sums up.
  mlir::Value slice() const { return sliceIndex; }

protected:
  /// Bytes of shared memory at `row` + `constant` (a multiple of 8) and `chunk` of the tile at `start`.
  mlir::Value at(const SharedTile &tile, mlir::Value start, mlir::Value row, int64_t constant, mlir::Value chunk);

  GpuBuilder &g;
  BlockTile block;
  OperandTile left, right;
  mlir::Value firstRow, firstColumn, firstInner; // of the warp in the block's tile
  mlir::Value sliceIndex;
};

/// `type`: what is multiplied. f32 means multiply-adds unless `tf32`.
std::unique_ptr<TileProduct> createTileProduct(GpuBuilder &g, mlir::Type type, bool tf32, const BlockTile &block,
                                               OperandTile left, OperandTile right);
} // namespace coat

#endif
