// What the families around attention share.
#ifndef COAT_LIB_IMPORT_ONNXATTENTION_H
#define COAT_LIB_IMPORT_ONNXATTENTION_H

#include "Node.h"

namespace coat::onnx {

/// [B, S, H*D] -> [B, H, S, D].
mlir::Value splitHeads(NodeImporter &node, mlir::Value value, int64_t heads);
/// [B, H, S, D] -> [B, S, H*D].
mlir::Value joinHeads(NodeImporter &node, mlir::Value value);

/// The type that attribute 'softmax_precision' asks for; null where the softmax is computed in it anyway.
mlir::Type softmaxType(NodeImporter &node);

/// 1 / sqrt(depth), unless attribute 'scale' says otherwise.
double attentionScale(NodeImporter &node, mlir::AffineExpr depth);

/// Rotates pairs of the first `rotated` elements of the last dimension (the two halves, or with `interleaved`
/// neighbours) of a tensor of rank 4 by the angles of `cos` and `sin`, which broadcast to it with rotated / 2 elements.
mlir::Value rotate(NodeImporter &node, mlir::Value input, mlir::Value cos, mlir::Value sin, mlir::AffineExpr rotated,
                   bool interleaved);

} // namespace coat::onnx

#endif
