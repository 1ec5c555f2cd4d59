// The measured peak: 16 chains of fused multiply-adds, more than latency times ports of any CPU, and few enough for the
// registers of each. Without LLVM headers, because the benchmarks of kernels compile this file too.
#include "Peak.h"
#include <algorithm>
#include <chrono>
#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__x86_64__)
// The empty asm keeps each sum in its register: the compiler can neither merge the chains nor drop them.
#define COAT_CHAINS(vector, fma, count)                                                                                \
  vector sums[count] = {};                                                                                             \
  vector one = {};                                                                                                     \
  for (int64_t i = 0; i < rounds; ++i)                                                                                 \
    _Pragma("GCC unroll 16") for (int k = 0; k < count; ++k) {                                                         \
      sums[k] = fma(one, one, sums[k]);                                                                                \
      asm volatile("" : "+v"(sums[k]));                                                                                \
    }

__attribute__((target("avx2,fma"))) static void chains256(int64_t rounds) { COAT_CHAINS(__m256, _mm256_fmadd_ps, 12) }
__attribute__((target("avx512f"))) static void chains512(int64_t rounds) { COAT_CHAINS(__m512, _mm512_fmadd_ps, 16) }

double coatSecondsAtPeak(double flops) {
  bool wide = __builtin_cpu_supports("avx512f");
  if (!wide && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")))
    return 0;
  auto start = std::chrono::steady_clock::now();
  if (wide)
    chains512(static_cast<int64_t>(flops / (16 * 16 * 2)));
  else
    chains256(static_cast<int64_t>(flops / (12 * 8 * 2)));
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
#else
double coatSecondsAtPeak(double) { return 0; }
#endif

double coatMeasuredPeak() {
  constexpr double flops = 1e7;
  double least = coatSecondsAtPeak(flops);
  for (int i = 1; i < 8; ++i)
    least = std::min(least, coatSecondsAtPeak(flops));
  return least > 0 ? flops / least * 1e-9 : 0;
}
