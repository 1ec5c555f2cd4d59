// TOSA: element-wise ops, casts, rescaling, reductions.
#include "Mlir.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

template <Kind kind, unsigned count> static void elementwise(MlirNode node) {
  SmallVector<Value> operands;
  for (unsigned input = 0; input < count; ++input)
    operands.push_back(node->tensor(input));
  node->set(0, node->elementwise(kind, operands));
}

static bool isPropagating(MlirNode node, tosa::NanPropagationMode mode) {
  if (mode == tosa::NanPropagationMode::PROPAGATE)
    return true;
  node->refuse("attribute 'nan_mode': expected PROPAGATE, got IGNORE");
  return false;
}

template <typename OpTy, Kind kind> static void extreme(MlirNode node) {
  if (isPropagating(node, node.as<OpTy>().getNanMode()))
    elementwise<kind, 2>(node);
}

/// Operands such as zero points and shifts that must be zero.
static bool isZero(MlirNode node, unsigned input, StringRef what) {
  if (uniformValue(node->tensor(input)) == 0.0)
    return true;
  node->refuse("expected " + what + " of 0, got another");
  return false;
}

static void importMul(MlirNode node) {
  if (!isZero(node, 2, "a shift"))
    return;
  Type type = node.declaredElement();
  node->set(
      0, node->elementwise(Kind::mul, {node->convert(node->tensor(0u), type), node->convert(node->tensor(1u), type)}));
}

static void importNegate(MlirNode node) {
  if (isZero(node, 1, "a zero point") && isZero(node, 2, "a zero point"))
    node->set(0, node->elementwise(Kind::neg, node->tensor(0u)));
}

static void importRsqrt(MlirNode node) {
  node->set(0, node->elementwise(Kind::reciprocal, node->elementwise(Kind::sqrt, node->tensor(0u))));
}

static double numberOf(mlir::Attribute attribute) {
  if (auto real = dyn_cast<FloatAttr>(attribute))
    return real.getValueAsDouble();
  return double(cast<IntegerAttr>(attribute).getValue().getSExtValue());
}

static void importClamp(MlirNode node) {
  auto op = node.as<tosa::ClampOp>();
  if (isPropagating(node, op.getNanMode()))
    node->set(0, node->elementwise(Kind::clip, node->tensor(0u), numberOf(op.getMinVal()), numberOf(op.getMaxVal())));
}

static void importArithmeticShift(MlirNode node) {
  Value x = node->tensor(0u), shift = node->tensor(1u);
  Value result = node->elementwise(Kind::shift_right, {x, shift});
  if (result && node.as<tosa::ArithmeticRightShiftOp>().getRound()) { // the last bit that went
    Value one = node->scalar(1, MlirNode::elementOf(x)), zero = node->scalar(0, MlirNode::elementOf(x));
    Value last = node->elementwise(Kind::shift_right, {x, node->elementwise(Kind::sub, {shift, one})});
    last = node->elementwise(Kind::bitwise_and, {last, one});
    last = node->elementwise(Kind::select, {node->elementwise(Kind::greater, {shift, zero}), last, zero});
    result = node->elementwise(Kind::add, {result, last});
  }
  node->set(0, result);
}

static void importLogicalShift(MlirNode node) {
  Type type = node.declaredElement();
  auto bits = IntegerType::get(node->context, type.getIntOrFloatBitWidth(), IntegerType::Unsigned);
  Value x = node->convert(node->tensor(0u), bits), shift = node->convert(node->tensor(1u), bits);
  node->set(0, node->convert(node->elementwise(Kind::shift_right, {x, shift}), type));
}

/// The least and the greatest number of a signed integer type; beyond i32 none that a double holds is needed.
static std::pair<double, double> rangeOf(Type type, bool isUnsigned = false) {
  unsigned width = type.getIntOrFloatBitWidth();
  double half = std::ldexp(1.0, int(width) - 1);
  return isUnsigned ? std::pair(0.0, 2 * half - 1) : std::pair(-half, half - 1);
}

/// Floating-point to integer rounds to nearest even and saturates, where coat.cast truncates.
static void importCast(MlirNode node) {
  Value x = node->tensor(0u);
  Type type = node.declaredElement();
  if (!x)
    return;
  if (isa<FloatType>(MlirNode::elementOf(x)) && isa<IntegerType>(type) && !type.isInteger(1)) {
    if (type.getIntOrFloatBitWidth() > 32)
      return node->refuse("expected integers of at most 32 bits, got wider ones");
    auto [least, most] = rangeOf(type);
    x = node->convert(x, node->builder.getF64Type()); // holds the bounds of i32
    x = node->elementwise(Kind::clip, node->elementwise(Kind::round, x), least, most);
    Value number = node->elementwise(Kind::isnan, x); // becomes 0
    x = node->elementwise(Kind::select, {number, node->scalar(0, node->builder.getF64Type()), x});
  }
  node->set(0, node->convert(x, type));
}

/// (x - input zero point) * multiplier / 2^shift, rounded, in 64 bits; plus the output zero point, saturated.
static void importRescale(MlirNode node) {
  auto op = node.as<tosa::RescaleOp>();
  Type i64 = node->builder.getI64Type(), type = node.declaredElement();
  auto inputZero = uniformValue(node->tensor(3u)), outputZero = uniformValue(node->tensor(4u));
  if (!inputZero || !outputZero)
    return node->refuse("expected constant zero points, got values computed at run time");
  auto wide = [&](double value) { return node->scalar(value, i64); };
  auto binary = [&](Kind kind, Value a, Value b) { return node->elementwise(kind, {a, b}); };
  Value x = node->tensor(0u);
  if (x && op.getInputUnsigned())
    x = node->convert(
        x, IntegerType::get(node->context, MlirNode::elementOf(x).getIntOrFloatBitWidth(), IntegerType::Unsigned));
  Value centered = binary(Kind::sub, node->convert(x, i64), wide(*inputZero));
  Value multiplier = node->convert(node->tensor(1u), i64), shift = node->convert(node->tensor(2u), i64);
  Value half = binary(Kind::shift_left, wide(1), binary(Kind::sub, shift, wide(1)));
  if (op.getRoundingMode() == tosa::RoundingMode::DOUBLE_ROUND) {
    Value away = node->elementwise(Kind::select,
                                   {binary(Kind::greater_equal, centered, wide(0)), wide(1 << 30), wide(-(1 << 30))});
    half =
        node->elementwise(Kind::select, {binary(Kind::greater, shift, wide(31)), binary(Kind::add, half, away), half});
  }
  Value scaled = binary(Kind::shift_right, binary(Kind::add, binary(Kind::mul, centered, multiplier), half), shift);
  auto [least, most] = rangeOf(type, op.getOutputUnsigned());
  scaled = node->elementwise(Kind::clip, binary(Kind::add, scaled, wide(*outputZero)), least, most);
  node->set(0, node->convert(scaled, type));
}

/// A table of 256 numbers, one for each i8.
static void importTable(MlirNode node) {
  Value x = node->tensor(0u), table = node->tensor(1u);
  if (!x || !table)
    return;
  if (!MlirNode::elementOf(x).isInteger(8))
    return node->refuse("expected elements of i8, got another type");
  Type i32 = node->builder.getI32Type();
  Value position = node->elementwise(Kind::add, {node->convert(x, i32), node->scalar(128, i32)});
  node->set(0, node->emit<GatherOp>({table, position}, node->attr("axis", int64_t(0))));
}

template <typename OpTy, ReduceKind kind> static void reduce(MlirNode node) {
  auto op = node.as<OpTy>();
  if constexpr (kind == ReduceKind::max || kind == ReduceKind::min)
    if (!isPropagating(node, op.getNanMode()))
      return;
  node->set(0, node->reduce(kind, node->tensor(0u), int64_t(op.getAxis())));
}

/// Truth values as numbers: all is the least of them, any the greatest.
template <typename OpTy, ReduceKind kind> static void reduceTruth(MlirNode node) {
  Value numbers = node->convert(node->tensor(0u), node->builder.getI32Type());
  node->set(0, node->convert(node->reduce(kind, numbers, int64_t(node.as<OpTy>().getAxis())), node.declaredElement()));
}

static void importArgMax(MlirNode node) {
  auto op = node.as<tosa::ArgMaxOp>();
  if (!isPropagating(node, op.getNanMode()))
    return;
  auto kind = node->attr("kind", ReduceKindAttr::get(node->context, ReduceKind::max));
  Value index = node->emit<ArgReduceOp>(node->tensor(0u), {kind, node->attr("axis", int64_t(op.getAxis()))});
  node->set(0, node->convert(index, node.declaredElement()));
}

ArrayRef<Handler> coat::onnx::tosaElementwiseHandlers() {
#define UNARY(op, kind) {"tosa." op, 1, newest, mlirOp<elementwise<Kind::kind, 1>>}
#define BINARY(op, kind)                                                                                               \
  {                                                                                                                    \
    "tosa." op, 1, newest, mlirOp<elementwise<Kind::kind, 2>>                                                          \
  }
  static const Handler rows[] = {
      UNARY("abs", abs),
      UNARY("bitwise_not", bitwise_not),
      UNARY("ceil", ceil),
      UNARY("cos", cos),
      UNARY("erf", erf),
      UNARY("exp", exp),
      UNARY("floor", floor),
      UNARY("log", log),
      UNARY("logical_not", logical_not),
      UNARY("reciprocal", reciprocal),
      UNARY("sigmoid", sigmoid),
      UNARY("sin", sin),
      UNARY("tanh", tanh),
      BINARY("add", add),
      BINARY("bitwise_and", bitwise_and),
      BINARY("bitwise_or", bitwise_or),
      BINARY("bitwise_xor", bitwise_xor),
      BINARY("equal", equal),
      BINARY("greater", greater),
      BINARY("greater_equal", greater_equal),
      BINARY("intdiv", div),
      BINARY("logical_and", logical_and),
      BINARY("logical_left_shift", shift_left),
      BINARY("logical_or", logical_or),
      BINARY("logical_xor", logical_xor),
      BINARY("pow", pow),
      BINARY("sub", sub),
      {"tosa.arithmetic_right_shift", 1, newest, mlirOp<importArithmeticShift>},
      {"tosa.logical_right_shift", 1, newest, mlirOp<importLogicalShift>},
      {"tosa.maximum", 1, newest, mlirOp<extreme<tosa::MaximumOp, Kind::max>>},
      {"tosa.minimum", 1, newest, mlirOp<extreme<tosa::MinimumOp, Kind::min>>},
      {"tosa.select", 1, newest, mlirOp<elementwise<Kind::select, 3>>},
      {"tosa.mul", 1, newest, mlirOp<importMul>},
      {"tosa.negate", 1, newest, mlirOp<importNegate>},
      {"tosa.rsqrt", 1, newest, mlirOp<importRsqrt>},
      {"tosa.clamp", 1, newest, mlirOp<importClamp>},
      {"tosa.cast", 1, newest, mlirOp<importCast>},
      {"tosa.rescale", 1, newest, mlirOp<importRescale>},
      {"tosa.table", 1, newest, mlirOp<importTable>},
      {"tosa.reduce_max", 1, newest, mlirOp<reduce<tosa::ReduceMaxOp, ReduceKind::max>>},
      {"tosa.reduce_min", 1, newest, mlirOp<reduce<tosa::ReduceMinOp, ReduceKind::min>>},
      {"tosa.reduce_product", 1, newest, mlirOp<reduce<tosa::ReduceProductOp, ReduceKind::prod>>},
      {"tosa.reduce_sum", 1, newest, mlirOp<reduce<tosa::ReduceSumOp, ReduceKind::sum>>},
      {"tosa.reduce_all", 1, newest, mlirOp<reduceTruth<tosa::ReduceAllOp, ReduceKind::min>>},
      {"tosa.reduce_any", 1, newest, mlirOp<reduceTruth<tosa::ReduceAnyOp, ReduceKind::max>>},
      {"tosa.argmax", 1, newest, mlirOp<importArgMax>},
  };
#undef UNARY
#undef BINARY
  return rows;
}
