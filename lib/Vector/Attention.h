// Attention of one tile in flash form: no score is ever in memory for longer than its block of rows.
#ifndef COAT_LIB_VECTOR_ATTENTION_H
#define COAT_LIB_VECTOR_ATTENTION_H

#include "coat/Dialect/Coat.h"

namespace coat {
/// Whether `op` has a flash form: f32, no cache operands, known numbers of heads, and rows enough for the lanes (a
/// decode step of a row or two is bound by reading the cache).
bool hasFlashForm(AttentionOp op);

/// Replaces `op` by loops over vectors of `lanes` on tensors.
void emitFlash(mlir::RewriterBase &rewriter, AttentionOp op, int64_t lanes);
} // namespace coat

#endif
