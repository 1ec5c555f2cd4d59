// Evaluation of element-wise functions on known values.
//
// Not the folders of the ops: those see attributes, and a dimension such as N is
// none. Integers are expressions, so that N / 2 + 1 stays exact; whatever the
// symbols' ranges do not decide is left alone.
#include "Known.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

std::optional<SmallVector<int64_t>> Known::integers() const {
  SmallVector<int64_t> result;
  for (const Scalar &element : elements) {
    auto value = constantOf(element.integer);
    if (!value)
      return std::nullopt;
    result.push_back(*value);
  }
  return isFloat() ? std::nullopt : std::optional(result);
}

std::optional<SmallVector<AffineExpr>> Known::expressions() const {
  if (isFloat())
    return std::nullopt;
  return llvm::map_to_vector(elements, [](const Scalar &element) { return element.integer; });
}

Known Known::pick(ArrayRef<int64_t> positions, ArrayRef<int64_t> newShape) const {
  Known result{elementType, SmallVector<int64_t>(newShape), {}};
  for (int64_t position : positions)
    result.elements.push_back(elements[position]);
  return result;
}

Known Known::reshaped(ArrayRef<int64_t> newShape) const {
  Known result = *this;
  result.shape.assign(newShape.begin(), newShape.end());
  return result;
}

std::optional<int64_t> coat::onnx::elementCount(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  bool overflow = false, empty = false;
  for (int64_t size : shape) {
    if (size < 0)
      return std::nullopt;
    empty |= size == 0;
    overflow |= !empty && llvm::MulOverflow(count, size, count);
  }
  if (empty)
    return 0;
  return overflow ? std::nullopt : std::optional(count);
}

bool coat::onnx::isTrackable(ArrayRef<int64_t> shape, Type elementType) {
  auto count = elementCount(shape);
  return count && !elementType.isUnsignedInteger() &&
         *count <= (isa<FloatType>(elementType) ? maxKnownFloats : maxKnownIntegers);
}

void coat::onnx::forEachIndex(ArrayRef<int64_t> shape, llvm::function_ref<void(ArrayRef<int64_t>)> visit) {
  int64_t count = elementCount(shape).value_or(0);
  SmallVector<int64_t> index(shape.size(), 0);
  for (int64_t position = 0; position < count; ++position) {
    visit(index);
    for (int64_t dim = int64_t(shape.size()) - 1; dim >= 0 && ++index[dim] == shape[dim]; --dim)
      index[dim] = 0;
  }
}

int64_t coat::onnx::broadcastPosition(ArrayRef<int64_t> index, ArrayRef<int64_t> shape) {
  int64_t position = 0;
  for (auto [at, size] : llvm::zip_equal(index.take_back(shape.size()), shape))
    position = position * size + (size == 1 ? 0 : at);
  return position;
}

std::optional<SmallVector<int64_t>> coat::onnx::broadcastShapes(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  SmallVector<int64_t> result(std::max(a.size(), b.size()));
  for (size_t back = 1; back <= result.size(); ++back) {
    int64_t x = back <= a.size() ? a[a.size() - back] : 1, y = back <= b.size() ? b[b.size() - back] : 1;
    if (x != y && x != 1 && y != 1)
      return std::nullopt;
    result[result.size() - back] = x == 1 ? y : x;
  }
  return result;
}

/// `value` rounded to the precision of `type`.
static double roundTo(Type type, double value) {
  llvm::APFloat number(value);
  bool loses;
  number.convert(cast<FloatType>(type).getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &loses);
  number.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &loses);
  return number.convertToDouble();
}

static std::optional<double> evaluateFloat(ElementwiseKind kind, ArrayRef<Scalar> args) {
  double a = args[0].number, b = args.size() > 1 ? args[1].number : 0;
  switch (kind) {
  case ElementwiseKind::abs:
    return std::fabs(a);
  case ElementwiseKind::neg:
    return -a;
  case ElementwiseKind::sqrt:
    return std::sqrt(a);
  case ElementwiseKind::reciprocal:
    return 1 / a;
  case ElementwiseKind::floor:
    return std::floor(a);
  case ElementwiseKind::ceil:
    return std::ceil(a);
  case ElementwiseKind::round:
    return std::nearbyint(a);
  case ElementwiseKind::exp:
    return std::exp(a);
  case ElementwiseKind::log:
    return std::log(a);
  case ElementwiseKind::relu:
    return a < 0 ? 0 : a;
  case ElementwiseKind::add:
    return a + b;
  case ElementwiseKind::sub:
    return a - b;
  case ElementwiseKind::mul:
    return a * b;
  case ElementwiseKind::div:
    return a / b;
  case ElementwiseKind::pow:
    return std::pow(a, b);
  case ElementwiseKind::min:
    return std::isnan(a) || a < b ? a : b;
  case ElementwiseKind::max:
    return std::isnan(a) || a > b ? a : b;
  default:
    return std::nullopt;
  }
}

static std::optional<bool> compareFloat(ElementwiseKind kind, double a, double b) {
  switch (kind) {
  case ElementwiseKind::equal:
    return a == b;
  case ElementwiseKind::less:
    return a < b;
  case ElementwiseKind::less_equal:
    return a <= b;
  case ElementwiseKind::greater:
    return a > b;
  case ElementwiseKind::greater_equal:
    return a >= b;
  default:
    return std::nullopt;
  }
}

static std::optional<bool> compareInteger(const Symbols &symbols, ElementwiseKind kind, AffineExpr a, AffineExpr b) {
  auto negated = [](std::optional<bool> value) { return value ? std::optional(!*value) : value; };
  switch (kind) {
  case ElementwiseKind::equal:
    return symbols.equal(a, b);
  case ElementwiseKind::less:
    return symbols.less(a, b);
  case ElementwiseKind::less_equal:
    return negated(symbols.less(b, a));
  case ElementwiseKind::greater:
    return symbols.less(b, a);
  case ElementwiseKind::greater_equal:
    return negated(symbols.less(a, b));
  case ElementwiseKind::logical_and:
  case ElementwiseKind::logical_or:
  case ElementwiseKind::logical_xor: {
    auto x = constantOf(a), y = constantOf(b);
    if (!x || !y)
      return std::nullopt;
    return kind == ElementwiseKind::logical_and  ? *x && *y
           : kind == ElementwiseKind::logical_or ? *x || *y
                                                 : (*x != 0) != (*y != 0);
  }
  default:
    return std::nullopt;
  }
}

/// ONNX division of integers truncates, which is floor division when nothing is negative.
static AffineExpr divide(const Symbols &symbols, AffineExpr a, AffineExpr b) {
  auto x = constantOf(a), y = constantOf(b);
  if (x && y)
    return *y == 0 || (*x == INT64_MIN && *y == -1) ? AffineExpr() : symbols.constant(*x / *y);
  auto range = symbols.range(a);
  return range && range->min >= 0 ? symbols.floorDiv(a, b) : AffineExpr();
}

static AffineExpr evaluateInteger(const Symbols &symbols, ElementwiseKind kind, ArrayRef<Scalar> args) {
  AffineExpr a = args[0].integer, b = args.size() > 1 ? args[1].integer : AffineExpr();
  switch (kind) {
  case ElementwiseKind::neg:
    return symbols.product(a, symbols.constant(-1));
  case ElementwiseKind::abs: {
    auto range = symbols.range(a);
    return !range            ? AffineExpr()
           : range->min >= 0 ? a
           : range->max <= 0 ? symbols.product(a, symbols.constant(-1))
                             : AffineExpr();
  }
  case ElementwiseKind::logical_not: {
    auto value = constantOf(a);
    return value ? symbols.constant(*value == 0) : AffineExpr();
  }
  case ElementwiseKind::add:
    return symbols.sum(a, b);
  case ElementwiseKind::sub:
    return symbols.difference(a, b);
  case ElementwiseKind::mul:
    return symbols.product(a, b);
  case ElementwiseKind::div:
    return divide(symbols, a, b);
  case ElementwiseKind::mod:
    return symbols.mod(a, b);
  case ElementwiseKind::min:
    return symbols.min(a, b);
  case ElementwiseKind::max:
    return symbols.max(a, b);
  default:
    return {};
  }
}

static bool isComparison(ElementwiseKind kind) {
  return kind >= ElementwiseKind::equal && kind <= ElementwiseKind::logical_xor;
}

/// Wraps a constant to `width` bits, two's complement; an expression must be known to fit.
static AffineExpr wrap(const Symbols &symbols, AffineExpr value, unsigned width) {
  if (auto constant = constantOf(value))
    return symbols.constant(width >= 64 ? *constant : llvm::SignExtend64(uint64_t(*constant), width));
  auto range = symbols.range(value);
  return range && llvm::isIntN(width, range->min) && llvm::isIntN(width, range->max) ? value : AffineExpr();
}

/// One element of the result, or none.
static std::optional<Scalar> evaluateScalar(const Symbols &symbols, ElementwiseKind kind, ArrayRef<Scalar> args,
                                            Type resultType) {
  if (kind == ElementwiseKind::select) {
    auto condition = constantOf(args[0].integer);
    return condition ? std::optional(args[*condition ? 1 : 2]) : std::nullopt;
  }
  bool isFloat = !args[0].integer;
  if (isComparison(kind)) {
    auto truth = isFloat ? compareFloat(kind, args[0].number, args[1].number)
                         : compareInteger(symbols, kind, args[0].integer, args[1].integer);
    return truth ? std::optional(Scalar{symbols.constant(*truth)}) : std::nullopt;
  }
  if (isFloat) {
    auto number = evaluateFloat(kind, args);
    return number ? std::optional(Scalar{{}, roundTo(resultType, *number)}) : std::nullopt;
  }
  AffineExpr integer = evaluateInteger(symbols, kind, args);
  integer = integer ? wrap(symbols, integer, resultType.getIntOrFloatBitWidth()) : integer;
  return integer ? std::optional(Scalar{integer}) : std::nullopt;
}

std::optional<Known> coat::onnx::evaluate(const Symbols &symbols, ElementwiseKind kind,
                                          ArrayRef<const Known *> operands) {
  SmallVector<int64_t> shape;
  for (const Known *operand : operands) {
    auto joined = broadcastShapes(shape, operand->shape);
    if (!joined)
      return std::nullopt;
    shape = *joined;
  }
  Type type = operands.back()->elementType;
  for (const Known *operand : operands.drop_front(kind == ElementwiseKind::select))
    if (operand->elementType != type) // the op's verifier says so
      return std::nullopt;
  if (kind == ElementwiseKind::select && !operands.front()->elementType.isInteger(1))
    return std::nullopt;
  if (isComparison(kind))
    type = IntegerType::get(type.getContext(), 1);
  if (!isTrackable(shape, type))
    return std::nullopt;
  Known result{type, shape, {}};
  bool decided = true;
  forEachIndex(shape, [&](ArrayRef<int64_t> index) {
    auto args = llvm::map_to_vector(
        operands, [&](const Known *operand) { return operand->elements[broadcastPosition(index, operand->shape)]; });
    auto element = evaluateScalar(symbols, kind, args, type);
    decided &= element.has_value();
    result.elements.push_back(element.value_or(Scalar{}));
  });
  return decided ? std::optional(result) : std::nullopt;
}

/// What joins two elements of a reduction, if it is one that needs nothing before or behind.
static std::optional<ElementwiseKind> joinOf(ReduceKind kind) {
  switch (kind) {
  case ReduceKind::sum:
    return ElementwiseKind::add;
  case ReduceKind::prod:
    return ElementwiseKind::mul;
  case ReduceKind::min:
    return ElementwiseKind::min;
  case ReduceKind::max:
    return ElementwiseKind::max;
  default:
    return std::nullopt;
  }
}

std::optional<Known> coat::onnx::evaluateReduce(const Symbols &symbols, ReduceKind kind, const Known &value,
                                                int64_t axis) {
  auto join = joinOf(kind);
  if (!join || value.shape[axis] == 0 || value.elementType.isInteger(1))
    return std::nullopt;
  SmallVector<int64_t> shape = value.shape;
  shape[axis] = 1;
  auto slice = [&](int64_t at) {
    SmallVector<int64_t> positions, source;
    forEachIndex(shape, [&](ArrayRef<int64_t> index) {
      source.assign(index.begin(), index.end());
      source[axis] = at;
      positions.push_back(broadcastPosition(source, value.shape));
    });
    return value.pick(positions, shape);
  };
  std::optional<Known> total = slice(0);
  for (int64_t at = 1; total && at < value.shape[axis]; ++at) {
    Known next = slice(at);
    total = evaluate(symbols, *join, {&*total, &next});
  }
  return total;
}

static std::optional<Scalar> castScalar(const Symbols &symbols, const Scalar &value, Type type) {
  if (value.integer && isa<FloatType>(type)) {
    auto constant = constantOf(value.integer);
    return constant ? std::optional(Scalar{{}, roundTo(type, double(*constant))}) : std::nullopt;
  }
  if (isa<FloatType>(type))
    return Scalar{{}, roundTo(type, value.number)};
  unsigned width = type.getIntOrFloatBitWidth();
  if (!value.integer) {
    if (width == 1)
      return Scalar{symbols.constant(value.number != 0)};
    if (!(std::fabs(value.number) < 9e18))
      return std::nullopt;
    return Scalar{wrap(symbols, symbols.constant(int64_t(value.number)), width)};
  }
  if (width == 1) {
    auto zero = symbols.equal(value.integer, symbols.constant(0));
    return zero ? std::optional(Scalar{symbols.constant(!*zero)}) : std::nullopt;
  }
  AffineExpr wrapped = wrap(symbols, value.integer, width);
  return wrapped ? std::optional(Scalar{wrapped}) : std::nullopt;
}

std::optional<Known> coat::onnx::evaluateCast(const Symbols &symbols, const Known &value, Type elementType) {
  if (!isTrackable(value.shape, elementType))
    return std::nullopt;
  Known result{elementType, value.shape, {}};
  for (const Scalar &element : value.elements) {
    auto converted = castScalar(symbols, element, elementType);
    if (!converted)
      return std::nullopt;
    result.elements.push_back(*converted);
  }
  return result;
}
