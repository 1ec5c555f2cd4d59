// coat-channels-last: enters coat on tensors in the model's channels-first order; leaves spatial ops
// channels-last with the remaining transposes at the borders. Left alone: pooling with indices,
// whose result counts in channels-first order.
//
// Why one layout for the whole library: every kernel reads and writes [pixels, channels] rows, so
// convolution, matrix product and attention share one microkernel and reshapes between them are free.
#include "Transposes.h"
#include "coat/Dialect/Coat.h"
#include "coat/Layout/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace coat;

namespace coat {
#define GEN_PASS_DEF_COATCHANNELSLAST
#include "coat/Layout/Passes.h.inc"
} // namespace coat

SmallVector<int64_t> coat::toChannelsLast(int64_t rank) {
  SmallVector<int64_t> permutation = {0};
  for (int64_t i = 2; i < rank; ++i)
    permutation.push_back(i);
  permutation.push_back(1);
  return permutation;
}

SmallVector<int64_t> coat::toChannelsFirst(int64_t rank) {
  SmallVector<int64_t> permutation = {0, rank - 1};
  for (int64_t i = 1; i + 1 < rank; ++i)
    permutation.push_back(i);
  return permutation;
}

namespace {
/// op(x) -> transpose(op'(transpose(x))), op' being the channels-last twin.
/// Does not apply when the op is channels-last already or gives indices.
template <typename Op> struct RunChannelsLast : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (op.getDataLayout() == coat::DataLayout::channels_last || op->getNumResults() != 1)
      return failure();
    int64_t rank = cast<RankedTensorType>(op.getInput().getType()).getRank();
    if (rank < 3)
      return failure();
    Location loc = op.getLoc();
    Value input = TransposeOp::create(rewriter, loc, op.getInput(), toChannelsLast(rank));
    IRMapping map;
    map.map(op.getInput(), input);
    SmallVector<Value> operands = llvm::to_vector(op->getOperands());
    operands[0] = input;
    NamedAttrList attrs(op->getAttrDictionary());
    attrs.set("data_layout", DataLayoutAttr::get(rewriter.getContext(), coat::DataLayout::channels_last));
    auto old = cast<RankedTensorType>(op->getResult(0).getType());
    SmallVector<int64_t> shape;
    for (int64_t dim : toChannelsLast(rank))
      shape.push_back(old.getDimSize(dim));
    OperationState state(loc, op->getName(), operands, {old.clone(shape)}, attrs);
    if (auto segments = op->getAttr("operandSegmentSizes"))
      state.addAttribute("operandSegmentSizes", segments);
    Operation *twin = rewriter.create(state);
    rewriter.replaceOpWithNewOp<TransposeOp>(op, twin->getResult(0), toChannelsFirst(rank));
    return success();
  }
};

struct ChannelsLast : coat::impl::CoatChannelsLastBase<ChannelsLast> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RunChannelsLast<ConvOp>, RunChannelsLast<PoolOp>, RunChannelsLast<GlobalPoolOp>,
                 RunChannelsLast<GroupNormOp>, RunChannelsLast<BatchNormOp>, RunChannelsLast<LRNOp>>(&getContext());
    populateTransposedConvPatterns(patterns);
    populateSinkTransposePatterns(patterns);
    TransposeOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
