// Implementation of Indices.h.
#include "Indices.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <numeric>

using namespace mlir;
using namespace coat;

Value Indices::cached(Kind kind, Value x, Value y, int64_t number, Facts known, llvm::function_ref<Value()> make) {
  Key key(kind, x.getAsOpaquePointer(), y.getAsOpaquePointer(), number);
  for (auto &scope : llvm::reverse(scopes))
    if (auto found = scope.find(key); found != scope.end())
      return found->second;
  Value result = make();
  scopes.back()[key] = result;
  facts[result] = known;
  return result;
}

Value Indices::constant(int64_t value) {
  return cached(Kind::constant, {}, {}, value, {std::max<int64_t>(std::abs(value), 1), value < 0},
                [&] { return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value)); });
}

Index Indices::unknown(Value value, int64_t multiple, bool mayBeNegative) {
  facts[value] = {multiple, mayBeNegative};
  return {value, 0};
}

int64_t Indices::multipleOf(Index index) const {
  return index.value ? factsOf(index.value).multiple : int64_t(1) << 20;
}

bool Indices::mayBeNegative(Index index) const {
  return index.offset < 0 || (index.value && factsOf(index.value).mayBeNegative);
}

Index Indices::add(Index x, Index y) {
  if (!x.value || !y.value)
    return {x.value ? x.value : y.value, x.offset + y.offset};
  Facts fx = factsOf(x.value), fy = factsOf(y.value);
  Value sum =
      cached(Kind::add, x.value, y.value, 0, {std::gcd(fx.multiple, fy.multiple), fx.mayBeNegative || fy.mayBeNegative},
             [&] { return arith::AddIOp::create(b, loc, x.value, y.value); });
  return {sum, x.offset + y.offset};
}

Index Indices::mul(Index x, int64_t factor) {
  if (!x.value || factor == 0)
    return x.offset * factor;
  if (factor == 1)
    return x;
  Facts fx = factsOf(x.value);
  Value product =
      cached(Kind::mul, x.value, {}, factor, {fx.multiple * std::abs(factor), fx.mayBeNegative || factor < 0},
             [&] { return arith::MulIOp::create(b, loc, x.value, constant(factor)); });
  return {product, x.offset * factor};
}

/// Splits v + c, v a multiple of m, for a division by d: whole quotients of c leave it, and so does what cannot carry.
Index Indices::floorDiv(Index x, int64_t d) {
  if (d == 1)
    return x;
  if (!x.value)
    return llvm::divideFloorSigned(x.offset, d);
  Facts fx = factsOf(x.value);
  int64_t whole = llvm::divideFloorSigned(x.offset, d), rest = x.offset - whole * d;
  // v = multiple * k and multiple divides d: rest < multiple never carries; d divides multiple: nothing does.
  bool carries = rest != 0 && fx.multiple % d != 0 && !(d % fx.multiple == 0 && rest < fx.multiple);
  if (carries)
    whole = 0;
  Value from = carries ? asI32(x) : x.value;
  bool negative = fx.mayBeNegative || (carries && x.offset < 0);
  int64_t multiple = !carries && fx.multiple % d == 0 ? fx.multiple / d : 1;
  Value quotient = cached(Kind::div, from, {}, d, {multiple, negative}, [&]() -> Value {
    if (negative)
      return arith::FloorDivSIOp::create(b, loc, from, constant(d));
    return arith::DivUIOp::create(b, loc, from, constant(d));
  });
  return {quotient, whole};
}

Index Indices::mod(Index x, int64_t d) {
  if (d == 1)
    return 0;
  if (!x.value)
    return llvm::mod(x.offset, d);
  Facts fx = factsOf(x.value);
  int64_t rest = llvm::mod(x.offset, d);
  if (fx.multiple % d == 0)
    return rest;
  bool carries = rest != 0 && !(d % fx.multiple == 0 && rest < fx.multiple);
  Value from = carries ? asI32(x) : x.value;
  bool negative = fx.mayBeNegative || (carries && x.offset < 0);
  int64_t multiple = carries ? 1 : std::gcd(fx.multiple, d);
  Value remainder = cached(Kind::mod, from, {}, d, {multiple, false}, [&]() -> Value {
    if (!negative)
      return arith::RemUIOp::create(b, loc, from, constant(d));
    Value quotient = arith::FloorDivSIOp::create(b, loc, from, constant(d));
    return arith::SubIOp::create(b, loc, from, arith::MulIOp::create(b, loc, quotient, constant(d)));
  });
  return {remainder, carries ? 0 : rest};
}

Index Indices::clamp(Index x, int64_t low, int64_t high) {
  if (!x.value)
    return std::min(std::max(x.offset, low), high);
  Value from = asI32(x);
  Value atLeast = cached(Kind::max, from, {}, low, {1, low < 0},
                         [&] { return arith::MaxSIOp::create(b, loc, from, constant(low)); });
  return {cached(Kind::min, atLeast, {}, high, {1, low < 0},
                 [&] { return arith::MinSIOp::create(b, loc, atLeast, constant(high)); }),
          0};
}

Index Indices::select(Value condition, Index x) {
  if (!x.value)
    return x;
  Value chosen = cached(Kind::select, condition, x.value, 0, factsOf(x.value),
                        [&] { return arith::SelectOp::create(b, loc, condition, x.value, constant(0)); });
  return {chosen, x.offset};
}

Value Indices::isBelow(Index x, int64_t bound) {
  Value from = asI32(x);
  return cached(Kind::below, from, {}, bound, {},
                [&] { return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, from, constant(bound)); });
}

Value Indices::logicalAnd(Value x, Value y) {
  if (!x || !y || x == y)
    return x ? x : y;
  return cached(Kind::logicalAnd, x, y, 0, {}, [&] { return arith::AndIOp::create(b, loc, x, y); });
}

Index Indices::eval(AffineExpr expr, ArrayRef<Index> dims) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto number = dyn_cast<AffineConstantExpr>(expr))
    return number.getValue();
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Index lhs = eval(binary.getLHS(), dims);
  if (expr.getKind() == AffineExprKind::Add)
    return add(lhs, eval(binary.getRHS(), dims));
  int64_t rhs = cast<AffineConstantExpr>(binary.getRHS()).getValue();
  switch (expr.getKind()) {
  case AffineExprKind::Mul:
    return mul(lhs, rhs);
  case AffineExprKind::FloorDiv:
    return floorDiv(lhs, rhs);
  case AffineExprKind::CeilDiv:
    return floorDiv(add(lhs, rhs - 1), rhs);
  case AffineExprKind::Mod:
    return mod(lhs, rhs);
  default:
    llvm_unreachable("all kinds are handled");
  }
}

Index Indices::linear(ArrayRef<Index> at, ArrayRef<int64_t> strides) {
  Index result = 0;
  for (auto [index, stride] : llvm::zip_equal(at, strides))
    result = add(result, mul(index, stride));
  return result;
}

Position Indices::delinear(Index number, ArrayRef<int64_t> shape) {
  Position result(shape.size(), Index(0));
  // Leading dimensions of size 1 need no division; the first other one needs no remainder.
  size_t first = 0;
  while (first + 1 < shape.size() && shape[first] == 1)
    ++first;
  for (size_t dim = shape.size(); dim-- > first;) {
    if (dim == first) {
      result[dim] = number;
      break;
    }
    result[dim] = mod(number, shape[dim]);
    number = floorDiv(number, shape[dim]);
  }
  return result;
}

Value Indices::asI32(Index x) {
  if (!x.value)
    return constant(x.offset);
  if (x.offset == 0)
    return x.value;
  Facts fx = factsOf(x.value);
  return cached(Kind::add, x.value, {}, x.offset,
                {std::gcd(fx.multiple, std::abs(x.offset)), fx.mayBeNegative || x.offset < 0},
                [&] { return arith::AddIOp::create(b, loc, x.value, constant(x.offset)); });
}

Value Indices::asIndex(Index x) {
  Value number = asI32(x);
  return cached(Kind::index, number, {}, 0, {},
                [&] { return arith::IndexCastOp::create(b, loc, b.getIndexType(), number); });
}
