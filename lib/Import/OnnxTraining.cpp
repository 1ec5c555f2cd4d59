// Steps of optimizers (domain ai.onnx.preview.training): Adagrad, Adam, Momentum, from element-wise ops.
//
// Inputs are the rate R, the step count T, then every X, every gradient G, and every state; results are every new X and
// every new state.
#include "Node.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

namespace {
/// Arithmetic on tensors of one element type.
class Step {
public:
  explicit Step(NodeImporter &node, unsigned states)
      : node(node), type(node.elementType(2)), rate(node.tensor(0)), time(node.convert(node.tensor(1), type)),
        count((node.numInputs() - 2) / (2 + states)), norm(node.real("norm_coefficient", 0.0)) {
    if (node.numInputs() < 4 + states || (node.numInputs() - 2) % (2 + states) != 0)
      node.fail("expected two inputs and groups of " + Twine(2 + states) + ", got " + Twine(node.numInputs()) +
                " inputs");
    else if (!type || !isa<FloatType>(type))
      node.fail("expected floating-point tensors to optimize, got others");
  }

  Value number(double value) { return node.scalar(value, type); }
  Value add(Value a, Value b) { return node.elementwise(Kind::add, {a, b}); }
  Value sub(Value a, Value b) { return node.elementwise(Kind::sub, {a, b}); }
  Value mul(Value a, Value b) { return node.elementwise(Kind::mul, {a, b}); }
  Value div(Value a, Value b) { return node.elementwise(Kind::div, {a, b}); }
  Value sqrt(Value a) { return node.elementwise(Kind::sqrt, a); }
  Value scale(double factor, Value a) { return mul(number(factor), a); }
  /// factor^T.
  Value powerOfTime(double factor) { return node.elementwise(Kind::pow, {number(factor), time}); }
  /// `then` when T > 0, else `otherwise`.
  Value afterFirst(Value then, Value otherwise) {
    return node.elementwise(Kind::select, {node.elementwise(Kind::greater, {time, number(0)}), then, otherwise});
  }
  /// Input `group` (0: X, 1: G, 2 and 3: states) of tensor number `index`.
  Value input(unsigned group, unsigned index) { return node.tensor(2 + group * count + index); }
  void set(unsigned group, unsigned index, Value value) { node.set(group * count + index, value); }
  Value regularizedGradient(unsigned index) { return add(scale(norm, input(0, index)), input(1, index)); }

  NodeImporter &node;
  Type type;
  Value rate, time;
  unsigned count;
  double norm;
};
} // namespace

static void importAdagrad(NodeImporter &node) {
  double decay = node.real("decay_factor", 0.0), epsilon = node.real("epsilon", 0.0);
  Step step(node, /*states=*/1);
  if (node.failed())
    return;
  Value rate = step.div(step.rate, step.add(step.number(1), step.scale(decay, step.time)));
  for (unsigned i = 0; i < step.count && !node.failed(); ++i) {
    Value gradient = step.regularizedGradient(i);
    Value squares = step.add(step.input(2, i), step.mul(gradient, gradient));
    Value adaptive = step.add(step.sqrt(squares), step.number(epsilon));
    step.set(0, i, step.sub(step.input(0, i), step.div(step.mul(rate, gradient), adaptive)));
    step.set(1, i, squares);
  }
}

static void importAdam(NodeImporter &node) {
  double alpha = node.real("alpha", 0.9), beta = node.real("beta", 0.999), epsilon = node.real("epsilon", 0.0);
  double post = node.real("norm_coefficient_post", 0.0);
  Step step(node, /*states=*/2);
  if (node.failed())
    return;
  Value one = step.number(1);
  Value rate = step.div(step.mul(step.rate, step.sqrt(step.sub(one, step.powerOfTime(beta)))),
                        step.sub(one, step.powerOfTime(alpha)));
  rate = step.afterFirst(rate, step.rate);
  for (unsigned i = 0; i < step.count && !node.failed(); ++i) {
    Value gradient = step.regularizedGradient(i);
    Value mean = step.add(step.scale(alpha, step.input(2, i)), step.scale(1 - alpha, gradient));
    Value squares = step.add(step.scale(beta, step.input(3, i)), step.scale(1 - beta, step.mul(gradient, gradient)));
    Value root = step.add(step.sqrt(squares), step.number(epsilon));
    Value moved = step.sub(step.input(0, i), step.div(step.mul(rate, mean), root));
    step.set(0, i, step.scale(1 - post, moved));
    step.set(1, i, mean);
    step.set(2, i, squares);
  }
}

static void importMomentum(NodeImporter &node) {
  double alpha = node.real("alpha", 0.0), beta = node.real("beta", 0.0);
  std::string mode = node.string("mode", "");
  if (mode != "standard" && mode != "nesterov")
    node.fail("attribute 'mode': expected standard or nesterov, got '" + mode + "'");
  Step step(node, /*states=*/1);
  if (node.failed())
    return;
  Value factor = step.afterFirst(step.number(beta), step.number(1));
  for (unsigned i = 0; i < step.count && !node.failed(); ++i) {
    Value gradient = step.regularizedGradient(i);
    Value momentum = step.add(step.scale(alpha, step.input(2, i)), step.mul(factor, gradient));
    Value direction = mode == "standard" ? momentum : step.add(gradient, step.scale(alpha, momentum));
    step.set(0, i, step.sub(step.input(0, i), step.mul(step.rate, direction)));
    step.set(1, i, momentum);
  }
}

ArrayRef<Handler> coat::onnx::trainingHandlers() {
  static const Handler rows[] = {
      {"ai.onnx.preview.training.Adagrad", 1, 1, importAdagrad},
      {"ai.onnx.preview.training.Adam", 1, 1, importAdam},
      {"ai.onnx.preview.training.Momentum", 1, 1, importMomentum},
  };
  return rows;
}
