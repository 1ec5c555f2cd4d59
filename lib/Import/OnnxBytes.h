// Values of types that nothing computes on, as bytes: strings (docs/rationale/strings.md), floats of 8 bits (their
// bits, uint8) and integers of 4 (one a byte, int8 or uint8). Casts, quantization and StringNormalizer turn them into
// numbers and back; other ops refuse them by name. Strings and floats of 8 bits may be inputs and results of a model.
#ifndef COAT_LIB_IMPORT_ONNXBYTES_H
#define COAT_LIB_IMPORT_ONNXBYTES_H

#include "Node.h"

namespace coat::onnx {

inline bool isFloat8(int64_t type) { return type >= Float8E4M3FN && type <= Float8E5M2FNUZ; }

/// The bytes of an input and the type they stand for; no bytes and Undefined for an input of numbers.
std::pair<mlir::Value, int32_t> bytesOf(NodeImporter &node, unsigned input);
void setBytes(NodeImporter &node, unsigned output, mlir::Value bytes, int32_t type);

/// An input as numbers: floats of 8 bits as f32, integers of 4 bits as i8 or ui8, others as they are.
mlir::Value numberOf(NodeImporter &node, unsigned input);

/// f32 from the bits of floats of 8 bits, and back, ties to even. Where a number is too large: the largest, else
/// infinity or NaN, whichever the type has.
mlir::Value decodeFloat8(NodeImporter &node, mlir::Value bits, int32_t type);
mlir::Value encodeFloat8(NodeImporter &node, mlir::Value value, int32_t type, bool saturate);

/// Cast of input 0 to such a type.
void castToBytes(NodeImporter &node, int32_t type);

} // namespace coat::onnx

#endif
