// Elementary functions as arithmetic. Upstream's approximations are for f32 only, lose denormals and infinities, and
// reduce the arguments of sine and cosine with too few bits; a model needs f64 and C99's special values, too.
//
// Each function has two parts: a reduction that is exact or carries the lost bits along (Cody and Waite's two-part
// constants), and a polynomial on the small rest. Coefficients are those of Taylor's series, which are simple to check,
// except where a fitted polynomial of lower degree saves time that shows (exp of f32, erf).
#include "FloatMath.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace coat;
using arith::CmpFPredicate;

static Type withElement(Type type, Type element) {
  if (auto shaped = dyn_cast<ShapedType>(type))
    return shaped.clone(element);
  return element;
}

FloatMath::FloatMath(OpBuilder &b, Location loc, Type type, bool fast) : b(b), loc(loc), type(type), fast(fast) {
  isDouble = getElementTypeOrSelf(type).isF64();
  integers = withElement(type, isDouble ? b.getI64Type() : b.getI32Type());
}

Value FloatMath::constant(double value) {
  TypedAttr scalar = b.getFloatAttr(getElementTypeOrSelf(type), value);
  if (auto shaped = dyn_cast<ShapedType>(type))
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(shaped, Attribute(scalar)));
  return arith::ConstantOp::create(b, loc, scalar);
}
Value FloatMath::integer(int64_t value) {
  TypedAttr scalar = b.getIntegerAttr(getElementTypeOrSelf(integers), value);
  if (auto shaped = dyn_cast<ShapedType>(integers))
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(shaped, Attribute(scalar)));
  return arith::ConstantOp::create(b, loc, scalar);
}
Value FloatMath::add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
Value FloatMath::sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
Value FloatMath::mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
Value FloatMath::div(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
Value FloatMath::fma(Value x, Value y, Value z) { return math::FmaOp::create(b, loc, x, y, z); }
Value FloatMath::compare(CmpFPredicate predicate, Value x, Value y) {
  return arith::CmpFOp::create(b, loc, predicate, x, y);
}
Value FloatMath::select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, loc, condition, x, y); }

Value FloatMath::sqrt(Value x) { return math::SqrtOp::create(b, loc, x); }
Value FloatMath::abs(Value x) { return math::AbsFOp::create(b, loc, x); }
Value FloatMath::withSign(Value magnitude, Value sign) {
  if (!isDouble)
    return math::CopySignOp::create(b, loc, magnitude, sign);
  // Where the product becomes f16, LLVM would round the sign of a copysign to f16, too, and that by a call.
  return mul(magnitude, math::CopySignOp::create(b, loc, constant(1), sign));
}

Value FloatMath::clamp(Value x, double low, double high) {
  Value l = constant(low), h = constant(high);
  x = select(compare(CmpFPredicate::OLT, x, l), l, x);
  return select(compare(CmpFPredicate::OGT, x, h), h, x);
}

Value FloatMath::polynomial(Value x, ArrayRef<double> coefficients) {
  Value sum = constant(coefficients.back());
  for (double c : llvm::reverse(coefficients.drop_back()))
    sum = fma(sum, x, constant(c));
  return sum;
}

Value FloatMath::inDouble(ArrayRef<Value> operands, function_ref<Value(FloatMath &, ValueRange)> build) {
  Type wide = withElement(type, b.getF64Type());
  SmallVector<Value> extended;
  for (Value operand : operands)
    extended.push_back(arith::ExtFOp::create(b, loc, wide, operand));
  FloatMath math(b, loc, wide);
  return arith::TruncFOp::create(b, loc, type, build(math, extended));
}

//===----------------------------------------------------------------------===//
// Exponential functions
//===----------------------------------------------------------------------===//

/// x = n / perOctave + r with n whole; 1 / perOctave is given as high + low. n is at least `least` and a number even
/// where x is NaN, because it becomes an integer; r is then NaN, and with it what is made of it.
FloatMath::Reduced FloatMath::reduce(Value x, double perOctave, double high, double low, double least) {
  Value n = math::RoundEvenOp::create(b, loc, mul(x, constant(perOctave)));
  n = select(compare(CmpFPredicate::OGT, n, constant(least)), n, constant(least));
  Value r = fma(n, constant(-high), x);
  if (low != 0)
    r = fma(n, constant(-low), r);
  return {r, n};
}

/// exp(r) - 1 for |r| <= ln 2 / 2, without cancellation near zero.
Value FloatMath::expm1OfReduced(Value r) {
  SmallVector<double> coefficients;
  if (isDouble) {
    double factorial = 1;
    for (int k = 2; k <= 13; k++)
      coefficients.push_back(1 / (factorial *= k));
  } else {
    // (exp(r) - 1 - r) / r^2, least squares at Chebyshev points of 1.02 times the interval.
    coefficients = {0.499999993464, 0.166665701077, 0.0416669654549, 0.00836432947964, 0.00138940302756};
  }
  return fma(mul(r, r), polynomial(r, coefficients), r);
}

/// 2^n for a whole n among the normal exponents.
Value FloatMath::powerOfTwo(Value n) {
  Value exponent = arith::FPToSIOp::create(b, loc, integers, n);
  Value biased = arith::AddIOp::create(b, loc, exponent, integer(isDouble ? 1023 : 127));
  Value bits = arith::ShLIOp::create(b, loc, biased, integer(isDouble ? 52 : 23));
  return arith::BitcastOp::create(b, loc, type, bits);
}

/// value * 2^n in two steps, so that results may be denormal, zero or infinite.
Value FloatMath::scale(Value value, Value n) {
  Value half = math::FloorOp::create(b, loc, mul(n, constant(0.5)));
  return mul(mul(value, powerOfTwo(half)), powerOfTwo(sub(n, half)));
}

static constexpr double ln2 = 0.693147180559945309417;
/// ln 2 in two parts; the first has enough trailing zeros for n * high to be exact.
static std::pair<double, double> splitLn2(bool isDouble) {
  if (isDouble)
    return {0x1.62e42fee00000p-1, 0x1.a39ef35793c76p-33};
  return {0x1.62e400p-1, 0x1.7f7d1cp-20};
}

Value FloatMath::exp(Value x) {
  if (fast && !isDouble) {
    Value most = constant(88.3); // 2.2e38
    return expWithoutOverflow(select(compare(CmpFPredicate::OGT, x, most), most, x));
  }
  // Beyond these the result is zero or infinite anyway, and n would not fit its type.
  Value inside = isDouble ? clamp(x, -746, 710) : clamp(x, -104, 89);
  auto [high, low] = splitLn2(isDouble);
  auto [r, n] = reduce(inside, 1 / ln2, high, low, isDouble ? -1100 : -160);
  return scale(add(expm1OfReduced(r), constant(1)), n);
}

/// Added to a small number it rounds that to a whole number n and leaves n + 127, the exponent of 2^n, in the low bits.
static constexpr double roundingShift = 0x1.8p23 + 127;

Value FloatMath::expWithoutOverflow(Value x) {
  // x log2(e) = n + f. Below -127 ln 2 the exponent is zero. The maximum is written so that a NaN goes through.
  Value least = constant(-88.0296919), whole = constant(roundingShift), factor = constant(1 / ln2);
  x = select(compare(CmpFPredicate::OGT, least, x), least, x);
  Value shifted = fma(x, factor, whole);
  Value f = fma(x, factor, arith::NegFOp::create(b, loc, sub(shifted, whole)));
  return timesPowerOfTwo(f, shifted);
}

Value FloatMath::exp2WithoutOverflow(Value x) {
  // As above, but with sums alone, which leave the multipliers to others.
  Value least = constant(-127), whole = constant(roundingShift);
  x = select(compare(CmpFPredicate::OGT, least, x), least, x);
  Value shifted = add(x, whole);
  return timesPowerOfTwo(sub(x, sub(shifted, whole)), shifted);
}

/// 2^(n + f), where the low bits of `shifted` are n + 127.
Value FloatMath::timesPowerOfTwo(Value f, Value shifted) {
  // 2^f, least maximum of the relative error (9.3e-8) for |f| <= 1/2 with 2^0 = 1.
  SmallVector<double> coefficients = {1, 0.6931469752, 0.2402223883, 0.05550736327, 0.009671725545, 0.001326445317};
  if (fast) // one degree less: 2.9e-6
    coefficients = {1, 0.6931241934, 0.2402409861, 0.05590642468, 0.009582853038};
  Value power = polynomial(f, coefficients);
  Value bits = arith::ShLIOp::create(b, loc, arith::BitcastOp::create(b, loc, integers, shifted), integer(23));
  return mul(power, arith::BitcastOp::create(b, loc, type, bits));
}

Value FloatMath::exp2(Value x) {
  Value inside = isDouble ? clamp(x, -1076, 1025) : clamp(x, -151, 129);
  auto [r, n] = reduce(inside, 1, 1, 0, isDouble ? -1100 : -160);
  return scale(add(expm1OfReduced(mul(r, constant(ln2))), constant(1)), n);
}

Value FloatMath::expm1(Value x) {
  // 2^n q + (2^n - 1) with q = exp(r) - 1: exact around n = 0. Above the top of the range 2^n overflows before exp
  // does, but there the 1 is lost in rounding.
  double top = isDouble ? 700 : 87, bottom = isDouble ? -60 : -30;
  auto [high, low] = splitLn2(isDouble);
  auto [r, n] = reduce(clamp(x, bottom, top), 1 / ln2, high, low, -100);
  Value power = powerOfTwo(n);
  Value small = fma(power, expm1OfReduced(r), sub(power, constant(1)));
  return select(compare(CmpFPredicate::ULE, x, constant(top)), small, exp(x));
}

Value FloatMath::tanh(Value x) {
  // -t / (t + 2) with t = exp(-2|x|) - 1: no cancellation near zero, no overflow.
  Value magnitude = math::AbsFOp::create(b, loc, x);
  double top = isDouble ? 30 : 15; // tanh rounds to 1 long before
  Value limit = constant(top);
  Value inside = select(compare(CmpFPredicate::OGT, magnitude, limit), limit, magnitude);
  auto [high, low] = splitLn2(isDouble);
  auto [r, n] = reduce(mul(inside, constant(-2)), 1 / ln2, high, low, -100);
  Value power = powerOfTwo(n);
  Value t = fma(power, expm1OfReduced(r), sub(power, constant(1)));
  return math::CopySignOp::create(b, loc, div(t, add(t, constant(2))), x);
}

//===----------------------------------------------------------------------===//
// Logarithms and powers
//===----------------------------------------------------------------------===//

Value FloatMath::log(Value x) {
  int mantissa = isDouble ? 52 : 23;
  // Denormals first become normal.
  Value smallest = constant(isDouble ? 0x1p-1022 : 0x1p-126);
  Value isDenormal = compare(CmpFPredicate::OLT, x, smallest);
  double lift = isDouble ? 54 : 25;
  Value normal = select(isDenormal, mul(x, constant(std::ldexp(1.0, int(lift)))), x);
  // x = 2^n m with m in [sqrt 1/2, sqrt 2): subtracting sqrt 1/2 from the bits makes the exponent step there.
  Value bits = arith::BitcastOp::create(b, loc, integers, normal);
  int64_t root = isDouble ? 0x3fe6a09e667f3bcd : 0x3f3504f3;
  Value shifted = arith::SubIOp::create(b, loc, bits, integer(root));
  Value exponent = arith::ShRSIOp::create(b, loc, shifted, integer(mantissa));
  Value cleared = arith::SubIOp::create(b, loc, bits, arith::ShLIOp::create(b, loc, exponent, integer(mantissa)));
  Value m = arith::BitcastOp::create(b, loc, type, cleared);
  Value n = arith::SIToFPOp::create(b, loc, type, exponent);
  n = select(isDenormal, sub(n, constant(lift)), n);
  // log(1+f) = f - f^2/2 + s (f^2/2 + R), R = 2/3 s^2 + 2/5 s^4 .., s = f / (2 + f); the leading f is exact.
  Value f = sub(m, constant(1));
  Value s = div(f, add(m, constant(1)));
  Value s2 = mul(s, s);
  SmallVector<double> coefficients;
  for (int k = 1; k <= (isDouble ? 11 : 5); k++)
    coefficients.push_back(2.0 / (2 * k + 1));
  Value rest = mul(s2, polynomial(s2, coefficients));
  Value half = mul(mul(f, f), constant(0.5));
  auto [high, low] = splitLn2(isDouble);
  Value tail = fma(s, add(half, rest), mul(n, constant(low)));
  Value result = fma(n, constant(high), sub(f, sub(half, tail)));
  double inf = std::numeric_limits<double>::infinity();
  result = select(compare(CmpFPredicate::OEQ, x, constant(inf)), x, result);
  result = select(compare(CmpFPredicate::OEQ, x, constant(0)), constant(-inf), result);
  return select(compare(CmpFPredicate::UGE, x, constant(0)), select(compare(CmpFPredicate::UNO, x, x), x, result),
                constant(std::numeric_limits<double>::quiet_NaN()));
}

Value FloatMath::log1p(Value x) {
  // log(u) x / (u - 1) with u = 1 + x rounded: the factor takes the rounding back.
  Value u = add(x, constant(1));
  Value d = sub(u, constant(1));
  Value l = log(u);
  Value corrected = mul(l, div(x, d));
  double inf = std::numeric_limits<double>::infinity();
  Value plain = arith::OrIOp::create(b, loc, compare(CmpFPredicate::OEQ, u, constant(inf)),
                                     compare(CmpFPredicate::OEQ, u, constant(0)));
  return select(compare(CmpFPredicate::OEQ, d, constant(0)), x, select(plain, l, corrected));
}

Value FloatMath::pow(Value x, Value y) {
  // The error of a logarithm grows with the result's; f32 takes the way through f64 and so has none to show.
  if (!isDouble)
    return inDouble({x, y}, [](FloatMath &math, ValueRange v) { return math.pow(v[0], v[1]); });
  Value magnitude = math::AbsFOp::create(b, loc, x);
  Value isOne = compare(CmpFPredicate::OEQ, magnitude, constant(1));
  Value power = exp(mul(y, select(isOne, constant(0), log(magnitude))));
  // |x| = 1 gives 1 for infinite y; the product above was 0 * infinity.
  Value infinite =
      compare(CmpFPredicate::OEQ, math::AbsFOp::create(b, loc, y), constant(std::numeric_limits<double>::infinity()));
  power = select(arith::AndIOp::create(b, loc, isOne, infinite), constant(1), power);
  // Negative x: y must be whole, and decides the sign.
  Value half = mul(y, constant(0.5));
  Value whole = compare(CmpFPredicate::OEQ, math::TruncOp::create(b, loc, y), y);
  Value odd =
      arith::AndIOp::create(b, loc, whole, compare(CmpFPredicate::ONE, math::TruncOp::create(b, loc, half), half));
  Value sign = select(odd, x, magnitude);
  Value result = withSign(power, sign);
  Value negative = arith::AndIOp::create(b, loc, compare(CmpFPredicate::OLT, x, constant(0)),
                                         compare(CmpFPredicate::ONE, math::TruncOp::create(b, loc, y), y));
  Value finite = compare(CmpFPredicate::OGT, x, constant(-std::numeric_limits<double>::infinity()));
  result = select(arith::AndIOp::create(b, loc, negative, finite), constant(std::numeric_limits<double>::quiet_NaN()),
                  result);
  // NaN does not count where the other operand alone decides.
  Value decided = arith::OrIOp::create(b, loc, compare(CmpFPredicate::OEQ, y, constant(0)),
                                       compare(CmpFPredicate::OEQ, x, constant(1)));
  return select(decided, constant(1), result);
}

//===----------------------------------------------------------------------===//
// The rest
//===----------------------------------------------------------------------===//

Value FloatMath::erf(Value x) {
  // x P(x^2) / Q(x^2), fitted in relative error (f32: 2e-8, f64: 3e-18) up to where erf rounds to 1.
  static const double p32[] = {1.128379149,    0.189963341,     0.05269027754,
                               0.003746893587, 0.0002845127828, 2.054016674e-6};
  static const double q32[] = {1.0, 0.5016834299, 0.1139261645, 0.01493137063, 0.001158109395, 3.811339588e-5};
  static const double p64[] = {1.128379167095512577,      0.2042970593654676039,    0.06326646189378161974,
                               0.006005646893540675181,   0.0007726960083869323058, 0.00004631281078188398048,
                               3.272941268080936045e-6,   1.25459060444529142e-7,   5.096384666048854875e-9,
                               1.036788872954844026e-10,  1.882220518704884403e-12, -1.252940087713638731e-14,
                               -2.887522663536221071e-16, -2.480646733243543565e-19};
  static const double q64[] = {1.0,
                               0.5143868881338314964,
                               0.1275307380530072364,
                               0.02020344699564769272,
                               0.002283869765038738917,
                               0.0001945900054484681373,
                               0.00001284072547958420087,
                               6.616459625318355517e-7,
                               2.632205560944460514e-8,
                               7.750370804861405263e-10,
                               1.493675956559672853e-11,
                               1.066225702629297941e-13,
                               -3.161463340652566539e-15,
                               -1.314081746224069603e-17};
  double top = isDouble ? 5.93 : 3.91;
  Value inside = clamp(x, -top, top);
  Value square = mul(inside, inside);
  ArrayRef<double> p = isDouble ? ArrayRef<double>(p64) : ArrayRef<double>(p32);
  ArrayRef<double> q = isDouble ? ArrayRef<double>(q64) : ArrayRef<double>(q32);
  Value result = div(mul(inside, polynomial(square, p)), polynomial(square, q));
  if (!isDouble)
    return result; // exactly 1 at the end of the interval, with fused multiply-adds and without
  Value beyond = compare(CmpFPredicate::OGE, math::AbsFOp::create(b, loc, x), constant(top));
  return select(beyond, math::CopySignOp::create(b, loc, constant(1), x), result);
}

Value FloatMath::sineOrCosine(Value x, bool cosine) {
  if (!isDouble)
    return inDouble({x}, [&](FloatMath &math, ValueRange v) { return math.sineOrCosine(v[0], cosine); });
  // x = n pi/2 + r; three parts of pi/2 keep r good to 1e-14 for |x| up to 1e8.
  Value n = math::RoundEvenOp::create(b, loc, mul(x, constant(0.636619772367581343076)));
  Value r = fma(n, constant(-0x1.921fb50000000p+0), x);
  r = fma(n, constant(-0x1.110b460000000p-26), r);
  r = fma(n, constant(-0x1.1a62633145c07p-54), r);
  r = clamp(r, -0.8, 0.8); // beyond 1e17 r means nothing, but the result still is a sine
  Value r2 = mul(r, r);
  SmallVector<double> sines, cosines;
  double factorial = 1;
  for (int k = 0; k <= 18; k++) {
    (k % 2 ? sines : cosines).push_back((k / 2 % 2 ? -1 : 1) / factorial);
    factorial *= k + 1;
  }
  Value sine = mul(r, polynomial(r2, sines)), cosineOfR = polynomial(r2, cosines);
  // The quarter turn, in floating point: an integer could not hold the n of a huge or infinite x.
  Value turn = cosine ? add(n, constant(1)) : n;
  Value quarter = sub(turn, mul(constant(4), math::FloorOp::create(b, loc, mul(turn, constant(0.25)))));
  Value half = mul(quarter, constant(0.5));
  Value isOdd = compare(CmpFPredicate::ONE, math::FloorOp::create(b, loc, half), half);
  Value result = select(isOdd, cosineOfR, sine);
  Value negated = arith::NegFOp::create(b, loc, result);
  return select(compare(CmpFPredicate::OGE, quarter, constant(2)), negated, result);
}
Value FloatMath::sin(Value x) { return sineOrCosine(x, false); }
Value FloatMath::cos(Value x) { return sineOrCosine(x, true); }

//===----------------------------------------------------------------------===//
// Functions of the ones above. No network is slow for them: f32 goes through f64.
//===----------------------------------------------------------------------===//

Value FloatMath::tan(Value x) {
  if (!isDouble)
    return inDouble({x}, [](FloatMath &math, ValueRange v) { return math.tan(v[0]); });
  return div(sin(x), cos(x));
}

Value FloatMath::atan(Value x) {
  if (!isDouble)
    return inDouble({x}, [](FloatMath &math, ValueRange v) { return math.atan(v[0]); });
  // atan x = pi/2 - atan 1/x above 1; atan x = pi/6 + atan((x - t) / (1 + t x)) with t = tan pi/6 above tan pi/12.
  Value magnitude = abs(x), one = constant(1), root = constant(0.577350269189625764509);
  Value inverted = compare(CmpFPredicate::OGT, magnitude, one);
  Value inside = select(inverted, div(one, magnitude), magnitude);
  Value turned = compare(CmpFPredicate::OGT, inside, constant(0.267949192431122706473));
  Value r = select(turned, div(sub(inside, root), fma(inside, root, one)), inside);
  SmallVector<double> coefficients;
  for (int k = 1; k <= 13; ++k)
    coefficients.push_back((k % 2 ? -1.0 : 1.0) / (2 * k + 1));
  Value r2 = mul(r, r);
  Value angle = fma(mul(r, r2), polynomial(r2, coefficients), r);
  angle = select(turned, add(angle, constant(0.523598775598298873077)), angle);
  angle = select(inverted, sub(constant(1.57079632679489661923), angle), angle);
  return withSign(angle, x);
}

/// atan(x / sqrt(1 - x^2)), and NaN outside -1 .. 1.
Value FloatMath::asin(Value x) {
  if (!isDouble)
    return inDouble({x}, [](FloatMath &math, ValueRange v) { return math.asin(v[0]); });
  Value one = constant(1);
  return atan(div(x, sqrt(mul(sub(one, x), add(one, x)))));
}

/// 2 atan sqrt((1 - x) / (1 + x)).
Value FloatMath::acos(Value x) {
  if (!isDouble)
    return inDouble({x}, [](FloatMath &math, ValueRange v) { return math.acos(v[0]); });
  Value one = constant(1);
  return mul(constant(2), atan(sqrt(div(sub(one, x), add(one, x)))));
}

/// (t + t / (t + 1)) / 2 with t = exp|x| - 1; a square of exp(|x| / 2) where that would overflow.
Value FloatMath::sinh(Value x) {
  if (!isDouble)
    return inDouble({x}, [](FloatMath &math, ValueRange v) { return math.sinh(v[0]); });
  Value magnitude = abs(x), half = constant(0.5), limit = constant(40);
  Value large = compare(CmpFPredicate::OGT, magnitude, limit);
  Value t = expm1(select(large, limit, magnitude));
  Value small = mul(half, add(t, div(t, add(t, constant(1)))));
  Value root = exp(mul(half, magnitude));
  return withSign(select(large, mul(mul(half, root), root), small), x);
}

Value FloatMath::cosh(Value x) {
  if (!isDouble)
    return inDouble({x}, [](FloatMath &math, ValueRange v) { return math.cosh(v[0]); });
  Value half = constant(0.5), root = exp(mul(half, abs(x)));
  return fma(mul(half, root), root, div(half, mul(root, root)));
}

/// log1p(|x| + x^2 / (1 + sqrt(x^2 + 1))); log|x| + log 2 where the square would overflow.
Value FloatMath::asinh(Value x) {
  if (!isDouble)
    return inDouble({x}, [](FloatMath &math, ValueRange v) { return math.asinh(v[0]); });
  Value magnitude = abs(x), one = constant(1), limit = constant(1e10);
  Value large = compare(CmpFPredicate::OGT, magnitude, limit);
  Value inside = select(large, one, magnitude), square = mul(inside, inside);
  Value small = log1p(add(inside, div(square, add(one, sqrt(add(square, one))))));
  return withSign(select(large, add(log(magnitude), constant(ln2)), small), x);
}

/// log1p(t + sqrt(t) sqrt(t + 2)) with t = x - 1, which is exact near 1; log x + log 2 where the sum would overflow.
Value FloatMath::acosh(Value x) {
  if (!isDouble)
    return inDouble({x}, [](FloatMath &math, ValueRange v) { return math.acosh(v[0]); });
  Value t = sub(x, constant(1));
  Value small = log1p(add(t, mul(sqrt(t), sqrt(add(t, constant(2))))));
  Value large = compare(CmpFPredicate::OGT, x, constant(1e10));
  return select(large, add(log(x), constant(ln2)), small);
}

/// log1p(2|x| / (1 - |x|)) / 2.
Value FloatMath::atanh(Value x) {
  if (!isDouble)
    return inDouble({x}, [](FloatMath &math, ValueRange v) { return math.atanh(v[0]); });
  Value magnitude = abs(x);
  Value ratio = div(mul(constant(2), magnitude), sub(constant(1), magnitude));
  return withSign(mul(constant(0.5), log1p(ratio)), x);
}

Value FloatMath::round(Value x) {
  Value whole = math::TruncOp::create(b, loc, x);
  Value fraction = math::AbsFOp::create(b, loc, sub(x, whole));
  Value step = math::CopySignOp::create(b, loc, constant(1), x);
  return select(compare(CmpFPredicate::OGE, fraction, constant(0.5)), add(whole, step), whole);
}

Value FloatMath::fmod(Value x, Value y) {
  if (!isDouble)
    return inDouble({x, y}, [](FloatMath &math, ValueRange v) { return math.fmod(v[0], v[1]); });
  Value magnitude = math::AbsFOp::create(b, loc, x), modulus = math::AbsFOp::create(b, loc, y);
  Value quotient = math::TruncOp::create(b, loc, div(magnitude, modulus));
  Value rest = fma(arith::NegFOp::create(b, loc, quotient), modulus, magnitude);
  // The quotient may have been rounded up to the next whole number, or down.
  rest = select(compare(CmpFPredicate::OLT, rest, constant(0)), add(rest, modulus), rest);
  rest = select(compare(CmpFPredicate::OGE, rest, modulus), sub(rest, modulus), rest);
  // Beyond 2^53 the quotient has lost its last bits; the result stays in range.
  Value lost = arith::OrIOp::create(b, loc, compare(CmpFPredicate::OLT, rest, constant(0)),
                                    compare(CmpFPredicate::OGE, rest, modulus));
  rest = select(lost, constant(0), rest);
  Value infinite = constant(std::numeric_limits<double>::infinity());
  Value result = withSign(rest, x);
  Value keep = arith::AndIOp::create(b, loc, compare(CmpFPredicate::OEQ, modulus, infinite),
                                     compare(CmpFPredicate::OLT, magnitude, infinite));
  return select(keep, x, result);
}
