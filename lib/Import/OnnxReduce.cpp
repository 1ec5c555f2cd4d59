// Reduce*, ArgMax, ArgMin, CumSum of constants.
#include "Node.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

/// Axes are an attribute first and an input later (ReduceSum from opset 13, the others from 18); without any, all
/// dimensions are reduced, or none with noop_with_empty_axes.
static void importReduce(NodeImporter &node, ReduceKind kind, int64_t inputSince) {
  SmallVector<int64_t> axes = node.opset() < inputSince ? node.integers("axes") : SmallVector<int64_t>();
  bool noop = node.opset() >= inputSince && node.integer("noop_with_empty_axes", 0) != 0;
  if (node.opset() >= inputSince && node.has(1))
    axes = node.integers(1, "axes");
  bool keep = node.integer("keepdims", 1) != 0;
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
  if (const Known *known = node.known(0);
      known && kind == ReduceKind::prod && int64_t(axes.size()) == rank && !known->isFloat()) {
    AffineExpr product = node.symbols.product(*known->expressions());
    if (product)
      return node.set(0, Known{known->elementType, SmallVector<int64_t>(keep ? rank : 0, 1), {Scalar{product}}});
  }
  SmallVector<NamedAttribute> attributes = {node.attr("kind", ReduceKindAttr::get(node.context, kind)),
                                            node.attr("axes", axes)};
  if (keep)
    attributes.push_back(node.unit("keep_dims"));
  if (axes.empty()) // a scalar is its own reduction
    return node.forward(0, 0);
  // "any" and "all" are the maximum and minimum of 0 and 1, above 0; without elements they are false and true.
  Value input = node.tensor(0);
  Type type = node.elementType(0);
  bool isBool = type && type.isInteger(1);
  if (isBool)
    input = node.convert(input, IntegerType::get(node.context, 32));
  Value result = node.emit<ReduceOp>(input, attributes);
  if (isBool)
    result = node.elementwise(ElementwiseKind::greater, {result, node.scalar(0, IntegerType::get(node.context, 32))});
  node.set(0, result);
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

/// Only of known values: position ids computed from constant masks.
static void importCumSum(NodeImporter &node) {
  int64_t rank = node.rank(0);
  SmallVector<int64_t> axes = node.integers(1, "axis");
  bool exclusive = node.integer("exclusive", 0) != 0, reverse = node.integer("reverse", 0) != 0;
  const Known *known = node.known(0);
  if (!known)
    node.refuse("expected a constant input, got a value computed at run time");
  if (!node.failed() && axes.size() != 1)
    node.fail("expected one axis, got " + Twine(axes.size()));
  int64_t axis = node.failed() ? 0 : node.normalizeAxis(axes[0], rank);
  if (node.failed())
    return;
  Known result = *known;
  int64_t size = known->shape[axis], inner = elementCount(ArrayRef(known->shape).drop_front(axis + 1)).value_or(0);
  for (int64_t position = 0; position < int64_t(known->elements.size()); ++position) {
    int64_t at = position / inner % size;
    Scalar total = known->isFloat() ? Scalar{} : Scalar{node.number(0)};
    for (int64_t other = reverse ? at + exclusive : 0; other < (reverse ? size : at + !exclusive); ++other) {
      const Scalar &term = known->elements[position + (other - at) * inner];
      total.number += term.number;
      if (term.integer)
        total.integer = node.symbols.sum(total.integer, term.integer);
    }
    if (!known->isFloat() && !total.integer)
      return node.refuse("expected sums that fit in 64 bits, got others");
    result.elements[position] = total;
  }
  node.set(0, std::move(result));
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
      {"CumSum", 11, newest, importCumSum},
  };
  return rows;
}
