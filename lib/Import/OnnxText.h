// Features of text.
#ifndef COAT_LIB_IMPORT_ONNXTEXT_H
#define COAT_LIB_IMPORT_ONNXTEXT_H

#include "Node.h"

namespace coat::onnx {

void importTfIdfVectorizer(NodeImporter &node);

} // namespace coat::onnx

#endif
