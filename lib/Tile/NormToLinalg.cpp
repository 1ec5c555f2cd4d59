// Normalizations to linalg.generic. Variances are taken in a second pass over the differences from the mean:
// E[x^2] - E[x]^2 cancels in f32, and the row is in the cache anyway.
#include "Lowerings.h"
#include "Reduction.h"

using namespace mlir;
using namespace coat;

namespace {
using Values = FailureOr<SmallVector<Value>>;

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// sum / count of `input` over the reduced dimensions, in `accumulator`.
Value meanOf(OpBuilder &builder, Location loc, Value input, const Reduction &reduction, Type accumulator) {
  Value total = reduction.apply(builder, loc, input, {}, scalarAttr(accumulator, 0),
                                [&](OpBuilder &b, Location l, ValueRange args) {
                                  Scalars s{b, l};
                                  return s.add(s.convert(args[0], accumulator), args[1]);
                                });
  Value count = reduction.count(builder, loc, sizesOf(builder, loc, input), accumulator);
  return mapped(builder, loc, sizesOf(builder, loc, total), accumulator, total,
                builder.getMultiDimIdentityMap(typeOf(total).getRank()),
                [&](OpBuilder &b, Location l, ValueRange args) { return Scalars{b, l}.div(args[0], count); });
}

/// 1 / sqrt(mean((x - mean)^2) + epsilon) over the reduced dimensions; without `mean`, of x^2.
Value inverseDeviation(OpBuilder &builder, Location loc, Value input, Value mean, const Reduction &reduction,
                       double epsilon, Type accumulator) {
  Value total = reduction.apply(builder, loc, input, mean ? ValueRange(mean) : ValueRange(), scalarAttr(accumulator, 0),
                                [&](OpBuilder &b, Location l, ValueRange args) {
                                  Scalars s{b, l};
                                  Value x = s.convert(args[0], accumulator);
                                  if (mean)
                                    x = s.sub(x, args[1]);
                                  return s.add(s.mul(x, x), args.back());
                                });
  Value count = reduction.count(builder, loc, sizesOf(builder, loc, input), accumulator);
  return mapped(builder, loc, sizesOf(builder, loc, total), accumulator, total,
                builder.getMultiDimIdentityMap(typeOf(total).getRank()),
                [&](OpBuilder &b, Location l, ValueRange args) {
                  Scalars s{b, l};
                  Value variance = s.add(s.div(args[0], count), s.constant(accumulator, epsilon));
                  return s.div(s.constant(accumulator, 1), s.sqrt(variance));
                });
}

struct LowerLayerNorm : Lowering<LayerNormOp> {
  using Lowering::Lowering;
  Values lower(LayerNormOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = op.getInput();
    RankedTensorType type = typeOf(input);
    Type element = type.getElementType(), accumulator = accumulatorType(element);
    Reduction reduction{llvm::to_vector(llvm::seq<int64_t>(op.getAxis(), type.getRank()))};
    Value mean = op.getRms() ? Value() : meanOf(rewriter, loc, input, reduction, accumulator);
    Value inverse =
        inverseDeviation(rewriter, loc, input, mean, reduction, op.getEpsilon().convertToDouble(), accumulator);

    AffineMap rows = reduction.resultMap(getContext(), type.getRank());
    SmallVector<Value> inputs{input, inverse};
    SmallVector<AffineMap> maps{rewriter.getMultiDimIdentityMap(type.getRank()), rows};
    auto addInput = [&](Value value, AffineMap map) {
      if (value) {
        inputs.push_back(value);
        maps.push_back(map);
      }
    };
    addInput(mean, rows);
    for (Value affine : {op.getScale(), op.getBias()})
      if (affine)
        addInput(affine, broadcastMap(getContext(), typeOf(affine).getShape(), type.getShape()));
    auto body = [&](OpBuilder &b, Location l, ValueRange args) {
      Scalars s{b, l};
      Value x = s.convert(args[0], accumulator);
      ValueRange rest = args.drop_front(2);
      auto next = [&] {
        Value value = s.convert(rest.front(), accumulator);
        rest = rest.drop_front();
        return value;
      };
      if (mean)
        x = s.sub(x, next());
      x = s.mul(x, args[1]);
      if (op.getScale())
        x = s.mul(x, next());
      if (op.getBias())
        x = s.add(x, next());
      return s.convert(x, element);
    };
    return SmallVector<Value>{mapped(rewriter, loc, sizesOf(rewriter, loc, input), element, inputs, maps, body)};
  }
};

/// (x - mean) * (scale / sqrt(variance + epsilon)) + bias: the root is taken once a channel, not once an element.
struct LowerBatchNorm : Lowering<BatchNormOp> {
  using Lowering::Lowering;
  Values lower(BatchNormOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = typeOf(op.getInput());
    Type element = type.getElementType(), accumulator = accumulatorType(element);
    AffineMap vector = rewriter.getMultiDimIdentityMap(1);
    double epsilon = op.getEpsilon().convertToDouble();
    Value factor =
        mapped(rewriter, loc, sizesOf(rewriter, loc, op.getScale()), accumulator, {op.getScale(), op.getVariance()},
               {vector, vector}, [&](OpBuilder &b, Location l, ValueRange args) {
                 Scalars s{b, l};
                 Value variance = s.add(s.convert(args[1], accumulator), s.constant(accumulator, epsilon));
                 return s.div(s.convert(args[0], accumulator), s.sqrt(variance));
               });
    AffineMap channel = AffineMap::get(
        type.getRank(), 0, rewriter.getAffineDimExpr(channelDim(op.getDataLayout(), type.getRank())), getContext());
    AffineMap identity = rewriter.getMultiDimIdentityMap(type.getRank());
    return SmallVector<Value>{
        mapped(rewriter, loc, sizesOf(rewriter, loc, op.getInput()), element,
               {op.getInput(), op.getMean(), factor, op.getBias()}, {identity, channel, channel, channel},
               [&](OpBuilder &b, Location l, ValueRange args) {
                 Scalars s{b, l};
                 Value x = s.sub(s.convert(args[0], accumulator), s.convert(args[1], accumulator));
                 return s.convert(s.add(s.mul(x, args[2]), s.convert(args[3], accumulator)), element);
               })};
  }
};

/// Statistics are taken over the view [N, G, C/G, D..] (or [N, D.., G, C/G]), the affine map is applied to the
/// input itself, with the statistics broadcast to [N, C] first: its innermost loop stays whole.
struct LowerGroupNorm : Lowering<GroupNormOp> {
  using Lowering::Lowering;
  Values lower(GroupNormOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = op.getInput();
    RankedTensorType type = typeOf(input);
    int64_t rank = type.getRank(), channel = channelDim(op.getDataLayout(), rank), groups = op.getGroups();
    if (type.isDynamicDim(channel))
      return rewriter.notifyMatchFailure(op, "expected a static number of channels");
    int64_t perGroup = type.getDimSize(channel) / groups;
    Type element = type.getElementType(), accumulator = accumulatorType(element);

    // [N, .., G, C/G, ..]: everything but N and G is reduced.
    Value grouped = splitChannels(rewriter, loc, input, channel, groups, perGroup);
    Reduction reduction;
    for (int64_t dim = 1; dim <= rank; ++dim)
      if (dim != channel)
        reduction.axes.push_back(dim);
    Value mean = meanOf(rewriter, loc, grouped, reduction, accumulator);
    Value inverse =
        inverseDeviation(rewriter, loc, grouped, mean, reduction, op.getEpsilon().convertToDouble(), accumulator);

    // mean[n, c] and factor[n, c] = scale[c] * inverse[n, group of c].
    AffineExpr n = rewriter.getAffineDimExpr(0), c = rewriter.getAffineDimExpr(1);
    AffineMap ofGroup = AffineMap::get(2, 0, {n, c.floorDiv(perGroup)}, getContext());
    AffineMap ofChannel = AffineMap::get(2, 0, c, getContext());
    SmallVector<OpFoldResult> perChannel{sizesOf(rewriter, loc, input)[0],
                                         rewriter.getIndexAttr(type.getDimSize(channel))};
    Value meanOfChannel = mapped(rewriter, loc, perChannel, accumulator, mean, ofGroup,
                                 [](OpBuilder &, Location, ValueRange args) { return args[0]; });
    Value factor = mapped(rewriter, loc, perChannel, accumulator, {inverse, op.getScale()}, {ofGroup, ofChannel},
                          [&](OpBuilder &b, Location l, ValueRange args) {
                            Scalars s{b, l};
                            return s.mul(args[0], s.convert(args[1], accumulator));
                          });

    AffineExpr channelExpr = rewriter.getAffineDimExpr(channel);
    AffineMap identity = rewriter.getMultiDimIdentityMap(rank);
    AffineMap statistic = AffineMap::get(rank, 0, {rewriter.getAffineDimExpr(0), channelExpr}, getContext());
    AffineMap affine = AffineMap::get(rank, 0, channelExpr, getContext());
    return SmallVector<Value>{
        mapped(rewriter, loc, sizesOf(rewriter, loc, input), element, {input, meanOfChannel, factor, op.getBias()},
               {identity, statistic, statistic, affine}, [&](OpBuilder &b, Location l, ValueRange args) {
                 Scalars s{b, l};
                 Value x = s.mul(s.sub(s.convert(args[0], accumulator), args[1]), args[2]);
                 return s.convert(s.add(x, s.convert(args[3], accumulator)), element);
               })};
  }

  static Value splitChannels(OpBuilder &builder, Location loc, Value input, int64_t channel, int64_t groups,
                             int64_t perGroup) {
    RankedTensorType type = typeOf(input);
    SmallVector<ReassociationIndices> reassociation;
    SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, input);
    SmallVector<int64_t> shape(type.getShape());
    for (int64_t dim = 0, to = 0; dim < type.getRank(); ++dim) {
      reassociation.push_back({to++});
      if (dim == channel)
        reassociation.back().push_back(to++);
    }
    shape[channel] = groups;
    shape.insert(shape.begin() + channel + 1, perGroup);
    sizes[channel] = builder.getIndexAttr(groups);
    sizes.insert(sizes.begin() + channel + 1, builder.getIndexAttr(perGroup));
    return tensor::ExpandShapeOp::create(builder, loc, RankedTensorType::get(shape, type.getElementType()), input,
                                         reassociation, sizes);
  }
};

/// Squares with zeros around the channels, their sums over a window, x / (k + alpha/size * sum)^beta.
struct LowerLRN : Lowering<LRNOp> {
  using Lowering::Lowering;
  Values lower(LRNOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = op.getInput();
    RankedTensorType type = typeOf(input);
    int64_t rank = type.getRank(), channel = channelDim(op.getDataLayout(), rank), size = op.getSize();
    Type element = type.getElementType(), accumulator = accumulatorType(element);
    AffineMap identity = rewriter.getMultiDimIdentityMap(rank);
    SmallVector<OpFoldResult> sizes = sizesOf(rewriter, loc, input), padded = sizes;

    Value squares =
        mapped(rewriter, loc, sizes, accumulator, input, identity, [&](OpBuilder &b, Location l, ValueRange args) {
          Scalars s{b, l};
          Value x = s.convert(args[0], accumulator);
          return s.mul(x, x);
        });
    Value extent = getValueOrCreateConstantIndexOp(rewriter, loc, sizes[channel]);
    if (std::optional<int64_t> channels = getConstantIntValue(sizes[channel]))
      padded[channel] = rewriter.getIndexAttr(*channels + size - 1);
    else
      padded[channel] =
          arith::AddIOp::create(rewriter, loc, extent, arith::ConstantIndexOp::create(rewriter, loc, size - 1))
              .getResult();
    SmallVector<OpFoldResult> offsets(rank, rewriter.getIndexAttr(0)), strides(rank, rewriter.getIndexAttr(1));
    offsets[channel] = rewriter.getIndexAttr((size - 1) / 2);
    Value zeros = filled(rewriter, loc, padded, scalarAttr(accumulator, 0));
    Value ring = tensor::InsertSliceOp::create(rewriter, loc, squares, zeros, offsets, sizes, strides);

    // The second input only gives the window loop its extent.
    Value window = tensor::EmptyOp::create(rewriter, loc, ArrayRef<int64_t>{size}, accumulator);
    SmallVector<AffineExpr> exprs;
    for (int64_t dim = 0; dim < rank; ++dim)
      exprs.push_back(rewriter.getAffineDimExpr(dim) +
                      (dim == channel ? rewriter.getAffineDimExpr(rank) : rewriter.getAffineConstantExpr(0)));
    Value sums = reduced(rewriter, loc, filled(rewriter, loc, sizes, scalarAttr(accumulator, 0)), 1, {ring, window},
                         {AffineMap::get(rank + 1, 0, exprs, getContext()),
                          AffineMap::get(rank + 1, 0, rewriter.getAffineDimExpr(rank), getContext())},
                         [](OpBuilder &b, Location l, ValueRange args) { return Scalars{b, l}.add(args[0], args[2]); });
    double factor = op.getAlpha().convertToDouble() / static_cast<double>(size);
    return SmallVector<Value>{mapped(rewriter, loc, sizes, element, {input, sums}, {identity, identity},
                                     [&](OpBuilder &b, Location l, ValueRange args) {
                                       Scalars s{b, l};
                                       Value base = s.add(s.constant(accumulator, op.getK().convertToDouble()),
                                                          s.mul(s.constant(accumulator, factor), args[1]));
                                       Value x = s.convert(args[0], accumulator);
                                       return s.convert(s.div(x, s.power(base, op.getBeta().convertToDouble())),
                                                        element);
                                     })};
  }
};
} // namespace

void coat::populateNormToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerLayerNorm, LowerBatchNorm, LowerGroupNorm, LowerLRN>(patterns.getContext());
}
