// What a handler of an ATen op (torch.export) sees: the arguments of the call by the names of PyTorch's schema.
#ifndef COAT_LIB_IMPORT_ATEN_H
#define COAT_LIB_IMPORT_ATEN_H

#include "Node.h"

namespace coat::onnx {

class AtenNode {
public:
  explicit AtenNode(NodeImporter &node) : node(node) {}

  /// Whether the argument was given and is not None.
  bool has(llvm::StringRef name) { return node.argument(name) != nullptr; }
  mlir::Value tensor(llvm::StringRef name);
  /// The elements of a list of tensors; null for None.
  llvm::SmallVector<mlir::Value> tensors(llvm::StringRef name);
  /// A tensor, or a number as a rank-0 constant of `elementType`; null, without an error, where the argument is absent.
  mlir::Value operand(llvm::StringRef name, mlir::Type elementType);
  bool isNumber(llvm::StringRef name);
  double number(llvm::StringRef name, double fallback);
  /// An integer of 32 bits; beyond them the node is wrong.
  int64_t integer(llvm::StringRef name, int64_t fallback);
  bool flag(llvm::StringRef name, bool fallback = false) { return integer(name, fallback) != 0; }
  std::string string(llvm::StringRef name, llvm::StringRef fallback);
  /// A list of integers of 32 bits.
  llvm::SmallVector<int64_t> integers(llvm::StringRef name);
  /// The same, one a spatial dimension; one that has a single element stands for `count` of them.
  llvm::SmallVector<int64_t> integers(llvm::StringRef name, size_t count, int64_t fallback);
  /// Sizes, symbolic ones allowed; -1 stays.
  llvm::SmallVector<mlir::AffineExpr> sizes(llvm::StringRef name);
  mlir::AffineExpr size(llvm::StringRef name, int64_t fallback);
  /// A dimension of a tensor of `rank` dimensions, counted from the front.
  int64_t axis(llvm::StringRef name, int64_t fallback, int64_t rank);
  /// The dimensions listed under `name`, sorted; all of them where none is.
  llvm::SmallVector<int64_t> axes(llvm::StringRef name, int64_t rank);
  /// The element type of argument `dtype`, or `fallback`.
  mlir::Type elementType(mlir::Type fallback);

  static int64_t rank(mlir::Value value) { return mlir::cast<mlir::RankedTensorType>(value.getType()).getRank(); }
  static mlir::Type elementTypeOf(mlir::Value value) {
    return mlir::cast<mlir::RankedTensorType>(value.getType()).getElementType();
  }
  /// Converts the operands to the type that PyTorch promotes them to: floating-point before integer before bool, wide
  /// before narrow; a number given as such changes no type of its own class.
  llvm::SmallVector<mlir::Value> promote(llvm::ArrayRef<llvm::StringRef> names);

  /// Arguments that say nothing about the values of inference.
  void ignore(llvm::ArrayRef<llvm::StringRef> names) {
    for (llvm::StringRef name : names)
      node.ignore(name);
  }

  NodeImporter *operator->() { return &node; }
  NodeImporter &node;

private:
  const AttributeData *find(llvm::StringRef name, std::initializer_list<AttributeData::Kind> kinds,
                            llvm::StringRef expected);
  mlir::Value tensorOf(const std::string &value);
  bool checkBounds(llvm::StringRef name, llvm::ArrayRef<int64_t> values);
  mlir::AffineExpr sizeOf(const std::string &text);
};

/// Keeps the table a list of rows: aten.<op>, its meaning since opset 1.
using AtenHandler = void (*)(AtenNode);
template <AtenHandler handler> void aten(NodeImporter &node) { handler(AtenNode(node)); }

} // namespace coat::onnx

#endif
