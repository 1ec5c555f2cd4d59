// Reduce*, ArgMax, ArgMin.
#include "Declared.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

/// The result where the input is known.
static std::optional<Known> reduceKnown(NodeImporter &node, ReduceKind kind, ArrayRef<int64_t> axes, bool keep) {
  const Known *input = node.known(0);
  if (!input || node.failed())
    return std::nullopt;
  std::optional<Known> result = *input;
  for (int64_t axis : axes)
    if (result)
      result = evaluateReduce(node.symbols, kind, *result, axis);
  if (!result || keep)
    return result;
  SmallVector<int64_t> shape;
  for (auto [dim, size] : llvm::enumerate(result->shape))
    if (!llvm::is_contained(axes, int64_t(dim)))
      shape.push_back(size);
  return result->reshaped(shape);
}

/// The reduction along `axes`, of which there is at least one.
static Value reduceAlong(NodeImporter &node, ReduceKind kind, ArrayRef<int64_t> axes, bool keep) {
  SmallVector<NamedAttribute> attributes = {node.attr("kind", ReduceKindAttr::get(node.context, kind)),
                                            node.attr("axes", axes)};
  if (keep)
    attributes.push_back(node.unit("keep_dims"));
  // "any" and "all" are the maximum and minimum of 0 and 1, above 0; without elements they are false and true.
  Value input = node.tensor(0);
  Type type = node.elementType(0);
  bool isBool = type && type.isInteger(1);
  if (isBool)
    input = node.convert(input, IntegerType::get(node.context, 32));
  Value result = node.emit<ReduceOp>(input, attributes);
  if (isBool)
    result = node.elementwise(ElementwiseKind::greater, {result, node.scalar(0, IntegerType::get(node.context, 32))});
  return result;
}

/// Axes are an attribute first and an input later (ReduceSum from opset 13, the others from 18); without any, all
/// dimensions are reduced, or none with noop_with_empty_axes.
static void importReduce(NodeImporter &node, ReduceKind kind, int64_t inputSince) {
  SmallVector<int64_t> axes = node.opset() < inputSince ? node.integers("axes") : SmallVector<int64_t>();
  bool noop = node.opset() >= inputSince && node.integer("noop_with_empty_axes", 0) != 0;
  bool keep = node.integer("keepdims", 1) != 0;
  if (node.opset() >= inputSince &&
      reduceAsDeclared(node, keep, [&](ArrayRef<int64_t> some) { return reduceAlong(node, kind, some, keep); }))
    return;
  if (node.opset() >= inputSince && node.has(1))
    axes = node.integers(1, "axes");
  int64_t rank = node.rank(0);
  axes = node.normalizeAxes(axes, rank);
  llvm::sort(axes);
  if (axes.empty() && noop) {
    // The element's own function still applies: |x|, x^2, log x.
    if (kind == ReduceKind::sum || kind == ReduceKind::mean || kind == ReduceKind::max || kind == ReduceKind::min ||
        kind == ReduceKind::prod || kind == ReduceKind::log_sum_exp)
      return node.forward(0, 0);
    Value input = node.tensor(0);
    if (kind == ReduceKind::l1 || kind == ReduceKind::l2)
      return node.set(0, node.elementwise(ElementwiseKind::abs, input));
    if (kind == ReduceKind::log_sum)
      return node.set(0, node.elementwise(ElementwiseKind::log, input));
    return node.set(0, node.elementwise(ElementwiseKind::mul, {input, input}));
  }
  if (axes.empty())
    axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (auto known = reduceKnown(node, kind, axes, keep))
    return node.set(0, std::move(*known));
  if (axes.empty()) // a scalar is its own reduction
    return node.forward(0, 0);
  node.set(0, reduceAlong(node, kind, axes, keep));
}

static void importArgReduce(NodeImporter &node, ReduceKind kind) {
  int64_t axis = node.normalizeAxis(node.integer("axis", 0), node.rank(0));
  SmallVector<NamedAttribute> attributes = {node.attr("kind", ReduceKindAttr::get(node.context, kind)),
                                            node.attr("axis", axis)};
  if (node.integer("keepdims", 1) != 0)
    attributes.push_back(node.unit("keep_dims"));
  if (node.integer("select_last_index", 0) != 0)
    attributes.push_back(node.unit("select_last"));
  node.set(0, node.emit<ArgReduceOp>(node.tensor(0), attributes));
}

template <ReduceKind kind, int64_t inputSince = 18> static void reduce(NodeImporter &node) {
  importReduce(node, kind, inputSince);
}

ArrayRef<Handler> coat::onnx::reduceHandlers() {
  static const Handler rows[] = {
      {"ReduceSum", 1, newest, reduce<ReduceKind::sum, 13>},
      {"ReduceMean", 1, newest, reduce<ReduceKind::mean>},
      {"ReduceMax", 1, newest, reduce<ReduceKind::max>},
      {"ReduceMin", 1, newest, reduce<ReduceKind::min>},
      {"ReduceProd", 1, newest, reduce<ReduceKind::prod>},
      {"ReduceL1", 1, newest, reduce<ReduceKind::l1>},
      {"ReduceL2", 1, newest, reduce<ReduceKind::l2>},
      {"ReduceSumSquare", 1, newest, reduce<ReduceKind::sum_square>},
      {"ReduceLogSum", 1, newest, reduce<ReduceKind::log_sum>},
      {"ReduceLogSumExp", 1, newest, reduce<ReduceKind::log_sum_exp>},
      {"ArgMax", 1, newest, [](NodeImporter &node) { importArgReduce(node, ReduceKind::max); }},
      {"ArgMin", 1, newest, [](NodeImporter &node) { importArgReduce(node, ReduceKind::min); }},
  };
  return rows;
}
