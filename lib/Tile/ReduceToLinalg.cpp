// Reductions to linalg.generic: reduce, arg_reduce, global_pool and softmax. Each is one or two reducing
// generics with element-wise ones around them.
#include "Lowerings.h"
#include "Reduction.h"

using namespace mlir;
using namespace coat;

namespace {
using Values = FailureOr<SmallVector<Value>>;

/// What is done to an element before it is accumulated, how it is, and what is done to the sum.
struct ReduceFormula {
  TypedAttr init;
  std::function<Value(Scalars, Value)> before;
  std::function<Value(Scalars, Value, Value)> combine;
  std::function<Value(Scalars, Value, Value)> after; // (sum, count); null where nothing is left to do
};

Value sum(Scalars s, Value a, Value b) { return s.add(a, b); }
Value itself(Scalars, Value a) { return a; }
Value square(Scalars s, Value a) { return s.mul(a, a); }
Value magnitude(Scalars s, Value a) { return s.abs(a); }
Value mean(Scalars s, Value a, Value count) { return s.div(a, count); }

/// `type` is that of the accumulator. log_sum_exp has a file-local lowering of its own.
ReduceFormula formulaOf(ReduceKind kind, Type type) {
  TypedAttr zero = scalarAttr(type, 0);
  switch (kind) {
  case ReduceKind::sum:
    return {zero, itself, sum, nullptr};
  case ReduceKind::mean:
    return {zero, itself, sum, mean};
  case ReduceKind::max:
    return {lowestAttr(type), itself, [](Scalars s, Value a, Value b) { return s.max(a, b); }, nullptr};
  case ReduceKind::min:
    return {highestAttr(type), itself, [](Scalars s, Value a, Value b) { return s.min(a, b); }, nullptr};
  case ReduceKind::prod:
    return {scalarAttr(type, 1), itself, [](Scalars s, Value a, Value b) { return s.mul(a, b); }, nullptr};
  case ReduceKind::l1:
    return {zero, magnitude, sum, nullptr};
  case ReduceKind::l2:
    return {zero, square, sum, [](Scalars s, Value a, Value) { return s.sqrt(a); }};
  case ReduceKind::sum_square:
    return {zero, square, sum, nullptr};
  case ReduceKind::log_sum:
  case ReduceKind::log_sum_exp:
    return {zero, itself, sum, [](Scalars s, Value a, Value) { return s.log(a); }};
  }
  llvm_unreachable("all kinds are handled");
}

ReduceFormula formulaOf(PoolKind kind, int64_t p, Type type) {
  switch (kind) {
  case PoolKind::max:
    return formulaOf(ReduceKind::max, type);
  case PoolKind::average:
    return formulaOf(ReduceKind::mean, type);
  case PoolKind::sum:
    return formulaOf(ReduceKind::sum, type);
  case PoolKind::lp:
    return {scalarAttr(type, 0), [p](Scalars s, Value a) { return s.power(s.abs(a), p); }, sum,
            [p](Scalars s, Value a, Value) { return s.power(a, 1.0 / p); }};
  }
  llvm_unreachable("all kinds are handled");
}

/// `value` with `body` applied to each element, in element type `type`.
Value mapEach(OpBuilder &builder, Location loc, Value value, Type type, BodyBuilder body) {
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  return mapped(builder, loc, sizesOf(builder, loc, value), type, value, builder.getMultiDimIdentityMap(rank), body);
}

/// `input` reduced by `formula`, as element type of `input`.
Value reduceBy(OpBuilder &builder, Location loc, Value input, const Reduction &reduction,
               const ReduceFormula &formula) {
  Type type = getElementTypeOrSelf(input), accumulator = formula.init.getType();
  Value total = reduction.apply(builder, loc, input, {}, formula.init, [&](OpBuilder &b, Location l, ValueRange args) {
    Scalars s{b, l};
    return formula.combine(s, formula.before(s, s.convert(args[0], accumulator)), args[1]);
  });
  if (!formula.after && accumulator == type)
    return total;
  Value count = reduction.count(builder, loc, sizesOf(builder, loc, input), accumulator);
  return mapEach(builder, loc, total, type, [&](OpBuilder &b, Location l, ValueRange args) {
    Scalars s{b, l};
    return s.convert(formula.after ? formula.after(s, args[0], count) : args[0], type);
  });
}

/// max x, or 0 where that is infinite: subtracting it never gives NaN.
Value finiteMax(OpBuilder &builder, Location loc, Value input, const Reduction &reduction, Type accumulator) {
  Value most =
      reduction.apply(builder, loc, input, {}, lowestAttr(accumulator), [&](OpBuilder &b, Location l, ValueRange args) {
        Scalars s{b, l};
        return s.maxOfNumbers(s.convert(args[0], accumulator), args[1]);
      });
  return mapEach(builder, loc, most, accumulator, [&](OpBuilder &b, Location l, ValueRange args) {
    Scalars s{b, l};
    Value infinity = arith::ConstantOp::create(b, l, highestAttr(accumulator));
    Value isInfinite = s.compare(arith::CmpFPredicate::OEQ, s.abs(args[0]), infinity);
    return s.select(isInfinite, s.constant(accumulator, 0), args[0]);
  });
}

struct LowerReduce : Lowering<ReduceOp> {
  using Lowering::Lowering;
  Values lower(ReduceOp op, PatternRewriter &rewriter) const override {
    Reduction reduction{SmallVector<int64_t>(op.getAxes()), op.getKeepDims()};
    Type accumulator = accumulatorType(getElementTypeOrSelf(op.getInput()));
    if (op.getKind() == ReduceKind::log_sum_exp)
      return SmallVector<Value>{logSumExp(rewriter, op.getLoc(), op.getInput(), reduction, accumulator)};
    return SmallVector<Value>{
        reduceBy(rewriter, op.getLoc(), op.getInput(), reduction, formulaOf(op.getKind(), accumulator))};
  }

  /// max + log(sum exp(x - max))
  static Value logSumExp(OpBuilder &builder, Location loc, Value input, const Reduction &reduction, Type accumulator) {
    Value most = finiteMax(builder, loc, input, reduction, accumulator);
    Value total = reduction.apply(builder, loc, input, most, scalarAttr(accumulator, 0),
                                  [&](OpBuilder &b, Location l, ValueRange args) {
                                    Scalars s{b, l};
                                    return s.add(s.exp(s.sub(s.convert(args[0], accumulator), args[1])), args[2]);
                                  });
    Type type = getElementTypeOrSelf(input);
    AffineMap identity = builder.getMultiDimIdentityMap(cast<RankedTensorType>(total.getType()).getRank());
    return mapped(builder, loc, sizesOf(builder, loc, total), type, {most, total}, {identity, identity},
                  [&](OpBuilder &b, Location l, ValueRange args) {
                    Scalars s{b, l};
                    return s.convert(s.add(args[0], s.log(args[1])), type);
                  });
  }
};

struct LowerGlobalPool : Lowering<GlobalPoolOp> {
  using Lowering::Lowering;
  Values lower(GlobalPoolOp op, PatternRewriter &rewriter) const override {
    int64_t rank = cast<RankedTensorType>(op.getInput().getType()).getRank();
    int64_t first = op.getDataLayout() == coat::DataLayout::channels_first ? 2 : 1;
    Reduction reduction{llvm::to_vector(llvm::seq<int64_t>(first, first + rank - 2)), /*keepDims=*/true};
    Type accumulator = accumulatorType(getElementTypeOrSelf(op.getInput()));
    return SmallVector<Value>{
        reduceBy(rewriter, op.getLoc(), op.getInput(), reduction, formulaOf(op.getKind(), op.getP(), accumulator))};
  }
};

/// Two accumulators, the extreme and its index; the index starts below zero, meaning "none yet".
struct LowerArgReduce : Lowering<ArgReduceOp> {
  using Lowering::Lowering;
  Values lower(ArgReduceOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getInput().getType());
    Reduction reduction{{static_cast<int64_t>(op.getAxis())}, op.getKeepDims()};
    SmallVector<OpFoldResult> sizes = reduction.resultSizes(rewriter, sizesOf(rewriter, loc, op.getInput()));
    Value best = filled(rewriter, loc, sizes, scalarAttr(type.getElementType(), 0));
    Value where = filled(rewriter, loc, sizes, rewriter.getI64IntegerAttr(-1));
    int64_t kept = sizes.size();
    AffineMap identity = leadingDims(getContext(), kept + 1, kept);
    SmallVector<utils::IteratorType> iterators(kept, utils::IteratorType::parallel);
    iterators.push_back(utils::IteratorType::reduction);
    auto generic = linalg::GenericOp::create(
        rewriter, loc, TypeRange{best.getType(), where.getType()}, op.getInput(), ValueRange{best, where},
        ArrayRef<AffineMap>{reduction.inputMap(getContext(), type.getRank()), identity, identity}, iterators,
        [&](OpBuilder &b, Location l, ValueRange args) {
          Scalars s{b, l};
          Value none = s.compare(arith::CmpIPredicate::slt, args[2], s.constant(b.getI64Type(), 0));
          Value take = arith::OrIOp::create(b, l, none, improves(s, op, args[0], args[1]));
          Value index = arith::IndexCastOp::create(b, l, b.getI64Type(), s.index(kept));
          linalg::YieldOp::create(b, l, ValueRange{s.select(take, args[0], args[1]), s.select(take, index, args[2])});
        });
    return SmallVector<Value>{generic.getResult(1)};
  }

  static Value improves(Scalars s, ArgReduceOp op, Value candidate, Value best) {
    bool greater = op.getKind() == ReduceKind::max, orEqual = op.getSelectLast();
    if (isa<FloatType>(best.getType()))
      return s.compare(greater ? (orEqual ? arith::CmpFPredicate::OGE : arith::CmpFPredicate::OGT)
                               : (orEqual ? arith::CmpFPredicate::OLE : arith::CmpFPredicate::OLT),
                       candidate, best);
    return s.compare(greater ? (orEqual ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sgt)
                             : (orEqual ? arith::CmpIPredicate::sle : arith::CmpIPredicate::slt),
                     candidate, best);
  }
};

/// %r = coat.softmax %x   ==>   max, exp(x - max), sum, quotient (log: x - max - log sum)
struct LowerSoftmax : Lowering<SoftmaxOp> {
  using Lowering::Lowering;
  Values lower(SoftmaxOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = op.getInput();
    auto type = cast<RankedTensorType>(input.getType());
    Type element = type.getElementType(), accumulator = accumulatorType(element);
    Reduction reduction{{static_cast<int64_t>(op.getAxis())}};
    AffineMap identity = rewriter.getMultiDimIdentityMap(type.getRank());
    AffineMap rows = reduction.resultMap(getContext(), type.getRank());
    SmallVector<OpFoldResult> sizes = sizesOf(rewriter, loc, input);
    Value most = reduction.apply(rewriter, loc, input, {}, lowestAttr(accumulator),
                                 [&](OpBuilder &b, Location l, ValueRange args) {
                                   Scalars s{b, l};
                                   return s.maxOfNumbers(s.convert(args[0], accumulator), args[1]);
                                 });
    bool log = op.getLog();
    Value shifted = mapped(rewriter, loc, sizes, accumulator, {input, most}, {identity, rows},
                           [&](OpBuilder &b, Location l, ValueRange args) {
                             Scalars s{b, l};
                             Value difference = s.sub(s.convert(args[0], accumulator), args[1]);
                             return log ? difference : s.expOfNegative(difference);
                           });
    Value total = reduction.apply(rewriter, loc, shifted, {}, scalarAttr(accumulator, 0),
                                  [&](OpBuilder &b, Location l, ValueRange args) {
                                    Scalars s{b, l};
                                    return s.add(log ? s.expOfNegative(args[0]) : args[0], args[1]);
                                  });
    return SmallVector<Value>{mapped(rewriter, loc, sizes, element, {shifted, total}, {identity, rows},
                                     [&](OpBuilder &b, Location l, ValueRange args) {
                                       Scalars s{b, l};
                                       return s.convert(log ? s.sub(args[0], s.log(args[1])) : s.div(args[0], args[1]),
                                                        element);
                                     })};
  }
};
} // namespace

void coat::populateReduceToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerReduce, LowerGlobalPool, LowerArgReduce, LowerSoftmax>(patterns.getContext());
}
