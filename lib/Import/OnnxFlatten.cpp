// Inlining of model-local functions (FunctionProto), on plain data.
//
// Before validation, because a function's body refers to names and opsets of its
// own: afterwards there is one list of nodes in one namespace and every check is
// written once.
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
  Flattener(const Model &model, std::vector<Node> &nodes, std::string &error)
      : model(model), nodes(nodes), error(error) {}

  bool add(Node node, llvm::ArrayRef<OpsetImport> opsets, unsigned depth);

private:
  bool fail(const Node &node, const llvm::Twine &message) {
    error = ("node '" + node.label() + "' (" + node.op + "): " + message).str();
    return false;
  }
  const Function *functionOf(const Node &node) const;
  bool inlineCall(const Node &call, const Function &function, unsigned depth);
  bool bindAttributes(const Node &call, const Function &function, Node &node);

  const Model &model;
  std::vector<Node> &nodes;
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

/// Replaces references to the function's attributes by the call's values, or by the function's defaults; a
/// reference to an attribute that the call leaves out disappears.
bool Flattener::bindAttributes(const Node &call, const Function &function, Node &node) {
  std::vector<AttributeData> bound;
  for (AttributeData &attribute : node.attributes) {
    if (attribute.reference.empty()) {
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
    Node node = inner;
    node.name = prefix + inner.label().str();
    llvm::for_each(node.inputs, rename);
    llvm::for_each(node.outputs, rename);
    if (!bindAttributes(call, function, node) || !add(std::move(node), function.opsets, depth + 1))
      return false;
  }
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
  if (nodes.size() >= maxNodes)
    return fail(node, "expected at most " + llvm::Twine(maxNodes) + " nodes, got more");
  nodes.push_back(std::move(node));
  return true;
}

} // namespace

bool coat::onnx::flatten(const Model &model, std::vector<Node> &nodes, std::string &error) {
  Flattener flattener(model, nodes, error);
  return llvm::all_of(model.graph.nodes,
                      [&](const Node &node) { return flattener.add(node, model.opsets, /*depth=*/0); });
}
