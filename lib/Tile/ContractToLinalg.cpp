// Convolutions and matrix products that no microkernel takes, to linalg.generic: the layouts of the model itself,
// batched right-hand sides, unusual types. Speed comes from the microkernels; these are right for every case.
#include "Lowerings.h"
#include "Windows.h"

using namespace mlir;
using namespace coat;

namespace {
using Values = FailureOr<SmallVector<Value>>;

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// acc + a * b in the accumulator's type.
Value multiplyAdd(Scalars s, Value a, Value b, Value acc) {
  return s.add(s.mul(s.convert(a, acc.getType()), s.convert(b, acc.getType())), acc);
}

/// A tensor of `sizes` that starts every sum: bias along dimension `dim`, or zero.
Value startOfSums(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes, Value bias, int64_t dim, Type type) {
  if (!bias)
    return filled(builder, loc, sizes, scalarAttr(type, 0));
  AffineMap map = AffineMap::get(sizes.size(), 0, builder.getAffineDimExpr(dim), builder.getContext());
  return mapped(builder, loc, sizes, type, bias, map,
                [&](OpBuilder &b, Location l, ValueRange args) { return Scalars{b, l}.convert(args[0], type); });
}

/// `value` in element type `type`.
Value converted(OpBuilder &builder, Location loc, Value value, Type type) {
  if (getElementTypeOrSelf(value) == type)
    return value;
  return mapped(builder, loc, sizesOf(builder, loc, value), type, value,
                builder.getMultiDimIdentityMap(typeOf(value).getRank()),
                [&](OpBuilder &b, Location l, ValueRange args) { return Scalars{b, l}.convert(args[0], type); });
}

struct LowerMatmul : Lowering<MatmulOp> {
  using Lowering::Lowering;
  Values lower(MatmulOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    bool packed = op.getFilterLayout() == FilterLayout::packed;
    Type element = getElementTypeOrSelf(op.getLhs()), accumulator = accumulatorType(element);
    SmallVector<OpFoldResult> sizes;
    resultSizes(rewriter, op, sizes);
    int64_t rank = sizes.size();
    AffineExpr m = rewriter.getAffineDimExpr(rank - 2), n = rewriter.getAffineDimExpr(rank - 1);
    AffineExpr k = rewriter.getAffineDimExpr(rank);
    AffineMap lhs = operandMap(op.getLhs(), rank, op.getTransposeLhs() ? ArrayRef{k, m} : ArrayRef{m, k});
    AffineMap rhs = operandMap(op.getRhs(), rank, op.getTransposeRhs() ? ArrayRef{n, k} : ArrayRef{k, n});
    if (packed) {
      int64_t block = typeOf(op.getRhs()).getDimSize(2);
      rhs = AffineMap::get(rank + 1, 0, {n.floorDiv(block), k, n % block}, getContext());
    }
    Value start = startOfSums(rewriter, loc, sizes, op.getBias(), rank - 1, accumulator);
    Value total = reduced(
        rewriter, loc, start, 1, {op.getLhs(), op.getRhs()}, {lhs, rhs},
        [](OpBuilder &b, Location l, ValueRange args) { return multiplyAdd({b, l}, args[0], args[1], args[2]); });
    return SmallVector<Value>{converted(rewriter, loc, total, element)};
  }

  /// Leading dimensions broadcast: aligned at the end, size 1 stays at element 0.
  static AffineMap operandMap(Value operand, int64_t rank, ArrayRef<AffineExpr> matrix) {
    RankedTensorType type = typeOf(operand);
    SmallVector<AffineExpr> exprs;
    for (int64_t dim = 0; dim < type.getRank() - 2; ++dim)
      exprs.push_back(type.getDimSize(dim) == 1 ? getAffineConstantExpr(0, type.getContext())
                                                : getAffineDimExpr(dim + rank - type.getRank(), type.getContext()));
    llvm::append_range(exprs, matrix);
    return AffineMap::get(rank + 1, 0, exprs, type.getContext());
  }

  static void resultSizes(OpBuilder &builder, MatmulOp op, SmallVectorImpl<OpFoldResult> &sizes) {
    auto result = cast<RankedTensorType>(op.getResult().getType());
    SmallVector<OpFoldResult> lhs = sizesOf(builder, op.getLoc(), op.getLhs());
    SmallVector<OpFoldResult> rhs = sizesOf(builder, op.getLoc(), op.getRhs());
    int64_t rank = result.getRank(), lhsShift = rank - lhs.size(), rhsShift = rank - rhs.size();
    for (int64_t dim = 0; dim < rank; ++dim) {
      if (!result.isDynamicDim(dim))
        sizes.push_back(builder.getIndexAttr(result.getDimSize(dim)));
      else if (dim == rank - 1)
        sizes.push_back(rhs[rhs.size() - (op.getTransposeRhs() ? 2 : 1)]);
      else if (dim == rank - 2)
        sizes.push_back(lhs[lhs.size() - (op.getTransposeLhs() ? 1 : 2)]);
      else
        sizes.push_back(dim >= lhsShift && !isConstantIntValue(lhs[dim - lhsShift], 1) ? lhs[dim - lhsShift]
                                                                                       : rhs[dim - rhsShift]);
    }
  }
};

/// A convolution without padding, described by dimension: the loops are the result's dimensions, then the input
/// channels of a group, then the window.
struct ConvLoops {
  int64_t spatial, channel, firstSpatial, inPerGroup, outPerGroup;
  bool grouped;
  SmallVector<int64_t> strides, dilations;

  int64_t rank() const { return spatial + 2; }

  AffineMap inputMap(MLIRContext *context) const {
    SmallVector<AffineExpr> exprs(rank());
    exprs[0] = getAffineDimExpr(0, context);
    exprs[channel] = getAffineDimExpr(rank(), context);
    if (grouped)
      exprs[channel] = exprs[channel] + getAffineDimExpr(channel, context).floorDiv(outPerGroup) * inPerGroup;
    for (int64_t i = 0; i < spatial; ++i)
      exprs[firstSpatial + i] = getAffineDimExpr(firstSpatial + i, context) * strides[i] +
                                getAffineDimExpr(rank() + 1 + i, context) * dilations[i];
    return AffineMap::get(rank() + 1 + spatial, 0, exprs, context);
  }
};

struct LowerConv : Lowering<ConvOp> {
  using Lowering::Lowering;
  Values lower(ConvOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType input = typeOf(op.getInput()), filter = typeOf(op.getFilter());
    auto result = cast<RankedTensorType>(op.getResult().getType());
    bool first = op.getDataLayout() == coat::DataLayout::channels_first;
    int64_t rank = input.getRank(), spatial = rank - 2, channel = first ? 1 : rank - 1, group = op.getGroup();
    if (result.isDynamicDim(channel) || input.isDynamicDim(channel))
      return rewriter.notifyMatchFailure(op, "expected static numbers of channels");
    ConvLoops loops{spatial,
                    channel,
                    first ? 2 : 1,
                    input.getDimSize(channel) / group,
                    result.getDimSize(channel) / group,
                    group > 1,
                    SmallVector<int64_t>(op.getStrides()),
                    SmallVector<int64_t>(op.getDilations())};
    Type element = input.getElementType(), accumulator = accumulatorType(element);

    SmallVector<int64_t> low(rank, 0);
    SmallVector<OpFoldResult> high(rank, rewriter.getIndexAttr(0));
    for (int64_t i = 0; i < spatial; ++i) {
      low[loops.firstSpatial + i] = op.getPads()[i];
      high[loops.firstSpatial + i] = rewriter.getIndexAttr(op.getPads()[spatial + i]);
    }
    Value padded = bordered(rewriter, loc, op.getInput(), low, high, scalarAttr(element, 0));
    SmallVector<OpFoldResult> sizes = sizesOf(rewriter, loc, padded);
    sizes[channel] = rewriter.getIndexAttr(result.getDimSize(channel));
    for (int64_t i = 0; i < spatial; ++i) {
      int64_t dim = loops.firstSpatial + i, window = i + 2;
      AffineExpr in = rewriter.getAffineDimExpr(0);
      int64_t reach = loops.dilations[i] * (filter.getDimSize(window) - 1) + 1;
      sizes[dim] = affine::makeComposedFoldedAffineApply(rewriter, loc, (in - reach).floorDiv(loops.strides[i]) + 1,
                                                         {sizes[dim]});
    }
    Value start = startOfSums(rewriter, loc, sizes, op.getBias(), channel, accumulator);
    Value total =
        reduced(rewriter, loc, start, 1 + spatial, {padded, op.getFilter()},
                {loops.inputMap(getContext()), filterMap(op, loops)}, [](OpBuilder &b, Location l, ValueRange args) {
                  return multiplyAdd({b, l}, args[0], args[1], args[2]);
                });
    return SmallVector<Value>{converted(rewriter, loc, total, element)};
  }

  /// plain [M, C/g, K..]; packed [g, Mb, K.., C/g, Mr].
  static AffineMap filterMap(ConvOp op, const ConvLoops &loops) {
    MLIRContext *context = op.getContext();
    AffineExpr m = getAffineDimExpr(loops.channel, context), c = getAffineDimExpr(loops.rank(), context);
    SmallVector<AffineExpr> window;
    for (int64_t i = 0; i < loops.spatial; ++i)
      window.push_back(getAffineDimExpr(loops.rank() + 1 + i, context));
    SmallVector<AffineExpr> exprs{m, c};
    if (op.getFilterLayout() == FilterLayout::packed) {
      int64_t block = typeOf(op.getFilter()).getShape().back();
      AffineExpr inGroup = m % loops.outPerGroup;
      exprs = {m.floorDiv(loops.outPerGroup), inGroup.floorDiv(block)};
      llvm::append_range(exprs, window);
      exprs.append({c, inGroup % block});
    } else {
      llvm::append_range(exprs, window);
    }
    return AffineMap::get(loops.rank() + 1 + loops.spatial, 0, exprs, context);
  }
};

/// %r = coat.conv_transpose %x, %f   ==>   a stride-1 convolution of x, with s-1 zeros between its elements and a
/// border, by the reversed filter. One in s^k products is not by zero; in exchange all loops are plain.
struct LowerConvTranspose : Lowering<ConvTransposeOp> {
  using Lowering::Lowering;
  Values lower(ConvTransposeOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType input = typeOf(op.getInput()), filter = typeOf(op.getFilter());
    int64_t rank = input.getRank(), spatial = rank - 2, group = op.getGroup();
    if (filter.isDynamicDim(0) || filter.isDynamicDim(1))
      return rewriter.notifyMatchFailure(op, "expected static numbers of channels");
    int64_t perGroup = filter.getDimSize(1), channels = filter.getDimSize(0);
    ConvLoops loops{spatial,
                    1,
                    2,
                    channels / group,
                    perGroup,
                    group > 1,
                    SmallVector<int64_t>(spatial, 1),
                    SmallVector<int64_t>(op.getDilations())};
    Type element = input.getElementType(), accumulator = accumulatorType(element);

    // out[o] reads stuffed[o + t*d] times filter[K-1-t]; x[i] is at i*s + border of stuffed, so that o + t*d =
    // i*s + border where o = i*s + j*d - pad and t = K-1-j: border = d*(K-1) - pad, cut where it is negative.
    SmallVector<OpFoldResult> inner = sizesOf(rewriter, loc, op.getInput()), outer = inner, sizes = inner;
    SmallVector<OpFoldResult> offsets(rank, rewriter.getIndexAttr(0)), steps(rank, rewriter.getIndexAttr(1));
    SmallVector<OpFoldResult> cut(rank, rewriter.getIndexAttr(0)), wanted = inner;
    sizes[1] = rewriter.getIndexAttr(perGroup * group);
    for (int64_t i = 0; i < spatial; ++i) {
      int64_t dim = 2 + i, s = op.getStrides()[i], reach = op.getDilations()[i] * (filter.getDimSize(dim) - 1);
      int64_t begin = reach - op.getPads()[i], end = reach - op.getPads()[spatial + i] + op.getOutputPadding()[i];
      AffineExpr in = rewriter.getAffineDimExpr(0);
      auto size = [&](AffineExpr expr) {
        return affine::makeComposedFoldedAffineApply(rewriter, loc, expr, {inner[dim]});
      };
      AffineExpr spread = (in - 1) * s + 1;
      outer[dim] = size(spread + std::max<int64_t>(begin, 0) + std::max<int64_t>(end, 0));
      wanted[dim] = size(spread + begin + end);
      sizes[dim] = size(spread + begin + end - reach);
      offsets[dim] = rewriter.getIndexAttr(std::max<int64_t>(begin, 0));
      cut[dim] = rewriter.getIndexAttr(std::max<int64_t>(-begin, 0));
      steps[dim] = rewriter.getIndexAttr(s);
    }
    Value zeros = filled(rewriter, loc, outer, scalarAttr(element, 0));
    Value stuffed = tensor::InsertSliceOp::create(rewriter, loc, op.getInput(), zeros, offsets, inner, steps);
    if (wanted != outer)
      stuffed = tensor::ExtractSliceOp::create(rewriter, loc, stuffed, cut, wanted,
                                               SmallVector<OpFoldResult>(rank, rewriter.getIndexAttr(1)));
    Value start = startOfSums(rewriter, loc, sizes, op.getBias(), 1, accumulator);
    // The third input only gives the reduction loops their extents.
    SmallVector<OpFoldResult> extents{rewriter.getIndexAttr(loops.inPerGroup)};
    llvm::append_range(extents, ArrayRef(sizesOf(rewriter, loc, op.getFilter())).drop_front(2));
    Value window = tensor::EmptyOp::create(rewriter, loc, extents, element);
    AffineMap windowMap = rewriter.getMultiDimIdentityMap(rank + 1 + spatial).getMinorSubMap(1 + spatial);
    Value total = reduced(
        rewriter, loc, start, 1 + spatial, {stuffed, op.getFilter(), window},
        {loops.inputMap(getContext()), reversedFilterMap(filter, loops), windowMap},
        [](OpBuilder &b, Location l, ValueRange args) { return multiplyAdd({b, l}, args[0], args[1], args[3]); });
    return SmallVector<Value>{converted(rewriter, loc, total, element)};
  }

  /// [C, M/g, K..], every window dimension from its end.
  static AffineMap reversedFilterMap(RankedTensorType filter, const ConvLoops &loops) {
    MLIRContext *context = filter.getContext();
    AffineExpr m = getAffineDimExpr(1, context), c = getAffineDimExpr(loops.rank(), context);
    SmallVector<AffineExpr> exprs{c, m};
    if (loops.grouped)
      exprs = {m.floorDiv(loops.outPerGroup) * loops.inPerGroup + c, m % loops.outPerGroup};
    for (int64_t i = 0; i < loops.spatial; ++i)
      exprs.push_back(filter.getDimSize(2 + i) - 1 - getAffineDimExpr(loops.rank() + 1 + i, context));
    return AffineMap::get(loops.rank() + 1 + loops.spatial, 0, exprs, context);
  }
};
} // namespace

void coat::populateContractToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerMatmul, LowerConv, LowerConvTranspose>(patterns.getContext());
}
