// ATen: reductions.
#include "Aten.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

static Value reduce(AtenNode node, ReduceKind kind, Value x, StringRef axesName = "dim") {
  return x ? node->reduce(kind, x, node.axes(axesName, AtenNode::rank(x)), node.flag("keepdim")) : Value();
}

/// The sum of integers is one of i64.
template <ReduceKind kind> static void simple(AtenNode node) {
  Value x = node.tensor("self");
  if (!x)
    return;
  Type type = AtenNode::elementTypeOf(x);
  bool isSum = kind == ReduceKind::sum || kind == ReduceKind::prod;
  if (isSum && type.isInteger())
    type = IntegerType::get(node->context, 64);
  node->set(0, reduce(node, kind, node->convert(x, node.elementType(type))));
}

/// Whether any, or all, of the elements are not 0.
template <ReduceKind kind> static void truth(AtenNode node) {
  Type boolean = IntegerType::get(node->context, 1), wide = IntegerType::get(node->context, 32);
  Value x = node->convert(node->convert(node.tensor("self"), boolean), wide);
  node->set(0, node->convert(reduce(node, kind, x), boolean));
}

/// max(self), max(self, dim) with indices, max(self, other).
template <ReduceKind kind> static void extreme(AtenNode node) {
  if (node.has("other"))
    return node->set(
        0, node->elementwise(kind == ReduceKind::max ? Kind::max : Kind::min, node.promote({"self", "other"})));
  Value x = node.tensor("self");
  if (!x)
    return;
  node->set(0, reduce(node, kind, x));
  if (node->numOutputs() < 2 || !node->wants(1))
    return;
  SmallVector<NamedAttribute> attributes = {node->attr("kind", ReduceKindAttr::get(node->context, kind)),
                                            node->attr("axis", node.axis("dim", 0, AtenNode::rank(x)))};
  if (node.flag("keepdim"))
    attributes.push_back(node->unit("keep_dims"));
  node->set(1, node->emit<ArgReduceOp>(x, attributes));
}

template <ReduceKind kind> static void arg(AtenNode node) {
  Value x = node.tensor("self");
  if (!x)
    return;
  if (!node.has("dim"))
    x = node->reshape(x, node->symbols.product(node->dims(x)));
  SmallVector<NamedAttribute> attributes = {node->attr("kind", ReduceKindAttr::get(node->context, kind)),
                                            node->attr("axis", node.axis("dim", 0, AtenNode::rank(x)))};
  if (node.flag("keepdim"))
    attributes.push_back(node->unit("keep_dims"));
  node->set(0, node->emit<ArgReduceOp>(x, attributes));
}

/// sum (x - mean)^2 / (n - correction).
static Value variance(AtenNode node) {
  Value x = node.tensor("self");
  if (!x)
    return {};
  SmallVector<int64_t> axes = node.axes("dim", AtenNode::rank(x));
  double correction = node.has("correction") ? node.number("correction", 1) : node.flag("unbiased", true);
  SmallVector<AffineExpr> dims = node->dims(x);
  int64_t count = 1;
  for (int64_t axis : axes) {
    auto size = constantOf(dims[axis]);
    if (!size) {
      node->refuse("expected static sizes of the dimensions that a variance is taken over, got a symbolic one");
      return {};
    }
    count *= *size;
  }
  if (count <= correction) {
    node->refuse("expected more than " + std::to_string(correction) + " elements to take a variance of, got " +
                 Twine(count));
    return {};
  }
  Value centered = node->elementwise(Kind::sub, {x, node->reduce(ReduceKind::mean, x, axes)});
  Value squares = node->reduce(ReduceKind::sum_square, centered, axes, node.flag("keepdim"));
  return squares ? node->elementwise(Kind::mul,
                                     {squares, node->scalar(1 / (count - correction), AtenNode::elementTypeOf(x))})
                 : Value();
}
static void var(AtenNode node) { node->set(0, variance(node)); }
static void deviation(AtenNode node) { node->set(0, node->elementwise(Kind::sqrt, variance(node))); }

static void norm(AtenNode node) {
  StringRef order = node.has("ord") ? "ord" : "p";
  double p = node.number(order, 2);
  if (p != 1 && p != 2)
    return node->refuse("argument '" + order + "': expected 1 or 2, got " + std::to_string(p));
  node->set(0, reduce(node, p == 1 ? ReduceKind::l1 : ReduceKind::l2, node.tensor("self")));
}

ArrayRef<Handler> coat::onnx::atenReduceHandlers() {
  static const Handler rows[] = {
      {"aten.mean", 1, newest, aten<simple<ReduceKind::mean>>},
      {"aten.sum", 1, newest, aten<simple<ReduceKind::sum>>},
      {"aten.prod", 1, newest, aten<simple<ReduceKind::prod>>},
      {"aten.amax", 1, newest, aten<simple<ReduceKind::max>>},
      {"aten.amin", 1, newest, aten<simple<ReduceKind::min>>},
      {"aten.logsumexp", 1, newest, aten<simple<ReduceKind::log_sum_exp>>},
      {"aten.any", 1, newest, aten<truth<ReduceKind::max>>},
      {"aten.all", 1, newest, aten<truth<ReduceKind::min>>},
      {"aten.max", 1, newest, aten<extreme<ReduceKind::max>>},
      {"aten.min", 1, newest, aten<extreme<ReduceKind::min>>},
      {"aten.argmax", 1, newest, aten<arg<ReduceKind::max>>},
      {"aten.argmin", 1, newest, aten<arg<ReduceKind::min>>},
      {"aten.var", 1, newest, aten<var>},
      {"aten.std", 1, newest, aten<deviation>},
      {"aten.linalg_vector_norm", 1, newest, aten<norm>},
      {"aten.norm", 1, newest, aten<norm>},
  };
  return rows;
}
