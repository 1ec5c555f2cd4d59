// coat-pointwise-to-matmul: enters channels-last convolutions with explicit pads; leaves 1x1
// stride-1 convolutions as matrix products, and products that share their right-hand side as one product over all rows.
// Left alone: strides (they would need a gather first), groups, filters that are not constant.
#include "Reshape.h"
#include "coat/Dialect/Coat.h"
#include "coat/Layout/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace coat;

namespace coat {
#define GEN_PASS_DEF_COATPOINTWISETOMATMUL
#include "coat/Layout/Passes.h.inc"
} // namespace coat

namespace {
RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

bool allOnes(ArrayRef<int64_t> values) {
  return llvm::all_of(values, [](int64_t v) { return v == 1; });
}

/// The product of all sizes but the last, as an attribute or as IR.
OpFoldResult rows(OpBuilder &b, Location loc, Value value) {
  OpFoldResult product = b.getIndexAttr(1);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, value);
  for (OpFoldResult size : ArrayRef(sizes).drop_back())
    product = affine::makeComposedFoldedAffineApply(b, loc, b.getAffineSymbolExpr(0) * b.getAffineSymbolExpr(1),
                                                    {product, size});
  return product;
}

/// Does `value` become every other row or column of a tensor: a concatenation along unit dimensions that a reshape
/// adds?
bool isInterleavedNext(Value value) {
  auto reshape = value.hasOneUse() ? dyn_cast<ReshapeOp>(*value.user_begin()) : ReshapeOp();
  if (!reshape || !reshape->hasOneUse())
    return false;
  auto concat = dyn_cast<tensor::ConcatOp>(*reshape->user_begin());
  return concat && int64_t(concat.getDim()) < concat.getRank() - 1;
}

/// Is `value`, perhaps after element-wise work on it alone, padded or interleaved and nothing else? Then a convolution
/// writes in place, where a product over merged rows would need a copy. Short rows that are padded are
/// the exception: they do not fill register tiles, and the copy is small.
bool isPaddedNext(Value value) {
  if (isInterleavedNext(value))
    return true;
  auto type = tensorType(value);
  if (!value.hasOneUse() || type.getRank() < 3 || type.getDimSize(type.getRank() - 2) < 12)
    return false;
  Operation *user = *value.getUsers().begin();
  if (auto pad = dyn_cast<PadOp>(user))
    return pad.getMode() == PadMode::constant;
  return isa<ElementwiseOp, CastOp>(user) && tensorType(user->getResult(0)).getShape() == type.getShape() &&
         isPaddedNext(user->getResult(0));
}

/// conv [N, D.., C] with a 1x1 filter -> reshape(matmul(reshape [N*D.., C], filter^T)).
/// Does not apply to strides, groups, pads, filters that are not constant, and where isPaddedNext.
struct ConvToMatmul : OpRewritePattern<ConvOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConvOp op, PatternRewriter &rewriter) const override {
    RankedTensorType filter = tensorType(op.getFilter());
    if (op.getDataLayout() != coat::DataLayout::channels_last || op.getFilterLayout() != FilterLayout::plain ||
        op.getGroup() != 1 || !allOnes(op.getStrides()) || !allOnes(filter.getShape().drop_front(2)) ||
        llvm::any_of(op.getPads(), [](int64_t p) { return p != 0; }) || !matchPattern(op.getFilter(), m_Constant()) ||
        isPaddedNext(op.getResult()))
      return failure();
    Location loc = op.getLoc();
    int64_t channels = filter.getDimSize(1), out = filter.getDimSize(0);
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, op.getInput());
    Value lhs =
        reshapeTo(rewriter, loc, op.getInput(), {rows(rewriter, loc, op.getInput()), rewriter.getIndexAttr(channels)});
    Value rhs = ReshapeOp::create(rewriter, loc, filter.clone({out, channels}), op.getFilter(), ValueRange());
    Value product = MatmulOp::create(rewriter, loc, lhs, rhs, op.getBias(), /*transpose_lhs=*/false,
                                     /*transpose_rhs=*/true, FilterLayout::plain, /*out_channels=*/nullptr);
    sizes.back() = rewriter.getIndexAttr(out);
    rewriter.replaceOp(op, reshapeTo(rewriter, loc, product, sizes));
    return success();
  }
};

/// matmul [B.., M, K] x [K, N] -> reshape(matmul([B*..*M, K] x [K, N])): a register tile goes over the ends of short
/// rows (7 in the last stage of ConvNeXt), and a task reads its weights once. Sizes that are not known stay in front.
/// Does not apply when the right-hand side has a batch, when only ones would be merged, and where isPaddedNext.
struct MergeRows : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatmulOp op, PatternRewriter &rewriter) const override {
    RankedTensorType lhs = tensorType(op.getLhs());
    if (op.getTransposeLhs() || op.getFilterLayout() != FilterLayout::plain || tensorType(op.getRhs()).getRank() != 2 ||
        isPaddedNext(op.getResult()))
      return failure();
    int64_t first = lhs.getRank() - 1, merged = 1; // the sizes [first, rank - 1) are merged
    while (first > 0 && !lhs.isDynamicDim(first - 1))
      merged *= lhs.getDimSize(--first);
    if (first >= lhs.getRank() - 2 || merged == lhs.getDimSize(lhs.getRank() - 2))
      return failure();
    Location loc = op.getLoc();
    auto mergedSizes = [&](Value value) {
      SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, value),
                                flat(ArrayRef(sizes).take_front(first));
      flat.append({rewriter.getIndexAttr(merged), sizes.back()});
      return flat;
    };
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, op.getLhs());
    sizes.back() = tensor::getMixedSize(rewriter, loc, op.getRhs(), op.getTransposeRhs() ? 0 : 1);
    Value rows = reshapeTo(rewriter, loc, op.getLhs(), mergedSizes(op.getLhs()));
    Value product = MatmulOp::create(rewriter, loc, rows, op.getRhs(), op.getBias(), /*transpose_lhs=*/false,
                                     op.getTransposeRhs(), FilterLayout::plain, /*out_channels=*/nullptr);
    rewriter.replaceOp(op, reshapeTo(rewriter, loc, product, sizes));
    return success();
  }
};

/// elementwise(reshape(a), b ..) -> reshape(elementwise(a, b' ..)) for a the product over merged rows, [rows, C]: b' is
/// b over rows, or b itself where it varies along C only. Does not apply when an operand varies along some but not all
/// of the merged dimensions, and when another one is a product in another shape: one of the two is reshaped either way,
/// and both would take turns.
struct SinkReshape : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    ReshapeOp reshape;
    RankedTensorType type = tensorType(op.getResult());
    for (Value input : op.getInputs()) {
      auto candidate = input.getDefiningOp<ReshapeOp>();
      if (candidate && candidate->hasOneUse() && sinksFrom(candidate.getInput(), keepsChannels(candidate)) &&
          tensorType(input).getShape() == type.getShape()) {
        reshape = candidate;
        break;
      }
    }
    if (!reshape ||
        !llvm::all_of(op.getInputs(), [&](Value v) { return isRowsByChannels(v, type, keepsChannels(reshape)); }))
      return failure();
    if (llvm::any_of(op.getInputs(), [&](Value v) { return v != reshape.getResult() && wouldSinkBack(v, reshape); }))
      return failure();
    Location loc = op.getLoc();
    SmallVector<OpFoldResult> flat = tensor::getMixedSizes(rewriter, loc, reshape.getInput());
    SmallVector<Value> operands;
    for (Value input : op.getInputs()) {
      RankedTensorType t = tensorType(input);
      if (t.getShape() == type.getShape())
        operands.push_back(input == reshape.getResult() ? reshape.getInput() : reshapeTo(rewriter, loc, input, flat));
      else if (t.getRank() == 0)
        operands.push_back(input);
      else
        operands.push_back(
            reshapeTo(rewriter, loc, input, {rewriter.getIndexAttr(1), rewriter.getIndexAttr(t.getShape().back())}));
    }
    auto sizes = tensor::getMixedSizes(rewriter, loc, reshape.getResult());
    Value inner = ElementwiseOp::create(rewriter, loc, op.getKind(), operands, op.getAlphaAttr(), op.getBetaAttr());
    rewriter.replaceOp(op, reshapeTo(rewriter, loc, inner, sizes));
    return success();
  }

  /// A matrix product, or element-wise work on one: sinking below a chain of it keeps the chain fused.
  static bool isProduct(Value value, int length = 8) {
    if (value.getDefiningOp<MatmulOp>())
      return true;
    if (auto cast = value.getDefiningOp<CastOp>())
      return length > 0 && isProduct(cast.getInput(), length - 1);
    auto op = value.getDefiningOp<ElementwiseOp>();
    return op && length > 0 && llvm::any_of(op.getInputs(), [&](Value v) { return isProduct(v, length - 1); });
  }

  /// May a reshape of `value` go behind its use?
  static bool sinksFrom(Value value, bool keepsChannels) {
    return value.hasOneUse() && isProduct(value) && (keepsChannels || tensorType(value).getRank() == 2);
  }

  /// Would the reshape of `value` to the shape in front of `reshape` go behind the op in turn?
  static bool wouldSinkBack(Value value, ReshapeOp reshape) {
    if (auto other = value.getDefiningOp<ReshapeOp>())
      value = other.getInput();
    return tensorType(value).getShape() != tensorType(reshape.getInput()).getShape() &&
           tensorType(value).getRank() != 0 && sinksFrom(value, keepsChannels(reshape));
  }

  static bool keepsChannels(ReshapeOp op) {
    ArrayRef<int64_t> from = tensorType(op.getInput()).getShape(), to = tensorType(op.getResult()).getShape();
    return !from.empty() && !to.empty() && from.back() == to.back();
  }

  static bool isRowsByChannels(Value value, RankedTensorType full, bool keepsChannels) {
    RankedTensorType type = tensorType(value);
    return type.getShape() == full.getShape() || type.getRank() == 0 ||
           (allOnes(type.getShape().drop_back()) && (keepsChannels || type.getShape().back() == 1));
  }
};

/// cast(reshape(a)) -> reshape(cast(a)), for the same reason: roundings of half precision stand between a product and
/// the rest.
struct SinkReshapeBelowCast : OpRewritePattern<CastOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(CastOp op, PatternRewriter &rewriter) const override {
    auto reshape = op.getInput().getDefiningOp<ReshapeOp>();
    if (!reshape || !reshape->hasOneUse() ||
        !SinkReshape::sinksFrom(reshape.getInput(), SinkReshape::keepsChannels(reshape)))
      return failure();
    Location loc = op.getLoc();
    auto sizes = tensor::getMixedSizes(rewriter, loc, reshape.getResult());
    auto inner = cast<CastOp>(rewriter.clone(*op));
    inner.getInputMutable().assign(reshape.getInput());
    inner.getResult().setType(tensorType(op.getResult()).clone(tensorType(reshape.getInput()).getShape()));
    rewriter.replaceOp(op, reshapeTo(rewriter, loc, inner.getResult(), sizes));
    return success();
  }
};

struct PointwiseToMatmul : coat::impl::CoatPointwiseToMatmulBase<PointwiseToMatmul> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ConvToMatmul, MergeRows, SinkReshape, SinkReshapeBelowCast>(&getContext());
    ReshapeOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
