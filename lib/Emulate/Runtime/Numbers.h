// What 16-bit operands of the tensor cores are as f32. Products of them are exact in f32; sums are rounded in f32, in
// the order of k, which need not be the order of a GPU.
#ifndef COAT_EMULATE_RUNTIME_NUMBERS_H
#define COAT_EMULATE_RUNTIME_NUMBERS_H

#include <cstdint>
#include <cstring>

namespace coat::emulator {

enum Element : int32_t { f16 = 0, bf16 = 1, tf32 = 2 };

inline float floatOf(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

inline uint32_t bitsOf(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

/// f32 values of all 65,536 halves.
const float *halves();

inline float widen(uint16_t bits, int32_t type) {
  return type == bf16 ? floatOf(uint32_t(bits) << 16) : halves()[bits];
}

/// Tensor cores ignore the low 13 bits of tf32 operands.
inline float truncateTf32(uint32_t bits) { return floatOf(bits & 0xFFFFE000u); }

/// To nearest, ties away from zero (cvt.rna). Copies by a tensor map of tf32 round, too; to which side ties go is not
/// documented.
inline uint32_t roundToTf32(float value) {
  return value != value ? 0x7FFFFFFF : (bitsOf(value) + 0x1000) & 0xFFFFE000u;
}

uint16_t roundToHalf(float value);
uint16_t roundToBfloat(float value);

template <typename T> T load(const void *from) {
  T value;
  memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T> void store(void *to, T value) { memcpy(to, &value, sizeof(T)); }

} // namespace coat::emulator

#endif
