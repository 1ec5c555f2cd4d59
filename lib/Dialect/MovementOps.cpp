// Ops that only move elements: types, sizes and folders.
#include "Shapes.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace coat;

// Element number `source(i)` of `constant` for every element i of `type`.
static OpFoldResult permuteConstant(DenseElementsAttr constant, RankedTensorType type,
                                    function_ref<int64_t(ArrayRef<int64_t>)> source) {
  if (constant.isSplat())
    return DenseElementsAttr::get(type, constant.getSplatValue<Attribute>());
  if (!type.hasStaticShape() || type.getNumElements() > foldLimit || constant.getNumElements() > foldLimit)
    return {};
  auto values = constant.getValues<Attribute>();
  SmallVector<Attribute> result;
  result.reserve(type.getNumElements());
  SmallVector<int64_t> strides = computeStrides(type.getShape());
  for (int64_t i = 0, e = type.getNumElements(); i < e; ++i)
    result.push_back(values[source(delinearize(i, strides))]);
  return DenseElementsAttr::get(type, result);
}

// Verifies the `sizes` operands of reshape and broadcast.
template <typename OpT> static LogicalResult verifySizes(OpT op) {
  int64_t dynamic = cast<RankedTensorType>(op.getType()).getNumDynamicDims();
  if (int64_t(op.getSizes().size()) == dynamic)
    return success();
  return op.emitOpError() << "expected " << dynamic << " sizes, one a dynamic dimension of " << op.getType() << ", got "
                          << op.getSizes().size();
}

// Sizes that come as operands, in the order of the dynamic dimensions.
template <typename OpT>
static LogicalResult reifyFromOperands(OpT op, OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  int64_t next = 0;
  shapes.push_back(
      reifySizes(builder, op.getLoc(), op.getType(), [&](int64_t) -> OpFoldResult { return op.getSizes()[next++]; }));
  return success();
}

//===----------------------------------------------------------------------===//
// coat.transpose
//===----------------------------------------------------------------------===//

LogicalResult TransposeOp::checkConstraints(Adaptor op, EmitError emitError) {
  int64_t rank = tensorType(op.getInput()).getRank();
  SmallVector<int64_t> sorted(op.getPermutation());
  llvm::sort(sorted);
  if (llvm::equal(sorted, llvm::seq<int64_t>(0, rank)))
    return success();
  return emitError() << "expected a permutation of " << rank << " dimensions, got [" << op.getPermutation() // C1
                     << "]";
}

LogicalResult TransposeOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<TransposeOp>(context, location, op)))
    return failure();
  RankedTensorType input = tensorType(op.getInput());
  SmallVector<int64_t> shape;
  for (int64_t dim : op.getPermutation())
    shape.push_back(input.getDimSize(dim));
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

LogicalResult TransposeOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifySizes(builder, getLoc(), getType(), [&](int64_t dim) {
    return tensor::getMixedSize(builder, getLoc(), getInput(), getPermutation()[dim]);
  }));
  return success();
}

int64_t TransposeOp::getFlops() { return 0; }

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  ArrayRef<int64_t> permutation = getPermutation();
  if (llvm::is_sorted(permutation)) // the identity
    return getInput();
  if (auto inner = getInput().getDefiningOp<TransposeOp>()) { // two transposes are one
    SmallVector<int64_t> composed;
    for (int64_t dim : permutation)
      composed.push_back(inner.getPermutation()[dim]);
    setPermutation(composed);
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  auto constant = dyn_cast_or_null<DenseElementsAttr>(adaptor.getInput());
  if (!constant)
    return {};
  SmallVector<int64_t> strides = computeStrides(tensorType(getInput()).getShape());
  return permuteConstant(constant, cast<RankedTensorType>(getType()), [&](ArrayRef<int64_t> position) {
    int64_t source = 0;
    for (auto [index, dim] : llvm::zip(position, permutation))
      source += index * strides[dim];
    return source;
  });
}

//===----------------------------------------------------------------------===//
// coat.reshape
//===----------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  RankedTensorType input = tensorType(getInput()), result = tensorType(getResult());
  if (input.getElementType() != result.getElementType()) // C1
    return emitOpError() << "expected a result of element type " << input.getElementType() << ", got "
                         << result.getElementType();
  if (input.hasStaticShape() && result.hasStaticShape() && input.getNumElements() != result.getNumElements()) // C1
    return emitOpError() << "expected a result of " << input.getNumElements() << " elements, got "
                         << result.getNumElements();
  return verifySizes(*this); // C2
}

LogicalResult ReshapeOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromOperands(*this, builder, shapes);
}

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  auto type = cast<RankedTensorType>(getType());
  // With at most one symbolic dimension the number of elements leaves it no choice.
  if (getInput().getType() == type && type.getNumDynamicDims() <= 1)
    return getInput();
  if (auto inner = getInput().getDefiningOp<ReshapeOp>()) { // only the last shape counts
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  if (!type.hasStaticShape())
    return {};
  if (auto constant = dyn_cast_or_null<DenseElementsAttr>(adaptor.getInput()))
    return constant.reshape(type);
  if (auto constant = dyn_cast_or_null<DenseResourceElementsAttr>(adaptor.getInput())) // the bytes stay where they are
    return DenseResourceElementsAttr::get(type, constant.getRawHandle());
  return {};
}

//===----------------------------------------------------------------------===//
// coat.prefix
//===----------------------------------------------------------------------===//

LogicalResult PrefixOp::verify() {
  RankedTensorType input = tensorType(getInput()), result = tensorType(getResult());
  if (input.getRank() != 1 || input.getElementType() != result.getElementType()) // C1
    return emitOpError() << "expected an input of rank 1 and element type " << result.getElementType() << ", got "
                         << input;
  return verifySizes(*this); // C2
}

LogicalResult PrefixOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromOperands(*this, builder, shapes);
}

//===----------------------------------------------------------------------===//
// coat.broadcast
//===----------------------------------------------------------------------===//

LogicalResult BroadcastOp::verify() {
  RankedTensorType input = tensorType(getInput()), result = tensorType(getResult());
  if (!broadcastsTo(input.getShape(), result.getShape())) // C1
    return emitOpError() << "expected an input that broadcasts to " << formatShape(result.getShape()) << ", got "
                         << formatShape(input.getShape());
  if (input.getElementType() != result.getElementType()) // C1
    return emitOpError() << "expected a result of element type " << input.getElementType() << ", got "
                         << result.getElementType();
  return verifySizes(*this); // C2
}

LogicalResult BroadcastOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromOperands(*this, builder, shapes);
}

OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) {
  auto type = cast<RankedTensorType>(getType());
  if (getInput().getType() == type) // symbolic sizes only meet where they are equal
    return getInput();
  auto constant = dyn_cast_or_null<DenseElementsAttr>(adaptor.getInput());
  if (!constant || !type.hasStaticShape())
    return {};
  ArrayRef<int64_t> shape = tensorType(getInput()).getShape();
  SmallVector<int64_t> strides = computeStrides(shape);
  return permuteConstant(constant, type, [&](ArrayRef<int64_t> position) {
    int64_t source = 0;
    for (auto [index, size, stride] : llvm::zip(position.take_back(shape.size()), shape, strides))
      source += size == 1 ? 0 : index * stride;
    return source;
  });
}

//===----------------------------------------------------------------------===//
// coat.pad
//===----------------------------------------------------------------------===//

LogicalResult PadOp::checkConstraints(Adaptor op, EmitError emitError) {
  ArrayRef<int64_t> shape = tensorType(op.getInput()).getShape();
  if (failed(checkEntries(emitError, "low", op.getLow(), shape.size(), 0)) || // C1
      failed(checkEntries(emitError, "high", op.getHigh(), shape.size(), 0)))
    return failure();
  if (op.getMode() == PadMode::constant)
    return success();
  for (auto [size, low, high] : llvm::zip(shape, op.getLow(), op.getHigh())) {
    if (ShapedType::isDynamic(size) || (low == 0 && high == 0))
      continue;
    if (op.getMode() == PadMode::reflect && std::max(low, high) >= size) // C2
      return emitError() << "expected reflected pads of less than the dimension's size " << size << ", got " << low
                         << " and " << high;
    if (size == 0) // C2
      return emitError() << "expected a non-empty dimension to pad in mode " << stringifyPadMode(op.getMode())
                         << ", got size 0";
  }
  return success();
}

LogicalResult PadOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                      SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<PadOp>(context, location, op)))
    return failure();
  RankedTensorType input = tensorType(op.getInput());
  SmallVector<int64_t> shape(input.getShape());
  for (auto [size, low, high] : llvm::zip(shape, op.getLow(), op.getHigh()))
    if (!ShapedType::isDynamic(size))
      size += low + high;
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

LogicalResult PadOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifySizes(builder, getLoc(), getType(), [&](int64_t dim) {
    OpFoldResult size = tensor::getMixedSize(builder, getLoc(), getInput(), dim);
    return applyExpr(builder, getLoc(), builder.getAffineDimExpr(0) + (getLow()[dim] + getHigh()[dim]), {size});
  }));
  return success();
}

int64_t PadOp::getFlops() { return 0; }

OpFoldResult PadOp::fold(FoldAdaptor) {
  auto none = [](ArrayRef<int64_t> pads) { return llvm::all_of(pads, [](int64_t pad) { return pad == 0; }); };
  if (none(getLow()) && none(getHigh()))
    return getInput();
  return {};
}

//===----------------------------------------------------------------------===//
// coat.gather
//===----------------------------------------------------------------------===//

LogicalResult GatherOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType input = tensorType(op.getInput()), indices = tensorType(op.getIndices());
  int64_t axis = op.getAxis();
  if (failed(checkAxis(emitError, axis, input.getRank()))) // C1
    return failure();
  Type indexType = indices.getElementType();
  if (!isIndexElement(indexType)) // C2
    return emitError() << "expected indices of element type i32 or i64, got " << indexType;
  if (!op.getElementwise())
    return success();
  bool inside = indices.getRank() == input.getRank();
  for (int64_t dim = 0; inside && dim < input.getRank(); ++dim) {
    int64_t size = input.getDimSize(dim), count = indices.getDimSize(dim);
    inside = dim == axis || ShapedType::isDynamic(size) || ShapedType::isDynamic(count) || count <= size;
  }
  if (!inside) // C3
    return emitError() << "expected indices of sizes up to " << formatShape(input.getShape()) << " except along axis "
                       << axis << ", got " << formatShape(indices.getShape());
  return success();
}

LogicalResult GatherOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<GatherOp>(context, location, op)))
    return failure();
  RankedTensorType input = tensorType(op.getInput());
  SmallVector<int64_t> shape(tensorType(op.getIndices()).getShape());
  if (!op.getElementwise()) {
    ArrayRef<int64_t> sizes = input.getShape();
    shape.insert(shape.begin(), sizes.begin(), sizes.begin() + op.getAxis());
    llvm::append_range(shape, sizes.drop_front(op.getAxis() + 1));
  }
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

LogicalResult GatherOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  int64_t axis = getElementwise() ? 0 : int64_t(getAxis()), indexRank = tensorType(getIndices()).getRank();
  shapes.push_back(reifySizes(builder, getLoc(), getType(), [&](int64_t dim) {
    if (axis <= dim && dim < axis + indexRank)
      return tensor::getMixedSize(builder, getLoc(), getIndices(), dim - axis);
    return tensor::getMixedSize(builder, getLoc(), getInput(), dim < axis ? dim : dim - indexRank + 1);
  }));
  return success();
}

int64_t GatherOp::getFlops() { return 0; }
