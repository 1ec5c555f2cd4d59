// Reading and making constant tensors as bytes; see Constants.h.
#include "Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

// Constants up to this many elements are printed in the IR, larger ones are blobs.
static constexpr int64_t maxDenseElements = 16;

unsigned coat::graph::elementWidth(Type type) {
  if (type.isInteger(1))
    return 1;
  if (!type.isIntOrFloat() || type.getIntOrFloatBitWidth() % 8 != 0)
    return 0;
  return type.getIntOrFloatBitWidth() / 8;
}

unsigned ConstantTensor::width() const { return elementWidth(type.getElementType()); }

std::optional<ConstantTensor> ConstantTensor::get(Value value) {
  ElementsAttr attr;
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || elementWidth(type.getElementType()) == 0 ||
      !matchPattern(value, m_Constant(&attr)))
    return std::nullopt;
  ConstantTensor constant;
  constant.type = type;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || static_cast<int64_t>(blob->getData().size()) < constant.size() * constant.width())
      return std::nullopt;
    constant.bytes = blob->getData();
    return constant;
  }
  auto dense = dyn_cast<DenseElementsAttr>(attr);
  if (!dense)
    return std::nullopt;
  constant.splat = dense.isSplat();
  if (!type.getElementType().isInteger(1)) {
    constant.bytes = dense.getRawData();
    return constant;
  }
  // Dense booleans are packed bits upstream; here they are bytes.
  constant.unpacked = std::make_shared<SmallVector<char>>();
  if (constant.splat)
    constant.unpacked->push_back(dense.getSplatValue<bool>());
  else
    llvm::append_range(*constant.unpacked, dense.getValues<bool>());
  constant.bytes = *constant.unpacked;
  return constant;
}

bool ConstantTensor::readable() const {
  Type element = type.getElementType();
  return isa<IntegerType, Float64Type, Float32Type, Float16Type, BFloat16Type>(element);
}

template <typename T> static double load(const char *at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return static_cast<double>(value);
}

/// An f16: the product corrects the exponent, whose bias differs by 112, and normalizes denormals on the way.
static double loadHalf(const char *at) {
  uint16_t bits;
  std::memcpy(&bits, at, sizeof(bits));
  uint32_t magnitude = bits & 0x7fff, wide = magnitude << 13;
  float value;
  if (magnitude >= 0x7c00)
    wide |= 0x7f800000;
  std::memcpy(&value, &wide, sizeof(value));
  if (magnitude < 0x7c00)
    value *= 0x1p112f;
  return bits & 0x8000 ? -value : value;
}

/// A bf16: the upper half of an f32.
static double loadBrain(const char *at) {
  char bytes[4] = {0, 0, at[0], at[1]};
  return load<float>(bytes);
}

/// What reads an element of type `element` as a number.
static double (*loaderOf(Type element))(const char *) {
  if (element.isF32())
    return load<float>;
  if (element.isF64())
    return load<double>;
  if (element.isF16())
    return loadHalf;
  if (element.isBF16())
    return loadBrain;
  bool isUnsigned = element.isUnsignedInteger();
  switch (elementWidth(element)) {
  case 8:
    return isUnsigned ? load<uint64_t> : load<int64_t>;
  case 4:
    return isUnsigned ? load<uint32_t> : load<int32_t>;
  case 2:
    return isUnsigned ? load<uint16_t> : load<int16_t>;
  default:
    return isUnsigned || element.isInteger(1) ? load<uint8_t> : load<int8_t>;
  }
}

double ConstantTensor::number(int64_t i) const { return loaderOf(type.getElementType())(element(i)); }

SmallVector<double> ConstantTensor::numbers() const {
  double (*load)(const char *) = loaderOf(type.getElementType());
  size_t step = splat ? 0 : width();
  SmallVector<double> values(size());
  for (auto [i, value] : llvm::enumerate(values))
    value = load(bytes.data() + i * step);
  return values;
}

/// The bits of `value`, rounded to nearest even, in a float of 16 bits: so many of the mantissa, and the exponent of
/// the least normal number. Weights by the million go through this; APFloat takes about ten times as long.
static uint16_t narrowBits(double value, int mantissaBits, int leastExponent) {
  uint16_t sign = std::signbit(value) << 15, infinity = 0x8000 - (1 << mantissaBits);
  if (std::isnan(value))
    return sign | infinity | 1 << (mantissaBits - 1);
  if (std::isinf(value))
    return sign | infinity;
  int exponent = std::max<int>((llvm::bit_cast<uint64_t>(value) >> 52 & 0x7ff) - 1023, leastExponent);
  auto scale = llvm::bit_cast<double>(uint64_t(1023 + mantissaBits - exponent) << 52);
  auto units = static_cast<int>(std::nearbyint(std::abs(value) * scale));
  // The leading one of a normal number counts into the exponent, and so does the carry of what is rounded up.
  int bits = ((exponent - leastExponent) << mantissaBits) + units;
  return sign | std::min<int>(bits, infinity);
}

template <typename T> static void put(char *to, T value) { std::memcpy(to, &value, sizeof(T)); }

/// What writes a number, rounded, as an element of the floating-point type `element`.
static void (*floatStorerOf(Type element))(char *, double) {
  if (element.isF32())
    return [](char *to, double value) { put(to, static_cast<float>(value)); };
  if (element.isF64())
    return put<double>;
  if (element.isF16())
    return [](char *to, double value) { put(to, narrowBits(value, 10, -14)); };
  return [](char *to, double value) { put(to, narrowBits(value, 7, -126)); };
}

bool coat::graph::store(char *to, Type type, double value) {
  if (isa<FloatType>(type)) {
    floatStorerOf(type)(to, value);
    return true;
  }
  if (type.isInteger(1)) {
    *to = value != 0;
    return true;
  }
  if (!(std::abs(value) < largestInteger))
    return false;
  bool isUnsigned = type.isUnsignedInteger();
  auto integer = static_cast<int64_t>(value);
  unsigned width = type.getIntOrFloatBitWidth();
  if (isUnsigned ? integer < 0 || !llvm::isUIntN(width, integer) : !llvm::isIntN(width, integer))
    return false;
  std::memcpy(to, &integer, width / 8);
  return true;
}

double coat::graph::rounded(FloatType type, double value) {
  char bytes[sizeof(double)];
  floatStorerOf(type)(bytes, value);
  return loaderOf(type)(bytes);
}

AsmResourceBlob coat::graph::newBlob(size_t bytes) {
  return HeapAsmResourceBlob::allocate(std::max<size_t>(bytes, 1), 64);
}

Value coat::graph::blobConstant(OpBuilder &builder, Location loc, RankedTensorType type, AsmResourceBlob blob) {
  ArrayRef<char> bytes = blob.getData().take_front(type.getNumElements() * elementWidth(type.getElementType()));
  ElementsAttr attr;
  if (type.getElementType().isInteger(1)) {
    SmallVector<bool> bits(bytes.begin(), bytes.end());
    attr = DenseElementsAttr::get(type, bits);
  } else if (type.getNumElements() <= maxDenseElements) {
    attr = DenseElementsAttr::getFromRawBuffer(type, bytes);
  } else {
    attr = DenseResourceElementsAttr::get(type, "folded", std::move(blob));
  }
  return arith::ConstantOp::create(builder, loc, type, cast<TypedAttr>(attr));
}

Value coat::graph::floatConstant(OpBuilder &builder, Location loc, RankedTensorType type, ArrayRef<double> values) {
  unsigned width = elementWidth(type.getElementType());
  AsmResourceBlob blob = newBlob(values.size() * width);
  char *to = blob.getMutableData().data();
  void (*store)(char *, double) = floatStorerOf(type.getElementType());
  for (auto [i, value] : llvm::enumerate(values))
    store(to + i * width, value);
  return blobConstant(builder, loc, type, std::move(blob));
}

Value coat::graph::reshapedConstant(OpBuilder &builder, Location loc, Value constant, ArrayRef<int64_t> shape) {
  TypedAttr attr;
  matchPattern(constant, m_Constant(&attr));
  auto type = cast<RankedTensorType>(constant.getType()).clone(shape);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr))
    attr = DenseResourceElementsAttr::get(type, resource.getRawHandle());
  else
    attr = cast<DenseElementsAttr>(attr).reshape(type);
  return arith::ConstantOp::create(builder, loc, type, attr);
}

SmallVector<int64_t> coat::graph::rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t i = static_cast<int64_t>(shape.size()) - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * shape[i + 1];
  return strides;
}

/// Copies the elements of `Width` bytes of a strided box, row by row.
template <unsigned Width>
static void copyStrided(const char *from, char *&to, ArrayRef<int64_t> shape, ArrayRef<int64_t> strides) {
  if (shape.size() > 1) {
    for (int64_t i = 0; i < shape.front(); ++i)
      copyStrided<Width>(from + i * strides.front() * Width, to, shape.drop_front(), strides.drop_front());
    return;
  }
  for (int64_t i = 0; i < shape.front(); ++i, to += Width)
    std::memcpy(to, from + i * strides.front() * Width, Width);
}

Value coat::graph::stridedConstant(OpBuilder &builder, Location loc, const ConstantTensor &input, RankedTensorType type,
                                   int64_t offset, ArrayRef<int64_t> strides) {
  if (input.splat && !type.getElementType().isInteger(1)) {
    auto attr = DenseElementsAttr::getFromRawBuffer(type, input.bytes);
    return arith::ConstantOp::create(builder, loc, type, attr);
  }
  SmallVector<int64_t> shape(type.getShape()), steps(strides);
  if (shape.empty()) {
    shape.push_back(1);
    steps.push_back(0);
  }
  if (input.splat)
    llvm::fill(steps, 0);
  unsigned width = input.width();
  AsmResourceBlob blob = newBlob(type.getNumElements() * width);
  char *to = blob.getMutableData().data();
  const char *from = input.bytes.data() + (input.splat ? 0 : offset * width);
  switch (width) {
  case 1:
    copyStrided<1>(from, to, shape, steps);
    break;
  case 2:
    copyStrided<2>(from, to, shape, steps);
    break;
  case 4:
    copyStrided<4>(from, to, shape, steps);
    break;
  default:
    copyStrided<8>(from, to, shape, steps);
  }
  return blobConstant(builder, loc, type, std::move(blob));
}

Value coat::graph::transposedConstant(OpBuilder &builder, Location loc, const ConstantTensor &constant,
                                      ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> strides = rowMajorStrides(constant.type.getShape()), shape, steps;
  for (int64_t dim : permutation) {
    shape.push_back(constant.type.getDimSize(dim));
    steps.push_back(strides[dim]);
  }
  return stridedConstant(builder, loc, constant, constant.type.clone(shape), 0, steps);
}
