// Control flow that the model's shapes decide: If with a constant condition.
//
// Exporters write it for questions whose answer is in the shapes, e.g. torch's legacy exporter around every
// squeeze ("is this dimension 1?"). The taken branch is imported in place of the node; the other one is only
// checked for its names, so that an op which coat does not know is no reason to refuse the model there.
#include "Node.h"

using namespace coat;
using namespace coat::onnx;

static void importIf(NodeImporter &node) {
  const Known *condition = node.known(0);
  auto elements = condition ? condition->integers() : std::nullopt;
  if (node.failed())
    return;
  if (!elements)
    return node.refuse("expected a condition computed from constants and shapes, got a value computed at run time");
  if (elements->size() != 1)
    return node.fail("expected a condition of one element, got " + llvm::Twine(elements->size()));
  node.ignore("then_branch");
  node.ignore("else_branch");
  node.inlineGraph(elements->front() ? "then_branch" : "else_branch");
}

llvm::ArrayRef<Handler> coat::onnx::controlHandlers() {
  static constexpr Handler handlers[] = {{"If", 7, newest, importIf}};
  return handlers;
}
