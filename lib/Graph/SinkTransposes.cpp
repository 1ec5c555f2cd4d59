// Transposes on their way to the results; see coat/Graph/Transposes.h. They move one way only, which is what makes the
// rewriting end.
//
// Why towards the results and not the inputs: a transpose of an input of several users would multiply, one of a
// result of several operands (add, concat) merges.
#include "Match.h"
#include "Movement.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

Value coat::graph::transposed(OpBuilder &builder, Location loc, Value input, ArrayRef<int64_t> permutation) {
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size())))
    return input;
  RankedTensorType type = tensorType(input);
  SmallVector<int64_t> shape;
  for (int64_t dim : permutation)
    shape.push_back(type.getDimSize(dim));
  return TransposeOp::create(builder, loc, type.clone(shape), input, permutation);
}

bool coat::graph::movesUnitsOnly(ArrayRef<int64_t> permutation, ArrayRef<int64_t> shape) {
  int64_t last = -1;
  for (int64_t dim : permutation) {
    if (shape[dim] == 1)
      continue;
    if (dim < last)
      return false;
    last = dim;
  }
  return true;
}

SmallVector<Value> coat::graph::dynamicSizes(OpBuilder &builder, Location loc, Value input) {
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < tensorType(input).getRank(); ++i)
    if (tensorType(input).isDynamicDim(i))
      sizes.push_back(tensor::DimOp::create(builder, loc, input, i));
  return sizes;
}

static SmallVector<int64_t> inverse(ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> result(permutation.size());
  for (auto [i, dim] : llvm::enumerate(permutation))
    result[dim] = i;
  return result;
}

static SmallVector<int64_t> permuted(ArrayRef<int64_t> values, ArrayRef<int64_t> permutation) {
  return llvm::map_to_vector(permutation, [&](int64_t dim) { return values[dim]; });
}

static bool isConstant(Value value) { return ConstantTensor::get(value).has_value(); }

/// Such a transpose becomes a reshape, and may be one that `ordered` has just made.
static bool movesUnits(TransposeOp op) {
  return movesUnitsOnly(op.getPermutation(), tensorType(op.getInput()).getShape());
}

/// The transpose that gives `inputs`, of rank `rank` or less, their order; null when there is none to move.
static TransposeOp orderOf(ValueRange inputs, int64_t rank) {
  for (Value input : inputs)
    if (auto transpose = input.getDefiningOp<TransposeOp>())
      if (tensorType(input).getRank() == rank && !movesUnits(transpose))
        return isConstant(transpose.getInput()) ? TransposeOp() : transpose;
  return {};
}

/// The shape of `input` with leading ones to `rank`.
static SmallVector<int64_t> fullShape(Value input, int64_t rank) {
  SmallVector<int64_t> shape(rank - tensorType(input).getRank(), 1);
  llvm::append_range(shape, tensorType(input).getShape());
  return shape;
}

/// Whether `input` can be had in the order before `permutation` without a pass over a large tensor.
static bool isFree(Value input, ArrayRef<int64_t> permutation) {
  auto transpose = input.getDefiningOp<TransposeOp>();
  if ((transpose && transpose.getPermutation() == permutation) || isConstant(input))
    return true;
  return movesUnitsOnly(inverse(permutation), fullShape(input, permutation.size()));
}

/// `input` in that order.
static Value ordered(OpBuilder &builder, Location loc, Value input, ArrayRef<int64_t> permutation) {
  auto transpose = input.getDefiningOp<TransposeOp>();
  if (transpose && transpose.getPermutation() == permutation)
    return transpose.getInput();
  RankedTensorType type = tensorType(input);
  if (type.hasStaticShape() && type.getNumElements() == 1)
    return input;
  SmallVector<int64_t> shape = fullShape(input, permutation.size());
  if (type.getRank() != static_cast<int64_t>(shape.size()))
    input = ReshapeOp::create(builder, loc, type.clone(shape), input, dynamicSizes(builder, loc, input));
  return transposed(builder, loc, input, inverse(permutation));
}

namespace {
/// transpose(x) that moves only dimensions of size 1 -> reshape(x)
struct UnitTranspose : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    if (!movesUnitsOnly(op.getPermutation(), tensorType(op.getInput()).getShape()))
      return failure();
    if (op.getInput().getType() == op.getType() && tensorType(op).hasStaticShape())
      rewriter.replaceOp(op, op.getInput());
    else
      rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), op.getInput(),
                                             dynamicSizes(rewriter, op.getLoc(), op.getInput()));
    return success();
  }
};

/// transpose(transpose(x)) -> transpose(x), and none when that is the identity.
struct ComposeTransposes : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<TransposeOp>();
    if (!inner)
      return failure();
    SmallVector<int64_t> permutation;
    for (int64_t dim : op.getPermutation())
      permutation.push_back(inner.getPermutation()[dim]);
    rewriter.replaceOp(op, transposed(rewriter, op.getLoc(), inner.getInput(), permutation));
    return success();
  }
};

/// f(transpose(x), transpose(y), c) -> transpose(f(x, y, c')), c' being c in the order of x.
/// Does not apply when an operand is transposed differently, or is a computed one that c' would have to be
/// transposed for (moving unit dimensions is free).
struct SinkThroughElementwise : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    TransposeOp first = orderOf(op.getInputs(), tensorType(op).getRank());
    if (!first)
      return failure();
    SmallVector<int64_t> permutation(first.getPermutation()), back = inverse(permutation);
    if (!llvm::all_of(op.getInputs(), [&](Value input) { return isFree(input, permutation); }))
      return failure();
    SmallVector<Value> inputs;
    for (Value input : op.getInputs())
      inputs.push_back(ordered(rewriter, op.getLoc(), input, permutation));
    RankedTensorType type = tensorType(op);
    auto moved = ElementwiseOp::create(rewriter, op.getLoc(), type.clone(permuted(type.getShape(), back)),
                                       op.getKindAttr(), inputs, op.getAlphaAttr(), op.getBetaAttr());
    rewriter.replaceOpWithNewOp<TransposeOp>(op, type, moved, permutation);
    return success();
  }
};

/// cast(transpose(x)) -> transpose(cast(x))
struct SinkThroughCast : OpRewritePattern<CastOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(CastOp op, PatternRewriter &rewriter) const override {
    auto transpose = op.getInput().getDefiningOp<TransposeOp>();
    if (!transpose)
      return failure();
    RankedTensorType type = tensorType(op);
    Value inner = CastOp::create(rewriter, op.getLoc(), tensorType(transpose.getInput()).clone(type.getElementType()),
                                 transpose.getInput());
    rewriter.replaceOpWithNewOp<TransposeOp>(op, type, inner, transpose.getPermutation());
    return success();
  }
};

/// reduce(transpose(x)) over axes -> transpose(reduce(x)) over the axes' sources.
struct SinkThroughReduce : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReduceOp op, PatternRewriter &rewriter) const override {
    auto transpose = op.getInput().getDefiningOp<TransposeOp>();
    if (!transpose)
      return failure();
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    SmallVector<int64_t> axes = permuted(permutation, op.getAxes()), kept, shape;
    llvm::sort(axes);
    RankedTensorType input = tensorType(transpose.getInput());
    SmallVector<int64_t> position(input.getRank(), -1);
    for (int64_t dim = 0; dim < input.getRank(); ++dim) {
      bool reduced = llvm::is_contained(axes, dim);
      if (reduced && !op.getKeepDims())
        continue;
      position[dim] = shape.size();
      shape.push_back(reduced ? 1 : input.getDimSize(dim));
    }
    for (int64_t dim : permutation)
      if (position[dim] >= 0)
        kept.push_back(position[dim]);
    Value reduced = ReduceOp::create(rewriter, op.getLoc(), input.clone(shape), op.getKindAttr(), transpose.getInput(),
                                     rewriter.getDenseI64ArrayAttr(axes), op.getKeepDimsAttr());
    rewriter.replaceOp(op, transposed(rewriter, op.getLoc(), reduced, kept));
    return success();
  }
};

/// slice(transpose(x)) -> transpose(slice(x)). Does not apply to slices that drop dimensions.
struct SinkThroughSlice : OpRewritePattern<tensor::ExtractSliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExtractSliceOp op, PatternRewriter &rewriter) const override {
    auto transpose = op.getSource().getDefiningOp<TransposeOp>();
    if (!transpose || op.getType().getRank() != tensorType(transpose).getRank())
      return failure();
    SmallVector<int64_t> back = inverse(transpose.getPermutation());
    auto reordered = [&](ArrayRef<OpFoldResult> values) {
      return llvm::map_to_vector(back, [&](int64_t dim) { return values[dim]; });
    };
    Value slice =
        tensor::ExtractSliceOp::create(rewriter, op.getLoc(), transpose.getInput(), reordered(op.getMixedOffsets()),
                                       reordered(op.getMixedSizes()), reordered(op.getMixedStrides()));
    rewriter.replaceOpWithNewOp<TransposeOp>(op, op.getType(), slice, transpose.getPermutation());
    return success();
  }
};

/// concat(transpose(x), transpose(y), c) -> transpose(concat(x, y, c')), c' being c in the order of x. Does not apply
/// when a part is transposed differently, or is a computed one that c' would have to be transposed for.
struct SinkThroughConcat : OpRewritePattern<tensor::ConcatOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ConcatOp op, PatternRewriter &rewriter) const override {
    TransposeOp first = orderOf(op.getInputs(), op.getType().getRank());
    // Parts of one channel each, say: joined they are no longer units. Only the first part decides, so that this ends.
    if (!first)
      first = op.getInputs().front().getDefiningOp<TransposeOp>();
    if (!first || isConstant(first.getInput()))
      return failure();
    SmallVector<int64_t> permutation(first.getPermutation());
    if (!llvm::all_of(op.getInputs(), [&](Value input) { return isFree(input, permutation); }))
      return failure();
    SmallVector<Value> inputs;
    for (Value input : op.getInputs())
      inputs.push_back(ordered(rewriter, op.getLoc(), input, permutation));
    auto concat = tensor::ConcatOp::create(rewriter, op.getLoc(), permutation[op.getDim()], inputs);
    rewriter.replaceOpWithNewOp<TransposeOp>(op, op.getType(), concat, permutation);
    return success();
  }
};

/// pad(transpose(x)) -> transpose(pad(x))
struct SinkThroughPad : OpRewritePattern<PadOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PadOp op, PatternRewriter &rewriter) const override {
    auto transpose = op.getInput().getDefiningOp<TransposeOp>();
    if (!transpose)
      return failure();
    SmallVector<int64_t> back = inverse(transpose.getPermutation());
    RankedTensorType type = tensorType(op);
    Value padded =
        PadOp::create(rewriter, op.getLoc(), type.clone(permuted(type.getShape(), back)), transpose.getInput(),
                      permuted(op.getLow(), back), permuted(op.getHigh(), back), op.getValue(), op.getMode());
    rewriter.replaceOpWithNewOp<TransposeOp>(op, type, padded, transpose.getPermutation());
    return success();
  }
};

/// resize(transpose(x)) -> transpose(resize(x))
struct SinkThroughResize : OpRewritePattern<ResizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ResizeOp op, PatternRewriter &rewriter) const override {
    auto transpose = op.getInput().getDefiningOp<TransposeOp>();
    if (!transpose)
      return failure();
    SmallVector<int64_t> back = inverse(transpose.getPermutation());
    RankedTensorType type = tensorType(op);
    SmallVector<double> scales = llvm::map_to_vector(back, [&](int64_t dim) { return op.getScales()[dim]; });
    rewriter.setInsertionPoint(op);
    auto moved = cast<ResizeOp>(rewriter.clone(*op));
    moved.getInputMutable().assign(transpose.getInput());
    moved.setScales(scales);
    moved.setSizes(permuted(op.getSizes(), back));
    moved.getResult().setType(type.clone(permuted(type.getShape(), back)));
    rewriter.replaceOpWithNewOp<TransposeOp>(op, type, moved.getResult(), transpose.getPermutation());
    return success();
  }
};
} // namespace

void coat::graph::populateSinkTransposePatterns(RewritePatternSet &patterns) {
  patterns.add<ComposeTransposes, SinkThroughElementwise, SinkThroughCast, SinkThroughReduce, SinkThroughSlice,
               SinkThroughConcat, SinkThroughPad, SinkThroughResize>(patterns.getContext());
}

void coat::graph::populateUnitTransposePatterns(RewritePatternSet &patterns, PatternBenefit benefit) {
  patterns.add<UnitTranspose>(patterns.getContext(), benefit);
}
