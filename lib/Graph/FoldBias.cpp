// coat-fold-bias: enters coat on tensors; per-channel constants that are added to or multiplied with the result of a
// conv, conv_transpose or matmul leave inside its weights and bias. Left alone: constants that vary along another
// dimension, and products that something else reads.
//
// After coat-fold-batch-norm, because its muls and adds, and those that Caffe models write after a batch norm, fold
// here; chains that no product precedes are merged into one mul and one add.
#include "ChannelAffine.h"
#include "Match.h"
#include "coat/Graph/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;
using Kind = coat::ElementwiseKind;

namespace coat {
#define GEN_PASS_DEF_COATFOLDBIAS
#include "coat/Graph/Passes.h.inc"
} // namespace coat

namespace {
/// conv(x, w) + c -> conv(x, w) bias c;  conv(x, w) * c -> conv(x, w * c);  likewise -, / and the other producers.
/// Does not apply when c varies along another dimension than the output channels, the product is used elsewhere, or
/// a filter to be scaled is not constant.
struct FoldAfter : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;

  static bool affineOf(Kind kind, bool constantFirst, ArrayRef<double> values, SmallVector<double> &scale,
                       SmallVector<double> &shift) {
    scale.assign(values.size(), constantFirst && kind == Kind::sub ? -1 : 1);
    shift.assign(values.size(), 0);
    switch (kind) {
    case Kind::add:
      llvm::copy(values, shift.begin());
      return true;
    case Kind::sub:
      llvm::transform(values, shift.begin(), [&](double v) { return constantFirst ? v : -v; });
      return true;
    case Kind::mul:
      llvm::copy(values, scale.begin());
      return true;
    case Kind::div:
      llvm::transform(values, scale.begin(), [](double v) { return 1 / v; });
      return !constantFirst && !llvm::is_contained(values, 0.0);
    default:
      return false;
    }
  }

  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    if (op.getInputs().size() != 2)
      return failure();
    for (unsigned i : {0u, 1u}) {
      Value product = op.getInputs()[i];
      Operation *producer = product.getDefiningOp();
      std::optional<int64_t> dim = producer ? outputChannelDim(producer) : std::nullopt;
      if (!dim || product.getType() != op.getType())
        continue;
      RankedTensorType type = tensorType(op);
      auto values = perChannel(op.getInputs()[1 - i], type.getRank(), *dim, type.getDimSize(*dim));
      SmallVector<double> scale, shift;
      if (!values || !affineOf(op.getKind(), i == 1, *values, scale, shift))
        continue;
      if (Value folded = withChannelAffine(rewriter, producer, op.getLoc(), scale, shift)) {
        rewriter.replaceOp(op, folded);
        return success();
      }
    }
    return failure();
  }
};

/// conv(x * c, w) -> conv(x, w * c) with a number c; the same for matmul.
/// Does not apply when c varies, x * c is used elsewhere or the weights are computed.
template <typename Op> struct FoldScaleBefore : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    Value input = op->getOperand(0);
    WithScalar factor = scaled(input);
    std::optional<ConstantTensor> filter = ConstantTensor::get(op->getOperand(1));
    if (factor.other == input || !input.hasOneUse() || !std::isfinite(factor.scalar) || !filter || !filter->isFloat() ||
        !filter->readable() || op.getFilterLayout() != FilterLayout::plain)
      return failure();
    Value weights = scaledFilter(rewriter, op.getLoc(), *filter, [&](int64_t) { return factor.scalar; });
    rewriter.modifyOpInPlace(op, [&] {
      op->setOperand(0, factor.other);
      op->setOperand(1, weights);
    });
    return success();
  }
};

/// (x * a) * c -> x * (a * c);  (x + b) + c -> x + (b + c);  (x + b) * c -> x * c + (b * c), all but x constant.
/// Does not apply when the inner result is used elsewhere or a constant makes the result larger than x.
struct MergeChain : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;

  /// A constant, or element-wise ops on constants that are not evaluated yet.
  static bool isConstant(Value value) {
    auto op = value.getDefiningOp<ElementwiseOp>();
    return op ? llvm::all_of(op.getInputs(), isConstant) : ConstantTensor::get(value).has_value();
  }

  /// x and c of kind(x, c) of x's type.
  static std::pair<Value, Value> constantSide(ElementwiseOp op) {
    std::pair<Value, Value> sides;
    eitherOrder(op, [&](Value x, Value c) {
      if (x.getType() != op.getType() || !isa<FloatType>(tensorType(x).getElementType()) || !isConstant(c) ||
          isConstant(x))
        return false;
      sides = {x, c};
      return true;
    });
    return sides;
  }

  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    if (op.getKind() != Kind::mul && op.getKind() != Kind::add)
      return failure();
    auto [middle, outer] = constantSide(op);
    auto inner = middle && middle.hasOneUse() ? middle.getDefiningOp<ElementwiseOp>() : nullptr;
    if (!inner || (inner.getKind() != Kind::mul && inner.getKind() != Kind::add))
      return failure();
    auto [x, constant] = constantSide(inner);
    if (!x || (inner.getKind() == Kind::mul && op.getKind() == Kind::add))
      return failure();
    // Constants meet in an op of their own, which coat-fold-constants evaluates.
    Value merged = rewriter.createOrFold<ElementwiseOp>(op.getLoc(), op.getKind(), ValueRange{constant, outer},
                                                        FloatAttr(), FloatAttr());
    if (inner.getKind() == op.getKind()) {
      rewriter.replaceOp(op, binary(rewriter, op.getLoc(), op.getKind(), op.getType(), x, merged));
      return success();
    }
    Value product = binary(rewriter, op.getLoc(), Kind::mul, op.getType(), x, outer);
    rewriter.replaceOp(op, binary(rewriter, op.getLoc(), Kind::add, op.getType(), product, merged));
    return success();
  }
};

struct FoldBias : coat::impl::CoatFoldBiasBase<FoldBias> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldAfter, FoldScaleBefore<ConvOp>, FoldScaleBefore<MatmulOp>, MergeChain>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
