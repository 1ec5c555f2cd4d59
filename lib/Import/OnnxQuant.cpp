// Quantization: QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear; products of integers; BitCast.
//
// The QLinear ops are written as what they stand for: products of dequantized operands, quantized. The pass
// coat-integer-products computes such products on the integers themselves.
#include "OnnxQuant.h"
#include "OnnxBytes.h"
#include "OnnxTensor.h"
#include "OnnxWindow.h"
#include "Products.h"
#include "coat/Dialect/QuantOps.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

static Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

Value coat::onnx::alongAxis(NodeImporter &node, Value parameter, Value of, int64_t axis, int64_t blockSize) {
  if (node.failed() || !parameter || !of)
    return {};
  SmallVector<AffineExpr> shape = node.dims(parameter), wanted = node.dims(of);
  auto isOne = [](AffineExpr size) { return constantOf(size) == 1; };
  if (shape.empty() || (shape.size() == 1 && isOne(shape[0]) && blockSize == 0))
    return node.reshape(parameter, {});
  axis = node.normalizeAxis(axis, wanted.size());
  if (node.failed())
    return {};
  if (blockSize == 0) {
    if (shape.size() != 1) {
      node.fail("expected a scale and a zero point of one element or one an element of the axis, got " +
                node.print(shape));
      return {};
    }
    node.requireEqual(shape[0], wanted[axis], "numbers of scales and of elements along the axis");
    shape.append(wanted.size() - axis - 1, node.number(1));
    return node.reshape(parameter, shape);
  }
  auto size = constantOf(wanted[axis]);
  if (shape.size() != wanted.size() || !size || constantOf(shape[axis]) != llvm::divideCeilSigned(*size, blockSize)) {
    node.fail("attribute 'block_size': expected one scale for " + Twine(blockSize) + " elements along the axis, got " +
              node.print(shape));
    return {};
  }
  // [.., blocks, ..] -> [.., blocks, 1, ..] -> [.., blocks, size of a block, ..] -> [.., elements, ..], the rest cut
  // off
  SmallVector<AffineExpr> split = shape, repeated, joined = shape;
  split.insert(split.begin() + axis + 1, node.number(1));
  repeated = split;
  repeated[axis + 1] = node.number(blockSize);
  joined[axis] = node.number(*constantOf(shape[axis]) * blockSize);
  Value result = node.reshape(node.broadcast(node.reshape(parameter, split), repeated), joined);
  return node.slice(result, axis, node.number(0), wanted[axis]);
}

Value coat::onnx::zeroPoint(NodeImporter &node, unsigned input, Type fallback) {
  if (node.has(input))
    return node.tensor(input);
  return node.failed() ? Value() : node.scalar(0, fallback);
}

Value coat::onnx::quantize(NodeImporter &node, Value value, Value scale, Value zeroPoint) {
  return node.emit<QuantizeOp>({value, scale, zeroPoint});
}

Value coat::onnx::dequantize(NodeImporter &node, Value value, Value scale, Value zeroPoint) {
  return node.emit<DequantizeOp>({value, scale, zeroPoint});
}

/// The type that attribute `name` asks for, or `fallback`.
static Type typeAttribute(NodeImporter &node, StringRef name, Type fallback) {
  int64_t number = node.integer(name, 0);
  if (number == 0)
    return fallback;
  Type type = elementTypeOf(number, node.context);
  if (!type)
    node.refuse("attribute '" + name + "': expected " + knownDataTypes + ", got " + dataTypeName(number));
  return type ? type : fallback;
}

/// To floats of 8 or integers of 4 bits, which are bytes from then on.
static void quantizeToBytes(NodeImporter &node, int32_t to, int64_t axis, int64_t block) {
  Value input = node.tensor(0), scale = node.tensor(1), zero = node.has(2) ? numberOf(node, 2) : Value();
  bool saturate = node.integer("saturate", 1) != 0;
  if (node.failed())
    return;
  scale = alongAxis(node, scale, input, axis, block);
  zero = alongAxis(node, zero, input, axis, block);
  if (!isFloat8(to)) {
    Type type = IntegerType::get(node.context, 8, to == Int4 ? IntegerType::Signless : IntegerType::Unsigned);
    Value wide = quantize(node, input, scale, zero ? zero : node.scalar(0, type));
    Value low = node.scalar(to == Int4 ? -8 : 0, type), high = node.scalar(to == Int4 ? 7 : 15, type);
    return setBytes(node, 0, node.elementwise(Kind::min, {node.elementwise(Kind::max, {wide, low}), high}), to);
  }
  Type f32 = node.builder.getF32Type();
  Value value = node.elementwise(Kind::div, {node.convert(input, f32), node.convert(scale, f32)});
  if (zero)
    value = node.elementwise(Kind::add, {value, zero});
  setBytes(node, 0, encodeFloat8(node, value, to, saturate), to);
}

static void importQuantizeLinear(NodeImporter &node) {
  int64_t axis = node.integer("axis", 1), block = node.integer("block_size", 0);
  int64_t to = node.integer("output_dtype", 0);
  if (node.has(2) && to == 0)
    to = bytesOf(node, 2).second;
  if (isFloat8(to) || to == UInt4 || to == Int4) {
    node.integer("precision", 0);
    return quantizeToBytes(node, to, axis, block);
  }
  node.ignore("saturate"); // of 8-bit floats
  Value input = node.tensor(0), scale = node.tensor(1);
  Type type = typeAttribute(node, "output_dtype", IntegerType::get(node.context, 8, IntegerType::Unsigned));
  Type precision = typeAttribute(node, "precision", node.elementType(1));
  if (node.failed())
    return;
  if (!isa<IntegerType>(type))
    return node.refuse("attribute 'output_dtype': expected an integer type of 8 or 16 bits, got another");
  Value zero = zeroPoint(node, 2, type);
  node.set(0, quantize(node, input, node.convert(alongAxis(node, scale, input, axis, block), precision),
                       alongAxis(node, zero, input, axis, block)));
}

static void importDequantizeLinear(NodeImporter &node) {
  int64_t axis = node.integer("axis", 1), block = node.integer("block_size", 0);
  Value scale = node.tensor(1);
  Type type = typeAttribute(node, "output_dtype", node.elementType(1));
  auto [bytes, bytesType] = bytesOf(node, 0);
  if (node.failed())
    return;
  if (isFloat8(bytesType)) {
    Value value = decodeFloat8(node, bytes, bytesType);
    if (node.has(2))
      value = node.elementwise(Kind::sub, {value, alongAxis(node, numberOf(node, 2), value, axis, block)});
    scale = node.convert(alongAxis(node, scale, value, axis, block), node.builder.getF32Type());
    return node.set(0, node.convert(node.elementwise(Kind::mul, {value, scale}), type));
  }
  Value input = numberOf(node, 0);
  if (node.failed())
    return;
  Value zero = node.has(2) ? numberOf(node, 2) : zeroPoint(node, 2, elementOf(input));
  if (node.failed())
    return;
  node.set(0, dequantize(node, input, node.convert(alongAxis(node, scale, input, axis, block), type),
                         alongAxis(node, zero, input, axis, block)));
}

/// scale = (max(0, max x) - min(0, min x)) / 255, zero point = saturate(round(-min / scale)), y by both.
static void importDynamicQuantizeLinear(NodeImporter &node) {
  Value input = node.tensor(0);
  Type f32 = node.elementType(0);
  if (node.failed())
    return;
  SmallVector<int64_t> axes(node.rank(0));
  std::iota(axes.begin(), axes.end(), 0);
  auto extreme = [&](ReduceKind reduce, Kind kind) {
    Value value = node.emit<ReduceOp>(
        input, {node.attr("kind", ReduceKindAttr::get(node.context, reduce)), node.attr("axes", axes)});
    return node.elementwise(kind, {value, node.scalar(0, f32)});
  };
  Value low = extreme(ReduceKind::min, Kind::min), high = extreme(ReduceKind::max, Kind::max);
  Value scale = node.elementwise(Kind::div, {node.elementwise(Kind::sub, {high, low}), node.scalar(255, f32)});
  // Of an input of zeros all quotients are 0 / 0.
  Value isZero = node.elementwise(Kind::equal, {scale, node.scalar(0, f32)});
  Value divisor = node.elementwise(Kind::select, {isZero, node.scalar(1, f32), scale});
  Value zero = node.elementwise(Kind::div, {node.elementwise(Kind::neg, low), divisor});
  zero = node.elementwise(Kind::round, node.elementwise(Kind::clip, zero, 0.0, 255.0));
  zero = node.convert(zero, IntegerType::get(node.context, 8, IntegerType::Unsigned));
  node.set(0, quantize(node, input, divisor, zero));
  node.set(1, scale);
  node.set(2, zero);
}

//===--- products ---===//

/// The convolution of two values, and perhaps a bias, with the node's attributes.
static Value convolution(NodeImporter &node, Value input, Value filter, Value bias = {}) {
  if (node.failed() || !input || !filter)
    return {};
  auto type = cast<RankedTensorType>(filter.getType());
  if (!type.hasStaticShape() || type.getRank() < 3) {
    node.fail("expected a filter of rank 3 to 5 and static shape, got another");
    return {};
  }
  SmallVector<AffineExpr> shape = node.dims(input);
  WindowAttributes window = readWindow(node, shape.size(), type.getShape().drop_front(2));
  int64_t group = node.integer("group", 1);
  if (node.failed())
    return {};
  resolveAutoPad(node, window, ArrayRef(shape).drop_front(2));
  SmallVector<Value> operands = {input, filter};
  if (bias)
    operands.push_back(bias);
  return node.emit<ConvOp>(operands, {node.attr("strides", window.strides), node.attr("dilations", window.dilations),
                                      node.attr("pads", window.pads), node.attr("group", group)});
}

/// Integers less their zero point, in i32.
static Value centered(NodeImporter &node, Value value, Value zero) {
  Type i32 = node.builder.getI32Type();
  return node.elementwise(Kind::sub, {node.convert(value, i32), node.convert(zero, i32)});
}

static void importConvInteger(NodeImporter &node) {
  Value input = node.tensor(0), filter = node.tensor(1);
  if (node.failed())
    return;
  Value inputZero = zeroPoint(node, 2, elementOf(input)), filterZero = zeroPoint(node, 3, elementOf(filter));
  node.set(0, convolution(node, centered(node, input, alongAxis(node, inputZero, input, 1)),
                          centered(node, filter, alongAxis(node, filterZero, filter, 0))));
}

/// A zero point or scale of a product's operand: one number, one a row of the left, or one a column of the right.
static Value ofMatrix(NodeImporter &node, Value parameter, Value matrix, bool isLeft) {
  if (node.failed() || !parameter || !matrix)
    return {};
  SmallVector<AffineExpr> shape = node.dims(parameter);
  if (shape.size() > 1) // as ONNX gives them for batches
    return parameter;
  int64_t rank = node.dims(matrix).size();
  return alongAxis(node, parameter, matrix, isLeft && rank > 1 ? rank - 2 : rank - 1);
}

static void importMatMulInteger(NodeImporter &node) {
  Value lhs = node.tensor(0), rhs = node.tensor(1);
  if (node.failed())
    return;
  Value lhsZero = ofMatrix(node, zeroPoint(node, 2, elementOf(lhs)), lhs, true);
  Value rhsZero = ofMatrix(node, zeroPoint(node, 3, elementOf(rhs)), rhs, false);
  node.set(0, matmul(node, centered(node, lhs, lhsZero), centered(node, rhs, rhsZero)));
}

/// x, scale, zero, w, scale, zero, scale of y, zero of y, bias in units of both scales.
static void importQLinearConv(NodeImporter &node) {
  Value input = node.tensor(0), filter = node.tensor(3), inputScale = node.tensor(1), filterScale = node.tensor(4);
  if (node.failed())
    return;
  Value bias;
  if (node.has(8)) {
    Value unit = node.elementwise(Kind::mul, {node.reshape(inputScale, {}), filterScale});
    bias = node.tensor(8);
    bias = dequantize(node, bias, alongAxis(node, unit, bias, 0), node.scalar(0, node.builder.getI32Type()));
  }
  Value scale = alongAxis(node, inputScale, input, 1), weights = alongAxis(node, filterScale, filter, 0);
  Value product = convolution(node, dequantize(node, input, scale, alongAxis(node, node.tensor(2), input, 1)),
                              dequantize(node, filter, weights, alongAxis(node, node.tensor(5), filter, 0)), bias);
  node.set(0, quantize(node, product, alongAxis(node, node.tensor(6), product, 1),
                       alongAxis(node, node.tensor(7), product, 1)));
}

static void importQLinearMatMul(NodeImporter &node) {
  Value lhs = node.tensor(0), rhs = node.tensor(3);
  Value left =
      dequantize(node, lhs, ofMatrix(node, node.tensor(1), lhs, true), ofMatrix(node, node.tensor(2), lhs, true));
  Value right =
      dequantize(node, rhs, ofMatrix(node, node.tensor(4), rhs, false), ofMatrix(node, node.tensor(5), rhs, false));
  Value product = matmul(node, left, right);
  node.set(0, quantize(node, product, ofMatrix(node, node.tensor(6), product, true),
                       ofMatrix(node, node.tensor(7), product, true)));
}

//===--- com.microsoft, as ONNX Runtime's quantizer writes it ---===//

/// Inputs first, first + 1 and first + 2: a value, its scale and its zero point.
static Value dequantizedInput(NodeImporter &node, unsigned first) {
  Value value = node.tensor(first);
  if (node.failed())
    return {};
  Value zero = zeroPoint(node, first + 2, elementOf(value));
  return dequantize(node, value, alongAxis(node, node.tensor(first + 1), value, 1), alongAxis(node, zero, value, 1));
}

/// Result 0: `value` with the scale of input `first` and the zero point of the next, by default one of `type`.
static void setQuantized(NodeImporter &node, Value value, unsigned first, Type type) {
  if (node.failed() || !value)
    return;
  Value zero = zeroPoint(node, first + 1, type);
  node.set(0, quantize(node, value, alongAxis(node, node.tensor(first), value, 1), alongAxis(node, zero, value, 1)));
}

template <Kind kind> static void importQLinearBinary(NodeImporter &node) {
  Value result = node.elementwise(kind, {dequantizedInput(node, 0), dequantizedInput(node, 3)});
  setQuantized(node, result, 6, node.elementType(0));
}

static void importQLinearSigmoid(NodeImporter &node) {
  setQuantized(node, node.elementwise(Kind::sigmoid, dequantizedInput(node, 0)), 3, node.elementType(0));
}

static void importQLinearLeakyRelu(NodeImporter &node) {
  double alpha = node.real("alpha", 0.01);
  setQuantized(node, node.elementwise(Kind::leaky_relu, dequantizedInput(node, 0), alpha), 3, node.elementType(0));
}

static void importQLinearGlobalAveragePool(NodeImporter &node) {
  node.only("channels_last", 0);
  Value pool = node.emit<GlobalPoolOp>(dequantizedInput(node, 0),
                                       node.attr("kind", PoolKindAttr::get(node.context, PoolKind::average)));
  setQuantized(node, pool, 3, node.elementType(0));
}

/// Scale and zero point of the result, then three inputs for each part.
static void importQLinearConcat(NodeImporter &node) {
  int64_t axis = node.normalizeAxis(node.integer("axis", 0), node.rank(2));
  SmallVector<Value> parts;
  for (unsigned input = 2; input + 2 < node.numInputs(); input += 3)
    parts.push_back(dequantizedInput(node, input));
  setQuantized(node, node.concat(parts, axis), 0, node.elementType(2));
}

/// alpha A' B' + C, where C counts in alpha times both scales; floating-point without a scale of the result.
static void importQGemm(NodeImporter &node) {
  bool transposeLhs = node.integer("transA", 0) != 0, transposeRhs = node.integer("transB", 0) != 0;
  double alpha = node.real("alpha", 1.0);
  Value lhs = node.tensor(0), rhs = node.tensor(3), lhsScale = node.tensor(1), rhsScale = node.tensor(4);
  if (node.failed())
    return;
  if (alpha != 1.0)
    lhsScale = node.elementwise(Kind::mul, {lhsScale, node.scalar(alpha, elementOf(lhsScale))});
  int64_t columns = transposeRhs ? 0 : 1;
  Value bias;
  if (node.has(6)) {
    Value unit = node.elementwise(Kind::mul, {node.reshape(lhsScale, {}), rhsScale});
    bias = node.tensor(6);
    bias = dequantize(node, bias, alongAxis(node, unit, bias, bias ? node.dims(bias).size() - 1 : 0),
                      node.scalar(0, node.builder.getI32Type()));
    SmallVector<AffineExpr> shape = bias ? node.dims(bias) : SmallVector<AffineExpr>();
    if (shape.size() == 2 && constantOf(shape[0]) == 1)
      bias = node.reshape(bias, shape[1]);
  }
  Value left = dequantize(node, lhs, alongAxis(node, lhsScale, lhs, 1), alongAxis(node, node.tensor(2), lhs, 1));
  Value right =
      dequantize(node, rhs, alongAxis(node, rhsScale, rhs, columns), alongAxis(node, node.tensor(5), rhs, columns));
  Value result = product(node, left, right, transposeLhs, transposeRhs, bias);
  if (node.has(7))
    setQuantized(node, result, 7, node.elementType(0));
  else
    node.set(0, result);
}

//===--- bits ---===//

static void importBitCast(NodeImporter &node) {
  int64_t to = node.integer("to", 0);
  Type type = elementTypeOf(to, node.context), from = node.elementType(0);
  if (!type)
    return node.refuse("attribute 'to': expected " + knownDataTypes + ", got " + dataTypeName(to));
  if (node.failed())
    return;
  if (type.getIntOrFloatBitWidth() != from.getIntOrFloatBitWidth() && !(type.isInteger(1) || from.isInteger(1)))
    return node.fail("attribute 'to': expected a type of as many bits as the input's, got " + dataTypeName(to));
  if (type.isInteger(1) || from.isInteger(1))
    return node.refuse("attribute 'to': expected numbers, got bool");
  if (type == from)
    return node.forward(0, 0);
  node.set(0, node.emit<BitCastOp>(node.tensor(0), node.attr("element_type", TypeAttr::get(type))));
}

ArrayRef<Handler> coat::onnx::quantHandlers() {
  static const Handler rows[] = {
      {"QuantizeLinear", 10, newest, importQuantizeLinear},
      {"DequantizeLinear", 10, newest, importDequantizeLinear},
      {"DynamicQuantizeLinear", 11, newest, importDynamicQuantizeLinear},
      {"ConvInteger", 10, newest, importConvInteger},
      {"MatMulInteger", 10, newest, importMatMulInteger},
      {"QLinearConv", 10, newest, importQLinearConv},
      {"QLinearMatMul", 10, newest, importQLinearMatMul},
      {"com.microsoft.QuantizeLinear", 1, newest, importQuantizeLinear},
      {"com.microsoft.DequantizeLinear", 1, newest, importDequantizeLinear},
      {"com.microsoft.QLinearAdd", 1, newest, importQLinearBinary<Kind::add>},
      {"com.microsoft.QLinearMul", 1, newest, importQLinearBinary<Kind::mul>},
      {"com.microsoft.QLinearSigmoid", 1, newest, importQLinearSigmoid},
      {"com.microsoft.QLinearLeakyRelu", 1, newest, importQLinearLeakyRelu},
      {"com.microsoft.QLinearGlobalAveragePool", 1, newest, importQLinearGlobalAveragePool},
      {"com.microsoft.QLinearConcat", 1, newest, importQLinearConcat},
      {"com.microsoft.QGemm", 1, newest, importQGemm},
      {"BitCast", 26, newest, importBitCast},
  };
  return rows;
}
