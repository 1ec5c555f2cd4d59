// coat-recognize-activations: enters coat on tensors with one op a node; an activation function that is spelled out
// becomes the one element-wise op of that name. Left alone: spellings whose constants differ from the function's.
//
// Why: one op is one polynomial in a fused epilogue; the spelling is up to eight kernels' worth of traffic.
#include "Match.h"
#include "coat/Graph/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;
using Kind = coat::ElementwiseKind;

namespace coat {
#define GEN_PASS_DEF_COATRECOGNIZEACTIVATIONS
#include "coat/Graph/Passes.h.inc"
} // namespace coat

namespace {
bool near(double a, double b) { return std::abs(a - b) <= 1e-4 * std::abs(b); }

/// The factors of a product of any association and order, not looking into `stop`; uniform constants are
/// multiplied into `scalar`.
void collectFactors(Value value, Value stop, SmallVectorImpl<Value> &factors, double &scalar, int depth = 0) {
  if (value == stop)
    return factors.push_back(value);
  if (std::optional<double> number = uniformConstant(value)) {
    scalar *= *number;
    return;
  }
  WithScalar next = scaled(value);
  if (next.other != value) {
    scalar *= next.scalar;
    return collectFactors(next.other, stop, factors, scalar, depth);
  }
  ElementwiseOp product = definedBy(value, Kind::mul);
  if (!product || depth == 3)
    return factors.push_back(value);
  for (Value input : product.getInputs())
    collectFactors(input, stop, factors, scalar, depth + 1);
}

/// x of `kind`(x) when value is that op of x's type.
Value argumentOf(Value value, Kind kind) {
  ElementwiseOp op = definedBy(value, kind);
  return op ? op.getInputs()[0] : Value();
}

/// Whether `value` is x*x*x, in pow or in products.
bool isCube(Value value, Value x) {
  if (std::optional<WithScalar> power = withScalar(value, Kind::pow); power && power->scalar == 3)
    return power->other == x;
  SmallVector<Value> factors;
  double scalar = 1;
  collectFactors(value, x, factors, scalar);
  if (scalar != 1)
    return false;
  if (factors.size() == 2) // x * pow(x, 2)
    for (unsigned i : {0u, 1u})
      if (std::optional<WithScalar> square = withScalar(factors[i], Kind::pow))
        return square->scalar == 2 && square->other == x && factors[1 - i] == x;
  return factors.size() == 3 && llvm::all_of(factors, [&](Value factor) { return factor == x; });
}

/// Whether `inner` is sqrt(2/pi) * (x + 0.044715 x^3), or sqrt(2/pi) * x * (1 + 0.044715 x^2).
bool isTanhPolynomial(Value inner, Value x) {
  WithScalar outer = scaled(inner);
  if (!near(outer.scalar, 0.7978845608))
    return false;
  if (ElementwiseOp sum = definedBy(outer.other, Kind::add))
    return eitherOrder(sum, [&](Value linear, Value cubic) {
      WithScalar term = scaled(cubic);
      return linear == x && near(term.scalar, 0.044715) && isCube(term.other, x);
    });
  return eitherOrder(definedBy(outer.other, Kind::mul), [&](Value factor, Value rest) {
    std::optional<WithScalar> sum = withScalar(rest, Kind::add);
    if (factor != x || !sum || sum->scalar != 1)
      return false;
    WithScalar term = scaled(sum->other);
    std::optional<WithScalar> square = withScalar(term.other, Kind::pow);
    ElementwiseOp product = definedBy(term.other, Kind::mul);
    bool squared = (square && square->scalar == 2 && square->other == x) ||
                   (product && llvm::all_of(product.getInputs(), [&](Value input) { return input == x; }));
    return near(term.scalar, 0.044715) && squared;
  });
}

/// Products with x itself:
///   0.5 * x * (1 + erf(x / sqrt(2)))  -> gelu        x * sigmoid(x)          -> silu
///   0.5 * x * (1 + tanh(..))          -> gelu_tanh   x * tanh(softplus(x))   -> mish
///   x * hard_sigmoid(x) {1/6, 1/2}    -> hard_swish  x * clip(x+3, 0, 6) / 6 -> hard_swish
/// in every association and order. Does not apply when the arguments differ or a constant is another one.
struct RecognizeProduct : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;

  static std::optional<Kind> kindOf(Value x, Value gate, double scalar) {
    if (std::optional<WithScalar> sum = withScalar(gate, Kind::add)) {
      // c * x * (b + f): only c * (1 + f) with c = 1/2, or (1/2 + f/2) where the half was multiplied in.
      WithScalar function = scaled(sum->other);
      double half = scalar * sum->scalar, amplitude = scalar * function.scalar;
      if (!near(half, 0.5) || !near(amplitude, 0.5))
        return std::nullopt;
      if (Value argument = argumentOf(function.other, Kind::erf)) {
        WithScalar root = scaled(argument);
        return root.other == x && near(root.scalar, 0.70710678) ? std::optional(Kind::gelu) : std::nullopt;
      }
      Value argument = argumentOf(function.other, Kind::tanh);
      return argument && isTanhPolynomial(argument, x) ? std::optional(Kind::gelu_tanh) : std::nullopt;
    }
    if (near(scalar, 1.0 / 6))
      return isClippedShift(gate, x) ? std::optional(Kind::hard_swish) : std::nullopt;
    if (scalar != 1)
      return std::nullopt;
    if (argumentOf(gate, Kind::sigmoid) == x)
      return Kind::silu;
    if (Value argument = argumentOf(gate, Kind::tanh))
      return argumentOf(argument, Kind::softplus) == x ? std::optional(Kind::mish) : std::nullopt;
    ElementwiseOp hard = definedBy(gate, Kind::hard_sigmoid);
    if (hard && hard.getInputs()[0] == x && hard.getAlpha() && hard.getBeta() &&
        near(hard.getAlphaAttr().getValueAsDouble(), 1.0 / 6) && near(hard.getBetaAttr().getValueAsDouble(), 0.5))
      return Kind::hard_swish;
    return std::nullopt;
  }

  /// clip(x + 3, 0, 6)
  static bool isClippedShift(Value gate, Value x) {
    ElementwiseOp clip = definedBy(gate, Kind::clip);
    if (!clip || !clip.getAlpha() || !clip.getBeta() || clip.getAlphaAttr().getValueAsDouble() != 0 ||
        clip.getBetaAttr().getValueAsDouble() != 6)
      return false;
    std::optional<WithScalar> shifted = withScalar(clip.getInputs()[0], Kind::add);
    return shifted && shifted->scalar == 3 && shifted->other == x;
  }

  /// What x may be, read from the other factor.
  static SmallVector<Value> argumentsOf(Value gate) {
    for (Kind kind : {Kind::sigmoid, Kind::hard_sigmoid})
      if (Value x = argumentOf(gate, kind))
        return {x};
    if (Value inner = argumentOf(gate, Kind::tanh)) {
      Value x = argumentOf(inner, Kind::softplus);
      return x ? SmallVector<Value>{x} : SmallVector<Value>{};
    }
    Value clipped = argumentOf(gate, Kind::clip);
    std::optional<WithScalar> sum = withScalar(clipped ? clipped : gate, Kind::add);
    if (!sum)
      return {};
    if (clipped)
      return {sum->other};
    Value function = scaled(sum->other).other;
    if (Value inner = argumentOf(function, Kind::erf))
      return {scaled(inner).other};
    Value inner = argumentOf(function, Kind::tanh);
    auto polynomial = inner ? scaled(inner).other.getDefiningOp<ElementwiseOp>() : nullptr;
    return polynomial ? llvm::to_vector(polynomial.getInputs()) : SmallVector<Value>{};
  }

  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    if (op.getKind() != Kind::mul && op.getKind() != Kind::div)
      return failure();
    SmallVector<Value> gates;
    double ignored = 1;
    collectFactors(op.getResult(), Value(), gates, ignored);
    for (Value gate : gates) {
      for (Value x : argumentsOf(gate)) {
        SmallVector<Value> factors;
        double scalar = 1;
        collectFactors(op.getResult(), x, factors, scalar);
        if (factors.size() != 2 || !llvm::is_contained(factors, x) || x.getType() != op.getType())
          continue;
        if (std::optional<Kind> kind = kindOf(x, factors[factors[0] == x], scalar)) {
          rewriter.replaceOp(op, unary(rewriter, op.getLoc(), *kind, x));
          return success();
        }
      }
    }
    return failure();
  }
};

/// x / (1 + exp(-x)) -> silu and 1 / (1 + exp(-x)) -> sigmoid, also spelled as reciprocal.
struct RecognizeSigmoid : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;

  /// x of 1 + exp(-x).
  static Value denominatorOf(Value value) {
    std::optional<WithScalar> sum = withScalar(value, Kind::add);
    Value exponent = sum && sum->scalar == 1 ? argumentOf(sum->other, Kind::exp) : Value();
    if (!exponent)
      return {};
    if (Value x = argumentOf(exponent, Kind::neg))
      return x;
    WithScalar negated = scaled(exponent);
    return negated.scalar == -1 ? negated.other : Value();
  }

  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    bool division = op.getKind() == Kind::div;
    if (!division && op.getKind() != Kind::reciprocal)
      return failure();
    Value x = denominatorOf(op.getInputs().back());
    if (!x || x.getType() != op.getType())
      return failure();
    if (division && op.getInputs()[0] == x) {
      rewriter.replaceOp(op, unary(rewriter, op.getLoc(), Kind::silu, x));
      return success();
    }
    if (division && uniformConstant(op.getInputs()[0]) != 1.0)
      return failure();
    rewriter.replaceOp(op, unary(rewriter, op.getLoc(), Kind::sigmoid, x));
    return success();
  }
};

/// min(x, c), max(x, c), relu and clip chains -> one clip. Bounds are composed: the outer one wins.
/// Does not apply to a lone relu, to max(x, 0) (relu) and when the inner result is used elsewhere.
struct RecognizeClip : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;

  struct Bounds {
    Value input;
    double lower = -std::numeric_limits<double>::infinity(), upper = std::numeric_limits<double>::infinity();
  };

  static std::optional<Bounds> boundsOf(Value value) {
    if (auto op = value.getDefiningOp<ElementwiseOp>(); !op || !isa<FloatType>(tensorType(value).getElementType()))
      return std::nullopt;
    Bounds bounds;
    if (std::optional<WithScalar> min = withScalar(value, Kind::min)) {
      bounds.input = min->other;
      bounds.upper = min->scalar;
      return bounds;
    }
    if (std::optional<WithScalar> max = withScalar(value, Kind::max)) {
      bounds.input = max->other;
      bounds.lower = max->scalar;
      return bounds;
    }
    if (Value input = argumentOf(value, Kind::relu)) {
      bounds.input = input;
      bounds.lower = 0;
      return bounds;
    }
    ElementwiseOp clip = definedBy(value, Kind::clip);
    if (!clip)
      return std::nullopt;
    bounds.input = clip.getInputs()[0];
    if (clip.getAlpha())
      bounds.lower = clip.getAlphaAttr().getValueAsDouble();
    if (clip.getBeta())
      bounds.upper = clip.getBetaAttr().getValueAsDouble();
    return bounds;
  }

  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    std::optional<Bounds> outer = boundsOf(op.getResult());
    if (!outer || outer->input.getType() != op.getType() || std::isnan(outer->lower) || std::isnan(outer->upper))
      return failure();
    std::optional<Bounds> inner = outer->input.hasOneUse() ? boundsOf(outer->input) : std::nullopt;
    if (inner && !std::isnan(inner->lower) && !std::isnan(inner->upper)) {
      outer->input = inner->input;
      outer->lower = std::clamp(inner->lower, outer->lower, outer->upper);
      outer->upper = std::clamp(inner->upper, outer->lower, outer->upper);
    }
    bool isRelu = outer->lower == 0 && std::isinf(outer->upper);
    if (!inner && (op.getKind() == Kind::relu || (op.getKind() == Kind::clip && !isRelu)))
      return failure();
    Value result = isRelu ? unary(rewriter, op.getLoc(), Kind::relu, outer->input)
                          : unary(rewriter, op.getLoc(), Kind::clip, outer->input, outer->lower, outer->upper);
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// log(1 + exp(x)) -> softplus, and torch's guard select(x > 20, x, softplus(x)) -> softplus(x), which
/// beyond 20 equals x in f32. Does not apply when the threshold is below 15, where it would differ.
struct RecognizeSoftplus : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    if (op.getKind() == Kind::log) {
      std::optional<WithScalar> sum = withScalar(op.getInputs()[0], Kind::add);
      Value x = sum && sum->scalar == 1 ? argumentOf(sum->other, Kind::exp) : Value();
      if (!x)
        return failure();
      rewriter.replaceOp(op, unary(rewriter, op.getLoc(), Kind::softplus, x));
      return success();
    }
    if (op.getKind() != Kind::select)
      return failure();
    Value x = op.getInputs()[1], softplus = op.getInputs()[2];
    ElementwiseOp compare = definedBy(op.getInputs()[0], Kind::greater);
    if (!compare || compare.getInputs()[0] != x || argumentOf(softplus, Kind::softplus) != x)
      return failure();
    std::optional<double> threshold = uniformConstant(compare.getInputs()[1]);
    if (!threshold || *threshold < 15 || softplus.getType() != op.getType())
      return failure();
    rewriter.replaceOp(op, softplus);
    return success();
  }
};

/// clip(x + 3, 0, 6) / 6 -> hard_sigmoid {1/6, 1/2}, unless it multiplies x (then it is hard_swish).
struct RecognizeHardSigmoid : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    WithScalar sixth = scaled(op.getResult());
    ElementwiseOp clip = sixth.other != op.getResult() ? definedBy(sixth.other, Kind::clip) : nullptr;
    if (!clip || !near(sixth.scalar, 1.0 / 6))
      return failure();
    std::optional<WithScalar> shifted = withScalar(clip.getInputs()[0], Kind::add);
    if (!shifted || !RecognizeProduct::isClippedShift(sixth.other, shifted->other))
      return failure();
    rewriter.replaceOp(op, unary(rewriter, op.getLoc(), Kind::hard_sigmoid, shifted->other, 1.0 / 6, 0.5));
    return success();
  }
};

struct RecognizeActivations : coat::impl::CoatRecognizeActivationsBase<RecognizeActivations> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RecognizeProduct, RecognizeSigmoid, RecognizeClip, RecognizeSoftplus, RecognizeHardSigmoid>(
        &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
