// From global to shared memory: the tiles of a product's operands, several stages ahead of their use.
//
//   shared memory of a tile: rows of 16-byte chunks, chunk c of row r at place c ^ swizzle(r), so that the eight rows
//   that a ldmatrix reads lie in eight different groups of banks
//
// A thread copies the same columns of several rows of every tile, so that what belongs to its rows (or columns) of m or
// n is computed once, and each step along k adds one offset. Elements outside of the operand become zero.
#ifndef COAT_LIB_LOWER_NVGPU_TILELOADS_H
#define COAT_LIB_LOWER_NVGPU_TILELOADS_H

#include "Contraction.h"
#include "GpuBuilder.h"

namespace coat {
/// Elements from the start that `index` is at. The positions in windows that its digits move are added to `positions`.
mlir::Value walk(GpuBuilder &g, llvm::ArrayRef<Digit> digits, mlir::Value index,
                 llvm::MutableArrayRef<mlir::Value> positions = {});

/// A tile in shared memory.
struct SharedTile {
  int64_t rows, columns; // columns are dense
  mlir::Type type;

  int64_t elementBytes() const { return type.getIntOrFloatBitWidth() / 8; }
  int64_t rowBytes() const { return columns * elementBytes(); }
  int64_t bytes() const { return rows * rowBytes(); }
  int64_t perChunk() const { return 16 / elementBytes(); }
  /// Bytes from the tile's start to the chunk; rows that differ by 8 have the same order of chunks.
  mlir::Value placeOf(GpuBuilder &g, mlir::Value row, mlir::Value chunk) const;
};

class TileLoader {
public:
  /// For tiles of `outer` by `inner` elements in m (or n) and k, of an operand that is multiplied in `type`. `batch`
  /// and the tile's first index in m are of the block; `outerSize` and `innerSize` are the operand's.
  TileLoader(GpuBuilder &g, const ProductOperand &operand, mlir::Type type, mlir::Value pointer, mlir::Value batch,
             mlir::Value first, int64_t outer, int64_t inner, int64_t outerSize, int64_t innerSize, int64_t threads);

  static SharedTile tileOf(const ProductOperand &operand, mlir::Type type, int64_t outer, int64_t inner);
  /// Elements that one copy moves.
  static int64_t unitOf(const ProductOperand &operand, mlir::Type type);
  /// Whether copies need no registers: else they are loads, conversions and stores.
  static bool isAsync(const ProductOperand &operand, mlir::Type type);

  /// Starts the copies of the tile whose first index in k is `first`, to byte `place` of shared memory.
  void load(mlir::Value first, mlir::Value place);

private:
  /// What one index in m, n or k adds to addresses, and whether it is inside.
  struct Part {
    mlir::Value offset, valid;
    Values positions;
  };
  Part partOf(llvm::ArrayRef<Digit> digits, mlir::Value index, int64_t size, int64_t tile);
  void copy(const Part &outer, const Part &inner, mlir::Value place);
  mlir::Value isInside(const Part &outer, const Part &inner);

  GpuBuilder &g;
  const ProductOperand &operand;
  mlir::Type type;
  SharedTile tile;
  mlir::Value base;
  int64_t innerSize, innerTile, unit;
  Values rows, columns;           // of the thread's copies in the tile
  llvm::SmallVector<Part> outers; // one a copy
  llvm::SmallVector<mlir::Value> places;
  mlir::Value participates; // null: every thread copies
};
} // namespace coat

#endif
