// Inlining of model-local functions (FunctionProto), on plain data.
//
// Before validation, because a function's body refers to names and opsets of its
// own: afterwards there is one list of nodes in one namespace and every check is
// written once. The branches of an If and the bodies of loops stay graphs of their own
// (which branch is taken, and how often, shows only when sizes are known), but their
// names join the one namespace, so that the importer takes a branch by importing its nodes.
#include "OnnxFlatten.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

using namespace coat::onnx;

namespace {

// Functions that call each other twice double with every one of them, whether or not they hold a node.
constexpr size_t maxNodes = 1 << 17, maxCopied = 1 << 30;
constexpr unsigned maxDepth = 64;

/// What one flattening has made so far, and where calls lead.
struct Progress {
  size_t nodes = 0;  // and calls
  size_t copied = 0; // bytes of names and attributes
  size_t graphs = 0; // of nodes
  llvm::StringMap<const Function *> functions;
};

class Flattener {
public:
  Flattener(std::vector<Node> &nodes, Progress &progress, std::string &error)
      : nodes(nodes), progress(progress), error(error) {}

  bool add(Node node, llvm::ArrayRef<OpsetImport> opsets, unsigned depth);

private:
  bool fail(const Node &node, const llvm::Twine &message) {
    error = ("node '" + node.label() + "' (" + node.op + "): " + message).str();
    return false;
  }
  bool inlineCall(const Node &call, const Function &function, unsigned depth);
  bool bindAttributes(const Node &call, const Function &function, Node &node);
  bool flattenBranch(const Node &node, Graph &branch, llvm::ArrayRef<OpsetImport> opsets, unsigned depth);

  std::vector<Node> &nodes;
  Progress &progress; // of all lists of the model
  std::string &error;
};

/// What a call names: domain, function, overload. NUL separates, which a name may hold; it then finds nothing.
std::string keyOf(const std::string &domain, const std::string &name) { return domain + '\0' + name; }
std::string keyOf(const Function &function) {
  return keyOf(function.domain, function.overload.empty() ? function.name : function.name + ":" + function.overload);
}

/// About the bytes that a copy takes.
size_t sizeOf(const Graph &graph);
size_t sizeOf(const Node &node) {
  size_t size = sizeof(Node) + node.name.size() + node.op.size();
  for (const auto *names : {&node.inputs, &node.outputs})
    for (const std::string &name : *names)
      size += sizeof(std::string) + name.size();
  for (const AttributeData &attribute : node.attributes) {
    size += sizeof(AttributeData) + attribute.s.size() + 8 * (attribute.floats.size() + attribute.ints.size());
    for (const std::string &text : attribute.strings)
      size += sizeof(std::string) + text.size();
    size += attribute.graph ? sizeOf(*attribute.graph) : 0;
  }
  return size;
}
size_t sizeOf(const Graph &graph) {
  size_t size = sizeof(Graph) + graph.initializers.size() * sizeof(Tensor);
  for (const Node &node : graph.nodes)
    size += sizeOf(node);
  return size;
}

const AttributeData *find(llvm::ArrayRef<AttributeData> attributes, llvm::StringRef name) {
  const auto *found = llvm::find_if(attributes, [&](const AttributeData &attribute) { return attribute.name == name; });
  return found == attributes.end() ? nullptr : found;
}

using Rename = llvm::function_ref<void(std::string &)>;

/// Renames what `graph` reads from outside.
void renameCaptures(Graph &graph, Rename rename) {
  llvm::StringSet<> own;
  for (const ValueInfo &input : graph.inputs)
    own.insert(input.name);
  for (const Tensor &tensor : graph.initializers)
    own.insert(tensor.name);
  for (const Node &node : graph.nodes)
    own.insert_range(node.outputs);
  auto renameOuter = [&](std::string &name) {
    if (!name.empty() && !own.contains(name))
      rename(name);
  };
  for (Node &node : graph.nodes) {
    llvm::for_each(node.inputs, renameOuter);
    for (AttributeData &attribute : node.attributes)
      if (attribute.graph)
        renameCaptures(*attribute.graph, renameOuter);
  }
  for (ValueInfo &output : graph.outputs)
    renameOuter(output.name);
}

/// A copy that shares no graph with `node`.
std::shared_ptr<Graph> deepCopy(const Graph &graph);
Node deepCopy(const Node &node) {
  Node copy = node;
  for (AttributeData &attribute : copy.attributes)
    if (attribute.graph)
      attribute.graph = deepCopy(*attribute.graph);
  return copy;
}
std::shared_ptr<Graph> deepCopy(const Graph &graph) {
  auto copy = std::make_shared<Graph>(graph);
  for (Node &inner : copy->nodes)
    inner = deepCopy(inner);
  return copy;
}

/// Replaces references to the function's attributes by the call's values, or by the function's defaults; a
/// reference to an attribute that the call leaves out disappears.
bool Flattener::bindAttributes(const Node &call, const Function &function, Node &node) {
  std::vector<AttributeData> bound;
  for (AttributeData &attribute : node.attributes) {
    if (attribute.reference.empty()) {
      if (attribute.graph)
        for (Node &inner : attribute.graph->nodes)
          if (!bindAttributes(call, function, inner))
            return false;
      bound.push_back(std::move(attribute));
      continue;
    }
    const AttributeData *value = find(call.attributes, attribute.reference);
    if (!value)
      value = find(function.defaults, attribute.reference);
    if (!value && !llvm::is_contained(function.attributes, attribute.reference))
      return fail(call, "expected attribute '" + attribute.reference + "' of the function, got none");
    if (!value)
      continue;
    bound.push_back(*value);
    bound.back().name = attribute.name;
    if (value->graph) // two nodes never share a graph
      bound.back().graph = deepCopy(*value->graph);
  }
  node.attributes = std::move(bound);
  return true;
}

bool Flattener::inlineCall(const Node &call, const Function &function, unsigned depth) {
  if (depth > maxDepth)
    return fail(call, "expected functions without recursion, got calls nested too deeply");
  if (call.inputs.size() > function.inputs.size() || call.outputs.size() > function.outputs.size())
    return fail(call, "expected at most " + llvm::Twine(function.inputs.size()) + " inputs and " +
                          llvm::Twine(function.outputs.size()) + " outputs, got " + llvm::Twine(call.inputs.size()) +
                          " and " + llvm::Twine(call.outputs.size()));
  std::string prefix = (call.label() + "/").str();
  std::string valuePrefix = (call.outputs.empty() ? prefix : call.outputs.front() + "//");
  llvm::StringMap<std::string> names;
  names[""] = "";
  for (auto [index, formal] : llvm::enumerate(function.inputs))
    names[formal] = index < call.inputs.size() ? call.inputs[index] : "";
  for (auto [index, formal] : llvm::enumerate(function.outputs)) {
    std::string actual = index < call.outputs.size() ? call.outputs[index] : "";
    if (!names.try_emplace(formal, actual.empty() ? valuePrefix + formal : actual).second && !actual.empty()) {
      Node copy;
      copy.name = prefix + formal;
      copy.op = "Identity";
      copy.inputs = {names[formal]};
      copy.outputs = {actual};
      if (!add(std::move(copy), function.opsets, depth + 1))
        return false;
    }
  }
  auto rename = [&](std::string &name) { name = names.try_emplace(name, valuePrefix + name).first->second; };
  for (const Node &inner : function.nodes) {
    progress.copied += sizeOf(inner) + (2 + inner.inputs.size() + inner.outputs.size()) * valuePrefix.size();
    if (progress.copied > maxCopied)
      return fail(call, "expected functions that make at most 1 GiB of nodes, got more");
    Node node = deepCopy(inner);
    node.name = prefix + inner.label().str();
    llvm::for_each(node.inputs, rename);
    llvm::for_each(node.outputs, rename);
    for (AttributeData &attribute : node.attributes)
      if (attribute.graph)
        renameCaptures(*attribute.graph, rename);
    if (!bindAttributes(call, function, node) || !add(std::move(node), function.opsets, depth + 1))
      return false;
  }
  return true;
}

/// Flattens a graph of a node in place, its own names prefixed by the node's.
bool Flattener::flattenBranch(const Node &node, Graph &branch, llvm::ArrayRef<OpsetImport> opsets, unsigned depth) {
  if (depth > maxDepth)
    return fail(node, "expected at most " + llvm::Twine(maxDepth) + " graphs in one another, got more");
  if (node.op == "If" && !branch.inputs.empty())
    return fail(node, "expected branches without inputs, got input '" + branch.inputs.front().name + "'");
  // Two branches of a node, and nodes of one name, may use the same names inside.
  std::string prefix = node.label().str() + "/", valuePrefix = prefix + std::to_string(progress.graphs++) + "/";
  llvm::StringMap<std::string> names;
  auto define = [&](std::string &name) {
    if (!name.empty())
      name = names.try_emplace(name, valuePrefix + name).first->second;
  };
  auto rename = [&](std::string &name) {
    if (auto found = names.find(name); found != names.end())
      name = found->second;
  };
  for (ValueInfo &input : branch.inputs)
    define(input.name);
  for (Tensor &tensor : branch.initializers)
    define(tensor.name);
  for (Node &inner : branch.nodes) {
    inner.name = prefix + inner.label().str();
    llvm::for_each(inner.outputs, define);
  }
  for (ValueInfo &output : branch.outputs)
    rename(output.name);
  std::vector<Node> flat;
  Flattener flattener(flat, progress, error);
  for (Node &inner : branch.nodes) {
    llvm::for_each(inner.inputs, rename);
    for (AttributeData &attribute : inner.attributes)
      if (attribute.graph)
        renameCaptures(*attribute.graph, rename);
    if (!flattener.add(std::move(inner), opsets, depth + 1))
      return false;
  }
  branch.nodes = std::move(flat);
  return true;
}

bool Flattener::add(Node node, llvm::ArrayRef<OpsetImport> opsets, unsigned depth) {
  if (++progress.nodes > maxNodes)
    return fail(node, "expected at most " + llvm::Twine(maxNodes) + " nodes and calls, got more");
  if (const Function *function = progress.functions.lookup(keyOf(node.domain, node.op)))
    return inlineCall(node, *function, depth);
  for (const AttributeData &attribute : node.attributes)
    if (!attribute.reference.empty())
      return fail(node, "attribute '" + attribute.name + "': expected a value, got a reference outside a function");
  for (const OpsetImport &opset : opsets)
    if (opset.domain == node.domain)
      node.opset = opset.version;
  if (node.opset == 0)
    return fail(node, "expected an opset import of domain '" + (node.domain.empty() ? "ai.onnx" : node.domain) +
                          "', got none");
  if (node.hasGraphs())
    for (AttributeData &attribute : node.attributes)
      if (attribute.graph && !flattenBranch(node, *attribute.graph, opsets, depth + 1))
        return false;
  nodes.push_back(std::move(node));
  return true;
}

} // namespace

bool coat::onnx::flatten(const Model &model, std::vector<Node> &nodes, std::string &error) {
  Progress progress;
  for (const Function &function : model.functions)
    progress.functions.try_emplace(keyOf(function), &function);
  Flattener flattener(nodes, progress, error);
  return llvm::all_of(model.graph.nodes,
                      [&](const Node &node) { return flattener.add(deepCopy(node), model.opsets, /*depth=*/0); });
}
