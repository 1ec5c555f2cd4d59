// Unary, binary, ternary and variadic element-wise ops, Cast, Where, Clip.
//
// A node whose operands are known is evaluated; this is how shape arithmetic disappears.
#include "OnnxBytes.h"
#include <cmath>

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

/// Evaluates the node if all of its inputs are known and the result is.
static bool fold(NodeImporter &node, Kind kind, unsigned count) {
  SmallVector<const Known *> operands;
  for (unsigned input = 0; input < count; ++input)
    operands.push_back(node.known(input));
  if (llvm::is_contained(operands, nullptr))
    return false;
  auto result = evaluate(node.symbols, kind, operands);
  if (result)
    node.set(0, std::move(*result));
  return result.has_value();
}

/// The same, any number of operands joined one after another.
static bool foldAll(NodeImporter &node, Kind kind) {
  const Known *first = node.known(0);
  std::optional<Known> total = first ? std::optional(*first) : std::nullopt;
  for (unsigned input = 1; total && input < node.numInputs(); ++input) {
    const Known *next = node.known(input);
    total = next ? evaluate(node.symbols, kind, {&*total, next}) : std::nullopt;
  }
  if (total)
    node.set(0, std::move(*total));
  return total.has_value();
}

template <Kind kind> static void unary(NodeImporter &node) {
  if (!fold(node, kind, 1))
    node.set(0, node.elementwise(kind, node.tensor(0)));
}

template <Kind kind> static void binary(NodeImporter &node) {
  if (!fold(node, kind, 2))
    node.set(0, node.elementwise(kind, {node.tensor(0), node.tensor(1)}));
}

/// One parameter, attribute alpha.
static void unaryAlpha(NodeImporter &node, Kind kind, double fallback) {
  double alpha = node.real("alpha", fallback);
  node.set(0, node.elementwise(kind, node.tensor(0), alpha));
}

static void importHardSigmoid(NodeImporter &node) {
  double alpha = node.real("alpha", 0.2), beta = node.real("beta", 0.5);
  node.set(0, node.elementwise(Kind::hard_sigmoid, node.tensor(0), alpha, beta));
}

static void importSelu(NodeImporter &node) {
  double alpha = node.real("alpha", 1.67326319217681884765625), gamma = node.real("gamma", 1.05070102214813232421875);
  node.set(0, node.elementwise(Kind::selu, node.tensor(0), alpha, gamma));
}

static void importGelu(NodeImporter &node) {
  std::string approximate = node.string("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    node.fail("attribute 'approximate': expected none or tanh, got " + approximate);
  node.set(0, node.elementwise(approximate == "tanh" ? Kind::gelu_tanh : Kind::gelu, node.tensor(0)));
}

/// x * sigmoid(alpha * x).
static Value swish(NodeImporter &node, Value input, double alpha) {
  if (alpha == 1.0)
    return node.elementwise(Kind::silu, input);
  Value scaled = node.elementwise(Kind::mul, {input, node.scalar(alpha, node.elementType(0))});
  return node.elementwise(Kind::mul, {input, node.elementwise(Kind::sigmoid, scaled)});
}

static void importSwish(NodeImporter &node) {
  double alpha = node.real("alpha", 1.0);
  node.set(0, swish(node, node.tensor(0), alpha));
}

/// Swish of the first input times the second, which has the same shape.
static void importSwiGLU(NodeImporter &node) {
  double alpha = node.real("alpha", 1.0);
  Value gate = node.tensor(0), input = node.tensor(1);
  if (node.failed())
    return;
  if (node.rank(0) != node.rank(1))
    return node.fail("expected inputs of one shape, got ranks " + Twine(node.rank(0)) + " and " + Twine(node.rank(1)));
  node.set(0, node.elementwise(Kind::mul, {swish(node, gate, alpha), input}));
}

/// 0 within [-lambd, lambd], x shifted by bias outside.
static void importShrink(NodeImporter &node) {
  double lambd = node.real("lambd", 0.5), bias = node.real("bias", 0.0);
  Value input = node.tensor(0);
  Type type = node.elementType(0);
  if (node.failed())
    return;
  auto number = [&](double value) { return node.scalar(value, type); };
  Value below = node.elementwise(Kind::less, {input, number(-lambd)});
  Value above = node.elementwise(Kind::greater, {input, number(lambd)});
  Value shrunk = node.elementwise(Kind::select, {above, node.elementwise(Kind::sub, {input, number(bias)}), number(0)});
  node.set(0, node.elementwise(Kind::select, {below, node.elementwise(Kind::add, {input, number(bias)}), shrunk}));
}

static void importIsInf(NodeImporter &node) {
  bool positive = node.integer("detect_positive", 1) != 0, negative = node.integer("detect_negative", 1) != 0;
  Value input = node.tensor(0);
  if (positive && negative)
    return node.set(0, node.elementwise(Kind::isinf, input));
  if (!positive && !negative)
    return node.refuse("attributes 'detect_positive', 'detect_negative': expected one to be set, got none");
  Type type = node.elementType(0);
  if (node.failed())
    return;
  double infinity = positive ? INFINITY : -INFINITY;
  node.set(0, node.elementwise(Kind::equal, {input, node.scalar(infinity, type)}));
}

/// A slope of [C, 1, ..] broadcasts to the input; so does every other shape that ONNX allows.
static void importPRelu(NodeImporter &node) {
  node.set(0, node.elementwise(Kind::prelu, {node.tensor(0), node.tensor(1)}));
}

/// The result has the base's type. Integers to a floating-point power go through f64 and are truncated.
static void importPow(NodeImporter &node) {
  if (fold(node, Kind::pow, 2))
    return;
  Type type = node.elementType(0), exponent = node.elementType(1);
  if (node.failed())
    return;
  Type common = !isa<FloatType>(type) && isa<FloatType>(exponent) ? node.builder.getF64Type() : type;
  Value power =
      node.elementwise(Kind::pow, {node.convert(node.tensor(0), common), node.convert(node.tensor(1), common)});
  if (common != type && power) {
    // 3^6 may come out as 728.9999999999; truncation would make an error of one of it.
    Value whole = node.elementwise(Kind::round, power);
    Value distance = node.elementwise(Kind::abs, node.elementwise(Kind::sub, {power, whole}));
    Value close = node.elementwise(Kind::mul, {node.elementwise(Kind::abs, power), node.scalar(1e-12, common)});
    power = node.elementwise(Kind::select, {node.elementwise(Kind::less, {distance, close}), whole, power});
  }
  node.set(0, node.convert(power, type));
}

static void importMod(NodeImporter &node) {
  bool cStyle = node.integer("fmod", 0) != 0;
  Type type = node.elementType(0);
  if (!cStyle && type && isa<FloatType>(type) && node.opset() < 28)
    node.fail("attribute 'fmod': expected 1 for floating-point inputs, got 0");
  if (!cStyle && fold(node, Kind::mod, 2))
    return;
  node.set(0, node.elementwise(cStyle ? Kind::fmod : Kind::mod, {node.tensor(0), node.tensor(1)}));
}

static void importBitShift(NodeImporter &node) {
  std::string direction = node.string("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    return node.fail("attribute 'direction': expected LEFT or RIGHT, got '" + direction + "'");
  Kind kind = direction == "LEFT" ? Kind::shift_left : Kind::shift_right;
  node.set(0, node.elementwise(kind, {node.tensor(0), node.tensor(1)}));
}

/// Sum, Max, Min and Mean of any number of inputs.
template <Kind kind> static void variadic(NodeImporter &node) {
  bool mean = node.op() == "Mean";
  if (!mean && foldAll(node, kind))
    return;
  Value result = node.tensor(0);
  for (unsigned input = 1; input < node.numInputs(); ++input)
    result = node.elementwise(kind, {result, node.tensor(input)});
  if (mean && node.numInputs() > 1 && !node.failed())
    result = node.elementwise(Kind::div, {result, node.scalar(node.numInputs(), node.elementType(0))});
  node.set(0, result);
}

/// A known value within known bounds.
static std::optional<Known> clipKnown(NodeImporter &node) {
  const Known *input = node.opset() < 11 ? nullptr : node.known(0);
  std::optional<Known> value = input ? std::optional(*input) : std::nullopt;
  for (auto [number, kind] : {std::pair(1u, Kind::max), {2u, Kind::min}})
    if (value && node.has(number)) {
      const Known *bound = node.known(number);
      value = bound ? evaluate(node.symbols, kind, {&*value, bound}) : std::nullopt;
    }
  return value;
}

/// Bounds are attributes until opset 10, inputs later. Known bounds of floats make one op; everything else is a
/// maximum and a minimum.
static void importClip(NodeImporter &node) {
  if (auto known = clipKnown(node))
    return node.set(0, std::move(*known));
  Type type = node.elementType(0);
  Value result = node.tensor(0);
  if (node.failed())
    return;
  bool attributes = node.opset() < 11;
  double low = -INFINITY, high = INFINITY;
  bool constant = isa<FloatType>(type);
  if (attributes) {
    low = node.real("min", -INFINITY);
    high = node.real("max", INFINITY);
  } else {
    for (unsigned input : {1u, 2u})
      constant &= !node.has(input) || (node.known(input) && node.known(input)->elements.size() == 1);
    if (constant && node.has(1))
      low = node.number(1, "min");
    if (constant && node.has(2))
      high = node.number(2, "max");
  }
  if (constant)
    return node.set(0, node.elementwise(Kind::clip, result, low, high));
  if (attributes)
    return node.refuse("expected a floating-point input, got integers");
  if (node.has(1))
    result = node.elementwise(Kind::max, {result, node.tensor(1)});
  if (node.has(2))
    result = node.elementwise(Kind::min, {result, node.tensor(2)});
  node.set(0, result);
}

static void importWhere(NodeImporter &node) {
  if (!fold(node, Kind::select, 3))
    node.set(0, node.elementwise(Kind::select, {node.tensor(0), node.tensor(1), node.tensor(2)}));
}

static void castTo(NodeImporter &node, Type type) {
  node.ignore("saturate"); // of conversions to 8-bit floats
  if (node.failed())
    return;
  if (bytesOf(node, 0).second != Undefined)
    return node.set(0, node.convert(numberOf(node, 0), type));
  if (node.elementType(0) == type)
    return node.forward(0, 0);
  if (const Known *known = node.known(0))
    if (auto result = evaluateCast(node.symbols, *known, type))
      return node.set(0, std::move(*result));
  node.set(0, node.convert(node.tensor(0), type));
}

static void importCast(NodeImporter &node) {
  int64_t to = node.integer("to", 0);
  node.ignore("round_mode"); // of conversions to float8e8m0, which are refused
  if (isFloat8(to) || to == UInt4 || to == Int4)
    return castToBytes(node, to);
  Type type = elementTypeOf(to, node.context);
  if (!type)
    return node.refuse("attribute 'to': expected " + knownDataTypes + ", got " + dataTypeName(to));
  castTo(node, type);
}

static void importCastLike(NodeImporter &node) {
  node.ignore("round_mode");
  int32_t to = bytesOf(node, 1).second;
  if (to != Undefined)
    return castToBytes(node, to);
  castTo(node, node.elementType(1));
}

ArrayRef<Handler> coat::onnx::elementwiseHandlers() {
  static const Handler rows[] = {
      {"Abs", 6, newest, unary<Kind::abs>},
      {"Neg", 6, newest, unary<Kind::neg>},
      {"Exp", 6, newest, unary<Kind::exp>},
      {"Log", 6, newest, unary<Kind::log>},
      {"Sqrt", 6, newest, unary<Kind::sqrt>},
      {"Reciprocal", 6, newest, unary<Kind::reciprocal>},
      {"Floor", 6, newest, unary<Kind::floor>},
      {"Ceil", 6, newest, unary<Kind::ceil>},
      {"Round", 11, newest, unary<Kind::round>},
      {"Sign", 9, newest, unary<Kind::sign>},
      {"Sin", 7, newest, unary<Kind::sin>},
      {"Cos", 7, newest, unary<Kind::cos>},
      {"Tan", 7, newest, unary<Kind::tan>},
      {"Asin", 7, newest, unary<Kind::asin>},
      {"Acos", 7, newest, unary<Kind::acos>},
      {"Atan", 7, newest, unary<Kind::atan>},
      {"Sinh", 9, newest, unary<Kind::sinh>},
      {"Cosh", 9, newest, unary<Kind::cosh>},
      {"Asinh", 9, newest, unary<Kind::asinh>},
      {"Acosh", 9, newest, unary<Kind::acosh>},
      {"Atanh", 9, newest, unary<Kind::atanh>},
      {"Erf", 9, newest, unary<Kind::erf>},
      {"Tanh", 6, newest, unary<Kind::tanh>},
      {"Sigmoid", 6, newest, unary<Kind::sigmoid>},
      {"Relu", 6, newest, unary<Kind::relu>},
      {"Softplus", 1, newest, unary<Kind::softplus>},
      {"Softsign", 1, newest, unary<Kind::softsign>},
      {"Mish", 18, newest, unary<Kind::mish>},
      {"HardSwish", 14, newest, unary<Kind::hard_swish>},
      {"Not", 1, newest, unary<Kind::logical_not>},
      {"IsNaN", 9, newest, unary<Kind::isnan>},
      {"IsInf", 10, newest, importIsInf},
      {"Elu", 6, newest, [](NodeImporter &node) { unaryAlpha(node, Kind::elu, 1.0); }},
      {"LeakyRelu", 6, newest, [](NodeImporter &node) { unaryAlpha(node, Kind::leaky_relu, 0.01); }},
      {"Celu", 12, newest, [](NodeImporter &node) { unaryAlpha(node, Kind::celu, 1.0); }},
      {"ThresholdedRelu", 10, newest, [](NodeImporter &node) { unaryAlpha(node, Kind::thresholded_relu, 1.0); }},
      {"HardSigmoid", 6, newest, importHardSigmoid},
      {"Selu", 6, newest, importSelu},
      {"Gelu", 20, newest, importGelu},
      {"SwiGLU", 28, newest, importSwiGLU},
      {"Swish", 24, newest, importSwish},
      {"Shrink", 9, newest, importShrink},
      {"PRelu", 7, newest, importPRelu},
      {"Clip", 6, newest, importClip},
      {"Add", 7, newest, binary<Kind::add>},
      {"Sub", 7, newest, binary<Kind::sub>},
      {"Mul", 7, newest, binary<Kind::mul>},
      {"Div", 7, newest, binary<Kind::div>},
      {"Pow", 7, newest, importPow},
      {"Mod", 10, newest, importMod},
      {"BitShift", 11, newest, importBitShift},
      {"BitwiseAnd", 18, newest, binary<Kind::bitwise_and>},
      {"BitwiseOr", 18, newest, binary<Kind::bitwise_or>},
      {"BitwiseXor", 18, newest, binary<Kind::bitwise_xor>},
      {"BitwiseNot", 18, newest, unary<Kind::bitwise_not>},
      {"Equal", 7, newest, binary<Kind::equal>},
      {"Less", 7, newest, binary<Kind::less>},
      {"LessOrEqual", 12, newest, binary<Kind::less_equal>},
      {"Greater", 7, newest, binary<Kind::greater>},
      {"GreaterOrEqual", 12, newest, binary<Kind::greater_equal>},
      {"And", 7, newest, binary<Kind::logical_and>},
      {"Or", 7, newest, binary<Kind::logical_or>},
      {"Xor", 7, newest, binary<Kind::logical_xor>},
      {"Sum", 6, newest, variadic<Kind::add>},
      {"Mean", 6, newest, variadic<Kind::add>},
      {"Max", 6, newest, variadic<Kind::max>},
      {"Min", 6, newest, variadic<Kind::min>},
      {"Where", 9, newest, importWhere},
      {"Cast", 6, newest, importCast},
      {"CastLike", 15, newest, importCastLike},
  };
  return rows;
}
