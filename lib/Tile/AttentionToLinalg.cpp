// Attention to linalg.generic: scores, mask, softmax and product with the values, each over the whole tile. Right for
// every mask, head grouping, size and type; the flash form in Vector takes the frequent cases before this.
#include "Lowerings.h"
#include "Reduction.h"

using namespace mlir;
using namespace coat;

namespace {
using Values = FailureOr<SmallVector<Value>>;

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

Value multiplyAdd(Scalars s, Value a, Value b, Value acc) {
  return s.add(s.mul(s.convert(a, acc.getType()), s.convert(b, acc.getType())), acc);
}

/// Loops b, h, q and two more; `key` and `value` are read at head h / (H / Hkv).
struct AttentionLoops {
  mutable AttentionOp op; // its accessors are not const
  Type compute;
  AffineExpr b, h, q, i, j, keyHead;

  explicit AttentionLoops(AttentionOp op) : op(op), compute(accumulatorType(getElementTypeOrSelf(op.getQuery()))) {
    bindDims(op.getContext(), b, h, q, i, j);
    int64_t heads = typeOf(op.getQuery()).getDimSize(1), keyHeads = typeOf(op.getKey()).getDimSize(1);
    keyHead = heads == keyHeads ? h : h.floorDiv(heads / keyHeads);
  }
  AffineMap map(unsigned loops, ArrayRef<AffineExpr> exprs) const {
    return AffineMap::get(loops, 0, exprs, op.getContext());
  }
};

struct LowerAttention : Lowering<AttentionOp> {
  using Lowering::Lowering;
  Values lower(AttentionOp op, PatternRewriter &rewriter) const override {
    RankedTensorType query = typeOf(op.getQuery()), key = typeOf(op.getKey());
    if (!op.isPlain())
      return rewriter.notifyMatchFailure(op, "expected an attention without cache, windows, lengths, choice or scores");
    if (query.isDynamicDim(1) || key.isDynamicDim(1))
      return rewriter.notifyMatchFailure(op, "expected static numbers of heads");
    Location loc = op.getLoc();
    AttentionLoops loops(op);
    SmallVector<OpFoldResult> sizes = sizesOf(rewriter, loc, op.getQuery());
    sizes[3] = tensor::getMixedSize(rewriter, loc, op.getKey(), 2);
    Value scores = reduced(
        rewriter, loc, filled(rewriter, loc, sizes, scalarAttr(loops.compute, 0)), 1, {op.getQuery(), op.getKey()},
        {loops.map(5, {loops.b, loops.h, loops.q, loops.j}), loops.map(5, {loops.b, loops.keyHead, loops.i, loops.j})},
        [](OpBuilder &b, Location l, ValueRange args) { return multiplyAdd({b, l}, args[0], args[1], args[2]); });
    scores = masked(rewriter, loops, scores);
    Value weights = normalized(rewriter, loops, scores);
    sizes[3] = tensor::getMixedSize(rewriter, loc, op.getValue(), 3);
    Value out = reduced(
        rewriter, loc, filled(rewriter, loc, sizes, scalarAttr(loops.compute, 0)), 1, {weights, op.getValue()},
        {loops.map(5, {loops.b, loops.h, loops.q, loops.j}), loops.map(5, {loops.b, loops.keyHead, loops.j, loops.i})},
        [](OpBuilder &b, Location l, ValueRange args) { return multiplyAdd({b, l}, args[0], args[1], args[2]); });
    if (loops.compute != query.getElementType())
      out = mapped(rewriter, loc, sizes, query.getElementType(), out, rewriter.getMultiDimIdentityMap(4),
                   [&](OpBuilder &b, Location l, ValueRange args) {
                     return Scalars{b, l}.convert(args[0], query.getElementType());
                   });
    return SmallVector<Value>{out};
  }

  /// scale, softcap, mask and causality, in that order.
  static Value masked(OpBuilder &builder, const AttentionLoops &loops, Value scores) {
    AttentionOp op = loops.op;
    Location loc = op.getLoc();
    SmallVector<Value> inputs{scores};
    SmallVector<AffineMap> maps{builder.getMultiDimIdentityMap(4)};
    if (op.getMask()) {
      inputs.push_back(op.getMask());
      maps.push_back(broadcastMap(op.getContext(), typeOf(op.getMask()).getShape(), typeOf(scores).getShape()));
    }
    double softcap = op.getSoftcap().convertToDouble();
    return mapped(builder, loc, sizesOf(builder, loc, scores), loops.compute, inputs, maps,
                  [&](OpBuilder &b, Location l, ValueRange args) {
                    Scalars s{b, l};
                    Value never = arith::ConstantOp::create(b, l, lowestAttr(loops.compute));
                    Value x = s.mul(args[0], s.constant(loops.compute, op.getScale().convertToDouble()));
                    if (softcap > 0)
                      x = s.mul(math::TanhOp::create(b, l, s.mul(x, s.constant(loops.compute, 1 / softcap))),
                                s.constant(loops.compute, softcap));
                    if (op.getMask())
                      x = args[1].getType().isInteger(1) ? s.select(args[1], x, never)
                                                         : s.add(x, s.convert(args[1], loops.compute));
                    if (!op.getCausal())
                      return x;
                    Value row = s.index(2);
                    if (op.getQueryOffset())
                      row = s.add(row, op.getQueryOffset());
                    return s.select(s.compare(arith::CmpIPredicate::sle, s.index(3), row), x, never);
                  });
  }

  /// softmax over the keys; rows without any key give zeros.
  static Value normalized(OpBuilder &builder, const AttentionLoops &loops, Value scores) {
    Location loc = loops.op.getLoc();
    Reduction keys{{3}};
    AffineMap identity = builder.getMultiDimIdentityMap(4), rows = keys.resultMap(loops.op.getContext(), 4);
    SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, scores);
    Value most =
        keys.apply(builder, loc, scores, {}, lowestAttr(loops.compute), [](OpBuilder &b, Location l, ValueRange args) {
          return Scalars{b, l}.maxOfNumbers(args[0], args[1]);
        });
    Value weights = mapped(builder, loc, sizes, loops.compute, {scores, most}, {identity, rows},
                           [&](OpBuilder &b, Location l, ValueRange args) {
                             Scalars s{b, l};
                             Value never = arith::ConstantOp::create(b, l, lowestAttr(loops.compute));
                             Value none = s.compare(arith::CmpFPredicate::OEQ, args[1], never);
                             Value base = s.select(none, s.constant(loops.compute, 0), args[1]);
                             return s.exp(s.sub(args[0], base));
                           });
    Value total =
        keys.apply(builder, loc, weights, {}, scalarAttr(loops.compute, 0),
                   [](OpBuilder &b, Location l, ValueRange args) { return Scalars{b, l}.add(args[0], args[1]); });
    return mapped(builder, loc, sizes, loops.compute, {weights, total}, {identity, rows},
                  [&](OpBuilder &b, Location l, ValueRange args) {
                    Scalars s{b, l};
                    Value zero = s.constant(loops.compute, 0);
                    Value none = s.compare(arith::CmpFPredicate::OEQ, args[1], zero);
                    return s.select(none, zero, s.div(args[0], args[1]));
                  });
  }
};
} // namespace

void coat::populateAttentionToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerAttention>(patterns.getContext());
}
