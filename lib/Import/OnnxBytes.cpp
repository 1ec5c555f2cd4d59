// Floats of 8 bits and integers of 4: from bytes to numbers and back.
#include "OnnxBytes.h"
#include "OnnxTables.h"
#include "coat/Dialect/QuantOps.h"
#include "llvm/ADT/APFloat.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

ModelValue ModelValue::ofBytes(Value bytes, int32_t type) {
  ModelValue value;
  value.bytes = bytes;
  value.bytesType = type;
  value.refusal = "expected a type that coat computes on, got " + dataTypeName(type);
  return value;
}

void coat::onnx::setBytes(NodeImporter &node, unsigned output, Value bytes, int32_t type) {
  if (bytes)
    node.set(output, ModelValue::ofBytes(bytes, type));
}

/// A constant of the model, one byte an element.
static Value constantBytes(NodeImporter &node, const Tensor &data) {
  Tensor packed = data;
  auto count = elementCount(data.dims);
  packed.type = UInt8;
  if (!isFloat8(data.type) && count)
    packed.dims = {(*count + 1) / 2};
  std::string why;
  if (!node.importer.tensors.resolve(packed, why)) {
    node.fail(why);
    return {};
  }
  if (isFloat8(data.type))
    return node.constant(node.importer.tensors.attributeOf(packed));
  std::vector<char> bytes(*count);
  for (auto [i, byte] : llvm::enumerate(bytes)) {
    int nibble = uint8_t(packed.bytes[i / 2]) >> (i % 2 * 4) & 15;
    byte = char(data.type == Int4 && nibble > 7 ? nibble - 16 : nibble);
  }
  Type type = IntegerType::get(node.context, 8, data.type == Int4 ? IntegerType::Signless : IntegerType::Unsigned);
  auto shape = RankedTensorType::get(data.dims, type);
  if (*count == 0)
    return node.constant(ElementsAttr(DenseElementsAttr::get(shape, ArrayRef<Attribute>())));
  return node.constant(ElementsAttr(DenseElementsAttr::getFromRawBuffer(shape, bytes)));
}

std::pair<Value, int32_t> coat::onnx::bytesOf(NodeImporter &node, unsigned input) {
  ModelValue value = node.modelValue(input);
  if (value.bytes)
    return {value.bytes, value.bytesType};
  if (!value.data || node.failed() ||
      (!isFloat8(value.data->type) && value.data->type != UInt4 && value.data->type != Int4))
    return {Value(), Undefined};
  Value bytes = constantBytes(node, *value.data);
  // Once for all its uses.
  ModelValue &constant = node.importer.values[node.inputNames()[input]];
  constant.bytes = bytes;
  constant.bytesType = value.data->type;
  return {bytes, value.data->type};
}

Value coat::onnx::numberOf(NodeImporter &node, unsigned input) {
  auto [bytes, type] = bytesOf(node, input);
  if (type == Undefined || type == String)
    return node.tensor(input);
  return isFloat8(type) ? decodeFloat8(node, bytes, type) : bytes;
}

//===--- floats of 8 bits ---===//

namespace {
/// A format: what is not said by bits of exponent and mantissa.
struct Format {
  const llvm::fltSemantics &semantics;
  int bias, mantissa;
  int largest, over, nan; // codes without the sign
  bool signedZero;        // else the code of -0 is NaN
};
} // namespace

static Format formatOf(int32_t type) {
  switch (type) {
  case Float8E4M3FN:
    return {llvm::APFloat::Float8E4M3FN(), 7, 3, 0x7e, 0x7f, 0x7f, true};
  case Float8E4M3FNUZ:
    return {llvm::APFloat::Float8E4M3FNUZ(), 8, 3, 0x7f, 0x80, 0x80, false};
  case Float8E5M2:
    return {llvm::APFloat::Float8E5M2(), 15, 2, 0x7b, 0x7c, 0x7e, true};
  default:
    return {llvm::APFloat::Float8E5M2FNUZ(), 16, 2, 0x7f, 0x80, 0x80, false};
  }
}

Value coat::onnx::decodeFloat8(NodeImporter &node, Value bits, int32_t type) {
  SmallVector<double> numbers;
  for (unsigned code = 0; code < 256; ++code)
    numbers.push_back(llvm::APFloat(formatOf(type).semantics, llvm::APInt(8, code)).convertToDouble());
  Value all = table(node, 256, numbers, node.builder.getF32Type());
  return node.emit<GatherOp>({all, node.convert(bits, node.builder.getI32Type())}, node.attr("axis", int64_t(0)));
}

/// A number that the format holds with its leading 1 has f32's exponent and mantissa, rounded and biased again; for a
/// smaller one the sum with a power of two rounds, whose last bit is the format's smallest number.
Value coat::onnx::encodeFloat8(NodeImporter &node, Value value, int32_t type, bool saturate) {
  if (node.failed() || !value)
    return {};
  Format format = formatOf(type);
  int drop = 23 - format.mantissa; // bits of f32's mantissa that go
  Type f32 = node.builder.getF32Type(), i32 = node.builder.getI32Type();
  auto apply = [&](Kind kind, ValueRange operands) { return node.elementwise(kind, operands); };
  auto integer = [&](int64_t number) { return node.scalar(double(number), i32); };
  auto bitsOf = [&](Value number) {
    return node.emit<BitCastOp>(number, node.attr("element_type", TypeAttr::get(i32)));
  };
  value = node.convert(value, f32);
  Value bits = bitsOf(value), magnitude = apply(Kind::bitwise_and, {bits, integer(0x7fffffff)});

  Value odd = apply(Kind::bitwise_and, {apply(Kind::shift_right, {magnitude, integer(drop)}), integer(1)});
  Value rounded = apply(Kind::add, {apply(Kind::add, {magnitude, integer((1 << (drop - 1)) - 1)}), odd});
  Value normal = apply(
      Kind::sub, {apply(Kind::shift_right, {rounded, integer(drop)}), integer((127 - format.bias) << format.mantissa)});
  double power = std::ldexp(1.0, 23 + 1 - format.bias - format.mantissa);
  Value sum = apply(Kind::add, {apply(Kind::abs, value), node.scalar(power, f32)});
  Value small = apply(Kind::sub, {bitsOf(sum), integer(llvm::bit_cast<int32_t>(float(power)))});

  Value code = apply(Kind::select, {apply(Kind::less, {magnitude, integer((128 - format.bias) << 23)}), small, normal});
  Value tooLarge = apply(Kind::greater, {code, integer(format.largest)});
  code = apply(Kind::select, {tooLarge, integer(saturate ? format.largest : format.over), code});
  code = apply(Kind::select, {apply(Kind::greater, {magnitude, integer(0x7f800000)}), integer(format.nan), code});
  Value sign = apply(Kind::select, {apply(Kind::less, {bits, integer(0)}), integer(0x80), integer(0)});
  if (!format.signedZero)
    sign = apply(Kind::select, {apply(Kind::equal, {code, integer(0)}), integer(0), sign});
  return node.convert(apply(Kind::bitwise_or, {code, sign}), IntegerType::get(node.context, 8, IntegerType::Unsigned));
}

//===--- casts ---===//

void coat::onnx::castToBytes(NodeImporter &node, int32_t type) {
  bool saturate = node.integer("saturate", 1) != 0;
  if (bytesOf(node, 0).second == type)
    return node.forward(0, 0);
  Value value = numberOf(node, 0);
  if (isFloat8(type))
    return setBytes(node, 0, encodeFloat8(node, value, type, saturate), type);
  if (type != UInt4 && type != Int4)
    return node.refuse("expected a cast between numbers, got " + dataTypeName(type));
  // The lowest four bits, and their sign.
  Type i32 = node.builder.getI32Type();
  Value bits = node.elementwise(Kind::bitwise_and, {node.convert(value, i32), node.scalar(15, i32)});
  if (type == Int4)
    bits = node.elementwise(Kind::sub,
                            {node.elementwise(Kind::bitwise_xor, {bits, node.scalar(8, i32)}), node.scalar(8, i32)});
  IntegerType::SignednessSemantics sign = type == Int4 ? IntegerType::Signless : IntegerType::Unsigned;
  setBytes(node, 0, node.convert(bits, IntegerType::get(node.context, 8, sign)), type);
}
