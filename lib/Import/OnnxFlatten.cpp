// Inlining of model-local functions (FunctionProto), on plain data.
//
// Before validation, because a function's body refers to names and opsets of its
// own: afterwards there is one list of nodes in one namespace and every check is
// written once. The branches of an If stay graphs of their own (which one is taken
// shows only when sizes are known), but their names join the one namespace, so that
// the importer takes a branch by importing its nodes.
#include "OnnxFlatten.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

using namespace coat::onnx;

namespace {

constexpr size_t maxNodes = 1 << 20;
constexpr unsigned maxDepth = 64;

class Flattener {
public:
  Flattener(const Model &model, std::vector<Node> &nodes, size_t &count, std::string &error)
      : model(model), nodes(nodes), count(count), error(error) {}

  bool add(Node node, llvm::ArrayRef<OpsetImport> opsets, unsigned depth);

private:
  bool fail(const Node &node, const llvm::Twine &message) {
    error = ("node '" + node.label() + "' (" + node.op + "): " + message).str();
    return false;
  }
  const Function *functionOf(const Node &node) const;
  bool inlineCall(const Node &call, const Function &function, unsigned depth);
  bool bindAttributes(const Node &call, const Function &function, Node &node);
  bool flattenBranch(const Node &node, Graph &branch, llvm::ArrayRef<OpsetImport> opsets, unsigned depth);

  const Model &model;
  std::vector<Node> &nodes;
  size_t &count; // of all lists of the model
  std::string &error;
};

const Function *Flattener::functionOf(const Node &node) const {
  for (const Function &function : model.functions) {
    std::string name = function.overload.empty() ? function.name : function.name + ":" + function.overload;
    if (function.domain == node.domain && name == node.op)
      return &function;
  }
  return nullptr;
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
Node deepCopy(const Node &node) {
  Node copy = node;
  for (AttributeData &attribute : copy.attributes) {
    if (!attribute.graph)
      continue;
    attribute.graph = std::make_shared<Graph>(*attribute.graph);
    for (Node &inner : attribute.graph->nodes)
      inner = deepCopy(inner);
  }
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

/// Flattens a branch of an If in place, its own names prefixed by the node's.
bool Flattener::flattenBranch(const Node &node, Graph &branch, llvm::ArrayRef<OpsetImport> opsets, unsigned depth) {
  if (depth > maxDepth)
    return fail(node, "expected at most " + llvm::Twine(maxDepth) + " graphs in one another, got more");
  if (!branch.inputs.empty())
    return fail(node, "expected branches without inputs, got input '" + branch.inputs.front().name + "'");
  std::string prefix = node.label().str() + "/", valuePrefix = prefix + "/";
  llvm::StringMap<std::string> names;
  auto define = [&](std::string &name) {
    if (!name.empty())
      name = names.try_emplace(name, valuePrefix + name).first->second;
  };
  auto rename = [&](std::string &name) {
    if (auto found = names.find(name); found != names.end())
      name = found->second;
  };
  for (Tensor &tensor : branch.initializers)
    define(tensor.name);
  for (Node &inner : branch.nodes) {
    inner.name = prefix + inner.label().str();
    llvm::for_each(inner.outputs, define);
  }
  for (ValueInfo &output : branch.outputs)
    rename(output.name);
  std::vector<Node> flat;
  Flattener flattener(model, flat, count, error);
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
  if (const Function *function = functionOf(node))
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
  if (++count > maxNodes)
    return fail(node, "expected at most " + llvm::Twine(maxNodes) + " nodes, got more");
  if (node.domain.empty() && node.op == "If")
    for (AttributeData &attribute : node.attributes)
      if (attribute.graph && !flattenBranch(node, *attribute.graph, opsets, depth + 1))
        return false;
  nodes.push_back(std::move(node));
  return true;
}

} // namespace

bool coat::onnx::flatten(const Model &model, std::vector<Node> &nodes, std::string &error) {
  size_t count = 0;
  Flattener flattener(model, nodes, count, error);
  return llvm::all_of(model.graph.nodes,
                      [&](const Node &node) { return flattener.add(deepCopy(node), model.opsets, /*depth=*/0); });
}
