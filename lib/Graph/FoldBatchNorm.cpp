// coat-fold-batch-norm: enters coat on tensors; batch norms with constant parameters leave as part of the weights
// before them or as an element-wise mul and add. Left alone: batch norms with computed parameters.
//
// Why a mul and an add and not the op itself: those join any fused kernel, and later ones merge with them.
#include "ChannelAffine.h"
#include "Match.h"
#include "coat/Graph/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

namespace coat {
#define GEN_PASS_DEF_COATFOLDBATCHNORM
#include "coat/Graph/Passes.h.inc"
} // namespace coat

namespace {
/// batch_norm(x) = x * scale + shift, per channel.
struct Affine {
  SmallVector<double> scale, shift;
};

std::optional<Affine> affineOf(BatchNormOp op) {
  SmallVector<ConstantTensor> parameters;
  for (Value value : op->getOperands().drop_front()) {
    std::optional<ConstantTensor> constant = ConstantTensor::get(value);
    if (!constant || !constant->readable())
      return std::nullopt;
    parameters.push_back(*constant);
  }
  Affine affine;
  double epsilon = op.getEpsilonAttr().getValueAsDouble();
  for (int64_t c = 0, e = parameters[0].size(); c < e; ++c) {
    affine.scale.push_back(parameters[0].number(c) / std::sqrt(parameters[3].number(c) + epsilon));
    affine.shift.push_back(parameters[1].number(c) - parameters[2].number(c) * affine.scale.back());
  }
  return affine;
}

int64_t channelDim(BatchNormOp op) {
  return op.getDataLayout() == coat::DataLayout::channels_last ? tensorType(op).getRank() - 1 : 1;
}

/// conv(x, w) -> batch_norm  becomes  conv(x, w * scale) bias b * scale + shift; the same for conv_transpose, matmul.
/// Does not apply when the product is used elsewhere, its weights are computed, or the norm is along another dimension.
struct FoldIntoWeights : OpRewritePattern<BatchNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BatchNormOp op, PatternRewriter &rewriter) const override {
    Operation *producer = op.getInput().getDefiningOp();
    std::optional<Affine> affine = affineOf(op);
    if (!affine || !producer || outputChannelDim(producer) != channelDim(op))
      return failure();
    Value folded = withChannelAffine(rewriter, producer, op.getLoc(), affine->scale, affine->shift);
    if (!folded)
      return failure();
    rewriter.replaceOp(op, folded);
    return success();
  }
};

/// batch_norm(x) -> x * scale + shift with constants of shape [C, 1, ..].
struct Expand : OpRewritePattern<BatchNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BatchNormOp op, PatternRewriter &rewriter) const override {
    std::optional<Affine> affine = affineOf(op);
    if (!affine)
      return failure();
    SmallVector<int64_t> shape(tensorType(op).getRank() - channelDim(op), 1);
    shape[0] = affine->scale.size();
    auto type = RankedTensorType::get(shape, tensorType(op).getElementType());
    Value scale = floatConstant(rewriter, op.getLoc(), type, affine->scale);
    Value shift = floatConstant(rewriter, op.getLoc(), type, affine->shift);
    Value product = binary(rewriter, op.getLoc(), ElementwiseKind::mul, op.getType(), op.getInput(), scale);
    rewriter.replaceOp(op, binary(rewriter, op.getLoc(), ElementwiseKind::add, op.getType(), product, shift));
    return success();
  }
};

struct FoldBatchNorm : coat::impl::CoatFoldBatchNormBase<FoldBatchNorm> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldIntoWeights>(&getContext(), /*benefit=*/2);
    patterns.add<Expand>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
