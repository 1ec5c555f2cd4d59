// Ops that move elements: Concat, Split, Transpose, Tile, Gather, SpaceToDepth, Trilu, OneHot.
#include "Declared.h"
#include "coat/Dialect/IndexOps.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

static void importTranspose(NodeImporter &node) {
  int64_t rank = node.rank(0);
  SmallVector<int64_t> permutation = node.integers("perm");
  if (!node.hasAttribute("perm"))
    permutation = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank)));
  if (int64_t(permutation.size()) != rank)
    node.fail("attribute 'perm': expected " + Twine(rank) + " integers, got " + Twine(permutation.size()));
  permutation = node.normalizeAxes(permutation, rank);
  if (node.failed())
    return;
  if (const Known *known = node.known(0)) {
    auto shape = llvm::map_to_vector(permutation, [&](int64_t axis) { return known->shape[axis]; });
    SmallVector<int64_t> positions, source(rank);
    forEachIndex(shape, [&](ArrayRef<int64_t> index) {
      for (auto [to, from] : llvm::enumerate(permutation))
        source[from] = index[to];
      positions.push_back(broadcastPosition(source, known->shape));
    });
    return node.set(0, known->pick(positions, shape));
  }
  node.set(0, node.transpose(node.tensor(0), permutation));
}

//===--- Concat and Split ---===//

/// Concatenation of known values; none where their shapes do not fit.
static std::optional<Known> concatKnown(NodeImporter &node, int64_t axis) {
  SmallVector<const Known *> parts;
  for (unsigned input = 0; input < node.numInputs(); ++input) {
    parts.push_back(node.known(input));
    if (!parts.back() || parts.back()->elementType != parts.front()->elementType ||
        parts.back()->shape.size() != parts.front()->shape.size())
      return std::nullopt;
  }
  Known result{parts.front()->elementType, parts.front()->shape, {}};
  result.shape[axis] = 0;
  for (const Known *part : parts) {
    SmallVector<int64_t> fitting = result.shape;
    fitting[axis] = part->shape[axis];
    if (fitting != part->shape)
      return std::nullopt;
    result.shape[axis] += part->shape[axis];
  }
  if (!isTrackable(result.shape, result.elementType))
    return std::nullopt;
  int64_t outer = *elementCount(ArrayRef(result.shape).take_front(axis));
  for (int64_t row = 0; row < outer; ++row)
    for (const Known *part : parts) {
      size_t inner = part->elements.size() / outer;
      llvm::append_range(result.elements, ArrayRef(part->elements).slice(row * inner, inner));
    }
  return result;
}

static void importConcat(NodeImporter &node) {
  if (!node.hasAttribute("axis"))
    node.fail("expected attribute 'axis', got none");
  int64_t axis = node.normalizeAxis(node.integer("axis", 0), node.rank(0));
  if (node.failed())
    return;
  if (auto known = concatKnown(node, axis))
    return node.set(0, std::move(*known));
  SmallVector<Value> parts;
  for (unsigned input = 0; input < node.numInputs(); ++input)
    parts.push_back(node.tensor(input));
  node.set(0, node.concat(parts, axis));
}

/// Sizes that are computed at run time are those that the model declares of the parts.
static SmallVector<AffineExpr> declaredSplit(NodeImporter &node, int64_t axis) {
  SmallVector<int64_t> sizes;
  for (unsigned part = 0; part < node.numOutputs(); ++part)
    if (auto shape = node.declaredShape(part); shape && axis < int64_t(shape->size()))
      sizes.push_back((*shape)[axis]);
  if (sizes.size() != node.numOutputs() || node.type(1).getNumElements() != int64_t(sizes.size()))
    return node.sizes(1, "split sizes");
  node.require(node.emit<MatchesOp>(node.tensor(1), node.attr("choices", sizes)),
               "expected split sizes that give the shapes that the model declares, " + node.print(node.numbers(sizes)) +
                   ", got others");
  return node.numbers(sizes);
}

/// Sizes of the parts: attribute (until 12), input (from 13), or equal ones, the last smaller (num_outputs, 18).
static SmallVector<AffineExpr> splitSizes(NodeImporter &node, AffineExpr whole, int64_t axis) {
  Symbols &symbols = node.symbols;
  if (node.opset() < 13 && node.hasAttribute("split"))
    return node.numbers(node.integers("split"));
  if (node.opset() >= 13 && node.has(1))
    return comesAtRunTime(node, 1) ? declaredSplit(node, axis) : node.sizes(1, "split sizes");
  int64_t count = node.opset() >= 18 ? node.integer("num_outputs", node.numOutputs()) : node.numOutputs();
  if (count != int64_t(node.numOutputs()))
    node.fail("attribute 'num_outputs': expected " + Twine(node.numOutputs()) + ", got " + Twine(count));
  if (node.failed() || count < 1)
    return {};
  AffineExpr part = symbols.ceilDiv(whole, node.number(count));
  AffineExpr last = symbols.difference(whole, symbols.product(part, node.number(count - 1)));
  if (auto size = constantOf(last); size && (*size < 0 || (node.opset() < 18 && last != part)))
    node.fail("expected " + Twine(count) + " parts of equal size, got " + symbols.print(whole) + " elements");
  SmallVector<AffineExpr> sizes(count, part);
  sizes.back() = last;
  return sizes;
}

static void importSplit(NodeImporter &node) {
  int64_t axis = node.normalizeAxis(node.integer("axis", 0), node.rank(0));
  if (node.failed())
    return;
  AffineExpr whole = node.dims(0)[axis], offset = node.number(0);
  SmallVector<AffineExpr> sizes = splitSizes(node, whole, axis);
  if (!node.failed() && sizes.size() != node.numOutputs())
    node.fail("expected " + Twine(node.numOutputs()) + " split sizes, got " + Twine(sizes.size()));
  if (!node.failed())
    node.requireEqual(
        node.symbols.difference(whole, node.number(0)),
        llvm::accumulate(sizes, node.number(0), [&](AffineExpr a, AffineExpr b) { return node.symbols.sum(a, b); }),
        "sum of split sizes");
  const Known *known = node.rank(0) == 1 ? node.known(0) : nullptr;
  for (auto [index, size] : llvm::enumerate(sizes)) {
    if (node.failed())
      return;
    auto start = constantOf(offset), count = constantOf(size);
    if (known && start && count && *count >= 0)
      node.set(index, known->pick(llvm::to_vector(llvm::seq(*start, *start + *count)), *count));
    else
      node.set(index, node.slice(node.tensor(0), axis, offset, size));
    offset = node.symbols.sum(offset, size);
  }
}

//===--- Tile, Gather ---===//

/// [a, b] repeated r, s times: [1, a, 1, b] broadcast to [r, a, s, b], as [r*a, s*b].
static void importTile(NodeImporter &node) {
  if (tileAsDeclared(node))
    return;
  SmallVector<AffineExpr> repeats = node.sizes(1, "repeats");
  Value value = node.tensor(0);
  if (node.failed())
    return;
  SmallVector<AffineExpr> shape = node.dims(value), apart, repeated, joined;
  if (repeats.size() != shape.size())
    return node.fail("expected " + Twine(shape.size()) + " repeats, got " + Twine(repeats.size()));
  for (auto [size, repeat] : llvm::zip_equal(shape, repeats)) {
    joined.push_back(node.symbols.product(size, repeat));
    if (constantOf(repeat) != 1 && constantOf(size) != 1) {
      apart.push_back(node.number(1));
      repeated.push_back(repeat);
    }
    apart.push_back(size);
    repeated.push_back(constantOf(size) == 1 ? repeat : size);
  }
  node.set(0, node.reshape(node.broadcast(node.reshape(value, apart), repeated), joined));
}

/// The elements at `positions` (of shape `shape`) of dimension `axis`.
static Known gatherKnown(const Known &value, int64_t axis, ArrayRef<int64_t> positions, ArrayRef<int64_t> shape) {
  int64_t outer = *elementCount(ArrayRef(value.shape).take_front(axis)),
          inner = *elementCount(ArrayRef(value.shape).drop_front(axis + 1));
  SmallVector<int64_t> picked, result(ArrayRef(value.shape).take_front(axis));
  result.append(shape.begin(), shape.end());
  result.append(value.shape.begin() + axis + 1, value.shape.end());
  for (int64_t row = 0; row < outer; ++row)
    for (int64_t position : positions)
      for (int64_t i = 0; i < inner; ++i)
        picked.push_back((row * value.shape[axis] + position) * inner + i);
  return value.pick(picked, result);
}

/// A constant scalar index is a slice, which is a view; everything else is coat.gather.
static void importGather(NodeImporter &node) {
  int64_t axis = node.normalizeAxis(node.integer("axis", 0), node.rank(0));
  if (node.failed() || !node.type(1))
    return;
  AffineExpr size = node.dims(0)[axis];
  const Known *known = node.known(0), *indices = node.known(1);
  auto positions = indices ? indices->integers() : std::nullopt;
  auto extent = constantOf(size);
  if (positions && extent)
    for (int64_t &position : *positions) {
      if (position < -*extent || position >= *extent)
        return node.fail("expected an index of -" + Twine(*extent) + " to " + Twine(*extent - 1) + ", got " +
                         Twine(position));
      position += position < 0 ? *extent : 0;
    }
  if (known && positions && extent)
    return node.set(0, gatherKnown(*known, axis, *positions, indices->shape));
  if (positions && positions->size() == 1) {
    int64_t position = positions->front();
    AffineExpr offset = position < 0 ? node.symbols.sum(size, node.number(position)) : node.number(position);
    if (node.symbols.less(offset, size) == true) {
      SmallVector<AffineExpr> shape = node.dims(0);
      shape.erase(shape.begin() + axis);
      shape.insert(shape.begin() + axis, indices->shape.size(), node.number(1));
      return node.set(0, node.reshape(node.slice(node.tensor(0), axis, offset, node.number(1)), shape));
    }
  }
  node.set(0, node.emit<GatherOp>({node.tensor(0), node.tensor(1)}, node.attr("axis", axis)));
}

static void importGatherElements(NodeImporter &node) {
  int64_t axis = node.normalizeAxis(node.integer("axis", 0), node.rank(0));
  node.set(0,
           node.emit<GatherOp>({node.tensor(0), node.tensor(1)}, {node.attr("axis", axis), node.unit("elementwise")}));
}

//===--- blocks of space and depth ---===//

/// The block size and the sizes of an input [N, C, H, W].
static SmallVector<AffineExpr> blockShape(NodeImporter &node, AffineExpr &block) {
  int64_t size = node.integer("blocksize", 0);
  if (size < 1 || size > INT32_MAX)
    node.fail("attribute 'blocksize': expected at least 1, got " + Twine(size));
  if (node.rank(0) != 4)
    node.fail("expected an input of rank 4, got rank " + Twine(node.rank(0)));
  block = node.number(size);
  return node.dims(0);
}

static void importDepthToSpace(NodeImporter &node) {
  AffineExpr block;
  SmallVector<AffineExpr> in = blockShape(node, block);
  std::string mode = node.string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    node.fail("attribute 'mode': expected DCR or CRD, got " + mode);
  Value value = node.tensor(0);
  if (node.failed())
    return;
  AffineExpr depth = node.symbols.quotient(in[1], {block, block});
  if (!depth || constantOf(node.symbols.mod(in[1], node.symbols.product(block, block))) != 0)
    return node.fail("expected channels in multiples of blocksize^2, got " + node.symbols.print(in[1]));
  bool depthFirst = mode == "DCR";
  value = depthFirst ? node.reshape(value, {in[0], block, block, depth, in[2], in[3]})
                     : node.reshape(value, {in[0], depth, block, block, in[2], in[3]});
  value = node.transpose(value, depthFirst ? ArrayRef<int64_t>{0, 3, 4, 1, 5, 2} : ArrayRef<int64_t>{0, 1, 4, 2, 5, 3});
  node.set(0,
           node.reshape(value, {in[0], depth, node.symbols.product(in[2], block), node.symbols.product(in[3], block)}));
}

/// The mode (opset 28) says whether the position in a block or the channel comes first.
static void importSpaceToDepth(NodeImporter &node) {
  AffineExpr block;
  SmallVector<AffineExpr> in = blockShape(node, block);
  std::string mode = node.string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    node.fail("attribute 'mode': expected DCR or CRD, got " + mode);
  Value value = node.tensor(0);
  if (node.failed())
    return;
  for (AffineExpr size : {in[2], in[3]})
    if (constantOf(node.symbols.mod(size, block)) != 0)
      return node.fail("expected spatial sizes in multiples of blocksize, got " + node.symbols.print(size));
  AffineExpr rows = node.symbols.floorDiv(in[2], block), columns = node.symbols.floorDiv(in[3], block);
  value = node.reshape(value, {in[0], in[1], rows, block, columns, block});
  value =
      node.transpose(value, mode == "DCR" ? ArrayRef<int64_t>{0, 3, 5, 1, 2, 4} : ArrayRef<int64_t>{0, 1, 3, 5, 2, 4});
  node.set(0, node.reshape(value, {in[0], node.symbols.product({in[1], block, block}), rows, columns}));
}

//===--- Trilu, OneHot ---===//

/// The rows x columns mask of one triangle; symbolic sizes take the corner of the largest mask.
static Value triangleMask(NodeImporter &node, AffineExpr rows, AffineExpr columns, bool upper, int64_t diagonal) {
  auto height = node.symbols.range(rows), width = node.symbols.range(columns);
  auto count = height && width ? elementCount({height->max, width->max}) : std::nullopt;
  if (!count || *count > 1 << 24) {
    node.refuse("expected matrices of at most 16777216 elements, got " + node.print({rows, columns}));
    return {};
  }
  SmallVector<bool> keep;
  for (int64_t row = 0; row < height->max; ++row)
    for (int64_t column = 0; column < width->max; ++column)
      keep.push_back(upper ? column - row >= diagonal : column - row <= diagonal);
  auto type = RankedTensorType::get({height->max, width->max}, IntegerType::get(node.context, 1));
  Value mask = node.constant(DenseElementsAttr::get(type, keep));
  return node.slice(mask, node.numbers({0, 0}), {rows, columns}, {1, 1});
}

/// The same of a diagonal that is computed at run time: column - row is compared with it.
static Value triangleMask(NodeImporter &node, AffineExpr rows, AffineExpr columns, bool upper, Value diagonal) {
  Value row = node.reshape(node.positions(rows), {rows, node.number(1)});
  Value gap = node.elementwise(ElementwiseKind::sub, {node.positions(columns), row});
  return node.elementwise(upper ? ElementwiseKind::greater_equal : ElementwiseKind::less_equal,
                          {gap, node.reshape(diagonal, {})});
}

/// The other triangle becomes zero: a selection by a mask.
static void importTrilu(NodeImporter &node) {
  bool upper = node.integer("upper", 1) != 0, atRunTime = comesAtRunTime(node, 1);
  int64_t diagonal = node.has(1) && !atRunTime ? int64_t(node.number(1, "k")) : 0, rank = node.rank(0);
  if (!node.failed() && rank < 2)
    node.fail("expected matrices, got rank " + Twine(rank));
  if (node.failed())
    return;
  if (atRunTime) {
    SmallVector<AffineExpr> matrix = node.dims(0);
    Value mask = triangleMask(node, matrix[rank - 2], matrix[rank - 1], upper, node.tensor(1));
    Value zero = node.scalar(0, node.elementType(0));
    return node.set(0, node.elementwise(ElementwiseKind::select, {mask, node.tensor(0), zero}));
  }
  if (const Known *known = node.known(0)) {
    Known result = *known;
    int64_t position = 0;
    forEachIndex(known->shape, [&](ArrayRef<int64_t> index) {
      int64_t gap = index.back() - index[rank - 2];
      if (upper ? gap < diagonal : gap > diagonal)
        result.elements[position] = known->isFloat() ? Scalar{} : Scalar{node.number(0)};
      ++position;
    });
    return node.set(0, std::move(result));
  }
  SmallVector<AffineExpr> shape = node.dims(0);
  Value mask = triangleMask(node, shape[rank - 2], shape[rank - 1], upper, diagonal);
  Value zero = node.scalar(0, node.elementType(0));
  node.set(0, node.elementwise(ElementwiseKind::select, {mask, node.tensor(0), zero}));
}

/// The constant depth, or, of one that is computed at run time, the size that the model declares of the result.
static double readDepth(NodeImporter &node, int64_t axis) {
  auto shape = node.declaredShape(0);
  if (!comesAtRunTime(node, 1) || !shape || axis >= int64_t(shape->size()))
    return node.number(1, "depth");
  Value depth = node.convert(node.tensor(1), IntegerType::get(node.context, 64));
  node.require(node.emit<MatchesOp>(depth, node.attr("choices", ArrayRef<int64_t>((*shape)[axis]))),
               "expected a depth of " + Twine((*shape)[axis]) + ", as the model declares, got another");
  return double((*shape)[axis]);
}

/// indices compared with 0 .. depth-1 along a new dimension; an index below zero counts from the end.
static void importOneHot(NodeImporter &node) {
  int64_t rank = node.rank(0), axis = node.normalizeAxis(node.integer("axis", -1), rank + 1);
  double depth = readDepth(node, axis);
  Type indexType = node.elementType(0);
  if (!node.failed() && (depth < 1 || depth > 1e6 || !indexType.isIntOrFloat()))
    node.refuse("expected a depth of 1 to 1000000, got another");
  Value indices = node.tensor(0), values = node.tensor(2);
  if (node.failed())
    return;
  indices = node.convert(indices, IntegerType::get(node.context, 64));
  Type i64 = IntegerType::get(node.context, 64);
  Value wrapped = node.elementwise(ElementwiseKind::add, {indices, node.scalar(depth, i64)});
  Value negative = node.elementwise(ElementwiseKind::less, {indices, node.scalar(0, i64)});
  indices = node.elementwise(ElementwiseKind::select, {negative, wrapped, indices});
  SmallVector<AffineExpr> shape = node.dims(0);
  shape.insert(shape.begin() + axis, node.number(1));
  indices = node.reshape(indices, shape);
  SmallVector<int64_t> countShape(rank + 1 - axis, 1);
  countShape[0] = int64_t(depth);
  auto counts = llvm::to_vector(llvm::seq<int64_t>(0, int64_t(depth)));
  Value positions = node.constant(DenseElementsAttr::get(RankedTensorType::get(countShape, i64), ArrayRef(counts)));
  Value hot = node.elementwise(ElementwiseKind::equal, {indices, positions});
  auto pick = [&](int64_t position) {
    return node.reshape(node.slice(values, 0, node.number(position), node.number(1)), {});
  };
  if (node.dims(2) != node.numbers(2))
    return node.fail("expected two values, got " + node.print(node.dims(2)));
  node.set(0, node.elementwise(ElementwiseKind::select, {hot, pick(1), pick(0)}));
}

ArrayRef<Handler> coat::onnx::movementHandlers() {
  static const Handler rows[] = {
      {"Transpose", 1, newest, importTranspose},
      {"Concat", 4, newest, importConcat},
      {"Split", 2, newest, importSplit},
      {"Tile", 6, newest, importTile},
      {"Gather", 1, newest, importGather},
      {"GatherElements", 11, newest, importGatherElements},
      {"DepthToSpace", 1, newest, importDepthToSpace},
      {"SpaceToDepth", 1, newest, importSpaceToDepth},
      {"Trilu", 14, newest, importTrilu},
      {"OneHot", 9, newest, importOneHot},
  };
  return rows;
}
