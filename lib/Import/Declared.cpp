// Shapes as the model declares them, checked at run time; see Declared.h.
#include "Declared.h"
#include "coat/Dialect/IndexOps.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

/// Sets of dimensions are enumerated up to this rank.
static constexpr int64_t mostDims = 12;

bool coat::onnx::comesAtRunTime(NodeImporter &node, unsigned input) {
  RankedTensorType type = node.has(input) ? node.type(input) : RankedTensorType();
  return type && type.hasStaticShape() && type.getNumElements() != 0 && !node.known(input);
}

/// Requires every element of `input` to be one of its choices, which may differ in number.
static void requireChoices(NodeImporter &node, unsigned input, ArrayRef<SmallVector<int64_t>> choices, StringRef what) {
  size_t most = 0;
  for (const auto &own : choices)
    most = std::max(most, own.size());
  SmallVector<int64_t> flat;
  for (const auto &own : choices) {
    flat.append(own.begin(), own.end());
    flat.append(most - own.size(), own.front());
  }
  node.require(node.emit<MatchesOp>(node.tensor(input), node.attr("choices", flat)),
               "expected " + what + " that gives the shape that the model declares, " +
                   node.print(node.numbers(*node.declaredShape(0))) + ", got another");
}

/// Requires the axes of `input` to be one of `sets`.
static void requireAxes(NodeImporter &node, unsigned input, int64_t rank, ArrayRef<int64_t> sets) {
  node.require(node.emit<NamesAxesOp>(node.tensor(input), {node.attr("rank", rank), node.attr("sets", sets)}),
               "expected axes that give the shape that the model declares, " +
                   node.print(node.numbers(*node.declaredShape(0))) + ", got others");
}

/// The declared shape where input `input` comes at run time and has as many elements as `count`, if that is given.
static std::optional<SmallVector<int64_t>> declaredFor(NodeImporter &node, unsigned input) {
  return comesAtRunTime(node, input) ? node.declaredShape(0) : std::nullopt;
}

static std::optional<SmallVector<int64_t>> staticShape(NodeImporter &node, unsigned input) {
  RankedTensorType type = node.type(input);
  return type && type.hasStaticShape() ? std::optional(llvm::to_vector(type.getShape())) : std::nullopt;
}

SmallVector<AffineExpr> coat::onnx::sizesOrDeclared(NodeImporter &node, unsigned input, StringRef what) {
  auto shape = declaredFor(node, input);
  if (!shape || node.type(input).getNumElements() != int64_t(shape->size()))
    return node.sizes(input, what);
  requireChoices(node, input, llvm::map_to_vector(*shape, [](int64_t size) { return SmallVector<int64_t>{size}; }),
                 what);
  return node.numbers(*shape);
}

SmallVector<AffineExpr> coat::onnx::sizesOrDeclared(NodeImporter &node, unsigned input, StringRef what,
                                                    ArrayRef<int64_t> axes) {
  auto shape = declaredFor(node, input);
  if (!shape || node.type(input).getNumElements() != int64_t(axes.size()) ||
      llvm::any_of(axes, [&](int64_t axis) { return axis >= int64_t(shape->size()); }))
    return node.sizes(input, what);
  auto sizes = llvm::map_to_vector(axes, [&](int64_t axis) { return (*shape)[axis]; });
  requireChoices(node, input, llvm::map_to_vector(sizes, [](int64_t size) { return SmallVector<int64_t>{size}; }),
                 what);
  return node.numbers(sizes);
}

SmallVector<AffineExpr> coat::onnx::imageOrDeclared(NodeImporter &node, unsigned input, StringRef what) {
  auto shape = declaredFor(node, input);
  int64_t rank = shape ? shape->size() : 0;
  if (rank < 3 || node.type(input).getNumElements() != rank)
    return node.sizes(input, what);
  SmallVector<int64_t> decided(ArrayRef(*shape).drop_back());
  Value all = node.tensor(input);
  Value given = node.concat(
      {node.slice(all, 0, node.number(0), node.number(1)), node.slice(all, 0, node.number(2), node.number(rank - 2))},
      0);
  node.require(node.emit<MatchesOp>(given, node.attr("choices", decided)),
               "expected " + what + " that gives the shape that the model declares, " +
                   node.print(node.numbers(*shape)) + ", got another");
  SmallVector<int64_t> image = {decided.front(), 1};
  llvm::append_range(image, ArrayRef(decided).drop_front());
  return node.numbers(image);
}

SmallVector<double> coat::onnx::scalesOrDeclared(NodeImporter &node, unsigned input, ArrayRef<int64_t> axes) {
  SmallVector<double> scales;
  const Known *known = node.known(input);
  if (known && known->isFloat()) {
    for (const Scalar &element : known->elements)
      scales.push_back(element.number);
    return scales;
  }
  auto shape = declaredFor(node, input), from = staticShape(node, 0);
  bool fits = shape && from && from->size() == shape->size() && node.elementType(input).isF32() &&
              node.type(input).getNumElements() == int64_t(axes.size());
  if (!fits || llvm::any_of(axes, [&](int64_t axis) { return (*from)[axis] <= 0; })) {
    node.refuse("expected constant scales, got a value computed at run time");
    return scales;
  }
  auto ratios = llvm::map_to_vector(axes, [&](int64_t axis) { return float((*shape)[axis]) / float((*from)[axis]); });
  Type i32 = IntegerType::get(node.context, 32);
  Value wanted = node.constant(
      DenseElementsAttr::get(RankedTensorType::get(ratios.size(), node.elementType(input)), ArrayRef(ratios)));
  Value same = node.convert(node.elementwise(ElementwiseKind::equal, {node.tensor(input), wanted}), i32);
  Value all = node.emit<ReduceOp>(same, {node.attr("kind", ReduceKindAttr::get(node.context, ReduceKind::min)),
                                         node.attr("axes", ArrayRef<int64_t>{0})});
  node.require(node.elementwise(ElementwiseKind::greater, {all, node.scalar(0, i32)}),
               "expected scales that are the declared sizes " + node.print(node.numbers(*shape)) +
                   " divided by the input's, got others");
  scales.assign(ratios.begin(), ratios.end());
  return scales;
}

//===--- one input, another shape ---===//

bool coat::onnx::reshapeAsDeclared(NodeImporter &node, bool allowZero) {
  auto shape = declaredFor(node, 1);
  if (!shape || node.type(1).getNumElements() != int64_t(shape->size()))
    return false;
  SmallVector<AffineExpr> from = node.dims(0);
  SmallVector<SmallVector<int64_t>> choices;
  for (auto [dim, size] : llvm::enumerate(*shape)) {
    choices.push_back({size, -1});
    if (!allowZero && dim < from.size() && constantOf(from[dim]) == size)
      choices.back().push_back(0);
  }
  requireChoices(node, 1, choices, "a shape");
  node.set(0, node.reshape(node.tensor(0), node.numbers(*shape)));
  return true;
}

bool coat::onnx::expandAsDeclared(NodeImporter &node) {
  auto shape = declaredFor(node, 1), from = staticShape(node, 0);
  int64_t given = shape ? node.type(1).getNumElements() : 0, rank = shape ? shape->size() : 0;
  if (!shape || !from || given > rank)
    return false;
  SmallVector<SmallVector<int64_t>> choices;
  for (int64_t dim = rank - given; dim < rank; ++dim) {
    int64_t own = dim - (rank - int64_t(from->size()));
    choices.push_back({(*shape)[dim]});
    if (own >= 0 && (*from)[own] == (*shape)[dim])
      choices.back().push_back(1);
  }
  requireChoices(node, 1, choices, "a shape");
  node.set(0, node.broadcast(node.tensor(0), node.numbers(*shape)));
  return true;
}

bool coat::onnx::tileAsDeclared(NodeImporter &node) {
  auto shape = declaredFor(node, 1), from = staticShape(node, 0);
  if (!shape || !from || from->size() != shape->size() || node.type(1).getNumElements() != int64_t(shape->size()))
    return false;
  SmallVector<SmallVector<int64_t>> choices;
  SmallVector<AffineExpr> apart, repeated;
  for (auto [size, wanted] : llvm::zip_equal(*from, *shape)) {
    if (size < 1 || wanted % size != 0)
      return false;
    choices.push_back({wanted / size});
    llvm::append_range(apart, node.numbers({1, size}));
    llvm::append_range(repeated, node.numbers({wanted / size, size}));
  }
  requireChoices(node, 1, choices, "repeats");
  node.set(0, node.reshape(node.broadcast(node.reshape(node.tensor(0), apart), repeated), node.numbers(*shape)));
  return true;
}

/// Calls `visit` with each set of `count` of `rank` dimensions.
static void eachSet(int64_t rank, int64_t count, llvm::function_ref<void(int64_t)> visit) {
  for (int64_t set = 0; set < int64_t(1) << rank; ++set)
    if (llvm::popcount(uint64_t(set)) == count)
      visit(set);
}

/// `shape` without the dimensions of `set`, or, with `keep`, with size 1 there.
static SmallVector<int64_t> without(ArrayRef<int64_t> shape, int64_t set, bool keep = false) {
  SmallVector<int64_t> result;
  for (auto [dim, size] : llvm::enumerate(shape)) {
    if (!(set >> dim & 1))
      result.push_back(size);
    else if (keep)
      result.push_back(1);
  }
  return result;
}

/// Sets of dimensions of size 1 of `longer` without which it is `shorter`.
static SmallVector<int64_t> onesBetween(ArrayRef<int64_t> longer, ArrayRef<int64_t> shorter, int64_t count) {
  SmallVector<int64_t> sets;
  eachSet(longer.size(), count, [&](int64_t set) {
    bool ones = true;
    for (auto [dim, size] : llvm::enumerate(longer))
      ones &= !(set >> dim & 1) || size == 1;
    if (ones && without(longer, set) == shorter)
      sets.push_back(set);
  });
  return sets;
}

static bool dropOnes(NodeImporter &node, bool unsqueeze) {
  auto shape = declaredFor(node, 1), from = staticShape(node, 0);
  if (!shape || !from || std::max(shape->size(), from->size()) > size_t(mostDims))
    return false;
  ArrayRef<int64_t> longer = unsqueeze ? *shape : *from, shorter = unsqueeze ? *from : *shape;
  SmallVector<int64_t> sets = onesBetween(longer, shorter, node.type(1).getNumElements());
  if (sets.empty())
    return false;
  requireAxes(node, 1, longer.size(), sets);
  node.set(0, node.reshape(node.tensor(0), node.numbers(*shape)));
  return true;
}

bool coat::onnx::squeezeAsDeclared(NodeImporter &node) { return dropOnes(node, false); }
bool coat::onnx::unsqueezeAsDeclared(NodeImporter &node) { return dropOnes(node, true); }

//===--- Range ---===//

/// start + i * delta, computed in f32 for the narrower floats; the number of elements is checked in f64.
bool coat::onnx::rangeAsDeclared(NodeImporter &node) {
  auto shape = node.declaredShape(0);
  bool atRunTime = comesAtRunTime(node, 0) || comesAtRunTime(node, 1) || comesAtRunTime(node, 2);
  if (!atRunTime || !shape || shape->size() != 1)
    return false;
  Type type = node.elementType(0), f64 = Float64Type::get(node.context);
  Type computed = isa<FloatType>(type) && type.getIntOrFloatBitWidth() < 32 ? Float32Type::get(node.context) : type;
  Value start = node.reshape(node.tensor(0), {}), limit = node.reshape(node.tensor(1), {}),
        step = node.reshape(node.tensor(2), {});
  auto binary = [&](ElementwiseKind kind, Value a, Value b) { return node.elementwise(kind, {a, b}); };
  Value gap = binary(ElementwiseKind::sub, node.convert(limit, f64), node.convert(start, f64));
  Value count = node.elementwise(ElementwiseKind::ceil, binary(ElementwiseKind::div, gap, node.convert(step, f64)));
  count = binary(ElementwiseKind::max, count, node.scalar(0, f64));
  node.require(binary(ElementwiseKind::equal, count, node.scalar(double((*shape)[0]), f64)),
               "expected a range of " + Twine((*shape)[0]) + " elements, as the model declares, got another");
  Value positions = node.convert(node.positions(node.number((*shape)[0])), computed);
  Value offsets = binary(ElementwiseKind::mul, positions, node.convert(step, computed));
  node.set(0, node.convert(binary(ElementwiseKind::add, offsets, node.convert(start, computed)), type));
  return true;
}

//===--- Slice, Pad ---===//

/// A vector of one number.
static Value filled(NodeImporter &node, int64_t value, int64_t size, Type type) {
  return node.broadcast(node.scalar(double(value), type), {node.number(size)});
}

/// Input `input`, or all dimensions in order.
static Value axesOrAll(NodeImporter &node, unsigned input, int64_t count, Type type) {
  return node.has(input) ? node.tensor(input) : node.convert(node.positions(node.number(count)), type);
}

/// Requires the second result of `op` and sets its first.
static void setChecked(NodeImporter &node, Operation *op, StringRef what) {
  if (!op)
    return;
  node.require(op->getResult(1), "expected " + what + " that give the shape that the model declares, " +
                                     node.print(node.dims(op->getResult(0))) + ", got others");
  node.set(0, op->getResult(0));
}

bool coat::onnx::sliceAsDeclared(NodeImporter &node) {
  auto shape = node.declaredShape(0), from = staticShape(node, 0);
  bool atRunTime = false;
  for (unsigned input = 1; input <= 4; ++input)
    atRunTime |= comesAtRunTime(node, input);
  if (!atRunTime || !shape || !from || shape->size() != from->size())
    return false;
  RankedTensorType starts = node.type(1);
  if (!starts || starts.getRank() != 1)
    return false;
  int64_t count = starts.getNumElements();
  Value axes = axesOrAll(node, 3, count, starts.getElementType());
  Value steps = node.has(4) ? node.tensor(4) : filled(node, 1, count, starts.getElementType());
  setChecked(
      node,
      node.create<SliceAtOp>({node.tensor(0), node.tensor(1), node.tensor(2), axes, steps}, node.attr("sizes", *shape)),
      "bounds");
  return true;
}

bool coat::onnx::padAsDeclared(NodeImporter &node, PadMode mode) {
  auto shape = node.declaredShape(0), from = staticShape(node, 0);
  bool atRunTime = comesAtRunTime(node, 1) || comesAtRunTime(node, 3);
  if (!atRunTime || !shape || !from || shape->size() != from->size() || !node.has(1) || !node.type(1))
    return false;
  Value axes = axesOrAll(node, 3, from->size(), node.elementType(1));
  Value value = node.has(2) ? node.tensor(2) : node.scalar(0, node.elementType(0));
  setChecked(
      node,
      node.create<PadAtOp>({node.tensor(0), node.tensor(1), axes, value},
                           {node.attr("mode", PadModeAttr::get(node.context, mode)), node.attr("sizes", *shape)}),
      "pads");
  return true;
}

//===--- reductions ---===//

/// Each set of axes that gives the declared shape is reduced, and the run selects one: most often there is only one.
bool coat::onnx::reduceAsDeclared(NodeImporter &node, bool keepDims,
                                  llvm::function_ref<Value(ArrayRef<int64_t>)> reduce) {
  auto shape = declaredFor(node, 1), from = staticShape(node, 0);
  if (!shape || !from || from->size() > size_t(mostDims))
    return false;
  // By what they reduce: dimensions of size 1 make no difference where they are kept or their place is the same.
  SmallVector<std::pair<SmallVector<int64_t>, SmallVector<int64_t>>> groups;
  SmallVector<int64_t> all;
  int64_t rank = from->size();
  eachSet(rank, node.type(1).getNumElements(), [&](int64_t set) {
    if (without(*from, set, keepDims) != *shape)
      return;
    all.push_back(set);
    SmallVector<int64_t> axes;
    for (int64_t dim = 0; dim < rank; ++dim)
      if (set >> dim & 1 && (!keepDims || (*from)[dim] != 1))
        axes.push_back(dim);
    auto *found = llvm::find_if(groups, [&](auto &group) { return group.first == axes; });
    if (found == groups.end())
      found = &groups.emplace_back(axes, SmallVector<int64_t>());
    found->second.push_back(set);
  });
  constexpr size_t most = 8;
  if (groups.empty() || groups.size() > most)
    return false;
  requireAxes(node, 1, rank, all);
  Value result;
  for (auto &[axes, sets] : groups) {
    if (axes.empty()) // nothing but dimensions of size 1
      for (int64_t dim = 0; dim < rank; ++dim)
        if (sets.front() >> dim & 1)
          axes.push_back(dim);
    Value reduced = reduce(axes);
    if (!result) {
      result = reduced;
      continue;
    }
    Value chosen = node.emit<NamesAxesOp>(node.tensor(1), {node.attr("rank", rank), node.attr("sets", sets)});
    result = node.elementwise(ElementwiseKind::select, {chosen, reduced, result});
  }
  node.set(0, result);
  return true;
}
