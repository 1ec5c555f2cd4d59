// Normalizations: all of them keep type and shape of their input.
#include "Shapes.h"

using namespace mlir;
using namespace coat;

// The shared part of inference and of sizes.
template <typename OpT>
static LogicalResult inferFromInput(MLIRContext *context, std::optional<Location> location, typename OpT::Adaptor op,
                                    SmallVectorImpl<Type> &types) {
  types.push_back(op.getInput().getType());
  return checkedInference<OpT>(context, location, op);
}

template <typename OpT>
static LogicalResult reifyFromInput(OpT op, OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(builder, op.getLoc(), op.getInput()));
  return success();
}

static LogicalResult checkRank(EmitError emitError, Value input, int64_t least) {
  if (tensorType(input).getRank() >= least)
    return success();
  return emitError() << "expected an input of rank " << least << " or more, got " << input.getType();
}

// Fails unless each value, when there, is a vector of the input's channels.
static LogicalResult checkPerChannel(EmitError emitError, Value input, coat::DataLayout layout,
                                     ArrayRef<std::pair<StringRef, Value>> values) {
  RankedTensorType type = tensorType(input);
  int64_t channels = type.getDimSize(channelDim(layout, type.getRank()));
  for (auto [name, value] : values)
    if (failed(checkVector(emitError, name, value, channels, type.getElementType())))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// coat.batch_norm
//===----------------------------------------------------------------------===//

LogicalResult BatchNormOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkRank(emitError, op.getInput(), 2))) // C1
    return failure();
  return checkPerChannel(
      emitError, op.getInput(), op.getDataLayout(), // C2
      {{"scale", op.getScale()}, {"bias", op.getBias()}, {"mean", op.getMean()}, {"variance", op.getVariance()}});
}

LogicalResult BatchNormOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  return inferFromInput<BatchNormOp>(context, location, op, types);
}

LogicalResult BatchNormOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromInput(*this, builder, shapes);
}

int64_t BatchNormOp::getFlops() { return 2 * elementCount(getType()); } // one multiply-add, the rest is per channel

//===----------------------------------------------------------------------===//
// coat.layer_norm
//===----------------------------------------------------------------------===//

LogicalResult LayerNormOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType input = tensorType(op.getInput());
  if (failed(checkAxis(emitError, op.getAxis(), input.getRank()))) // C1
    return failure();
  for (auto [name, value] : {std::pair<StringRef, Value>("scale", op.getScale()), {"bias", op.getBias()}}) // C2
    if (value && !broadcastsTo(tensorType(value).getShape(), input.getShape()))
      return emitError() << "expected " << name << " that broadcasts to " << formatShape(input.getShape()) << ", got "
                         << formatShape(tensorType(value).getShape());
  if (failed(checkElementTypes(emitError, {op.getInput(), op.getScale(), op.getBias()}))) // C2
    return failure();
  if (op.getRms() && op.getBias()) // C3
    return emitError() << "expected no bias with rms, got " << op.getBias().getType();
  return success();
}

LogicalResult LayerNormOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  return inferFromInput<LayerNormOp>(context, location, op, types);
}

LogicalResult LayerNormOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromInput(*this, builder, shapes);
}

int64_t LayerNormOp::getFlops() { return 8 * elementCount(getType()); } // two reductions, then the affine map

//===----------------------------------------------------------------------===//
// coat.group_norm
//===----------------------------------------------------------------------===//

LogicalResult GroupNormOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkRank(emitError, op.getInput(), 3))) // C1
    return failure();
  RankedTensorType input = tensorType(op.getInput());
  int64_t channels = input.getDimSize(channelDim(op.getDataLayout(), input.getRank())), groups = op.getGroups();
  if (groups < 1 || (!ShapedType::isDynamic(channels) && channels % groups != 0)) // C2
    return emitError() << "expected a number of groups that divides " << formatShape({channels}) << " channels, got "
                       << groups;
  return checkPerChannel(emitError, op.getInput(), op.getDataLayout(), // C3
                         {{"scale", op.getScale()}, {"bias", op.getBias()}});
}

LogicalResult GroupNormOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  return inferFromInput<GroupNormOp>(context, location, op, types);
}

LogicalResult GroupNormOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromInput(*this, builder, shapes);
}

int64_t GroupNormOp::getFlops() { return 8 * elementCount(getType()); }

//===----------------------------------------------------------------------===//
// coat.lrn
//===----------------------------------------------------------------------===//

LogicalResult LRNOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkRank(emitError, op.getInput(), 3))) // C1
    return failure();
  if (int64_t(op.getSize()) < 1) // C2
    return emitError() << "expected a size of at least 1, got " << int64_t(op.getSize());
  return success();
}

LogicalResult LRNOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                      SmallVectorImpl<Type> &types) {
  return inferFromInput<LRNOp>(context, location, op, types);
}

LogicalResult LRNOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromInput(*this, builder, shapes);
}

int64_t LRNOp::getFlops() { return elementCount(getType()) * (2 * int64_t(getSize()) + 4); }
