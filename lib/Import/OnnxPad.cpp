// Pad in all its modes.
#include "Declared.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

static PadMode readMode(NodeImporter &node) {
  std::string mode = node.string("mode", "constant");
  if (mode == "constant")
    return PadMode::constant;
  if (mode == "reflect")
    return PadMode::reflect;
  if (mode == "edge")
    return PadMode::edge;
  if (mode != "wrap" || node.opset() < 19)
    node.fail("attribute 'mode': expected constant, reflect, edge" + Twine(node.opset() < 19 ? "" : ", wrap") +
              ", got " + mode);
  return PadMode::wrap;
}

/// The pads of all dimensions, begins then ends, from those of `axes`.
static SmallVector<int64_t> spreadPads(NodeImporter &node, ArrayRef<int64_t> pads, ArrayRef<int64_t> axes,
                                       int64_t rank) {
  SmallVector<int64_t> result(2 * rank, 0);
  if (!node.failed() && pads.size() != 2 * axes.size())
    node.fail("expected " + Twine(2 * axes.size()) + " pads, got " + Twine(pads.size()));
  if (node.failed())
    return result;
  for (auto [index, axis] : llvm::enumerate(axes)) {
    result[axis] = pads[index];
    result[rank + axis] = pads[index + axes.size()];
  }
  for (int64_t pad : result)
    if (pad < INT32_MIN || pad > INT32_MAX)
      node.fail("expected pads of a sensible size, got " + Twine(pad));
  return result;
}

/// Negative pads cut elements off before the others are added.
static Value crop(NodeImporter &node, Value value, MutableArrayRef<int64_t> pads) {
  SmallVector<AffineExpr> shape = node.dims(value), offsets;
  int64_t rank = shape.size();
  for (int64_t dim = 0; dim < rank; ++dim) {
    int64_t low = std::min<int64_t>(pads[dim], 0), high = std::min<int64_t>(pads[rank + dim], 0);
    offsets.push_back(node.number(-low));
    shape[dim] = node.symbols.sum(shape[dim], node.number(low + high));
    pads[dim] -= low;
    pads[rank + dim] -= high;
  }
  return node.slice(value, offsets, shape, SmallVector<int64_t>(rank, 1));
}

static void importPad(NodeImporter &node) {
  bool attributes = node.opset() < 11;
  int64_t rank = node.rank(0);
  PadMode mode = readMode(node);
  if (!attributes && padAsDeclared(node, mode))
    return;
  SmallVector<int64_t> pads = attributes ? node.integers("pads") : node.integers(1, "pads");
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (!attributes && node.has(3))
    axes = node.normalizeAxes(node.integers(3, "axes"), rank);
  bool valueAtRunTime = !attributes && mode == PadMode::constant && comesAtRunTime(node, 2);
  double value = attributes                       ? node.real("value", 0.0)
                 : node.has(2) && !valueAtRunTime ? node.number(2, "constant_value")
                                                  : 0.0;
  pads = spreadPads(node, pads, axes, rank);
  Value result = node.tensor(0);
  if (node.failed())
    return;
  if (llvm::any_of(pads, [](int64_t pad) { return pad < 0; })) {
    if (mode != PadMode::constant && mode != PadMode::edge)
      return node.refuse("expected pads of at least 0 in mode " + stringifyPadMode(mode) + ", got a negative one");
    result = crop(node, result, pads);
  }
  if (llvm::all_of(pads, [](int64_t pad) { return pad == 0; }))
    return node.set(0, result);
  ArrayRef<int64_t> all = pads;
  auto padded = [&](Value input) {
    return node.emit<PadOp>(input,
                            {node.attr("low", all.take_front(rank)), node.attr("high", all.take_back(rank)),
                             node.attr("value", value), node.attr("mode", PadModeAttr::get(node.context, mode))});
  };
  if (!valueAtRunTime)
    return node.set(0, padded(result));
  // A value that only the run has stands where ones are padded with zeros.
  Type i32 = IntegerType::get(node.context, 32);
  Value inside = padded(node.broadcast(node.scalar(1, i32), node.dims(result)));
  inside = node.elementwise(ElementwiseKind::greater, {inside, node.scalar(0, i32)});
  node.set(0, node.elementwise(ElementwiseKind::select, {inside, padded(result), node.reshape(node.tensor(2), {})}));
}

ArrayRef<Handler> coat::onnx::padHandlers() {
  static const Handler rows[] = {{"Pad", 2, newest, importPad}};
  return rows;
}
