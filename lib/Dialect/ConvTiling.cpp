// Tiles of convolutions and matrix products: which parts of the operands a box of the result needs.
//
// All loops are dimensions of the result; the reduction is never cut, it runs in registers. The ops have value
// semantics and need no destination: a tile of them is the same op on slices. Cut are channels-last convolutions
// without pads, along channels only where whole packed blocks result.
#include "ProductTiling.h"
#include "Shapes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace coat;

using Sizes = SmallVector<OpFoldResult>;

SmallVector<Range> coat::domainOf(OpBuilder &builder, Value result) {
  SmallVector<Range> domain;
  ReifiedRankedShapedTypeDims shapes;
  auto type = tensorType(result);
  if (!type.hasStaticShape() &&
      failed(cast<ReifyRankedShapedTypeOpInterface>(result.getDefiningOp()).reifyResultShapes(builder, shapes)))
    return domain;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    OpFoldResult size = shapes.empty() ? OpFoldResult(builder.getIndexAttr(type.getDimSize(dim))) : shapes[0][dim];
    domain.push_back({builder.getIndexAttr(0), size, builder.getIndexAttr(1)});
  }
  return domain;
}

static OpFoldResult apply(OpBuilder &builder, Location loc, AffineExpr expr, OpFoldResult value) {
  return affine::makeComposedFoldedAffineApply(builder, loc, expr, {value});
}

Value coat::sliceOf(OpBuilder &builder, Location loc, Value source, ArrayRef<OpFoldResult> offsets,
                    ArrayRef<OpFoldResult> sizes, TilingResult &result) {
  SmallVector<OpFoldResult> ones(offsets.size(), builder.getIndexAttr(1));
  auto slice = tensor::ExtractSliceOp::create(builder, loc, source, offsets, sizes, ones);
  result.generatedSlices.push_back(slice);
  return slice;
}

/// All of dimension `dim` of `source`.
static void addWhole(OpBuilder &builder, Location loc, Value source, int64_t dim, Sizes &offsets, Sizes &sizes) {
  offsets.push_back(builder.getIndexAttr(0));
  sizes.push_back(tensor::getMixedSize(builder, loc, source, dim));
}

TilingResult coat::resultOf(TilingResult result, Operation *op) {
  result.tiledOps = {op};
  result.tiledValues = {op->getResult(0)};
  return result;
}

/// Whether ranges of this size start at multiples of `block` when they follow each other: it is one, or the least of
/// one and what remains of the dimension.
static bool cutsAtBlocks(OpFoldResult size, int64_t block) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return *constant % block == 0;
  auto least = cast<Value>(size).getDefiningOp<affine::AffineMinOp>();
  return !least || llvm::any_of(least.getMap().getResults(), [&](AffineExpr expr) {
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    return constant && constant.getValue() % block == 0;
  });
}

LogicalResult coat::packedRange(OpBuilder &builder, Location loc, OpFoldResult offset, OpFoldResult size, int64_t block,
                                OpFoldResult &blockOffset, OpFoldResult &blockCount) {
  std::optional<int64_t> start = getConstantIntValue(offset);
  if (start ? *start % block != 0 : !cutsAtBlocks(size, block))
    return failure();
  AffineExpr d0 = builder.getAffineDimExpr(0);
  blockOffset = apply(builder, loc, d0.floorDiv(block), offset);
  blockCount = apply(builder, loc, d0.ceilDiv(block), size);
  return success();
}

Value coat::biasSlice(OpBuilder &builder, Location loc, Value bias, OpFoldResult offset, OpFoldResult size,
                      TilingResult &result) {
  return bias ? sliceOf(builder, loc, bias, {offset}, {size}, result) : Value();
}

static int64_t sizeOrDynamic(OpFoldResult size) { return getConstantIntValue(size).value_or(ShapedType::kDynamic); }

//===----------------------------------------------------------------------===//
// coat.conv
//===----------------------------------------------------------------------===//

SmallVector<utils::IteratorType> ConvOp::getLoopIteratorTypes() {
  return SmallVector<utils::IteratorType>(tensorType(getResult()).getRank(), utils::IteratorType::parallel);
}

SmallVector<Range> ConvOp::getIterationDomain(OpBuilder &builder) { return domainOf(builder, getResult()); }

/// The part of the input below result box `offsets`, `sizes`: windows overlap by their halo. Where all of a dimension is
/// asked for, so is what no window reaches: a view of the whole is simpler.
static Value convInputSlice(OpBuilder &builder, ConvOp op, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
                            bool cutChannels, TilingResult &result) {
  Location loc = op.getLoc();
  AffineExpr d0 = builder.getAffineDimExpr(0);
  ArrayRef<int64_t> filter = tensorType(op.getFilter()).getShape();
  int64_t rank = tensorType(op.getInput()).getRank();
  Sizes inputOffsets = {offsets[0]}, inputSizes = {sizes[0]};
  for (int64_t i = 0; i < rank - 2; ++i) {
    int64_t stride = op.getStrides()[i], window = (filter[2 + i] - 1) * op.getDilations()[i] + 1;
    if (isConstantIntValue(sizes[1 + i], tensorType(op.getResult()).getDimSize(1 + i))) {
      addWhole(builder, loc, op.getInput(), 1 + i, inputOffsets, inputSizes);
      continue;
    }
    inputOffsets.push_back(apply(builder, loc, d0 * stride, offsets[1 + i]));
    inputSizes.push_back(apply(builder, loc, (d0 - 1) * stride + window, sizes[1 + i]));
  }
  if (cutChannels) {
    inputOffsets.push_back(offsets.back());
    inputSizes.push_back(sizes.back());
  } else {
    addWhole(builder, loc, op.getInput(), rank - 1, inputOffsets, inputSizes);
  }
  return sliceOf(builder, loc, op.getInput(), inputOffsets, inputSizes, result);
}

/// The part of the filter that makes channels `offset` .. `offset + size`; null where blocks or groups would be cut.
static Value convFilterSlice(OpBuilder &builder, ConvOp op, OpFoldResult offset, OpFoldResult size,
                             TilingResult &result) {
  Location loc = op.getLoc();
  Value filter = op.getFilter();
  RankedTensorType type = tensorType(filter);
  Sizes offsets, sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    addWhole(builder, loc, filter, dim, offsets, sizes);
  if (op.getFilterLayout() == FilterLayout::plain) {
    if (op.getGroup() != 1)
      return {};
    offsets[0] = offset;
    sizes[0] = size;
  } else if (type.getDimSize(0) != 1 ||
             failed(packedRange(builder, loc, offset, size, type.getShape().back(), offsets[1], sizes[1]))) {
    return {};
  }
  return sliceOf(builder, loc, filter, offsets, sizes, result);
}

FailureOr<TilingResult> ConvOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                       ArrayRef<OpFoldResult> sizes) {
  if (getDataLayout() != DataLayout::channels_last || llvm::any_of(getPads(), [](int64_t pad) { return pad != 0; }))
    return failure();
  Location loc = getLoc();
  TilingResult result;
  int64_t channels = tensorType(getResult()).getShape().back(), part = sizeOrDynamic(sizes.back());
  bool whole = !ShapedType::isDynamic(channels) && part == channels;
  bool depthwise = getGroup() > 1;
  if (!whole && depthwise && ShapedType::isDynamic(part))
    return failure();
  Value filter = whole ? getFilter() : convFilterSlice(builder, *this, offsets.back(), sizes.back(), result);
  if (!filter)
    return failure();
  Value input = convInputSlice(builder, *this, offsets, sizes, !whole && depthwise, result);
  Value bias = whole ? getBias() : biasSlice(builder, loc, getBias(), offsets.back(), sizes.back(), result);
  IntegerAttr outChannels;
  if (getFilterLayout() == FilterLayout::packed)
    outChannels = builder.getI64IntegerAttr(part);
  auto tile = ConvOp::create(builder, loc, input, filter, bias, getStridesAttr(), getDilationsAttr(), getPadsAttr(),
                             builder.getI64IntegerAttr(!whole && depthwise ? part : getGroup()), getDataLayoutAttr(),
                             getFilterLayoutAttr(), outChannels);
  if (Attribute zeros = (*this)->getAttr("coat.zeros")) // of what the input is a slice of
    tile->setAttr("coat.zeros", zeros);
  return resultOf(std::move(result), tile);
}

LogicalResult ConvOp::getResultTilePosition(OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
                                            ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
                                            SmallVector<OpFoldResult> &resultSizes) {
  resultOffsets.assign(offsets.begin(), offsets.end());
  resultSizes.assign(sizes.begin(), sizes.end());
  return success();
}

LogicalResult ConvOp::getIterationDomainTileFromResultTile(OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
                                                           ArrayRef<OpFoldResult> sizes,
                                                           SmallVectorImpl<OpFoldResult> &loopOffsets,
                                                           SmallVectorImpl<OpFoldResult> &loopSizes) {
  loopOffsets.assign(offsets.begin(), offsets.end());
  loopSizes.assign(sizes.begin(), sizes.end());
  return success();
}

FailureOr<TilingResult> ConvOp::generateResultTileValue(OpBuilder &builder, unsigned, ArrayRef<OpFoldResult> offsets,
                                                        ArrayRef<OpFoldResult> sizes) {
  return getTiledImplementation(builder, offsets, sizes);
}

//===----------------------------------------------------------------------===//
// coat.matmul
//===----------------------------------------------------------------------===//

SmallVector<utils::IteratorType> MatmulOp::getLoopIteratorTypes() {
  return SmallVector<utils::IteratorType>(tensorType(getResult()).getRank(), utils::IteratorType::parallel);
}

SmallVector<Range> MatmulOp::getIterationDomain(OpBuilder &builder) { return domainOf(builder, getResult()); }

/// Adds the leading dimensions of `operand` that result box `offsets`, `sizes` needs; size 1 broadcasts.
static void addBatch(OpBuilder &builder, Value operand, ArrayRef<int64_t> result, ArrayRef<OpFoldResult> offsets,
                     ArrayRef<OpFoldResult> sizes, Sizes &operandOffsets, Sizes &operandSizes) {
  ArrayRef<int64_t> batch = tensorType(operand).getShape().drop_back(2);
  size_t shift = result.size() - 2 - batch.size();
  for (auto [dim, size] : llvm::enumerate(batch)) {
    bool broadcasts = size == 1 && result[dim + shift] != 1;
    operandOffsets.push_back(broadcasts ? OpFoldResult(builder.getIndexAttr(0)) : offsets[dim + shift]);
    operandSizes.push_back(broadcasts ? OpFoldResult(builder.getIndexAttr(1)) : sizes[dim + shift]);
  }
}

/// The slice of a plain operand: batch as in the result, its free dimension `offset`, `size`, all of the reduction.
static Value matmulOperandSlice(OpBuilder &builder, MatmulOp op, Value operand, bool freeIsLast,
                                ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes, OpFoldResult offset,
                                OpFoldResult size, TilingResult &result) {
  Sizes operandOffsets, operandSizes;
  addBatch(builder, operand, tensorType(op.getResult()).getShape(), offsets, sizes, operandOffsets, operandSizes);
  int64_t rank = tensorType(operand).getRank();
  if (freeIsLast)
    addWhole(builder, op.getLoc(), operand, rank - 2, operandOffsets, operandSizes);
  operandOffsets.push_back(offset);
  operandSizes.push_back(size);
  if (!freeIsLast)
    addWhole(builder, op.getLoc(), operand, rank - 1, operandOffsets, operandSizes);
  return sliceOf(builder, op.getLoc(), operand, operandOffsets, operandSizes, result);
}

FailureOr<TilingResult> MatmulOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                         ArrayRef<OpFoldResult> sizes) {
  Location loc = getLoc();
  TilingResult result;
  size_t rank = offsets.size();
  OpFoldResult column = offsets[rank - 1], columns = sizes[rank - 1];
  Value lhs = matmulOperandSlice(builder, *this, getLhs(), getTransposeLhs(), offsets, sizes, offsets[rank - 2],
                                 sizes[rank - 2], result);
  Value rhs;
  IntegerAttr outChannels;
  if (getFilterLayout() == FilterLayout::packed) {
    Sizes rhsOffsets(1), rhsSizes(1);
    if (failed(
            packedRange(builder, loc, column, columns, tensorType(getRhs()).getDimSize(2), rhsOffsets[0], rhsSizes[0])))
      return failure();
    addWhole(builder, loc, getRhs(), 1, rhsOffsets, rhsSizes);
    addWhole(builder, loc, getRhs(), 2, rhsOffsets, rhsSizes);
    rhs = sliceOf(builder, loc, getRhs(), rhsOffsets, rhsSizes, result);
    outChannels = builder.getI64IntegerAttr(sizeOrDynamic(columns));
  } else {
    rhs = matmulOperandSlice(builder, *this, getRhs(), !getTransposeRhs(), offsets, sizes, column, columns, result);
  }
  Value bias = biasSlice(builder, loc, getBias(), column, columns, result);
  auto tile = MatmulOp::create(builder, loc, lhs, rhs, bias, getTransposeLhsAttr(), getTransposeRhsAttr(),
                               getFilterLayoutAttr(), outChannels);
  return resultOf(std::move(result), tile);
}

LogicalResult MatmulOp::getResultTilePosition(OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
                                              ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
                                              SmallVector<OpFoldResult> &resultSizes) {
  resultOffsets.assign(offsets.begin(), offsets.end());
  resultSizes.assign(sizes.begin(), sizes.end());
  return success();
}

LogicalResult MatmulOp::getIterationDomainTileFromResultTile(OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
                                                             ArrayRef<OpFoldResult> sizes,
                                                             SmallVectorImpl<OpFoldResult> &loopOffsets,
                                                             SmallVectorImpl<OpFoldResult> &loopSizes) {
  loopOffsets.assign(offsets.begin(), offsets.end());
  loopSizes.assign(sizes.begin(), sizes.end());
  return success();
}

FailureOr<TilingResult> MatmulOp::generateResultTileValue(OpBuilder &builder, unsigned, ArrayRef<OpFoldResult> offsets,
                                                          ArrayRef<OpFoldResult> sizes) {
  return getTiledImplementation(builder, offsets, sizes);
}
