// Upstream MLIR: ops of arith and math, on whole tensors. The same list serves programs that have them between tensors
// and the bodies of linalg ops, whose scalars stand for tensors.
#include "Mlir.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

/// Ops that are one kind.
static std::optional<Kind> kindOf(Operation *op) {
  static const auto *kinds = new llvm::StringMap<Kind>{
      {"arith.addf", Kind::add},          {"arith.addi", Kind::add},         {"arith.subf", Kind::sub},
      {"arith.subi", Kind::sub},          {"arith.mulf", Kind::mul},         {"arith.muli", Kind::mul},
      {"arith.divf", Kind::div},          {"arith.divsi", Kind::div},        {"arith.maximumf", Kind::max},
      {"arith.maxnumf", Kind::max},       {"arith.maxsi", Kind::max},        {"arith.minimumf", Kind::min},
      {"arith.minnumf", Kind::min},       {"arith.minsi", Kind::min},        {"arith.negf", Kind::neg},
      {"arith.remf", Kind::fmod},         {"arith.remsi", Kind::fmod},       {"arith.andi", Kind::bitwise_and},
      {"arith.ori", Kind::bitwise_or},    {"arith.xori", Kind::bitwise_xor}, {"arith.shli", Kind::shift_left},
      {"arith.shrsi", Kind::shift_right}, {"arith.select", Kind::select},    {"math.absf", Kind::abs},
      {"math.absi", Kind::abs},           {"math.acos", Kind::acos},         {"math.acosh", Kind::acosh},
      {"math.asin", Kind::asin},          {"math.asinh", Kind::asinh},       {"math.atan", Kind::atan},
      {"math.atanh", Kind::atanh},        {"math.ceil", Kind::ceil},         {"math.cos", Kind::cos},
      {"math.cosh", Kind::cosh},          {"math.erf", Kind::erf},           {"math.exp", Kind::exp},
      {"math.floor", Kind::floor},        {"math.log", Kind::log},           {"math.powf", Kind::pow},
      {"math.roundeven", Kind::round},    {"math.sin", Kind::sin},           {"math.sinh", Kind::sinh},
      {"math.sqrt", Kind::sqrt},          {"math.tan", Kind::tan},           {"math.tanh", Kind::tanh},
      {"math.isnan", Kind::isnan},        {"math.isinf", Kind::isinf},
  };
  auto found = kinds->find(op->getName().getStringRef());
  return found == kinds->end() ? std::nullopt : std::optional(found->second);
}

/// Bitwise ops of i1 are logical ones.
static Kind ofTruth(Kind kind) {
  switch (kind) {
  case Kind::bitwise_and:
    return Kind::logical_and;
  case Kind::bitwise_or:
    return Kind::logical_or;
  case Kind::bitwise_xor:
    return Kind::logical_xor;
  default:
    return kind;
  }
}

/// A comparison as a kind, and whether it is then negated. Unordered comparisons are true of NaN: the negations of
/// ordered ones.
struct Comparison {
  Kind kind;
  bool negated = false;
};

static std::optional<Comparison> comparisonOf(arith::CmpFPredicate predicate) {
  using P = arith::CmpFPredicate;
  switch (predicate) {
  case P::OEQ:
    return Comparison{Kind::equal};
  case P::UNE:
    return Comparison{Kind::equal, true};
  case P::OLT:
    return Comparison{Kind::less};
  case P::UGE:
    return Comparison{Kind::less, true};
  case P::OLE:
    return Comparison{Kind::less_equal};
  case P::UGT:
    return Comparison{Kind::less_equal, true};
  case P::OGT:
    return Comparison{Kind::greater};
  case P::ULE:
    return Comparison{Kind::greater, true};
  case P::OGE:
    return Comparison{Kind::greater_equal};
  case P::ULT:
    return Comparison{Kind::greater_equal, true};
  default:
    return std::nullopt;
  }
}

static std::optional<Comparison> comparisonOf(arith::CmpIPredicate predicate) {
  using P = arith::CmpIPredicate;
  switch (predicate) {
  case P::eq:
    return Comparison{Kind::equal};
  case P::ne:
    return Comparison{Kind::equal, true};
  case P::slt:
    return Comparison{Kind::less};
  case P::sle:
    return Comparison{Kind::less_equal};
  case P::sgt:
    return Comparison{Kind::greater};
  case P::sge:
    return Comparison{Kind::greater_equal};
  default:
    return std::nullopt; // of unsigned numbers
  }
}

static Value compare(NodeImporter &node, std::optional<Comparison> comparison, ArrayRef<Value> operands) {
  if (!comparison) {
    node.refuse("expected a comparison that coat compiles, got an unsigned or partly ordered one");
    return {};
  }
  Value truth = node.elementwise(comparison->kind, operands);
  return comparison->negated ? node.elementwise(Kind::logical_not, truth) : truth;
}

/// select(x ugt c, x, c) is max(x, c), and with ult min: how converters write ReLU. Does not apply when c may be NaN or
/// the comparison is ordered, which then choose c of a NaN.
static std::optional<Kind> extremeOf(Operation *op) {
  auto select = dyn_cast<arith::SelectOp>(op);
  auto compared = select ? select.getCondition().getDefiningOp<arith::CmpFOp>() : arith::CmpFOp();
  FloatAttr bound;
  if (!compared || compared.getLhs() != select.getTrueValue() || compared.getRhs() != select.getFalseValue() ||
      !matchPattern(compared.getRhs(), m_Constant(&bound)) || bound.getValue().isNaN())
    return std::nullopt;
  switch (compared.getPredicate()) {
  case arith::CmpFPredicate::UGT:
  case arith::CmpFPredicate::UGE:
    return Kind::max;
  case arith::CmpFPredicate::ULT:
  case arith::CmpFPredicate::ULE:
    return Kind::min;
  default:
    return std::nullopt;
  }
}

static Type elementOfResult(NodeImporter &node, Operation *op) {
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  return element.isIndex() ? Type(IntegerType::get(node.context, 64)) : element;
}

/// An unsigned integer of a signless one's bits.
static Value asUnsigned(NodeImporter &node, Value value) {
  if (!value)
    return {};
  unsigned width = MlirNode::elementOf(value).getIntOrFloatBitWidth();
  return node.convert(value, IntegerType::get(node.context, width, IntegerType::Unsigned));
}

Value coat::onnx::emitScalarOp(NodeImporter &node, Operation *op, ArrayRef<Value> operands) {
  if (node.failed() || llvm::is_contained(operands, Value()))
    return {};
  auto number = [&](double value) { return node.scalar(value, MlirNode::elementOf(operands.front())); };
  Type result = op->getNumResults() == 1 ? elementOfResult(node, op) : Type();
  bool truth = result && result.isInteger(1);
  if (auto kind = extremeOf(op))
    return node.elementwise(*kind, operands.drop_front());
  if (auto kind = kindOf(op))
    return node.elementwise(truth ? ofTruth(*kind) : *kind, operands);
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](arith::CmpFOp compared) { return compare(node, comparisonOf(compared.getPredicate()), operands); })
      .Case([&](arith::CmpIOp compared) { return compare(node, comparisonOf(compared.getPredicate()), operands); })
      .Case<arith::ExtFOp, arith::TruncFOp, arith::SIToFPOp, arith::FPToSIOp, arith::IndexCastOp>(
          [&](auto) { return node.convert(operands[0], result); })
      .Case<arith::TruncIOp>([&](auto) { // to i1: the lowest bit, where a conversion asks for any
        return node.convert(truth ? node.elementwise(Kind::bitwise_and, {operands[0], number(1)}) : operands[0],
                            result);
      })
      .Case<arith::ExtSIOp>([&](auto) {
        bool fromTruth = MlirNode::elementOf(operands[0]).isInteger(1);
        Value wide = node.convert(operands[0], result);
        return fromTruth ? node.elementwise(Kind::neg, wide) : wide; // i1 true is -1
      })
      .Case<arith::ExtUIOp, arith::UIToFPOp>([&](auto) {
        bool fromTruth = MlirNode::elementOf(operands[0]).isInteger(1);
        return node.convert(fromTruth ? operands[0] : asUnsigned(node, operands[0]), result);
      })
      .Case<math::RsqrtOp>(
          [&](auto) { return node.elementwise(Kind::reciprocal, node.elementwise(Kind::sqrt, operands[0])); })
      .Case<math::Exp2Op>([&](auto) {
        return node.elementwise(Kind::exp, node.elementwise(Kind::mul, {operands[0], number(0.693147180559945309417)}));
      })
      .Case<math::ExpM1Op>(
          [&](auto) { return node.elementwise(Kind::sub, {node.elementwise(Kind::exp, operands[0]), number(1)}); })
      .Case<math::Log1pOp>(
          [&](auto) { return node.elementwise(Kind::log, node.elementwise(Kind::add, {operands[0], number(1)})); })
      .Case<math::Log2Op>([&](auto) {
        return node.elementwise(Kind::mul, {node.elementwise(Kind::log, operands[0]), number(1.442695040888963407360)});
      })
      .Case<math::FmaOp>([&](auto) {
        return node.elementwise(Kind::add, {node.elementwise(Kind::mul, {operands[0], operands[1]}), operands[2]});
      })
      .Case<math::FPowIOp>([&](auto) {
        return node.elementwise(Kind::pow, {operands[0], node.convert(operands[1], MlirNode::elementOf(operands[0]))});
      })
      .Default([&](Operation *) {
        node.refuse("expected an operator that coat compiles, got " + op->getName().getStringRef());
        return Value();
      });
}

/// The op on numbers that are known: sizes.
static bool fold(MlirNode node) {
  Operation *op = node.operation();
  SmallVector<const Known *> operands;
  for (unsigned input = 0; input < node->numInputs(); ++input)
    operands.push_back(node->known(input));
  if (llvm::is_contained(operands, nullptr))
    return false;
  std::optional<Comparison> comparison;
  std::optional<Kind> kind = kindOf(op);
  if (auto compared = dyn_cast<arith::CmpIOp>(op); compared && (comparison = comparisonOf(compared.getPredicate())))
    kind = comparison->kind;
  std::optional<Known> result;
  if (kind)
    result = evaluate(node->symbols, operands.front()->elementType.isInteger(1) ? ofTruth(*kind) : *kind, operands);
  else if (isa<arith::ExtSIOp, arith::TruncIOp, arith::SIToFPOp>(op) && !operands[0]->elementType.isInteger(1) &&
           !node.declaredElement().isInteger(1))
    result = evaluateCast(node->symbols, *operands[0], node.declaredElement());
  if (result && comparison && comparison->negated)
    result = evaluate(node->symbols, Kind::logical_not, {&*result});
  if (result)
    node->set(0, std::move(*result));
  return result.has_value();
}

static void importScalarOp(MlirNode node) {
  if (fold(node))
    return;
  SmallVector<Value> operands;
  for (unsigned input = 0; input < node->numInputs(); ++input)
    operands.push_back(node->tensor(input));
  node->set(0, emitScalarOp(node.node, node.operation(), operands));
}

ArrayRef<Handler> coat::onnx::mlirScalarHandlers() {
#define ROW(op)                                                                                                        \
  {                                                                                                                    \
    op, 1, newest, mlirOp<importScalarOp>                                                                              \
  }
  static const Handler rows[] = {
      ROW("arith.addf"),    ROW("arith.addi"),     ROW("arith.andi"),     ROW("arith.cmpf"),   ROW("arith.cmpi"),
      ROW("arith.divf"),    ROW("arith.divsi"),    ROW("arith.extf"),     ROW("arith.extsi"),  ROW("arith.extui"),
      ROW("arith.fptosi"),  ROW("arith.maximumf"), ROW("arith.maxnumf"),  ROW("arith.maxsi"),  ROW("arith.minimumf"),
      ROW("arith.minnumf"), ROW("arith.minsi"),    ROW("arith.mulf"),     ROW("arith.muli"),   ROW("arith.negf"),
      ROW("arith.ori"),     ROW("arith.remf"),     ROW("arith.remsi"),    ROW("arith.select"), ROW("arith.shli"),
      ROW("arith.shrsi"),   ROW("arith.sitofp"),   ROW("arith.subf"),     ROW("arith.subi"),   ROW("arith.truncf"),
      ROW("arith.trunci"),  ROW("arith.uitofp"),   ROW("arith.xori"),     ROW("math.absf"),    ROW("math.absi"),
      ROW("math.acos"),     ROW("math.acosh"),     ROW("math.asin"),      ROW("math.asinh"),   ROW("math.atan"),
      ROW("math.atanh"),    ROW("math.ceil"),      ROW("math.cos"),       ROW("math.cosh"),    ROW("math.erf"),
      ROW("math.exp"),      ROW("math.exp2"),      ROW("math.expm1"),     ROW("math.floor"),   ROW("math.fma"),
      ROW("math.fpowi"),    ROW("math.isinf"),     ROW("math.isnan"),     ROW("math.log"),     ROW("math.log1p"),
      ROW("math.log2"),     ROW("math.powf"),      ROW("math.roundeven"), ROW("math.rsqrt"),   ROW("math.sin"),
      ROW("math.sinh"),     ROW("math.sqrt"),      ROW("math.tan"),       ROW("math.tanh"),
  };
#undef ROW
  return rows;
}
