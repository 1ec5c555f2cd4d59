// Scores of a panel of queries against a block of keys, keys along rows and queries along lanes.
//
//   scores[t][q] = log2(e) * scale * sum_d key[t][d] * query[q][d]       t < count, q < 2 vectors
//
// They are in octaves: softmax needs powers of e of them, and those of 2 take fewer instructions.
// Lanes are queries, because then nothing but the panel of queries itself is rearranged: keys are broadcast from where
// they lie, maxima and sums over keys need no reduction across lanes, and keys that do not fill a tile need no mask.
#ifndef COAT_LIB_VECTOR_ATTENTIONSCORES_H
#define COAT_LIB_VECTOR_ATTENTIONSCORES_H

#include "VectorBuilder.h"
#include "coat/Dialect/Coat.h"

namespace coat {
/// Where a panel of queries is. Lanes behind `rows` repeat the last row and are never stored.
struct AttentionPanel {
  mlir::Value batch, head, keyHead, row;
  mlir::OpFoldResult rows;
};

class AttentionScores {
public:
  AttentionScores(mlir::OpBuilder &builder, AttentionOp op, int64_t lanes);

  /// Queries of a panel: one vector where a sequence has no more.
  int64_t queries() const { return vectors * v.lanes; }
  /// Keys of a full register tile.
  int64_t tileKeys() const;
  /// Rows that a buffer of scores for `keys` keys needs: whole tiles, and whole blocks of a transposed mask.
  int64_t bufferKeys(int64_t keys) const;

  /// Row `index` of `packed` [panels][D][queries]: the queries of the panel, transposed and scaled.
  mlir::Value packQueries(const AttentionPanel &at, mlir::Value packed, mlir::Value index);

  /// How many keys some query of the panel may see.
  mlir::OpFoldResult visibleKeys(const AttentionPanel &at);

  /// What becomes of the scores of a register tile, [keys][vectors], whose first key is `first` of the block: `carried`
  /// goes from tile to tile, at its end the buffer.
  using TileBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::Value first, llvm::ArrayRef<mlir::Value> scores, mlir::ValueRange carried)>;
  /// `count` scores from key `start` on, plus the vectors `from`, a tile after the other.
  llvm::SmallVector<mlir::Value> emit(const AttentionPanel &at, mlir::Value packed, mlir::Value index,
                                      mlir::Value start, mlir::OpFoldResult count, llvm::ArrayRef<mlir::Value> from,
                                      llvm::SmallVector<mlir::Value> carried, TileBody body);
  /// Products of queries with `count` keys from start + first on, added to `sums`. Where `guarded`, the last key stands
  /// for those behind it.
  llvm::SmallVector<mlir::Value> products(const AttentionPanel &at, mlir::Value packed, mlir::Value index,
                                          mlir::Value start, mlir::Value first, int64_t count, bool guarded,
                                          llvm::SmallVector<mlir::Value> sums);

  VectorBuilder v;
  AttentionOp op;
  int64_t vectors;
  mlir::OpFoldResult rows, keys, depth, width; // S, T, D, Dv

  mlir::Value scalar(double value);
  /// A vector of the score that no query gives a key it may not see.
  mlir::Value never();

private:
  mlir::Value queryPosition(const AttentionPanel &at, int64_t lane);
  llvm::SmallVector<mlir::Value> transposed(llvm::SmallVector<mlir::Value> rows);
  llvm::SmallVector<mlir::Value> laneRows(const AttentionPanel &at);
  bool maskVariesByQuery();
  mlir::Value transposeMask(const AttentionPanel &at, mlir::Value start, mlir::OpFoldResult count, mlir::Value scores);
  mlir::Value addendOf(mlir::Value elements);
  mlir::Value maskAt(const AttentionPanel &at, mlir::Value row, mlir::Value key);
  llvm::SmallVector<mlir::Value> maskIndices(const AttentionPanel &at, mlir::Value row, mlir::Value key);
  mlir::Value adjusted(const AttentionPanel &at, mlir::Value key, mlir::Value local, int64_t j, bool guarded,
                       mlir::Value score, mlir::Value scores);
};
} // namespace coat

#endif
