// Ops that pick or place elements by index or by order: Scatter, ScatterElements.
#include "Node.h"
#include "coat/Dialect/IndexOps.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

/// The attribute 'reduction' of the Scatter ops.
static Attribute scatterKind(NodeImporter &node) {
  std::string reduction = node.string("reduction", "none");
  std::optional<ScatterKind> kind = symbolizeScatterKind(reduction == "none" ? "replace" : reduction);
  if (!kind || reduction == "replace")
    node.fail("attribute 'reduction': expected none, add, mul, max or min, got '" + reduction + "'");
  return ScatterKindAttr::get(node.context, kind.value_or(ScatterKind::replace));
}

static void importScatterElements(NodeImporter &node) {
  int64_t axis = node.normalizeAxis(node.integer("axis", 0), node.rank(0));
  Attribute kind = scatterKind(node);
  node.set(0, node.emit<ScatterElementsOp>({node.tensor(0), node.tensor(1), node.tensor(2)},
                                           {node.attr("kind", kind), node.attr("axis", axis)}));
}

ArrayRef<Handler> coat::onnx::indexHandlers() {
  static const Handler handlers[] = {
      {"Scatter", 9, newest, importScatterElements}, // its name until opset 10
      {"ScatterElements", 11, newest, importScatterElements},
  };
  return handlers;
}
