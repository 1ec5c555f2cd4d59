// coat-recognize-norms: enters coat on tensors with one op a node; layer norm, RMS norm, group norm and softmax that
// are spelled out become one op. Left alone: means over other dimensions than the trailing ones, and statistics that
// something else reads (they would be computed twice).
//
// Why three steps for layer norm (core, scale, bias): each exporter writes the affine part in another order or leaves
// it out, while the core is always (x - mean) / sqrt(variance + epsilon).
#include "Match.h"
#include "coat/Graph/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;
using Kind = coat::ElementwiseKind;

namespace coat {
#define GEN_PASS_DEF_COATRECOGNIZENORMS
#include "coat/Graph/Passes.h.inc"
} // namespace coat

namespace {
/// The first axis when `reduce` keeps its dimensions and takes all trailing ones.
std::optional<int64_t> trailingAxis(ReduceOp reduce) {
  ArrayRef<int64_t> axes = reduce.getAxes();
  int64_t rank = tensorType(reduce.getInput()).getRank();
  if (!reduce.getKeepDims() || axes.empty() || axes.back() != rank - 1)
    return std::nullopt;
  if (axes.back() - axes.front() + 1 != static_cast<int64_t>(axes.size()))
    return std::nullopt;
  return axes.front();
}

ReduceOp reducedBy(Value value, ReduceKind kind) {
  auto op = value.getDefiningOp<ReduceOp>();
  return op && op.getKind() == kind ? op : nullptr;
}

/// x when `value` is x*x or pow(x, 2).
Value squareRootOf(Value value) {
  if (std::optional<WithScalar> power = withScalar(value, Kind::pow); power && power->scalar == 2)
    return power->other;
  ElementwiseOp product = definedBy(value, Kind::mul);
  return product && product.getInputs()[0] == product.getInputs()[1] ? product.getInputs()[0] : Value();
}

/// Of sqrt(v + epsilon): v and epsilon.
std::optional<WithScalar> readDeviation(Value value) {
  Value inside;
  if (ElementwiseOp root = definedBy(value, Kind::sqrt))
    inside = root.getInputs()[0];
  else if (std::optional<WithScalar> power = withScalar(value, Kind::pow); power && power->scalar == 0.5)
    inside = power->other;
  return inside ? withScalar(inside, Kind::add) : std::nullopt;
}

/// x of x / deviation, x * reciprocal(deviation), x * (1 / deviation), x * pow(v + epsilon, -0.5); with the variance
/// and epsilon in `deviation`.
Value readNormalized(ElementwiseOp op, WithScalar &deviation) {
  auto found = [&](std::optional<WithScalar> read) {
    if (read)
      deviation = *read;
    return read.has_value();
  };
  if (op.getKind() == Kind::div)
    return found(readDeviation(op.getInputs()[1])) ? op.getInputs()[0] : Value();
  if (op.getKind() != Kind::mul)
    return {};
  Value numerator;
  bool matched = eitherOrder(op, [&](Value x, Value factor) {
    numerator = x;
    if (ElementwiseOp reciprocal = definedBy(factor, Kind::reciprocal))
      return found(readDeviation(reciprocal.getInputs()[0]));
    if (ElementwiseOp quotient = definedBy(factor, Kind::div))
      return uniformConstant(quotient.getInputs()[0]) == 1.0 && found(readDeviation(quotient.getInputs()[1]));
    std::optional<WithScalar> power = withScalar(factor, Kind::pow);
    return power && power->scalar == -0.5 && found(withScalar(power->other, Kind::add));
  });
  return matched ? numerator : Value();
}

/// (x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps) -> layer_norm(x), and x / sqrt(mean(x^2) + eps) -> rms.
/// Does not apply when a mean is not over the trailing dimensions or drops them.
struct RecognizeLayerNorm : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    WithScalar deviation;
    Value numerator = readNormalized(op, deviation);
    ReduceOp variance = numerator ? reducedBy(deviation.other, ReduceKind::mean) : nullptr;
    std::optional<int64_t> axis = variance ? trailingAxis(variance) : std::nullopt;
    Value squared = axis ? squareRootOf(variance.getInput()) : Value();
    if (!squared || numerator.getType() != op.getType() || !isa<FloatType>(tensorType(op).getElementType()))
      return failure();
    Value x = centeredInput(numerator, variance);
    bool centered = x && (squared == numerator || centeredInput(squared, variance) == x);
    if (!centered && squared != numerator)
      return failure();
    rewriter.replaceOpWithNewOp<LayerNormOp>(
        op, op.getType(), centered ? x : numerator, Value(), Value(), rewriter.getI64IntegerAttr(*axis),
        rewriter.getF64FloatAttr(deviation.scalar), centered ? UnitAttr() : rewriter.getUnitAttr());
    return success();
  }

  /// x of x - mean(x) over the axes of `variance`.
  static Value centeredInput(Value value, ReduceOp variance) {
    ElementwiseOp difference = definedBy(value, Kind::sub);
    ReduceOp mean = difference ? reducedBy(difference.getInputs()[1], ReduceKind::mean) : nullptr;
    if (!mean || mean.getInput() != difference.getInputs()[0] || !mean.getKeepDims() ||
        mean.getAxes() != variance.getAxes())
      return {};
    return mean.getInput();
  }
};

/// Whether `value` broadcasts to dimensions axis.. of `type` only, so that it can be a norm's scale or bias.
bool spansTrailing(Value value, RankedTensorType type, int64_t axis) {
  RankedTensorType small = tensorType(value);
  if (small.getElementType() != type.getElementType() || small.getRank() > type.getRank())
    return false;
  int64_t ahead = type.getRank() - small.getRank();
  for (auto [i, size] : llvm::enumerate(small.getShape())) {
    int64_t dim = static_cast<int64_t>(i) + ahead;
    if (size != 1 && (dim < axis || size != type.getDimSize(dim) || ShapedType::isDynamic(size)))
      return false;
  }
  return true;
}

/// layer_norm(x) * s -> layer_norm(x) scale s;  layer_norm(x) + b -> layer_norm(x) bias b.
/// Does not apply when the norm is used elsewhere, has that part already, or s or b is not constant.
struct RecognizeAffine : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    bool scales = op.getKind() == Kind::mul;
    if (!scales && op.getKind() != Kind::add)
      return failure();
    bool matched = eitherOrder(op, [&](Value normed, Value parameter) {
      auto norm = normed.getDefiningOp<LayerNormOp>();
      if (!norm || !normed.hasOneUse() || normed.getType() != op.getType() || !ConstantTensor::get(parameter) ||
          !spansTrailing(parameter, tensorType(op), norm.getAxis()))
        return false;
      if (norm.getBias() || (scales ? norm.getScale() != nullptr : norm.getRms()))
        return false;
      rewriter.replaceOpWithNewOp<LayerNormOp>(op, op.getType(), norm.getInput(), scales ? parameter : norm.getScale(),
                                               scales ? Value() : parameter, norm.getAxisAttr(), norm.getEpsilonAttr(),
                                               norm.getRmsAttr());
      return true;
    });
    return success(matched);
  }
};

/// reshape(group_norm(reshape(x to [N, G, -1])) with one channel a group, constant scale and bias) [* s] [+ b]
///   -> group_norm(x) {groups = G}
/// Torch writes scale 1 and bias 0 inside and the affine part outside; here the inner ones are repeated over the
/// channels of their group. Does not apply when the first reshape is not [N, C, ..] -> [N, G, rest].
struct RecognizeGroupNorm : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto norm = op.getInput().getDefiningOp<GroupNormOp>();
    auto split = norm ? norm.getInput().getDefiningOp<ReshapeOp>() : nullptr;
    if (!split || split.getInput().getType() != op.getType() || !norm->hasOneUse() ||
        norm.getDataLayout() != coat::DataLayout::channels_first)
      return failure();
    RankedTensorType type = tensorType(op), inner = tensorType(split);
    int64_t groups = norm.getGroups();
    if (type.getRank() < 3 || inner.getRank() != 3 || inner.getDimSize(0) != type.getDimSize(0) ||
        inner.getDimSize(1) != groups || type.isDynamicDim(1) || type.getDimSize(1) % groups != 0)
      return failure();
    std::optional<ConstantTensor> scale = ConstantTensor::get(norm.getScale()),
                                  bias = ConstantTensor::get(norm.getBias());
    if (!scale || !bias || !scale->readable() || !bias->readable())
      return failure();
    int64_t channels = type.getDimSize(1);
    auto parameters = RankedTensorType::get({channels}, type.getElementType());
    auto repeated = [&](const ConstantTensor &constant) {
      SmallVector<double> values(channels);
      for (int64_t c = 0; c < channels; ++c)
        values[c] = constant.number(c / (channels / groups));
      return floatConstant(rewriter, op.getLoc(), parameters, values);
    };
    rewriter.replaceOpWithNewOp<GroupNormOp>(op, type, split.getInput(), repeated(*scale), repeated(*bias),
                                             rewriter.getI64IntegerAttr(groups), norm.getEpsilonAttr(),
                                             norm.getDataLayoutAttr());
    return success();
  }
};

/// group_norm(x) * s and group_norm(x) + b with per-channel constants -> into its scale and bias.
/// Does not apply when the norm is used elsewhere or the constant varies along another dimension.
struct FoldGroupNormAffine : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    if (op.getKind() != Kind::mul && op.getKind() != Kind::add)
      return failure();
    bool matched = eitherOrder(op, [&](Value normed, Value parameter) {
      auto norm = normed.getDefiningOp<GroupNormOp>();
      if (!norm || !normed.hasOneUse() || normed.getType() != op.getType() ||
          norm.getDataLayout() != coat::DataLayout::channels_first)
        return false;
      RankedTensorType type = tensorType(op);
      auto values = perChannel(parameter, type.getRank(), 1, type.getDimSize(1));
      auto scale = ConstantTensor::get(norm.getScale()), bias = ConstantTensor::get(norm.getBias());
      if (!values || !scale || !bias || !scale->readable() || !bias->readable())
        return false;
      SmallVector<double> scales = scale->numbers(), biases = bias->numbers();
      for (auto [c, value] : llvm::enumerate(*values)) {
        if (op.getKind() == Kind::mul)
          scales[c] *= value;
        biases[c] = op.getKind() == Kind::mul ? biases[c] * value : biases[c] + value;
      }
      Location loc = op.getLoc();
      rewriter.replaceOpWithNewOp<GroupNormOp>(op, type, norm.getInput(),
                                               floatConstant(rewriter, loc, scale->type, scales),
                                               floatConstant(rewriter, loc, bias->type, biases), norm.getGroupsAttr(),
                                               norm.getEpsilonAttr(), norm.getDataLayoutAttr());
      return true;
    });
    return success(matched);
  }
};

/// exp(x - max x) / sum exp(x - max x) -> softmax(x). Does not apply without the maximum (it may overflow
/// where softmax does not), over several dimensions, or when sum and maximum are over different ones.
struct RecognizeSoftmax : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    if (op.getKind() == Kind::log) {
      auto softmax = op.getInputs()[0].getDefiningOp<SoftmaxOp>();
      if (!softmax || softmax.getLog() || !softmax->hasOneUse())
        return failure();
      rewriter.replaceOpWithNewOp<SoftmaxOp>(op, op.getType(), softmax.getInput(), softmax.getAxisAttr(),
                                             rewriter.getUnitAttr());
      return success();
    }
    if (op.getKind() != Kind::div)
      return failure();
    ElementwiseOp exponential = definedBy(op.getInputs()[0], Kind::exp);
    ReduceOp sum = reducedBy(op.getInputs()[1], ReduceKind::sum);
    if (!exponential || !sum || sum.getInput() != exponential.getResult())
      return failure();
    ElementwiseOp difference = definedBy(exponential.getInputs()[0], Kind::sub);
    ReduceOp max = difference ? reducedBy(difference.getInputs()[1], ReduceKind::max) : nullptr;
    if (!max || max.getInput() != difference.getInputs()[0] || !max.getKeepDims() || !sum.getKeepDims() ||
        max.getAxes() != sum.getAxes() || sum.getAxes().size() != 1)
      return failure();
    rewriter.replaceOpWithNewOp<SoftmaxOp>(op, op.getType(), max.getInput(),
                                           rewriter.getI64IntegerAttr(sum.getAxes()[0]), UnitAttr());
    return success();
  }
};

struct RecognizeNorms : coat::impl::CoatRecognizeNormsBase<RecognizeNorms> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RecognizeLayerNorm, RecognizeAffine, RecognizeGroupNorm, FoldGroupNormAffine, RecognizeSoftmax>(
        &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
