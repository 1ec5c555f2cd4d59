// The transposes that Layout makes go further than those of Graph: also behind softmax and reshapes, so that they meet
// and cancel. Graph keeps its own in front of reshapes that merge dimensions, where attention is recognised.
#include "Transposes.h"
#include "coat/Dialect/Coat.h"
#include "coat/Graph/Transposes.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

using namespace mlir;
using namespace coat;

static RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

namespace {
/// softmax(transpose(x)) -> transpose(softmax(x)) along the dimension that it was.
struct SinkThroughSoftmax : OpRewritePattern<SoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SoftmaxOp op, PatternRewriter &rewriter) const override {
    auto source = op.getInput().getDefiningOp<TransposeOp>();
    // A softmax along the last dimension is fast as it stands.
    if (!source || op.getAxis() == (uint64_t)tensorType(op.getInput()).getRank() - 1)
      return failure();
    int64_t axis = source.getPermutation()[op.getAxis()];
    Value inner = SoftmaxOp::create(rewriter, op.getLoc(), source.getInput(), axis, op.getLog());
    rewriter.replaceOp(op, TransposeOp::create(rewriter, op.getLoc(), inner, source.getPermutation()));
    return success();
  }
};

/// reshape(transpose(x)) -> transpose(reshape(x)) where every group of dimensions that the reshape
/// merges lies together, in order, in x; splitting a dimension is always possible.
/// Does not apply when a merged group is torn apart by the transpose, or to symbolic sizes.
struct SinkThroughReshape : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto source = op.getInput().getDefiningOp<TransposeOp>();
    if (!source || !tensorType(op.getInput()).hasStaticShape())
      return failure();
    RankedTensorType from = tensorType(op.getInput()), to = tensorType(op.getResult());
    if (from.getRank() == to.getRank())
      return failure();
    bool merges = from.getRank() > to.getRank();
    auto groups = merges ? getReassociationIndicesForReshape(from, to) : getReassociationIndicesForReshape(to, from);
    if (!groups)
      return failure();
    ArrayRef<int64_t> permutation = source.getPermutation();
    // Position in x of each group, and the order of the groups there.
    SmallVector<std::pair<int64_t, int64_t>> place;
    for (auto [g, group] : llvm::enumerate(*groups)) {
      if (!merges) {
        place.push_back({permutation[g], g});
        continue;
      }
      for (size_t i = 1; i < group.size(); ++i)
        if (permutation[group[i]] != permutation[group[i - 1]] + 1)
          return failure();
      place.push_back({permutation[group.front()], g});
    }
    llvm::sort(place);
    SmallVector<int64_t> shape;
    SmallVector<int64_t> outer(to.getRank());
    for (auto [at, g] : place) {
      SmallVector<int64_t> dims = merges ? SmallVector<int64_t>{(int64_t)g} : llvm::to_vector_of<int64_t>((*groups)[g]);
      for (int64_t dim : dims) {
        outer[dim] = shape.size();
        shape.push_back(to.getDimSize(dim));
      }
    }
    Value inner = ReshapeOp::create(rewriter, op.getLoc(), to.clone(shape), source.getInput(), ValueRange());
    rewriter.replaceOp(op, TransposeOp::create(rewriter, op.getLoc(), inner, outer));
    return success();
  }
};
} // namespace

void coat::populateSinkTransposePatterns(RewritePatternSet &patterns) {
  graph::populateSinkTransposePatterns(patterns);
  graph::populateUnitTransposePatterns(patterns);
  patterns.add<SinkThroughSoftmax, SinkThroughReshape>(patterns.getContext());
}
