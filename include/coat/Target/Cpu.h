// Facts about CPUs that strategy and code generation decide by; no IR here.
#ifndef COAT_TARGET_CPU_H
#define COAT_TARGET_CPU_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace coat {
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
