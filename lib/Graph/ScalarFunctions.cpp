// The element-wise functions on numbers; see ScalarFunctions.h.
//
// Why not ElementwiseOp::buildScalar: evaluating it means folding a few ops for each element, which the op's own folder
// does for small constants; weights have millions.
#include "ScalarFunctions.h"
#include <cmath>

using namespace mlir;
using namespace coat;
using namespace coat::graph;
using Kind = coat::ElementwiseKind;

static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

static std::optional<double> unaryValue(Kind kind, double x, double alpha, double beta) {
  switch (kind) {
  case Kind::abs:
    return std::abs(x);
  case Kind::neg:
    return -x;
  case Kind::exp:
    return std::exp(x);
  case Kind::log:
    return std::log(x);
  case Kind::sqrt:
    return std::sqrt(x);
  case Kind::reciprocal:
    return 1 / x;
  case Kind::floor:
    return std::floor(x);
  case Kind::ceil:
    return std::ceil(x);
  case Kind::sign:
    return x > 0 ? 1 : x < 0 ? -1 : x;
  case Kind::sin:
    return std::sin(x);
  case Kind::cos:
    return std::cos(x);
  case Kind::erf:
    return std::erf(x);
  case Kind::tanh:
    return std::tanh(x);
  case Kind::sigmoid:
    return sigmoid(x);
  case Kind::silu:
    return x * sigmoid(x);
  case Kind::relu:
    return x < 0 ? 0 : x;
  case Kind::clip:
    return x < alpha ? alpha : x > beta ? beta : x;
  case Kind::logical_not:
    return x == 0;
  case Kind::isnan:
    return std::isnan(x);
  case Kind::isinf:
    return std::isinf(x);
  default:
    return std::nullopt;
  }
}

static std::optional<double> binaryValue(Kind kind, double x, double y, bool integer) {
  switch (kind) {
  case Kind::add:
    return x + y;
  case Kind::sub:
    return x - y;
  case Kind::mul:
    return x * y;
  case Kind::div:
    if (!integer)
      return x / y;
    return y == 0 ? std::optional<double>() : std::trunc(x / y);
  case Kind::pow:
    return std::pow(x, y);
  case Kind::min:
    return std::isnan(x) || x < y ? x : y;
  case Kind::max:
    return std::isnan(x) || x > y ? x : y;
  case Kind::equal:
    return x == y;
  case Kind::less:
    return x < y;
  case Kind::less_equal:
    return x <= y;
  case Kind::greater:
    return x > y;
  case Kind::greater_equal:
    return x >= y;
  case Kind::logical_and:
    return x != 0 && y != 0;
  case Kind::logical_or:
    return x != 0 || y != 0;
  case Kind::logical_xor:
    return (x != 0) != (y != 0);
  default:
    return std::nullopt;
  }
}

std::optional<double> coat::graph::evaluate(ElementwiseOp op, ArrayRef<double> args, bool integer) {
  double infinity = std::numeric_limits<double>::infinity();
  double alpha = op.getAlpha() ? op.getAlphaAttr().getValueAsDouble() : -infinity;
  double beta = op.getBeta() ? op.getBetaAttr().getValueAsDouble() : infinity;
  if (op.getKind() == Kind::select)
    return args[0] != 0 ? args[1] : args[2];
  if (args.size() == 1)
    return unaryValue(op.getKind(), args[0], alpha, beta);
  return args.size() == 2 ? binaryValue(op.getKind(), args[0], args[1], integer) : std::nullopt;
}
