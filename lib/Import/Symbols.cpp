// Arithmetic on symbolic integers: constants are checked for overflow, the rest
// is simplified by MLIR's affine expressions and decided by interval arithmetic.
#include "Symbols.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <map>

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

//===--- normal form ---===//

namespace {
/// Coefficient times a product of symbols and divisions.
struct Monomial {
  int64_t coefficient = 0;
  SmallVector<AffineExpr> factors;
};

/// Expressions that are larger are treated like numbers that overflow: squaring doubles them.
constexpr size_t maxFactors = 64, maxTerms = 64;

/// A sum of monomials, ordered by the printed factors so that the order is the same in every run.
class Polynomial {
public:
  explicit Polynomial(AffineExpr expr) { overflow = !add(expr, {1, {}}); }

  /// Null when a coefficient overflows.
  AffineExpr toExpr(MLIRContext *context) const;
  /// Divides every monomial; false when one is no multiple of the divisor.
  bool divide(const Monomial &divisor);

  std::map<SmallVector<std::string>, Monomial> terms;
  bool overflow = false;

private:
  bool add(AffineExpr expr, Monomial times);
};
} // namespace

bool Polynomial::add(AffineExpr expr, Monomial times) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (expr.getKind() == AffineExprKind::Add)
    return add(binary.getLHS(), times) && add(binary.getRHS(), times);
  if (expr.getKind() == AffineExprKind::Mul) {
    // Distributes over both sides, one at a time.
    Polynomial left(binary.getLHS());
    return !left.overflow && llvm::all_of(left.terms, [&](const auto &term) {
      Monomial product = times;
      product.factors.append(term.second.factors);
      return !llvm::MulOverflow(product.coefficient, term.second.coefficient, product.coefficient) &&
             add(binary.getRHS(), product);
    });
  }
  if (auto value = constantOf(expr)) {
    if (llvm::MulOverflow(times.coefficient, *value, times.coefficient))
      return false;
  } else {
    times.factors.push_back(expr);
  }
  if (times.factors.size() > maxFactors || terms.size() > maxTerms)
    return false;
  auto text = [](AffineExpr factor) {
    std::string result;
    llvm::raw_string_ostream(result) << factor;
    return result;
  };
  llvm::sort(times.factors, [&](AffineExpr a, AffineExpr b) { return text(a) < text(b); });
  Monomial &term = terms[llvm::map_to_vector<6>(times.factors, text)];
  term.factors = times.factors;
  return !llvm::AddOverflow(term.coefficient, times.coefficient, term.coefficient);
}

AffineExpr Polynomial::toExpr(MLIRContext *context) const {
  if (overflow)
    return {};
  AffineExpr result = getAffineConstantExpr(0, context);
  for (const auto &[key, term] : llvm::reverse(terms)) {
    if (term.coefficient == 0)
      continue;
    AffineExpr product = getAffineConstantExpr(1, context);
    for (AffineExpr factor : term.factors)
      product = product * factor;
    result = result + product * term.coefficient;
  }
  return result;
}

bool Polynomial::divide(const Monomial &divisor) {
  std::map<SmallVector<std::string>, Monomial> divided;
  for (const auto &entry : terms) {
    SmallVector<std::string> key = entry.first;
    Monomial term = entry.second;
    if (term.coefficient == 0)
      continue;
    bool overflows = term.coefficient == INT64_MIN && divisor.coefficient == -1;
    if (overflows || term.coefficient % divisor.coefficient != 0)
      return false;
    term.coefficient /= divisor.coefficient;
    for (AffineExpr factor : divisor.factors) {
      auto *found = llvm::find(term.factors, factor);
      if (found == term.factors.end())
        return false;
      key.erase(key.begin() + (found - term.factors.begin()));
      term.factors.erase(found);
    }
    divided[key] = term;
  }
  terms = std::move(divided);
  return true;
}

AffineExpr Symbols::simplify(AffineExpr expr) const {
  return expr ? Polynomial(simplifyAffineExpr(expr, /*numDims=*/0, symbols.size())).toExpr(context) : expr;
}

//===--- arithmetic ---===//

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
  if (AffineExpr exact = a && b ? quotient(a, b) : AffineExpr())
    return exact;
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

AffineExpr Symbols::quotient(ArrayRef<AffineExpr> whole, ArrayRef<AffineExpr> parts) const {
  SmallVector<AffineExpr> above(whole), below;
  for (AffineExpr part : parts) {
    auto *found = constantOf(part) ? above.end() : llvm::find(above, part);
    if (found == above.end())
      below.push_back(part);
    else
      above.erase(found);
  }
  AffineExpr numerator = product(above), denominator = product(below);
  if (!numerator || !denominator)
    return {};
  Polynomial dividend(numerator), divisor(denominator);
  if (divisor.terms.size() != 1 || divisor.terms.begin()->second.coefficient == 0 ||
      !dividend.divide(divisor.terms.begin()->second))
    return {};
  return dividend.toExpr(context);
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
