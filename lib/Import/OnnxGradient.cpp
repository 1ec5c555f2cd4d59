// Gradient (domain ai.onnx.preview.training): derivatives of a tensor y with respect to tensors xs, in reverse.
//
// They are taken of the coat ops between xs and y, not of ONNX nodes: there are fewer kinds of ops, functions, branches
// and loops are gone, and a Gradient of a Gradient needs nothing of its own. Inputs are the values of xs and of zs
// (which are constant), then, put there by the reader because attributes name them, xs, zs and y. Where the values are
// other tensors than xs and zs, the ops in between are cloned for them first. The derivative of a y of many elements is
// that of their sum.
#include "Products.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

/// Ops that all Gradients of a model may go through: each leaves several ops for one, and the next may go through them.
static constexpr int64_t maxDerived = 1 << 16;

static bool isReal(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && isa<FloatType>(type.getElementType());
}

/// The name of the node that an op was imported from.
static StringRef nodeOf(Operation *op) {
  NameLoc name = op->getLoc()->findInstanceOf<NameLoc>();
  return name ? name.getName().getValue() : "";
}

namespace {
class Derivation {
public:
  explicit Derivation(NodeImporter &node) : node(node) {}
  void run();

private:
  bool readInputs();
  void collect();
  void substitute();
  void propagate(Operation *op);
  void give(Value operand, Value gradient);
  Value sumTo(Value value, ArrayRef<AffineExpr> sizes);

  // One rule a kind of op: gives operands their part of the result's gradient `g`; false when there is none.
  bool derive(ElementwiseOp op, Value g);
  Value unary(ElementwiseOp op, Value x, Value y, Value g);
  bool binary(ElementwiseOp op, Value a, Value b, Value y, Value g);
  bool derive(ReduceOp op, Value g);
  bool derive(MatmulOp op, Value g);
  bool derive(SoftmaxOp op, Value g);
  bool derive(tensor::ConcatOp op, Value g);
  bool derive(tensor::ExtractSliceOp op, Value g);

  Value number(double value, Value like) {
    return node.scalar(value, cast<RankedTensorType>(like.getType()).getElementType());
  }
  Value apply(Kind kind, ValueRange operands) { return node.elementwise(kind, operands); }
  Value add(Value a, Value b) { return apply(Kind::add, {a, b}); }
  Value sub(Value a, Value b) { return apply(Kind::sub, {a, b}); }
  Value mul(Value a, Value b) { return apply(Kind::mul, {a, b}); }
  Value div(Value a, Value b) { return apply(Kind::div, {a, b}); }
  Value oneMinus(Value a) { return sub(number(1, a), a); }
  Value scaled(double factor, Value a) { return mul(number(factor, a), a); }
  /// g where the condition holds, else 0.
  Value where(Value condition, Value g) { return apply(Kind::select, {condition, g, number(0, g)}); }
  Value unless(Value condition, Value g) { return apply(Kind::select, {condition, number(0, g), g}); }

  NodeImporter &node;
  SmallVector<Value> variables, given; // xs and zs, and the values that stand for them
  size_t count = 0;                    // of xs
  Value y;
  SmallVector<Operation *> between; // in order: ops that y needs and that need a variable
  llvm::DenseSet<Value> active;     // values that change with xs
  llvm::DenseMap<Value, Value> gradients;
};
} // namespace

//===--- what lies between ---===//

bool Derivation::readInputs() {
  count = node.strings("xs").size();
  size_t all = count + node.strings("zs").size();
  node.ignore("y");
  if (count == 0 || node.numInputs() != 2 * all + 1) {
    node.fail("expected attributes xs and y, and one input for each of xs and zs, got " + Twine(count) + " xs and " +
              Twine(node.numInputs()) + " inputs with the tensors that they name");
    return false;
  }
  for (size_t i = 0; i < all && !node.failed(); ++i) {
    given.push_back(node.tensor(i));
    variables.push_back(node.tensor(all + i));
    if (node.failed())
      break;
    // Ops on constants were folded: what a constant has part in does not show.
    if (i < count && (!isReal(variables[i]) || node.known(all + i) || variables[i].getDefiningOp<arith::ConstantOp>()))
      node.refuse("expected floating-point inputs or results of nodes in xs, got constant or integers '" +
                  node.inputNames()[all + i] + "'");
    else if (given[i].getType() != variables[i].getType() || node.dims(given[i]) != node.dims(variables[i]))
      node.fail("expected values of the types of xs and zs, got another for '" + node.inputNames()[all + i] + "'");
  }
  y = node.tensor(2 * all);
  if (!node.failed() && !isReal(y))
    node.fail("expected a floating-point y, got '" + node.inputNames()[2 * all] + "'");
  return !node.failed();
}

void Derivation::collect() {
  llvm::SetVector<Operation *> needed;
  llvm::DenseSet<Value> dependent(variables.begin(), variables.end());
  auto need = [&](Value value) {
    Operation *op = value.getDefiningOp();
    if (op && isa<RankedTensorType>(value.getType()) && !dependent.contains(value))
      needed.insert(op);
  };
  need(y);
  for (size_t i = 0; i < needed.size(); ++i)
    llvm::for_each(needed[i]->getOperands(), need);
  node.importer.derived += needed.size();
  if (node.importer.derived > maxDerived)
    return node.refuse("expected Gradients of at most " + Twine(maxDerived) + " ops in all, got more");
  between = needed.takeVector();
  llvm::sort(between, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  llvm::erase_if(between, [&](Operation *op) {
    if (llvm::none_of(op->getOperands(), [&](Value operand) { return dependent.contains(operand); }))
      return true;
    dependent.insert_range(op->getResults());
    return false;
  });
}

/// The same ops for other values of the variables.
void Derivation::substitute() {
  if (given == variables)
    return;
  IRMapping mapping;
  mapping.map(variables, given);
  for (Operation *&op : between) {
    if (isa<PrefixOp>(op))
      return node.refuse(
          "expected the tensors of xs and zs themselves as inputs where the data decide a size, got others");
    Operation *clone = node.builder.clone(*op, mapping);
    for (auto [from, to] : llvm::zip_equal(op->getResults(), clone->getResults()))
      if (isa<RankedTensorType>(to.getType()))
        node.importer.setDims(to, node.dims(from));
    op = clone;
  }
  y = mapping.lookupOrDefault(y);
  variables = given;
}

void Derivation::run() {
  if (!readInputs())
    return;
  collect();
  if (!node.failed())
    substitute();
  if (node.failed())
    return;
  active.insert(variables.begin(), variables.begin() + count);
  for (Operation *op : between)
    if (llvm::any_of(op->getOperands(), [&](Value operand) { return active.contains(operand); }))
      active.insert_range(llvm::make_filter_range(op->getResults(), isReal));
  give(y, node.broadcast(number(1, y), node.dims(y)));
  for (Operation *op : llvm::reverse(between))
    propagate(op);
  for (size_t i = 0; i < count && !node.failed(); ++i) {
    Value x = variables[i], gradient = gradients.lookup(x);
    node.set(i, gradient ? gradient : node.broadcast(number(0, x), node.dims(x)));
  }
}

//===--- rules ---===//

/// The sum over the dimensions in which an operand of these sizes was broadcast.
Value Derivation::sumTo(Value value, ArrayRef<AffineExpr> sizes) {
  if (!value)
    return {};
  SmallVector<AffineExpr> from = node.dims(value);
  size_t leading = from.size() - sizes.size();
  SmallVector<int64_t> axes;
  for (auto [axis, size] : llvm::enumerate(from))
    if (axis < leading || (constantOf(sizes[axis - leading]) == 1 && constantOf(size) != 1))
      axes.push_back(axis);
  return node.reshape(axes.empty() ? value : node.reduce(ReduceKind::sum, value, axes), sizes);
}

void Derivation::give(Value operand, Value gradient) {
  if (!active.contains(operand))
    return;
  gradient = sumTo(gradient, node.dims(operand));
  Value &sum = gradients[operand];
  sum = sum ? add(sum, gradient) : gradient;
}

void Derivation::propagate(Operation *op) {
  Value g = op->getNumResults() == 1 ? gradients.lookup(op->getResult(0)) : Value();
  bool needed = llvm::any_of(op->getResults(), [&](Value result) { return gradients.contains(result); });
  if (!needed || node.failed())
    return;
  bool known = g && llvm::TypeSwitch<Operation *, bool>(op)
                        .Case<ElementwiseOp, ReduceOp, MatmulOp, SoftmaxOp, tensor::ConcatOp, tensor::ExtractSliceOp>(
                            [&](auto typed) { return derive(typed, g); })
                        .Case([&](CastOp cast) {
                          give(cast.getInput(), node.convert(g, getElementTypeOrSelf(cast.getInput())));
                          return true;
                        })
                        .Case([&](ReshapeOp reshape) {
                          give(reshape.getInput(), node.reshape(g, node.dims(reshape.getInput())));
                          return true;
                        })
                        .Case([&](BroadcastOp broadcast) {
                          give(broadcast.getInput(), g);
                          return true;
                        })
                        .Case([&](TransposeOp transpose) {
                          SmallVector<int64_t> inverse(transpose.getPermutation().size());
                          for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
                            inverse[from] = to;
                          give(transpose.getInput(), node.transpose(g, inverse));
                          return true;
                        })
                        .Default([](Operation *) { return false; });
  if (!known)
    node.refuse("expected ops whose derivative coat knows between xs and y, got " + op->getName().getStringRef() +
                " of node '" + nodeOf(op) + "'");
}

/// Null where coat knows no derivative; the rounding kinds, whose derivative is 0, do not come here.
Value Derivation::unary(ElementwiseOp op, Value x, Value y, Value g) {
  auto alpha = [&](double otherwise) { return op.getAlpha() ? op.getAlpha()->convertToDouble() : otherwise; };
  auto positive = [&] { return apply(Kind::greater, {x, number(0, x)}); };
  auto square = [&] { return mul(x, x); };
  switch (op.getKind()) {
  case Kind::abs:
    return mul(g, apply(Kind::sign, x));
  case Kind::neg:
    return apply(Kind::neg, g);
  case Kind::exp:
    return mul(g, y);
  case Kind::log:
    return div(g, x);
  case Kind::sqrt:
    return div(scaled(0.5, g), y);
  case Kind::reciprocal:
    return apply(Kind::neg, mul(g, mul(y, y)));
  case Kind::sin:
    return mul(g, apply(Kind::cos, x));
  case Kind::cos:
    return apply(Kind::neg, mul(g, apply(Kind::sin, x)));
  case Kind::atan:
    return div(g, add(number(1, x), square()));
  case Kind::erf:
    return mul(scaled(2 / std::sqrt(M_PI), g), apply(Kind::exp, apply(Kind::neg, square())));
  case Kind::tanh:
    return mul(g, oneMinus(mul(y, y)));
  case Kind::sigmoid:
    return mul(g, mul(y, oneMinus(y)));
  case Kind::softplus:
    return mul(g, apply(Kind::sigmoid, x));
  case Kind::softsign: {
    Value below = add(number(1, x), apply(Kind::abs, x));
    return div(g, mul(below, below));
  }
  case Kind::silu: {
    Value s = apply(Kind::sigmoid, x);
    return mul(g, add(s, mul(y, oneMinus(s))));
  }
  case Kind::gelu: { // y = x P(x), P the normal distribution and its density behind it
    Value p = scaled(0.5, add(number(1, x), apply(Kind::erf, scaled(std::sqrt(0.5), x))));
    Value density = scaled(1 / std::sqrt(2 * M_PI), apply(Kind::exp, scaled(-0.5, square())));
    return mul(g, add(p, mul(x, density)));
  }
  case Kind::relu:
    return where(positive(), g);
  case Kind::leaky_relu:
    return apply(Kind::select, {positive(), g, scaled(alpha(0.01), g)});
  case Kind::elu:
    return apply(Kind::select, {positive(), g, mul(g, add(y, number(alpha(1), y)))});
  case Kind::clip: {
    if (op.getAlpha())
      g = unless(apply(Kind::less, {x, number(op.getAlpha()->convertToDouble(), x)}), g);
    return op.getBeta() ? unless(apply(Kind::greater, {x, number(op.getBeta()->convertToDouble(), x)}), g) : g;
  }
  default:
    return {};
  }
}

bool Derivation::binary(ElementwiseOp op, Value a, Value b, Value y, Value g) {
  switch (op.getKind()) {
  case Kind::add:
    give(a, g);
    give(b, g);
    return true;
  case Kind::sub:
    give(a, g);
    give(b, apply(Kind::neg, g));
    return true;
  case Kind::mul:
    give(a, mul(g, b));
    give(b, mul(g, a));
    return true;
  case Kind::div: {
    Value quotient = div(g, b);
    give(a, quotient);
    give(b, apply(Kind::neg, mul(quotient, y)));
    return true;
  }
  case Kind::pow:
    give(a, mul(g, mul(b, apply(Kind::pow, {a, sub(b, number(1, b))}))));
    return !active.contains(b);
  case Kind::min:
  case Kind::max: { // the first operand's where they are equal
    Value first = apply(op.getKind() == Kind::max ? Kind::greater_equal : Kind::less_equal, {a, b});
    give(a, where(first, g));
    give(b, unless(first, g));
    return true;
  }
  case Kind::prelu: {
    Value negative = apply(Kind::less, {a, number(0, a)});
    give(a, apply(Kind::select, {negative, mul(g, b), g}));
    give(b, where(negative, mul(g, a)));
    return true;
  }
  default:
    return false;
  }
}

bool Derivation::derive(ElementwiseOp op, Value g) {
  OperandRange inputs = op.getInputs();
  if (op.getKind() == Kind::select) {
    give(inputs[1], where(inputs[0], g));
    give(inputs[2], unless(inputs[0], g));
    return true;
  }
  if (inputs.size() == 2)
    return binary(op, inputs[0], inputs[1], op.getResult(), g);
  if (llvm::is_contained({Kind::floor, Kind::ceil, Kind::round, Kind::sign}, op.getKind()))
    return true;
  Value part = unary(op, inputs[0], op.getResult(), g);
  give(inputs[0], part);
  return part || node.failed();
}

bool Derivation::derive(ReduceOp op, Value g) {
  Value x = op.getInput(), y = op.getResult();
  SmallVector<AffineExpr> shape = node.dims(x), kept = shape;
  int64_t elements = 1;
  for (int64_t axis : op.getAxes()) {
    kept[axis] = node.number(1);
    elements *= constantOf(shape[axis]).value_or(0);
  }
  g = node.reshape(g, kept);
  y = node.reshape(y, kept);
  auto spread = [&](Value part) {
    give(x, node.broadcast(part, shape));
    return true;
  };
  switch (op.getKind()) {
  case ReduceKind::sum:
    return spread(g);
  case ReduceKind::mean:
    return elements != 0 && spread(scaled(1.0 / double(elements), g));
  case ReduceKind::sum_square:
    return spread(mul(scaled(2, g), x));
  case ReduceKind::l2:
    return spread(mul(div(g, y), x));
  case ReduceKind::log_sum_exp:
    return spread(mul(g, apply(Kind::exp, sub(x, y))));
  case ReduceKind::min:
  case ReduceKind::max: { // in equal parts to all that are extreme
    Value extreme = node.convert(apply(Kind::equal, {x, y}), getElementTypeOrSelf(x));
    return spread(mul(div(g, node.reduce(ReduceKind::sum, extreme, op.getAxes())), extreme));
  }
  default:
    return false;
  }
}

/// Of A B: g B' and A' g, each transposed where its operand is.
bool Derivation::derive(MatmulOp op, Value g) {
  Value a = op.getLhs(), b = op.getRhs();
  bool ta = op.getTransposeLhs(), tb = op.getTransposeRhs();
  if (active.contains(a))
    give(a, ta ? product(node, b, g, tb, true) : product(node, g, b, false, !tb));
  if (active.contains(b))
    give(b, tb ? product(node, g, a, true, ta) : product(node, a, g, !ta, false));
  if (Value bias = op.getBias())
    give(bias, g);
  return true;
}

bool Derivation::derive(SoftmaxOp op, Value g) {
  Value y = op.getResult();
  auto sum = [&](Value value) { return node.reduce(ReduceKind::sum, value, int64_t(op.getAxis())); };
  give(op.getInput(), op.getLog() ? sub(g, mul(apply(Kind::exp, y), sum(g))) : mul(y, sub(g, sum(mul(g, y)))));
  return true;
}

bool Derivation::derive(tensor::ConcatOp op, Value g) {
  AffineExpr offset = node.number(0);
  int64_t axis = op.getDim();
  for (Value part : op.getInputs()) {
    AffineExpr size = node.dims(part)[axis];
    give(part, node.slice(g, axis, offset, size));
    offset = node.symbols.sum(offset, size);
  }
  return true;
}

/// Zeros around g; only of slices without steps whose place is static.
bool Derivation::derive(tensor::ExtractSliceOp op, Value g) {
  SmallVector<AffineExpr> from = node.dims(op.getSource()), to = node.dims(g);
  if (from.size() != to.size() || !op.hasUnitStride() || llvm::any_of(op.getStaticOffsets(), ShapedType::isDynamic))
    return false;
  SmallVector<int64_t> low(op.getStaticOffsets()), high;
  for (auto [whole, part, offset] : llvm::zip_equal(from, to, low)) {
    AffineExpr left = node.symbols.difference(whole, part);
    if (!left || !constantOf(left))
      return false;
    high.push_back(*constantOf(left) - offset);
  }
  give(op.getSource(), node.emit<PadOp>(g, {node.attr("low", low), node.attr("high", high)}));
  return true;
}

ArrayRef<Handler> coat::onnx::gradientHandlers() {
  static const Handler rows[] = {
      {"ai.onnx.preview.training.Gradient", 1, 1, [](NodeImporter &node) { Derivation(node).run(); }},
  };
  return rows;
}
