// An attention as the emitters of GPU kernels see it: sizes, where its operands lie, and which keys a query may see.
#ifndef COAT_LIB_LOWER_NVGPU_ATTENTIONSHAPE_H
#define COAT_LIB_LOWER_NVGPU_ATTENTIONSHAPE_H

#include "Contraction.h"
#include "coat/Dialect/Coat.h"
#include <optional>

namespace coat {
struct AttentionShape {
  AttentionOp op;
  mlir::Type type;                                      // what is multiplied: f16, bf16, f32
  int64_t heads, keyHeads, queries, keys, depth, width; // heads: of all batches
  int64_t headsPerBatch;
  // Query: outer the query, inner the depth. Key and value: inner the key, outer the depth or width, which is dense.
  ProductOperand query, key, value;
  std::optional<Source> mask; // of four dimensions; those that broadcast have stride 0
  bool causal;
  int64_t offset; // query q is at position q + offset among the keys
  double scale, softcap;
};

/// The only attention of `kernel`, if it is a plain one whose operands are f16, bf16 or f32.
mlir::FailureOr<AttentionShape> findAttention(mlir::func::FuncOp kernel);
} // namespace coat

#endif
