// Loops and scalar arithmetic as scf, arith, math and memref ops. Index arithmetic folds while it is built.
#include "coat/Dialect/ScalarLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace coat;

/// The op of a's type: FloatOp, or UnsignedOp or SignedOp of integers.
template <typename FloatOp, typename SignedOp, typename UnsignedOp = SignedOp> static Scalar apply(Scalar a, Scalar b) {
  ScalarLoops &loops = *a.loops;
  bool isUnsigned = a.isUnsigned || b.isUnsigned;
  Value result;
  if (a.isFloat())
    result = loops.builder.createOrFold<FloatOp>(loops.loc, a, b);
  else if (isUnsigned)
    result = loops.builder.createOrFold<UnsignedOp>(loops.loc, a, b);
  else
    result = loops.builder.createOrFold<SignedOp>(loops.loc, a, b);
  return {loops, result, isUnsigned};
}

template <typename Op> static Scalar applyFloat(Scalar a) {
  return {*a.loops, Op::create(a.loops->builder, a.loops->loc, a.value)};
}

static Scalar compare(Scalar a, Scalar b, arith::CmpFPredicate ofFloats, arith::CmpIPredicate ofSigned,
                      arith::CmpIPredicate ofUnsigned) {
  ScalarLoops &loops = *a.loops;
  if (a.isFloat())
    return {loops, arith::CmpFOp::create(loops.builder, loops.loc, ofFloats, a, b)};
  auto predicate = a.isUnsigned || b.isUnsigned ? ofUnsigned : ofSigned;
  return {loops, loops.builder.createOrFold<arith::CmpIOp>(loops.loc, predicate, a, b)};
}

Scalar Scalar::constant(double number) const {
  Scalar result = loops->number(number, type());
  result.isUnsigned = isUnsigned;
  return result;
}

Scalar coat::operator+(Scalar a, Scalar b) { return apply<arith::AddFOp, arith::AddIOp>(a, b); }
Scalar coat::operator-(Scalar a, Scalar b) { return apply<arith::SubFOp, arith::SubIOp>(a, b); }
Scalar coat::operator*(Scalar a, Scalar b) { return apply<arith::MulFOp, arith::MulIOp>(a, b); }
Scalar coat::operator/(Scalar a, Scalar b) { return apply<arith::DivFOp, arith::DivSIOp, arith::DivUIOp>(a, b); }
Scalar coat::operator%(Scalar a, Scalar b) { return apply<arith::RemFOp, arith::RemSIOp, arith::RemUIOp>(a, b); }
Scalar coat::operator<(Scalar a, Scalar b) {
  return compare(a, b, arith::CmpFPredicate::OLT, arith::CmpIPredicate::slt, arith::CmpIPredicate::ult);
}
Scalar coat::operator<=(Scalar a, Scalar b) {
  return compare(a, b, arith::CmpFPredicate::OLE, arith::CmpIPredicate::sle, arith::CmpIPredicate::ule);
}
Scalar coat::operator>(Scalar a, Scalar b) { return b < a; }
Scalar coat::operator>=(Scalar a, Scalar b) { return b <= a; }
Scalar coat::operator==(Scalar a, Scalar b) {
  return compare(a, b, arith::CmpFPredicate::OEQ, arith::CmpIPredicate::eq, arith::CmpIPredicate::eq);
}
Scalar coat::operator&&(Scalar a, Scalar b) {
  return {*a.loops, a.loops->builder.createOrFold<arith::AndIOp>(a.loops->loc, a, b)};
}
Scalar coat::operator-(Scalar a) { return a.isFloat() ? applyFloat<arith::NegFOp>(a) : a.constant(0) - a; }
Scalar coat::max(Scalar a, Scalar b) { return apply<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>(a, b); }
Scalar coat::min(Scalar a, Scalar b) { return apply<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>(a, b); }
Scalar coat::clamp(Scalar a, Scalar low, Scalar high) { return min(max(a, low), high); }
Scalar coat::select(Scalar condition, Scalar a, Scalar b) {
  ScalarLoops &loops = *a.loops;
  return {loops, loops.builder.createOrFold<arith::SelectOp>(loops.loc, condition, a, b), a.isUnsigned};
}
Scalar coat::abs(Scalar a) { return a.isFloat() ? applyFloat<math::AbsFOp>(a) : a.isUnsigned ? a : max(a, -a); }
Scalar coat::exp(Scalar a) { return applyFloat<math::ExpOp>(a); }
Scalar coat::log(Scalar a) { return applyFloat<math::LogOp>(a); }
Scalar coat::sqrt(Scalar a) { return applyFloat<math::SqrtOp>(a); }
Scalar coat::tanh(Scalar a) { return applyFloat<math::TanhOp>(a); }
Scalar coat::floor(Scalar a) { return applyFloat<math::FloorOp>(a); }
Scalar coat::ceil(Scalar a) { return applyFloat<math::CeilOp>(a); }
Scalar coat::pow(Scalar a, double exponent) {
  if (exponent == 0.5)
    return sqrt(a);
  return {*a.loops, math::PowFOp::create(a.loops->builder, a.loops->loc, a, a.constant(exponent))};
}

Scalar ScalarLoops::index(int64_t value) { return {*this, arith::ConstantIndexOp::create(builder, loc, value)}; }

Scalar ScalarLoops::number(double value, Type type) {
  TypedAttr attribute = isa<FloatType>(type) ? TypedAttr(builder.getFloatAttr(type, value))
                                             : builder.getIntegerAttr(type, static_cast<int64_t>(value));
  return {*this, arith::ConstantOp::create(builder, loc, attribute)};
}

Scalar ScalarLoops::toFloat(Scalar number, Type floatType) {
  if (number.type() == floatType)
    return number;
  if (number.isFloat() && number.type().getIntOrFloatBitWidth() < floatType.getIntOrFloatBitWidth())
    return {*this, arith::ExtFOp::create(builder, loc, floatType, number.value)};
  if (number.isFloat())
    return {*this, arith::TruncFOp::create(builder, loc, floatType, number)};
  Value integer = number;
  if (number.type().isIndex())
    integer = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), number);
  return {*this, arith::SIToFPOp::create(builder, loc, floatType, integer)};
}

Scalar ScalarLoops::toIndex(Scalar number) {
  Value integer = number;
  if (number.isFloat())
    integer = arith::FPToSIOp::create(builder, loc, builder.getI64Type(), number);
  return {*this, arith::IndexCastOp::create(builder, loc, builder.getIndexType(), integer)};
}

Scalar ScalarLoops::dim(Value memref, int64_t dimension) {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(dimension))
    return index(type.getDimSize(dimension));
  return {*this, memref::DimOp::create(builder, loc, memref, dimension)};
}

Scalars ScalarLoops::dims(Value memref) {
  Scalars sizes;
  for (int64_t i = 0; i < cast<MemRefType>(memref.getType()).getRank(); ++i)
    sizes.push_back(dim(memref, i));
  return sizes;
}

Value ScalarLoops::buffer(Type elementType, ArrayRef<Scalar> sizes) {
  SmallVector<OpFoldResult> mixed =
      llvm::map_to_vector(sizes, [](Scalar size) { return getAsOpFoldResult(size.value); });
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults(mixed, dynamic, shape);
  return memref::AllocOp::create(builder, loc, MemRefType::get(shape, elementType), dynamic);
}

void ScalarLoops::eachResult(Value result, ArrayRef<int64_t> whole, Body body) {
  int64_t rank = cast<MemRefType>(result.getType()).getRank();
  SmallVector<int64_t> outer, inner;
  for (int64_t i = 0; i < rank; ++i)
    if (!llvm::is_contained(whole, i))
      (outer.size() < 2 && i + 1 < rank ? outer : inner).push_back(i);
  auto extents = [&](ArrayRef<int64_t> positions) {
    return llvm::map_to_vector(positions, [&](int64_t i) { return dim(result, i); });
  };
  Scalars indices(rank);
  auto inside = [&](const Scalars &outerIndices) {
    for (auto [position, value] : llvm::zip(outer, outerIndices))
      indices[position] = value;
    OpBuilder::InsertionGuard guard(builder);
    for (auto [position, extent] : llvm::zip(inner, extents(inner))) {
      auto loop = scf::ForOp::create(builder, loc, index(0), extent, index(1));
      loop->setAttr(independent, builder.getUnitAttr());
      indices[position] = {*this, loop.getInductionVar()};
      builder.setInsertionPointToStart(loop.getBody());
    }
    body(indices);
  };
  if (outer.empty())
    inside({});
  else
    parallel(extents(outer), inside);
}

void ScalarLoops::parallel(ArrayRef<Scalar> extents, Body body) {
  SmallVector<OpFoldResult> bounds;
  for (Scalar extent : extents)
    bounds.push_back(getAsOpFoldResult(extent.value));
  auto forall = scf::ForallOp::create(builder, loc, bounds, ValueRange(), std::nullopt);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(forall.getTerminator());
  Scalars indices;
  for (Value variable : forall.getInductionVars())
    indices.push_back({*this, variable});
  body(indices);
}

void ScalarLoops::each(ArrayRef<Scalar> extents, Body body) {
  SmallVector<LoopRange> ranges;
  for (Scalar extent : extents)
    ranges.push_back(upTo(extent));
  accumulate(ranges, {}, [&](const Scalars &indices, const Scalars &) {
    body(indices);
    return Scalars();
  });
}

Scalars ScalarLoops::accumulate(ArrayRef<LoopRange> ranges, Scalars init, Step step) {
  OpBuilder::InsertionGuard guard(builder);
  Scalars indices, values = init, results;
  for (auto [depth, range] : llvm::enumerate(ranges)) {
    SmallVector<Value> carried(values.begin(), values.end());
    auto loop = scf::ForOp::create(builder, loc, range.begin, range.end, index(1), carried);
    // The enclosing loop yields what this one computes.
    if (depth > 0 && !carried.empty())
      scf::YieldOp::create(builder, loc, loop.getResults());
    if (depth == 0)
      for (auto [value, result] : llvm::zip(values, loop.getResults()))
        results.push_back({*this, result, value.isUnsigned});
    indices.push_back({*this, loop.getInductionVar()});
    for (auto [value, argument] : llvm::zip(values, loop.getRegionIterArgs()))
      value.value = argument;
    // Without carried values the builder has already made the terminator.
    builder.setInsertionPointToStart(loop.getBody());
  }
  Scalars next = step(indices, values);
  if (ranges.empty())
    return next;
  if (!init.empty())
    scf::YieldOp::create(builder, loc, SmallVector<Value>(next.begin(), next.end()));
  return results;
}

void ScalarLoops::ifTrue(Scalar condition, llvm::function_ref<void()> then) {
  scf::IfOp::create(builder, loc, condition, [&](OpBuilder &inner, Location) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
    then();
    scf::YieldOp::create(builder, loc);
  });
}

Scalar ScalarLoops::ifElse(Scalar condition, llvm::function_ref<Scalar()> then,
                           llvm::function_ref<Scalar()> otherwise) {
  bool isUnsigned = false;
  auto branch = [&](llvm::function_ref<Scalar()> compute) {
    return [&, compute](OpBuilder &inner, Location) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
      Scalar result = compute();
      isUnsigned = result.isUnsigned;
      scf::YieldOp::create(builder, loc, result.value);
    };
  };
  auto ifOp = scf::IfOp::create(builder, loc, condition, branch(then), branch(otherwise));
  return {*this, ifOp.getResult(0), isUnsigned};
}

Type ScalarLoops::computeType(Type elementType) {
  if (isa<FloatType>(elementType) && elementType.getIntOrFloatBitWidth() < 32)
    return Float32Type::get(elementType.getContext());
  if (auto integer = dyn_cast<IntegerType>(elementType); integer && !integer.isSignless())
    return IntegerType::get(elementType.getContext(), integer.getWidth());
  return elementType;
}

Scalar ScalarLoops::load(Value memref, const Scalars &indices) {
  Value element = loadElement(memref, indices);
  Type type = element.getType(), wide = computeType(type);
  if (type != wide)
    element = isa<FloatType>(type) ? Value(arith::ExtFOp::create(builder, loc, wide, element))
                                   : UnrealizedConversionCastOp::create(builder, loc, wide, element).getResult(0);
  return {*this, element, type.isUnsignedInteger()};
}

void ScalarLoops::store(Scalar value, Value memref, const Scalars &indices) {
  Type type = cast<MemRefType>(memref.getType()).getElementType();
  Value element = value;
  if (type != element.getType())
    element = isa<FloatType>(type) ? Value(arith::TruncFOp::create(builder, loc, type, element))
                                   : UnrealizedConversionCastOp::create(builder, loc, type, element).getResult(0);
  storeElement(element, memref, indices);
}

Scalars ScalarLoops::broadcastIndices(Value memref, const Scalars &indices) {
  auto type = cast<MemRefType>(memref.getType());
  Scalars own;
  for (int64_t i = 0; i < type.getRank(); ++i)
    own.push_back(type.getDimSize(i) == 1 ? index(0) : indices[indices.size() - type.getRank() + i]);
  return own;
}

Value ScalarLoops::loadElement(Value memref, const Scalars &indices) {
  return memref::LoadOp::create(builder, loc, memref, SmallVector<Value>(indices.begin(), indices.end()));
}

void ScalarLoops::storeElement(Value element, Value memref, const Scalars &indices) {
  memref::StoreOp::create(builder, loc, element, memref, SmallVector<Value>(indices.begin(), indices.end()));
}
