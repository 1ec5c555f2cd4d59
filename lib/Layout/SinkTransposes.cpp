// The patterns that move a transpose behind its user, so that transposes meet and cancel.
//
// They move one way only (towards the results), which is what makes the rewriting end.
#include "Transposes.h"
#include "coat/Dialect/Coat.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace coat;

namespace {
using Permutation = SmallVector<int64_t>;

RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

Permutation inverse(ArrayRef<int64_t> permutation) {
  Permutation result(permutation.size());
  for (auto [i, p] : llvm::enumerate(permutation))
    result[p] = i;
  return result;
}

/// Does the permutation keep the order of all dimensions that are not 1?
bool movesOnlyUnitDims(RankedTensorType type, ArrayRef<int64_t> permutation) {
  int64_t last = -1;
  for (int64_t dim : permutation) {
    if (type.getDimSize(dim) == 1)
      continue;
    if (dim < last)
      return false;
    last = dim;
  }
  return true;
}

Value transpose(OpBuilder &b, Location loc, Value value, ArrayRef<int64_t> permutation) {
  return TransposeOp::create(b, loc, value, permutation);
}

/// `type` extended with leading ones to `rank`.
RankedTensorType extended(RankedTensorType type, int64_t rank) {
  SmallVector<int64_t> shape(rank - type.getRank(), 1);
  llvm::append_range(shape, type.getShape());
  return type.clone(shape);
}

bool isTransposeBy(Value value, ArrayRef<int64_t> permutation) {
  auto op = value.getDefiningOp<TransposeOp>();
  return op && op.getPermutation() == permutation;
}

/// Can `operand` be seen through the inverse of `permutation` without a pass over a large tensor?
bool canUndo(Value operand, ArrayRef<int64_t> permutation) {
  RankedTensorType type = tensorType(operand);
  return isTransposeBy(operand, permutation) || matchPattern(operand, m_Constant()) ||
         (type.hasStaticShape() &&
          movesOnlyUnitDims(extended(type, permutation.size()), inverse(permutation)));
}

/// `operand` seen through the inverse of `permutation`; one of lower rank is first extended with ones.
Value undo(OpBuilder &b, Location loc, Value operand, ArrayRef<int64_t> permutation) {
  if (isTransposeBy(operand, permutation))
    return operand.getDefiningOp<TransposeOp>().getInput();
  RankedTensorType type = tensorType(operand);
  if (type.getRank() == 0)
    return operand;
  RankedTensorType full = extended(type, permutation.size());
  if (full != type)
    operand = ReshapeOp::create(b, loc, full, operand, ValueRange());
  return transpose(b, loc, operand, inverse(permutation));
}

/// elementwise(transpose(a), b ..) -> transpose(elementwise(a, b' ..)).
/// Does not apply when another operand would need a real transpose.
struct SinkThroughElementwise : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    auto isFull = [&](Value v) {
      auto t = v.getDefiningOp<TransposeOp>();
      return t && tensorType(v).getRank() == tensorType(op.getResult()).getRank();
    };
    auto found = llvm::find_if(op.getInputs(), isFull);
    if (found == op.getInputs().end())
      return failure();
    Permutation permutation(cast<TransposeOp>((*found).getDefiningOp()).getPermutation());
    if (!llvm::all_of(op.getInputs(), [&](Value v) { return canUndo(v, permutation); }))
      return failure();
    SmallVector<Value> operands;
    for (Value input : op.getInputs())
      operands.push_back(undo(rewriter, op.getLoc(), input, permutation));
    auto inner = ElementwiseOp::create(rewriter, op.getLoc(), op.getKind(), operands, op.getAlphaAttr(), op.getBetaAttr());
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), inner.getResult(), permutation));
    return success();
  }
};

/// cast(transpose(x)) -> transpose(cast(x)).
struct SinkThroughCast : OpRewritePattern<CastOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(CastOp op, PatternRewriter &rewriter) const override {
    auto source = op.getInput().getDefiningOp<TransposeOp>();
    if (!source)
      return failure();
    Type type = tensorType(source.getInput()).clone(tensorType(op.getResult()).getElementType());
    Value inner = CastOp::create(rewriter, op.getLoc(), type, source.getInput());
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), inner, source.getPermutation()));
    return success();
  }
};

/// concat(transpose(a), transpose(b)) -> transpose(concat(a, b)).
/// Does not apply unless all operands are the same transpose (or cheaply so).
struct SinkThroughConcat : OpRewritePattern<tensor::ConcatOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ConcatOp op, PatternRewriter &rewriter) const override {
    auto first = op.getInputs().front().getDefiningOp<TransposeOp>();
    if (!first)
      return failure();
    Permutation permutation(first.getPermutation());
    if (!llvm::all_of(op.getInputs(), [&](Value v) { return canUndo(v, permutation); }))
      return failure();
    SmallVector<Value> operands;
    for (Value input : op.getInputs())
      operands.push_back(undo(rewriter, op.getLoc(), input, permutation));
    Value inner = tensor::ConcatOp::create(rewriter, op.getLoc(), permutation[op.getDim()], operands);
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), inner, permutation));
    return success();
  }
};

/// Entry i of a per-dimension list of the transposed value, put where the dimension lies in the source.
template <typename T> SmallVector<T> toSource(ArrayRef<T> values, ArrayRef<int64_t> permutation) {
  SmallVector<T> result(values.begin(), values.end());
  for (auto [i, p] : llvm::enumerate(permutation))
    result[p] = values[i];
  return result;
}

/// pad(transpose(x)) -> transpose(pad(x)).
struct SinkThroughPad : OpRewritePattern<PadOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PadOp op, PatternRewriter &rewriter) const override {
    auto source = op.getInput().getDefiningOp<TransposeOp>();
    if (!source)
      return failure();
    Value inner = PadOp::create(rewriter, op.getLoc(), source.getInput(), toSource(op.getLow(), source.getPermutation()),
                                toSource(op.getHigh(), source.getPermutation()), op.getValue(), op.getMode());
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), inner, source.getPermutation()));
    return success();
  }
};

/// extract_slice(transpose(x)) -> transpose(extract_slice(x)). Does not apply to rank-reducing slices.
struct SinkThroughSlice : OpRewritePattern<tensor::ExtractSliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExtractSliceOp op, PatternRewriter &rewriter) const override {
    auto source = op.getSource().getDefiningOp<TransposeOp>();
    if (!source || op.getSourceType().getRank() != op.getType().getRank())
      return failure();
    auto moved = [&](SmallVector<OpFoldResult> v) { return toSource(ArrayRef(v), source.getPermutation()); };
    Value inner = tensor::ExtractSliceOp::create(rewriter, op.getLoc(), source.getInput(), moved(op.getMixedOffsets()),
                                                 moved(op.getMixedSizes()), moved(op.getMixedStrides()));
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), inner, source.getPermutation()));
    return success();
  }
};

/// resize(transpose(x)) -> transpose(resize(x)).
struct SinkThroughResize : OpRewritePattern<ResizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ResizeOp op, PatternRewriter &rewriter) const override {
    auto source = op.getInput().getDefiningOp<TransposeOp>();
    if (!source)
      return failure();
    auto scales = toSource(op.getScales(), source.getPermutation());
    auto sizes = toSource(op.getSizes(), source.getPermutation());
    Value inner = ResizeOp::create(rewriter, op.getLoc(), source.getInput(), scales, sizes, op.getMode(),
                                   op.getCoordinateMode(), op.getNearestMode(), op.getCubicCoeff(), op.getExcludeOutside());
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), inner, source.getPermutation()));
    return success();
  }
};

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
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), inner, source.getPermutation()));
    return success();
  }
};

/// reduce(transpose(x)) -> transpose(reduce(x)), the transpose of what is left of the dimensions.
struct SinkThroughReduce : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReduceOp op, PatternRewriter &rewriter) const override {
    auto source = op.getInput().getDefiningOp<TransposeOp>();
    if (!source)
      return failure();
    ArrayRef<int64_t> permutation = source.getPermutation();
    SmallVector<int64_t> axes;
    for (int64_t axis : op.getAxes())
      axes.push_back(permutation[axis]);
    llvm::sort(axes);
    Permutation left(permutation);
    if (!op.getKeepDims()) {
      llvm::erase_if(left, [&](int64_t dim) { return llvm::is_contained(axes, dim); });
      for (int64_t &dim : left)
        dim -= llvm::count_if(axes, [&](int64_t axis) { return axis < dim; });
    }
    Value inner = ReduceOp::create(rewriter, op.getLoc(), op.getKind(), source.getInput(), axes, op.getKeepDims());
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), inner, left));
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
    Permutation outer(to.getRank());
    for (auto [at, g] : place) {
      SmallVector<int64_t> dims = merges ? SmallVector<int64_t>{(int64_t)g} : llvm::to_vector_of<int64_t>((*groups)[g]);
      for (int64_t dim : dims) {
        outer[dim] = shape.size();
        shape.push_back(to.getDimSize(dim));
      }
    }
    Value inner = ReshapeOp::create(rewriter, op.getLoc(), to.clone(shape), source.getInput(), ValueRange());
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), inner, outer));
    return success();
  }
};

/// A transpose that moves only dimensions of size 1 is a reshape.
struct UnitTransposeToReshape : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    RankedTensorType type = tensorType(op.getInput());
    if (!type.hasStaticShape() || !movesOnlyUnitDims(type, op.getPermutation()))
      return failure();
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getResult().getType(), op.getInput(), ValueRange());
    return success();
  }
};

/// transpose(transpose(x)) -> transpose(x) or x.
struct ComposeTransposes : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto source = op.getInput().getDefiningOp<TransposeOp>();
    if (!source)
      return failure();
    Permutation both;
    for (int64_t dim : op.getPermutation())
      both.push_back(source.getPermutation()[dim]);
    if (llvm::is_sorted(both))
      rewriter.replaceOp(op, source.getInput());
    else
      rewriter.replaceOpWithNewOp<TransposeOp>(op, source.getInput(), both);
    return success();
  }
};
} // namespace

void coat::populateSinkTransposePatterns(RewritePatternSet &patterns) {
  patterns.add<SinkThroughElementwise, SinkThroughCast, SinkThroughConcat, SinkThroughPad, SinkThroughSlice,
               SinkThroughResize, SinkThroughSoftmax, SinkThroughReduce, SinkThroughReshape, UnitTransposeToReshape,
               ComposeTransposes>(patterns.getContext());
}
