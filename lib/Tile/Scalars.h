// Scalar arithmetic that the bodies of generics are made of, the same for float and integer elements.
// Low-precision floats are computed in f32, as the ONNX operators that accumulate define it.
#ifndef COAT_LIB_TILE_SCALARS_H
#define COAT_LIB_TILE_SCALARS_H

#include "Generic.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace coat {
/// Arithmetic at one place; every method creates one op (or few).
struct Scalars {
  mlir::OpBuilder &builder;
  mlir::Location loc;

  mlir::Value constant(mlir::Type type, double value) { return scalarConstant(builder, loc, type, value); }
  mlir::Value add(mlir::Value a, mlir::Value b) {
    if (llvm::isa<mlir::FloatType>(a.getType()))
      return mlir::arith::AddFOp::create(builder, loc, a, b, contract());
    return mlir::arith::AddIOp::create(builder, loc, a, b);
  }
  mlir::Value sub(mlir::Value a, mlir::Value b) {
    if (llvm::isa<mlir::FloatType>(a.getType()))
      return mlir::arith::SubFOp::create(builder, loc, a, b, contract());
    return mlir::arith::SubIOp::create(builder, loc, a, b);
  }
  mlir::Value mul(mlir::Value a, mlir::Value b) {
    if (llvm::isa<mlir::FloatType>(a.getType()))
      return mlir::arith::MulFOp::create(builder, loc, a, b, contract());
    return mlir::arith::MulIOp::create(builder, loc, a, b);
  }
  mlir::Value div(mlir::Value a, mlir::Value b) {
    if (llvm::isa<mlir::FloatType>(a.getType()))
      return mlir::arith::DivFOp::create(builder, loc, a, b);
    return mlir::arith::DivSIOp::create(builder, loc, a, b);
  }
  /// NaN propagates.
  mlir::Value max(mlir::Value a, mlir::Value b) {
    if (llvm::isa<mlir::FloatType>(a.getType()))
      return mlir::arith::MaximumFOp::create(builder, loc, a, b);
    return mlir::arith::MaxSIOp::create(builder, loc, a, b);
  }
  mlir::Value min(mlir::Value a, mlir::Value b) {
    if (llvm::isa<mlir::FloatType>(a.getType()))
      return mlir::arith::MinimumFOp::create(builder, loc, a, b);
    return mlir::arith::MinSIOp::create(builder, loc, a, b);
  }
  /// One instruction on every target, where it does not matter what becomes of NaN.
  mlir::Value maxOfNumbers(mlir::Value a, mlir::Value b) {
    if (!llvm::isa<mlir::FloatType>(a.getType()))
      return max(a, b);
    return mlir::arith::MaximumFOp::create(
        builder, loc, a, b,
        mlir::arith::FastMathFlagsAttr::get(builder.getContext(),
                                            mlir::arith::FastMathFlags::nnan | mlir::arith::FastMathFlags::nsz));
  }
  mlir::Value abs(mlir::Value a) {
    if (llvm::isa<mlir::FloatType>(a.getType()))
      return mlir::math::AbsFOp::create(builder, loc, a);
    return mlir::math::AbsIOp::create(builder, loc, a);
  }
  /// exp(a) for a <= 0 or NaN: the short form will do.
  mlir::Value expOfNegative(mlir::Value a) {
    return mlir::math::ExpOp::create(builder, loc, a, mlir::arith::FastMathFlags::afn);
  }
  mlir::Value exp(mlir::Value a) { return mlir::math::ExpOp::create(builder, loc, a); }
  mlir::Value log(mlir::Value a) { return mlir::math::LogOp::create(builder, loc, a); }
  mlir::Value sqrt(mlir::Value a) { return mlir::math::SqrtOp::create(builder, loc, a); }
  /// a^exponent for a >= 0; the exponents that norms really use need no pow.
  mlir::Value power(mlir::Value a, double exponent) {
    if (exponent == 1)
      return a;
    if (exponent == 2)
      return mul(a, a);
    if (exponent == 0.5)
      return sqrt(a);
    if (exponent == 0.75)
      return mul(sqrt(a), sqrt(sqrt(a)));
    return mlir::math::PowFOp::create(builder, loc, a, constant(a.getType(), exponent));
  }
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b) {
    return mlir::arith::SelectOp::create(builder, loc, condition, a, b);
  }
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value a, mlir::Value b) {
    return mlir::arith::CmpFOp::create(builder, loc, predicate, a, b);
  }
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value a, mlir::Value b) {
    return mlir::arith::CmpIOp::create(builder, loc, predicate, a, b);
  }
  mlir::Value logicalAnd(mlir::Value a, mlir::Value b) { return mlir::arith::AndIOp::create(builder, loc, a, b); }
  /// The float `a` in float type `type`.
  mlir::Value convert(mlir::Value a, mlir::Type type) {
    auto from = llvm::dyn_cast<mlir::FloatType>(a.getType()), to = llvm::dyn_cast<mlir::FloatType>(type);
    if (a.getType() == type || !from || !to)
      return a;
    if (from.getWidth() < to.getWidth())
      return mlir::arith::ExtFOp::create(builder, loc, type, a);
    return mlir::arith::TruncFOp::create(builder, loc, type, a);
  }
  mlir::Value index(int64_t dim) { return mlir::linalg::IndexOp::create(builder, loc, dim); }
  mlir::Value asValue(mlir::OpFoldResult size) { return mlir::getValueOrCreateConstantIndexOp(builder, loc, size); }

private:
  /// Multiply-adds may be contracted: the sums of these ops have no order that a user could rely on.
  mlir::arith::FastMathFlagsAttr contract() {
    return mlir::arith::FastMathFlagsAttr::get(builder.getContext(), mlir::arith::FastMathFlags::contract);
  }
};

/// The type in which elements of `type` are accumulated.
inline mlir::Type accumulatorType(mlir::Type type) {
  auto floatType = llvm::dyn_cast<mlir::FloatType>(type);
  return floatType && floatType.getWidth() < 32 ? mlir::Float32Type::get(type.getContext()) : type;
}

/// The least value of `type`, neutral for max.
inline mlir::TypedAttr lowestAttr(mlir::Type type) {
  if (auto floatType = llvm::dyn_cast<mlir::FloatType>(type))
    return mlir::FloatAttr::get(type, llvm::APFloat::getInf(floatType.getFloatSemantics(), /*Negative=*/true));
  return mlir::IntegerAttr::get(type, llvm::APInt::getSignedMinValue(type.getIntOrFloatBitWidth()));
}
/// The greatest value of `type`, neutral for min.
inline mlir::TypedAttr highestAttr(mlir::Type type) {
  if (auto floatType = llvm::dyn_cast<mlir::FloatType>(type))
    return mlir::FloatAttr::get(type, llvm::APFloat::getInf(floatType.getFloatSemantics()));
  return mlir::IntegerAttr::get(type, llvm::APInt::getSignedMaxValue(type.getIntOrFloatBitWidth()));
}
} // namespace coat

#endif
