// MaxPool, AveragePool, LpPool and their Global twins.
#include "OnnxWindow.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

static NamedAttribute kindAttr(NodeImporter &node, PoolKind kind) {
  return node.attr("kind", PoolKindAttr::get(node.context, kind));
}

static void importPool(NodeImporter &node, PoolKind kind) {
  WindowAttributes window = readWindow(node, node.rank(0), {});
  bool ceilMode = node.integer("ceil_mode", 0) != 0;
  SmallVector<NamedAttribute> attributes = {kindAttr(node, kind)};
  if (kind == PoolKind::average && node.integer("count_include_pad", 0) != 0)
    attributes.push_back(node.unit("count_include_pad"));
  if (kind == PoolKind::lp)
    attributes.push_back(node.attr("p", node.integer("p", 2)));
  if (kind == PoolKind::max)
    attributes.push_back(node.attr("storage_order", node.integer("storage_order", 0)));
  if (node.failed())
    return;
  resolveAutoPad(node, window, ArrayRef(node.dims(0)).drop_front(2));
  // SAME fixes the output size, which rounding must not change.
  if (ceilMode && (window.autoPad == AutoPad::NotSet || window.autoPad == AutoPad::Valid))
    attributes.push_back(node.unit("ceil_mode"));
  bool indices = kind == PoolKind::max && node.wants(1);
  if (indices)
    attributes.push_back(node.unit("with_indices"));
  attributes.append({node.attr("kernel", window.kernel), node.attr("strides", window.strides),
                     node.attr("dilations", window.dilations), node.attr("pads", window.pads)});
  Operation *op = node.create<PoolOp>(node.tensor(0), attributes);
  if (!op)
    return;
  node.set(0, op->getResult(0));
  if (indices)
    node.set(1, op->getResult(1));
}

static void importGlobalPool(NodeImporter &node, PoolKind kind) {
  SmallVector<NamedAttribute> attributes = {kindAttr(node, kind)};
  if (kind == PoolKind::lp)
    attributes.push_back(node.attr("p", node.integer("p", 2)));
  node.set(0, node.emit<GlobalPoolOp>(node.tensor(0), attributes));
}

ArrayRef<Handler> coat::onnx::poolHandlers() {
  static const Handler rows[] = {
      {"MaxPool", 1, newest, [](NodeImporter &node) { importPool(node, PoolKind::max); }},
      {"AveragePool", 1, newest, [](NodeImporter &node) { importPool(node, PoolKind::average); }},
      {"LpPool", 2, newest, [](NodeImporter &node) { importPool(node, PoolKind::lp); }},
      {"GlobalMaxPool", 1, newest, [](NodeImporter &node) { importGlobalPool(node, PoolKind::max); }},
      {"GlobalAveragePool", 1, newest, [](NodeImporter &node) { importGlobalPool(node, PoolKind::average); }},
      {"GlobalLpPool", 2, newest, [](NodeImporter &node) { importGlobalPool(node, PoolKind::lp); }},
  };
  return rows;
}
