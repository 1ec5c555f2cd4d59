// Arithmetic on symbolic integers: constants are checked for overflow, the rest
// is simplified by MLIR's affine expressions and decided by interval arithmetic.
#include "Symbols.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace coat::onnx;

std::optional<int64_t> coat::onnx::constantOf(AffineExpr expr) {
  if (auto constant = dyn_cast_or_null<AffineConstantExpr>(expr))
    return constant.getValue();
  return std::nullopt;
}

AffineExpr Symbols::add(llvm::StringRef name, int64_t min, int64_t max) {
  auto found = llvm::find_if(symbols, [&](const Symbol &symbol) { return symbol.name == name; });
  unsigned position = found - symbols.begin();
  if (found == symbols.end())
    symbols.push_back({name.str(), min, max});
  return getAffineSymbolExpr(position, context);
}

AffineExpr Symbols::simplify(AffineExpr expr) const {
  return expr ? simplifyAffineExpr(expr, /*numDims=*/0, symbols.size()) : expr;
}

AffineExpr Symbols::sum(AffineExpr a, AffineExpr b) const {
  if (!a || !b)
    return {};
  auto x = constantOf(a), y = constantOf(b);
  if (!x || !y)
    return simplify(a + b);
  int64_t result;
  return llvm::AddOverflow(*x, *y, result) ? AffineExpr() : constant(result);
}

AffineExpr Symbols::product(AffineExpr a, AffineExpr b) const {
  if (!a || !b)
    return {};
  auto x = constantOf(a), y = constantOf(b);
  if (!x || !y)
    return simplify(a * b);
  int64_t result;
  return llvm::MulOverflow(*x, *y, result) ? AffineExpr() : constant(result);
}

AffineExpr Symbols::difference(AffineExpr a, AffineExpr b) const { return sum(a, product(b, constant(-1))); }

AffineExpr Symbols::product(ArrayRef<AffineExpr> factors) const {
  AffineExpr result = constant(1);
  for (AffineExpr factor : factors)
    result = product(result, factor);
  return result;
}

/// `divide` of a by a divisor that is known to be positive.
static AffineExpr dividePositive(const Symbols &symbols, AffineExpr a, AffineExpr b,
                                 llvm::function_ref<AffineExpr()> divide) {
  if (!a || !b)
    return {};
  auto divisor = symbols.range(b);
  return divisor && divisor->min > 0 ? symbols.simplify(divide()) : AffineExpr();
}

AffineExpr Symbols::floorDiv(AffineExpr a, AffineExpr b) const {
  return dividePositive(*this, a, b, [&] { return a.floorDiv(b); });
}
AffineExpr Symbols::ceilDiv(AffineExpr a, AffineExpr b) const {
  return dividePositive(*this, a, b, [&] { return a.ceilDiv(b); });
}
AffineExpr Symbols::mod(AffineExpr a, AffineExpr b) const {
  return dividePositive(*this, a, b, [&] { return a % b; });
}

std::optional<bool> Symbols::less(AffineExpr a, AffineExpr b) const {
  AffineExpr gap = difference(a, b);
  auto bounds = gap ? range(gap) : std::nullopt;
  if (bounds && bounds->max < 0)
    return true;
  if (bounds && bounds->min >= 0)
    return false;
  return std::nullopt;
}

std::optional<bool> Symbols::equal(AffineExpr a, AffineExpr b) const {
  if (a && a == b)
    return true;
  AffineExpr gap = difference(a, b);
  auto bounds = gap ? range(gap) : std::nullopt;
  if (!bounds)
    return std::nullopt;
  if (bounds->min == 0 && bounds->max == 0)
    return true;
  if (bounds->min > 0 || bounds->max < 0)
    return false;
  return std::nullopt;
}

AffineExpr Symbols::min(AffineExpr a, AffineExpr b) const {
  if (auto bLess = less(b, a))
    return *bLess ? b : a;
  if (auto aLess = less(a, b))
    return *aLess ? a : b;
  return {};
}

AffineExpr Symbols::max(AffineExpr a, AffineExpr b) const {
  AffineExpr smaller = min(a, b);
  return !smaller ? smaller : smaller == a ? b : a;
}

std::optional<Bounds> Symbols::range(AffineExpr expr) const {
  if (auto value = constantOf(expr))
    return Bounds{*value, *value};
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return Bounds{symbols[symbol.getPosition()].min, symbols[symbol.getPosition()].max};
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  auto a = range(binary.getLHS()), b = range(binary.getRHS());
  if (!a || !b)
    return std::nullopt;
  Bounds result;
  switch (binary.getKind()) {
  case AffineExprKind::Add:
    if (llvm::AddOverflow(a->min, b->min, result.min) || llvm::AddOverflow(a->max, b->max, result.max))
      return std::nullopt;
    return result;
  case AffineExprKind::Mul: {
    int64_t corners[4];
    if (llvm::MulOverflow(a->min, b->min, corners[0]) || llvm::MulOverflow(a->min, b->max, corners[1]) ||
        llvm::MulOverflow(a->max, b->min, corners[2]) || llvm::MulOverflow(a->max, b->max, corners[3]))
      return std::nullopt;
    return Bounds{*llvm::min_element(corners), *llvm::max_element(corners)};
  }
  case AffineExprKind::FloorDiv:
  case AffineExprKind::CeilDiv: {
    if (b->min <= 0)
      return std::nullopt;
    auto divide = [&](int64_t x, int64_t y) {
      return binary.getKind() == AffineExprKind::FloorDiv ? llvm::divideFloorSigned(x, y)
                                                          : llvm::divideCeilSigned(x, y);
    };
    int64_t corners[4] = {divide(a->min, b->min), divide(a->min, b->max), divide(a->max, b->min),
                          divide(a->max, b->max)};
    return Bounds{*llvm::min_element(corners), *llvm::max_element(corners)};
  }
  case AffineExprKind::Mod:
    return b->min > 0 ? std::optional<Bounds>(Bounds{0, b->max - 1}) : std::nullopt;
  default:
    return std::nullopt;
  }
}

/// Splits a product into its constant and its other factors.
static bool factorize(AffineExpr expr, int64_t &constant, SmallVectorImpl<AffineExpr> &factors) {
  if (auto value = constantOf(expr))
    return !llvm::MulOverflow(constant, *value, constant);
  if (expr.getKind() != AffineExprKind::Mul) {
    factors.push_back(expr);
    return true;
  }
  auto mul = cast<AffineBinaryOpExpr>(expr);
  return factorize(mul.getLHS(), constant, factors) && factorize(mul.getRHS(), constant, factors);
}

AffineExpr Symbols::quotient(ArrayRef<AffineExpr> whole, ArrayRef<AffineExpr> parts) const {
  int64_t numerator = 1, denominator = 1;
  SmallVector<AffineExpr> above, below;
  for (AffineExpr expr : whole)
    if (!factorize(expr, numerator, above))
      return {};
  for (AffineExpr expr : parts)
    if (!factorize(expr, denominator, below))
      return {};
  for (AffineExpr expr : below) {
    auto *found = llvm::find(above, expr);
    if (found == above.end())
      return {};
    above.erase(found);
  }
  if (denominator == 0)
    return {};
  if (numerator % denominator == 0)
    return product(constant(numerator / denominator), product(above));
  AffineExpr rest = product(constant(numerator), product(above));
  return constantOf(mod(rest, constant(denominator))) == 0 ? floorDiv(rest, constant(denominator)) : AffineExpr();
}

std::string Symbols::print(AffineExpr expr) const {
  std::string text, result;
  llvm::raw_string_ostream(text) << expr;
  for (size_t at = 0; at < text.size();) {
    bool token = at == 0 || !llvm::isAlnum(text[at - 1]);
    size_t end = at + 1;
    while (end < text.size() && llvm::isDigit(text[end]))
      ++end;
    unsigned position;
    if (token && text[at] == 's' && !StringRef(text).slice(at + 1, end).getAsInteger(10, position)) {
      result += symbols[position].name;
      at = end;
      continue;
    }
    result += text[at++];
  }
  return result;
}
