/* isa.h: which of the library's ISAs this CPU runs. Part of model.c.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#ifndef COAT_ISA_H
#define COAT_ISA_H

#include "model.h"

#if defined(__x86_64__)
static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]) {
  __asm__("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(subleaf));
}

static uint32_t enabledState(void) {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static int all(uint32_t word, uint32_t bits) { return (word & bits) == bits; }

/* The bits of coat_cpu_feature that this CPU and operating system have. Leaves and bits: Intel SDM volume 2, CPUID. */
static uint64_t cpuFeatures(void) {
  uint32_t max[4], one[4], seven[4] = {0}, sevenOne[4] = {0}, extMax[4], ext[4] = {0};
  cpuid(0, 0, max);
  cpuid(1, 0, one);
  if (max[0] >= 7) {
    cpuid(7, 0, seven);
    if (seven[0] >= 1)
      cpuid(7, 1, sevenOne);
  }
  cpuid(0x80000000u, 0, extMax);
  if (extMax[0] >= 0x80000001u)
    cpuid(0x80000001u, 0, ext);

  /* sse3 0, ssse3 9, cx16 13, sse4.1 19, sse4.2 20, popcnt 23; lahf 0 of the extended leaf */
  if (!all(one[2], 1u << 0 | 1u << 9 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 23) || !all(ext[2], 1u << 0))
    return 0;
  uint64_t features = COAT_CPU_X86_64_V2;
  /* osxsave 27, then XCR0: xmm 1, ymm 2 */
  if (!all(one[2], 1u << 27) || !all(enabledState(), 1u << 1 | 1u << 2))
    return features;
  /* fma 12, movbe 22, avx 28, f16c 29; bmi 3, avx2 5, bmi2 8; lzcnt 5 */
  if (!all(one[2], 1u << 12 | 1u << 22 | 1u << 28 | 1u << 29) || !all(seven[1], 1u << 3 | 1u << 5 | 1u << 8) ||
      !all(ext[2], 1u << 5))
    return features;
  features |= COAT_CPU_X86_64_V3;
  if (all(sevenOne[0], 1u << 4))
    features |= COAT_CPU_AVX_VNNI;
  /* XCR0: opmask 5, zmm 6 and 7; f 16, dq 17, cd 28, bw 30, vl 31 */
  if (!all(enabledState(), 1u << 5 | 1u << 6 | 1u << 7) ||
      !all(seven[1], 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31))
    return features;
  features |= COAT_CPU_X86_64_V4;
  if (all(seven[2], 1u << 11))
    features |= COAT_CPU_AVX512_VNNI;
  if (all(seven[3], 1u << 23))
    features |= COAT_CPU_AVX512_FP16;
  if (all(sevenOne[0], 1u << 5))
    features |= COAT_CPU_AVX512_BF16;
  return features;
}
#else
static uint64_t cpuFeatures(void) { return ~UINT64_C(0); }
#endif

/* 0: not asked yet; k: ISA k-1; UINT32_MAX: none. Racing threads write the same value, so relaxed order does. */
static uint32_t chosenIsa;

static const coat_isa *chooseIsa(void) {
  uint32_t chosen = __atomic_load_n(&chosenIsa, __ATOMIC_RELAXED);
  if (chosen == 0) {
    uint64_t features = cpuFeatures();
    chosen = UINT32_MAX;
    for (int32_t i = coat_the_model.info.isa_count; i-- > 0;)
      if ((coat_the_model.isas[i].features & ~features) == 0)
        chosen = (uint32_t)i + 1;
    __atomic_store_n(&chosenIsa, chosen, __ATOMIC_RELAXED);
  }
  return chosen == UINT32_MAX ? 0 : &coat_the_model.isas[chosen - 1];
}

#endif
