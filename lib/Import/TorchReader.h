// A PyTorch program (torch.export.save, .pt2) as the importer's plain data.
#ifndef COAT_LIB_IMPORT_TORCHREADER_H
#define COAT_LIB_IMPORT_TORCHREADER_H

#include "OnnxModel.h"

namespace coat::torch {

/// Whether these are the bytes of a zip archive, which torch.export writes and ONNX never is.
bool isArchive(llvm::ArrayRef<char> bytes);

/// Parses an archive of torch.export. A call of torch.ops.aten.<op> becomes node `op` of domain "aten"; its tensor
/// arguments are the node's inputs in the order of the call, and every argument is an attribute under the schema's name
/// (AttributeData::Names for tensors and symbolic sizes). `error` is what is wrong, without the file's name.
bool readProgram(llvm::ArrayRef<char> bytes, onnx::Model &model, std::string &error);

} // namespace coat::torch

#endif
