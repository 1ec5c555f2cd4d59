// Facts about NVIDIA GPUs that strategy and code generation decide by; no IR here.
#ifndef COAT_TARGET_GPU_H
#define COAT_TARGET_GPU_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace coat {
struct GpuTarget {
  llvm::StringLiteral name; // as --gpu-arch takes it, and as ptxas' -arch takes it
  int64_t capability;       // compute capability, 10 * major + minor
  bool wgmma;               // warpgroup products, TMA, setmaxnreg: code that runs on exactly this capability
  int64_t processors;       // of the common card of this capability
  int64_t sharedPerBlock;   // bytes that a block can ask for
  int64_t sharedPerProcessor;
  int64_t threadsPerProcessor;
  int64_t l2;        // bytes
  int64_t f32, f16;  // peak TFLOP/s: multiply-adds of f32; tensor cores of f16 with sums in f32
  int64_t bandwidth; // GB/s of its memory

  static constexpr int64_t registersPerProcessor = 65536, registersPerThread = 255, warp = 32;
};

/// Every architecture that --gpu-arch accepts.
llvm::ArrayRef<GpuTarget> gpuTargets();

/// The architecture of that name; null when unknown.
const GpuTarget *findGpuTarget(llvm::StringRef name);
} // namespace coat

#endif
