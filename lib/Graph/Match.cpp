// The shared matchers; see Match.h.
#include "Match.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

ElementwiseOp coat::graph::definedBy(Value value, ElementwiseKind kind) {
  auto op = value.getDefiningOp<ElementwiseOp>();
  return op && op.getKind() == kind ? op : nullptr;
}

std::optional<double> coat::graph::uniformConstant(Value value) {
  std::optional<ConstantTensor> constant = ConstantTensor::get(value);
  if (!constant || !constant->readable() || constant->size() == 0)
    return std::nullopt;
  double first = constant->number(0);
  if (constant->splat)
    return first;
  if (constant->size() > 4096)
    return std::nullopt;
  for (int64_t i = 1; i < constant->size(); ++i)
    if (constant->number(i) != first)
      return std::nullopt;
  return first;
}

bool coat::graph::isUniform(Value value, double number) {
  std::optional<double> scalar = uniformConstant(value);
  return scalar && std::abs(*scalar - number) <= 1e-6 * std::max(1.0, std::abs(number));
}

static bool commutes(ElementwiseKind kind) {
  switch (kind) {
  case ElementwiseKind::add:
  case ElementwiseKind::mul:
  case ElementwiseKind::min:
  case ElementwiseKind::max:
    return true;
  default:
    return false;
  }
}

std::optional<WithScalar> coat::graph::withScalar(Value value, ElementwiseKind kind) {
  ElementwiseOp op = definedBy(value, kind);
  if (!op || op.getInputs().size() != 2)
    return std::nullopt;
  for (unsigned i : {1u, 0u}) {
    Value other = op.getInputs()[1 - i];
    if (other.getType() != value.getType())
      continue;
    if (std::optional<double> scalar = uniformConstant(op.getInputs()[i]))
      return WithScalar{other, *scalar};
    if (!commutes(kind))
      break;
  }
  return std::nullopt;
}

WithScalar coat::graph::scaled(Value value) {
  if (std::optional<WithScalar> product = withScalar(value, ElementwiseKind::mul))
    return *product;
  if (std::optional<WithScalar> quotient = withScalar(value, ElementwiseKind::div))
    if (quotient->scalar != 0)
      return {quotient->other, 1.0 / quotient->scalar};
  return {value, 1.0};
}

bool coat::graph::eitherOrder(ElementwiseOp op, function_ref<bool(Value, Value)> match) {
  return op && op.getInputs().size() == 2 &&
         (match(op.getInputs()[0], op.getInputs()[1]) || match(op.getInputs()[1], op.getInputs()[0]));
}

std::optional<SmallVector<double>> coat::graph::perChannel(Value value, int64_t rank, int64_t channelDim,
                                                           int64_t channels) {
  std::optional<ConstantTensor> constant = ConstantTensor::get(value);
  if (!constant || !constant->readable() || !constant->isFloat() || constant->type.getRank() > rank || channels < 0)
    return std::nullopt;
  if (constant->size() == 1)
    return SmallVector<double>(channels, constant->number(0));
  int64_t ahead = rank - constant->type.getRank();
  for (auto [i, size] : llvm::enumerate(constant->type.getShape()))
    if (size != 1 && static_cast<int64_t>(i) + ahead != channelDim)
      return std::nullopt;
  if (constant->size() != channels)
    return std::nullopt;
  return constant->numbers();
}

static FloatAttr number(OpBuilder &builder, std::optional<double> value) {
  return value ? builder.getF64FloatAttr(*value) : FloatAttr();
}

Value coat::graph::unary(OpBuilder &builder, Location loc, ElementwiseKind kind, Value input,
                         std::optional<double> alpha, std::optional<double> beta) {
  return ElementwiseOp::create(builder, loc, input.getType(), kind, ValueRange{input}, number(builder, alpha),
                               number(builder, beta));
}

Value coat::graph::binary(OpBuilder &builder, Location loc, ElementwiseKind kind, Type type, Value lhs, Value rhs) {
  return ElementwiseOp::create(builder, loc, type, kind, ValueRange{lhs, rhs}, FloatAttr(), FloatAttr());
}
