// Control flow that the model's shapes decide: If, Loop, Scan, and whether there is a value: Optional*.
//
// Exporters write If for questions whose answer is in the shapes, e.g. torch's legacy exporter around every squeeze
// ("is this dimension 1?"). The taken branch is imported in place of the node; the other one is only checked for its
// names, so that an op which coat does not know is no reason to refuse the model there. Where the condition is a value
// of the model, both branches stand in its place, if they are short, and their results are selected: no op has effects.
//
// A loop of a known number of steps becomes its steps, one after another: what a step knows of its shapes, weights and
// of its number is then constants, and memory and threads see one straight list. The price is code, so the number of
// nodes is bounded.
#include "OnnxList.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

/// Nodes of all steps of a model's loops, and of a branch that may be computed in vain.
static constexpr int64_t maxUnrolled = 8192, maxBranch = 64;

/// A truth value that is known, if it is.
static std::optional<bool> truthOf(const ModelValue &value) {
  auto elements = value.known ? value.known->integers() : std::nullopt;
  return elements && elements->size() == 1 ? std::optional(elements->front() != 0) : std::nullopt;
}

/// `condition` (one element) ? `a` : `b`, of one shape and type.
static ModelValue choose(NodeImporter &node, Value condition, ModelValue a, ModelValue b) {
  Value x = node.tensor(a), y = node.tensor(b);
  if (!x || !y)
    return {};
  if (cast<RankedTensorType>(x.getType()).getElementType() != cast<RankedTensorType>(y.getType()).getElementType() ||
      node.dims(x) != node.dims(y)) {
    node.refuse("expected results of one shape and type where a value of the model decides between them, got " +
                node.print(node.dims(x)) + " and " + node.print(node.dims(y)));
    return {};
  }
  return valueOf(node.elementwise(ElementwiseKind::select, {condition, x, y}));
}

//===--- If ---===//

static void setAll(NodeImporter &node, ArrayRef<ModelValue> results) {
  for (auto [index, result] : llvm::enumerate(results))
    node.set(index, result);
}

static void importBoth(NodeImporter &node, Graph &thenGraph, Graph &elseGraph) {
  size_t nodes = std::max(thenGraph.nodes.size(), elseGraph.nodes.size());
  if (nodes > maxBranch)
    return node.refuse("expected a condition computed from constants and shapes, or branches of at most " +
                       Twine(maxBranch) + " nodes, got a value computed at run time and " + Twine(nodes) + " nodes");
  Value condition = node.tensor(0u);
  SmallVector<ModelValue> a = node.importGraph(thenGraph, {}), b = node.importGraph(elseGraph, {});
  condition = node.reshape(condition, {});
  if (node.failed())
    return;
  for (unsigned index = 0; index < node.numOutputs(); ++index)
    if (node.wants(index))
      node.set(index, choose(node, condition, a[index], b[index]));
}

static void importIf(NodeImporter &node) {
  ModelValue condition = node.modelValue(0);
  Graph *thenGraph = node.graph("then_branch"), *elseGraph = node.graph("else_branch");
  if (node.failed())
    return;
  for (auto [name, graph] : {std::pair("then_branch", thenGraph), {"else_branch", elseGraph}})
    if (graph->outputs.size() != node.numOutputs())
      return node.fail("attribute '" + Twine(name) + "': expected " + Twine(node.numOutputs()) + " outputs, got " +
                       Twine(graph->outputs.size()));
  auto elements = condition.known ? condition.known->integers() : std::nullopt;
  if (elements && elements->size() != 1)
    return node.fail("expected a condition of one element, got " + Twine(elements->size()));
  if (!elements)
    return importBoth(node, *thenGraph, *elseGraph);
  setAll(node, node.importGraph(elements->front() ? *thenGraph : *elseGraph, {}));
}

/// Refuses a loop that would become too many nodes.
static bool countSteps(NodeImporter &node, const Graph &body, int64_t steps) {
  int64_t &total = node.importer.unrolled;
  int64_t nodes = std::max<int64_t>(body.nodes.size(), 1);
  if (steps <= (maxUnrolled - total) / nodes) {
    total += steps * nodes;
    return true;
  }
  node.refuse("expected loops of at most " + Twine(maxUnrolled) + " nodes in all their steps, got more");
  return false;
}

//===--- Loop ---===//

namespace {
/// A Loop while it is unrolled.
class Loop {
public:
  explicit Loop(NodeImporter &node) : node(node) {}
  void run();

private:
  bool readLimit();
  bool step(int64_t number);

  NodeImporter &node;
  Graph *body = nullptr;
  std::optional<int64_t> limit; // steps; none: as long as the condition holds
  bool conditional = false;     // whether the condition counts
  ModelValue condition;
  SmallVector<ModelValue> carried;
  SmallVector<SmallVector<ModelValue>> scanned; // by output, an element a step
};
} // namespace

bool Loop::readLimit() {
  if (!node.has(0))
    return true;
  const Known *trips = node.known(0);
  auto count = trips ? trips->integers() : std::nullopt;
  if (!count) {
    node.refuse("expected a trip count computed from constants and shapes, got a value computed at run time");
    return false;
  }
  if (count->size() != 1) {
    node.fail("expected a trip count of one element, got " + Twine(count->size()));
    return false;
  }
  limit = std::max<int64_t>(count->front(), 0);
  return true;
}

/// One step, after which `condition` says whether there is another. Once it is a value of the model, later results only
/// count while it holds.
bool Loop::step(int64_t number) {
  if (conditional && !countSteps(node, *body, 1))
    return false;
  Type i64 = IntegerType::get(node.context, 64), i1 = IntegerType::get(node.context, 1);
  SmallVector<ModelValue> inputs = {valueOf(Known{i64, {}, {Scalar{node.number(number)}}}),
                                    conditional ? condition : valueOf(Known{i1, {}, {Scalar{node.number(1)}}})};
  llvm::append_range(inputs, carried);
  SmallVector<ModelValue> outputs = node.importGraph(*body, inputs);
  if (node.failed())
    return false;
  bool decided = !conditional || truthOf(condition).has_value();
  Value active = decided ? Value() : node.reshape(node.tensor(condition), {});
  for (auto [index, value] : llvm::enumerate(carried))
    value = decided ? outputs[1 + index] : choose(node, active, outputs[1 + index], value);
  for (auto [index, elements] : llvm::enumerate(scanned))
    elements.push_back(outputs[1 + carried.size() + index]);
  condition = outputs.front();
  if (!decided) {
    Value next = node.reshape(node.tensor(condition), {});
    condition = valueOf(node.elementwise(ElementwiseKind::logical_and, {active, next}));
  }
  return !node.failed();
}

void Loop::run() {
  body = node.graph("body");
  if (node.failed() || !readLimit())
    return;
  if (body->inputs.size() != node.numInputs() || body->inputs.size() < 2 ||
      body->outputs.size() != node.numOutputs() + 1 || body->outputs.size() + 1 < body->inputs.size())
    return node.fail("attribute 'body': expected " + Twine(node.numInputs()) + " inputs and " +
                     Twine(node.numOutputs() + 1) + " outputs, got " + Twine(body->inputs.size()) + " and " +
                     Twine(body->outputs.size()));
  for (unsigned input = 2; input < node.numInputs(); ++input)
    carried.push_back(node.modelValue(input));
  scanned.resize(node.numOutputs() - carried.size());
  conditional = node.has(1);
  if (conditional)
    condition = node.modelValue(1);
  if (!limit && !conditional)
    return node.fail("expected a trip count or a condition, got neither");
  if (!conditional && !countSteps(node, *body, *limit))
    return;
  for (int64_t number = 0; !node.failed() && (!limit || number < *limit); ++number) {
    auto holds = conditional ? truthOf(condition) : std::optional(true);
    if (holds == false)
      break;
    if (!holds && (!limit || !scanned.empty()))
      return node.refuse("expected a number of steps that constants and shapes decide, got a condition computed at "
                         "run time");
    if (!step(number))
      return;
  }
  if (node.failed())
    return;
  setAll(node, carried);
  for (auto [index, elements] : llvm::enumerate(scanned)) {
    if (elements.empty())
      return node.refuse("expected at least one step of a loop with scan outputs, got none");
    node.set(carried.size() + index, stacked(node, elements, 0));
  }
}

//===--- Scan ---===//

namespace {
/// A Scan while it is unrolled, over the whole of its inputs or, until opset 8, over one row of a batch.
class Scan {
public:
  explicit Scan(NodeImporter &node) : node(node) {}
  void run();

private:
  bool read();
  SmallVector<int64_t> flags(StringRef name, size_t count);
  /// The results for these states and sequences.
  SmallVector<ModelValue> scan(SmallVector<ModelValue> states, ArrayRef<ModelValue> sequences);
  void runBatch();

  NodeImporter &node;
  Graph *body = nullptr;
  size_t sequenceCount = 0, stateCount = 0, scannedCount = 0;
  SmallVector<int64_t> inputAxes, outputAxes, inputBackwards, outputBackwards;
};
} // namespace

SmallVector<int64_t> Scan::flags(StringRef name, size_t count) {
  SmallVector<int64_t> result = node.integers(name);
  if (!result.empty() && result.size() != count)
    node.fail("attribute '" + name + "': expected " + Twine(count) + " entries, got " + Twine(result.size()));
  result.resize(count, 0);
  return result;
}

bool Scan::read() {
  bool batched = node.opset() < 9;
  body = node.graph("body");
  int64_t count = node.integer("num_scan_inputs", 0), inputs = node.numInputs() - batched;
  if (node.failed())
    return false;
  if (count < 1 || count > inputs || int64_t(body->inputs.size()) != inputs ||
      body->outputs.size() != node.numOutputs() || int64_t(body->outputs.size()) < inputs - count) {
    node.fail("attribute 'body': expected " + Twine(inputs) + " inputs and " + Twine(node.numOutputs()) +
              " outputs, got " + Twine(body->inputs.size()) + " and " + Twine(body->outputs.size()) + " with " +
              Twine(count) + " scan inputs");
    return false;
  }
  sequenceCount = count;
  stateCount = inputs - count;
  scannedCount = node.numOutputs() - stateCount;
  inputBackwards = flags(batched ? "directions" : "scan_input_directions", sequenceCount);
  outputBackwards = batched ? SmallVector<int64_t>(scannedCount, 0) : flags("scan_output_directions", scannedCount);
  inputAxes = batched ? SmallVector<int64_t>(sequenceCount, 0) : flags("scan_input_axes", sequenceCount);
  outputAxes = batched ? SmallVector<int64_t>(scannedCount, 0) : flags("scan_output_axes", scannedCount);
  if (batched && node.has(0))
    node.refuse("expected sequences of full length, got sequence_lens");
  return !node.failed();
}

SmallVector<ModelValue> Scan::scan(SmallVector<ModelValue> states, ArrayRef<ModelValue> sequences) {
  std::optional<int64_t> steps;
  SmallVector<int64_t> axes;
  for (auto [sequence, axis] : llvm::zip_equal(sequences, inputAxes)) {
    axes.push_back(node.normalizeAxis(axis, sequence.type ? sequence.type.getRank() : 0));
    if (node.failed())
      return {};
    AffineExpr size = dimsOf(node, sequence)[axes.back()];
    if (!constantOf(size))
      node.refuse("expected a static number of steps, got " + node.symbols.print(size) + "; try --dim");
    else if (steps.value_or(*constantOf(size)) != *constantOf(size))
      node.fail("expected sequences of one length, got " + Twine(*steps) + " and " + Twine(*constantOf(size)));
    steps = constantOf(size);
  }
  if (!node.failed() && *steps == 0)
    node.refuse("expected at least one step, got none");
  if (node.failed() || !countSteps(node, *body, *steps))
    return {};
  SmallVector<SmallVector<ModelValue>> scanned(scannedCount);
  for (int64_t step = 0; step < *steps && !node.failed(); ++step) {
    SmallVector<ModelValue> inputs = states;
    for (size_t i = 0; i < sequences.size(); ++i)
      inputs.push_back(elementOf(node, sequences[i], axes[i], inputBackwards[i] ? *steps - 1 - step : step));
    SmallVector<ModelValue> outputs = node.importGraph(*body, inputs);
    if (node.failed())
      return {};
    states.assign(outputs.begin(), outputs.begin() + stateCount);
    for (size_t i = 0; i < scannedCount; ++i)
      scanned[i].push_back(outputs[stateCount + i]);
  }
  for (size_t i = 0; i < scannedCount && !node.failed(); ++i) {
    if (outputBackwards[i])
      std::reverse(scanned[i].begin(), scanned[i].end());
    int64_t rank = scanned[i].front().type ? scanned[i].front().type.getRank() + 1 : 1;
    states.push_back(stacked(node, scanned[i], node.normalizeAxis(outputAxes[i], rank)));
  }
  return states;
}

/// Opset 8: rows of a batch, each scanned on its own.
void Scan::runBatch() {
  SmallVector<ModelValue> inputs;
  for (unsigned input = 1; input < node.numInputs(); ++input)
    inputs.push_back(node.modelValue(input));
  if (node.failed() || !inputs.back().type || inputs.back().type.getRank() == 0)
    return node.fail("expected scan inputs with a batch dimension, got others");
  AffineExpr batch = dimsOf(node, inputs.back())[0];
  if (!constantOf(batch) || *constantOf(batch) == 0)
    return node.refuse("expected a static batch of at least 1, got " + node.symbols.print(batch));
  SmallVector<SmallVector<ModelValue>> results(node.numOutputs());
  for (int64_t row = 0; row < *constantOf(batch); ++row) {
    auto rows = llvm::map_to_vector(inputs, [&](const ModelValue &value) { return elementOf(node, value, 0, row); });
    SmallVector<ModelValue> states(rows.begin(), rows.begin() + stateCount);
    SmallVector<ModelValue> outputs = scan(states, ArrayRef(rows).drop_front(stateCount));
    if (node.failed())
      return;
    for (auto [result, output] : llvm::zip_equal(results, outputs))
      result.push_back(output);
  }
  for (auto [index, result] : llvm::enumerate(results))
    node.set(index, stacked(node, result, 0));
}

void Scan::run() {
  if (!read())
    return;
  if (node.opset() < 9)
    return runBatch();
  SmallVector<ModelValue> states, sequences;
  for (unsigned input = 0; input < node.numInputs(); ++input)
    (input < stateCount ? states : sequences).push_back(node.modelValue(input));
  if (!node.failed())
    setAll(node, scan(states, sequences));
}

//===--- Optional* ---===//

/// Values are tensors, which are always there; an input that is left out is not.
static void importHasElement(NodeImporter &node) {
  node.set(0, Known{IntegerType::get(node.context, 1), {}, {Scalar{node.number(node.has(0))}}});
}

static void importGetElement(NodeImporter &node) { node.forward(0, 0); }

ArrayRef<Handler> coat::onnx::controlHandlers() {
  static const Handler handlers[] = {
      {"If", 7, newest, importIf},
      {"Loop", 7, newest, [](NodeImporter &node) { Loop(node).run(); }},
      {"OptionalGetElement", 15, newest, importGetElement},
      {"OptionalHasElement", 15, newest, importHasElement},
      {"Scan", 8, newest, [](NodeImporter &node) { Scan(node).run(); }},
  };
  return handlers;
}
