// Weights of softmax attention for a panel of queries and a block of keys:
//
//   weights[t][q] = 2^(scores[t][q] - base[q])
//
// Any base gives the same result after the division by the sum, as long as nothing overflows or vanishes. So weights
// need not wait for the largest score of the block: they are computed from a base that is known before, while scores
// still are in registers, and only where a score is too far above it, the block is done again from its largest score.
#ifndef COAT_LIB_VECTOR_ATTENTIONWEIGHTS_H
#define COAT_LIB_VECTOR_ATTENTIONWEIGHTS_H

#include "AttentionScores.h"

namespace coat {
/// A vector a panel's vector of queries each, and the weights themselves.
struct AttentionWeights {
  mlir::Value buffer;                        // [keys][queries]
  llvm::SmallVector<mlir::Value> base, sums; // what was subtracted, and the sums over the block
  llvm::SmallVector<mlir::Value> factor;     // 2^(base before - base): what sums of earlier blocks are worth now

  llvm::SmallVector<mlir::Value> values() const;
  AttentionWeights from(mlir::ValueRange values) const;
};

class AttentionSoftmax {
public:
  explicit AttentionSoftmax(AttentionScores &s) : s(s), v(s.v) {}

  /// What to subtract in the first block: the largest of a few scores, or nothing that a weight could be computed from.
  llvm::SmallVector<mlir::Value> firstBase(const AttentionPanel &at, mlir::Value packed, mlir::Value index);
  /// The weights of `count` keys from `start` on, in `buffer`.
  AttentionWeights emit(const AttentionPanel &at, mlir::Value packed, mlir::Value index, mlir::Value start,
                        mlir::OpFoldResult count, mlir::Value buffer, llvm::ArrayRef<mlir::Value> base);
  /// 1 / sum; zeros where no key was seen.
  mlir::Value inverseOf(mlir::Value sum, mlir::Value base);

private:
  bool isPlain();
  mlir::Value exp2(mlir::Value x);
  llvm::SmallVector<mlir::Value> exp2(llvm::ArrayRef<mlir::Value> x);
  mlir::Value isNever(mlir::Value x);
  mlir::Value subtracted(mlir::Value base);
  AttentionWeights fromBase(const AttentionPanel &at, mlir::Value packed, mlir::Value index, mlir::Value start,
                            mlir::OpFoldResult count, mlir::Value buffer, llvm::ArrayRef<mlir::Value> base,
                            mlir::Value &mayStay);
  AttentionWeights fromLargest(const AttentionPanel &at, mlir::Value packed, mlir::Value index, mlir::Value start,
                               mlir::OpFoldResult count, mlir::Value buffer, llvm::ArrayRef<mlir::Value> base);

  AttentionScores &s;
  VectorBuilder &v;
};
} // namespace coat

#endif
