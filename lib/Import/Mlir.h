// What a handler of an upstream MLIR op (tosa, linalg, tensor, arith, math) sees: a node whose attributes are those of
// the op itself, and the ways to write its meaning in coat ops.
#ifndef COAT_LIB_IMPORT_MLIR_H
#define COAT_LIB_IMPORT_MLIR_H

#include "Node.h"

namespace coat::onnx {

class MlirNode {
public:
  explicit MlirNode(NodeImporter &node) : node(node) {}

  template <typename OpTy> OpTy as() const { return mlir::cast<OpTy>(node.operation()); }
  mlir::Operation *operation() const { return node.operation(); }
  /// The element type that the op declares of a result (index: i64).
  mlir::Type declaredElement(unsigned result = 0) const;
  static mlir::Type elementOf(mlir::Value value) {
    return mlir::cast<mlir::RankedTensorType>(value.getType()).getElementType();
  }
  static int64_t rankOf(mlir::Value value) { return mlir::cast<mlir::RankedTensorType>(value.getType()).getRank(); }
  /// An elements attribute, tracked element by element where it is small.
  void setConstant(mlir::ElementsAttr attribute);

  NodeImporter *operator->() { return &node; }
  NodeImporter &node;
};

/// Rows of the table are handlers of this form; what they set is compared with what the op declares.
using MlirHandler = void (*)(MlirNode);
void checkDeclared(NodeImporter &node);
template <MlirHandler handler> void mlirOp(NodeImporter &node) {
  handler(MlirNode(node));
  checkDeclared(node);
}

/// The coat ops of a scalar op of arith or math on whole tensors: an op of such a program, or one in the body of a
/// linalg op. Null, with an error, where there are none.
mlir::Value emitScalarOp(NodeImporter &node, mlir::Operation *op, llvm::ArrayRef<mlir::Value> operands);

/// The one number that all elements of `value` are; none where they differ or the program computes them.
std::optional<double> uniformValue(mlir::Value value);
/// `value` added to `init`, the initial value of an accumulation; `value` itself where that is zero.
mlir::Value accumulate(NodeImporter &node, mlir::Value value, mlir::Value init);

} // namespace coat::onnx

#endif
