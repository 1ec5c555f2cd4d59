// The table of GPUs. A new architecture is a row here; docs/Gpu.md says what else it may need.
#include "coat/Target/Gpu.h"

using namespace coat;

static constexpr int64_t kib = 1024, mib = 1024 * kib;

// Cards: A100, RTX 3090, L4, H100 SXM. Shared memory, threads and registers are those of the CUDA programming guide's
// table of compute capabilities; peaks and bandwidths are those of the cards' data sheets.
static constexpr GpuTarget table[] = {
    {"sm_80", 80, false, 108, 163 * kib, 164 * kib, 2048, 40 * mib, 19, 312, 1555},
    {"sm_86", 86, false, 82, 99 * kib, 100 * kib, 1536, 6 * mib, 35, 71, 936},
    {"sm_89", 89, false, 58, 99 * kib, 100 * kib, 1536, 48 * mib, 30, 121, 300},
    {"sm_90a", 90, true, 132, 227 * kib, 228 * kib, 2048, 50 * mib, 67, 989, 3350},
};

llvm::ArrayRef<GpuTarget> coat::gpuTargets() { return table; }

const GpuTarget *coat::findGpuTarget(llvm::StringRef name) {
  for (const GpuTarget &target : table)
    if (target.name == name)
      return &target;
  return nullptr;
}
