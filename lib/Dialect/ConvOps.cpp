// Convolution, transposed convolution and matrix product.
#include "Shapes.h"
#include "mlir/Dialect/Traits.h"

using namespace mlir;
using namespace coat;

// Sizes that follow from operands and attributes of a conv, whatever the two layouts.
namespace {
struct ConvSizes {
  int64_t spatial;                 // number of spatial dimensions
  int64_t inChannels, outChannels; // C, M
  int64_t filterChannels;          // C / group as the filter has it
  SmallVector<int64_t> kernel;     // K1 .. Kk
  int64_t firstKernelDim;          // of the filter

  explicit ConvSizes(ConvOp::Adaptor op) {
    ArrayRef<int64_t> input = tensorType(op.getInput()).getShape(), filter = tensorType(op.getFilter()).getShape();
    bool packed = op.getFilterLayout() == FilterLayout::packed;
    spatial = int64_t(input.size()) - 2;
    inChannels = input[channelDim(op.getDataLayout(), input.size())];
    outChannels = packed ? int64_t(*op.getOutChannels()) : filter[0];
    firstKernelDim = 2;
    kernel = llvm::to_vector(filter.slice(firstKernelDim, spatial));
    filterChannels = packed ? filter[2 + spatial] : filter[1];
  }
};
} // namespace

static Window convWindow(ConvOp::Adaptor op, const ConvSizes &sizes, int64_t i) {
  return windowAt(i, sizes.kernel[i], op.getStrides(), op.getDilations(), op.getPads());
}

static SmallVector<int64_t> convShape(ConvOp::Adaptor op) {
  ConvSizes sizes(op);
  ArrayRef<int64_t> input = tensorType(op.getInput()).getShape();
  SmallVector<int64_t> shape(input);
  shape[channelDim(op.getDataLayout(), input.size())] = sizes.outChannels;
  for (int64_t i = 0; i < sizes.spatial; ++i) {
    int64_t dim = spatialDim(op.getDataLayout(), i);
    shape[dim] = convWindow(op, sizes, i).count(input[dim]);
  }
  return shape;
}

// C9 and C1: what all other constraints index with.
static LogicalResult checkConvRanks(ConvOp::Adaptor op, EmitError emitError) {
  int64_t inputRank = tensorType(op.getInput()).getRank(), filterRank = tensorType(op.getFilter()).getRank();
  if (inputRank < 3 || inputRank > 5) // C1
    return emitError() << "expected an input of 1 to 3 spatial dimensions, got " << op.getInput().getType();
  if (op.getFilterLayout() == FilterLayout::packed) {
    if (!op.getOutChannels()) // C9
      return emitError() << "expected out_channels with a packed filter, got none";
    if (filterRank != inputRank + 2) // C9
      return emitError() << "expected a packed filter of rank " << inputRank + 2 << ", got "
                         << op.getFilter().getType();
    return success();
  }
  if (op.getOutChannels()) // C9
    return emitError() << "expected no out_channels with a plain filter, got " << *op.getOutChannels();
  if (filterRank != inputRank) // C1
    return emitError() << "expected a filter of rank " << inputRank << ", got " << op.getFilter().getType();
  return success();
}

// A packed filter is [group, ceil(M/group/Mr), K.., C/group, Mr]; of a depthwise convolution [1, ceil(M/Mr), K.., 1,
// Mr].
static LogicalResult checkPackedFilter(ConvOp::Adaptor op, EmitError emitError) {
  RankedTensorType filter = tensorType(op.getFilter());
  int64_t group = op.getGroup(), blocks = filter.getDimSize(1), block = filter.getDimSize(filter.getRank() - 1);
  int64_t outChannels = int64_t(*op.getOutChannels());
  if (ShapedType::isDynamic(outChannels)) // a tile
    return success();
  bool depthwise = filter.getDimSize(0) == 1 && group > 1 && group == outChannels;
  int64_t parts = depthwise ? 1 : group;
  if (filter.hasStaticShape() && filter.getDimSize(0) == parts && block >= 1 &&
      blocks == llvm::divideCeilSigned(outChannels / parts, block))
    return success();
  return emitError() << "expected a packed filter of " << parts << " groups and blocks that hold "
                     << outChannels / parts << " channels each, got " << filter;
}

LogicalResult ConvOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkConvRanks(op, emitError)))
    return failure();
  ConvSizes sizes(op);
  int64_t group = op.getGroup(), k = sizes.spatial;
  if (failed(checkEntries(emitError, "strides", op.getStrides(), k, 1)) || // C2
      failed(checkEntries(emitError, "dilations", op.getDilations(), k, 1)) ||
      failed(checkEntries(emitError, "pads", op.getPads(), 2 * k, 0))) // C3
    return failure();
  auto divides = [&](int64_t channels) { return ShapedType::isDynamic(channels) || channels % group == 0; };
  if (group < 1 || !divides(sizes.inChannels) || !divides(sizes.outChannels)) // C4
    return emitError() << "expected a group that divides " << formatShape({sizes.inChannels}) << " input and "
                       << formatShape({sizes.outChannels}) << " output channels, got " << group;
  if (!ShapedType::isDynamic(sizes.inChannels) && !sizesAgree(sizes.filterChannels, sizes.inChannels / group)) // C5
    return emitError() << "expected " << sizes.inChannels / group << " channels in the filter, got "
                       << sizes.filterChannels;
  if (failed(checkElementTypes(emitError, {op.getInput(), op.getFilter(), op.getBias()}))) // C8
    return failure();
  Type elementType = tensorType(op.getInput()).getElementType();
  if (failed(checkVector(emitError, "bias", op.getBias(), sizes.outChannels, elementType))) // C6
    return failure();
  if (op.getFilterLayout() == FilterLayout::packed && failed(checkPackedFilter(op, emitError))) // C9
    return failure();
  return checkPositive(emitError, convShape(op)); // C7
}

LogicalResult ConvOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                       SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<ConvOp>(context, location, op)))
    return failure();
  types.push_back(RankedTensorType::get(convShape(op), tensorType(op.getInput()).getElementType()));
  return success();
}

LogicalResult ConvOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  ConvSizes sizes(Adaptor(*this));
  Location loc = getLoc();
  int64_t rank = tensorType(getInput()).getRank(), firstSpatial = spatialDim(getDataLayout(), 0);
  shapes.push_back(reifySizes(builder, loc, getType(), [&](int64_t dim) {
    if (dim == channelDim(getDataLayout(), rank)) // a packed filter has a static M
      return tensor::getMixedSize(builder, loc, getFilter(), 0);
    OpFoldResult size = tensor::getMixedSize(builder, loc, getInput(), dim);
    int64_t i = dim - firstSpatial;
    if (dim == 0)
      return size;
    OpFoldResult kernel = tensor::getMixedSize(builder, loc, getFilter(), sizes.firstKernelDim + i);
    return convWindow(Adaptor(*this), sizes, i).count(builder, loc, size, kernel);
  }));
  return success();
}

int64_t ConvOp::getFlops() {
  ConvSizes sizes(Adaptor(*this));
  int64_t products = ShapedType::isDynamic(sizes.filterChannels) ? 1 : sizes.filterChannels;
  for (int64_t size : sizes.kernel)
    products *= ShapedType::isDynamic(size) ? 1 : size;
  return elementCount(getType()) * (2 * products + (getBias() ? 1 : 0));
}

//===----------------------------------------------------------------------===//
// coat.conv_transpose
//===----------------------------------------------------------------------===//

// Size of an output dimension: s*(I-1) + output_padding + d*(K-1) + 1 - pads, on numbers and on affine expressions.
template <typename T> static T transposedSize(ConvTransposeOp::Adaptor op, int64_t i, T input, T kernel) {
  ArrayRef<int64_t> pads = op.getPads();
  int64_t constant = op.getOutputPadding()[i] + 1 - pads[i] - pads[i + pads.size() / 2];
  return (input - 1) * op.getStrides()[i] + (kernel - 1) * op.getDilations()[i] + constant;
}

static SmallVector<int64_t> convTransposeShape(ConvTransposeOp::Adaptor op) {
  ArrayRef<int64_t> input = tensorType(op.getInput()).getShape(), filter = tensorType(op.getFilter()).getShape();
  SmallVector<int64_t> shape(input);
  shape[1] = ShapedType::isDynamic(filter[1]) ? ShapedType::kDynamic : filter[1] * int64_t(op.getGroup());
  for (size_t dim = 2; dim < input.size(); ++dim)
    if (!ShapedType::isDynamic(input[dim]))
      shape[dim] = ShapedType::isDynamic(filter[dim]) ? ShapedType::kDynamic
                                                      : transposedSize(op, dim - 2, input[dim], filter[dim]);
  return shape;
}

LogicalResult ConvTransposeOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType input = tensorType(op.getInput()), filter = tensorType(op.getFilter());
  if (input.getRank() < 3 || input.getRank() > 5) // C1
    return emitError() << "expected an input of 1 to 3 spatial dimensions, got " << input;
  if (filter.getRank() != input.getRank()) // C1
    return emitError() << "expected a filter of rank " << input.getRank() << ", got " << filter;
  int64_t k = input.getRank() - 2, group = op.getGroup(), channels = input.getDimSize(1);
  if (failed(checkEntries(emitError, "strides", op.getStrides(), k, 1)) || // C2
      failed(checkEntries(emitError, "dilations", op.getDilations(), k, 1)))
    return failure();
  if (int64_t(op.getPads().size()) != 2 * k) // C3
    return emitError() << "expected pads of " << 2 * k << " entries, got [" << op.getPads() << "]";
  if (group < 1 || (!ShapedType::isDynamic(channels) && channels % group != 0)) // C4
    return emitError() << "expected a group that divides " << formatShape({channels}) << " input channels, got "
                       << group;
  if (!sizesAgree(filter.getDimSize(0), channels)) // C4
    return emitError() << "expected a filter whose first dimension is " << channels << ", got " << filter;
  if (failed(checkEntries(emitError, "output_padding", op.getOutputPadding(), k, 0)) ||    // C5
      failed(checkElementTypes(emitError, {op.getInput(), op.getFilter(), op.getBias()}))) // C8
    return failure();
  SmallVector<int64_t> shape = convTransposeShape(op);
  if (failed(checkVector(emitError, "bias", op.getBias(), shape[1], input.getElementType()))) // C6
    return failure();
  return checkPositive(emitError, shape); // C7
}

LogicalResult ConvTransposeOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                                SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<ConvTransposeOp>(context, location, op)))
    return failure();
  types.push_back(RankedTensorType::get(convTransposeShape(op), tensorType(op.getInput()).getElementType()));
  return success();
}

LogicalResult ConvTransposeOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  Location loc = getLoc();
  AffineExpr d0 = builder.getAffineDimExpr(0), d1 = builder.getAffineDimExpr(1);
  shapes.push_back(reifySizes(builder, loc, getType(), [&](int64_t dim) {
    if (dim == 0)
      return tensor::getMixedSize(builder, loc, getInput(), 0);
    OpFoldResult filterSize = tensor::getMixedSize(builder, loc, getFilter(), dim);
    if (dim == 1)
      return applyExpr(builder, loc, d0 * int64_t(getGroup()), {filterSize});
    OpFoldResult size = tensor::getMixedSize(builder, loc, getInput(), dim);
    return applyExpr(builder, loc, transposedSize(Adaptor(*this), dim - 2, d0, d1), {size, filterSize});
  }));
  return success();
}

int64_t ConvTransposeOp::getFlops() {
  // Every input element meets every filter element of its channel once.
  int64_t channels = tensorType(getInput()).getDimSize(1);
  int64_t perChannel = elementCount(getFilter().getType()) / (ShapedType::isDynamic(channels) ? 1 : channels);
  return 2 * elementCount(getInput().getType()) * perChannel + (getBias() ? elementCount(getType()) : 0);
}

//===----------------------------------------------------------------------===//
// coat.matmul
//===----------------------------------------------------------------------===//

// Which dimension of which operand gives M, K and N.
namespace {
struct MatmulDims {
  int64_t lhsM, lhsK, rhsK, rhsN; // rhsN: of a plain rhs
  bool packed;

  explicit MatmulDims(MatmulOp::Adaptor op) {
    int64_t lhsRank = tensorType(op.getLhs()).getRank(), rhsRank = tensorType(op.getRhs()).getRank();
    lhsM = lhsRank - (op.getTransposeLhs() ? 1 : 2);
    lhsK = lhsRank - (op.getTransposeLhs() ? 2 : 1);
    packed = op.getFilterLayout() == FilterLayout::packed;
    rhsK = packed ? 1 : rhsRank - (op.getTransposeRhs() ? 1 : 2);
    rhsN = rhsRank - (op.getTransposeRhs() ? 2 : 1);
  }
};
} // namespace

static int64_t matmulColumns(MatmulOp::Adaptor op, const MatmulDims &dims) {
  return dims.packed ? int64_t(*op.getOutChannels()) : tensorType(op.getRhs()).getDimSize(dims.rhsN);
}

// The leading dimensions of the result; fails where they do not broadcast.
static LogicalResult matmulBatch(MatmulOp::Adaptor op, const MatmulDims &dims, SmallVectorImpl<int64_t> &batch) {
  ArrayRef<int64_t> lhs = tensorType(op.getLhs()).getShape().drop_back(2);
  ArrayRef<int64_t> rhs = dims.packed ? ArrayRef<int64_t>() : tensorType(op.getRhs()).getShape().drop_back(2);
  return success(OpTrait::util::getBroadcastedShape(lhs, rhs, batch));
}

LogicalResult MatmulOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType lhs = tensorType(op.getLhs()), rhs = tensorType(op.getRhs());
  bool packed = op.getFilterLayout() == FilterLayout::packed;
  if (lhs.getRank() < 2) // C1
    return emitError() << "expected a lhs of rank 2 or more, got " << lhs;
  if (packed ? rhs.getRank() != 3 : rhs.getRank() < 2) // C1
    return emitError() << "expected a rhs of " << (packed ? "rank 3" : "rank 2 or more") << ", got " << rhs;
  if (packed && (!op.getOutChannels() || op.getTransposeRhs())) // C6
    return emitError() << "expected out_channels and no transpose_rhs with a packed rhs, got "
                       << (op.getTransposeRhs() ? "transpose_rhs" : "no out_channels");
  if (!packed && op.getOutChannels()) // C6
    return emitError() << "expected no out_channels with a plain rhs, got " << *op.getOutChannels();
  MatmulDims dims(op);
  if (!sizesAgree(lhs.getDimSize(dims.lhsK), rhs.getDimSize(dims.rhsK))) // C2
    return emitError() << "expected a rhs with reduction dimension " << lhs.getDimSize(dims.lhsK) << ", got "
                       << rhs.getDimSize(dims.rhsK);
  SmallVector<int64_t> batch;
  if (failed(matmulBatch(op, dims, batch))) // C3
    return emitError() << "expected leading dimensions that broadcast, got " << lhs << " and " << rhs;
  if (failed(checkElementTypes(emitError, {op.getLhs(), op.getRhs(), op.getBias()}))) // C5
    return failure();
  int64_t columns = matmulColumns(op, dims);
  if (packed && !ShapedType::isDynamic(columns) &&
      (rhs.getDimSize(2) < 1 || rhs.getDimSize(0) != llvm::divideCeilSigned(columns, rhs.getDimSize(2)))) // C6
    return emitError() << "expected a packed rhs whose blocks hold " << columns << " columns, got " << rhs;
  return checkVector(emitError, "bias", op.getBias(), columns, lhs.getElementType()); // C4
}

LogicalResult MatmulOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<MatmulOp>(context, location, op)))
    return failure();
  MatmulDims dims(op);
  RankedTensorType lhs = tensorType(op.getLhs());
  SmallVector<int64_t> shape;
  (void)matmulBatch(op, dims, shape);
  shape.push_back(lhs.getDimSize(dims.lhsM));
  shape.push_back(matmulColumns(op, dims));
  types.push_back(RankedTensorType::get(shape, lhs.getElementType()));
  return success();
}

LogicalResult MatmulOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  MatmulDims dims{Adaptor(*this)};
  Location loc = getLoc();
  int64_t rank = tensorType(getResult()).getRank();
  shapes.push_back(reifySizes(builder, loc, getType(), [&](int64_t dim) -> OpFoldResult {
    if (dim == rank - 2)
      return tensor::getMixedSize(builder, loc, getLhs(), dims.lhsM);
    if (dim == rank - 1)
      return tensor::getMixedSize(builder, loc, getRhs(), dims.rhsN);
    // Symbolic batch sizes that meet are equal: take the first one.
    for (Value operand : {getLhs(), getRhs()}) {
      int64_t operandDim = dim - (rank - tensorType(operand).getRank());
      if (operandDim >= 0 && tensorType(operand).isDynamicDim(operandDim))
        return tensor::getMixedSize(builder, loc, operand, operandDim);
    }
    llvm_unreachable("a symbolic batch size comes from an operand");
  }));
  return success();
}

int64_t MatmulOp::getFlops() {
  int64_t depth = tensorType(getLhs()).getDimSize(MatmulDims(Adaptor(*this)).lhsK);
  return elementCount(getType()) * (2 * (ShapedType::isDynamic(depth) ? 1 : depth) + (getBias() ? 1 : 0));
}
