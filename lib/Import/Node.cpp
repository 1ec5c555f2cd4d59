// Access to a node: its inputs, attributes and results, and the attributes of ops.
#include "Node.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

/// Beyond it sizes in bytes and strides could overflow in later stages.
static constexpr int64_t maxElements = int64_t(1) << 48;

static Location locationOf(MLIRContext *context, StringRef name, StringRef file) {
  return FusedLoc::get(context, {NameLoc::get(StringAttr::get(context, name)),
                                 FileLineColLoc::get(StringAttr::get(context, file), 0, 0)});
}

NodeImporter::NodeImporter(Importer &importer, const Node &node)
    : importer(importer), builder(importer.builder), context(importer.context), symbols(importer.symbols),
      loc(locationOf(importer.context, node.label(), importer.fileName)), node(node), produced(node.outputs.size()),
      diagnostics(importer.context, [this](Diagnostic &diag) {
        if (diagnostic.empty() && diag.getSeverity() == DiagnosticSeverity::Error)
          diagnostic = diag.str();
        return success();
      }) {}

void NodeImporter::fail(const Twine &message) {
  if (error.empty())
    error = message.str();
}

void NodeImporter::refuse(const Twine &message) {
  if (!error.empty())
    return;
  error = message.str();
  notSupported = true;
}

void NodeImporter::finish() {
  for (const AttributeData &attribute : node.attributes)
    if (!read.contains(attribute.name))
      refuse("expected only attributes that coat knows of " + node.op + ", got '" + attribute.name + "'");
  for (auto [index, name] : llvm::enumerate(node.outputs))
    if (wants(index) && !produced[index])
      refuse("expected result " + Twine(index) + " to be unused, got uses of '" + name + "'");
}

//===--- inputs ---===//

ModelValue *NodeImporter::value(unsigned input) {
  if (!has(input)) {
    fail("expected input " + Twine(input) + ", got none");
    return nullptr;
  }
  return &importer.values[node.inputs[input]];
}

RankedTensorType NodeImporter::type(unsigned input) {
  ModelValue *found = value(input);
  if (found && !found->type)
    refuse(found->refusal);
  return found ? found->type : RankedTensorType();
}

Type NodeImporter::elementType(unsigned input) {
  RankedTensorType found = type(input);
  return found ? found.getElementType() : Type();
}

int64_t NodeImporter::rank(unsigned input) {
  RankedTensorType found = type(input);
  return found ? found.getRank() : 0;
}

SmallVector<AffineExpr> NodeImporter::dims(unsigned input) {
  ModelValue *found = value(input);
  if (!found || !found->type)
    return {};
  return found->tensor ? importer.dims(found->tensor) : numbers(found->type.getShape());
}

Value NodeImporter::tensor(unsigned input) {
  ModelValue *found = value(input);
  if (!found || failed())
    return {};
  std::string why;
  Value result = importer.materialize(*found, loc, why);
  if (!result)
    refuse("input '" + node.inputs[input] + "': " + why);
  return result;
}

ModelValue NodeImporter::modelValue(unsigned input) {
  known(input); // reads a small constant of the model
  ModelValue *found = value(input);
  return found ? *found : ModelValue();
}

Value NodeImporter::tensor(ModelValue value) {
  std::string why;
  Value result = failed() ? Value() : importer.materialize(value, loc, why);
  if (!result && !failed())
    refuse(why);
  return result;
}

const Known *NodeImporter::known(unsigned input) {
  ModelValue *found = has(input) ? value(input) : nullptr;
  if (found && !found->known && found->data)
    found->known = importer.tensors.knownOf(*found->data, symbols);
  return found && found->known ? &*found->known : nullptr;
}

/// No elements are known whatever computes them.
static bool isEmpty(RankedTensorType type) { return type.hasStaticShape() && type.getNumElements() == 0; }

SmallVector<int64_t> NodeImporter::integers(unsigned input, StringRef what) {
  const Known *found = known(input);
  auto result = found ? found->integers() : std::nullopt;
  if (!result && type(input) && isEmpty(type(input)))
    return {};
  if (!result && type(input))
    refuse("expected constant " + what + ", got a value computed at run time");
  return result.value_or(SmallVector<int64_t>());
}

SmallVector<AffineExpr> NodeImporter::sizes(unsigned input, StringRef what) {
  const Known *found = known(input);
  auto result = found ? found->expressions() : std::nullopt;
  if (!result && type(input) && isEmpty(type(input)))
    return {};
  if (!result && type(input))
    refuse("expected " + what + " computed from constants and shapes, got a value computed at run time");
  return result.value_or(SmallVector<AffineExpr>());
}

double NodeImporter::number(unsigned input, StringRef what) {
  const Known *found = known(input);
  if (found && found->elements.size() == 1) {
    const Scalar &element = found->elements.front();
    if (!element.integer)
      return element.number;
    if (auto constant = constantOf(element.integer))
      return double(*constant);
  }
  if (type(input))
    refuse("expected a constant " + what + " of one element, got a value computed at run time");
  return 0;
}

//===--- attributes ---===//

const AttributeData *NodeImporter::find(StringRef name, AttributeData::Kind kind, StringRef kindName) {
  read.insert(name);
  for (const AttributeData &attribute : node.attributes) {
    if (attribute.name != name)
      continue;
    if (attribute.kind == kind)
      return &attribute;
    fail("attribute '" + name + "': expected " + kindName + ", got another type");
    return nullptr;
  }
  return nullptr;
}

const AttributeData *NodeImporter::argument(StringRef name) {
  read.insert(name);
  auto found = llvm::find_if(node.attributes, [&](const AttributeData &attribute) { return attribute.name == name; });
  return found == node.attributes.end() ? nullptr : &*found;
}

bool NodeImporter::hasAttribute(StringRef name) {
  return llvm::any_of(node.attributes, [&](const AttributeData &attribute) { return attribute.name == name; });
}

int64_t NodeImporter::integer(StringRef name, int64_t fallback) {
  const AttributeData *found = find(name, AttributeData::Int, "an integer");
  return found ? found->i : fallback;
}

double NodeImporter::real(StringRef name, double fallback) {
  const AttributeData *found = find(name, AttributeData::Float, "a float");
  return found ? found->f : fallback;
}

std::string NodeImporter::string(StringRef name, StringRef fallback) {
  const AttributeData *found = find(name, AttributeData::String, "a string");
  return found ? found->s : fallback.str();
}

SmallVector<int64_t> NodeImporter::integers(StringRef name) {
  const AttributeData *found = find(name, AttributeData::Ints, "integers");
  return found ? SmallVector<int64_t>(found->ints.begin(), found->ints.end()) : SmallVector<int64_t>();
}

SmallVector<double> NodeImporter::reals(StringRef name) {
  const AttributeData *found = find(name, AttributeData::Floats, "floats");
  return found ? SmallVector<double>(found->floats.begin(), found->floats.end()) : SmallVector<double>();
}

const Tensor *NodeImporter::tensorAttribute(StringRef name) {
  const AttributeData *found = find(name, AttributeData::TensorKind, "a tensor");
  return found ? found->tensor.get() : nullptr;
}

SmallVector<std::string> NodeImporter::strings(StringRef name) {
  const AttributeData *found = find(name, AttributeData::Strings, "strings");
  return found ? SmallVector<std::string>(found->strings.begin(), found->strings.end()) : SmallVector<std::string>();
}

Graph *NodeImporter::graph(StringRef name) {
  const AttributeData *found = find(name, AttributeData::GraphKind, "a graph");
  if (!found)
    fail("expected attribute '" + name + "', got none");
  return found ? found->graph.get() : nullptr;
}

SmallVector<ModelValue> NodeImporter::importGraph(Graph &graph, ArrayRef<ModelValue> inputs) {
  std::string message;
  bool refused = false;
  if (graph.inputs.size() != inputs.size())
    fail("expected a graph of " + Twine(inputs.size()) + " inputs, got " + Twine(graph.inputs.size()));
  if (failed())
    return {};
  for (auto [formal, actual] : llvm::zip(graph.inputs, inputs))
    importer.values[formal.name] = actual;
  if (!importer.importGraph(graph, message, refused)) {
    refused ? refuse(message) : fail(message);
    return {};
  }
  return llvm::map_to_vector(graph.outputs, [&](const ValueInfo &output) {
    ModelValue &result = importer.values[output.name];
    if (!result.known && result.data)
      result.known = importer.tensors.knownOf(*result.data, symbols);
    return result;
  });
}

void NodeImporter::only(StringRef name, int64_t expected) {
  int64_t found = integer(name, expected);
  if (found != expected)
    refuse("attribute '" + name + "': expected " + Twine(expected) + ", got " + Twine(found));
}

int64_t NodeImporter::normalizeAxis(int64_t axis, int64_t rank) {
  if (axis >= -rank && axis < rank)
    return axis < 0 ? axis + rank : axis;
  fail("expected an axis of -" + Twine(rank) + " to " + Twine(rank - 1) + ", got " + Twine(axis));
  return 0;
}

SmallVector<int64_t> NodeImporter::normalizeAxes(ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t> result;
  for (int64_t axis : axes) {
    int64_t normal = normalizeAxis(axis, rank);
    if (llvm::is_contained(result, normal))
      fail("expected different axes, got axis " + Twine(axis) + " twice");
    result.push_back(normal);
  }
  return result;
}

//===--- results ---===//

bool NodeImporter::wants(unsigned output) const {
  return output < node.outputs.size() && !node.outputs[output].empty() && importer.used.contains(node.outputs[output]);
}

RankedTensorType NodeImporter::resultType(unsigned output) const {
  auto found = output < node.outputs.size() ? importer.values.find(node.outputs[output]) : importer.values.end();
  return found == importer.values.end() ? RankedTensorType() : found->second.type;
}

void NodeImporter::set(unsigned output, Value result) {
  if (!result || output >= node.outputs.size())
    return;
  produced[output] = true;
  auto largest = llvm::map_to_vector(importer.dims(result), [&](AffineExpr size) {
    auto range = size ? symbols.range(size) : std::nullopt;
    return range ? range->max : -1;
  });
  if (largest.size() > maxDimensions)
    return refuse("expected results of at most " + Twine(maxDimensions) + " dimensions, got " + Twine(largest.size()));
  if (elementCount(largest).value_or(INT64_MAX) > maxElements)
    return fail("expected results that fit in memory, got " + print(importer.dims(result)));
  ModelValue &value = importer.values[node.outputs[output]];
  value.type = cast<RankedTensorType>(result.getType());
  value.tensor = result;
}

void NodeImporter::set(unsigned output, Known known) {
  if (output >= node.outputs.size())
    return;
  produced[output] = true;
  ModelValue &value = importer.values[node.outputs[output]];
  value.type = RankedTensorType::get(known.shape, known.elementType);
  value.known = std::move(known);
}

void NodeImporter::set(unsigned output, ModelValue result) {
  if (failed() || output >= node.outputs.size())
    return;
  produced[output] = true;
  importer.values[node.outputs[output]] = std::move(result);
}

void NodeImporter::forward(unsigned output, unsigned input) {
  if (ModelValue *found = value(input))
    set(output, ModelValue(*found));
}

//===--- sizes and attributes ---===//

SmallVector<AffineExpr> NodeImporter::numbers(ArrayRef<int64_t> values) {
  return llvm::map_to_vector(values, [&](int64_t value) { return symbols.constant(value); });
}

std::string NodeImporter::print(ArrayRef<AffineExpr> shape) const {
  return "[" +
         llvm::join(llvm::map_range(shape, [&](AffineExpr size) { return size ? symbols.print(size) : "?"; }), ", ") +
         "]";
}

bool NodeImporter::requireEqual(AffineExpr a, AffineExpr b, StringRef what) {
  auto equal = symbols.equal(a, b);
  if (equal == true)
    return true;
  if (equal == false)
    fail("expected equal " + what + ", got " + symbols.print(a) + " and " + symbols.print(b));
  else
    refuse("expected equal " + what + ", got " + symbols.print(a) + " and " + symbols.print(b) +
           "; try one size for both with --dim");
  return false;
}

SmallVector<AffineExpr> NodeImporter::broadcastDims(ArrayRef<AffineExpr> a, ArrayRef<AffineExpr> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  SmallVector<AffineExpr> result(a);
  for (size_t back = 1; back <= b.size(); ++back) {
    AffineExpr x = a[a.size() - back], y = b[b.size() - back];
    if (constantOf(x) == 1)
      result[a.size() - back] = y;
    else if (constantOf(y) != 1)
      requireEqual(x, y, "sizes to broadcast");
  }
  return result;
}

NamedAttribute NodeImporter::attr(StringRef name, mlir::Attribute value) { return builder.getNamedAttr(name, value); }
NamedAttribute NodeImporter::attr(StringRef name, ArrayRef<int64_t> values) {
  return attr(name, mlir::Attribute(builder.getDenseI64ArrayAttr(values)));
}
NamedAttribute NodeImporter::attr(StringRef name, int64_t value) {
  return attr(name, mlir::Attribute(builder.getI64IntegerAttr(value)));
}
NamedAttribute NodeImporter::attr(StringRef name, double value) {
  return attr(name, mlir::Attribute(builder.getF64FloatAttr(value)));
}
NamedAttribute NodeImporter::unit(StringRef name) { return attr(name, mlir::Attribute(builder.getUnitAttr())); }
NamedAttribute NodeImporter::segments(ArrayRef<int32_t> sizes) {
  return attr("operandSegmentSizes", mlir::Attribute(builder.getDenseI32ArrayAttr(sizes)));
}
