// Ops that pick or place elements by index or by order: the Scatter and Gather of tuples, TopK, CumSum, Hardmax,
// ReverseSequence, MaxUnpool.
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

static void importScatterND(NodeImporter &node) {
  node.set(0, node.emit<ScatterNDOp>({node.tensor(0), node.tensor(1), node.tensor(2)},
                                     node.attr("kind", scatterKind(node))));
}

static void importGatherND(NodeImporter &node) {
  int64_t batch = node.opset() < 12 ? 0 : node.integer("batch_dims", 0);
  node.set(0, node.emit<GatherNDOp>({node.tensor(0), node.tensor(1)}, node.attr("batch_dims", batch)));
}

//===--- along one dimension ---===//

/// K is an attribute until opset 9. One that is computed at run time is the size that the model declares of the result.
static int64_t readK(NodeImporter &node, int64_t axis) {
  if (node.opset() < 10)
    return node.integer("k", 0);
  auto shape = node.declaredShape(0);
  if (!shape || node.known(1) || axis >= int64_t(shape->size()))
    return int64_t(node.number(1, "K"));
  node.require(node.emit<MatchesOp>(node.tensor(1), node.attr("choices", ArrayRef<int64_t>((*shape)[axis]))),
               "expected K = " + Twine((*shape)[axis]) + ", got another");
  return (*shape)[axis];
}

static void importTopK(NodeImporter &node) {
  int64_t axis = node.normalizeAxis(node.integer("axis", -1), node.rank(0));
  if (node.failed())
    return;
  SmallVector<NamedAttribute> attributes = {node.attr("axis", axis), node.attr("k", readK(node, axis))};
  if (node.opset() >= 11 && node.integer("largest", 1) == 0)
    attributes.push_back(node.unit("smallest"));
  node.ignore("sorted"); // in order is one of the orders that 0 allows
  Operation *op = node.create<TopKOp>(node.tensor(0), attributes);
  if (!op)
    return;
  node.set(0, op->getResult(0));
  node.set(1, op->getResult(1));
}

static void importReverseSequence(NodeImporter &node) {
  int64_t rank = node.rank(0), time = node.normalizeAxis(node.integer("time_axis", 0), rank),
          batch = node.normalizeAxis(node.integer("batch_axis", 1), rank);
  node.set(0, node.emit<ReverseSequenceOp>({node.tensor(0), node.tensor(1)},
                                           {node.attr("time_axis", time), node.attr("batch_axis", batch)}));
}

/// Sums of known elements: position ids computed from constant masks.
static bool cumSumKnown(NodeImporter &node, int64_t axis, bool exclusive, bool reverse) {
  const Known *known = node.known(0);
  if (!known)
    return false;
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
      return false;
    result.elements[position] = total;
  }
  node.set(0, std::move(result));
  return true;
}

template <bool product> static void importCumulate(NodeImporter &node) {
  bool exclusive = node.integer("exclusive", 0) != 0, reverse = node.integer("reverse", 0) != 0;
  const Known *known = node.has(1) ? node.known(1) : nullptr;
  auto axes = known ? known->integers() : std::nullopt;
  if (axes && axes->size() == 1) {
    int64_t axis = node.normalizeAxis(axes->front(), node.rank(0));
    if (node.failed() || (!product && cumSumKnown(node, axis, exclusive, reverse)))
      return;
  }
  SmallVector<NamedAttribute> attributes;
  for (auto [name, isSet] :
       {std::pair("product", product), std::pair("exclusive", exclusive), std::pair("reverse", reverse)})
    if (isSet)
      attributes.push_back(node.unit(name));
  node.set(0, node.emit<CumulateOp>({node.tensor(0), node.tensor(1)}, attributes));
}

/// 1 where an element is the first maximum of its row: its position is the row's arg max. Until opset 12 all dimensions
/// from `axis` on are one row.
static void importHardmax(NodeImporter &node) {
  bool flattens = node.opset() < 13;
  int64_t axis = node.normalizeAxis(node.integer("axis", flattens ? 1 : -1), node.rank(0));
  Value input = node.tensor(0);
  if (node.failed())
    return;
  SmallVector<AffineExpr> shape = node.dims(0);
  if (flattens) {
    ArrayRef<AffineExpr> all = shape;
    input =
        node.reshape(input, {node.symbols.product(all.take_front(axis)), node.symbols.product(all.drop_front(axis))});
    axis = 1;
  }
  Value best = node.emit<ArgReduceOp>(input, {node.attr("kind", ReduceKindAttr::get(node.context, ReduceKind::max)),
                                              node.attr("axis", axis), node.unit("keep_dims")});
  if (!best)
    return;
  SmallVector<AffineExpr> line(node.dims(input).size(), node.number(1));
  line[axis] = node.dims(input)[axis];
  Value hot = node.elementwise(ElementwiseKind::equal, {node.reshape(node.positions(line[axis]), line), best});
  node.set(0, node.reshape(node.convert(hot, node.elementType(0)), shape));
}

//===--- MaxUnpool ---===//

/// Sizes of the result: input 2, or what the pooling's window says.
static SmallVector<int64_t> unpooledShape(NodeImporter &node, ArrayRef<int64_t> pooled) {
  SmallVector<int64_t> kernel = node.integers("kernel_shape"), strides = node.integers("strides"),
                       pads = node.integers("pads"), shape(pooled);
  size_t spatial = pooled.size() - 2;
  if (strides.empty())
    strides.assign(spatial, 1);
  if (pads.empty())
    pads.assign(2 * spatial, 0);
  if (kernel.size() != spatial || strides.size() != spatial || pads.size() != 2 * spatial)
    node.fail("expected kernel_shape and strides of " + Twine(spatial) +
              " entries and pads of twice as many, got others");
  for (size_t dim = 0; dim < spatial && !node.failed(); ++dim) {
    shape[dim + 2] = (pooled[dim + 2] - 1) * strides[dim] - pads[dim] - pads[spatial + dim] + kernel[dim];
    if (std::abs(kernel[dim]) > INT32_MAX || std::abs(strides[dim]) > INT32_MAX || shape[dim + 2] < 0)
      node.fail("expected windows that cover the result, got others");
  }
  return shape;
}

/// Elements go to the positions that the pooling took them from: a scatter into zeros. An output_shape above what the
/// window covers adds zeros behind.
static void importMaxUnpool(NodeImporter &node) {
  RankedTensorType type = node.type(0);
  if (!type || node.failed())
    return;
  if (type.getRank() < 3 || !type.hasStaticShape())
    return node.refuse("expected an input of static shape and rank 3 or more, got " + node.print(node.dims(0)));
  SmallVector<int64_t> covered = unpooledShape(node, type.getShape()), shape = covered;
  if (node.has(2) && !node.known(2) && node.declaredShape(0)) {
    shape = *node.declaredShape(0);
    node.require(node.emit<MatchesOp>(node.tensor(2), node.attr("choices", shape)),
                 "expected an output_shape as the model declares it, got another");
  } else if (node.has(2)) {
    shape = node.integers(2, "output_shape");
  }
  if (!node.failed() && shape.size() != covered.size())
    node.fail("expected an output_shape of " + Twine(covered.size()) + " sizes, got " + Twine(shape.size()));
  if (node.failed())
    return;
  AffineExpr count = node.symbols.product(node.numbers(covered)), taken = node.symbols.product(node.dims(0));
  SmallVector<int64_t> low(shape.size(), 0), high;
  for (auto [wanted, have] : llvm::zip_equal(shape, covered))
    high.push_back(wanted - have);
  if (!count || llvm::any_of(high, [](int64_t more) { return more < 0; }))
    return node.refuse("expected an output_shape of at least " + node.print(node.numbers(covered)) + ", got another");
  Value zeros = node.broadcast(node.scalar(0, type.getElementType()), {count});
  Value flat = node.emit<ScatterElementsOp>(
      {zeros, node.reshape(node.tensor(1), {taken}), node.reshape(node.tensor(0), {taken})},
      {node.attr("kind", ScatterKindAttr::get(node.context, ScatterKind::replace)), node.attr("axis", int64_t(0))});
  Value result = node.reshape(flat, node.numbers(covered));
  if (shape != covered)
    result = node.emit<PadOp>(result, {node.attr("low", low), node.attr("high", high)});
  node.set(0, result);
}

//===--- ai.onnx.ml ---===//

/// Picks along the last dimension; a vector counts as one row.
static void importArrayFeatureExtractor(NodeImporter &node) {
  SmallVector<AffineExpr> shape = node.dims(0);
  if (!node.failed() && shape.empty())
    node.fail("expected an input of rank 1 or more, got a scalar");
  AffineExpr count = node.symbols.product(node.dims(1));
  Value input = node.tensor(0), indices = node.reshape(node.tensor(1), {count});
  if (node.failed())
    return;
  if (shape.size() == 1)
    input = node.reshape(input, {node.number(1), shape[0]});
  int64_t axis = std::max<int64_t>(shape.size(), 2) - 1;
  node.set(0, node.emit<GatherOp>({input, indices}, node.attr("axis", axis)));
}

static void importBinarizer(NodeImporter &node) {
  double threshold = node.real("threshold", 0.0);
  Type type = node.elementType(0);
  if (!node.failed())
    node.set(0, node.convert(node.elementwise(ElementwiseKind::greater, {node.tensor(0), node.scalar(threshold, type)}),
                             type));
}

ArrayRef<Handler> coat::onnx::indexHandlers() {
  static const Handler handlers[] = {
      {"Scatter", 9, newest, importScatterElements}, // its name until opset 10
      {"ScatterElements", 11, newest, importScatterElements},
      {"ScatterND", 11, newest, importScatterND},
      {"GatherND", 11, newest, importGatherND},
      {"TopK", 1, newest, importTopK},
      {"ReverseSequence", 10, newest, importReverseSequence},
      {"CumSum", 11, newest, importCumulate<false>},
      {"CumProd", 26, newest, importCumulate<true>},
      {"Hardmax", 1, newest, importHardmax},
      {"MaxUnpool", 9, newest, importMaxUnpool},
      {"ai.onnx.ml.ArrayFeatureExtractor", 1, newest, importArrayFeatureExtractor},
      {"ai.onnx.ml.Binarizer", 1, newest, importBinarizer},
  };
  return handlers;
}
