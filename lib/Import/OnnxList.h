// Lists of values: ONNX's sequences, and what a loop collects step by step.
#ifndef COAT_LIB_IMPORT_ONNXLIST_H
#define COAT_LIB_IMPORT_ONNXLIST_H

#include "Node.h"

namespace coat::onnx {

/// A tensor, or known elements, as a value of the model.
ModelValue valueOf(mlir::Value tensor);
ModelValue valueOf(Known known);

/// Sizes of a value that has a type.
llvm::SmallVector<mlir::AffineExpr> dimsOf(NodeImporter &node, const ModelValue &value);

/// Element `index` of a value along `axis`.
ModelValue elementOf(NodeImporter &node, const ModelValue &value, int64_t axis, int64_t index);

/// The elements one after another along a new dimension `axis`.
ModelValue stacked(NodeImporter &node, llvm::ArrayRef<ModelValue> elements, int64_t axis);

} // namespace coat::onnx

#endif
