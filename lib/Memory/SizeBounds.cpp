// Interval arithmetic over the ops that compute sizes; anything unknown is unbounded.
#include "SizeBounds.h"
#include "ArenaPlan.h"
#include "coat/Dialect/Coat.h"
#include "coat/Dialect/SymbolicDims.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace coat;

static int64_t clamp(__int128 value) {
  return static_cast<int64_t>(std::max<__int128>(SizeRange::lowest, std::min<__int128>(SizeRange::highest, value)));
}

static SizeRange add(SizeRange a, SizeRange b) {
  // An unbounded end stays unbounded, whatever is added.
  return {a.low == SizeRange::lowest || b.low == SizeRange::lowest ? SizeRange::lowest : clamp(__int128(a.low) + b.low),
          a.high == SizeRange::highest || b.high == SizeRange::highest ? SizeRange::highest
                                                                       : clamp(__int128(a.high) + b.high)};
}

static SizeRange negate(SizeRange a) { return {-a.high, -a.low}; }

/// The hull of f over the four pairs of ends; right for f monotone in each argument.
template <typename F> static SizeRange hull(SizeRange a, SizeRange b, F f) {
  __int128 ends[] = {f(a.low, b.low), f(a.low, b.high), f(a.high, b.low), f(a.high, b.high)};
  return {clamp(*std::min_element(ends, ends + 4)), clamp(*std::max_element(ends, ends + 4))};
}

static SizeRange multiply(SizeRange a, SizeRange b) {
  return hull(a, b, [](__int128 x, __int128 y) { return x * y; });
}

enum class Rounding { zero, down, up };

/// The quotient; unbounded unless the divisor is positive.
static SizeRange divide(SizeRange a, SizeRange b, Rounding rounding) {
  if (b.low < 1)
    return {};
  SizeRange result = hull(a, b, [rounding](__int128 x, __int128 y) {
    __int128 quotient = x / y, rest = x % y;
    if (rounding == Rounding::down && rest < 0)
      --quotient;
    if (rounding == Rounding::up && rest > 0)
      ++quotient;
    return quotient;
  });
  if (a.low == SizeRange::lowest)
    result.low = SizeRange::lowest;
  if (a.high == SizeRange::highest)
    result.high = SizeRange::highest;
  return result;
}

static SizeRange modulo(SizeRange a, SizeRange b) {
  if (b.low < 1 || a.low < 0)
    return {};
  return {0, std::min(a.high, b.high - 1)};
}

static SizeRange larger(SizeRange a, SizeRange b) { return {std::max(a.low, b.low), std::max(a.high, b.high)}; }
static SizeRange smaller(SizeRange a, SizeRange b) { return {std::min(a.low, b.low), std::min(a.high, b.high)}; }

static SizeRange evaluate(AffineExpr expr, ArrayRef<SizeRange> dims, ArrayRef<SizeRange> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return {constant.getValue(), constant.getValue()};
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  SizeRange lhs = evaluate(binary.getLHS(), dims, symbols), rhs = evaluate(binary.getRHS(), dims, symbols);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return add(lhs, rhs);
  case AffineExprKind::Mul:
    return multiply(lhs, rhs);
  case AffineExprKind::FloorDiv:
    return divide(lhs, rhs, Rounding::down);
  case AffineExprKind::CeilDiv:
    return divide(lhs, rhs, Rounding::up);
  default: // mod; affine remainders are never negative
    return rhs.low < 1 ? SizeRange{} : SizeRange{0, rhs.high - 1};
  }
}

SizeRange SizeBounds::of(OpFoldResult value) {
  if (auto constant = getConstantIntValue(value))
    return {*constant, *constant};
  auto dynamic = dyn_cast<Value>(value);
  if (!dynamic)
    return {};
  auto it = known.find(dynamic);
  if (it != known.end())
    return it->second;
  SizeRange range = compute(dynamic);
  known[dynamic] = range;
  return range;
}

/// The induction variable of a loop lies between its bounds.
static SizeRange rangeOfBlockArgument(BlockArgument argument, SizeBounds &bounds) {
  auto loop = dyn_cast_or_null<LoopLikeOpInterface>(argument.getOwner()->getParentOp());
  if (!loop)
    return {};
  auto variables = loop.getLoopInductionVars();
  auto lower = loop.getLoopLowerBounds(), upper = loop.getLoopUpperBounds();
  if (!variables || !lower || !upper)
    return {};
  for (auto [i, variable] : llvm::enumerate(*variables))
    if (variable == argument)
      return {bounds.of((*lower)[i]).low, add(bounds.of((*upper)[i]), {-1, -1}).high};
  return {};
}

SizeRange SizeBounds::compute(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return rangeOfBlockArgument(argument, *this);
  auto binary = [&](Operation *op, auto f) { return f(of(op->getOperand(0)), of(op->getOperand(1))); };
  auto affineResults = [&](AffineMap map, ValueRange operands, auto combine) {
    SmallVector<SizeRange> ranges;
    for (Value operand : operands)
      ranges.push_back(of(operand));
    ArrayRef<SizeRange> all = ranges, dims = all.take_front(map.getNumDims()),
                        symbols = all.drop_front(map.getNumDims());
    SizeRange result = evaluate(map.getResult(0), dims, symbols);
    for (AffineExpr expr : map.getResults().drop_front())
      result = combine(result, evaluate(expr, dims, symbols));
    return result;
  };
  return llvm::TypeSwitch<Operation *, SizeRange>(value.getDefiningOp())
      .Case([&](arith::AddIOp op) { return binary(op, add); })
      .Case([&](arith::SubIOp op) { return binary(op, [](SizeRange a, SizeRange b) { return add(a, negate(b)); }); })
      .Case([&](arith::MulIOp op) { return binary(op, multiply); })
      .Case<arith::DivSIOp, arith::DivUIOp>(
          [&](auto op) { return binary(op, [](SizeRange a, SizeRange b) { return divide(a, b, Rounding::zero); }); })
      .Case([&](arith::FloorDivSIOp op) {
        return binary(op, [](SizeRange a, SizeRange b) { return divide(a, b, Rounding::down); });
      })
      .Case<arith::CeilDivSIOp, arith::CeilDivUIOp>(
          [&](auto op) { return binary(op, [](SizeRange a, SizeRange b) { return divide(a, b, Rounding::up); }); })
      .Case<arith::RemSIOp, arith::RemUIOp>([&](auto op) { return binary(op, modulo); })
      .Case<arith::MaxSIOp, arith::MaxUIOp>([&](auto op) { return binary(op, larger); })
      .Case<arith::MinSIOp, arith::MinUIOp>([&](auto op) { return binary(op, smaller); })
      .Case([&](arith::SelectOp op) { return of(op.getTrueValue()).join(of(op.getFalseValue())); })
      .Case<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp>(
          [&](auto op) { return of(op.getIn()); })
      .Case([&](affine::AffineApplyOp op) { return affineResults(op.getMap(), op.getOperands(), larger); })
      .Case([&](affine::AffineMinOp op) { return affineResults(op.getMap(), op.getOperands(), smaller); })
      .Case([&](affine::AffineMaxOp op) { return affineResults(op.getMap(), op.getOperands(), larger); })
      .Case([&](memref::DimOp op) {
        auto index = op.getConstantIndex();
        return index ? ofDimension(op.getSource(), *index) : SizeRange{0, SizeRange::highest};
      })
      .Default([](Operation *) { return SizeRange{}; });
}

SizeRange SizeBounds::ofDimension(Value memref, int64_t dimension) {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(dimension))
    return {type.getDimSize(dimension), type.getDimSize(dimension)};
  return larger(computeDimension(memref, dimension), {0, 0});
}

SizeRange SizeBounds::computeDimension(Value memref, int64_t dimension) {
  auto type = cast<MemRefType>(memref.getType());
  auto dynamicSize = [&](ValueRange sizes) { return of(sizes[type.getDynamicDimIndex(dimension)]); };
  if (auto argument = dyn_cast<BlockArgument>(memref)) {
    if (!isa<FunctionOpInterface>(argument.getOwner()->getParentOp()))
      return {};
    auto it = argumentSizes.find({argument.getArgNumber(), dimension});
    return it == argumentSizes.end() ? SizeRange{} : it->second;
  }
  return llvm::TypeSwitch<Operation *, SizeRange>(memref.getDefiningOp())
      .Case<memref::AllocOp, memref::AllocaOp>([&](auto op) { return dynamicSize(op.getDynamicSizes()); })
      .Case<WorkspaceOp, ScratchOp>([&](auto op) { return dynamicSize(op.getSizes()); })
      .Case([&](memref::ReinterpretCastOp op) { return of(op.getMixedSizes()[dimension]); })
      .Case([&](memref::ExpandShapeOp op) { return of(op.getMixedOutputShape()[dimension]); })
      .Case([&](memref::CollapseShapeOp op) {
        SizeRange size{1, 1};
        ReassociationIndices sources = op.getReassociationIndices()[dimension];
        for (int64_t source : sources)
          size = multiply(size, ofDimension(op.getSrc(), source));
        return size;
      })
      .Case([&](memref::CastOp op) {
        return isa<MemRefType>(op.getSource().getType()) ? ofDimension(op.getSource(), dimension) : SizeRange{};
      })
      .Case([&](memref::SubViewOp op) {
        llvm::SmallBitVector dropped = op.getDroppedDims();
        int64_t kept = -1, source = -1;
        while (kept < dimension)
          kept += !dropped.test(++source);
        return of(op.getMixedSizes()[source]);
      })
      .Default([](Operation *) { return SizeRange{}; });
}

std::optional<int64_t> SizeBounds::largestBytes(MemRefType type, ValueRange dynamicSizes) {
  int64_t elementBytes = bytesOfElement(type.getElementType());
  SizeRange bytes{elementBytes, elementBytes};
  unsigned nextDynamic = 0;
  for (int64_t size : type.getShape()) {
    SizeRange range =
        ShapedType::isDynamic(size) ? larger(of(dynamicSizes[nextDynamic++]), {0, 0}) : SizeRange{size, size};
    if (!range.bounded())
      return std::nullopt;
    bytes = multiply(bytes, range);
  }
  return bytes.bounded() ? std::optional(bytes.high) : std::nullopt;
}

namespace {
struct Symbol {
  StringRef name;
  SizeRange range;
};
} // namespace

static FailureOr<SmallVector<Symbol>> symbolsOf(func::FuncOp entry) {
  SmallVector<Symbol> symbols;
  auto list = entry->getAttrOfType<ArrayAttr>("coat.symbols");
  for (Attribute attribute : list ? list.getValue() : ArrayRef<Attribute>()) {
    auto dictionary = dyn_cast<DictionaryAttr>(attribute);
    auto name = dictionary ? dictionary.getAs<StringAttr>("name") : StringAttr();
    auto min = dictionary ? dictionary.getAs<IntegerAttr>("min") : IntegerAttr();
    auto max = dictionary ? dictionary.getAs<IntegerAttr>("max") : IntegerAttr();
    if (!name || !min || !max)
      return entry.emitError("expected coat.symbols entries {name, min, max}, got ") << attribute;
    symbols.push_back({name.getValue(), {min.getInt(), max.getInt()}});
  }
  return symbols;
}

/// The range of one entry of coat.dims: a symbol, or an affine expression of symbols.
static std::optional<SizeRange> rangeOfDimension(StringRef text, ArrayRef<Symbol> symbols, MLIRContext *context) {
  SmallVector<StringRef> names;
  SmallVector<SizeRange> ranges;
  for (const Symbol &symbol : symbols) {
    names.push_back(symbol.name);
    ranges.push_back(symbol.range);
  }
  AffineExpr expr = parseSymbolicDim(text, names, context);
  if (!expr)
    return std::nullopt;
  return evaluate(expr, {}, ranges);
}

FailureOr<SizeBounds::ArgumentSizes> coat::sizesOfEntryArguments(func::FuncOp entry) {
  auto symbols = symbolsOf(entry);
  if (failed(symbols))
    return failure();
  SizeBounds::ArgumentSizes sizes;
  for (BlockArgument argument : entry.getArguments()) {
    unsigned number = argument.getArgNumber();
    auto type = dyn_cast<MemRefType>(argument.getType());
    auto dims = entry.getArgAttrOfType<ArrayAttr>(number, "coat.dims");
    if (!type || !dims)
      continue;
    if (static_cast<int64_t>(dims.size()) != type.getRank())
      return entry.emitError("expected coat.dims with ") << type.getRank() << " entries, got " << dims;
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      if (!type.isDynamicDim(dim))
        continue;
      auto text = dyn_cast<StringAttr>(dims[dim]);
      auto range = text ? rangeOfDimension(text.getValue(), *symbols, entry.getContext()) : std::nullopt;
      if (!range)
        return entry.emitError("expected coat.dims in terms of coat.symbols, got ") << dims[dim];
      sizes[{number, dim}] = *range;
    }
  }
  return sizes;
}
