// ATen: element-wise ops, comparisons, conversions.
#include "Aten.h"
#include <limits>

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

template <Kind kind> static void unary(AtenNode node) { node->set(0, node->elementwise(kind, node.tensor("self"))); }

/// The function of integers is one of f32.
template <Kind kind> static void realUnary(AtenNode node) {
  Value x = node.tensor("self");
  if (x && !isa<FloatType>(AtenNode::elementTypeOf(x)))
    x = node->convert(x, Float32Type::get(node->context));
  node->set(0, node->elementwise(kind, x));
}

template <Kind kind> static void binary(AtenNode node) {
  node->set(0, node->elementwise(kind, node.promote({"self", "other"})));
}

/// self + alpha * other.
template <Kind kind> static void scaled(AtenNode node) {
  SmallVector<Value> operands = node.promote({"self", "other"});
  double alpha = node.number("alpha", 1);
  if (alpha != 1 && operands[1])
    operands[1] =
        node->elementwise(Kind::mul, {operands[1], node->scalar(alpha, AtenNode::elementTypeOf(operands[1]))});
  node->set(0, node->elementwise(kind, operands));
}

static void reverseSubtract(AtenNode node) {
  SmallVector<Value> operands = node.promote({"other", "self"});
  if (node.number("alpha", 1) != 1)
    node->refuse("argument 'alpha': expected 1, got another number");
  node->set(0, node->elementwise(Kind::sub, operands));
}

static void divide(AtenNode node) {
  SmallVector<Value> operands = node.promote({"self", "other"});
  std::string rounding = node.string("rounding_mode", "");
  if (!operands[0] || !operands[1])
    return;
  bool isReal = isa<FloatType>(AtenNode::elementTypeOf(operands[0]));
  if (rounding.empty() && !isReal)
    for (Value &operand : operands)
      operand = node->convert(operand, Float32Type::get(node->context));
  Value result = node->elementwise(Kind::div, operands);
  if (rounding == "floor" && isReal)
    result = node->elementwise(Kind::floor, result);
  else if (!rounding.empty() && (isReal || rounding != "trunc"))
    node->refuse("argument 'rounding_mode': expected trunc of integers or floor of floating-point, got " + rounding);
  node->set(0, result);
}

static void power(AtenNode node) { node->set(0, node->elementwise(Kind::pow, node.promote({"self", "exponent"}))); }

static void notEqual(AtenNode node) {
  Value equal = node->elementwise(Kind::equal, node.promote({"self", "other"}));
  node->set(0, node->elementwise(Kind::logical_not, equal));
}

/// The logical functions of numbers are those of their != 0.
template <Kind kind> static void logical(AtenNode node) {
  SmallVector<Value> operands = {node.tensor("self")};
  if (kind != Kind::logical_not)
    operands.push_back(node.tensor("other"));
  for (Value &operand : operands)
    operand = node->convert(operand, IntegerType::get(node->context, 1));
  node->set(0, node->elementwise(kind, operands));
}

static void where(AtenNode node) {
  Value condition = node.tensor("condition");
  SmallVector<Value> values = node.promote({"self", "other"});
  node->set(0, node->elementwise(Kind::select, {condition, values[0], values[1]}));
}

static void maskedFill(AtenNode node) {
  Value x = node.tensor("self"), mask = node.tensor("mask");
  if (x && mask)
    node->set(0, node->elementwise(Kind::select, {mask,
                                                  node->convert(node.operand("value", AtenNode::elementTypeOf(x)),
                                                                AtenNode::elementTypeOf(x)),
                                                  x}));
}

static void clampTo(AtenNode node, StringRef low, StringRef high) {
  for (StringRef name : {low, high})
    if (node.has(name) && !node.isNumber(name))
      return node->refuse("argument '" + name + "': expected a number, got a tensor");
  std::optional<double> alpha, beta;
  if (node.has(low))
    alpha = node.number(low, 0);
  if (node.has(high))
    beta = node.number(high, 0);
  node->set(0, node->elementwise(Kind::clip, node.tensor("self"), alpha, beta));
}
static void clamp(AtenNode node) { clampTo(node, "min", "max"); }
static void hardtanh(AtenNode node) {
  node->set(0,
            node->elementwise(Kind::clip, node.tensor("self"), node.number("min_val", -1), node.number("max_val", 1)));
}
static void relu6(AtenNode node) { node->set(0, node->elementwise(Kind::clip, node.tensor("self"), 0.0, 6.0)); }

static void gelu(AtenNode node) {
  bool isTanh = node.string("approximate", "none") == "tanh";
  node->set(0, node->elementwise(isTanh ? Kind::gelu_tanh : Kind::gelu, node.tensor("self")));
}
static void rsqrt(AtenNode node) {
  node->set(0, node->elementwise(Kind::reciprocal, node->elementwise(Kind::sqrt, node.tensor("self"))));
}
static void elu(AtenNode node) {
  if (node.number("scale", 1) != 1 || node.number("input_scale", 1) != 1)
    node->refuse("arguments 'scale', 'input_scale': expected 1, got another number");
  node->set(0, node->elementwise(Kind::elu, node.tensor("self"), node.number("alpha", 1)));
}
static void leakyRelu(AtenNode node) {
  node->set(0, node->elementwise(Kind::leaky_relu, node.tensor("self"), node.number("negative_slope", 0.01)));
}
static void softplus(AtenNode node) {
  node.number("threshold", 20); // beyond it the function is the identity in f32 too
  if (node.number("beta", 1) != 1)
    node->refuse("argument 'beta': expected 1, got another number");
  node->set(0, node->elementwise(Kind::softplus, node.tensor("self")));
}
static void hardSigmoid(AtenNode node) {
  node->set(0, node->elementwise(Kind::hard_sigmoid, node.tensor("self"), 1.0 / 6, 0.5));
}
static void prelu(AtenNode node) {
  Value x = node.tensor("self"), weight = node.tensor("weight");
  if (!x || !weight)
    return;
  if (int64_t rank = AtenNode::rank(x); rank > 2) // one slope a channel
    weight = node->reshape(weight, [&] {
      SmallVector<AffineExpr> shape(rank - 1, node->number(1));
      shape[0] = node->dims(weight)[0];
      return shape;
    }());
  node->set(0, node->elementwise(Kind::prelu, {x, weight}));
}

/// One half of the channels, times the sigmoid of the other.
static void glu(AtenNode node) {
  Value x = node.tensor("self");
  if (!x)
    return;
  int64_t axis = node.axis("dim", -1, AtenNode::rank(x));
  AffineExpr half = node->symbols.floorDiv(node->dims(x)[axis], node->number(2));
  Value value = node->slice(x, axis, node->number(0), half), gate = node->slice(x, axis, half, half);
  node->set(0, node->elementwise(Kind::mul, {value, node->elementwise(Kind::sigmoid, gate)}));
}

static void convertTo(AtenNode node) {
  node.ignore({"non_blocking", "copy", "memory_format", "layout", "device", "pin_memory"});
  Value x = node.tensor("self");
  if (x)
    node->set(0, node->convert(x, node.elementType(AtenNode::elementTypeOf(x))));
}
static void typeAs(AtenNode node) {
  if (Value other = node.tensor("other"))
    node->set(0, node->convert(node.tensor("self"), AtenNode::elementTypeOf(other)));
}

/// What changes nothing in inference.
static void same(AtenNode node) {
  node.ignore({"p", "train", "training", "memory_format", "inplace"});
  node->set(0, node.tensor(node.has("self") ? "self" : "input"));
}

ArrayRef<Handler> coat::onnx::atenElementwiseHandlers() {
  static const Handler rows[] = {
      {"aten.relu", 1, newest, aten<unary<Kind::relu>>},
      {"aten.neg", 1, newest, aten<unary<Kind::neg>>},
      {"aten.abs", 1, newest, aten<unary<Kind::abs>>},
      {"aten.sign", 1, newest, aten<unary<Kind::sign>>},
      {"aten.floor", 1, newest, aten<unary<Kind::floor>>},
      {"aten.ceil", 1, newest, aten<unary<Kind::ceil>>},
      {"aten.round", 1, newest, aten<unary<Kind::round>>},
      {"aten.isnan", 1, newest, aten<unary<Kind::isnan>>},
      {"aten.isinf", 1, newest, aten<unary<Kind::isinf>>},
      {"aten.silu", 1, newest, aten<unary<Kind::silu>>},
      {"aten.mish", 1, newest, aten<unary<Kind::mish>>},
      {"aten.hardswish", 1, newest, aten<unary<Kind::hard_swish>>},
      {"aten.selu", 1, newest, aten<unary<Kind::selu>>},
      {"aten.exp", 1, newest, aten<realUnary<Kind::exp>>},
      {"aten.log", 1, newest, aten<realUnary<Kind::log>>},
      {"aten.sqrt", 1, newest, aten<realUnary<Kind::sqrt>>},
      {"aten.sin", 1, newest, aten<realUnary<Kind::sin>>},
      {"aten.cos", 1, newest, aten<realUnary<Kind::cos>>},
      {"aten.erf", 1, newest, aten<realUnary<Kind::erf>>},
      {"aten.tanh", 1, newest, aten<realUnary<Kind::tanh>>},
      {"aten.sigmoid", 1, newest, aten<realUnary<Kind::sigmoid>>},
      {"aten.reciprocal", 1, newest, aten<realUnary<Kind::reciprocal>>},
      {"aten.rsqrt", 1, newest, aten<rsqrt>},
      {"aten.gelu", 1, newest, aten<gelu>},
      {"aten.elu", 1, newest, aten<elu>},
      {"aten.leaky_relu", 1, newest, aten<leakyRelu>},
      {"aten.softplus", 1, newest, aten<softplus>},
      {"aten.hardsigmoid", 1, newest, aten<hardSigmoid>},
      {"aten.prelu", 1, newest, aten<prelu>},
      {"aten._prelu_kernel", 1, newest, aten<prelu>},
      {"aten.clamp", 1, newest, aten<clamp>},
      {"aten.hardtanh", 1, newest, aten<hardtanh>},
      {"aten.relu6", 1, newest, aten<relu6>},
      {"aten.glu", 1, newest, aten<glu>},
      {"aten.add", 1, newest, aten<scaled<Kind::add>>},
      {"aten.sub", 1, newest, aten<scaled<Kind::sub>>},
      {"aten.rsub", 1, newest, aten<reverseSubtract>},
      {"aten.mul", 1, newest, aten<binary<Kind::mul>>},
      {"aten.div", 1, newest, aten<divide>},
      {"aten.pow", 1, newest, aten<power>},
      {"aten.remainder", 1, newest, aten<binary<Kind::mod>>},
      {"aten.fmod", 1, newest, aten<binary<Kind::fmod>>},
      {"aten.maximum", 1, newest, aten<binary<Kind::max>>},
      {"aten.minimum", 1, newest, aten<binary<Kind::min>>},
      {"aten.eq", 1, newest, aten<binary<Kind::equal>>},
      {"aten.ne", 1, newest, aten<notEqual>},
      {"aten.lt", 1, newest, aten<binary<Kind::less>>},
      {"aten.le", 1, newest, aten<binary<Kind::less_equal>>},
      {"aten.gt", 1, newest, aten<binary<Kind::greater>>},
      {"aten.ge", 1, newest, aten<binary<Kind::greater_equal>>},
      {"aten.logical_and", 1, newest, aten<logical<Kind::logical_and>>},
      {"aten.logical_or", 1, newest, aten<logical<Kind::logical_or>>},
      {"aten.logical_xor", 1, newest, aten<logical<Kind::logical_xor>>},
      {"aten.logical_not", 1, newest, aten<logical<Kind::logical_not>>},
      {"aten.where", 1, newest, aten<where>},
      {"aten.masked_fill", 1, newest, aten<maskedFill>},
      {"aten.to", 1, newest, aten<convertTo>},
      {"aten._to_copy", 1, newest, aten<convertTo>},
      {"aten.type_as", 1, newest, aten<typeAs>},
      {"aten.clone", 1, newest, aten<same>},
      {"aten.contiguous", 1, newest, aten<same>},
      {"aten.detach", 1, newest, aten<same>},
      {"aten.alias", 1, newest, aten<same>},
      {"aten.dropout", 1, newest, aten<same>},
      {"aten.lift_fresh_copy", 1, newest, aten<same>},
  };
  return rows;
}
