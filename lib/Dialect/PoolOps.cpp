// Pooling over windows, pooling over everything, and interpolation.
#include "Shapes.h"

using namespace mlir;
using namespace coat;

//===----------------------------------------------------------------------===//
// coat.pool
//===----------------------------------------------------------------------===//

static Window poolWindow(PoolOp::Adaptor op, int64_t i) {
  Window window = windowAt(i, op.getKernel()[i], op.getStrides(), op.getDilations(), op.getPads());
  window.ceil = op.getCeilMode();
  return window;
}

static SmallVector<int64_t> poolShape(PoolOp::Adaptor op) {
  SmallVector<int64_t> shape(tensorType(op.getInput()).getShape());
  for (int64_t i = 0, k = shape.size() - 2; i < k; ++i) {
    int64_t &size = shape[spatialDim(op.getDataLayout(), i)];
    size = poolWindow(op, i).count(size);
  }
  return shape;
}

LogicalResult PoolOp::checkConstraints(Adaptor op, EmitError emitError) {
  int64_t k = tensorType(op.getInput()).getRank() - 2;
  if (k < 1 || k > 3) // C1
    return emitError() << "expected an input of 1 to 3 spatial dimensions, got " << op.getInput().getType();
  if (failed(checkEntries(emitError, "kernel", op.getKernel(), k, 1)) || // C2
      failed(checkEntries(emitError, "strides", op.getStrides(), k, 1)) ||
      failed(checkEntries(emitError, "dilations", op.getDilations(), k, 1)) ||
      failed(checkEntries(emitError, "pads", op.getPads(), 2 * k, 0))) // C3
    return failure();
  for (int64_t i = 0; i < k; ++i) {
    Window window = poolWindow(op, i);
    int64_t extent = window.dilation * (window.kernel - 1) + 1;
    if (std::max(window.padLow, window.padHigh) >= extent) // C3
      return emitError() << "expected pads of less than the dilated kernel size " << extent << ", got " << window.padLow
                         << " and " << window.padHigh;
  }
  bool indexable = op.getKind() == PoolKind::max && op.getDataLayout() == DataLayout::channels_first;
  if (op.getWithIndices() && !indexable) // C5
    return emitError() << "expected kind max and channels_first with indices, got " << stringifyPoolKind(op.getKind())
                       << " and " << stringifyDataLayout(op.getDataLayout());
  if (op.getKind() == PoolKind::lp && int64_t(op.getP()) < 1) // C6
    return emitError() << "expected p of at least 1, got " << int64_t(op.getP());
  return checkPositive(emitError, poolShape(op)); // C4
}

LogicalResult PoolOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                       SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<PoolOp>(context, location, op)))
    return failure();
  SmallVector<int64_t> shape = poolShape(op);
  types.push_back(RankedTensorType::get(shape, tensorType(op.getInput()).getElementType()));
  if (op.getWithIndices())
    types.push_back(RankedTensorType::get(shape, IntegerType::get(context, 64)));
  return success();
}

LogicalResult PoolOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  int64_t firstSpatial = spatialDim(getDataLayout(), 0), k = getKernel().size();
  SmallVector<OpFoldResult> sizes = reifySizes(builder, getLoc(), getResult().getType(), [&](int64_t dim) {
    OpFoldResult size = tensor::getMixedSize(builder, getLoc(), getInput(), dim);
    int64_t i = dim - firstSpatial;
    if (i < 0 || i >= k)
      return size;
    return poolWindow(Adaptor(*this), i).count(builder, getLoc(), size, builder.getIndexAttr(getKernel()[i]));
  });
  shapes.assign(getNumResults(), sizes);
  return success();
}

int64_t PoolOp::getFlops() {
  int64_t window = 1;
  for (int64_t size : getKernel())
    window *= size;
  return elementCount(getResult().getType()) * window;
}

//===----------------------------------------------------------------------===//
// coat.global_pool
//===----------------------------------------------------------------------===//

LogicalResult GlobalPoolOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (tensorType(op.getInput()).getRank() < 3) // C1
    return emitError() << "expected an input of rank 3 or more, got " << op.getInput().getType();
  if (op.getKind() == PoolKind::lp && int64_t(op.getP()) < 1) // C2
    return emitError() << "expected p of at least 1, got " << int64_t(op.getP());
  return success();
}

LogicalResult GlobalPoolOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                             SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<GlobalPoolOp>(context, location, op)))
    return failure();
  RankedTensorType input = tensorType(op.getInput());
  SmallVector<int64_t> shape(input.getRank(), 1);
  int64_t channels = channelDim(op.getDataLayout(), input.getRank());
  shape[0] = input.getDimSize(0);
  shape[channels] = input.getDimSize(channels);
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

LogicalResult GlobalPoolOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifySizes(builder, getLoc(), getType(),
                              [&](int64_t dim) { return tensor::getMixedSize(builder, getLoc(), getInput(), dim); }));
  return success();
}

int64_t GlobalPoolOp::getFlops() { return elementCount(getInput().getType()); }

//===----------------------------------------------------------------------===//
// coat.resize
//===----------------------------------------------------------------------===//

/// In `sizes`: the size is that of the input times the scale, rounded down.
static constexpr int64_t fromScale = -1;

static SmallVector<int64_t> resizeShape(ResizeOp::Adaptor op) {
  SmallVector<int64_t> shape(tensorType(op.getInput()).getShape());
  for (auto [size, wanted, scale] : llvm::zip(shape, op.getSizes(), op.getScales())) {
    if (wanted != fromScale)
      size = wanted;
    else if (!ShapedType::isDynamic(size))
      size = int64_t(double(size) * scale);
  }
  return shape;
}

LogicalResult ResizeOp::checkConstraints(Adaptor op, EmitError emitError) {
  int64_t rank = tensorType(op.getInput()).getRank();
  bool positive = llvm::all_of(op.getScales(), [](double scale) { return scale > 0; });
  if (int64_t(op.getScales().size()) != rank || !positive) { // C1
    InFlightDiagnostic diagnostic = emitError() << "expected scales of " << rank << " entries, each positive, got [";
    llvm::interleaveComma(op.getScales(), diagnostic);
    return diagnostic << "]";
  }
  bool sized = llvm::all_of(op.getSizes(), [](int64_t size) { return size >= 1 || size == fromScale; });
  if (int64_t(op.getSizes().size()) != rank || !sized) // C1
    return emitError() << "expected sizes of " << rank << " entries, each at least 1 or " << fromScale << ", got ["
                       << op.getSizes() << "]";
  return checkPositive(emitError, resizeShape(op)); // C1
}

LogicalResult ResizeOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<ResizeOp>(context, location, op)))
    return failure();
  types.push_back(RankedTensorType::get(resizeShape(op), tensorType(op.getInput()).getElementType())); // C2
  return success();
}

// floor(size * scale) as IR.
static OpFoldResult scaledSize(OpBuilder &builder, Location loc, OpFoldResult size, double scale) {
  if (scale == std::floor(scale))
    return applyExpr(builder, loc, builder.getAffineDimExpr(0) * int64_t(scale), {size});
  Type wide = builder.getI64Type(), real = builder.getF64Type();
  Value number = arith::IndexCastOp::create(builder, loc, wide, cast<Value>(size));
  number = arith::SIToFPOp::create(builder, loc, real, number);
  Value factor = arith::ConstantOp::create(builder, loc, builder.getF64FloatAttr(scale));
  Value product = arith::MulFOp::create(builder, loc, number, factor);
  Value floored = arith::FPToSIOp::create(builder, loc, wide, product);
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), floored).getResult();
}

LogicalResult ResizeOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifySizes(builder, getLoc(), getType(), [&](int64_t dim) {
    OpFoldResult size = tensor::getMixedSize(builder, getLoc(), getInput(), dim);
    return scaledSize(builder, getLoc(), size, getScales()[dim]);
  }));
  return success();
}

int64_t ResizeOp::getFlops() {
  // Taps a dimension: 2 (linear) or 4 (cubic) multiply-adds in each dimension that changes size.
  int64_t taps = getMode() == ResizeMode::nearest ? 0 : getMode() == ResizeMode::linear ? 2 : 4, products = 0;
  for (double scale : getScales())
    if (scale != 1)
      products = products == 0 ? taps : products * taps;
  return elementCount(getType()) * 2 * products;
}
