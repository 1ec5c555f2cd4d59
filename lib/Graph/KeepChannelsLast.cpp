// coat-keep-channels-last: enters coat on tensors; spatial ops between transposes to and from channels-first leave
// as channels-last ones, so that the transposes cancel. Left alone: ops of channels-first models, and pooling with
// indices, whose result counts in channels-first order.
//
// Why here and not in Layout, which makes everything channels-last anyway: Graph promises that a channels-last model
// keeps no transposes, and batch norms and biases are found only when nothing stands between them and the conv.
#include "Match.h"
#include "Movement.h"
#include "coat/Graph/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

namespace coat {
#define GEN_PASS_DEF_COATKEEPCHANNELSLAST
#include "coat/Graph/Passes.h.inc"
} // namespace coat

namespace {
/// Whether `permutation` takes N D1..Dk C to N C D1..Dk.
bool isToChannelsFirst(ArrayRef<int64_t> permutation) {
  int64_t rank = permutation.size();
  if (rank < 3 || permutation[0] != 0 || permutation[1] != rank - 1)
    return false;
  for (int64_t i = 2; i < rank; ++i)
    if (permutation[i] != i - 1)
      return false;
  return true;
}

/// The N D1..Dk C value that `input` is the channels-first form of, by a transpose or, with one channel, by a reshape;
/// null when it is none.
Value channelsLastSource(Value input) {
  if (auto transpose = input.getDefiningOp<TransposeOp>())
    return isToChannelsFirst(transpose.getPermutation()) ? transpose.getInput() : Value();
  auto reshape = input.getDefiningOp<ReshapeOp>();
  if (!reshape || tensorType(input).getRank() < 3 || tensorType(input).getDimSize(1) != 1)
    return {};
  SmallVector<int64_t> shape(tensorType(input).getShape());
  std::rotate(shape.begin() + 1, shape.begin() + 2, shape.end());
  return tensorType(reshape.getInput()).getShape() == ArrayRef<int64_t>(shape) ? reshape.getInput() : Value();
}

/// op(transpose(x)) -> transpose(op {channels_last}(x)) for a transpose from N D1..Dk C to N C D1..Dk.
/// Does not apply to another transpose, to a channels-last op and to pooling with indices.
template <typename Op> struct KeepOrder : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    Value source = channelsLastSource(op.getInput());
    if (!source || op->getNumResults() != 1 || op.getDataLayout() != coat::DataLayout::channels_first)
      return failure();
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    SmallVector<int64_t> shape(type.getShape()), toChannelsFirst = {0, type.getRank() - 1};
    std::rotate(shape.begin() + 1, shape.begin() + 2, shape.end());
    llvm::append_range(toChannelsFirst, llvm::seq<int64_t>(1, type.getRank() - 1));
    rewriter.setInsertionPoint(op);
    auto moved = cast<Op>(rewriter.clone(*op));
    moved->setOperand(0, source);
    moved.setDataLayout(coat::DataLayout::channels_last);
    moved->getResult(0).setType(type.clone(shape));
    rewriter.replaceOpWithNewOp<TransposeOp>(op, type, moved->getResult(0), toChannelsFirst);
    return success();
  }
};

struct KeepChannelsLast : coat::impl::CoatKeepChannelsLastBase<KeepChannelsLast> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<KeepOrder<ConvOp>, KeepOrder<PoolOp>, KeepOrder<GlobalPoolOp>, KeepOrder<BatchNormOp>,
                 KeepOrder<GroupNormOp>, KeepOrder<LRNOp>>(&getContext());
    populateSinkTransposePatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
