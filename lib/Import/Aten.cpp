// Arguments of ATen calls; see Aten.h.
#include "Aten.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

const AttributeData *AtenNode::find(StringRef name, std::initializer_list<AttributeData::Kind> kinds,
                                    StringRef expected) {
  const AttributeData *argument = node.argument(name);
  if (!argument || llvm::is_contained(kinds, argument->kind))
    return argument;
  node.refuse("argument '" + name + "': expected " + expected + ", got another");
  return nullptr;
}

Value AtenNode::tensorOf(const std::string &value) {
  ArrayRef<std::string> inputs = node.inputNames();
  return node.tensor(llvm::find(inputs, value) - inputs.begin());
}

Value AtenNode::tensor(StringRef name) {
  const AttributeData *argument = find(name, {AttributeData::Names}, "a tensor");
  if (!argument || argument->strings.size() != 1) {
    node.fail("argument '" + name + "': expected a tensor, got none");
    return {};
  }
  return tensorOf(argument->strings.front());
}

SmallVector<Value> AtenNode::tensors(StringRef name) {
  const AttributeData *argument = find(name, {AttributeData::Names}, "tensors");
  if (!argument || argument->strings.empty()) {
    node.fail("argument '" + name + "': expected tensors, got none");
    return {};
  }
  return llvm::map_to_vector(argument->strings,
                             [&](const std::string &value) { return value.empty() ? Value() : tensorOf(value); });
}

bool AtenNode::isNumber(StringRef name) {
  const AttributeData *argument = node.argument(name);
  return argument && argument->kind != AttributeData::Names;
}

Value AtenNode::operand(StringRef name, Type elementType) {
  if (!has(name))
    return {};
  return isNumber(name) ? node.scalar(number(name, 0), elementType) : tensor(name);
}

double AtenNode::number(StringRef name, double fallback) {
  const AttributeData *argument = find(name, {AttributeData::Float, AttributeData::Int}, "a number");
  if (!argument)
    return fallback;
  return argument->kind == AttributeData::Int ? double(argument->i) : argument->f;
}

bool AtenNode::checkBounds(StringRef name, ArrayRef<int64_t> values) {
  bool inside = llvm::all_of(values, [](int64_t value) { return value >= INT32_MIN && value <= INT32_MAX; });
  if (!inside)
    node.fail("argument '" + name + "': expected integers of at most 2^31 - 1, got others");
  return inside;
}

int64_t AtenNode::integer(StringRef name, int64_t fallback) {
  const AttributeData *argument = find(name, {AttributeData::Int}, "an integer");
  return argument && checkBounds(name, argument->i) ? argument->i : fallback;
}

std::string AtenNode::string(StringRef name, StringRef fallback) {
  const AttributeData *argument = find(name, {AttributeData::String}, "a string");
  return argument ? argument->s : fallback.str();
}

SmallVector<int64_t> AtenNode::integers(StringRef name) {
  const AttributeData *argument = find(name, {AttributeData::Ints, AttributeData::Int}, "a list of integers");
  if (!argument)
    return {};
  SmallVector<int64_t> values = llvm::to_vector(argument->ints);
  if (argument->kind == AttributeData::Int)
    values = {argument->i};
  return checkBounds(name, values) ? values : SmallVector<int64_t>();
}

SmallVector<int64_t> AtenNode::integers(StringRef name, size_t count, int64_t fallback) {
  SmallVector<int64_t> values = integers(name);
  if (values.empty())
    return SmallVector<int64_t>(count, fallback);
  if (values.size() == 1)
    return SmallVector<int64_t>(count, values.front());
  if (values.size() != count)
    node.fail("argument '" + name + "': expected " + Twine(count) + " integers, got " + Twine(values.size()));
  values.resize(count, fallback);
  return values;
}

AffineExpr AtenNode::sizeOf(const std::string &text) {
  int64_t number;
  if (!StringRef(text).getAsInteger(10, number))
    return node.number(number);
  ArrayRef<std::string> inputs = node.inputNames();
  const Known *known = node.known(llvm::find(inputs, text) - inputs.begin());
  auto expressions = known ? known->expressions() : std::nullopt;
  if (expressions && expressions->size() == 1)
    return expressions->front();
  node.refuse("expected a size computed from constants and shapes, got '" + text + "'");
  return node.number(1);
}

SmallVector<AffineExpr> AtenNode::sizes(StringRef name) {
  const AttributeData *argument = find(name, {AttributeData::Ints, AttributeData::Names, AttributeData::Int}, "sizes");
  if (!argument) {
    node.fail("argument '" + name + "': expected sizes, got none");
    return {};
  }
  if (argument->kind != AttributeData::Names)
    return node.numbers(integers(name));
  return llvm::map_to_vector(argument->strings, [&](const std::string &text) { return sizeOf(text); });
}

AffineExpr AtenNode::size(StringRef name, int64_t fallback) {
  SmallVector<AffineExpr> given = has(name) ? sizes(name) : SmallVector<AffineExpr>();
  return given.empty() ? node.number(fallback) : given.front();
}

int64_t AtenNode::axis(StringRef name, int64_t fallback, int64_t rank) {
  int64_t value = integer(name, fallback);
  return rank == 0 && (value == 0 || value == -1) ? 0 : node.normalizeAxis(value, rank);
}

SmallVector<int64_t> AtenNode::axes(StringRef name, int64_t rank) {
  SmallVector<int64_t> result = integers(name);
  if (result.empty())
    return llvm::to_vector(llvm::seq<int64_t>(0, rank));
  result = node.normalizeAxes(result, rank);
  llvm::sort(result);
  return result;
}

Type AtenNode::elementType(Type fallback) {
  int64_t type = integer("dtype", 0);
  if (type == 0)
    return fallback;
  if (Type result = coat::onnx::elementTypeOf(type, node.context))
    return result;
  node.refuse("argument 'dtype': expected " + knownDataTypes + ", got another");
  return fallback;
}

/// bool < integers by width < floating-point by width.
static int64_t orderOf(Type type) {
  if (auto real = dyn_cast<FloatType>(type))
    return 1000 + real.getWidth() + isa<Float16Type>(type); // f16 and bf16 would meet in f32
  return type.isInteger(1) ? 0 : type.getIntOrFloatBitWidth();
}

SmallVector<Value> AtenNode::promote(ArrayRef<StringRef> names) {
  Type wanted;
  bool hasReal = false;
  for (StringRef name : names) {
    const AttributeData *argument = node.argument(name);
    if (!argument)
      node.fail("expected argument '" + name + "', got none");
    else if (argument->kind == AttributeData::Float)
      hasReal = true;
    else if (argument->kind == AttributeData::Names)
      if (Value value = tensor(name))
        if (Type type = elementTypeOf(value); !wanted || orderOf(type) > orderOf(wanted))
          wanted = type;
  }
  if (node.failed())
    return SmallVector<Value>(names.size());
  if (!wanted || (hasReal && !isa<FloatType>(wanted)))
    wanted = hasReal ? Type(Float32Type::get(node.context)) : Type(IntegerType::get(node.context, 64));
  return llvm::map_to_vector(names, [&](StringRef name) { return node.convert(operand(name, wanted), wanted); });
}
