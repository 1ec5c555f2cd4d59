// Tiles of the ops that are neither convolution nor matrix product: which part of the operands a box of the result
// needs.
//
// All loops are dimensions of the result. Dimensions along which an op looks at other elements (the axis of a softmax,
// the normalized dimensions, the channels of lrn, interpolated dimensions) are never cut. A tile is the same op on
// slices.
#include "Shapes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace coat;

namespace {
using Sizes = SmallVector<OpFoldResult>;

/// The part of a result that a tile computes, and what is needed to make the op that computes it.
struct Tile {
  OpBuilder &builder;
  Operation *op;
  ArrayRef<OpFoldResult> offsets, sizes;
  TilingResult result = {};

  Location loc() const { return op->getLoc(); }
  OpFoldResult number(int64_t value) const { return builder.getIndexAttr(value); }
  OpFoldResult apply(AffineExpr expr, OpFoldResult value) const { return applyExpr(builder, loc(), expr, {value}); }
  AffineExpr d0() const { return builder.getAffineDimExpr(0); }

  /// Whether the tile has all of result dimension `dim`.
  bool isWhole(int64_t dim) const {
    int64_t extent = tensorType(op->getResult(0)).getDimSize(dim);
    std::optional<int64_t> size = getConstantIntValue(sizes[dim]);
    return isConstantIntValue(offsets[dim], 0) && (ShapedType::isDynamic(extent) ? !size : size == extent);
  }
  bool areWhole(int64_t from, int64_t to) const {
    return llvm::all_of(llvm::seq(from, to), [&](int64_t dim) { return isWhole(dim); });
  }

  /// A slice of `source`, remembered so that fusion can follow it.
  Value slice(Value source, ArrayRef<OpFoldResult> from, ArrayRef<OpFoldResult> extent) {
    Sizes ones(from.size(), number(1));
    auto op = tensor::ExtractSliceOp::create(builder, loc(), source, from, extent, ones);
    result.generatedSlices.push_back(op);
    return op;
  }
  /// The box of the tile in an operand that broadcasts to the result's shape; null stays null.
  Value broadcastSlice(Value source) {
    if (!source)
      return source;
    ArrayRef<int64_t> shape = tensorType(source).getShape();
    size_t shift = offsets.size() - shape.size();
    Sizes from, extent;
    for (auto [dim, size] : llvm::enumerate(shape)) {
      from.push_back(size == 1 ? number(0) : offsets[dim + shift]);
      extent.push_back(size == 1 ? number(1) : sizes[dim + shift]);
    }
    return slice(source, from, extent);
  }
  /// All of `source` but result dimension `dim`, which is dimension `own` of it.
  Value sliceAlong(Value source, int64_t own, int64_t dim) {
    Sizes extent = tensor::getMixedSizes(builder, loc(), source), from(extent.size(), number(0));
    from[own] = offsets[dim];
    extent[own] = sizes[dim];
    return slice(source, from, extent);
  }

  /// The op on the slices `operands` (null ones are absent), its attributes changed by `adapt`, its result types
  /// inferred.
  FailureOr<TilingResult> finish(ArrayRef<Value> slices, llvm::function_ref<void(Operation *)> adapt = nullptr) {
    SmallVector<Value> operands;
    llvm::copy_if(slices, std::back_inserter(operands), [](Value value) { return static_cast<bool>(value); });
    Operation *tile = mlir::clone(builder, op, op->getResultTypes(), operands);
    tile->removeAttr("coat.schedule");
    if (adapt)
      adapt(tile);
    SmallVector<Type> types;
    if (failed(cast<InferTypeOpInterface>(tile).inferReturnTypes(op->getContext(), loc(), operands,
                                                                 tile->getDiscardableAttrDictionary(),
                                                                 tile->getPropertiesStorage(), {}, types)))
      return failure();
    for (auto [value, type] : llvm::zip(tile->getResults(), types))
      value.setType(type);
    result.tiledOps = {tile};
    result.tiledValues = {tile->getResult(0)};
    return std::move(result);
  }
};

SmallVector<Range> resultDomain(OpBuilder &builder, Operation *op) {
  ReifiedRankedShapedTypeDims shapes;
  auto type = tensorType(op->getResult(0));
  SmallVector<Range> domain;
  if (!type.hasStaticShape() && failed(cast<ReifyRankedShapedTypeOpInterface>(op).reifyResultShapes(builder, shapes)))
    return domain;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    OpFoldResult size = shapes.empty() ? OpFoldResult(builder.getIndexAttr(type.getDimSize(dim))) : shapes[0][dim];
    domain.push_back({builder.getIndexAttr(0), size, builder.getIndexAttr(1)});
  }
  return domain;
}

//===----------------------------------------------------------------------===//
// One function an op
//===----------------------------------------------------------------------===//

FailureOr<TilingResult> cut(SoftmaxOp op, Tile tile) {
  if (!tile.isWhole(op.getAxis()))
    return failure();
  return tile.finish({tile.broadcastSlice(op.getInput())});
}

FailureOr<TilingResult> cut(LayerNormOp op, Tile tile) {
  if (!tile.areWhole(op.getAxis(), tile.sizes.size()))
    return failure();
  return tile.finish(
      {tile.broadcastSlice(op.getInput()), tile.broadcastSlice(op.getScale()), tile.broadcastSlice(op.getBias())});
}

FailureOr<TilingResult> cut(BatchNormOp op, Tile tile) {
  int64_t channel = channelDim(op.getDataLayout(), tile.sizes.size());
  SmallVector<Value> operands{tile.broadcastSlice(op.getInput())};
  for (Value vector : {op.getScale(), op.getBias(), op.getMean(), op.getVariance()})
    operands.push_back(tile.sliceAlong(vector, 0, channel));
  return tile.finish(operands);
}

/// Channels are cut between groups only; spatial dimensions never.
FailureOr<TilingResult> cut(GroupNormOp op, Tile tile) {
  int64_t rank = tile.sizes.size(), channel = channelDim(op.getDataLayout(), rank);
  int64_t channels = tensorType(op.getResult()).getDimSize(channel), groups = op.getGroups();
  for (int64_t i = 0; i < rank - 2; ++i)
    if (!tile.isWhole(spatialDim(op.getDataLayout(), i)))
      return failure();
  if (!tile.isWhole(channel)) {
    std::optional<int64_t> part = getConstantIntValue(tile.sizes[channel]);
    // Tiles are equal, so that every offset is a multiple of the size.
    if (!part || ShapedType::isDynamic(channels) || channels % *part || *part % (channels / groups))
      return failure();
    groups = *part / (channels / groups);
  }
  return tile.finish({tile.broadcastSlice(op.getInput()), tile.sliceAlong(op.getScale(), 0, channel),
                      tile.sliceAlong(op.getBias(), 0, channel)},
                     [&](Operation *part) { cast<GroupNormOp>(part).setGroups(groups); });
}

FailureOr<TilingResult> cut(LRNOp op, Tile tile) {
  if (!tile.isWhole(channelDim(op.getDataLayout(), tile.sizes.size())))
    return failure();
  return tile.finish({tile.broadcastSlice(op.getInput())});
}

/// The box of the tile in an operand whose dimensions `axes` are reduced.
Value unreducedSlice(Tile &tile, Value source, ArrayRef<int64_t> axes, bool keepDims) {
  Sizes extent = tensor::getMixedSizes(tile.builder, tile.loc(), source), from(extent.size(), tile.number(0));
  int64_t own = 0;
  for (size_t dim = 0; dim < extent.size(); ++dim) {
    bool reduced = llvm::is_contained(axes, static_cast<int64_t>(dim));
    if (!reduced) {
      from[dim] = tile.offsets[own];
      extent[dim] = tile.sizes[own];
    }
    own += !reduced || keepDims;
  }
  return tile.slice(source, from, extent);
}

FailureOr<TilingResult> cut(ReduceOp op, Tile tile) {
  return tile.finish({unreducedSlice(tile, op.getInput(), op.getAxes(), op.getKeepDims())});
}

FailureOr<TilingResult> cut(ArgReduceOp op, Tile tile) {
  int64_t axis = op.getAxis();
  return tile.finish({unreducedSlice(tile, op.getInput(), axis, op.getKeepDims())});
}

FailureOr<TilingResult> cut(GlobalPoolOp op, Tile tile) {
  SmallVector<int64_t> axes;
  for (size_t i = 0; i + 2 < tile.sizes.size(); ++i)
    axes.push_back(spatialDim(op.getDataLayout(), i));
  return tile.finish({unreducedSlice(tile, op.getInput(), axes, /*keepDims=*/true)});
}

/// Whether every window of `op` lies inside its input.
bool windowsAreInside(PoolOp op) {
  if (llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; }))
    return false;
  if (!op.getCeilMode())
    return true;
  for (auto [i, kernel] : llvm::enumerate(op.getKernel())) {
    int64_t dim = spatialDim(op.getDataLayout(), i), size = tensorType(op.getInput()).getDimSize(dim);
    int64_t last = (tensorType(op.getResult()).getDimSize(dim) - 1) * op.getStrides()[i];
    if (ShapedType::isDynamic(size) || last + (kernel - 1) * op.getDilations()[i] + 1 > size)
      return false;
  }
  return true;
}

FailureOr<TilingResult> cut(PoolOp op, Tile tile) {
  if (op.getWithIndices() || !windowsAreInside(op))
    return failure();
  Sizes from(tile.offsets), extent(tile.sizes);
  for (auto [i, kernel] : llvm::enumerate(op.getKernel())) {
    int64_t dim = spatialDim(op.getDataLayout(), i), stride = op.getStrides()[i];
    if (tile.isWhole(dim)) { // what no window reaches as well: a view of the whole is simpler
      extent[dim] = tensor::getMixedSize(tile.builder, tile.loc(), op.getInput(), dim);
      continue;
    }
    from[dim] = tile.apply(tile.d0() * stride, tile.offsets[dim]);
    extent[dim] = tile.apply((tile.d0() - 1) * stride + (kernel - 1) * op.getDilations()[i] + 1, tile.sizes[dim]);
  }
  return tile.finish({tile.slice(op.getInput(), from, extent)},
                     [](Operation *part) { cast<PoolOp>(part).setCeilMode(false); });
}

FailureOr<TilingResult> cut(ResizeOp op, Tile tile) {
  SmallVector<int64_t> sizes(op.getSizes());
  Sizes from(tile.offsets), extent(tile.sizes);
  for (auto [dim, size] : llvm::enumerate(tensor::getMixedSizes(tile.builder, tile.loc(), op.getInput()))) {
    std::optional<int64_t> part = getConstantIntValue(tile.sizes[dim]);
    if (tile.isWhole(dim)) {
      from[dim] = tile.number(0);
      extent[dim] = size;
    } else if (op.getScales()[dim] != 1 || !isConstantIntValue(size, sizes[dim]) || !part) {
      return failure();
    } else {
      sizes[dim] = *part;
    }
  }
  return tile.finish({tile.slice(op.getInput(), from, extent)},
                     [&](Operation *part) { cast<ResizeOp>(part).setSizes(sizes); });
}

/// Images and output channels are cut, positions are not: their tiles would need offsets inside a stride.
FailureOr<TilingResult> cut(ConvTransposeOp op, Tile tile) {
  if (!tile.areWhole(2, tile.sizes.size()) || (op.getGroup() > 1 && !tile.isWhole(1)))
    return failure();
  Value input = tile.sliceAlong(op.getInput(), 0, 0), filter = op.getFilter(), bias = op.getBias();
  if (!tile.isWhole(1)) {
    filter = tile.sliceAlong(filter, 1, 1);
    bias = bias ? tile.sliceAlong(bias, 0, 1) : bias;
  }
  return tile.finish({input, filter, bias});
}

/// The heads of key and value that a range of query heads reads; null where the range cuts through a group of heads.
FailureOr<std::pair<OpFoldResult, OpFoldResult>> keyHeads(AttentionOp op, const Tile &tile) {
  int64_t heads = tensorType(op.getQuery()).getDimSize(1), shared = tensorType(op.getKey()).getDimSize(1);
  if (heads == shared)
    return std::pair(tile.offsets[1], tile.sizes[1]);
  if (ShapedType::isDynamic(heads) || ShapedType::isDynamic(shared))
    return failure();
  std::optional<int64_t> part = getConstantIntValue(tile.sizes[1]);
  int64_t perKey = heads / shared;
  // Tiles are equal, so that every offset is a multiple of the size.
  if (!part || heads % *part || (*part % perKey && perKey % *part))
    return failure();
  return std::pair(tile.apply(tile.d0().floorDiv(perKey), tile.offsets[1]),
                   tile.number(std::max<int64_t>(*part / perKey, 1)));
}

FailureOr<TilingResult> cut(AttentionOp op, Tile tile) {
  auto heads = keyHeads(op, tile);
  if (failed(heads) || !tile.isWhole(3) || !op.isPlain())
    return failure();
  auto keySlice = [&](Value source) {
    Sizes extent = tensor::getMixedSizes(tile.builder, tile.loc(), source);
    return tile.slice(source, {tile.offsets[0], heads->first, tile.number(0), tile.number(0)},
                      {tile.sizes[0], heads->second, extent[2], extent[3]});
  };
  OpFoldResult depth = tensor::getMixedSize(tile.builder, tile.loc(), op.getQuery(), 3);
  Value query = tile.slice(op.getQuery(), {tile.offsets[0], tile.offsets[1], tile.offsets[2], tile.number(0)},
                           {tile.sizes[0], tile.sizes[1], tile.sizes[2], depth});
  Value mask = op.getMask();
  if (mask) {
    // Rows as in the result, but the last dimension is that of the keys.
    Sizes from, extent = tensor::getMixedSizes(tile.builder, tile.loc(), mask);
    int64_t shift = 4 - static_cast<int64_t>(extent.size());
    for (int64_t dim = shift; dim < 4; ++dim) {
      bool cuts = dim < 3 && tensorType(mask).getDimSize(dim - shift) != 1;
      from.push_back(cuts ? tile.offsets[dim] : tile.number(0));
      if (cuts)
        extent[dim - shift] = tile.sizes[dim];
    }
    mask = tile.slice(mask, from, extent);
  }
  Value offset = op.getQueryOffset();
  if (op.getCausal() && !isConstantIntValue(tile.offsets[2], 0)) {
    OpFoldResult before = offset ? OpFoldResult(offset) : tile.number(0);
    AffineExpr sum = tile.builder.getAffineDimExpr(0) + tile.builder.getAffineDimExpr(1);
    offset = getValueOrCreateConstantIndexOp(tile.builder, tile.loc(),
                                             applyExpr(tile.builder, tile.loc(), sum, {before, tile.offsets[2]}));
  }
  Value key = keySlice(op.getKey()), value = keySlice(op.getValue());
  Type type = tensorType(query).clone({tensorType(query).getDimSize(0), tensorType(query).getDimSize(1),
                                       tensorType(query).getDimSize(2), tensorType(value).getDimSize(3)});
  auto part = AttentionOp::create(tile.builder, tile.loc(), type, query, key, value, mask, offset, op.getScaleAttr(),
                                  op.getCausalAttr(), op.getSoftcapAttr());
  tile.result.tiledOps = {part};
  tile.result.tiledValues = {part.getResult()};
  return std::move(tile.result);
}
} // namespace

//===----------------------------------------------------------------------===//
// The interface, the same for all of them
//===----------------------------------------------------------------------===//

#define COAT_TILED_BY_RESULT(OP)                                                                                       \
  SmallVector<utils::IteratorType> OP::getLoopIteratorTypes() {                                                        \
    return SmallVector<utils::IteratorType>(tensorType(getOperation()->getResult(0)).getRank(),                        \
                                            utils::IteratorType::parallel);                                            \
  }                                                                                                                    \
  SmallVector<Range> OP::getIterationDomain(OpBuilder &builder) { return resultDomain(builder, getOperation()); }      \
  FailureOr<TilingResult> OP::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,               \
                                                     ArrayRef<OpFoldResult> sizes) {                                   \
    return cut(*this, {builder, getOperation(), offsets, sizes});                                                      \
  }                                                                                                                    \
  LogicalResult OP::getResultTilePosition(OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,                       \
                                          ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,      \
                                          SmallVector<OpFoldResult> &resultSizes) {                                    \
    resultOffsets.assign(offsets.begin(), offsets.end());                                                              \
    resultSizes.assign(sizes.begin(), sizes.end());                                                                    \
    return success();                                                                                                  \
  }                                                                                                                    \
  LogicalResult OP::getIterationDomainTileFromResultTile(                                                              \
      OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,                             \
      SmallVectorImpl<OpFoldResult> &loopOffsets, SmallVectorImpl<OpFoldResult> &loopSizes) {                          \
    loopOffsets.assign(offsets.begin(), offsets.end());                                                                \
    loopSizes.assign(sizes.begin(), sizes.end());                                                                      \
    return success();                                                                                                  \
  }                                                                                                                    \
  FailureOr<TilingResult> OP::generateResultTileValue(OpBuilder &builder, unsigned, ArrayRef<OpFoldResult> offsets,    \
                                                      ArrayRef<OpFoldResult> sizes) {                                  \
    return getTiledImplementation(builder, offsets, sizes);                                                            \
  }

COAT_TILED_BY_RESULT(SoftmaxOp)
COAT_TILED_BY_RESULT(LayerNormOp)
COAT_TILED_BY_RESULT(BatchNormOp)
COAT_TILED_BY_RESULT(GroupNormOp)
COAT_TILED_BY_RESULT(LRNOp)
COAT_TILED_BY_RESULT(ReduceOp)
COAT_TILED_BY_RESULT(ArgReduceOp)
COAT_TILED_BY_RESULT(GlobalPoolOp)
COAT_TILED_BY_RESULT(PoolOp)
COAT_TILED_BY_RESULT(ResizeOp)
COAT_TILED_BY_RESULT(ConvTransposeOp)
COAT_TILED_BY_RESULT(AttentionOp)
#undef COAT_TILED_BY_RESULT
