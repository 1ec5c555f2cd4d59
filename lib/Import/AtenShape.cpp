// ATen: views, slices and other movement; sizes as values.
#include "Aten.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

using Sizes = SmallVector<AffineExpr>;

//===--- views ---===//

/// A shape in which one size may be -1.
static void reshapeTo(AtenNode node, StringRef name) {
  Value x = node.tensor("self");
  Sizes shape = node.sizes(name);
  if (!x || node->failed())
    return;
  Sizes parts;
  AffineExpr *open = nullptr;
  for (AffineExpr &size : shape)
    if (constantOf(size) == -1)
      open = &size;
    else
      parts.push_back(size);
  if (open) {
    *open = node->symbols.quotient(node->dims(x), parts);
    if (!*open)
      return node->refuse("expected sizes that divide " + node->print(node->dims(x)) + ", got others");
  }
  node->set(0, node->reshape(x, shape));
}
static void view(AtenNode node) { reshapeTo(node, "size"); }
static void reshape(AtenNode node) { reshapeTo(node, "shape"); }

static void flatten(AtenNode node) {
  Value x = node.tensor("self");
  if (!x)
    return;
  int64_t rank = AtenNode::rank(x), first = node.axis("start_dim", 0, rank), last = node.axis("end_dim", -1, rank);
  Sizes dims = node->dims(x);
  if (node->failed() || first > last)
    return node->fail("expected start_dim before end_dim, got it behind");
  Sizes shape(ArrayRef(dims).take_front(first));
  shape.push_back(node->symbols.product(ArrayRef(dims).slice(first, rank ? last - first + 1 : 0)));
  llvm::append_range(shape, ArrayRef(dims).drop_front(rank ? last + 1 : 0));
  node->set(0, node->reshape(x, shape));
}

static void unflatten(AtenNode node) {
  Value x = node.tensor("self");
  Sizes parts = node.sizes("sizes");
  if (!x || node->failed())
    return;
  Sizes shape = node->dims(x);
  int64_t axis = node.axis("dim", 0, shape.size());
  Sizes known;
  for (AffineExpr part : parts)
    if (constantOf(part) != -1)
      known.push_back(part);
  for (AffineExpr &part : parts)
    if (constantOf(part) == -1)
      part = node->symbols.quotient(shape[axis], known);
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, parts.begin(), parts.end());
  node->set(0, node->reshape(x, shape));
}

static void unsqueeze(AtenNode node) {
  Value x = node.tensor("self");
  if (!x)
    return;
  Sizes shape = node->dims(x);
  int64_t axis = node->normalizeAxis(node.integer("dim", 0), shape.size() + 1);
  if (node->failed())
    return;
  shape.insert(shape.begin() + axis, node->number(1));
  node->set(0, node->reshape(x, shape));
}

static void squeeze(AtenNode node) {
  Value x = node.tensor("self");
  if (!x)
    return;
  Sizes dims = node->dims(x), shape;
  SmallVector<int64_t> axes = node.axes("dim", dims.size());
  for (auto [axis, size] : llvm::enumerate(dims))
    if (!llvm::is_contained(axes, int64_t(axis)) || constantOf(size) != 1)
      shape.push_back(size);
  node->set(0, node->reshape(x, shape));
}

static void permute(AtenNode node) {
  if (Value x = node.tensor("self"))
    node->set(0, node->transpose(x, node->normalizeAxes(node.integers("dims"), AtenNode::rank(x))));
}

static void transposeOf(AtenNode node, int64_t a, int64_t b) {
  Value x = node.tensor("self");
  if (!x)
    return;
  int64_t rank = AtenNode::rank(x);
  auto permutation = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (rank > 1)
    std::swap(permutation[node.axis("dim0", a, rank)], permutation[node.axis("dim1", b, rank)]);
  node->set(0, node->transpose(x, permutation));
}
static void transpose(AtenNode node) { transposeOf(node, 0, 1); }

/// -1 keeps a size.
static void expand(AtenNode node) {
  node.ignore({"implicit"});
  Value x = node.tensor("self");
  Sizes shape = node.sizes("size");
  if (!x || node->failed())
    return;
  Sizes from = node->dims(x);
  if (from.size() > shape.size())
    return node->fail("expected at least " + Twine(from.size()) + " sizes, got " + Twine(shape.size()));
  size_t added = shape.size() - from.size();
  for (size_t i = added; i < shape.size(); ++i)
    if (constantOf(shape[i]) == -1)
      shape[i] = from[i - added];
  node->set(0, node->broadcast(x, shape));
}

static void repeat(AtenNode node) {
  Value x = node.tensor("self");
  SmallVector<int64_t> times = node.integers("repeats");
  if (!x || node->failed())
    return;
  Sizes shape = node->dims(x);
  shape.insert(shape.begin(), times.size() - std::min(times.size(), shape.size()), node->number(1));
  if (shape.size() != times.size() || llvm::any_of(times, [](int64_t n) { return n < 1; }))
    return node->refuse("argument 'repeats': expected a positive number for each dimension, got others");
  // [n] -> [1, n] -> [times, n] -> [times n]
  Sizes split, wide, joined;
  for (auto [size, count] : llvm::zip(shape, times)) {
    split.append({node->number(1), size});
    wide.append({node->number(count), size});
    joined.push_back(node->symbols.product(node->number(count), size));
  }
  node->set(0, node->reshape(node->broadcast(node->reshape(x, split), wide), joined));
}

//===--- parts ---===//

static void cat(AtenNode node) {
  SmallVector<Value> parts = node.tensors("tensors");
  if (node->failed() || llvm::is_contained(parts, Value()))
    return;
  node->set(0, node->concat(parts, node.axis("dim", 0, AtenNode::rank(parts.front()))));
}

static void stack(AtenNode node) {
  SmallVector<Value> parts = node.tensors("tensors");
  if (node->failed() || llvm::is_contained(parts, Value()))
    return;
  int64_t axis = node->normalizeAxis(node.integer("dim", 0), AtenNode::rank(parts.front()) + 1);
  if (node->failed())
    return;
  for (Value &part : parts) {
    Sizes shape = node->dims(part);
    shape.insert(shape.begin() + axis, node->number(1));
    part = node->reshape(part, shape);
  }
  node->set(0, node->concat(parts, axis));
}

/// Results of the given sizes, one behind the other.
static void cut(AtenNode node, Value x, int64_t axis, ArrayRef<AffineExpr> sizes) {
  AffineExpr offset = node->number(0);
  for (auto [result, size] : llvm::enumerate(sizes)) {
    if (result < node->numOutputs() && node->wants(result))
      node->set(result, node->slice(x, axis, offset, size));
    offset = node->symbols.sum(offset, size);
  }
}

static std::optional<int64_t> staticSize(AtenNode node, Value x, int64_t axis) {
  auto size = constantOf(node->dims(x)[axis]);
  if (!size)
    node->refuse("expected a static size of the dimension that is split, got a symbolic one; try --dim");
  return size;
}

/// Parts of `step` elements, the last one smaller.
static void cutEvenly(AtenNode node, Value x, int64_t axis, int64_t size, int64_t step) {
  Sizes sizes;
  if (step < 1)
    return node->fail("expected parts of at least one element, got " + Twine(step));
  for (int64_t at = 0; at < size; at += step)
    sizes.push_back(node->number(std::min(step, size - at)));
  cut(node, x, axis, sizes);
}

static void split(AtenNode node) {
  Value x = node.tensor("self");
  if (!x)
    return;
  int64_t axis = node.axis("dim", 0, AtenNode::rank(x));
  if (node.has("split_sizes"))
    return cut(node, x, axis, node.sizes("split_sizes"));
  SmallVector<int64_t> step = node.integers("split_size");
  if (auto size = staticSize(node, x, axis); size && step.size() == 1)
    cutEvenly(node, x, axis, *size, step.front());
}

static void chunk(AtenNode node) {
  Value x = node.tensor("self");
  if (!x)
    return;
  int64_t axis = node.axis("dim", 0, AtenNode::rank(x)), chunks = node.integer("chunks", 1);
  if (auto size = staticSize(node, x, axis); size && chunks > 0)
    cutEvenly(node, x, axis, *size, llvm::divideCeil(*size, chunks));
}

/// One index of a dimension, which leaves the shape.
static Value pick(AtenNode node, Value x, int64_t axis, AffineExpr index) {
  Value part = node->slice(x, axis, index, node->number(1));
  Sizes shape = node->dims(x);
  shape.erase(shape.begin() + axis);
  return node->reshape(part, shape);
}

static void unbind(AtenNode node) {
  Value x = node.tensor("self");
  if (!x)
    return;
  int64_t axis = node.axis("dim", 0, AtenNode::rank(x));
  auto size = staticSize(node, x, axis);
  for (int64_t i = 0; size && i < *size; ++i)
    if (i < int64_t(node->numOutputs()) && node->wants(i))
      node->set(i, pick(node, x, axis, node->number(i)));
}

static void select(AtenNode node) {
  Value x = node.tensor("self");
  if (!x)
    return;
  int64_t axis = node.axis("dim", 0, AtenNode::rank(x)), index = node.integer("index", 0);
  AffineExpr size = node->dims(x)[axis],
             at = index < 0 ? node->symbols.sum(size, node->number(index)) : node->number(index);
  if (!node->failed())
    node->set(0, pick(node, x, axis, at));
}

/// Bounds beyond the ends are the ends.
static void slice(AtenNode node) {
  Value x = node.tensor("self");
  if (!x)
    return;
  const Symbols &symbols = node->symbols;
  int64_t axis = node.axis("dim", 0, AtenNode::rank(x)), step = node.integer("step", 1);
  Sizes shape = node->dims(x), offsets(shape.size(), node->number(0));
  AffineExpr size = shape[axis], zero = node->number(0);
  auto bound = [&](StringRef name, AffineExpr fallback) {
    const AttributeData *given = node->argument(name);
    if (!given)
      return fallback;
    if (given->kind == AttributeData::Int && (given->i < INT32_MIN || given->i > INT32_MAX))
      return given->i < 0 ? zero : size;
    AffineExpr value = node.size(name, 0);
    auto constant = constantOf(value);
    if (constant && *constant < 0)
      value = symbols.max(symbols.sum(size, value), zero);
    return value ? symbols.min(value, size) : value;
  };
  AffineExpr start = bound("start", zero), end = bound("end", size);
  AffineExpr extent = start && end ? symbols.max(symbols.difference(end, start), zero) : AffineExpr();
  if (!extent || step < 1)
    return node->refuse("expected a positive step and bounds that the symbolic dimensions' ranges decide, got others");
  offsets[axis] = start;
  shape[axis] = symbols.ceilDiv(extent, node->number(step));
  SmallVector<int64_t> strides(shape.size(), 1);
  strides[axis] = step;
  node->set(0, node->slice(x, offsets, shape, strides));
}

static void roll(AtenNode node) {
  Value x = node.tensor("self");
  SmallVector<int64_t> shifts = node.integers("shifts"), axes = node.integers("dims");
  if (!x || axes.size() != shifts.size())
    return node->refuse("expected one dimension a shift, got others");
  axes = node->normalizeAxes(axes, AtenNode::rank(x));
  for (auto [axis, shift] : llvm::zip(axes, shifts)) {
    auto size = node->failed() ? std::nullopt : staticSize(node, x, axis);
    if (!size)
      return;
    int64_t tail = *size ? ((shift % *size) + *size) % *size : 0; // elements that come round to the front
    if (tail)
      x = node->concat({node->slice(x, axis, node->number(*size - tail), node->number(tail)),
                        node->slice(x, axis, node->number(0), node->number(*size - tail))},
                       axis);
  }
  node->set(0, x);
}

//===--- padding and picking ---===//

/// Pairs of pads from the last dimension on.
static void pad(AtenNode node) {
  Value x = node.tensor("self");
  SmallVector<int64_t> pairs = node.integers("pad");
  std::string name = node.string("mode", "constant");
  double value = node.number("value", 0);
  auto mode = llvm::StringSwitch<std::optional<PadMode>>(name)
                  .Case("constant", PadMode::constant)
                  .Case("reflect", PadMode::reflect)
                  .Case("replicate", PadMode::edge)
                  .Case("circular", PadMode::wrap)
                  .Default(std::nullopt);
  if (!x || !mode)
    return node->refuse("argument 'mode': expected constant, reflect, replicate or circular, got '" + name + "'");
  Sizes shape = node->dims(x), offsets(shape.size(), node->number(0));
  SmallVector<int64_t> low(shape.size(), 0), high(low);
  if (pairs.size() % 2 || pairs.size() / 2 > shape.size())
    return node->fail("argument 'pad': expected pairs of at most " + Twine(shape.size()) + " dimensions, got " +
                      Twine(pairs.size()));
  bool isCropped = false;
  for (size_t i = 0; i < pairs.size() / 2; ++i) {
    size_t axis = shape.size() - 1 - i;
    int64_t before = pairs[2 * i], after = pairs[2 * i + 1];
    isCropped |= before < 0 || after < 0;
    low[axis] = std::max<int64_t>(before, 0);
    high[axis] = std::max<int64_t>(after, 0);
    offsets[axis] = node->number(std::max<int64_t>(-before, 0));
    shape[axis] =
        node->symbols.sum(shape[axis], node->number(std::min<int64_t>(before, 0) + std::min<int64_t>(after, 0)));
  }
  if (isCropped)
    x = node->slice(x, offsets, shape, SmallVector<int64_t>(shape.size(), 1));
  node->set(0, node->emit<PadOp>(x, {node->attr("low", low), node->attr("high", high), node->attr("value", value),
                                     node->attr("mode", PadModeAttr::get(node->context, *mode))}));
}

/// x[.., indices, ..] with one tensor of indices.
static void index(AtenNode node) {
  Value x = node.tensor("self");
  SmallVector<Value> indices = node.tensors("indices");
  int64_t axis = llvm::find_if(indices, [](Value value) { return bool(value); }) - indices.begin();
  if (!x || llvm::count_if(indices, [](Value value) { return bool(value); }) != 1 ||
      AtenNode::elementTypeOf(indices[axis]).isInteger(1))
    return node->refuse("argument 'indices': expected one tensor of integers, got others");
  node->set(0, node->emit<GatherOp>({x, indices[axis]}, node->attr("axis", axis)));
}

static void indexSelect(AtenNode node) {
  Value x = node.tensor("self");
  if (x)
    node->set(
        0, node->emit<GatherOp>({x, node.tensor("index")}, node->attr("axis", node.axis("dim", 0, AtenNode::rank(x)))));
}

static void gather(AtenNode node) {
  node.ignore({"sparse_grad"});
  Value x = node.tensor("self");
  if (x)
    node->set(
        0, node->emit<GatherOp>({x, node.tensor("index")}, {node->attr("axis", node.axis("dim", 0, AtenNode::rank(x))),
                                                            node->unit("elementwise")}));
}

/// [N, C r r, H, W] -> [N, C, H r, W r].
static void pixelShuffle(AtenNode node) {
  Value x = node.tensor("self");
  if (!x || AtenNode::rank(x) != 4)
    return node->refuse("expected an image of rank 4, got another");
  Sizes dims = node->dims(x);
  AffineExpr r = node->number(node.integer("upscale_factor", 1));
  AffineExpr channels = node->symbols.quotient(dims[1], {r, r});
  if (!channels)
    return node->fail("expected channels that the factor's square divides, got " + node->print(dims[1]));
  Value split = node->transpose(node->reshape(x, {dims[0], channels, r, r, dims[2], dims[3]}), {0, 1, 4, 2, 5, 3});
  node->set(0, node->reshape(
                   split, {dims[0], channels, node->symbols.product(dims[2], r), node->symbols.product(dims[3], r)}));
}

//===--- sizes and constants as values ---===//

static void setSize(AtenNode node, AffineExpr size) {
  Known known;
  known.elementType = IntegerType::get(node->context, 64);
  known.elements = {onnx::Scalar{size, 0}};
  if (!size)
    return node->refuse("expected sizes that are affine in the symbolic dimensions, got others");
  node->set(0, std::move(known));
}

static void symSize(AtenNode node) {
  if (Value x = node.tensor("self"))
    setSize(node, node->dims(x)[node.axis("dim", 0, AtenNode::rank(x))]);
}

using Arithmetic = AffineExpr (Symbols::*)(AffineExpr, AffineExpr) const;
template <Arithmetic function> static void arithmetic(AtenNode node) {
  setSize(node, (node->symbols.*function)(node.size("a", 0), node.size("b", 0)));
}

static void fillWith(AtenNode node, double value, bool isReal) {
  node.ignore({"layout", "device", "pin_memory", "memory_format", "names"});
  Type fallback = isReal ? Type(Float32Type::get(node->context)) : Type(IntegerType::get(node->context, 64));
  Value like = node.has("self") ? node.tensor("self") : Value();
  Sizes shape = like ? node->dims(like) : node.sizes("size");
  Type type = node.elementType(like ? AtenNode::elementTypeOf(like) : fallback);
  node->set(0, node->broadcast(node->scalar(value, type), shape));
}
static void full(AtenNode node) {
  const AttributeData *value = node->argument("fill_value");
  fillWith(node, node.number("fill_value", 0), value && value->kind == AttributeData::Float);
}
static void zeros(AtenNode node) { fillWith(node, 0, true); }
static void ones(AtenNode node) { fillWith(node, 1, true); }

static void arange(AtenNode node) {
  node.ignore({"layout", "device", "pin_memory"});
  double start = node.number("start", 0), end = node.number("end", 0), step = node.number("step", 1);
  double count = step != 0 ? std::ceil((end - start) / step) : 0;
  if (!(count >= 0 && count <= (1 << 20)))
    return node->refuse("expected a range of up to 2^20 numbers, got another");
  Type type = node.elementType(IntegerType::get(node->context, 64));
  if (!isa<FloatType>(type) && !(std::abs(start) <= 0x1p53 && std::abs(end) <= 0x1p53))
    return node->refuse("expected integers of at most 2^53, got others"); // beyond them a double is not exact
  SmallVector<mlir::Attribute> numbers;
  for (int64_t i = 0; i < count; ++i)
    numbers.push_back(isa<FloatType>(type) ? mlir::Attribute(FloatAttr::get(type, start + i * step))
                                           : mlir::Attribute(IntegerAttr::get(type, int64_t(start + i * step))));
  node->set(0, node->constant(DenseElementsAttr::get(RankedTensorType::get(int64_t(count), type), numbers)));
}

ArrayRef<Handler> coat::onnx::atenShapeHandlers() {
  static const Handler rows[] = {
      {"aten.view", 1, newest, aten<view>},
      {"aten._unsafe_view", 1, newest, aten<view>},
      {"aten.reshape", 1, newest, aten<reshape>},
      {"aten.flatten", 1, newest, aten<flatten>},
      {"aten.unflatten", 1, newest, aten<unflatten>},
      {"aten.unsqueeze", 1, newest, aten<unsqueeze>},
      {"aten.squeeze", 1, newest, aten<squeeze>},
      {"aten.permute", 1, newest, aten<permute>},
      {"aten.transpose", 1, newest, aten<transpose>},
      {"aten.t", 1, newest, aten<transpose>},
      {"aten.expand", 1, newest, aten<expand>},
      {"aten.repeat", 1, newest, aten<repeat>},
      {"aten.cat", 1, newest, aten<cat>},
      {"aten.stack", 1, newest, aten<stack>},
      {"aten.split", 1, newest, aten<split>},
      {"aten.split_with_sizes", 1, newest, aten<split>},
      {"aten.chunk", 1, newest, aten<chunk>},
      {"aten.unbind", 1, newest, aten<unbind>},
      {"aten.select", 1, newest, aten<select>},
      {"aten.slice", 1, newest, aten<slice>},
      {"aten.roll", 1, newest, aten<roll>},
      {"aten.pad", 1, newest, aten<pad>},
      {"aten.constant_pad_nd", 1, newest, aten<pad>},
      {"aten.index", 1, newest, aten<index>},
      {"aten.index_select", 1, newest, aten<indexSelect>},
      {"aten.gather", 1, newest, aten<gather>},
      {"aten.pixel_shuffle", 1, newest, aten<pixelShuffle>},
      {"aten.sym_size", 1, newest, aten<symSize>},
      {"python.add", 1, newest, aten<arithmetic<&Symbols::sum>>},
      {"python.sub", 1, newest, aten<arithmetic<&Symbols::difference>>},
      {"python.mul", 1, newest, aten<arithmetic<static_cast<Arithmetic>(&Symbols::product)>>},
      {"python.floordiv", 1, newest, aten<arithmetic<&Symbols::floorDiv>>},
      {"aten.full", 1, newest, aten<full>},
      {"aten.full_like", 1, newest, aten<full>},
      {"aten.zeros", 1, newest, aten<zeros>},
      {"aten.zeros_like", 1, newest, aten<zeros>},
      {"aten.ones", 1, newest, aten<ones>},
      {"aten.ones_like", 1, newest, aten<ones>},
      {"aten.arange", 1, newest, aten<arange>},
  };
  return rows;
}
