// Sequences: SequenceConstruct, SequenceInsert, SequenceAt, SplitToSequence, ConcatFromSequence.
//
// How many elements a sequence has follows from shapes and constants, and so do the positions that a model asks for:
// the importer keeps the list, and no op of a list reaches the IR. What is only counted need not be known: elements
// whose sizes a run decides are values that cannot be used.
#include "OnnxList.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

/// Elements of a sequence; a model could make each op's list longer than the one before.
static constexpr int64_t maxElements = 1024;

ModelValue coat::onnx::valueOf(Value tensor) {
  ModelValue value;
  value.type = tensor ? cast<RankedTensorType>(tensor.getType()) : RankedTensorType();
  value.tensor = tensor;
  return value;
}

ModelValue coat::onnx::valueOf(Known known) {
  ModelValue value;
  value.type = RankedTensorType::get(known.shape, known.elementType);
  value.known = std::move(known);
  return value;
}

SmallVector<AffineExpr> coat::onnx::dimsOf(NodeImporter &node, const ModelValue &value) {
  return value.tensor ? node.dims(value.tensor) : node.numbers(value.type.getShape());
}

ModelValue coat::onnx::elementOf(NodeImporter &node, const ModelValue &value, int64_t axis, int64_t index) {
  if (node.failed())
    return {};
  if (value.known) {
    SmallVector<int64_t> shape = value.known->shape, positions, at;
    shape.erase(shape.begin() + axis);
    forEachIndex(shape, [&](ArrayRef<int64_t> rest) {
      at.assign(rest.begin(), rest.end());
      at.insert(at.begin() + axis, index);
      positions.push_back(broadcastPosition(at, value.known->shape));
    });
    return valueOf(value.known->pick(positions, shape));
  }
  SmallVector<AffineExpr> shape = dimsOf(node, value);
  Value slice = node.slice(node.tensor(value), axis, node.number(index), node.number(1));
  shape.erase(shape.begin() + axis);
  return valueOf(node.reshape(slice, shape));
}

ModelValue coat::onnx::stacked(NodeImporter &node, ArrayRef<ModelValue> elements, int64_t axis) {
  const ModelValue &first = elements.front();
  bool known = axis == 0 && llvm::all_of(elements, [&](const ModelValue &element) {
                 return element.known && element.known->shape == first.known->shape &&
                        element.known->elementType == first.known->elementType;
               });
  if (known) {
    Known result{first.known->elementType, first.known->shape, {}};
    result.shape.insert(result.shape.begin(), elements.size());
    for (const ModelValue &element : elements)
      llvm::append_range(result.elements, element.known->elements);
    if (isTrackable(result.shape, result.elementType))
      return valueOf(std::move(result));
  }
  SmallVector<Value> slices;
  for (const ModelValue &element : elements) {
    Value tensor = node.tensor(element);
    if (!tensor)
      return {};
    SmallVector<AffineExpr> shape = node.dims(tensor);
    shape.insert(shape.begin() + axis, node.number(1));
    slices.push_back(node.reshape(tensor, shape));
  }
  return valueOf(node.concat(slices, axis));
}

//===--- lists ---===//

using List = std::vector<std::shared_ptr<ModelValue>>;

static const List empty;

/// The elements of a sequence, an error when the input is none.
static const List &listOf(NodeImporter &node, unsigned input) {
  ModelValue value = node.modelValue(input);
  if (!node.failed() && !value.list)
    value.type || value.refusal.empty() ? node.fail("expected a sequence, got a tensor") : node.refuse(value.refusal);
  // The model's value shares the list, and outlives this one.
  return value.list ? *value.list : empty;
}

static void setList(NodeImporter &node, List elements) {
  if (int64_t(elements.size()) > maxElements)
    node.refuse("expected a sequence of at most " + Twine(maxElements) + " elements, got more");
  Type type;
  for (const auto &element : elements) {
    Type next = element->type ? element->type.getElementType() : type;
    if (type && next != type)
      node.fail("expected a sequence of one element type, got two");
    type = next;
  }
  ModelValue value;
  value.refusal = "expected a tensor, got a sequence";
  value.list = std::make_shared<List>(std::move(elements));
  node.set(0, std::move(value));
}

/// A position in a list of `size` elements, negative ones from its end; `fallback` when the node has none.
static int64_t positionOf(NodeImporter &node, unsigned input, int64_t size, int64_t fallback) {
  if (!node.has(input))
    return fallback;
  SmallVector<int64_t> found = node.integers(input, "position");
  if (!node.failed() && found.size() != 1)
    node.fail("expected one position, got " + Twine(found.size()));
  if (node.failed())
    return 0;
  int64_t position = found.front() < 0 ? found.front() + size : found.front();
  if (position < 0 || position >= size)
    node.fail("expected a position of -" + Twine(size) + " to " + Twine(size - 1) + ", got " + Twine(found.front()));
  return position;
}

static void importEmpty(NodeImporter &node) {
  node.ignore("dtype");
  setList(node, {});
}

static void importConstruct(NodeImporter &node) {
  List elements;
  for (unsigned input = 0; input < node.numInputs(); ++input) {
    ModelValue value = node.modelValue(input);
    if (value.list)
      return node.fail("expected tensors, got a sequence");
    elements.push_back(std::make_shared<ModelValue>(std::move(value)));
  }
  setList(node, std::move(elements));
}

static void importInsert(NodeImporter &node) {
  List elements = listOf(node, 0);
  // One behind the last element is a position, too; -1 is before the last.
  int64_t size = elements.size(), position = size;
  if (node.has(2)) {
    SmallVector<int64_t> found = node.integers(2, "position");
    if (node.failed())
      return;
    if (found.size() != 1 || found.front() < -size || found.front() > size)
      return node.fail("expected a position of -" + Twine(size) + " to " + Twine(size) + ", got another");
    position = found.front() < 0 ? found.front() + size : found.front();
  }
  ModelValue value = node.modelValue(1);
  if (value.list)
    node.fail("expected a tensor, got a sequence");
  if (node.failed())
    return;
  elements.insert(elements.begin() + position, std::make_shared<ModelValue>(std::move(value)));
  setList(node, std::move(elements));
}

static void importErase(NodeImporter &node) {
  List elements = listOf(node, 0);
  int64_t position = positionOf(node, 1, elements.size(), int64_t(elements.size()) - 1);
  if (!node.failed() && elements.empty())
    node.fail("expected a sequence of at least one element, got an empty one");
  if (node.failed())
    return;
  elements.erase(elements.begin() + position);
  setList(node, std::move(elements));
}

static void importAt(NodeImporter &node) {
  const List &elements = listOf(node, 0);
  int64_t position = positionOf(node, 1, elements.size(), -1);
  if (!node.failed() && position < 0)
    node.fail("expected input 1, got none");
  if (!node.failed())
    node.set(0, *elements[position]);
}

static void importLength(NodeImporter &node) {
  int64_t size = listOf(node, 0).size();
  if (!node.failed())
    node.set(0, Known{IntegerType::get(node.context, 64), {}, {Scalar{node.number(size)}}});
}

//===--- SplitToSequence, ConcatFromSequence ---===//

/// Sizes of the parts along the axis; null expressions where only a run can tell.
static SmallVector<AffineExpr> partSizes(NodeImporter &node, AffineExpr whole) {
  if (node.has(1) && node.rank(1) == 1 && !node.known(1)) {
    int64_t count = node.type(1).getShape().front();
    if (count < 0 || count > maxElements)
      node.refuse("expected a static number of at most " + Twine(maxElements) + " parts, got another");
    return SmallVector<AffineExpr>(node.failed() ? 0 : count);
  }
  if (node.has(1) && node.rank(1) == 1) {
    SmallVector<AffineExpr> sizes = node.sizes(1, "part sizes");
    AffineExpr sum = node.number(0);
    for (AffineExpr size : sizes)
      sum = node.symbols.sum(sum, size);
    node.requireEqual(whole, sum, "sum of part sizes");
    for (AffineExpr size : sizes)
      if (constantOf(size).value_or(0) < 0)
        node.fail("expected part sizes of at least 0, got " + node.symbols.print(size));
    return sizes;
  }
  int64_t each = 1;
  if (node.has(1)) {
    SmallVector<int64_t> found = node.integers(1, "part size");
    each = found.size() == 1 ? found.front() : 0;
    if (!node.failed() && each < 1)
      node.fail("expected a part size of at least 1, got another");
  }
  auto size = constantOf(whole);
  if (!node.failed() && (!size || *size / each >= maxElements))
    node.refuse("expected a static size of at most " + Twine(maxElements) + " parts, got " + node.symbols.print(whole));
  SmallVector<AffineExpr> sizes;
  for (int64_t left = node.failed() ? 0 : *size; left > 0; left -= each)
    sizes.push_back(node.number(std::min(left, each)));
  return sizes;
}

static void importSplitToSequence(NodeImporter &node) {
  int64_t axis = node.normalizeAxis(node.integer("axis", 0), node.rank(0));
  bool keepsDim = node.integer("keepdims", 1) != 0 || node.has(1);
  if (node.failed())
    return;
  SmallVector<AffineExpr> sizes = partSizes(node, node.dims(0)[axis]);
  AffineExpr offset = node.number(0);
  List elements;
  for (auto [index, size] : llvm::enumerate(sizes)) {
    ModelValue element;
    if (!size)
      element.refusal = "expected constant part sizes, got a value computed at run time";
    else if (!keepsDim)
      element = elementOf(node, node.modelValue(0), axis, index);
    else
      element = valueOf(node.slice(node.tensor(0u), axis, offset, size));
    if (node.failed())
      return;
    offset = size ? node.symbols.sum(offset, size) : offset;
    elements.push_back(std::make_shared<ModelValue>(std::move(element)));
  }
  setList(node, std::move(elements));
}

static void importConcatFromSequence(NodeImporter &node) {
  const List &list = listOf(node, 0);
  bool stacks = node.integer("new_axis", 0) != 0;
  if (!node.hasAttribute("axis"))
    node.fail("expected attribute 'axis', got none");
  if (!node.failed() && list.empty())
    node.fail("expected a sequence of at least one element, got an empty one");
  if (node.failed())
    return;
  SmallVector<ModelValue> elements = llvm::map_to_vector(list, [](const auto &element) { return *element; });
  for (const ModelValue &element : elements)
    if (!element.type)
      return node.refuse(element.refusal);
  int64_t rank = elements.front().type.getRank();
  int64_t axis = node.normalizeAxis(node.integer("axis", 0), rank + stacks);
  if (node.failed())
    return;
  if (stacks)
    return node.set(0, stacked(node, elements, axis));
  SmallVector<Value> parts = llvm::map_to_vector(elements, [&](const ModelValue &e) { return node.tensor(e); });
  node.set(0, node.concat(parts, axis));
}

ArrayRef<Handler> coat::onnx::listHandlers() {
  static const Handler rows[] = {
      {"SequenceEmpty", 11, newest, importEmpty},
      {"SequenceConstruct", 11, newest, importConstruct},
      {"SequenceInsert", 11, newest, importInsert},
      {"SequenceErase", 11, newest, importErase},
      {"SequenceAt", 11, newest, importAt},
      {"SequenceLength", 11, newest, importLength},
      {"SplitToSequence", 11, newest, importSplitToSequence},
      {"ConcatFromSequence", 11, newest, importConcatFromSequence},
  };
  return rows;
}
