// Ops whose data decide how many elements they give: NonZero, Compress, Unique, NonMaxSuppression.
#include "Node.h"
#include "coat/Dialect/IndexOps.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

/// The indices of what is not zero among elements that import knows; none where one is symbolic.
static std::optional<Known> nonZeroOfKnown(NodeImporter &node, const Known &known) {
  SmallVector<int64_t> found;
  int64_t rank = known.shape.size(), position = 0;
  bool decided = rank > 0;
  forEachIndex(known.shape, [&](ArrayRef<int64_t> index) {
    const Scalar &element = known.elements[position++];
    auto isZero = element.integer ? node.symbols.equal(element.integer, node.number(0)) : element.number == 0;
    decided &= isZero.has_value();
    if (isZero == false)
      llvm::append_range(found, index);
  });
  if (!decided)
    return std::nullopt;
  int64_t count = found.size() / rank;
  Known result{IntegerType::get(node.context, 64), {rank, count}, {}};
  for (int64_t dim = 0; dim < rank; ++dim)
    for (int64_t i = 0; i < count; ++i)
      result.elements.push_back({node.number(found[i * rank + dim])});
  return isTrackable(result.shape, result.elementType) ? std::optional(result) : std::nullopt;
}

static void importNonZero(NodeImporter &node) {
  int64_t rank = node.rank(0);
  const Known *known = node.failed() ? nullptr : node.known(0);
  if (auto result = known ? nonZeroOfKnown(node, *known) : std::nullopt)
    return node.set(0, std::move(*result));
  Operation *op = node.create<NonZeroOp>(node.tensor(0), {});
  if (!op)
    return;
  AffineExpr count = node.count(op->getResult(1), node.symbols.product(node.dims(0)));
  node.set(0, node.prefix(op->getResult(0), {node.number(rank), count}));
}

/// The input and the dimension that the attribute 'axis' names; without it, all elements in one dimension.
static Value alongAxis(NodeImporter &node, int64_t &axis) {
  Value input = node.tensor(0);
  if (node.hasAttribute("axis")) {
    axis = node.normalizeAxis(node.integer("axis", 0), node.rank(0));
    return input;
  }
  axis = 0;
  return node.reshape(input, {node.symbols.product(node.dims(0))});
}

static void importCompress(NodeImporter &node) {
  int64_t axis = 0;
  Value input = alongAxis(node, axis);
  Operation *op = node.create<CompressOp>({input, node.tensor(1)}, node.attr("axis", axis));
  if (!op)
    return;
  SmallVector<AffineExpr> shape = node.dims(input);
  shape[axis] = node.count(op->getResult(1), shape[axis]);
  node.set(0, node.prefix(op->getResult(0), shape));
}

static void importUnique(NodeImporter &node) {
  int64_t axis = 0;
  SmallVector<NamedAttribute> attributes;
  if (node.integer("sorted", 1) != 0)
    attributes.push_back(node.unit("sorted"));
  Value input = alongAxis(node, axis);
  attributes.push_back(node.attr("axis", axis));
  Operation *op = node.create<UniqueOp>(input, attributes);
  if (!op)
    return;
  SmallVector<AffineExpr> shape = node.dims(input);
  AffineExpr count = node.count(op->getResult(4), shape[axis]);
  shape[axis] = count;
  node.set(0, node.prefix(op->getResult(0), shape));
  node.set(1, node.prefix(op->getResult(1), count));
  node.set(2, op->getResult(2));
  node.set(3, node.prefix(op->getResult(3), count));
}

static void importNonMaxSuppression(NodeImporter &node) {
  int64_t center = node.integer("center_point_box", 0);
  if (center != 0 && center != 1)
    node.fail("attribute 'center_point_box': expected 0 or 1, got " + Twine(center));
  Type i64 = IntegerType::get(node.context, 64), f32 = Float32Type::get(node.context);
  SmallVector<AffineExpr> scores = node.dims(1);
  if (!node.failed() && scores.size() != 3)
    node.fail("expected scores of rank 3, got rank " + Twine(scores.size()));
  Value limits[] = {node.has(2) ? node.tensor(2) : node.scalar(0, i64),
                    node.has(3) ? node.tensor(3) : node.scalar(0, f32),
                    node.has(4) ? node.tensor(4) : node.scalar(-INFINITY, f32)};
  auto boxes = node.failed() ? std::nullopt : node.symbols.range(scores[2]);
  if (!boxes)
    return node.refuse("expected a bounded number of boxes, got " + node.print(scores));
  // No class can select more than all boxes.
  int64_t limit = boxes->max;
  const Known *most = node.has(2) ? node.known(2) : nullptr;
  if (auto numbers = most ? most->integers() : std::nullopt; numbers && numbers->size() == 1)
    limit = std::clamp<int64_t>(numbers->front(), 0, limit);
  SmallVector<NamedAttribute> attributes = {node.attr("limit", node.has(2) ? limit : 0)};
  if (center)
    attributes.push_back(node.unit("center"));
  Operation *op =
      node.create<NonMaxSuppressionOp>({node.tensor(0), node.tensor(1), limits[0], limits[1], limits[2]}, attributes);
  if (!op)
    return;
  AffineExpr count =
      node.count(op->getResult(1), node.symbols.product({scores[0], scores[1], node.number(node.has(2) ? limit : 0)}));
  node.set(0, node.prefix(op->getResult(0), {count, node.number(3)}));
}

ArrayRef<Handler> coat::onnx::selectHandlers() {
  static const Handler rows[] = {
      {"NonZero", 9, newest, importNonZero},
      {"Compress", 9, newest, importCompress},
      {"Unique", 11, newest, importUnique},
      {"NonMaxSuppression", 10, newest, importNonMaxSuppression},
  };
  return rows;
}
