// Which tile of a product's result a number means, and how a tile's sums leave the registers.
#ifndef COAT_LIB_LOWER_NVGPU_RESULTTILES_H
#define COAT_LIB_LOWER_NVGPU_RESULTTILES_H

#include "Epilogue.h"

namespace coat {
/// The result in tiles of m by n.
struct ResultTiles {
  const Contraction &c;
  int64_t m, n;

  int64_t rows() const { return llvm::divideCeil(c.m, m); }
  int64_t columns() const { return llvm::divideCeil(c.n, n); }
  int64_t count() const { return rows() * columns() * c.batch; }

  struct Place {
    mlir::Value batch, m, n; // the tile's first element
  };
  /// Tiles with following numbers, which are computed at a time, share rows and columns in L2: they are those of 8 rows
  /// of tiles.
  Place placeOf(GpuBuilder &g, mlir::Value number) const;
};

/// Neighbours along columns that a thread has: where the first is in the tile, and their numbers among the sums.
struct SumRun {
  mlir::Value column;
  llvm::SmallVector<int64_t, 4> sums;
};
struct SumRow {
  mlir::Value row;
  llvm::SmallVector<SumRun> runs;
};

/// The epilogue on a thread's `sums`; all runs have the same length, and begin at a multiple of it.
void storeSums(GpuBuilder &g, const ResultTiles &tiles, const ResultTiles::Place &place, Epilogue &epilogue,
               llvm::ArrayRef<SumRow> rows, llvm::ArrayRef<mlir::Value> sums);
} // namespace coat

#endif
