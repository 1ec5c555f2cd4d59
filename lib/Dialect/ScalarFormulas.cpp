// The scalar formula of every element-wise kind and of casts, on single values and on vectors alike.
//
// Written once: the reference's loops, the bodies of fused kernels and constant folding all come from here. The
// formulas are ONNX's; where ONNX's text overflows (softplus) the stable form of the same function stands.
// - f16 and bf16 are computed in f32 and rounded once at the end.
// - Unsigned element types (ui8 ..) become signless for arith, which has the sign in its ops.
#include "coat/Dialect/Coat.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace coat;

// `type` with another element type, or the element type itself when `type` is a scalar.
static Type withElementType(Type type, Type elementType) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.clone(elementType);
  return elementType;
}

static bool isNarrowFloat(Type elementType) {
  return isa<FloatType>(elementType) && elementType.getIntOrFloatBitWidth() < 32;
}

// i1 is a truth value, so that its 1 is not -1.
static bool isUnsigned(Type elementType) { return elementType.isUnsignedInteger() || elementType.isInteger(1); }

// arith takes signless integers; the cast between the two disappears with the lowering to LLVM.
static Value toSignedness(OpBuilder &builder, Location loc, Value value, Type elementType) {
  Type type = withElementType(value.getType(), elementType);
  if (value.getType() == type)
    return value;
  return UnrealizedConversionCastOp::create(builder, loc, type, value).getResult(0);
}

static Value toSignless(OpBuilder &builder, Location loc, Value value) {
  Type elementType = getElementTypeOrSelf(value);
  auto integer = dyn_cast<IntegerType>(elementType);
  if (!integer || integer.isSignless())
    return value;
  return toSignedness(builder, loc, value, builder.getIntegerType(integer.getWidth()));
}

namespace {

// Arithmetic on values of one type: an f32, an i64, a vector<8xf32> ..
struct Scalars {
  OpBuilder &builder;
  Location loc;
  Type type, elementType;
  bool isFloat, isUnsigned;

  Scalars(OpBuilder &builder, Location loc, Value sample, bool isUnsigned)
      : builder(builder), loc(loc), type(sample.getType()), elementType(getElementTypeOrSelf(type)),
        isFloat(isa<FloatType>(elementType)), isUnsigned(isUnsigned) {}

  template <typename OpT, typename... Args> Value make(Args... args) { return OpT::create(builder, loc, args...); }

  Value constant(double value) {
    TypedAttr attr;
    if (isFloat) {
      attr = builder.getFloatAttr(elementType, value);
    } else {
      attr = builder.getIntegerAttr(elementType, saturated(value));
    }
    if (auto vector = dyn_cast<VectorType>(type))
      attr = SplatElementsAttr::get(vector, attr);
    return make<arith::ConstantOp>(attr);
  }

  // A bound such as 1e18 or -inf becomes the nearest integer that the type has.
  APInt saturated(double value) {
    unsigned width = elementType.getIntOrFloatBitWidth();
    llvm::APSInt result(width, isUnsigned);
    bool exact;
    llvm::APFloat(value).convertToInteger(result, llvm::APFloat::rmTowardZero, &exact);
    return result;
  }

  Value add(Value a, Value b) { return isFloat ? make<arith::AddFOp>(a, b) : make<arith::AddIOp>(a, b); }
  Value sub(Value a, Value b) { return isFloat ? make<arith::SubFOp>(a, b) : make<arith::SubIOp>(a, b); }
  Value mul(Value a, Value b) { return isFloat ? make<arith::MulFOp>(a, b) : make<arith::MulIOp>(a, b); }
  Value div(Value a, Value b) {
    if (isFloat)
      return make<arith::DivFOp>(a, b);
    // Processors trap on x / 0 and on min / -1; the quotient is then 0, and -x wrapped around.
    Value zero = constant(0), byZero = equal(b, zero), safe = select(byZero, constant(1), b);
    if (isUnsigned)
      return select(byZero, zero, make<arith::DivUIOp>(a, safe));
    Value byMinusOne = equal(b, constant(-1));
    Value quotient = make<arith::DivSIOp>(a, select(byMinusOne, constant(1), safe));
    return select(byZero, zero, select(byMinusOne, neg(a), quotient));
  }
  // Remainder with the sign of the dividend, C's fmod.
  Value rem(Value a, Value b) {
    if (isFloat)
      return make<arith::RemFOp>(a, b);
    // As for div; the remainder is 0 in both cases.
    Value one = constant(1), safe = select(equal(b, constant(0)), one, b);
    if (isUnsigned)
      return make<arith::RemUIOp>(a, safe);
    return make<arith::RemSIOp>(a, select(equal(b, constant(-1)), one, safe));
  }
  // Of integers.
  Value equal(Value a, Value b) { return make<arith::CmpIOp>(arith::CmpIPredicate::eq, a, b); }
  Value max(Value a, Value b) {
    if (isFloat)
      return make<arith::MaximumFOp>(a, b);
    return isUnsigned ? make<arith::MaxUIOp>(a, b) : make<arith::MaxSIOp>(a, b);
  }
  Value min(Value a, Value b) {
    if (isFloat)
      return make<arith::MinimumFOp>(a, b);
    return isUnsigned ? make<arith::MinUIOp>(a, b) : make<arith::MinSIOp>(a, b);
  }
  Value neg(Value a) { return isFloat ? make<arith::NegFOp>(a) : sub(constant(0), a); }
  Value abs(Value a) {
    if (isFloat)
      return make<math::AbsFOp>(a);
    return isUnsigned ? a : make<math::AbsIOp>(a);
  }
  Value exp(Value a) { return make<math::ExpOp>(a); }
  Value tanh(Value a) { return make<math::TanhOp>(a); }
  Value select(Value condition, Value a, Value b) { return make<arith::SelectOp>(condition, a, b); }

  Value less(Value a, Value b) {
    return compare(arith::CmpFPredicate::OLT, arith::CmpIPredicate::slt, arith::CmpIPredicate::ult, a, b);
  }
  Value compare(arith::CmpFPredicate onFloats, arith::CmpIPredicate onSigned, arith::CmpIPredicate onUnsigned, Value a,
                Value b) {
    if (isFloat)
      return make<arith::CmpFOp>(onFloats, a, b);
    return make<arith::CmpIOp>(isUnsigned ? onUnsigned : onSigned, a, b);
  }

  // In f32 the exponential may be short (afn: see LowerMath), because its argument is kept below where it overflows; a
  // NaN goes through.
  Value sigmoid(Value x) {
    Value power = neg(x);
    if (!x.getType().isF32())
      return div(constant(1), add(constant(1), exp(power)));
    Value most = constant(88);
    power = make<math::ExpOp>(select(less(most, power), most, power), arith::FastMathFlags::afn);
    return div(constant(1), add(constant(1), power));
  }
  // log(1 + exp(x)) without overflow.
  Value softplus(Value x) { return add(max(x, constant(0)), make<math::Log1pOp>(exp(neg(abs(x))))); }
  Value unary(ElementwiseKind kind, Value x, std::optional<double> alpha, std::optional<double> beta);
  Value activation(ElementwiseKind kind, Value x, std::optional<double> alpha, std::optional<double> beta);
  Value binary(ElementwiseKind kind, Value a, Value b);
  Value gelu(Value x, Value inner);
  Value flooredMod(Value a, Value b);
  Value power(Value a, Value b);
  Value shift(Value a, Value b, bool left);
};

} // namespace

// x/2 * (1 + inner)
Value Scalars::gelu(Value x, Value inner) { return mul(mul(x, constant(0.5)), add(constant(1), inner)); }

// Remainder with the sign of the divisor, as in Python.
Value Scalars::flooredMod(Value a, Value b) {
  Value remainder = rem(a, b);
  if (isUnsigned)
    return remainder;
  Value zero = constant(0);
  if (isFloat) // a zero has the sign of b, too
    remainder = select(make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, remainder, zero), make<math::CopySignOp>(zero, b),
                       remainder);
  Value differ = make<arith::XOrIOp>(less(remainder, zero), less(b, zero));
  Value nonZero =
      compare(arith::CmpFPredicate::ONE, arith::CmpIPredicate::ne, arith::CmpIPredicate::ne, remainder, zero);
  return select(make<arith::AndIOp>(differ, nonZero), add(remainder, b), remainder);
}

// Integers by squaring, a bit of the exponent at a time; 1 and -1 are the only ones with a reciprocal.
Value Scalars::power(Value a, Value b) {
  if (isFloat)
    return make<math::PowFOp>(a, b);
  Value zero = constant(0), one = constant(1), result = one, square = a, exponent = b;
  for (unsigned bit = 0, width = elementType.getIntOrFloatBitWidth(); bit < width; ++bit) {
    result = select(equal(make<arith::AndIOp>(exponent, one), one), mul(result, square), result);
    square = mul(square, square);
    exponent = make<arith::ShRUIOp>(exponent, one);
  }
  if (isUnsigned)
    return result;
  // The power of 1 or -1 by -n is the one by n, whose last bit is that of -n.
  Value isUnit = make<arith::OrIOp>(equal(a, one), equal(a, constant(-1)));
  return select(less(b, zero), select(isUnit, result, zero), result);
}

// Shifts past the width are undefined in LLVM; what they mean here is that nothing of the number but its sign is left.
Value Scalars::shift(Value a, Value b, bool left) {
  unsigned width = elementType.getIntOrFloatBitWidth();
  Value inside = make<arith::CmpIOp>(arith::CmpIPredicate::ult, b, constant(width)), zero = constant(0);
  Value count = select(inside, b, isUnsigned || left ? zero : constant(width - 1));
  if (!left && !isUnsigned)
    return make<arith::ShRSIOp>(a, count);
  return select(inside, left ? make<arith::ShLIOp>(a, count) : make<arith::ShRUIOp>(a, count), zero);
}

Value Scalars::unary(ElementwiseKind kind, Value x, std::optional<double> alpha, std::optional<double> beta) {
  switch (kind) {
  case ElementwiseKind::abs:
    return abs(x);
  case ElementwiseKind::neg:
    return neg(x);
  case ElementwiseKind::exp:
    return exp(x);
  case ElementwiseKind::log:
    return make<math::LogOp>(x);
  case ElementwiseKind::sqrt:
    return make<math::SqrtOp>(x);
  case ElementwiseKind::reciprocal:
    return div(constant(1), x);
  case ElementwiseKind::floor:
    return make<math::FloorOp>(x);
  case ElementwiseKind::ceil:
    return make<math::CeilOp>(x);
  case ElementwiseKind::round: // half to even
    return make<math::RoundEvenOp>(x);
  case ElementwiseKind::sign: { // NaN stays NaN
    Value zero = constant(0);
    Value negative = isUnsigned ? x : select(less(x, zero), constant(-1), x);
    return select(less(zero, x), constant(1), negative);
  }
  case ElementwiseKind::sin:
    return make<math::SinOp>(x);
  case ElementwiseKind::cos:
    return make<math::CosOp>(x);
  case ElementwiseKind::erf:
    return make<math::ErfOp>(x);
  case ElementwiseKind::tanh:
    return tanh(x);
  case ElementwiseKind::tan:
    return make<math::TanOp>(x);
  case ElementwiseKind::asin:
    return make<math::AsinOp>(x);
  case ElementwiseKind::acos:
    return make<math::AcosOp>(x);
  case ElementwiseKind::atan:
    return make<math::AtanOp>(x);
  case ElementwiseKind::sinh:
    return make<math::SinhOp>(x);
  case ElementwiseKind::cosh:
    return make<math::CoshOp>(x);
  case ElementwiseKind::asinh:
    return make<math::AsinhOp>(x);
  case ElementwiseKind::acosh:
    return make<math::AcoshOp>(x);
  case ElementwiseKind::atanh:
    return make<math::AtanhOp>(x);
  case ElementwiseKind::bitwise_not:
    return sub(sub(constant(0), x), constant(1)); // the one's complement
  case ElementwiseKind::isnan:
    return make<arith::CmpFOp>(arith::CmpFPredicate::UNO, x, x);
  case ElementwiseKind::isinf: { // alpha, beta = 0: negative, positive infinities do not count
    double infinity = std::numeric_limits<double>::infinity();
    bool negative = alpha.value_or(1) != 0, positive = beta.value_or(1) != 0;
    if (negative == positive)
      return make<arith::CmpFOp>(negative ? arith::CmpFPredicate::OEQ : arith::CmpFPredicate::AlwaysFalse, abs(x),
                                 constant(infinity));
    return make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, x, constant(negative ? -infinity : infinity));
  }
  case ElementwiseKind::logical_not:
    return make<arith::XOrIOp>(x, constant(1));
  default:
    return activation(kind, x, alpha, beta);
  }
}

Value Scalars::activation(ElementwiseKind kind, Value x, std::optional<double> alpha, std::optional<double> beta) {
  auto zero = [&] { return constant(0); };
  auto one = [&] { return constant(1); };
  switch (kind) {
  case ElementwiseKind::sigmoid:
    return sigmoid(x);
  case ElementwiseKind::relu:
    return max(x, zero());
  case ElementwiseKind::gelu:
    return gelu(x, make<math::ErfOp>(mul(x, constant(M_SQRT1_2))));
  case ElementwiseKind::gelu_tanh: { // tanh(sqrt(2/pi) * (x + 0.044715 x^3))
    Value cube = mul(mul(x, x), x);
    return gelu(x, tanh(mul(constant(M_2_SQRTPI * M_SQRT1_2), add(x, mul(constant(0.044715), cube)))));
  }
  case ElementwiseKind::silu: // x * sigmoid(alpha * x)
    return mul(x, sigmoid(alpha && *alpha != 1 ? mul(constant(*alpha), x) : x));
  case ElementwiseKind::softplus:
    return softplus(x);
  case ElementwiseKind::softsign:
    return div(x, add(one(), abs(x)));
  case ElementwiseKind::mish:
    return mul(x, tanh(softplus(x)));
  case ElementwiseKind::hard_swish:
    return mul(x, activation(ElementwiseKind::hard_sigmoid, x, 1.0 / 6, 0.5));
  case ElementwiseKind::elu:
    return select(less(x, zero()), mul(constant(alpha.value_or(1)), sub(exp(x), one())), x);
  case ElementwiseKind::leaky_relu:
    return select(less(x, zero()), mul(constant(alpha.value_or(0.01)), x), x);
  case ElementwiseKind::selu: { // gamma * (x > 0 ? x : alpha * exp(x) - alpha)
    Value scale = constant(alpha.value_or(1.67326319217681884765625));
    Value curve = sub(mul(scale, exp(x)), scale);
    return mul(constant(beta.value_or(1.05070102214813232421875)), select(less(zero(), x), x, curve));
  }
  case ElementwiseKind::celu: { // max(0, x) + min(0, alpha * (exp(x / alpha) - 1))
    Value scale = constant(alpha.value_or(1));
    Value curve = mul(scale, sub(exp(div(x, scale)), one()));
    return add(max(zero(), x), min(zero(), curve));
  }
  case ElementwiseKind::thresholded_relu:
    return select(less(constant(alpha.value_or(1)), x), x, zero());
  case ElementwiseKind::hard_sigmoid: { // max(0, min(1, alpha * x + beta))
    Value line = add(mul(constant(alpha.value_or(0.2)), x), constant(beta.value_or(0.5)));
    return max(zero(), min(one(), line));
  }
  case ElementwiseKind::clip: // an absent bound does not bind
    if (alpha)
      x = max(x, constant(*alpha));
    return beta ? min(x, constant(*beta)) : x;
  default:
    llvm_unreachable("a unary kind");
  }
}

Value Scalars::binary(ElementwiseKind kind, Value a, Value b) {
  using F = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  switch (kind) {
  case ElementwiseKind::add:
    return add(a, b);
  case ElementwiseKind::sub:
    return sub(a, b);
  case ElementwiseKind::mul:
    return mul(a, b);
  case ElementwiseKind::div: // of integers: truncates
    return div(a, b);
  case ElementwiseKind::pow:
    return power(a, b);
  case ElementwiseKind::min:
    return min(a, b);
  case ElementwiseKind::max:
    return max(a, b);
  case ElementwiseKind::mod:
    return flooredMod(a, b);
  case ElementwiseKind::fmod:
    return rem(a, b);
  case ElementwiseKind::prelu:
    return select(less(a, constant(0)), mul(b, a), a);
  case ElementwiseKind::bitwise_and:
    return make<arith::AndIOp>(a, b);
  case ElementwiseKind::bitwise_or:
    return make<arith::OrIOp>(a, b);
  case ElementwiseKind::bitwise_xor:
    return make<arith::XOrIOp>(a, b);
  case ElementwiseKind::shift_left:
    return shift(a, b, /*left=*/true);
  case ElementwiseKind::shift_right:
    return shift(a, b, /*left=*/false);
  case ElementwiseKind::equal:
    return compare(F::OEQ, I::eq, I::eq, a, b);
  case ElementwiseKind::less:
    return less(a, b);
  case ElementwiseKind::less_equal:
    return compare(F::OLE, I::sle, I::ule, a, b);
  case ElementwiseKind::greater:
    return compare(F::OGT, I::sgt, I::ugt, a, b);
  case ElementwiseKind::greater_equal:
    return compare(F::OGE, I::sge, I::uge, a, b);
  case ElementwiseKind::logical_and:
    return make<arith::AndIOp>(a, b);
  case ElementwiseKind::logical_or:
    return make<arith::OrIOp>(a, b);
  case ElementwiseKind::logical_xor:
    return make<arith::XOrIOp>(a, b);
  default:
    llvm_unreachable("a binary kind");
  }
}

static std::optional<double> toDouble(std::optional<APFloat> value) {
  return value ? std::optional<double>(value->convertToDouble()) : std::nullopt;
}

Value ElementwiseOp::buildScalar(OpBuilder &builder, Location loc, ValueRange args) {
  if (getKind() == ElementwiseKind::select)
    return arith::SelectOp::create(builder, loc, args[0], args[1], args[2]);
  Type elementType = getElementTypeOrSelf(args.front());
  bool narrow = isNarrowFloat(elementType);
  SmallVector<Value> operands;
  for (Value arg : args)
    operands.push_back(
        narrow ? arith::ExtFOp::create(builder, loc, withElementType(arg.getType(), builder.getF32Type()), arg)
               : toSignless(builder, loc, arg));
  Scalars scalars(builder, loc, operands.front(), isUnsigned(elementType));
  Value result = operands.size() == 1 ? scalars.unary(getKind(), operands[0], toDouble(getAlpha()), toDouble(getBeta()))
                                      : scalars.binary(getKind(), operands[0], operands[1]);
  if (result.getType() != operands.front().getType()) // a comparison
    return result;
  if (narrow)
    return arith::TruncFOp::create(builder, loc, args.front().getType(), result);
  return toSignedness(builder, loc, result, elementType);
}

//===----------------------------------------------------------------------===//
// coat.cast
//===----------------------------------------------------------------------===//

static Value castFloatToFloat(OpBuilder &builder, Location loc, Value value, FloatType target) {
  auto source = cast<FloatType>(getElementTypeOrSelf(value));
  Type type = withElementType(value.getType(), target);
  if (source.getWidth() < target.getWidth())
    return arith::ExtFOp::create(builder, loc, type, value);
  if (source.getWidth() > target.getWidth())
    return arith::TruncFOp::create(builder, loc, type, value);
  // f16 and bf16 have no order: by way of f32, which holds both.
  Value wide = arith::ExtFOp::create(builder, loc, withElementType(value.getType(), builder.getF32Type()), value);
  return arith::TruncFOp::create(builder, loc, type, wide);
}

static Value castIntegerToInteger(OpBuilder &builder, Location loc, Value value, unsigned width, bool zeroExtend) {
  Type type = withElementType(value.getType(), builder.getIntegerType(width));
  unsigned from = getElementTypeOrSelf(value).getIntOrFloatBitWidth();
  if (from > width)
    return arith::TruncIOp::create(builder, loc, type, value);
  if (from == width)
    return value;
  return zeroExtend ? arith::ExtUIOp::create(builder, loc, type, value).getResult()
                    : arith::ExtSIOp::create(builder, loc, type, value).getResult();
}

// != 0
static Value castToBool(OpBuilder &builder, Location loc, Value value) {
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(value.getType()));
  if (isa<FloatType>(getElementTypeOrSelf(value)))
    return arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNE, value, zero);
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, value, zero);
}

Value CastOp::buildScalar(OpBuilder &builder, Location loc, Value arg) {
  Type source = getElementTypeOrSelf(arg), target = cast<RankedTensorType>(getType()).getElementType();
  if (source == target)
    return arg;
  Value value = toSignless(builder, loc, arg);
  if (target.isInteger(1))
    return castToBool(builder, loc, value);
  if (auto floatTarget = dyn_cast<FloatType>(target)) {
    if (isa<FloatType>(source))
      return castFloatToFloat(builder, loc, value, floatTarget);
    Type type = withElementType(value.getType(), target);
    return isUnsigned(source) ? arith::UIToFPOp::create(builder, loc, type, value).getResult()
                              : arith::SIToFPOp::create(builder, loc, type, value).getResult();
  }
  unsigned width = target.getIntOrFloatBitWidth();
  if (isa<FloatType>(source)) { // truncates toward zero
    Type type = withElementType(value.getType(), builder.getIntegerType(width));
    value = target.isUnsignedInteger() ? arith::FPToUIOp::create(builder, loc, type, value).getResult()
                                       : arith::FPToSIOp::create(builder, loc, type, value).getResult();
  } else {
    value = castIntegerToInteger(builder, loc, value, width, isUnsigned(source));
  }
  return toSignedness(builder, loc, value, target);
}
