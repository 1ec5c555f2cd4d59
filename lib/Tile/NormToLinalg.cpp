// Normalizations to linalg.generic. Variances are taken in a second pass over the differences from the mean:
// E[x^2] - E[x]^2 cancels in f32, and the row is in the cache anyway.
#include "Lowerings.h"
#include "Reduction.h"

using namespace mlir;
using namespace coat;

namespace {
using Values = FailureOr<SmallVector<Value>>;

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// total / count, element by element.
Value quotients(OpBuilder &builder, Location loc, Value total, Value count) {
  return mapped(builder, loc, sizesOf(builder, loc, total), count.getType(), total,
                builder.getMultiDimIdentityMap(typeOf(total).getRank()),
                [&](OpBuilder &b, Location l, ValueRange args) { return Scalars{b, l}.div(args[0], count); });
}

/// 1 / sqrt(total / count + epsilon), element by element.
Value inverseRoots(OpBuilder &builder, Location loc, Value total, Value count, double epsilon) {
  Type type = count.getType();
  return mapped(builder, loc, sizesOf(builder, loc, total), type, total,
                builder.getMultiDimIdentityMap(typeOf(total).getRank()),
                [&](OpBuilder &b, Location l, ValueRange args) {
                  Scalars s{b, l};
                  Value variance = s.add(s.div(args[0], count), s.constant(type, epsilon));
                  return s.div(s.constant(type, 1), s.sqrt(variance));
                });
}

/// sum / count of `input` over the reduced dimensions, in `accumulator`.
Value meanOf(OpBuilder &builder, Location loc, Value input, const Reduction &reduction, Type accumulator) {
  Value total = reduction.apply(builder, loc, input, {}, scalarAttr(accumulator, 0),
                                [&](OpBuilder &b, Location l, ValueRange args) {
                                  Scalars s{b, l};
                                  return s.add(s.convert(args[0], accumulator), args[1]);
                                });
  return quotients(builder, loc, total, reduction.count(builder, loc, sizesOf(builder, loc, input), accumulator));
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
  return inverseRoots(builder, loc, total, count, epsilon);
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

/// Channels first, statistics are taken over the view [N, G, C/G, D..]. Channels last, sums are taken channel by
/// channel along vectors, first over the last spatial dimension, then over the others, so that rounding errors grow
/// with the extents' sum and not their product; then over the channels of a group. The affine map is applied to the
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

    bool last = channel == rank - 1 && rank > 2;
    AffineExpr n = rewriter.getAffineDimExpr(0), c = rewriter.getAffineDimExpr(1);
    AffineMap ofGroup = AffineMap::get(2, 0, {n, c.floorDiv(perGroup)}, getContext());
    AffineMap ofChannel = AffineMap::get(2, 0, c, getContext());
    SmallVector<OpFoldResult> perChannel{sizesOf(rewriter, loc, input)[0],
                                         rewriter.getIndexAttr(type.getDimSize(channel))};
    auto overChannels = [&](Value ofGroups) {
      return mapped(rewriter, loc, perChannel, accumulator, ofGroups, ofGroup,
                    [](OpBuilder &, Location, ValueRange args) { return args[0]; });
    };
    double epsilon = op.getEpsilon().convertToDouble();
    Value mean, inverse, meanOfChannel;
    if (last) {
      Value count = countOfGroup(rewriter, loc, input, perGroup, accumulator);
      mean = quotients(rewriter, loc, channelsLastSums(rewriter, loc, input, {}, groups, accumulator), count);
      meanOfChannel = overChannels(mean);
      Value squares = channelsLastSums(rewriter, loc, input, meanOfChannel, groups, accumulator);
      inverse = inverseRoots(rewriter, loc, squares, count, epsilon);
    } else {
      // [N, G, C/G, ..]: everything but N and G is reduced.
      Value grouped = splitChannels(rewriter, loc, input, channel, groups, perGroup);
      Reduction reduction;
      for (int64_t dim = 1; dim <= rank; ++dim)
        if (dim != channel)
          reduction.axes.push_back(dim);
      mean = meanOf(rewriter, loc, grouped, reduction, accumulator);
      inverse = inverseDeviation(rewriter, loc, grouped, mean, reduction, epsilon, accumulator);
      meanOfChannel = overChannels(mean);
    }

    // factor[n, c] = scale[c] * inverse[n, group of c]
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

  /// Elements of a group: of [N, D.., C], the product of D.. and C/G.
  static Value countOfGroup(OpBuilder &builder, Location loc, Value input, int64_t perGroup, Type accumulator) {
    Reduction spatial{llvm::to_vector(llvm::seq<int64_t>(1, typeOf(input).getRank() - 1))};
    Value positions = spatial.count(builder, loc, sizesOf(builder, loc, input), accumulator);
    Scalars s{builder, loc};
    return s.mul(positions, s.constant(accumulator, static_cast<double>(perGroup)));
  }

  /// [N, G]: sums of [N, D.., C], or, with `mean` [N, C], of the squared differences from it.
  static Value channelsLastSums(OpBuilder &builder, Location loc, Value input, Value mean, int64_t groups,
                                Type accumulator) {
    int64_t rank = typeOf(input).getRank(), channels = typeOf(input).getDimSize(rank - 1);
    TypedAttr zero = scalarAttr(accumulator, 0);
    auto add = [](OpBuilder &b, Location l, ValueRange args) { return Scalars{b, l}.add(args[0], args.back()); };
    // Loops are those of the result, [N, D.. but the last, C], then the last of D.
    Reduction innermost{{rank - 2}};
    MLIRContext *context = builder.getContext();
    SmallVector<Value> inputs{input};
    SmallVector<AffineMap> maps{innermost.inputMap(context, rank)};
    if (mean) {
      inputs.push_back(mean);
      maps.push_back(
          AffineMap::get(rank, 0, {builder.getAffineDimExpr(0), builder.getAffineDimExpr(rank - 2)}, context));
    }
    Value start = filled(builder, loc, innermost.resultSizes(builder, sizesOf(builder, loc, input)), zero);
    Value sums = reduced(builder, loc, start, 1, inputs, maps, [&](OpBuilder &b, Location l, ValueRange args) {
      Scalars s{b, l};
      Value x = s.convert(args[0], accumulator);
      if (mean) {
        x = s.sub(x, args[1]);
        x = s.mul(x, x);
      }
      return s.add(x, args.back());
    });
    if (rank > 3)
      sums = Reduction{llvm::to_vector(llvm::seq<int64_t>(1, rank - 2))}.apply(builder, loc, sums, {}, zero, add);
    sums = splitChannels(builder, loc, sums, 1, groups, channels / groups);
    return Reduction{{2}}.apply(builder, loc, sums, {}, zero, add);
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
