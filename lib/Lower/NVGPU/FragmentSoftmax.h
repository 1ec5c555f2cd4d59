// Softmax over tiles of keys, on scores in registers: what mma.sync and wgmma leave in a warp are the same fragments.
//
//   score[4 j + c] of lane l: row l / 4 + 8 (c / 2) of 16, key 8 j + 2 (l % 4) + c % 2
//
// Online: a row keeps its greatest score and the sum of its weights; when a tile has a greater one, what was summed up
// before is scaled down. Scores are in octaves, because 2^x is one instruction.
#ifndef COAT_LIB_LOWER_NVGPU_FRAGMENTSOFTMAX_H
#define COAT_LIB_LOWER_NVGPU_FRAGMENTSOFTMAX_H

#include "AttentionShape.h"
#include "GpuBuilder.h"

namespace coat {
class FragmentSoftmax {
public:
  /// For tiles of `tileKeys` keys; `mask` is the mask's pointer, if there is one.
  FragmentSoftmax(GpuBuilder &g, const AttentionShape &shape, int64_t tileKeys, mlir::Value mask);

  /// A lane's two rows of a fragment.
  struct Rows {
    mlir::Value end[2];  // the first key that the row may not see
    mlir::Value mask[2]; // its row of the mask
  };
  Rows rowsOf(mlir::Value head, mlir::Value firstQuery);

  /// Of each of the two rows: the greatest score, then the sum of weights.
  Values start();
  static constexpr int64_t stateSize = 4;

  /// Scores become weights; `state` is that behind the tile. `hides`: whether some row may not see some key of the tile
  /// (null: every row sees all). Returns by what each row's earlier sums are to be multiplied.
  Values apply(llvm::MutableArrayRef<mlir::Value> scores, const Rows &rows, mlir::Value firstKey, mlir::Value hides,
               llvm::MutableArrayRef<mlir::Value> state);

  /// Whether the tile at `firstKey` has keys that one of the queries from `firstQuery` on may not see; null: never.
  mlir::Value hides(mlir::Value firstQuery, mlir::Value firstKey);
  /// Tiles that some of `count` queries from `firstQuery` on sees something of.
  mlir::Value visibleTiles(mlir::Value firstQuery, int64_t count);

  /// 1 / sum of each row; 0 for a row that sees nothing.
  Values inverseSums(llvm::ArrayRef<mlir::Value> state);

private:
  mlir::Value overRow(mlir::Value value, llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> combine);
  Values maskOf(const Rows &rows, mlir::Value firstKey);
  void addMask(llvm::MutableArrayRef<mlir::Value> scores, const Rows &rows, mlir::Value firstKey);
  mlir::Value multiply(mlir::Value a, mlir::Value b);

  GpuBuilder &g;
  const AttentionShape &shape;
  int64_t tileKeys;
  mlir::Value mask, octaves, never; // octaves: what scores are multiplied by where they enter 2^x
};
} // namespace coat

#endif
