// The protobuf wire format of a model without its weights.
#ifndef COAT_LIB_IMPORT_ONNXWIRE_H
#define COAT_LIB_IMPORT_ONNXWIRE_H

#include "llvm/ADT/ArrayRef.h"
#include <string>
#include <vector>

namespace coat::onnx {

/// Copies the serialized ModelProto `wire` to `stripped` with every TensorProto.raw_data replaced by eight
/// bytes, the index (little-endian) of its view in `blobs`. False, with `error`, when the input is no ModelProto.
bool stripRawData(llvm::ArrayRef<char> wire, std::string &stripped, std::vector<llvm::ArrayRef<char>> &blobs,
                  std::string &error);

} // namespace coat::onnx

#endif
