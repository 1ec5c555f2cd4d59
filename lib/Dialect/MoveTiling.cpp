// Tiles of tensor.concat and tensor.extract_slice, which upstream does not have: where they are a kernel of their own,
// they are cut into tasks like any other. A box of a concatenation has all of the concatenated dimension; a box of a
// slice is a slice.
#include "Shapes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace coat;

namespace {
using Sizes = SmallVector<OpFoldResult>;

/// What both ops share: the loops are the dimensions of the result.
template <typename Model, typename Op> struct ResultTiling : TilingInterface::ExternalModel<Model, Op> {
  SmallVector<utils::IteratorType> getLoopIteratorTypes(Operation *op) const {
    return SmallVector<utils::IteratorType>(tensorType(op->getResult(0)).getRank(), utils::IteratorType::parallel);
  }
  SmallVector<Range> getIterationDomain(Operation *op, OpBuilder &builder) const {
    ReifiedRankedShapedTypeDims shapes;
    SmallVector<Range> domain;
    if (failed(reifyResultShapes(builder, op, shapes)))
      return domain;
    for (OpFoldResult size : shapes.front())
      domain.push_back({builder.getIndexAttr(0), size, builder.getIndexAttr(1)});
    return domain;
  }
  LogicalResult getResultTilePosition(Operation *, OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
                                      ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
                                      SmallVector<OpFoldResult> &resultSizes) const {
    resultOffsets.assign(offsets.begin(), offsets.end());
    resultSizes.assign(sizes.begin(), sizes.end());
    return success();
  }
  LogicalResult getIterationDomainTileFromResultTile(Operation *, OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
                                                     ArrayRef<OpFoldResult> sizes,
                                                     SmallVectorImpl<OpFoldResult> &loopOffsets,
                                                     SmallVectorImpl<OpFoldResult> &loopSizes) const {
    loopOffsets.assign(offsets.begin(), offsets.end());
    loopSizes.assign(sizes.begin(), sizes.end());
    return success();
  }
  FailureOr<TilingResult> generateResultTileValue(Operation *op, OpBuilder &builder, unsigned,
                                                  ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) const {
    return static_cast<const Model *>(this)->getTiledImplementation(op, builder, offsets, sizes);
  }
};

struct ConcatTiling : ResultTiling<ConcatTiling, tensor::ConcatOp> {
  FailureOr<TilingResult> getTiledImplementation(Operation *op, OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                 ArrayRef<OpFoldResult> sizes) const {
    auto concat = cast<tensor::ConcatOp>(op);
    int64_t axis = concat.getDim(), extent = concat.getResultType().getDimSize(axis);
    std::optional<int64_t> part = getConstantIntValue(sizes[axis]);
    if (!isConstantIntValue(offsets[axis], 0) || (!ShapedType::isDynamic(extent) && part != extent))
      return failure();
    TilingResult result;
    SmallVector<Value> slices;
    for (Value input : concat.getInputs()) {
      Sizes from(offsets), size(sizes), ones(offsets.size(), builder.getIndexAttr(1));
      size[axis] = tensor::getMixedSize(builder, op->getLoc(), input, axis);
      auto slice = tensor::ExtractSliceOp::create(builder, op->getLoc(), input, from, size, ones);
      result.generatedSlices.push_back(slice);
      slices.push_back(slice);
    }
    auto tile = tensor::ConcatOp::create(builder, op->getLoc(), axis, slices);
    result.tiledOps = {tile};
    result.tiledValues = {tile.getResult()};
    return result;
  }
};

struct SliceTiling : ResultTiling<SliceTiling, tensor::ExtractSliceOp> {
  FailureOr<TilingResult> getTiledImplementation(Operation *op, OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                 ArrayRef<OpFoldResult> sizes) const {
    auto slice = cast<tensor::ExtractSliceOp>(op);
    if (slice.getSourceType().getRank() != slice.getType().getRank())
      return failure();
    AffineExpr start, at, stride;
    bindDims(builder.getContext(), start, at);
    bindSymbols(builder.getContext(), stride);
    Sizes from;
    for (auto [first, offset, step] : llvm::zip(slice.getMixedOffsets(), offsets, slice.getMixedStrides()))
      from.push_back(
          affine::makeComposedFoldedAffineApply(builder, op->getLoc(), start + at * stride, {first, offset, step}));
    auto tile =
        tensor::ExtractSliceOp::create(builder, op->getLoc(), slice.getSource(), from, sizes, slice.getMixedStrides());
    TilingResult result;
    result.tiledOps = {tile};
    result.tiledValues = {tile.getResult()};
    return result;
  }
};
} // namespace

void coat::attachMoveTilings(MLIRContext *context) {
  tensor::ConcatOp::attachInterface<ConcatTiling>(*context);
  tensor::ExtractSliceOp::attachInterface<SliceTiling>(*context);
}
