// Constants that handlers compute: weights of interpolations and transforms, windows, coordinates.
#ifndef COAT_LIB_IMPORT_ONNXTABLES_H
#define COAT_LIB_IMPORT_ONNXTABLES_H

#include "Node.h"

namespace coat::onnx {

/// A table of more elements is refused.
constexpr int64_t maxTableElements = 1 << 24;

/// A constant of floating-point type, row-major.
inline mlir::Value table(NodeImporter &node, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<double> values,
                         mlir::Type elementType) {
  if (node.failed())
    return {};
  auto type = mlir::RankedTensorType::get(shape, elementType);
  if (elementType.isF64())
    return node.constant(mlir::DenseElementsAttr::get(type, values));
  if (elementType.isF32())
    return node.constant(mlir::DenseElementsAttr::get(type, llvm::ArrayRef(llvm::SmallVector<float>(values))));
  const llvm::fltSemantics &semantics = llvm::cast<mlir::FloatType>(elementType).getFloatSemantics();
  return node.constant(mlir::DenseElementsAttr::get(type, llvm::map_to_vector(values, [&](double value) {
                                                      llvm::APFloat number(value);
                                                      bool lossy;
                                                      number.convert(semantics, llvm::APFloat::rmNearestTiesToEven,
                                                                     &lossy);
                                                      return number;
                                                    })));
}

} // namespace coat::onnx

#endif
