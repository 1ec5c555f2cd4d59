// Facts about CPUs that strategy and code generation decide by; no IR here.
#ifndef COAT_TARGET_CPU_H
#define COAT_TARGET_CPU_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace coat {
/// Bytes of a last cache that one model may count on: other cores use it too, and the weights of the network pass
/// through. With all 32 MiB of a Zen 3 in the count, the 56x56 and 112x112 layers of VGG-19 were cut in two kernels:
/// 215 instead of 162 ms.
constexpr double countedOfLastCache = 8 * 1024 * 1024;
/// Operations in the time in which a byte comes from memory.
constexpr double workOfByte = 5;

struct CpuTarget {
  llvm::StringLiteral name; // as -march takes it, and as LLVM's -mcpu takes it
  int64_t vector;           // f32 lanes of the widest vector worth using
  int64_t registers;        // vector registers
  bool fusedMultiplyAdd;
  int64_t l1, l2, l3; // bytes: data cache of a core, of a core, of what is shared
};

/// Every CPU that -march accepts besides `native`.
llvm::ArrayRef<CpuTarget> cpuTargets();

/// The CPU of that name; `native` is the one this process runs on (or the level of x86-64 it reaches). Null when
/// unknown.
const CpuTarget *findCpuTarget(llvm::StringRef name);
} // namespace coat

#endif
