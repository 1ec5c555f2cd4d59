// Reshapes and transposes in a fixed order; see Movement.h.
//
// A reshape that splits dimensions is written before a transpose and one that merges dimensions after it. So
// PyTorch's flatten(2).transpose(1, 2) becomes a transpose to channels-last and a reshape, which Layout gets for
// free, and the detour over rank 3 that exporters take to transpose keys disappears.
#include "Match.h"
#include "Movement.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

using Groups = SmallVector<SmallVector<int64_t>>;

/// For each dimension of `coarse` the consecutive dimensions of `fine` it consists of (none or a 1 for a 1), or
/// nullopt when `fine` is no refinement. At most one dynamic dimension each; it takes what the static ones leave.
static std::optional<Groups> refine(ArrayRef<int64_t> fine, ArrayRef<int64_t> coarse) {
  auto dynamics = [](ArrayRef<int64_t> shape) { return llvm::count_if(shape, ShapedType::isDynamic); };
  if (dynamics(fine) != dynamics(coarse) || dynamics(fine) > 1)
    return std::nullopt;
  Groups groups(coarse.size());
  // One static dimension of `coarse`, taken from the front or the back of what is left of `fine`.
  auto take = [&](size_t dim, bool front) {
    int64_t product = 1;
    auto next = [&] { return front ? fine.front() : fine.back(); };
    auto pop = [&] {
      groups[dim].insert(front ? groups[dim].end() : groups[dim].begin(), next());
      fine = front ? fine.drop_front() : fine.drop_back();
    };
    if (coarse[dim] == 1 && !fine.empty() && next() == 1)
      pop();
    while (product < coarse[dim] && !fine.empty() && !ShapedType::isDynamic(next())) {
      product *= next();
      pop();
    }
    return product == coarse[dim];
  };
  size_t left = 0, right = coarse.size();
  for (; left < right && !ShapedType::isDynamic(coarse[left]); ++left)
    if (!take(left, true))
      return std::nullopt;
  for (; left < right && !ShapedType::isDynamic(coarse[right - 1]); --right)
    if (!take(right - 1, false))
      return std::nullopt;
  if (left < right)
    groups[left].assign(fine.begin(), fine.end());
  else if (llvm::all_of(fine, [](int64_t size) { return size == 1; }) && !groups.empty())
    groups.back().append(fine.begin(), fine.end());
  else if (!fine.empty())
    return std::nullopt;
  return groups;
}

/// `permutation` of groups as a permutation of their members, dimensions numbered in the order of `groups`.
static SmallVector<int64_t> finePermutation(const Groups &groups, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> start(groups.size(), 0), result;
  for (size_t i = 1; i < groups.size(); ++i)
    start[i] = start[i - 1] + groups[i - 1].size();
  for (int64_t dim : permutation)
    for (size_t k = 0; k < groups[dim].size(); ++k)
      result.push_back(start[dim] + k);
  return result;
}

static SmallVector<int64_t> flat(const Groups &groups) {
  SmallVector<int64_t> result;
  for (ArrayRef<int64_t> group : groups)
    result.append(group.begin(), group.end());
  return result;
}

namespace {
/// reshape(transpose(x)) that splits dimensions -> transpose(reshape(x)), and when x is a reshape of y that merged
/// the same dimensions, transpose(y). Does not apply when the last reshape merges dimensions, or the transpose is
/// used elsewhere.
struct SplitBeforeTranspose : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto transpose = op.getInput().getDefiningOp<TransposeOp>();
    if (!transpose || !transpose->hasOneUse())
      return failure();
    RankedTensorType type = tensorType(op);
    std::optional<Groups> outputs = refine(type.getShape(), tensorType(transpose).getShape());
    if (!outputs)
      return failure();
    Groups groups(outputs->size()); // in the order of x
    for (auto [i, dim] : llvm::enumerate(transpose.getPermutation()))
      groups[dim] = (*outputs)[i];
    SmallVector<int64_t> fine = flat(groups), permutation = finePermutation(groups, transpose.getPermutation());
    Value input = transpose.getInput();
    if (fine != tensorType(input).getShape())
      // The dynamic dimension, if any, is the one that the reshape has a size for.
      input = ReshapeOp::create(rewriter, op.getLoc(), type.clone(fine), input, op.getSizes());
    rewriter.replaceOp(op, transposed(rewriter, op.getLoc(), input, permutation));
    return success();
  }
};

/// transpose(reshape(x)) that merges dimensions of x -> reshape(transpose(x)). Does not apply when only unit
/// dimensions are merged: those are left in front of the transpose.
struct MergeAfterTranspose : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto reshape = op.getInput().getDefiningOp<ReshapeOp>();
    if (!reshape)
      return failure();
    RankedTensorType from = tensorType(reshape.getInput()), type = tensorType(op);
    std::optional<Groups> groups = refine(from.getShape(), tensorType(reshape).getShape());
    auto merges = [](ArrayRef<int64_t> group) { return llvm::count_if(group, [](int64_t d) { return d != 1; }) > 1; };
    if (!groups || !llvm::any_of(*groups, merges))
      return failure();
    Value moved = transposed(rewriter, op.getLoc(), reshape.getInput(), finePermutation(*groups, op.getPermutation()));
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, type, moved, reshape.getSizes());
    return success();
  }
};

/// transpose(reshape(x)) -> the same with the dimensions of size 1 where the result has them, so that equal transposes
/// of values of batch 1 look equal. Does not apply when no unit dimension moves.
struct KeepUnits : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto reshape = op.getInput().getDefiningOp<ReshapeOp>();
    if (!reshape)
      return failure();
    ArrayRef<int64_t> from = tensorType(reshape).getShape(), to = tensorType(op).getShape();
    SmallVector<int64_t> shape(to), permutation(to.size());
    SmallVector<int64_t> sources, targets; // positions of the other dimensions
    for (size_t i = 0; i < to.size(); ++i) {
      if (from[i] != 1)
        sources.push_back(i);
      if (to[i] != 1)
        targets.push_back(i);
      permutation[i] = i;
    }
    for (auto [source, target] : llvm::zip_equal(sources, targets))
      shape[target] = from[source];
    for (int64_t target : targets)
      permutation[target] = targets[llvm::find(sources, op.getPermutation()[target]) - sources.begin()];
    if (permutation == op.getPermutation())
      return failure();
    Value input =
        ReshapeOp::create(rewriter, op.getLoc(), tensorType(op).clone(shape), reshape.getInput(), reshape.getSizes());
    rewriter.replaceOp(op, transposed(rewriter, op.getLoc(), input, permutation));
    return success();
  }
};

/// reshape(transpose(x)) -> the same with the dimensions of size 1 where x has them. Does not apply when no unit
/// dimension moves, or the transpose is used elsewhere.
struct KeepUnitsBeforeReshape : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto transpose = op.getInput().getDefiningOp<TransposeOp>();
    if (!transpose || !transpose->hasOneUse())
      return failure();
    ArrayRef<int64_t> from = tensorType(transpose.getInput()).getShape();
    SmallVector<int64_t> moving, permutation(from.size());
    for (int64_t dim : transpose.getPermutation())
      if (from[dim] != 1)
        moving.push_back(dim);
    const int64_t *next = moving.begin();
    for (size_t i = 0; i < from.size(); ++i)
      permutation[i] = from[i] == 1 ? i : *next++;
    if (permutation == transpose.getPermutation())
      return failure();
    Value input = transposed(rewriter, op.getLoc(), transpose.getInput(), permutation);
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), input, op.getSizes());
    return success();
  }
};
} // namespace

void coat::graph::populateOrderReshapePatterns(RewritePatternSet &patterns) {
  patterns.add<SplitBeforeTranspose, MergeAfterTranspose, KeepUnits, KeepUnitsBeforeReshape>(patterns.getContext());
}
