// MaxPool, AveragePool, LpPool and their Global twins; MaxUnpool.
#include "OnnxWindow.h"
#include "coat/Dialect/IndexOps.h"

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

/// Elements put where MaxPool found them, zeros elsewhere: indices are flat positions in what the pool's input would
/// be. A larger output_shape adds zeros behind it.
static void importMaxUnpool(NodeImporter &node) {
  WindowAttributes window = readWindow(node, node.rank(0), {});
  Value input = node.tensor(0), indices = node.tensor(1);
  if (node.failed())
    return;
  SmallVector<AffineExpr> from = node.dims(0), shape = from;
  Symbols &symbols = node.symbols;
  size_t spatial = window.kernel.size();
  if (node.dims(1) != from)
    return node.fail("expected indices of shape " + node.print(from) + ", got " + node.print(node.dims(1)));
  for (size_t i = 0; i < spatial; ++i)
    shape[2 + i] =
        symbols.sum(symbols.product(from[2 + i], node.number(window.strides[i])),
                    node.number(window.kernel[i] - window.strides[i] - window.pads[i] - window.pads[spatial + i]));
  for (AffineExpr size : shape)
    if (auto range = symbols.range(size); !range || range->min < 1)
      return node.fail("expected an output of at least one element a dimension, got " + node.print(shape));
  AffineExpr elements = symbols.product(shape), count = symbols.product(from);
  Value zeros = node.broadcast(node.scalar(0, node.elementType(0)), elements);
  Attribute replace = ScatterKindAttr::get(node.context, ScatterKind::replace);
  Value result = node.emit<ScatterElementsOp>({zeros, node.reshape(indices, count), node.reshape(input, count)},
                                              {node.attr("kind", replace), node.attr("axis", int64_t(0))});
  result = node.reshape(result, shape);
  SmallVector<AffineExpr> wanted = node.has(2) ? node.sizes(2, "output_shape") : shape;
  if (node.failed() || wanted.size() != shape.size())
    return node.fail("expected an output_shape of " + Twine(shape.size()) + " sizes, got " + Twine(wanted.size()));
  SmallVector<int64_t> high;
  for (auto [size, larger] : llvm::zip(shape, wanted)) {
    auto pad = constantOf(symbols.difference(larger, size));
    if (!pad || *pad < 0 || *pad > INT32_MAX)
      return node.refuse("expected an output_shape of at least " + node.print(shape) + ", got " + node.print(wanted));
    high.push_back(*pad);
  }
  if (llvm::any_of(high, [](int64_t pad) { return pad > 0; }))
    result =
        node.emit<PadOp>(result, {node.attr("low", SmallVector<int64_t>(high.size(), 0)), node.attr("high", high)});
  node.set(0, result);
}

ArrayRef<Handler> coat::onnx::poolHandlers() {
  static const Handler rows[] = {
      {"MaxPool", 1, newest, [](NodeImporter &node) { importPool(node, PoolKind::max); }},
      {"AveragePool", 1, newest, [](NodeImporter &node) { importPool(node, PoolKind::average); }},
      {"MaxUnpool", 9, newest, importMaxUnpool},
      {"LpPool", 2, newest, [](NodeImporter &node) { importPool(node, PoolKind::lp); }},
      {"GlobalMaxPool", 1, newest, [](NodeImporter &node) { importGlobalPool(node, PoolKind::max); }},
      {"GlobalAveragePool", 1, newest, [](NodeImporter &node) { importGlobalPool(node, PoolKind::average); }},
      {"GlobalLpPool", 2, newest, [](NodeImporter &node) { importGlobalPool(node, PoolKind::lp); }},
  };
  return rows;
}
