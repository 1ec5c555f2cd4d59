// What must hold of the whole model before any IR is built: versions, unique
// names, defined inputs, no cycles. Handlers rely on it.
#include "OnnxFlatten.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <functional>
#include <queue>

using namespace coat::onnx;

namespace {

constexpr int64_t firstIr = 3, lastIr = 14, firstOpset = 7, lastOpset = 28;

/// Checks one graph: the model's, or a branch, which may read names from outside.
class Validator {
public:
  Validator(const Graph &graph, std::vector<Node> &nodes, bool isBranch, std::string &error, bool &notSupported)
      : graph(graph), nodes(nodes), isBranch(isBranch), error(error), notSupported(notSupported) {}

  bool run() { return branches() && names() && nodeNames() && order() && outputs() && prune(); }
  /// After run(): what the graph reads from outside.
  std::vector<std::string> captures() const;

private:
  bool fail(const llvm::Twine &message) {
    error = message.str();
    return false;
  }
  bool refuse(const llvm::Twine &message) {
    notSupported = true;
    return fail(message);
  }
  bool branches();
  bool names();
  bool nodeNames();
  bool order();
  bool outputs();
  bool prune();
  bool isDefined(llvm::StringRef name) const { return outside.contains(name) || definition.contains(name); }

  const Graph &graph;
  std::vector<Node> &nodes;
  bool isBranch;
  std::string &error;
  bool &notSupported;
  llvm::StringSet<> outside;          // graph inputs and initializers
  llvm::StringMap<size_t> definition; // value name -> index of its node
};

bool checkVersions(const Model &model, std::string &error, bool &notSupported) {
  auto fail = [&](const llvm::Twine &message) {
    error = message.str();
    return false;
  };
  auto refuse = [&](const llvm::Twine &message) {
    notSupported = true;
    return fail(message);
  };
  if (model.irVersion < firstIr)
    return fail("expected IR version " + llvm::Twine(firstIr) + " or newer, got " + llvm::Twine(model.irVersion));
  if (model.irVersion > lastIr)
    return refuse("expected IR version " + llvm::Twine(lastIr) + " or older, got " + llvm::Twine(model.irVersion) +
                  "; try exporting for an older opset");
  for (const OpsetImport &opset : model.opsets) {
    if (!opset.domain.empty())
      continue;
    if (opset.version < firstOpset || opset.version > lastOpset)
      return refuse("expected opset " + llvm::Twine(firstOpset) + " to " + llvm::Twine(lastOpset) + ", got " +
                    llvm::Twine(opset.version) + "; try exporting for one of these");
  }
  return true;
}

/// Checks the branches of each If and the bodies of loops, and notes what they read from here.
bool Validator::branches() {
  for (Node &node : nodes) {
    if (!node.hasGraphs())
      continue;
    for (AttributeData &attribute : node.attributes) {
      if (!attribute.graph)
        continue;
      Validator branch(*attribute.graph, attribute.graph->nodes, /*isBranch=*/true, error, notSupported);
      if (!branch.run())
        return false;
      llvm::append_range(node.captures, branch.captures());
    }
  }
  return true;
}

std::vector<std::string> Validator::captures() const {
  llvm::StringSet<> seen;
  std::vector<std::string> result;
  auto note = [&](const std::string &name) {
    if (!isDefined(name) && seen.insert(name).second)
      result.push_back(name);
  };
  for (const Node &node : nodes)
    node.forEachRead(note);
  for (const ValueInfo &output : graph.outputs)
    note(output.name);
  return result;
}

bool Validator::names() {
  if (graph.sparse)
    return refuse("expected dense initializers, got a sparse one");
  for (const ValueInfo &input : graph.inputs)
    if (input.name.empty() || !outside.insert(input.name).second)
      return fail("input '" + input.name + "': expected a unique name, got " +
                  (input.name.empty() ? "none" : "it twice"));
  llvm::StringSet<> initializers;
  for (const Tensor &tensor : graph.initializers) {
    if (tensor.name.empty() || !initializers.insert(tensor.name).second)
      return fail("initializer '" + tensor.name + "': expected a unique name, got " +
                  (tensor.name.empty() ? "none" : "it twice"));
    outside.insert(tensor.name);
  }
  return true;
}

bool Validator::nodeNames() {
  for (auto [index, node] : llvm::enumerate(nodes)) {
    std::string where = ("node '" + node.label() + "' (" + node.op + "): ").str();
    for (const std::string &output : node.outputs) {
      if (output.empty())
        continue;
      if (outside.contains(output) || !definition.try_emplace(output, index).second)
        return fail(where + "expected a unique result name, got '" + output + "' twice");
    }
    llvm::StringSet<> attributes;
    for (const AttributeData &attribute : node.attributes)
      if (!attributes.insert(attribute.name).second)
        return fail(where + "expected attribute '" + attribute.name + "' once, got it twice");
  }
  if (isBranch)
    return true;
  for (const Node &node : nodes)
    node.forEachRead([&](const std::string &input) {
      if (error.empty() && !isDefined(input))
        fail("node '" + node.label() + "' (" + node.op + "): expected inputs that are defined, got '" + input + "'");
    });
  return error.empty();
}

/// Kahn's algorithm with the file's order as priority, so that a sorted model stays as it is.
bool Validator::order() {
  std::vector<unsigned> missing(nodes.size());
  std::vector<std::vector<size_t>> users(nodes.size());
  for (auto [index, node] : llvm::enumerate(nodes))
    node.forEachRead([&, index = index](const std::string &input) {
      if (auto found = definition.find(input); found != definition.end()) {
        ++missing[index];
        users[found->second].push_back(index);
      }
    });
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t index = 0; index < nodes.size(); ++index)
    if (missing[index] == 0)
      ready.push(index);
  std::vector<Node> sorted;
  sorted.reserve(nodes.size());
  while (!ready.empty()) {
    size_t index = ready.top();
    ready.pop();
    for (size_t user : users[index])
      if (--missing[user] == 0)
        ready.push(user);
    sorted.push_back(std::move(nodes[index]));
  }
  if (sorted.size() == nodes.size()) {
    nodes = std::move(sorted);
    return true;
  }
  size_t index = llvm::find_if(missing, [](unsigned count) { return count != 0; }) - missing.begin();
  return fail("node '" + nodes[index].label() + "' (" + nodes[index].op +
              "): expected a graph without cycles, got one through this node");
}

bool Validator::outputs() {
  if (graph.outputs.empty())
    return fail("expected a graph with outputs, got none");
  for (const ValueInfo &output : graph.outputs)
    if (!isBranch && !isDefined(output.name))
      return fail("output '" + output.name + "': expected a value of the graph, got an unknown name");
  return true;
}

/// Drops nodes that no output needs, so that an op which coat does not know is no reason to refuse the model.
bool Validator::prune() {
  llvm::StringSet<> needed;
  for (const ValueInfo &output : graph.outputs)
    needed.insert(output.name);
  std::vector<Node> live;
  for (Node &node : llvm::reverse(nodes)) {
    if (llvm::none_of(node.outputs, [&](const std::string &name) { return !name.empty() && needed.contains(name); }))
      continue;
    node.forEachRead([&](const std::string &input) { needed.insert(input); });
    live.push_back(std::move(node));
  }
  nodes.assign(std::make_move_iterator(live.rbegin()), std::make_move_iterator(live.rend()));
  return true;
}

} // namespace

bool coat::onnx::validate(const Model &model, std::vector<Node> &nodes, std::string &error, bool &notSupported) {
  return checkVersions(model, error, notSupported) &&
         Validator(model.graph, nodes, /*isBranch=*/false, error, notSupported).run();
}
