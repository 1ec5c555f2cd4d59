// Quantized values: what the quantized ops of ONNX and of com.microsoft share.
#ifndef COAT_LIB_IMPORT_ONNXQUANT_H
#define COAT_LIB_IMPORT_ONNXQUANT_H

#include "Node.h"

namespace coat::onnx {

/// A scale or zero point in a shape that broadcasts to `of`: one number, one an element of `axis`, or one a block of
/// `blockSize` elements (0: none) along it, repeated.
mlir::Value alongAxis(NodeImporter &node, mlir::Value parameter, mlir::Value of, int64_t axis, int64_t blockSize = 0);

/// Input number `input`, or a zero of type `fallback` where it is absent.
mlir::Value zeroPoint(NodeImporter &node, unsigned input, mlir::Type fallback);

mlir::Value quantize(NodeImporter &node, mlir::Value value, mlir::Value scale, mlir::Value zeroPoint);
mlir::Value dequantize(NodeImporter &node, mlir::Value value, mlir::Value scale, mlir::Value zeroPoint);

} // namespace coat::onnx

#endif
