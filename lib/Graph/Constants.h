// Constant tensors seen as bytes: what the folding passes of this folder read and write.
//
// Why not DenseElementsAttr alone: weights are dense_resource blobs of up to hundreds of megabytes, which
// must be neither uniqued nor hashed; and a value read per element through APFloat is too slow for them.
#ifndef COAT_GRAPH_CONSTANTS_H
#define COAT_GRAPH_CONSTANTS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Value.h"
#include <optional>

namespace coat::graph {

/// A constant tensor of fixed-width elements (whole bytes; i1 is one byte) in row-major order.
class ConstantTensor {
public:
  /// The constant behind `value`, or nullopt when it is none that can be read as bytes.
  static std::optional<ConstantTensor> get(mlir::Value value);

  mlir::RankedTensorType type;
  /// One element when `splat`, else all of them.
  llvm::ArrayRef<char> bytes;
  bool splat = false;

  int64_t size() const { return type.getNumElements(); }
  unsigned width() const;
  const char *element(int64_t i) const { return bytes.data() + (splat ? 0 : i * width()); }
  bool isFloat() const { return mlir::isa<mlir::FloatType>(type.getElementType()); }
  /// Element `i` as a number; needs `readable`.
  double number(int64_t i) const;
  /// Whether `number` understands the element type: integers of up to 64 bits and floats of 16 to 64.
  bool readable() const;
  /// All elements as doubles; needs `readable`.
  llvm::SmallVector<double> numbers() const;

private:
  std::shared_ptr<llvm::SmallVector<char>> unpacked; // a splat's or a bool's bytes
};

/// Bytes of one element of `type` in a constant; 0 when it has no whole number of bytes.
unsigned elementWidth(mlir::Type type);

/// Integers of a larger magnitude are not folded: doubles do not hold each of them.
inline constexpr double largestInteger = 9e15;

/// Writes `value`, rounded for floating-point types, as an element of `type` to `to`; false when it does not fit.
bool store(char *to, mlir::Type type, double value);

/// `value` as an element of `type` would be read back: `type` is one that `readable` names.
double rounded(mlir::FloatType type, double value);

/// A blob of `bytes` bytes, 64-byte aligned, to be filled and handed to `blobConstant`.
mlir::AsmResourceBlob newBlob(size_t bytes);

/// arith.constant of `type` over the bytes of `blob`; small ones become plain `dense`.
mlir::Value blobConstant(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType type,
                         mlir::AsmResourceBlob blob);

/// arith.constant of the floating-point `type` from doubles.
mlir::Value floatConstant(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType type,
                          llvm::ArrayRef<double> values);

/// The bytes of `constant` under another shape of as many elements; shares the blob.
mlir::Value reshapedConstant(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value constant,
                             llvm::ArrayRef<int64_t> shape);

/// The elements of `input` at offset + sum of index * stride for every index of `type`: transposes,
/// slices and broadcasts (stride 0) are all of this form. Strides count elements.
mlir::Value stridedConstant(mlir::OpBuilder &builder, mlir::Location loc, const ConstantTensor &input,
                            mlir::RankedTensorType type, int64_t offset, llvm::ArrayRef<int64_t> strides);

/// `constant` with dimension i taken from dimension permutation[i].
mlir::Value transposedConstant(mlir::OpBuilder &builder, mlir::Location loc, const ConstantTensor &constant,
                               llvm::ArrayRef<int64_t> permutation);

/// Row-major strides of a static shape, in elements.
llvm::SmallVector<int64_t> rowMajorStrides(llvm::ArrayRef<int64_t> shape);

} // namespace coat::graph

#endif
