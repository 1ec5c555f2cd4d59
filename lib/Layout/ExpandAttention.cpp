// coat-expand-attention: enters attention in all its forms; windows and lengths become a mask, and an attention that
// chooses keys, shows its scores or asks for a type of its softmax becomes its products. Left alone: plain attention
// (AttentionOp::isPlain) but for its cache, which coat-split-caches takes off.
//
// Why here and not in the kernel: the flash form of attention, where the time goes, stays one that has masks only; what
// shows its scores has to hold them in memory anyway. Before weights are packed, because products may have constants.
#include "coat/Dialect/SequenceOps.h"
#include "coat/Layout/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Traits.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace coat {
#define GEN_PASS_DEF_COATEXPANDATTENTION
#include "coat/Layout/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;
using Kind = ElementwiseKind;

namespace {
RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

/// What both patterns write.
class Expander {
public:
  Expander(OpBuilder &builder, AttentionOp op) : builder(builder), loc(op.getLoc()), op(op) {}

  Value elementwise(Kind kind, Type elementType, ValueRange operands) {
    SmallVector<int64_t> shape;
    for (Value operand : operands) {
      SmallVector<int64_t> wide;
      OpTrait::util::getBroadcastedShape(shape, tensorType(operand).getShape(), wide);
      shape = wide;
    }
    return ElementwiseOp::create(builder, loc, RankedTensorType::get(shape, elementType), kind, operands, FloatAttr(),
                                 FloatAttr());
  }

  Value number(double value, Type elementType) {
    auto type = RankedTensorType::get({}, elementType);
    return arith::ConstantOp::create(builder, loc,
                                     DenseElementsAttr::get(type, Attribute(FloatAttr::get(elementType, value))));
  }

  Value infinityBelow(Type elementType) { return number(-INFINITY, elementType); }

  Value cast(Value value, Type elementType) {
    return tensorType(value).getElementType() == elementType
               ? value
               : CastOp::create(builder, loc, tensorType(value).clone(elementType), value).getResult();
  }

  /// The mask of windows and lengths, and of causality when `causal`.
  Value visibleKeys(bool causal) {
    int64_t batches = op.getLengths() ? tensorType(op.getQuery()).getDimSize(0) : 1;
    auto type =
        RankedTensorType::get({batches, 1, tensorType(op.getQuery()).getDimSize(2), keys()}, builder.getI1Type());
    return VisibleKeysOp::create(builder, loc, type, op.getQuery(), op.getKey(), op.getPastKey(), op.getLengths(),
                                 causal ? builder.getUnitAttr() : UnitAttr(), op.getLeftWindowAttr(),
                                 op.getRightWindowAttr());
  }

  /// The op's own mask and `visible` as one.
  Value combined(Value visible) {
    Value mask = op.getMask();
    if (!mask)
      return visible;
    Type type = tensorType(mask).getElementType();
    if (type.isInteger(1))
      return elementwise(Kind::logical_and, type, {visible, mask});
    return elementwise(Kind::select, type, {visible, mask, infinityBelow(type)});
  }

  /// T, the number of keys that a query sees.
  int64_t keys() {
    int64_t past = op.getPastKey() ? tensorType(op.getPastKey()).getDimSize(2) : 0;
    int64_t fresh = tensorType(op.getKey()).getDimSize(2);
    return ShapedType::isDynamic(past) || ShapedType::isDynamic(fresh) ? ShapedType::kDynamic : past + fresh;
  }

  Value withPast(Value past, Value fresh) {
    return past ? tensor::ConcatOp::create(builder, loc, 2, ValueRange{past, fresh}).getResult() : fresh;
  }

  /// [B, H, S, D] as [B, Hkv, H / Hkv, S, D]; `value` itself where every query head has its keys.
  Value grouped(Value value) {
    int64_t heads = tensorType(op.getQuery()).getDimSize(1), keyHeads = tensorType(op.getKey()).getDimSize(1);
    if (heads == keyHeads)
      return value;
    SmallVector<int64_t> shape(tensorType(value).getShape());
    shape[1] /= keyHeads;
    shape.insert(shape.begin() + 1, keyHeads);
    return reshape(value, shape);
  }

  /// The inverse.
  Value ungrouped(Value value) {
    SmallVector<int64_t> shape(tensorType(value).getShape());
    if (shape.size() == 4)
      return value;
    shape[1] *= shape[2];
    shape.erase(shape.begin() + 2);
    return reshape(value, shape);
  }

  Value product(Value lhs, Value rhs, bool transposeRhs) {
    SmallVector<int64_t> shape(tensorType(lhs).getShape());
    shape.back() = tensorType(rhs).getShape()[shape.size() - (transposeRhs ? 2 : 1)];
    return MatmulOp::create(builder, loc, tensorType(lhs).clone(shape), lhs, rhs, Value(), UnitAttr(),
                            transposeRhs ? builder.getUnitAttr() : UnitAttr(),
                            FilterLayoutAttr::get(op.getContext(), FilterLayout::plain), IntegerAttr());
  }

  /// Softmax over the keys; rows of -inf give zeros.
  Value weights(Value scores, Type type) {
    scores = cast(scores, type);
    SmallVector<int64_t> shape(tensorType(scores).getShape());
    shape.back() = 1;
    Value best = ReduceOp::create(builder, loc, tensorType(scores).clone(shape), ReduceKind::max, scores,
                                  ArrayRef<int64_t>{3}, /*keep_dims=*/true);
    Value hidden = elementwise(Kind::equal, builder.getI1Type(), {best, infinityBelow(type)});
    Value softmax = SoftmaxOp::create(builder, loc, scores.getType(), scores, 3, /*log=*/false);
    return elementwise(Kind::select, type, {hidden, number(0, type), softmax});
  }

  OpBuilder &builder;
  Location loc;
  AttentionOp op;

private:
  /// The dynamic sizes stay in their order.
  Value reshape(Value value, ArrayRef<int64_t> shape) {
    SmallVector<Value> sizes;
    for (int64_t i = 0; i < tensorType(value).getRank(); ++i)
      if (tensorType(value).isDynamicDim(i))
        sizes.push_back(tensor::DimOp::create(builder, loc, value, i));
    return ReshapeOp::create(builder, loc, tensorType(value).clone(shape), value, sizes);
  }
};

/// coat.attention %q, %k, %v lengths %n {left_window}   ==>   %m = coat.visible_keys %q, %k lengths %n {left_window}
///                                                            coat.attention %q, %k, %v mask %m
/// Does not apply where the products are written out below.
struct MaskWindows : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    if (!op.hidesKeys() || op.getTopK() > 0 || op.getSoftmaxType() || op.getScores() || op.getQueryOffset())
      return rewriter.notifyMatchFailure(op, "no windows or lengths, or more than these");
    Expander expander(rewriter, op);
    // The causality of lengths differs from batch to batch; any other stays, because it spares work.
    bool causal = op.getCausal() && op.getLengths();
    Value mask = expander.combined(expander.visibleKeys(causal));
    rewriter.modifyOpInPlace(op, [&] {
      op.getMaskMutable().assign(mask);
      op.getLengthsMutable().clear();
      op.setLeftWindow(-1);
      op.setRightWindow(-1);
      op.setCausal(op.getCausal() && !causal);
    });
    return success();
  }
};

/// coat.attention %q, %k, %v {scores = weights}   ==>   %s = coat.matmul %q, %k {transpose_rhs}, scale, softcap, mask
///                                                      %w = coat.softmax (coat.best_keys %s), coat.matmul %w, %v
/// Does not apply to an attention without choice, scores or softmax_type, or with symbolic numbers of heads.
struct WriteOut : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    if ((op.getTopK() == 0 && !op.getSoftmaxType() && !op.getScores()) || op.getQueryOffset())
      return rewriter.notifyMatchFailure(op, "an attention with a kernel");
    RankedTensorType query = tensorType(op.getQuery());
    if (query.isDynamicDim(1) || tensorType(op.getKey()).isDynamicDim(1))
      return rewriter.notifyMatchFailure(op, "expected static numbers of heads");
    Type type = query.getElementType(), compute = type.getIntOrFloatBitWidth() < 32 ? rewriter.getF32Type() : type;
    Expander expander(rewriter, op);
    Value key = expander.withPast(op.getPastKey(), op.getKey());
    Value value = expander.withPast(op.getPastValue(), op.getValue());
    auto operand = [&](Value tensor) { return expander.grouped(expander.cast(tensor, compute)); };
    Value scores = expander.ungrouped(expander.product(operand(op.getQuery()), operand(key), /*transposeRhs=*/true));
    auto scaleBy = [&](double factor) {
      scores = expander.elementwise(Kind::mul, compute, {scores, expander.number(factor, compute)});
    };
    SmallVector<Value> stages;
    scaleBy(op.getScale().convertToDouble());
    stages.push_back(scores);
    if (double softcap = op.getSoftcap().convertToDouble(); softcap > 0) {
      scaleBy(1 / softcap);
      scores = expander.elementwise(Kind::tanh, compute, scores);
      scaleBy(softcap);
    }
    stages.push_back(scores);
    scores = masked(expander, scores, compute);
    stages.push_back(scores);
    if (op.getTopK() > 0)
      scores = BestKeysOp::create(rewriter, op.getLoc(), scores.getType(), scores, op.getTopK());
    Value weights = expander.cast(expander.weights(scores, op.getSoftmaxType().value_or(compute)), compute);
    stages.push_back(weights);
    Value result = expander.ungrouped(expander.product(expander.grouped(weights), operand(value), false));
    SmallVector<Value> results{expander.cast(result, type)};
    if (op.getWithPresent())
      results.append({key, value});
    if (std::optional<ScoresKind> shown = op.getScores())
      results.push_back(expander.cast(stages[unsigned(*shown)], type));
    rewriter.replaceOp(op, results);
    return success();
  }

  static Value masked(Expander &expander, Value scores, Type compute) {
    AttentionOp op = expander.op;
    if (Value mask = op.getMask(); mask && tensorType(mask).getElementType() != expander.builder.getI1Type())
      scores = expander.elementwise(Kind::add, compute, {scores, expander.cast(mask, compute)});
    else if (mask)
      scores = expander.elementwise(Kind::select, compute, {mask, scores, expander.infinityBelow(compute)});
    if (!op.getCausal() && !op.hidesKeys())
      return scores;
    Value visible = expander.visibleKeys(op.getCausal());
    return expander.elementwise(Kind::select, compute, {visible, scores, expander.infinityBelow(compute)});
  }
};

struct ExpandAttention : coat::impl::CoatExpandAttentionBase<ExpandAttention> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<MaskWindows, WriteOut>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
