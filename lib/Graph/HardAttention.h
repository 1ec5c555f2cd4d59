// How models spell attention to the best keys only; for coat-recognize-attention.
#ifndef COAT_GRAPH_HARDATTENTION_H
#define COAT_GRAPH_HARDATTENTION_H

#include "mlir/IR/Value.h"

namespace coat::graph {

/// Scores of which all but the `count` greatest of each row (last dimension) are hidden.
struct BestKeys {
  mlir::Value scores;
  int64_t count = 0; // 0: not that
  explicit operator bool() const { return count > 0; }
};

/// `value`, which a softmax reads, as the greatest of `scores` among minus infinities.
BestKeys readBestScores(mlir::Value value);

/// `weights`, which a product with the values reads, as one where a score is its row's greatest (the first of equal
/// ones), else zero.
BestKeys readOneHot(mlir::Value weights);

} // namespace coat::graph

#endif
