// Memory, element access and random values.
#include "Tensor.h"
#include "elements.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

using namespace coat::tool;

llvm::StringRef coat::tool::dtypeName(int32_t dtype) {
  static const char *names[] = {"none", "bool", "i8",   "i16", "i32", "i64",      "u8",     "u16", "u32",
                                "u64",  "f16",  "bf16", "f32", "f64", "f8e4m3fn", "f8e5m2", "i4",  "u4"};
  return dtype >= 0 && dtype <= COAT_U4 ? names[dtype] : "unknown";
}

std::string coat::tool::shapeText(llvm::ArrayRef<int64_t> shape) {
  std::string text;
  for (int64_t size : shape)
    text += (text.empty() ? "" : "x") + std::to_string(size);
  return text.empty() ? "scalar" : text;
}

void Tensor::Free::operator()(char *pointer) const { std::free(pointer); }

Tensor::Tensor(int32_t dtype, std::vector<int64_t> shape) : dtype(dtype), shape(std::move(shape)) {
  // Not a byte more: AddressSanitizer then finds what a library built with --sanitize=address reads beyond the end.
  void *pointer = nullptr;
  if (posix_memalign(&pointer, COAT_ALIGNMENT, bytes()))
    llvm::report_bad_alloc_error("out of memory for a tensor");
  memory.reset(static_cast<char *>(pointer));
  if (bytes())
    std::memset(pointer, 0, bytes());
}

int64_t Tensor::elements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

size_t Tensor::bytes() const { return (static_cast<size_t>(elements()) * coatElementBits(dtype) + 7) / 8; }

template <typename T> static T load(const char *data, int64_t i) {
  T value;
  std::memcpy(&value, data + i * sizeof(T), sizeof(T));
  return value;
}

static double decode(const llvm::fltSemantics &semantics, unsigned bits, uint64_t value) {
  llvm::APFloat number(semantics, llvm::APInt(bits, value));
  bool lost;
  number.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &lost);
  return number.convertToDouble();
}

double Tensor::at(int64_t i) const {
  const char *p = data();
  switch (dtype) {
  case COAT_BOOL:
  case COAT_U8:
    return load<uint8_t>(p, i);
  case COAT_I8:
    return load<int8_t>(p, i);
  case COAT_I16:
    return load<int16_t>(p, i);
  case COAT_I32:
    return load<int32_t>(p, i);
  case COAT_I64:
    return static_cast<double>(load<int64_t>(p, i));
  case COAT_U16:
    return load<uint16_t>(p, i);
  case COAT_U32:
    return load<uint32_t>(p, i);
  case COAT_U64:
    return static_cast<double>(load<uint64_t>(p, i));
  case COAT_F16:
    return decode(llvm::APFloat::IEEEhalf(), 16, load<uint16_t>(p, i));
  case COAT_BF16:
    return decode(llvm::APFloat::BFloat(), 16, load<uint16_t>(p, i));
  case COAT_F32:
    return load<float>(p, i);
  case COAT_F64:
    return load<double>(p, i);
  case COAT_F8E4M3FN:
    return decode(llvm::APFloat::Float8E4M3FN(), 8, load<uint8_t>(p, i));
  case COAT_F8E5M2:
    return decode(llvm::APFloat::Float8E5M2(), 8, load<uint8_t>(p, i));
  default: { // two a byte, low nibble first
    int nibble = (load<uint8_t>(p, i / 2) >> (i % 2 * 4)) & 15;
    return dtype == COAT_I4 && nibble > 7 ? nibble - 16 : nibble;
  }
  }
}

/// Standard normal by Box-Muller from the generator's own bits: the library's distributions differ between systems.
static double normal(std::mt19937_64 &random) {
  double u = (static_cast<double>(random() >> 11) + 1) / 9007199254740993.0;
  double v = static_cast<double>(random() >> 11) / 9007199254740992.0;
  return std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * v);
}

static uint64_t encode(const llvm::fltSemantics &semantics, double value) {
  llvm::APFloat number(value);
  bool lost;
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &lost);
  return number.bitcastToAPInt().getZExtValue();
}

static void store(Tensor &tensor, int64_t i, std::mt19937_64 &random) {
  auto put = [&](auto value) { std::memcpy(tensor.data() + i * sizeof value, &value, sizeof value); };
  switch (tensor.dtype) {
  case COAT_BOOL:
    return put(static_cast<uint8_t>(random() & 1));
  case COAT_F32:
    return put(static_cast<float>(normal(random)));
  case COAT_F64:
    return put(normal(random));
  case COAT_F16:
    return put(static_cast<uint16_t>(encode(llvm::APFloat::IEEEhalf(), normal(random))));
  case COAT_BF16:
    return put(static_cast<uint16_t>(encode(llvm::APFloat::BFloat(), normal(random))));
  case COAT_F8E4M3FN:
    return put(static_cast<uint8_t>(encode(llvm::APFloat::Float8E4M3FN(), normal(random))));
  case COAT_F8E5M2:
    return put(static_cast<uint8_t>(encode(llvm::APFloat::Float8E5M2(), normal(random))));
  case COAT_I4:
  case COAT_U4:
    if (i % 2 == 0)
      tensor.data()[i / 2] = static_cast<char>(random() & 0x77);
    return;
  }
  uint64_t small = random() & 7;
  switch (coatElementBits(tensor.dtype)) {
  case 8:
    return put(static_cast<uint8_t>(small));
  case 16:
    return put(static_cast<uint16_t>(small));
  case 32:
    return put(static_cast<uint32_t>(small));
  default:
    return put(small);
  }
}

void coat::tool::fillRandom(Tensor &tensor, uint64_t seed) {
  std::mt19937_64 random(seed);
  for (int64_t i = 0; i < tensor.elements(); ++i)
    store(tensor, i, random);
}
