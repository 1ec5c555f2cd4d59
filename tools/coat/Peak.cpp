// The measured peak: 16 chains of fused multiply-adds, more than latency times ports of any CPU, and few enough for the
// registers of each. Without LLVM headers, because the benchmarks of kernels compile this file too.
#include "Peak.h"
#include <algorithm>
#include <chrono>
#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

static double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The best rate of `loop(rounds)`, which does `flops` a round.
template <typename Loop> static double best(Loop loop, double flops) {
  constexpr int64_t rounds = 50000;
  double rate = 0;
  for (int i = 0; i < 8; ++i) {
    auto start = std::chrono::steady_clock::now();
    loop(rounds);
    rate = std::max(rate, flops * rounds / secondsSince(start));
  }
  return rate * 1e-9;
}

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

double coatMeasuredPeak() {
  if (__builtin_cpu_supports("avx512f"))
    return best(chains512, 16 * 16 * 2);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return best(chains256, 12 * 8 * 2);
  return 0;
}
#else
double coatMeasuredPeak() { return 0; }
#endif
