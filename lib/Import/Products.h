// Matrix products as the models' formats mean them.
#ifndef COAT_LIB_IMPORT_PRODUCTS_H
#define COAT_LIB_IMPORT_PRODUCTS_H

#include "Node.h"

namespace coat::onnx {

/// A matrix product whose operands' symbolic sizes were proved to agree.
mlir::Value product(NodeImporter &node, mlir::Value lhs, mlir::Value rhs, bool transposeLhs = false,
                    bool transposeRhs = false, mlir::Value bias = {});

/// NumPy's matmul: a vector is a row on the left and a column on the right, and its dimension disappears from the
/// result.
mlir::Value matmul(NodeImporter &node, mlir::Value lhs, mlir::Value rhs);

} // namespace coat::onnx

#endif
