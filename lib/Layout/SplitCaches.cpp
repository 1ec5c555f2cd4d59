// coat-split-caches: enters attention with a key/value cache; leaves attention over the whole keys and values, which
// are concatenations of their own. Left alone: attention without present results.
//
// Why here: behind this stage the graph is cut into kernels, and then each concatenation is one, written in parallel
// and read by the attention like any other key.
#include "coat/Dialect/Coat.h"
#include "coat/Layout/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace coat {
#define GEN_PASS_DEF_COATSPLITCACHES
#include "coat/Layout/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

namespace {
/// %r, %pk, %pv = coat.attention %q, %k, %v past %a, %b   ==>   %pk = tensor.concat dim(2) %a, %k (and %pv),
/// %r = coat.attention %q, %pk, %pv offset %P
/// Does not apply to an attention without present results.
struct SplitKeyValueCache : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    if (!op.getWithPresent())
      return rewriter.notifyMatchFailure(op, "no cache");
    Location loc = op.getLoc();
    Value key = op.getKey(), value = op.getValue(), offset = op.getQueryOffset();
    if (op.getPastKey()) {
      key = tensor::ConcatOp::create(rewriter, loc, op.getPresentKey().getType(), 2, ValueRange{op.getPastKey(), key});
      value = tensor::ConcatOp::create(rewriter, loc, op.getPresentValue().getType(), 2,
                                       ValueRange{op.getPastValue(), value});
      if (op.getCausal() && !offset)
        offset = tensor::DimOp::create(rewriter, loc, op.getPastKey(), 2);
    }
    auto whole = AttentionOp::create(rewriter, loc, op.getResult().getType(), op.getQuery(), key, value, op.getMask(),
                                     offset, op.getScaleAttr(), op.getCausalAttr(), op.getSoftcapAttr());
    if (Attribute schedule = op->getAttr("coat.schedule"))
      whole->setAttr("coat.schedule", schedule);
    rewriter.replaceOp(op, {whole.getResult(), key, value});
    return success();
  }
};

struct SplitCaches : coat::impl::CoatSplitCachesBase<SplitCaches> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<SplitKeyValueCache>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
