// The table of CPUs. A new chip is a row here.
#include "coat/Target/Cpu.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

using namespace coat;

static constexpr int64_t kib = 1024, mib = 1024 * kib;

// The levels stand for any machine that reaches them, so their caches are those of the smallest one that is common.
static constexpr CpuTarget table[] = {
    {"x86-64-v2", 4, 16, false, 32 * kib, 256 * kib, 4 * mib},
    {"x86-64-v3", 8, 16, true, 32 * kib, 512 * kib, 8 * mib},
    {"x86-64-v4", 16, 32, true, 32 * kib, 1 * mib, 16 * mib},
    {"nehalem", 4, 16, false, 32 * kib, 256 * kib, 8 * mib},
    {"haswell", 8, 16, true, 32 * kib, 256 * kib, 8 * mib},
    {"broadwell", 8, 16, true, 32 * kib, 256 * kib, 8 * mib},
    {"skylake", 8, 16, true, 32 * kib, 256 * kib, 8 * mib},
    {"alderlake", 8, 16, true, 48 * kib, 1280 * kib, 24 * mib},
    {"raptorlake", 8, 16, true, 48 * kib, 2 * mib, 36 * mib},
    {"skylake-avx512", 16, 32, true, 32 * kib, 1 * mib, 16 * mib},
    {"cascadelake", 16, 32, true, 32 * kib, 1 * mib, 16 * mib},
    {"icelake-server", 16, 32, true, 48 * kib, 1280 * kib, 32 * mib},
    {"sapphirerapids", 16, 32, true, 48 * kib, 2 * mib, 64 * mib},
    {"emeraldrapids", 16, 32, true, 48 * kib, 2 * mib, 128 * mib},
    {"graniterapids", 16, 32, true, 48 * kib, 2 * mib, 256 * mib},
    {"znver1", 8, 16, true, 32 * kib, 512 * kib, 8 * mib},
    {"znver2", 8, 16, true, 32 * kib, 512 * kib, 16 * mib},
    {"znver3", 8, 16, true, 32 * kib, 512 * kib, 32 * mib},
    {"znver4", 16, 32, true, 32 * kib, 1 * mib, 32 * mib},
    {"znver5", 16, 32, true, 48 * kib, 1 * mib, 32 * mib},
};

llvm::ArrayRef<CpuTarget> coat::cpuTargets() { return table; }

/// The row of a host that the table does not name: the highest level that its instructions reach.
static llvm::StringRef levelOfHost() {
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  auto has = [&](std::initializer_list<const char *> names) {
    return llvm::all_of(names, [&](const char *name) { return features.lookup(name); });
  };
  if (has({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}))
    return "x86-64-v4";
  if (has({"avx2", "fma", "bmi", "bmi2", "f16c"}))
    return "x86-64-v3";
  return "x86-64-v2";
}

const CpuTarget *coat::findCpuTarget(llvm::StringRef name) {
  for (const CpuTarget &target : table)
    if (target.name == name)
      return &target;
  if (name != "native")
    return nullptr;
  const CpuTarget *host = findCpuTarget(llvm::sys::getHostCPUName());
  return host ? host : findCpuTarget(levelOfHost());
}
