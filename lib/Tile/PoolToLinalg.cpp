// Pooling to linalg.generic: one reduction over the window, whose loops are the result's dimensions and then the
// window's. Layout has made padding explicit where it could; what padding is left becomes a border of the
// neutral element.
#include "Lowerings.h"
#include "Windows.h"

using namespace mlir;
using namespace coat;

Value coat::bordered(OpBuilder &builder, Location loc, Value input, ArrayRef<int64_t> low, ArrayRef<OpFoldResult> high,
                     TypedAttr value) {
  SmallVector<OpFoldResult> inner = sizesOf(builder, loc, input), outer, offsets;
  bool any = false;
  for (auto [size, before, after] : llvm::zip(inner, low, high)) {
    any |= before != 0 || !isConstantIntValue(after, 0);
    AffineExpr d0 = builder.getAffineDimExpr(0), d1 = builder.getAffineDimExpr(1);
    outer.push_back(affine::makeComposedFoldedAffineApply(builder, loc, d0 + d1 + before, {size, after}));
    offsets.push_back(builder.getIndexAttr(before));
  }
  if (!any)
    return input;
  SmallVector<OpFoldResult> strides(inner.size(), builder.getIndexAttr(1));
  return tensor::InsertSliceOp::create(builder, loc, input, filled(builder, loc, outer, value), offsets, inner,
                                       strides);
}

namespace {
using Values = FailureOr<SmallVector<Value>>;

/// One pooling op, seen by dimension of its result.
struct Window {
  mutable PoolOp op; // its accessors are not const
  int64_t rank, spatial, first;

  explicit Window(PoolOp op)
      : op(op), rank(cast<RankedTensorType>(op.getInput().getType()).getRank()), spatial(rank - 2),
        first(op.getDataLayout() == coat::DataLayout::channels_first ? 2 : 1) {}

  bool isSpatial(int64_t dim) const { return dim >= first && dim < first + spatial; }
  int64_t kernel(int64_t i) const { return op.getKernel()[i]; }
  int64_t stride(int64_t i) const { return op.getStrides()[i]; }
  int64_t dilation(int64_t i) const { return op.getDilations()[i]; }
  int64_t padBegin(int64_t i) const { return op.getPads()[i]; }
  int64_t padEnd(int64_t i) const { return op.getPads()[spatial + i]; }
  int64_t elements() const {
    return std::accumulate(op.getKernel().begin(), op.getKernel().end(), int64_t{1}, std::multiplies<>());
  }

  /// Result sizes: of the type, or (I + pads - d*(K-1) - 1) / s + 1 (a static type has the ceil_mode variant in it).
  SmallVector<OpFoldResult> resultSizes(OpBuilder &builder, Location loc) const {
    auto result = cast<RankedTensorType>(op.getResult().getType());
    SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, op.getInput());
    for (int64_t dim = 0; dim < rank; ++dim) {
      if (!result.isDynamicDim(dim))
        sizes[dim] = builder.getIndexAttr(result.getDimSize(dim));
      else if (isSpatial(dim)) {
        int64_t i = dim - first, s = stride(i), extra = padBegin(i) + padEnd(i) - dilation(i) * (kernel(i) - 1) - 1;
        AffineExpr in = builder.getAffineDimExpr(0);
        AffineExpr out = (in + extra).floorDiv(s) + 1;
        sizes[dim] = affine::makeComposedFoldedAffineApply(builder, loc, out, {sizes[dim]});
      }
    }
    return sizes;
  }

  /// The input with borders so wide that every window is inside.
  Value borderedInput(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> result, TypedAttr value) const {
    SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, op.getInput()), high(rank, builder.getIndexAttr(0));
    SmallVector<int64_t> low(rank, 0);
    for (int64_t i = 0; i < spatial; ++i) {
      int64_t dim = first + i;
      low[dim] = padBegin(i);
      if (!op.getCeilMode()) {
        high[dim] = builder.getIndexAttr(padEnd(i));
        continue;
      }
      // As far as the last window reaches, or the pad where it does not reach that far.
      AffineExpr in = builder.getAffineDimExpr(0), out = builder.getAffineDimExpr(1);
      AffineExpr reach = (out - 1) * stride(i) + dilation(i) * (kernel(i) - 1) + 1 - padBegin(i) - in;
      AffineMap most = AffineMap::get(2, 0, {reach, builder.getAffineConstantExpr(padEnd(i))}, builder.getContext());
      high[dim] = affine::makeComposedFoldedAffineMax(builder, loc, most, {sizes[dim], result[dim]});
    }
    return bordered(builder, loc, op.getInput(), low, high, value);
  }

  /// Loops: result dimensions, then window dimensions.
  AffineMap inputMap(OpBuilder &builder) const {
    SmallVector<AffineExpr> exprs;
    for (int64_t dim = 0; dim < rank; ++dim) {
      AffineExpr expr = builder.getAffineDimExpr(dim);
      if (isSpatial(dim))
        expr = expr * stride(dim - first) + builder.getAffineDimExpr(rank + dim - first) * dilation(dim - first);
      exprs.push_back(expr);
    }
    return AffineMap::get(rank + spatial, 0, exprs, builder.getContext());
  }
  AffineMap windowMap(OpBuilder &builder) const {
    return AffineMap::getMultiDimIdentityMap(rank + spatial, builder.getContext()).getMinorSubMap(spatial);
  }
  /// Gives the window loops their extents; it is never read.
  Value extents(OpBuilder &builder, Location loc) const {
    return tensor::EmptyOp::create(builder, loc, op.getKernel(), getElementTypeOrSelf(op.getInput()));
  }

  /// Number of elements that the mean of the window at the current result element divides by.
  Value divisor(Scalars s, ArrayRef<OpFoldResult> inputSizes) const {
    Value total;
    for (int64_t i = 0; i < spatial; ++i) {
      // Taps t with 0 <= o*s - p + t*d < I (count_include_pad: -p <= .. < I + pad_end).
      int64_t begin = op.getCountIncludePad() ? -padBegin(i) : 0;
      int64_t beyond = op.getCountIncludePad() ? padEnd(i) : 0;
      AffineExpr o = s.builder.getAffineDimExpr(0), in = s.builder.getAffineDimExpr(1);
      AffineExpr start = o * stride(i) - padBegin(i), k = s.builder.getAffineConstantExpr(kernel(i));
      AffineExpr firstTap = (begin - start).ceilDiv(dilation(i)), endTap = (in + beyond - start).ceilDiv(dilation(i));
      SmallVector<OpFoldResult> operands{s.index(first + i), s.asValue(inputSizes[first + i])};
      MLIRContext *context = s.builder.getContext();
      auto least = AffineMap::get(2, 0, {firstTap, s.builder.getAffineConstantExpr(0)}, context);
      auto most = AffineMap::get(2, 0, {endTap, k}, context);
      Value from = s.asValue(affine::makeComposedFoldedAffineMax(s.builder, s.loc, least, operands));
      Value to = s.asValue(affine::makeComposedFoldedAffineMin(s.builder, s.loc, most, operands));
      Value count = s.sub(to, from);
      total = total ? s.mul(total, count) : count;
    }
    return total;
  }
};

struct LowerPool : Lowering<PoolOp> {
  using Lowering::Lowering;
  Values lower(PoolOp op, PatternRewriter &rewriter) const override {
    if (op.getWithIndices())
      return rewriter.notifyMatchFailure(op, "the pattern with indices takes it");
    Location loc = op.getLoc();
    Window window(op);
    Type element = getElementTypeOrSelf(op.getInput()), accumulator = accumulatorType(element);
    bool isMax = op.getKind() == PoolKind::max;
    int64_t p = op.getKind() == PoolKind::lp ? op.getP() : 1;
    SmallVector<OpFoldResult> sizes = window.resultSizes(rewriter, loc);
    Value input = window.borderedInput(rewriter, loc, sizes, isMax ? lowestAttr(element) : scalarAttr(element, 0));
    Value init = filled(rewriter, loc, sizes, isMax ? lowestAttr(accumulator) : scalarAttr(accumulator, 0));
    Value total = reduced(rewriter, loc, init, window.spatial, {input, window.extents(rewriter, loc)},
                          {window.inputMap(rewriter), window.windowMap(rewriter)},
                          [&](OpBuilder &b, Location l, ValueRange args) {
                            Scalars s{b, l};
                            Value x = s.convert(args[0], accumulator);
                            if (isMax)
                              return s.maxOfNumbers(x, args[2]);
                            if (op.getKind() == PoolKind::lp)
                              x = s.power(s.abs(x), static_cast<double>(p));
                            return s.add(x, args[2]);
                          });
    bool ends =
        op.getKind() == PoolKind::max || op.getKind() == PoolKind::sum || (op.getKind() == PoolKind::lp && p == 1);
    if (ends && accumulator == element)
      return SmallVector<Value>{total};
    bool sameCount = !op.getCeilMode() && llvm::all_of(op.getPads(), [](int64_t pad) { return pad == 0; });
    SmallVector<OpFoldResult> inputSizes = sizesOf(rewriter, loc, op.getInput());
    return SmallVector<Value>{
        mapped(rewriter, loc, sizes, element, total, rewriter.getMultiDimIdentityMap(window.rank),
               [&](OpBuilder &b, Location l, ValueRange args) {
                 Scalars s{b, l};
                 Value x = args[0];
                 if (op.getKind() == PoolKind::lp)
                   x = s.power(x, 1.0 / static_cast<double>(p));
                 if (op.getKind() == PoolKind::average)
                   x = s.div(x, sameCount ? s.constant(accumulator, static_cast<double>(window.elements()))
                                          : asFloat(s, window.divisor(s, inputSizes), accumulator));
                 return s.convert(x, element);
               })};
  }

  static Value asFloat(Scalars s, Value index, Type type) {
    Value wide = arith::IndexCastOp::create(s.builder, s.loc, s.builder.getI64Type(), index);
    return arith::SIToFPOp::create(s.builder, s.loc, type, wide);
  }
};

/// Two accumulators, the maximum and its flat index, which starts below zero, meaning "none yet".
struct LowerPoolWithIndices : Lowering<PoolOp> {
  using Lowering::Lowering;
  Values lower(PoolOp op, PatternRewriter &rewriter) const override {
    if (!op.getWithIndices())
      return rewriter.notifyMatchFailure(op, "the pattern without indices takes it");
    Location loc = op.getLoc();
    Window window(op);
    int64_t rank = window.rank, loops = rank + window.spatial;
    Type element = getElementTypeOrSelf(op.getInput());
    SmallVector<OpFoldResult> sizes = window.resultSizes(rewriter, loc),
                              inputSizes = sizesOf(rewriter, loc, op.getInput());
    Value best = filled(rewriter, loc, sizes, lowestAttr(element));
    Value where = filled(rewriter, loc, sizes, rewriter.getI64IntegerAttr(-1));
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    iterators.append(window.spatial, utils::IteratorType::reduction);
    AffineMap identity = rewriter.getMultiDimIdentityMap(loops).getMajorSubMap(rank);
    auto generic = linalg::GenericOp::create(
        rewriter, loc, TypeRange{best.getType(), where.getType()}, window.extents(rewriter, loc),
        ValueRange{best, where}, ArrayRef<AffineMap>{window.windowMap(rewriter), identity, identity}, iterators,
        [&](OpBuilder &b, Location l, ValueRange args) {
          Scalars s{b, l};
          auto [x, inside, flat] = tap(s, window, inputSizes);
          Value better = isa<FloatType>(element) ? s.compare(arith::CmpFPredicate::OGT, x, args[1])
                                                 : s.compare(arith::CmpIPredicate::sgt, x, args[1]);
          Value none = s.compare(arith::CmpIPredicate::slt, args[2], s.constant(b.getI64Type(), 0));
          Value take = s.logicalAnd(inside, arith::OrIOp::create(b, l, none, better));
          linalg::YieldOp::create(b, l, ValueRange{s.select(take, x, args[1]), s.select(take, flat, args[2])});
        });
    return SmallVector<Value>(generic.getResults());
  }

  /// The element at the current tap (any element where that is outside), whether it is inside the input, and its
  /// flat index.
  static std::tuple<Value, Value, Value> tap(Scalars s, const Window &window, ArrayRef<OpFoldResult> inputSizes) {
    SmallVector<Value> indices{s.index(0), s.index(1)}, extents;
    for (OpFoldResult size : inputSizes)
      extents.push_back(s.asValue(size));
    Value inside = s.constant(s.builder.getI1Type(), 1), zero = s.constant(s.builder.getIndexType(), 0);
    for (int64_t i = 0; i < window.spatial; ++i) {
      AffineExpr o = s.builder.getAffineDimExpr(0), t = s.builder.getAffineDimExpr(1);
      AffineExpr at = o * window.stride(i) + t * window.dilation(i) - window.padBegin(i);
      indices.push_back(s.asValue(affine::makeComposedFoldedAffineApply(
          s.builder, s.loc, at, {OpFoldResult(s.index(2 + i)), OpFoldResult(s.index(window.rank + i))})));
      inside = s.logicalAnd(inside, s.compare(arith::CmpIPredicate::sge, indices.back(), zero));
      inside = s.logicalAnd(inside, s.compare(arith::CmpIPredicate::slt, indices.back(), extents[2 + i]));
    }
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, window.rank));
    PoolOp op = window.op;
    if (op.getStorageOrder() == 1 && window.spatial >= 2)
      std::swap(order[window.rank - 1], order[window.rank - 2]);
    Value flat = zero;
    for (int64_t dim : order)
      flat = s.add(s.mul(flat, extents[dim]), indices[dim]);
    for (int64_t i = 0; i < window.spatial; ++i) {
      Value last = s.sub(extents[2 + i], s.constant(flat.getType(), 1));
      indices[2 + i] = s.max(s.min(indices[2 + i], last), zero);
    }
    Value x = tensor::ExtractOp::create(s.builder, s.loc, op.getInput(), indices);
    return {x, inside, arith::IndexCastOp::create(s.builder, s.loc, s.builder.getI64Type(), flat)};
  }
};
} // namespace

void coat::populatePoolToLinalgPatterns(RewritePatternSet &patterns) { patterns.add<LowerPool>(patterns.getContext()); }

void coat::populatePoolWithIndicesToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerPoolWithIndices>(patterns.getContext());
}
