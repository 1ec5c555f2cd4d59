// Approximate functions of the GPU, and those of libdevice, by the host's libm: what a kernel computes must not depend
// on the last bits. Roundings to narrow types are exact; LLVM calls them by the names of its own support library.
#include "Machine.h"
#include "Numbers.h"
#include <cmath>

using namespace coat::emulator;

const float *coat::emulator::halves() {
  static const float *table = [] {
    auto *values = new float[65536];
    for (uint32_t bits = 0; bits < 65536; ++bits) {
      int exponent = bits >> 10 & 31, mantissa = bits & 1023;
      float magnitude = exponent == 31 ? (mantissa ? NAN : INFINITY)
                        : exponent     ? std::ldexp(float(mantissa + 1024), exponent - 25)
                                       : std::ldexp(float(mantissa), -24);
      values[bits] = bits >> 15 ? -magnitude : magnitude;
    }
    return values;
  }();
  return table;
}

uint16_t coat::emulator::roundToBfloat(float value) {
  uint32_t bits = bitsOf(value);
  if (value != value)
    return 0x7FFF;
  return uint16_t((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

uint16_t coat::emulator::roundToHalf(float value) {
  uint16_t sign = uint16_t(bitsOf(value) >> 16 & 0x8000);
  float magnitude = std::fabs(value);
  if (value != value)
    return 0x7FFF;
  if (magnitude >= 65520.0f)
    return sign | 0x7C00;
  int exponent = magnitude < std::ldexp(1.0f, -14) ? -14 : std::ilogb(magnitude);
  auto mantissa = uint32_t(std::nearbyint(std::ldexp(magnitude, 10 - exponent))); // 11 bits, 10 of them stored
  return uint16_t(sign + (mantissa < 1024 ? mantissa : (uint32_t(exponent + 15) << 10) + mantissa - 1024));
}

#define UNARY(name, expression)                                                                                        \
  COAT_EMULATED float name(float x) { return expression; }

UNARY(coat_emu_ex2, std::exp2(x))
UNARY(coat_emu_lg2, std::log2(x))
UNARY(coat_emu_rcp, 1.0f / x)
UNARY(coat_emu_rsqrt, 1.0f / std::sqrt(x))
UNARY(coat_emu_sqrt, std::sqrt(x))
UNARY(coat_emu_tanh, std::tanh(x))
UNARY(coat_emu_sin, std::sin(x))
UNARY(coat_emu_cos, std::cos(x))

COAT_EMULATED uint32_t coat_emu_tf32(float x) { return roundToTf32(x); }
COAT_EMULATED uint32_t coat_emu_bf16x2(float high, float low) {
  return uint32_t(roundToBfloat(high)) << 16 | roundToBfloat(low);
}
COAT_EMULATED uint32_t coat_emu_f16x2(float high, float low) {
  return uint32_t(roundToHalf(high)) << 16 | roundToHalf(low);
}

/// LLVM's name of it, where the host has no such instruction; a bf16 is returned as the low half of a float.
COAT_EMULATED float __truncsfbf2(float x) { return floatOf(roundToBfloat(x)); }

UNARY(__nv_expf, std::exp(x))
UNARY(__nv_exp2f, std::exp2(x))
UNARY(__nv_exp10f, std::pow(10.0f, x))
UNARY(__nv_expm1f, std::expm1(x))
UNARY(__nv_logf, std::log(x))
UNARY(__nv_log2f, std::log2(x))
UNARY(__nv_log10f, std::log10(x))
UNARY(__nv_log1pf, std::log1p(x))
UNARY(__nv_sqrtf, std::sqrt(x))
UNARY(__nv_rsqrtf, 1.0f / std::sqrt(x))
UNARY(__nv_cbrtf, std::cbrt(x))
UNARY(__nv_sinf, std::sin(x))
UNARY(__nv_cosf, std::cos(x))
UNARY(__nv_tanf, std::tan(x))
UNARY(__nv_asinf, std::asin(x))
UNARY(__nv_acosf, std::acos(x))
UNARY(__nv_atanf, std::atan(x))
UNARY(__nv_sinhf, std::sinh(x))
UNARY(__nv_coshf, std::cosh(x))
UNARY(__nv_tanhf, std::tanh(x))
UNARY(__nv_asinhf, std::asinh(x))
UNARY(__nv_acoshf, std::acosh(x))
UNARY(__nv_atanhf, std::atanh(x))
UNARY(__nv_erff, std::erf(x))
UNARY(__nv_erfcf, std::erfc(x))
UNARY(__nv_fabsf, std::fabs(x))
UNARY(__nv_floorf, std::floor(x))
UNARY(__nv_ceilf, std::ceil(x))
UNARY(__nv_truncf, std::trunc(x))
UNARY(__nv_roundf, std::round(x))
UNARY(__nv_rintf, std::nearbyint(x))
COAT_EMULATED float __nv_powf(float x, float y) { return std::pow(x, y); }
COAT_EMULATED float __nv_fmodf(float x, float y) { return std::fmod(x, y); }
COAT_EMULATED float __nv_atan2f(float x, float y) { return std::atan2(x, y); }
COAT_EMULATED float __nv_fmaxf(float x, float y) { return std::fmax(x, y); }
COAT_EMULATED float __nv_fminf(float x, float y) { return std::fmin(x, y); }
COAT_EMULATED float __nv_copysignf(float x, float y) { return std::copysign(x, y); }
COAT_EMULATED float __nv_fmaf(float x, float y, float z) { return std::fma(x, y, z); }
