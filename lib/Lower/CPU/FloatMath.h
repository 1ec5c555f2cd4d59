// Elementary functions as arithmetic, on scalars and vectors of f32 and f64.
#ifndef COAT_LOWER_CPU_FLOATMATH_H
#define COAT_LOWER_CPU_FLOATMATH_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace coat {

/// Builds each function from arith ops and those of math that are instructions (fma, sqrt, floor, trunc, roundeven,
/// absf, copysign) at `b`. Infinities, zeros, denormals and NaNs follow C99; the errors of f32 are below 3.1e-7
/// relative, those of f64 below 1e-14 (pow with a large result: 1e-12); docs/rationale/vector-math.md has each.
class FloatMath {
public:
  /// `type` is f32, f64 or a vector of one. With `fast` exp of f32 has a relative error
  /// of 3e-6 + |x| * 1.5e-8, no result above 2.2e38, and none that is denormal.
  FloatMath(mlir::OpBuilder &b, mlir::Location loc, mlir::Type type, bool fast = false);

  mlir::Value exp(mlir::Value x);
  /// exp for f32 x <= 88, half as long: relative error below 2e-7 + |x| * 1.5e-8, zero where it would be denormal.
  mlir::Value expWithoutOverflow(mlir::Value x);
  mlir::Value exp2(mlir::Value x);
  /// exp2 for f32 x < 128, in the same way: relative error below 2e-7.
  mlir::Value exp2WithoutOverflow(mlir::Value x);
  mlir::Value expm1(mlir::Value x);
  mlir::Value log(mlir::Value x);
  mlir::Value log1p(mlir::Value x);
  mlir::Value tanh(mlir::Value x);
  mlir::Value erf(mlir::Value x);
  mlir::Value sin(mlir::Value x);
  mlir::Value cos(mlir::Value x);
  mlir::Value tan(mlir::Value x);
  mlir::Value asin(mlir::Value x);
  mlir::Value acos(mlir::Value x);
  mlir::Value atan(mlir::Value x);
  mlir::Value sinh(mlir::Value x);
  mlir::Value cosh(mlir::Value x);
  mlir::Value asinh(mlir::Value x);
  mlir::Value acosh(mlir::Value x);
  mlir::Value atanh(mlir::Value x);
  mlir::Value pow(mlir::Value x, mlir::Value y);
  /// Halfway cases away from zero.
  mlir::Value round(mlir::Value x);
  /// The C function: the result has the sign of x. Exact as long as |x/y| < 2^53 (f32: always below 2^29).
  mlir::Value fmod(mlir::Value x, mlir::Value y);

  mlir::Value constant(double value);
  mlir::Value mul(mlir::Value a, mlir::Value b);

private:
  struct Reduced {
    mlir::Value r, n; // x = n * ln 2 + r, |r| <= ln 2 / 2
  };
  mlir::Value integer(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value div(mlir::Value a, mlir::Value b);
  mlir::Value fma(mlir::Value a, mlir::Value b, mlir::Value c);
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value a, mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);
  /// x between two constants; NaN stays.
  mlir::Value clamp(mlir::Value x, double low, double high);
  mlir::Value sqrt(mlir::Value x);
  mlir::Value abs(mlir::Value x);
  /// `magnitude`, which is not negative, with the sign of `sign`.
  mlir::Value withSign(mlir::Value magnitude, mlir::Value sign);
  mlir::Value polynomial(mlir::Value x, llvm::ArrayRef<double> coefficients);
  mlir::Value timesPowerOfTwo(mlir::Value f, mlir::Value shifted);
  Reduced reduce(mlir::Value x, double perOctave, double high, double low, double least);
  mlir::Value expm1OfReduced(mlir::Value r);
  mlir::Value powerOfTwo(mlir::Value n);
  mlir::Value scale(mlir::Value value, mlir::Value n);
  mlir::Value sineOrCosine(mlir::Value x, bool cosine);
  /// The same function in f64, for f32 that needs more digits on the way.
  mlir::Value inDouble(llvm::ArrayRef<mlir::Value> operands,
                       llvm::function_ref<mlir::Value(FloatMath &, mlir::ValueRange)> build);

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type type, integers;
  bool isDouble, fast;
};

} // namespace coat

#endif
