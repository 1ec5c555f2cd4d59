// Values that the importer knows element by element: small constants and
// integers computed from shapes. Nodes on them are evaluated and emit no op.
#ifndef COAT_LIB_IMPORT_KNOWN_H
#define COAT_LIB_IMPORT_KNOWN_H

#include "Symbols.h"
#include "coat/Dialect/Coat.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace coat::onnx {

/// Constants of more elements are not tracked.
constexpr int64_t maxKnownIntegers = 1024, maxKnownFloats = 64;

/// Tensors of more dimensions are refused: no framework has them, and every analysis of shapes would have to be afraid.
constexpr size_t maxDimensions = 32;

/// One element: an integer (or truth value) as an expression, or a floating-point number.
struct Scalar {
  mlir::AffineExpr integer; // null for floating-point
  double number = 0;
};

struct Known {
  mlir::Type elementType; // i1, iN or a float type
  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<Scalar> elements; // row-major

  bool isFloat() const { return llvm::isa<mlir::FloatType>(elementType); }
  /// All elements as integers; none when one is symbolic or this is floating-point.
  std::optional<llvm::SmallVector<int64_t>> integers() const;
  /// All elements as expressions; none for floating-point.
  std::optional<llvm::SmallVector<mlir::AffineExpr>> expressions() const;
  /// The elements at `positions` (row-major) under another shape.
  Known pick(llvm::ArrayRef<int64_t> positions, llvm::ArrayRef<int64_t> newShape) const;
  /// The same elements under another shape of as many elements.
  Known reshaped(llvm::ArrayRef<int64_t> newShape) const;
};

/// Number of elements, none on overflow or a negative size.
std::optional<int64_t> elementCount(llvm::ArrayRef<int64_t> shape);

/// Whether a value of this shape and type is small enough to track. No size is computed from unsigned integers.
bool isTrackable(llvm::ArrayRef<int64_t> shape, mlir::Type elementType);

/// Calls `visit` with every index of `shape` in row-major order.
void forEachIndex(llvm::ArrayRef<int64_t> shape, llvm::function_ref<void(llvm::ArrayRef<int64_t>)> visit);

/// The row-major position in `shape` of an index that broadcasts to it (trailing dimensions aligned).
int64_t broadcastPosition(llvm::ArrayRef<int64_t> index, llvm::ArrayRef<int64_t> shape);

/// NumPy broadcast of two static shapes, none if they do not.
std::optional<llvm::SmallVector<int64_t>> broadcastShapes(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);

/// `kind` applied to broadcast operands; none when it is not evaluated or a symbol's range does not decide it.
std::optional<Known> evaluate(const Symbols &symbols, ElementwiseKind kind, llvm::ArrayRef<const Known *> operands);

/// The reduction of a dimension of `value` by `kind`, its size kept as 1; none when it is not evaluated (without
/// elements, or as a symbol's range does not decide).
std::optional<Known> evaluateReduce(const Symbols &symbols, ReduceKind kind, const Known &value, int64_t axis);

/// Conversion of every element as coat.cast does it; none when an element is symbolic and the type is not an integer.
std::optional<Known> evaluateCast(const Symbols &symbols, const Known &value, mlir::Type elementType);

} // namespace coat::onnx

#endif
