// The two halves of a Winograd convolution.
#include "Shapes.h"

using namespace mlir;
using namespace coat;

// Channels of a block, of the transformed input as of the filter.
static constexpr int64_t block = 16;

static LogicalResult checkTile(EmitError emitError, WinogradTile tile) { // C2
  if (tile.isKnown())
    return success();
  return emitError()
         << "expected F(2, 3), F(4, 3), F(2, 5) or F(4, 4), perhaps of a folded stride of 2, or with stride 2 "
            "F(2, 3) or F(4, 3), got F("
         << tile.outputs << ", " << tile.taps << ") with stride " << tile.stride << " and fold " << tile.fold;
}

/// Everything but the batch is known at compile time.
static bool isKnownButBatch(RankedTensorType type) {
  return type.getElementType().isF32() && !ShapedType::isDynamicShape(type.getShape().drop_front());
}

//===----------------------------------------------------------------------===//
// coat.winograd_input
//===----------------------------------------------------------------------===//

LogicalResult WinogradInputOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType input = tensorType(op.getInput());
  if (input.getRank() != 4 || !isKnownButBatch(input)) // C1
    return emitError() << "expected an f32 input [N, H, W, C] whose H, W and C are numbers, got " << input;
  WinogradTile tile = winogradTileOf(op);
  if (failed(checkTile(emitError, tile)))
    return failure();
  if (input.getDimSize(1) / tile.fold < tile.extent() || input.getDimSize(2) < tile.extent()) // C3
    return emitError() << "expected at least " << tile.extent() * tile.fold << " rows and " << tile.extent()
                       << " columns, got " << input;
  if (tile.fold > 1 && tile.fold * input.getDimSize(3) > block) // C4
    return emitError() << "expected at most " << block << " channels in " << tile.fold << " rows, got " << input;
  return success();
}

LogicalResult WinogradInputOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                                SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<WinogradInputOp>(context, location, op)))
    return failure();
  RankedTensorType input = tensorType(op.getInput());
  WinogradTile tile = winogradTileOf(op);
  int64_t tiles = tile.tilesIn(input.getDimSize(1) / tile.fold) * tile.tilesIn(input.getDimSize(2));
  types.push_back(input.clone({input.getDimSize(0), llvm::divideCeilSigned(tile.fold * input.getDimSize(3), block),
                               tile.products(), tiles, block}));
  return success();
}

LogicalResult WinogradInputOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifySizes(builder, getLoc(), getType(),
                              [&](int64_t) { return tensor::getMixedSize(builder, getLoc(), getInput(), 0); }));
  return success();
}

// The nominal operations of the convolution are those of its second half.
int64_t WinogradInputOp::getFlops() { return 0; }

//===----------------------------------------------------------------------===//
// coat.winograd_conv
//===----------------------------------------------------------------------===//

static LogicalResult checkWinogradShapes(WinogradConvOp::Adaptor op, EmitError emitError) { // C1
  RankedTensorType input = tensorType(op.getTransformed()), filter = tensorType(op.getFilter());
  WinogradTile tile = winogradTileOf(op);
  int64_t products = tile.products(), channels = op.getOutChannels();
  if (input.getRank() != 5 || !isKnownButBatch(input) || input.getDimSize(2) != products ||
      input.getDimSize(4) != block)
    return emitError() << "expected an f32 input of [N, ceil(C/16), " << products << ", T, 16], got " << input;
  if (filter.getRank() != 4 || !isKnownButBatch(filter) || filter.getDimSize(1) != products ||
      filter.getDimSize(3) != block || filter.getDimSize(2) % (tile.fold * tile.fold) != 0 ||
      llvm::divideCeilSigned(filter.getDimSize(2), block) != input.getDimSize(1) ||
      filter.getDimSize(0) != llvm::divideCeilSigned(channels, block))
    return emitError() << "expected an f32 filter of [ceil(K/16), " << products << ", C, 16] for the channels of "
                       << input << " and " << formatShape({channels}) << " output channels, got " << filter;
  return success();
}

LogicalResult WinogradConvOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkTile(emitError, winogradTileOf(op))) || failed(checkWinogradShapes(op, emitError)))
    return failure();
  RankedTensorType input = tensorType(op.getTransformed());
  if (failed(checkEntries(emitError, "output_size", op.getOutputSize(), 2, 1))) // C3
    return failure();
  int64_t tile = op.getTile();
  int64_t tiles =
      llvm::divideCeilSigned(op.getOutputSize()[0], tile) * llvm::divideCeilSigned(op.getOutputSize()[1], tile);
  if (input.getDimSize(3) != tiles) // C3
    return emitError() << "expected " << tiles << " tiles of output size [" << op.getOutputSize() << "], got " << input;
  return checkVector(emitError, "bias", op.getBias(), op.getOutChannels(), input.getElementType()); // C4
}

LogicalResult WinogradConvOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                               SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<WinogradConvOp>(context, location, op)))
    return failure();
  RankedTensorType input = tensorType(op.getTransformed());
  types.push_back(input.clone(
      {input.getDimSize(0), op.getOutputSize()[0], op.getOutputSize()[1], static_cast<int64_t>(op.getOutChannels())}));
  return success();
}

LogicalResult WinogradConvOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifySizes(builder, getLoc(), getType(),
                              [&](int64_t) { return tensor::getMixedSize(builder, getLoc(), getTransformed(), 0); }));
  return success();
}

int64_t WinogradConvOp::getFlops() {
  WinogradTile tile = winogradTileOf(*this);
  int64_t channels = tensorType(getFilter()).getDimSize(2) / (tile.fold * tile.fold);
  return elementCount(getType()) * (2 * tile.taps * tile.taps * channels + (getBias() ? 1 : 0));
}
