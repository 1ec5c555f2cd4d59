// Shapes and constants: Shape, Size, Reshape, Flatten, Squeeze, Unsqueeze, Expand, Constant, ConstantOfShape,
// Range, EyeLike, Identity, Dropout.
#include "Declared.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

/// Constants that are computed here and not read from the file have at most this many elements.
static constexpr int64_t maxComputed = 1 << 24;

static Type i64(NodeImporter &node) { return IntegerType::get(node.context, 64); }

static Known knownSizes(NodeImporter &node, ArrayRef<AffineExpr> sizes) {
  Known result{i64(node), {int64_t(sizes.size())}, {}};
  for (AffineExpr size : sizes)
    result.elements.push_back({size});
  return result;
}

static void importShape(NodeImporter &node) {
  int64_t rank = node.rank(0);
  auto bound = [&](StringRef name, int64_t fallback) {
    int64_t value = node.opset() >= 15 ? node.integer(name, fallback) : fallback;
    return std::clamp<int64_t>(value < 0 ? value + rank : value, 0, rank);
  };
  int64_t start = bound("start", 0), end = bound("end", rank);
  if (!node.failed())
    node.set(0, knownSizes(node, ArrayRef(node.dims(0)).slice(start, std::max<int64_t>(end - start, 0))));
}

static void importSize(NodeImporter &node) {
  AffineExpr count = node.symbols.product(node.dims(0));
  if (!node.failed() && count)
    node.set(0, Known{i64(node), {}, {Scalar{count}}});
  else
    node.refuse("expected a number of elements that fits in 64 bits, got more");
}

//===--- shapes ---===//

/// Sets the result to input 0 under another shape.
static void setReshaped(NodeImporter &node, ArrayRef<AffineExpr> shape) {
  if (node.failed())
    return;
  const Known *known = node.known(0);
  SmallVector<int64_t> constants;
  for (AffineExpr size : shape)
    if (auto constant = constantOf(size))
      constants.push_back(*constant);
  bool fits = constants.size() == shape.size() && known && elementCount(constants) == int64_t(known->elements.size());
  if (fits)
    return node.set(0, known->reshaped(constants));
  node.set(0, node.reshape(node.tensor(0), shape));
}

/// 0 copies the input's size (unless allowzero), -1 is what is left.
static void importReshape(NodeImporter &node) {
  bool allowZero = node.opset() >= 14 && node.integer("allowzero", 0) != 0;
  if (reshapeAsDeclared(node, allowZero))
    return;
  SmallVector<AffineExpr> shape = node.sizes(1, "shape"), from = node.dims(0), rest;
  if (node.failed())
    return;
  int64_t inferred = -1;
  for (auto [position, size] : llvm::enumerate(shape)) {
    if (constantOf(size) == 0 && !allowZero) {
      if (position >= from.size())
        return node.fail("expected a shape whose zeros copy a dimension, got one at position " + Twine(position));
      size = from[position];
    }
    if (constantOf(size) == -1) {
      if (inferred >= 0)
        return node.fail("expected at most one -1 in the shape, got two");
      inferred = position;
    } else {
      rest.push_back(size);
    }
  }
  if (inferred >= 0) {
    bool empty = llvm::any_of(rest, [](AffineExpr size) { return constantOf(size) == 0; });
    AffineExpr size = empty ? node.number(0) : node.symbols.quotient(from, rest);
    auto whole = constantOf(node.symbols.product(from)), part = constantOf(node.symbols.product(rest));
    if (!size || (whole && part && *part != 0 && *whole % *part != 0))
      return node.fail("expected a shape that divides the elements of " + node.print(from) + ", got " +
                       node.print(shape));
    shape[inferred] = size;
  }
  setReshaped(node, shape);
}

static void importFlatten(NodeImporter &node) {
  int64_t rank = node.rank(0), axis = node.integer("axis", 1);
  if (axis != rank)
    axis = node.normalizeAxis(axis, rank);
  SmallVector<AffineExpr> from = node.dims(0);
  ArrayRef<AffineExpr> all = from;
  if (!node.failed())
    setReshaped(node, {node.symbols.product(all.take_front(axis)), node.symbols.product(all.drop_front(axis))});
}

/// Axes are an attribute until opset 12, an input later.
static SmallVector<int64_t> readAxes(NodeImporter &node, int64_t rank) {
  return node.normalizeAxes(node.opset() < 13 ? node.integers("axes")
                            : node.has(1)     ? node.integers(1, "axes")
                                              : SmallVector<int64_t>(),
                            rank);
}

static void importSqueeze(NodeImporter &node) {
  if (node.opset() >= 13 && squeezeAsDeclared(node))
    return;
  SmallVector<AffineExpr> from = node.dims(0), shape;
  SmallVector<int64_t> axes = readAxes(node, node.rank(0));
  bool all = node.opset() < 13 ? !node.hasAttribute("axes") : !node.has(1);
  for (auto [dim, size] : llvm::enumerate(from)) {
    bool one = constantOf(size) == 1, named = llvm::is_contained(axes, int64_t(dim));
    if (named && !one)
      return node.fail("expected size 1 of dimension " + Twine(dim) + ", got " + node.symbols.print(size));
    if (!(all ? one : named))
      shape.push_back(size);
  }
  setReshaped(node, shape);
}

static void importUnsqueeze(NodeImporter &node) {
  if (node.opset() >= 13 && unsqueezeAsDeclared(node))
    return;
  int64_t count = node.opset() < 13 ? node.integers("axes").size() : node.integers(1, "axes").size();
  SmallVector<int64_t> axes = readAxes(node, node.rank(0) + count);
  SmallVector<AffineExpr> shape = node.dims(0);
  llvm::sort(axes);
  if (node.failed())
    return;
  for (int64_t axis : axes)
    shape.insert(shape.begin() + axis, node.number(1));
  setReshaped(node, shape);
}

/// Both ways: a size of 1 in the given shape keeps the input's.
static void importExpand(NodeImporter &node) {
  if (expandAsDeclared(node))
    return;
  SmallVector<AffineExpr> shape = node.sizes(1, "shape"), from = node.dims(0);
  if (node.failed())
    return;
  shape = node.broadcastDims(from, shape);
  SmallVector<int64_t> constants;
  for (AffineExpr size : shape)
    constants.push_back(constantOf(size).value_or(-1));
  if (const Known *known = node.known(0); known && !node.failed() && isTrackable(constants, known->elementType)) {
    SmallVector<int64_t> positions;
    forEachIndex(constants,
                 [&](ArrayRef<int64_t> index) { positions.push_back(broadcastPosition(index, known->shape)); });
    return node.set(0, known->pick(positions, constants));
  }
  node.set(0, node.broadcast(node.tensor(0), shape));
}

//===--- constants ---===//

/// Makes a tensor attribute the result.
static void setTensor(NodeImporter &node, const Tensor &tensor) {
  if (auto known = node.importer.tensors.knownOf(tensor, node.symbols))
    return node.set(0, std::move(*known));
  if (!node.importer.tensors.typeOf(tensor))
    return node.refuse("expected elements of " + knownDataTypes.str() + ", got " + dataTypeName(tensor.type));
  node.set(0, node.constant(node.importer.tensors.attributeOf(tensor)));
}

/// A tensor attribute with its data found and checked.
static const Tensor *resolvedTensor(NodeImporter &node, StringRef name) {
  const Tensor *tensor = node.tensorAttribute(name);
  std::string error;
  if (tensor && !node.importer.tensors.resolve(const_cast<Tensor &>(*tensor), error))
    node.fail(error);
  return node.failed() ? nullptr : tensor;
}

static Scalar asScalar(NodeImporter &node, int64_t value) { return {node.number(value)}; }
static Scalar asScalar(NodeImporter &, double value) { return {{}, value}; }

/// Sets the result to numbers that are tracked.
template <typename Number>
static void setNumbers(NodeImporter &node, ArrayRef<int64_t> shape, ArrayRef<Number> numbers, Type type) {
  auto elements = llvm::map_to_vector(numbers, [&](Number number) { return asScalar(node, number); });
  node.set(0, Known{type, SmallVector<int64_t>(shape), std::move(elements)});
}

static void importConstant(NodeImporter &node) {
  Type f32 = Float32Type::get(node.context);
  if (const Tensor *tensor = resolvedTensor(node, "value"))
    return setTensor(node, *tensor);
  if (node.hasAttribute("value_int"))
    return setNumbers<int64_t>(node, {}, node.integer("value_int", 0), i64(node));
  if (node.hasAttribute("value_float"))
    return setNumbers<double>(node, {}, node.real("value_float", 0), f32);
  if (node.hasAttribute("value_ints")) {
    auto values = node.integers("value_ints");
    return setNumbers<int64_t>(node, int64_t(values.size()), values, i64(node));
  }
  if (node.hasAttribute("value_floats")) {
    auto values = node.reals("value_floats");
    return setNumbers<double>(node, int64_t(values.size()), values, f32);
  }
  node.refuse("expected attribute value, value_int, value_ints, value_float or value_floats, got none of them");
}

static void importConstantOfShape(NodeImporter &node) {
  SmallVector<AffineExpr> shape = sizesOrDeclared(node, 0, "a shape");
  const Tensor *tensor = resolvedTensor(node, "value");
  Known element{Float32Type::get(node.context), {}, {Scalar{}}};
  if (tensor) {
    auto known = node.importer.tensors.knownOf(*tensor, node.symbols);
    if (!known || known->elements.size() != 1)
      return node.refuse("attribute 'value': expected one element of " + knownDataTypes + ", got another tensor");
    element = known->reshaped({});
  }
  if (node.failed())
    return;
  SmallVector<int64_t> constants;
  for (AffineExpr size : shape)
    constants.push_back(constantOf(size).value_or(-1));
  auto count = elementCount(constants);
  if (count && isTrackable(constants, element.elementType))
    return node.set(0, element.pick(SmallVector<int64_t>(*count, 0), constants));
  Value scalar = node.constant(element);
  if (!scalar || !count)
    return node.set(0, node.broadcast(scalar, shape));
  auto value = cast<DenseElementsAttr>(cast<arith::ConstantOp>(scalar.getDefiningOp()).getValue());
  node.set(0, node.constant(DenseElementsAttr::get(RankedTensorType::get(constants, element.elementType),
                                                   value.getSplatValue<mlir::Attribute>())));
}

//===--- Range ---===//

static mlir::Attribute asAttribute(Type type, int64_t value) { return IntegerAttr::get(type, value); }
static mlir::Attribute asAttribute(Type type, double value) { return FloatAttr::get(type, value); }

/// Makes `numbers` the result, or as many of them as the symbolic `size` says.
template <typename Number>
static void setRange(NodeImporter &node, ArrayRef<Number> numbers, Type type, AffineExpr size = {}) {
  int64_t count = numbers.size();
  if (!size && isTrackable(count, type))
    return setNumbers(node, count, numbers, type);
  auto elements = llvm::map_to_vector(numbers, [&](Number n) { return asAttribute(type, n); });
  Value all = node.constant(DenseElementsAttr::get(RankedTensorType::get(count, type), elements));
  node.set(0, size ? node.slice(all, 0, node.number(0), size) : all);
}

/// How many of start, start + step, .. lie before the limit, exactly for all integers; none for a step of 0.
static std::optional<uint64_t> countOf(int64_t start, int64_t limit, int64_t step) {
  if (step == 0)
    return std::nullopt;
  if (step > 0 ? limit <= start : limit >= start)
    return 0;
  uint64_t up = uint64_t(limit) - uint64_t(start), stride = step;
  return step > 0 ? (up - 1) / stride + 1 : (-up - 1) / -stride + 1;
}

/// A symbolic limit takes the beginning of the longest range.
static void importIntegerRange(NodeImporter &node, Type type) {
  SmallVector<int64_t> starts = node.integers(0, "start"), steps = node.integers(2, "delta");
  SmallVector<AffineExpr> limits = node.sizes(1, "a limit");
  if (!node.failed() && (starts.size() != 1 || limits.size() != 1 || steps.size() != 1))
    node.fail("expected start, limit and delta of one element, got others");
  if (node.failed())
    return;
  int64_t start = starts.front(), step = steps.front();
  AffineExpr end = limits.front(), size;
  auto range = node.symbols.range(end);
  if (!range)
    return node.refuse("expected a bounded limit, got " + node.symbols.print(end));
  if (!constantOf(end)) {
    if (step != 1 || range->min < start)
      return node.refuse("expected delta 1 and a limit not below start, got others with a symbolic limit");
    size = node.symbols.difference(end, node.number(start));
  }
  auto count = countOf(start, range->max, step);
  if (!count || *count > uint64_t(maxComputed))
    return node.fail("expected at most " + Twine(maxComputed) + " elements and a delta other than 0, got others");
  SmallVector<int64_t> numbers(*count, start);
  for (size_t i = 1; i < numbers.size(); ++i)
    numbers[i] = numbers[i - 1] + step;
  setRange<int64_t>(node, numbers, type, size);
}

static void importRange(NodeImporter &node) {
  node.ignore("stash_type"); // narrow floats are computed in f32
  if (rangeAsDeclared(node))
    return;
  Type type = node.elementType(0);
  if (!node.failed() && (node.elementType(1) != type || node.elementType(2) != type))
    node.fail("expected start, limit and delta of one type, got several");
  if (node.failed())
    return;
  if (!isa<FloatType>(type))
    return importIntegerRange(node, type);
  double start = node.number(0, "start"), limit = node.number(1, "limit"), step = node.number(2, "delta");
  double count = step == 0 ? -1 : std::max(std::ceil((limit - start) / step), 0.0);
  if (!node.failed() && !(count >= 0 && count <= double(maxComputed)))
    node.fail("expected at most " + Twine(maxComputed) + " elements and a delta other than 0, got others");
  if (node.failed())
    return;
  SmallVector<double> numbers(int64_t(count), start);
  for (size_t i = 1; i < numbers.size(); ++i)
    numbers[i] = start + double(i) * step;
  setRange<double>(node, numbers, type);
}

//===--- EyeLike ---===//

static void importEyeLike(NodeImporter &node) {
  RankedTensorType shape = node.type(0);
  int64_t offset = node.integer("k", 0);
  Type type = shape ? shape.getElementType() : Type();
  if (node.hasAttribute("dtype"))
    type = elementTypeOf(node.integer("dtype", 0), node.context);
  if (!type)
    return node.refuse("attribute 'dtype': expected " + knownDataTypes + ", got another type");
  if (!shape || shape.getRank() != 2 || !shape.hasStaticShape())
    return node.refuse("expected a matrix of static size, got another shape");
  if (elementCount(shape.getShape()).value_or(INT64_MAX) > maxComputed)
    return node.refuse("expected at most " + Twine(maxComputed) + " elements, got more");
  SmallVector<mlir::Attribute> elements;
  auto element = [&](bool one) -> mlir::Attribute {
    return isa<FloatType>(type) ? mlir::Attribute(FloatAttr::get(type, double(one)))
                                : mlir::Attribute(IntegerAttr::get(type, APInt(type.getIntOrFloatBitWidth(), one)));
  };
  for (int64_t row = 0; row < shape.getDimSize(0); ++row)
    for (int64_t column = 0; column < shape.getDimSize(1); ++column)
      elements.push_back(element(column - row == offset));
  node.set(0, node.constant(DenseElementsAttr::get(RankedTensorType::get(shape.getShape(), type), elements)));
}

//===--- nothing to do ---===//

static void importIdentity(NodeImporter &node) { node.forward(0, 0); }

/// Inference: the input, and a mask of all elements.
static void importDropout(NodeImporter &node) {
  node.ignore("ratio");
  node.ignore("seed");
  if (node.opset() >= 12 && node.has(2) && node.number(2, "training_mode") != 0)
    return node.refuse("expected training_mode false, got true");
  node.forward(0, 0);
  RankedTensorType type = node.type(0);
  if (!node.wants(1) || node.failed())
    return;
  if (!type.hasStaticShape())
    return node.refuse("expected a static shape of the mask, got " + node.print(node.dims(0)));
  Type maskType = node.opset() < 10 ? type.getElementType() : IntegerType::get(node.context, 1);
  Value one = node.scalar(1, maskType);
  node.set(1, node.broadcast(one, node.dims(0)));
}

ArrayRef<Handler> coat::onnx::shapeHandlers() {
  static const Handler rows[] = {
      {"Shape", 1, newest, importShape},
      {"Size", 1, newest, importSize},
      {"Reshape", 5, newest, importReshape},
      {"Flatten", 1, newest, importFlatten},
      {"Squeeze", 1, newest, importSqueeze},
      {"Unsqueeze", 1, newest, importUnsqueeze},
      {"Expand", 8, newest, importExpand},
      {"Constant", 1, newest, importConstant},
      {"ConstantOfShape", 9, newest, importConstantOfShape},
      {"Range", 11, newest, importRange},
      {"EyeLike", 9, newest, importEyeLike},
      {"Identity", 1, newest, importIdentity},
      {"Dropout", 7, newest, importDropout},
  };
  return rows;
}
