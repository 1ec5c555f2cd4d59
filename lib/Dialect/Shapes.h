// What the op families share: checks of shapes and attributes, and sizes as numbers and as IR.
//
// Every function on sizes takes `?` (ShapedType::kDynamic) for a size that is only known at run time: a check passes
// where it cannot be decided, since import proved symbolic sizes equal before it let them meet.
#ifndef COAT_LIB_DIALECT_SHAPES_H
#define COAT_LIB_DIALECT_SHAPES_H

#include "coat/Dialect/Coat.h"

namespace coat {

/// Constants of more elements than this are left to the Graph stage, which weighs size against work.
inline constexpr int64_t foldLimit = 4096;

/// The type of a value that ODS restricts to ranked tensors.
inline mlir::RankedTensorType tensorType(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}

/// Number of elements of a tensor type; symbolic dimensions count as 1.
int64_t elementCount(mlir::Type type);

/// Whether two sizes are equal or may be.
bool sizesAgree(int64_t a, int64_t b);

/// Whether a tensor of shape `from` broadcasts to shape `to` without changing `to`.
bool broadcastsTo(llvm::ArrayRef<int64_t> from, llvm::ArrayRef<int64_t> to);

/// Prints a shape as `1x?x3`, the way types spell it.
std::string formatShape(llvm::ArrayRef<int64_t> shape);

/// Fails unless `values` has `count` entries, each at least `least`.
llvm::LogicalResult checkEntries(EmitError emitError, llvm::StringRef name, llvm::ArrayRef<int64_t> values,
                                 int64_t count, int64_t least);

/// Fails unless all values that are there (optional operands may be null) have the element type of the first one.
llvm::LogicalResult checkElementTypes(EmitError emitError, llvm::ArrayRef<mlir::Value> values);

/// Fails unless `value`, when there, is a tensor of rank 1 with `size` elements of `elementType`.
llvm::LogicalResult checkVector(EmitError emitError, llvm::StringRef name, mlir::Value value, int64_t size,
                                mlir::Type elementType);

/// Whether elements of this type can be indices, positions and lengths.
inline bool isIndexElement(mlir::Type type) { return type.isSignlessInteger(32) || type.isSignlessInteger(64); }

/// Fails unless 0 <= axis < rank.
llvm::LogicalResult checkAxis(EmitError emitError, int64_t axis, int64_t rank);

/// Fails unless the element type of `type` is floating-point.
llvm::LogicalResult checkFloat(EmitError emitError, mlir::RankedTensorType type);

/// Fails unless every size is positive or symbolic.
llvm::LogicalResult checkPositive(EmitError emitError, llvm::ArrayRef<int64_t> shape);

/// Runs the constraints of an op that is about to be inferred; errors are located at `location`.
template <typename ConcreteOp>
llvm::LogicalResult checkedInference(mlir::MLIRContext *context, std::optional<mlir::Location> location,
                                     typename ConcreteOp::Adaptor adaptor) {
  mlir::Location where = location.value_or(mlir::UnknownLoc::get(context));
  return ConcreteOp::checkConstraints(adaptor, [&] { return mlir::emitError(where); });
}

/// A sliding window along one dimension.
struct Window {
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t padLow = 0;
  int64_t padHigh = 0;
  bool ceil = false; // one more window when the last elements would be left over

  /// Number of positions along `size` elements; `?` when size or kernel is.
  int64_t count(int64_t size) const;
  /// The same as IR (`kernel` may be symbolic).
  mlir::OpFoldResult count(mlir::OpBuilder &builder, mlir::Location location, mlir::OpFoldResult size,
                           mlir::OpFoldResult kernelSize) const;
};

/// Window number `i` of attributes that list one entry a spatial dimension (pads: all begins, then all ends).
Window windowAt(int64_t i, int64_t kernel, llvm::ArrayRef<int64_t> strides, llvm::ArrayRef<int64_t> dilations,
                llvm::ArrayRef<int64_t> pads);

/// Sizes of a result of type `type`: attributes where static, `dynamicSize(dim)` where `?`.
llvm::SmallVector<mlir::OpFoldResult> reifySizes(mlir::OpBuilder &builder, mlir::Location location, mlir::Type type,
                                                 llvm::function_ref<mlir::OpFoldResult(int64_t)> dynamicSize);

/// Sizes of the broadcast of `inputs` to the shape of `type`.
llvm::SmallVector<mlir::OpFoldResult> reifyBroadcast(mlir::OpBuilder &builder, mlir::Location location, mlir::Type type,
                                                     mlir::ValueRange inputs);

/// Value of an affine expression of `sizes` (d0, d1, ..).
mlir::OpFoldResult applyExpr(mlir::OpBuilder &builder, mlir::Location location, mlir::AffineExpr expr,
                             llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// Gives tensor.concat and tensor.extract_slice a TilingInterface (MoveTiling.cpp).
void attachMoveTilings(mlir::MLIRContext *context);

} // namespace coat

#endif
