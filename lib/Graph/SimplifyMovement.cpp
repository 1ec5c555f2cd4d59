// coat-simplify-movement: enters coat on tensors; transposes, reshapes, slices, casts and broadcasts leave in as few
// ops as possible. Left alone: movement whose sizes are not known to agree.
//
// Run before attention is recognised (keys are transposed on many ways) and after folding (which removes what
// stands between two transposes).
#include "Match.h"
#include "Movement.h"
#include "coat/Graph/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

namespace coat {
#define GEN_PASS_DEF_COATSIMPLIFYMOVEMENT
#include "coat/Graph/Passes.h.inc"
} // namespace coat

namespace {
/// reshape(reshape(x)) -> reshape(x), and none when the shape is x's.
struct MergeReshapes : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    // With one dynamic dimension and the same number of elements equal types are equal shapes.
    if (op.getInput().getType() == op.getType() && op.getSizes().size() <= 1) {
      rewriter.replaceOp(op, op.getInput());
      return success();
    }
    auto inner = op.getInput().getDefiningOp<ReshapeOp>();
    if (!inner)
      return failure();
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), inner.getInput(), op.getSizes());
    return success();
  }
};

/// cast(cast(x)) -> cast(x) where the inner one loses nothing (f32 to f64, i32 to i64, f16 to f32).
struct MergeCasts : OpRewritePattern<CastOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(CastOp op, PatternRewriter &rewriter) const override {
    if (op.getInput().getType() == op.getType()) {
      rewriter.replaceOp(op, op.getInput());
      return success();
    }
    auto inner = op.getInput().getDefiningOp<CastOp>();
    if (!inner)
      return failure();
    Type from = tensorType(inner.getInput()).getElementType(), middle = tensorType(inner).getElementType();
    bool widens =
        middle.isIntOrFloat() && from.isIntOrFloat() && middle.getIntOrFloatBitWidth() > from.getIntOrFloatBitWidth();
    bool sameFamily = (isa<FloatType>(from) && isa<FloatType>(middle)) ||
                      (isa<IntegerType>(from) && isa<IntegerType>(middle) && !from.isInteger(1));
    if (!widens || !sameFamily)
      return failure();
    rewriter.replaceOpWithNewOp<CastOp>(op, op.getType(), inner.getInput());
    return success();
  }
};

/// f(broadcast(x), y) -> f(x, y) when y alone, or the other operands together, give the result its shape.
/// Does not apply when the broadcast is what makes the result larger.
struct DropBroadcast : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    for (OpOperand &operand : op->getOpOperands()) {
      auto broadcast = operand.get().getDefiningOp<BroadcastOp>();
      if (!broadcast || !shapeStays(op, operand, tensorType(broadcast.getInput())))
        continue;
      rewriter.modifyOpInPlace(op, [&] { operand.set(broadcast.getInput()); });
      return success();
    }
    return failure();
  }

  /// Whether every dimension of the result comes from another operand, or from one that `input` has itself.
  static bool shapeStays(ElementwiseOp op, OpOperand &replaced, RankedTensorType input) {
    RankedTensorType type = tensorType(op);
    auto sizeAt = [&](RankedTensorType from, int64_t dim) {
      int64_t own = dim - (type.getRank() - from.getRank());
      return own < 0 ? 1 : from.getDimSize(own);
    };
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      int64_t size = type.getDimSize(dim);
      bool given = size == 1 ? sizeAt(input, dim) == 1 : sizeAt(input, dim) == size;
      for (OpOperand &other : op->getOpOperands())
        if (&other != &replaced)
          given |= sizeAt(tensorType(other.get()), dim) == size;
      if (!given)
        return false;
    }
    return llvm::any_of(op->getOpOperands(), [&](OpOperand &other) {
      return (&other == &replaced ? input : tensorType(other.get())).getRank() == type.getRank();
    });
  }
};

/// gather(x, consecutive constants) -> slice (and a reshape when the index is a scalar).
/// Does not apply to computed, repeated or descending indices, or ones outside the dimension.
struct GatherToSlice : OpRewritePattern<GatherOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GatherOp op, PatternRewriter &rewriter) const override {
    RankedTensorType input = tensorType(op.getInput());
    std::optional<ConstantTensor> indices = ConstantTensor::get(op.getIndices());
    int64_t axis = op.getAxis(), size = input.getDimSize(axis);
    if (op.getElementwise() || !indices || !indices->readable() || indices->size() == 0 ||
        indices->type.getRank() > 1 || ShapedType::isDynamic(size))
      return failure();
    SmallVector<double> numbers = indices->numbers();
    auto first = static_cast<int64_t>(numbers[0]);
    first += first < 0 ? size : 0;
    for (auto [i, number] : llvm::enumerate(numbers))
      if (number + (number < 0 ? size : 0) != first + static_cast<int64_t>(i))
        return failure();
    auto count = static_cast<int64_t>(numbers.size());
    if (first < 0 || first + count > size)
      return failure();
    SmallVector<OpFoldResult> offsets(input.getRank(), rewriter.getIndexAttr(0)),
        strides(input.getRank(), rewriter.getIndexAttr(1)),
        sizes = tensor::getMixedSizes(rewriter, op.getLoc(), op.getInput());
    offsets[axis] = rewriter.getIndexAttr(first);
    sizes[axis] = rewriter.getIndexAttr(count);
    Value slice = rewriter.createOrFold<tensor::ExtractSliceOp>(op.getLoc(), op.getInput(), offsets, sizes, strides);
    if (slice.getType() != op.getType())
      slice = ReshapeOp::create(rewriter, op.getLoc(), op.getType(), slice, dynamicSizes(rewriter, op.getLoc(), slice));
    rewriter.replaceOp(op, slice);
    return success();
  }
};

/// A slice that drops dimensions -> a slice that keeps them and a reshape, so that transposes can pass.
struct SplitRankReducingSlice : OpRewritePattern<tensor::ExtractSliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExtractSliceOp op, PatternRewriter &rewriter) const override {
    if (op.getType().getRank() == op.getSourceType().getRank())
      return failure();
    Value slice = tensor::ExtractSliceOp::create(rewriter, op.getLoc(), op.getSource(), op.getMixedOffsets(),
                                                 op.getMixedSizes(), op.getMixedStrides());
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), slice, dynamicSizes(rewriter, op.getLoc(), slice));
    return success();
  }
};

/// matmul(reshape(transpose(x)) to [N.., K], w) -> matmul(reshape(x), w with its rows in the order of x).
/// Does not apply when leading dimensions move or merge too (symbolic ones look alike: the sizes of the others must be
/// K's), or w is not a constant of rank 2.
struct TransposeIntoWeights : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatmulOp op, PatternRewriter &rewriter) const override {
    auto reshape = op.getLhs().getDefiningOp<ReshapeOp>();
    auto transpose = reshape ? reshape.getInput().getDefiningOp<TransposeOp>() : nullptr;
    std::optional<ConstantTensor> weights = ConstantTensor::get(op.getRhs());
    if (!transpose || !weights || weights->type.getRank() != 2 || op.getTransposeLhs() ||
        op.getFilterLayout() != FilterLayout::plain)
      return failure();
    ArrayRef<int64_t> shape = tensorType(transpose).getShape(), permutation = transpose.getPermutation();
    size_t leading = tensorType(reshape).getRank() - 1;
    if (leading >= shape.size() || tensorType(reshape).getShape().take_front(leading) != shape.take_front(leading) ||
        ShapedType::isDynamicShape(shape.drop_front(leading)) ||
        llvm::product_of(shape.drop_front(leading)) != tensorType(reshape).getShape().back())
      return failure();
    for (size_t i = 0; i < leading; ++i)
      if (permutation[i] != static_cast<int64_t>(i))
        return failure();
    // The reduced dimension of w, split like the transposed value, is put in the order of x.
    bool columnsFirst = op.getTransposeRhs();
    SmallVector<int64_t> split, order(shape.size() - leading + 1);
    if (columnsFirst)
      split.push_back(weights->type.getDimSize(0));
    split.append(shape.begin() + leading, shape.end());
    if (!columnsFirst)
      split.push_back(weights->type.getDimSize(1));
    order[columnsFirst ? 0 : order.size() - 1] = columnsFirst ? 0 : order.size() - 1;
    for (size_t i = leading; i < shape.size(); ++i)
      order[permutation[i] - leading + columnsFirst] = i - leading + columnsFirst;
    Location loc = op.getLoc();
    Value parts = reshapedConstant(rewriter, loc, op.getRhs(), split);
    Value moved = transposedConstant(rewriter, loc, *ConstantTensor::get(parts), order);
    Value rows = reshapedConstant(rewriter, loc, moved, weights->type.getShape());
    Value input = ReshapeOp::create(rewriter, loc, reshape.getType(), transpose.getInput(), reshape.getSizes());
    rewriter.modifyOpInPlace(op, [&] {
      op.getLhsMutable().assign(input);
      op.getRhsMutable().assign(rows);
    });
    return success();
  }
};

/// Mean or maximum over all spatial dimensions of [N, C, D1, D2 ..] -> global_pool (and a reshape without keep_dims).
/// Does not apply to rank 3, where the last dimension may as well be the features of a sequence.
struct ReduceToGlobalPool : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReduceOp op, PatternRewriter &rewriter) const override {
    RankedTensorType input = tensorType(op.getInput());
    bool mean = op.getKind() == ReduceKind::mean;
    int64_t rank = input.getRank();
    if ((!mean && op.getKind() != ReduceKind::max) || rank < 4 || rank > 5 || !isa<FloatType>(input.getElementType()))
      return failure();
    auto layout = coat::DataLayout::channels_first;
    if (llvm::equal(op.getAxes(), llvm::seq<int64_t>(1, rank - 1)))
      layout = coat::DataLayout::channels_last;
    else if (!llvm::equal(op.getAxes(), llvm::seq<int64_t>(2, rank)))
      return failure();
    SmallVector<int64_t> shape(input.getShape());
    for (int64_t axis : op.getAxes())
      shape[axis] = 1;
    Value pooled = GlobalPoolOp::create(rewriter, op.getLoc(), input.clone(shape), op.getInput(),
                                        mean ? PoolKind::average : PoolKind::max, 2, layout);
    if (pooled.getType() != op.getType())
      pooled =
          ReshapeOp::create(rewriter, op.getLoc(), op.getType(), pooled, dynamicSizes(rewriter, op.getLoc(), pooled));
    rewriter.replaceOp(op, pooled);
    return success();
  }
};

struct SimplifyMovement : coat::impl::CoatSimplifyMovementBase<SimplifyMovement> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<MergeReshapes>(&getContext(), /*benefit=*/2);
    populateUnitTransposePatterns(patterns, /*benefit=*/2);
    patterns.add<MergeCasts, DropBroadcast, GatherToSlice, SplitRankReducingSlice, TransposeIntoWeights,
                 ReduceToGlobalPool>(&getContext());
    populateSinkTransposePatterns(patterns);
    populateOrderReshapePatterns(patterns);
    populateCancelReshapePatterns(patterns);
    tensor::populateMergeConsecutiveInsertExtractSlicePatterns(patterns);
    tensor::ExtractSliceOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::ConcatOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
