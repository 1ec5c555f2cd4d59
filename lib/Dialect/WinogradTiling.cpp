// Tiles of the two halves of a Winograd convolution: images, rows of tiles, and channels in blocks of 16.
//
// Columns are never cut, nor rows where the last part would differ from the others: the sizes of a tile are known at
// compile time.
#include "ProductTiling.h"
#include "Shapes.h"

using namespace mlir;
using namespace coat;

using Sizes = SmallVector<OpFoldResult>;

static SmallVector<utils::IteratorType> parallelLoops(Operation *op) {
  return SmallVector<utils::IteratorType>(tensorType(op->getResult(0)).getRank(), utils::IteratorType::parallel);
}

/// A tile covers dimension `dim` of the result.
static bool isWhole(Operation *op, int64_t dim, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
  return isConstantIntValue(offsets[dim], 0) &&
         isConstantIntValue(sizes[dim], tensorType(op->getResult(0)).getDimSize(dim));
}

static LogicalResult sameBox(ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
                             SmallVectorImpl<OpFoldResult> &toOffsets, SmallVectorImpl<OpFoldResult> &toSizes) {
  toOffsets.assign(offsets.begin(), offsets.end());
  toSizes.assign(sizes.begin(), sizes.end());
  return success();
}

//===----------------------------------------------------------------------===//
// coat.winograd_input
//===----------------------------------------------------------------------===//

SmallVector<utils::IteratorType> WinogradInputOp::getLoopIteratorTypes() { return parallelLoops(*this); }
SmallVector<Range> WinogradInputOp::getIterationDomain(OpBuilder &builder) { return domainOf(builder, getResult()); }

FailureOr<TilingResult> WinogradInputOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                                ArrayRef<OpFoldResult> sizes) {
  ArrayRef<int64_t> input = tensorType(getInput()).getShape();
  WinogradTile tile = winogradTileOf(*this);
  int64_t block = tensorType(getResult()).getDimSize(4), inRow = tile.tilesIn(input[2]);
  if (!isWhole(*this, 2, offsets, sizes) || !isWhole(*this, 4, offsets, sizes))
    return failure();
  bool allBlocks = isWhole(*this, 1, offsets, sizes);
  std::optional<int64_t> blocks = getConstantIntValue(sizes[1]), tiles = getConstantIntValue(sizes[3]);
  if (!blocks || !tiles || *tiles % inRow != 0 || (!allBlocks && input[3] % block != 0))
    return failure();
  Location loc = getLoc();
  AffineExpr d0 = builder.getAffineDimExpr(0);
  auto number = [&](int64_t value) -> OpFoldResult { return builder.getIndexAttr(value); };
  OpFoldResult row = applyExpr(builder, loc, d0.floorDiv(inRow) * tile.step() * tile.fold, {offsets[3]});
  OpFoldResult channel = applyExpr(builder, loc, d0 * block, {offsets[1]});
  TilingResult result;
  Value slice = sliceOf(builder, loc, getInput(), {offsets[0], row, number(0), channel},
                        {sizes[0], number(tile.inputsOf(*tiles / inRow) * tile.fold), number(input[2]),
                         number(allBlocks ? input[3] : *blocks * block)},
                        result);
  return resultOf(std::move(result), WinogradInputOp::create(builder, loc, slice, tile));
}

LogicalResult WinogradInputOp::getResultTilePosition(OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
                                                     ArrayRef<OpFoldResult> sizes,
                                                     SmallVector<OpFoldResult> &resultOffsets,
                                                     SmallVector<OpFoldResult> &resultSizes) {
  return sameBox(offsets, sizes, resultOffsets, resultSizes);
}

LogicalResult WinogradInputOp::getIterationDomainTileFromResultTile(OpBuilder &, unsigned,
                                                                    ArrayRef<OpFoldResult> offsets,
                                                                    ArrayRef<OpFoldResult> sizes,
                                                                    SmallVectorImpl<OpFoldResult> &loopOffsets,
                                                                    SmallVectorImpl<OpFoldResult> &loopSizes) {
  return sameBox(offsets, sizes, loopOffsets, loopSizes);
}

FailureOr<TilingResult> WinogradInputOp::generateResultTileValue(OpBuilder &builder, unsigned,
                                                                 ArrayRef<OpFoldResult> offsets,
                                                                 ArrayRef<OpFoldResult> sizes) {
  return getTiledImplementation(builder, offsets, sizes);
}

//===----------------------------------------------------------------------===//
// coat.winograd_conv
//===----------------------------------------------------------------------===//

SmallVector<utils::IteratorType> WinogradConvOp::getLoopIteratorTypes() { return parallelLoops(*this); }
SmallVector<Range> WinogradConvOp::getIterationDomain(OpBuilder &builder) { return domainOf(builder, getResult()); }

FailureOr<TilingResult> WinogradConvOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                               ArrayRef<OpFoldResult> sizes) {
  Location loc = getLoc();
  ArrayRef<int64_t> transformed = tensorType(getTransformed()).getShape(), filter = tensorType(getFilter()).getShape();
  std::optional<int64_t> rows = getConstantIntValue(sizes[1]), channels = getConstantIntValue(sizes[3]);
  int64_t tile = getTile(), inRow = llvm::divideCeilSigned(getOutputSize()[1], tile);
  OpFoldResult firstRow, tileRows, firstBlock, blocks;
  if (!rows || !channels || !isWhole(*this, 2, offsets, sizes) ||
      failed(packedRange(builder, loc, offsets[1], sizes[1], tile, firstRow, tileRows)) ||
      failed(packedRange(builder, loc, offsets[3], sizes[3], filter.back(), firstBlock, blocks)))
    return failure();
  auto number = [&](int64_t value) -> OpFoldResult { return builder.getIndexAttr(value); };
  AffineExpr perRow = builder.getAffineDimExpr(0) * inRow;
  TilingResult result;
  Value part = sliceOf(builder, loc, getTransformed(),
                       {offsets[0], number(0), number(0), applyExpr(builder, loc, perRow, {firstRow}), number(0)},
                       {sizes[0], number(transformed[1]), number(transformed[2]),
                        applyExpr(builder, loc, perRow, {tileRows}), number(transformed[4])},
                       result);
  Value weights = sliceOf(builder, loc, getFilter(), {firstBlock, number(0), number(0), number(0)},
                          {blocks, number(filter[1]), number(filter[2]), number(filter[3])}, result);
  Value bias = biasSlice(builder, loc, getBias(), offsets[3], sizes[3], result);
  return resultOf(std::move(result), WinogradConvOp::create(builder, loc, part, weights, bias, winogradTileOf(*this),
                                                            ArrayRef{*rows, getOutputSize()[1]}, *channels));
}

LogicalResult WinogradConvOp::getResultTilePosition(OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
                                                    ArrayRef<OpFoldResult> sizes,
                                                    SmallVector<OpFoldResult> &resultOffsets,
                                                    SmallVector<OpFoldResult> &resultSizes) {
  return sameBox(offsets, sizes, resultOffsets, resultSizes);
}

LogicalResult WinogradConvOp::getIterationDomainTileFromResultTile(OpBuilder &, unsigned,
                                                                   ArrayRef<OpFoldResult> offsets,
                                                                   ArrayRef<OpFoldResult> sizes,
                                                                   SmallVectorImpl<OpFoldResult> &loopOffsets,
                                                                   SmallVectorImpl<OpFoldResult> &loopSizes) {
  return sameBox(offsets, sizes, loopOffsets, loopSizes);
}

FailureOr<TilingResult> WinogradConvOp::generateResultTileValue(OpBuilder &builder, unsigned,
                                                                ArrayRef<OpFoldResult> offsets,
                                                                ArrayRef<OpFoldResult> sizes) {
  return getTiledImplementation(builder, offsets, sizes);
}
