// Checks of shapes, and sizes as numbers and as IR; see Shapes.h.
#include "Shapes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"

using namespace mlir;
using namespace coat;

int64_t coat::elementCount(Type type) {
  int64_t count = 1;
  for (int64_t size : cast<RankedTensorType>(type).getShape())
    count *= ShapedType::isDynamic(size) ? 1 : size;
  return count;
}

bool coat::sizesAgree(int64_t a, int64_t b) { return a == b || ShapedType::isDynamic(a) || ShapedType::isDynamic(b); }

bool coat::broadcastsTo(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  if (from.size() > to.size())
    return false;
  return llvm::all_of(llvm::zip(from, to.take_back(from.size())), [](auto pair) {
    return std::get<0>(pair) == 1 || sizesAgree(std::get<0>(pair), std::get<1>(pair));
  });
}

std::string coat::formatShape(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleave(shape, os, [&](int64_t size) { ShapedType::isDynamic(size) ? os << '?' : os << size; }, "x");
  return text;
}

LogicalResult coat::checkEntries(EmitError emitError, StringRef name, ArrayRef<int64_t> values, int64_t count,
                                 int64_t least) {
  if (int64_t(values.size()) == count && llvm::all_of(values, [&](int64_t value) { return value >= least; }))
    return success();
  return emitError() << "expected " << name << " of " << count << " entries, each at least " << least << ", got ["
                     << values << "]";
}

LogicalResult coat::checkElementTypes(EmitError emitError, ArrayRef<Value> values) {
  Type expected = tensorType(values.front()).getElementType();
  for (Value value : values.drop_front())
    if (value && tensorType(value).getElementType() != expected)
      return emitError() << "expected operands of element type " << expected << ", got "
                         << tensorType(value).getElementType();
  return success();
}

LogicalResult coat::checkVector(EmitError emitError, StringRef name, Value value, int64_t size, Type elementType) {
  if (!value)
    return success();
  RankedTensorType type = tensorType(value);
  if (type.getRank() == 1 && sizesAgree(type.getDimSize(0), size) && type.getElementType() == elementType)
    return success();
  return emitError() << "expected " << name << " of type " << RankedTensorType::get({size}, elementType) << ", got "
                     << type;
}

LogicalResult coat::checkAxis(EmitError emitError, int64_t axis, int64_t rank) {
  if (0 <= axis && axis < rank)
    return success();
  return emitError() << "expected axis of at least 0 and less than rank " << rank << ", got " << axis;
}

LogicalResult coat::checkFloat(EmitError emitError, RankedTensorType type) {
  if (isa<FloatType>(type.getElementType()))
    return success();
  return emitError() << "expected a floating-point element type, got " << type.getElementType();
}

LogicalResult coat::checkPositive(EmitError emitError, ArrayRef<int64_t> shape) {
  if (llvm::all_of(shape, [](int64_t size) { return size > 0 || ShapedType::isDynamic(size); }))
    return success();
  std::string sizes;
  llvm::raw_string_ostream os(sizes);
  llvm::interleave(shape, os, ", ");
  return emitError() << "expected output sizes of at least 1, got [" << sizes << "]";
}

int64_t Window::count(int64_t size) const {
  if (ShapedType::isDynamic(size) || ShapedType::isDynamic(kernel))
    return ShapedType::kDynamic;
  // None where the numbers of the model are beyond all sizes.
  int64_t started, padded, last, free;
  if (llvm::AddOverflow(size - 1, padLow, started) || llvm::AddOverflow(started, padHigh, padded) ||
      llvm::MulOverflow(dilation, kernel - 1, last) || llvm::SubOverflow(padded, last, free))
    return 0;
  if (!ceil)
    return llvm::divideFloorSigned(free, stride) + 1; // not positive where the window does not fit once
  // A window that starts past the input's end is dropped.
  return std::min(llvm::divideCeilSigned(free, stride), llvm::divideFloorSigned(started, stride)) + 1;
}

OpFoldResult Window::count(OpBuilder &builder, Location location, OpFoldResult size, OpFoldResult kernelSize) const {
  AffineExpr in = builder.getAffineDimExpr(0), window = builder.getAffineDimExpr(1);
  AffineExpr free = in + (padLow + padHigh - 1) - (window - 1) * dilation;
  if (!ceil)
    return applyExpr(builder, location, free.floorDiv(stride) + 1, {size, kernelSize});
  AffineExpr started = (in + (padLow - 1)).floorDiv(stride) + 1;
  auto map = AffineMap::get(2, 0, {free.ceilDiv(stride) + 1, started}, builder.getContext());
  return affine::makeComposedFoldedAffineMin(builder, location, map, {size, kernelSize});
}

Window coat::windowAt(int64_t i, int64_t kernel, ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations,
                      ArrayRef<int64_t> pads) {
  Window window;
  window.kernel = kernel;
  window.stride = strides[i];
  window.dilation = dilations[i];
  window.padLow = pads[i];
  window.padHigh = pads[i + pads.size() / 2];
  return window;
}

SmallVector<OpFoldResult> coat::reifySizes(OpBuilder &builder, Location location, Type type,
                                           function_ref<OpFoldResult(int64_t)> dynamicSize) {
  SmallVector<OpFoldResult> sizes;
  for (auto [dim, size] : llvm::enumerate(cast<RankedTensorType>(type).getShape())) {
    if (!ShapedType::isDynamic(size)) {
      sizes.push_back(builder.getIndexAttr(size));
      continue;
    }
    // Callers expect a value wherever the type says `?`, even when the expression folds to a number.
    sizes.push_back(getValueOrCreateConstantIndexOp(builder, location, dynamicSize(dim)));
  }
  return sizes;
}

SmallVector<OpFoldResult> coat::reifyBroadcast(OpBuilder &builder, Location location, Type type, ValueRange inputs) {
  int64_t rank = cast<RankedTensorType>(type).getRank();
  return reifySizes(builder, location, type, [&](int64_t dim) -> OpFoldResult {
    // All symbolic sizes that meet here are equal, so that any of them will do; sizes of 1 stretch.
    for (Value input : inputs) {
      int64_t inputDim = dim - (rank - tensorType(input).getRank());
      if (inputDim >= 0 && tensorType(input).isDynamicDim(inputDim))
        return tensor::getMixedSize(builder, location, input, inputDim);
    }
    llvm_unreachable("a symbolic size of a broadcast comes from an operand");
  });
}

OpFoldResult coat::applyExpr(OpBuilder &builder, Location location, AffineExpr expr, ArrayRef<OpFoldResult> sizes) {
  return affine::makeComposedFoldedAffineApply(builder, location, AffineMap::get(sizes.size(), 0, expr), sizes);
}
