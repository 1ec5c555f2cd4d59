// Slice: bounds from attributes or inputs, symbolic ones decided by the symbols' ranges.
#include "Declared.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

namespace {
/// One sliced dimension after the rules of ONNX: negative counts from the end, then clamping.
struct Cut {
  AffineExpr offset, size;
  int64_t step = 1;
};
} // namespace

/// A start or end counted from the front and clamped to [low, high]; null when the symbols' ranges do not decide.
static AffineExpr clampBound(const Symbols &symbols, AffineExpr bound, AffineExpr size, AffineExpr low,
                             AffineExpr high) {
  auto constant = constantOf(bound);
  if (constant && *constant > INT32_MAX) // "to the end", whatever the size
    return high;
  if (constant && *constant < INT32_MIN)
    return low;
  auto negative = symbols.less(bound, symbols.constant(0));
  if (!negative)
    return {};
  if (*negative)
    bound = symbols.sum(bound, size);
  AffineExpr raised = symbols.max(bound, low);
  return raised ? symbols.min(raised, high) : AffineExpr();
}

static std::optional<Cut> cutOf(const Symbols &symbols, AffineExpr start, AffineExpr end, int64_t step,
                                AffineExpr size) {
  AffineExpr zero = symbols.constant(0), one = symbols.constant(1), minusOne = symbols.constant(-1);
  bool forward = step > 0;
  AffineExpr last = symbols.difference(size, one);
  start = clampBound(symbols, start, size, zero, forward ? size : last);
  end = forward ? clampBound(symbols, end, size, zero, size) : clampBound(symbols, end, size, minusOne, last);
  if (!start || !end)
    return std::nullopt;
  AffineExpr extent = forward ? symbols.difference(end, start) : symbols.difference(start, end);
  extent = symbols.max(extent, zero);
  AffineExpr count = extent ? symbols.ceilDiv(extent, symbols.constant(std::abs(step))) : extent;
  return count ? std::optional(Cut{start, count, step}) : std::nullopt;
}

/// A dimension walked backwards is picked by constant indices.
static Value pickBackwards(NodeImporter &node, Value value, int64_t axis, const Cut &cut) {
  auto start = constantOf(cut.offset), count = constantOf(cut.size);
  if (!start || !count) {
    node.refuse("expected a static size to slice backwards, got a symbolic one; try --dim");
    return {};
  }
  SmallVector<int64_t> positions;
  for (int64_t i = 0; i < *count; ++i)
    positions.push_back(*start + i * cut.step);
  auto type = RankedTensorType::get(*count, IntegerType::get(node.context, 64));
  Value indices = node.constant(DenseElementsAttr::get(type, ArrayRef(positions)));
  return node.emit<GatherOp>({value, indices}, node.attr("axis", axis));
}

/// None where a bound is symbolic.
static std::optional<Known> sliceKnown(const Known &known, SmallVector<AffineExpr> offsets,
                                       SmallVector<AffineExpr> shape, SmallVector<int64_t> strides,
                                       ArrayRef<std::pair<int64_t, Cut>> backwards) {
  for (auto &[axis, cut] : backwards)
    std::tie(offsets[axis], shape[axis], strides[axis]) = std::tie(cut.offset, cut.size, cut.step);
  if (!llvm::all_of(offsets, constantOf) || !llvm::all_of(shape, constantOf))
    return std::nullopt;
  SmallVector<int64_t> sizes, positions, source(shape.size());
  for (AffineExpr size : shape)
    sizes.push_back(*constantOf(size));
  forEachIndex(sizes, [&](ArrayRef<int64_t> index) {
    for (size_t axis = 0; axis < index.size(); ++axis)
      source[axis] = *constantOf(offsets[axis]) + index[axis] * strides[axis];
    positions.push_back(broadcastPosition(source, known.shape));
  });
  return known.pick(positions, sizes);
}

static void importSlice(NodeImporter &node) {
  bool attributes = node.opset() < 10;
  if (!attributes && sliceAsDeclared(node))
    return;
  int64_t rank = node.rank(0);
  SmallVector<AffineExpr> starts = attributes ? node.numbers(node.integers("starts")) : node.sizes(1, "starts");
  SmallVector<AffineExpr> ends = attributes ? node.numbers(node.integers("ends")) : node.sizes(2, "ends");
  SmallVector<int64_t> axes = attributes    ? node.integers("axes")
                              : node.has(3) ? node.integers(3, "axes")
                                            : SmallVector<int64_t>();
  SmallVector<int64_t> steps = !attributes && node.has(4) ? node.integers(4, "steps") : SmallVector<int64_t>();
  if (attributes ? !node.hasAttribute("axes") : !node.has(3))
    axes = llvm::to_vector(llvm::seq<int64_t>(0, starts.size()));
  if (steps.empty())
    steps.assign(starts.size(), 1);
  axes = node.normalizeAxes(axes, rank);
  if (!node.failed() && (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()))
    node.fail("expected as many ends, axes and steps as starts, got " + Twine(starts.size()) + " starts, " +
              Twine(ends.size()) + " ends, " + Twine(axes.size()) + " axes, " + Twine(steps.size()) + " steps");
  if (llvm::any_of(steps, [](int64_t step) { return step == 0 || step == INT64_MIN; }))
    node.fail("expected steps other than 0, got 0");
  if (node.failed())
    return;
  SmallVector<AffineExpr> shape = node.dims(0), offsets(rank, node.number(0));
  SmallVector<int64_t> strides(rank, 1);
  SmallVector<std::pair<int64_t, Cut>> backwards;
  for (auto [axis, start, end, step] : llvm::zip_equal(axes, starts, ends, steps)) {
    auto cut = cutOf(node.symbols, start, end, step, shape[axis]);
    if (!cut)
      return node.refuse("expected bounds that the symbolic dimensions' ranges decide, got " +
                         node.symbols.print(start) + " to " + node.symbols.print(end) + " of " +
                         node.symbols.print(shape[axis]));
    if (step < 0) {
      backwards.push_back({axis, *cut});
      continue;
    }
    offsets[axis] = cut->offset;
    shape[axis] = cut->size;
    // A stride that is never taken, or reaches beyond the end, is 1.
    strides[axis] = constantOf(cut->size) && *constantOf(cut->size) <= 1 ? 1 : step;
  }
  if (const Known *known = node.known(0))
    if (auto sliced = sliceKnown(*known, offsets, shape, strides, backwards))
      return node.set(0, std::move(*sliced));
  Value result = node.slice(node.tensor(0), offsets, shape, strides);
  for (auto &[axis, cut] : backwards)
    result = pickBackwards(node, result, axis, cut);
  node.set(0, result);
}

ArrayRef<Handler> coat::onnx::sliceHandlers() {
  static const Handler rows[] = {{"Slice", 1, newest, importSlice}};
  return rows;
}
