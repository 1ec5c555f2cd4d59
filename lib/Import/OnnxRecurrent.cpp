// Recurrences along a sequence: RNN, GRU, LSTM.
//
// Input weights and biases become one product of the whole sequence; the op is left with the recurrence.
#include "Node.h"
#include "coat/Dialect/RecurrentOps.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

namespace {
/// An activation of ONNX: how coat calls it, the defaults of its parameters where it has them.
struct ActivationRow {
  StringLiteral onnx, name;
  std::optional<double> alpha, beta;
};
constexpr ActivationRow activationRows[] = {
    {"affine", "affine", 1.0, 0.0},
    {"elu", "elu", 1.0, {}},
    {"hardsigmoid", "hard_sigmoid", 0.2, 0.5},
    {"leakyrelu", "leaky_relu", 0.01, {}},
    {"relu", "relu", {}, {}},
    {"scaledtanh", "scaled_tanh", 1.0, 1.0},
    {"sigmoid", "sigmoid", {}, {}},
    {"softplus", "softplus", {}, {}},
    {"softsign", "softsign", {}, {}},
    {"tanh", "tanh", {}, {}},
    {"thresholdedrelu", "thresholded_relu", 1.0, {}},
};

/// One node of the family.
class Recurrence {
public:
  Recurrence(NodeImporter &node, int64_t gates, ArrayRef<StringRef> defaults)
      : node(node), gates(gates), defaults(defaults) {}

  /// Reads sizes, direction, layout and activations. False after an error.
  bool read();
  /// [T, N, directions * gates * units]: the product of the sequence with W, plus the biases.
  Value projected(bool keepHiddenBias);
  /// Bias number `which` (0: of W, 1: of R), the gates from `first` on, as [directions, gates * units].
  Value bias(int64_t which, int64_t first, int64_t count);
  /// R as [directions, units, gates * units].
  Value weights() { return node.transpose(node.tensor(2), {0, 2, 1}); }
  /// An optional input that is a state, as [directions, N, units]; null without it.
  Value state(unsigned input);
  Value optional(unsigned input) { return node.has(input) ? node.tensor(input) : Value(); }
  /// Emits the op; `operands` may hold nulls.
  template <typename Op> void emit(ArrayRef<Value> operands, StringRef flag = "");

private:
  bool readActivations();
  void setResults(Operation *op);

  NodeImporter &node;
  int64_t gates;
  ArrayRef<StringRef> defaults;
  int64_t directions = 1, units = 0;
  bool batchFirst = false;
  Direction direction = Direction::forward;
  SmallVector<mlir::Attribute> names;
  SmallVector<double> alphas, betas;
};
} // namespace

bool Recurrence::read() {
  std::string text = node.string("direction", "forward");
  std::optional<Direction> found = symbolizeDirection(text);
  if (!found)
    node.fail("attribute 'direction': expected forward, reverse or bidirectional, got '" + text + "'");
  direction = found.value_or(Direction::forward);
  directions = direction == Direction::bidirectional ? 2 : 1;
  batchFirst = node.opset() >= 14 && node.integer("layout", 0) != 0;
  for (unsigned input : {0u, 1u, 2u})
    if (node.rank(input) != 3)
      node.fail("expected inputs X, W and R of rank 3, got rank " + Twine(node.rank(input)));
  if (node.failed())
    return false;
  auto size = constantOf(node.dims(2)[2]);
  if (!size) {
    node.refuse("expected a static number of units, got " + node.print(node.dims(2)));
    return false;
  }
  units = *size;
  if (int64_t hidden = node.integer("hidden_size", units); hidden != units)
    node.fail("attribute 'hidden_size': expected " + Twine(units) + " as in R, got " + Twine(hidden));
  SmallVector<AffineExpr> w = node.dims(1);
  if (constantOf(w[0]) != directions || constantOf(w[1]) != gates * units)
    node.fail("expected W of shape [" + Twine(directions) + ", " + Twine(gates * units) + ", I], got " + node.print(w));
  return readActivations();
}

/// The values of activation_alpha and activation_beta go, in order, to the functions that have such a parameter.
bool Recurrence::readActivations() {
  auto find = [&](StringRef name) { return node.hasAttribute(name); };
  SmallVector<std::string> given = node.strings("activations");
  size_t count = defaults.size() * directions;
  if (!find("activations") || given.empty())
    for (size_t i = 0; i < count; ++i)
      given.push_back(defaults[i % defaults.size()].str());
  SmallVector<double> alpha = node.reals("activation_alpha"), beta = node.reals("activation_beta");
  size_t nextAlpha = 0, nextBeta = 0;
  auto take = [](std::optional<double> fallback, ArrayRef<double> values, size_t &next) {
    return fallback && next < values.size() ? values[next++] : fallback.value_or(0);
  };
  if (given.size() != count)
    node.fail("attribute 'activations': expected " + Twine(count) + " names, got " + Twine(given.size()));
  for (StringRef name : given) {
    const auto *row = llvm::find_if(activationRows, [&](const ActivationRow &r) { return r.onnx == name.lower(); });
    if (row == std::end(activationRows)) {
      node.fail("attribute 'activations': expected activation functions of " + node.op() + ", got '" + name + "'");
      return false;
    }
    names.push_back(node.builder.getStringAttr(row->name));
    alphas.push_back(take(row->alpha, alpha, nextAlpha));
    betas.push_back(take(row->beta, beta, nextBeta));
  }
  return !node.failed();
}

Value Recurrence::bias(int64_t which, int64_t first, int64_t count) {
  return node.slice(node.tensor(3), 1, node.number((which * gates + first) * units), node.number(count * units));
}

Value Recurrence::projected(bool keepHiddenBias) {
  Value sequence = batchFirst ? node.transpose(node.tensor(0), {1, 0, 2}) : node.tensor(0);
  if (node.failed())
    return {};
  SmallVector<AffineExpr> dims = node.dims(sequence), w = node.dims(1);
  node.requireEqual(dims[2], w[2], "sizes of X and W");
  int64_t columns = directions * gates * units;
  sequence = node.reshape(sequence, {node.symbols.product(dims[0], dims[1]), dims[2]});
  SmallVector<Value> operands = {sequence, node.reshape(node.tensor(1), {node.number(columns), w[2]})};
  if (node.has(3)) {
    Value recurrent = bias(1, 0, gates);
    if (keepHiddenBias) { // the last gate's stays with the recurrence
      Value zeros = node.broadcast(node.scalar(0, node.elementType(0)), node.numbers({directions, units}));
      recurrent = node.concat({bias(1, 0, gates - 1), zeros}, 1);
    }
    Value sum = node.elementwise(ElementwiseKind::add, {bias(0, 0, gates), recurrent});
    operands.push_back(node.reshape(sum, node.number(columns)));
  }
  Value product = node.emit<MatmulOp>(operands, node.unit("transpose_rhs"));
  return node.reshape(product, {dims[0], dims[1], node.number(columns)});
}

Value Recurrence::state(unsigned input) {
  Value value = optional(input);
  return value && batchFirst ? node.transpose(value, {1, 0, 2}) : value;
}

template <typename Op> void Recurrence::emit(ArrayRef<Value> operands, StringRef flag) {
  SmallVector<Value> there;
  SmallVector<int32_t> segments;
  for (Value operand : operands) {
    segments.push_back(operand ? 1 : 0);
    if (operand)
      there.push_back(operand);
  }
  OpBuilder &b = node.builder;
  SmallVector<NamedAttribute> attributes = {node.attr("direction", DirectionAttr::get(node.context, direction)),
                                            node.attr("activations", b.getArrayAttr(names)),
                                            node.attr("alpha", b.getDenseF64ArrayAttr(alphas)),
                                            node.attr("beta", b.getDenseF64ArrayAttr(betas)), node.segments(segments)};
  if (node.hasAttribute("clip"))
    attributes.push_back(node.attr("clip", node.real("clip", 0)));
  if (!flag.empty())
    attributes.push_back(node.unit(flag));
  if (Operation *op = node.create<Op>(there, attributes))
    setResults(op);
}

void Recurrence::setResults(Operation *op) {
  for (unsigned i = 0; i < op->getNumResults(); ++i) {
    Value result = op->getResult(i);
    if (batchFirst)
      result = i == 0 ? node.transpose(result, {2, 0, 1, 3}) : node.transpose(result, {1, 0, 2});
    node.set(i, result);
  }
}

static void importRNN(NodeImporter &node) {
  static constexpr StringRef defaults[] = {"tanh"};
  Recurrence recurrence(node, 1, defaults);
  if (recurrence.read())
    recurrence.emit<RNNOp>(
        {recurrence.projected(false), recurrence.weights(), recurrence.state(5), recurrence.optional(4)});
}

static void importGRU(NodeImporter &node) {
  static constexpr StringRef defaults[] = {"sigmoid", "tanh"};
  Recurrence recurrence(node, 3, defaults);
  bool before = node.integer("linear_before_reset", 0) != 0;
  if (!recurrence.read())
    return;
  Value bias = before && node.has(3) ? recurrence.bias(1, 2, 1) : Value();
  recurrence.emit<GRUOp>(
      {recurrence.projected(before), recurrence.weights(), bias, recurrence.state(5), recurrence.optional(4)},
      before ? "linear_before_reset" : "");
}

static void importLSTM(NodeImporter &node) {
  static constexpr StringRef defaults[] = {"sigmoid", "tanh", "tanh"};
  Recurrence recurrence(node, 4, defaults);
  bool coupled = node.integer("input_forget", 0) != 0;
  if (recurrence.read())
    recurrence.emit<LSTMOp>({recurrence.projected(false), recurrence.weights(), recurrence.state(5),
                             recurrence.state(6), recurrence.optional(7), recurrence.optional(4)},
                            coupled ? "input_forget" : "");
}

ArrayRef<Handler> coat::onnx::recurrentHandlers() {
  static const Handler rows[] = {
      {"RNN", 7, newest, importRNN},
      {"GRU", 7, newest, importGRU},
      {"LSTM", 7, newest, importLSTM},
  };
  return rows;
}
