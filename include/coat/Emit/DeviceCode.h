// GPU kernels as a library carries them: how each is launched, and its code, once an architecture.
#ifndef COAT_EMIT_DEVICECODE_H
#define COAT_EMIT_DEVICECODE_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/LogicalResult.h"
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace coat {

/// A TMA map over the memory of one argument, lists innermost first: coat.maps of docs/Gpu.md.
struct DeviceMap {
  int32_t argument = 0;
  bool im2col = false;
  std::string type;                    // "f16", "bf16", "f32" or "tf32"
  std::vector<int64_t> sizes, strides; // strides in bytes, without the innermost
  std::vector<int64_t> box;            // tile only
  std::vector<int64_t> elementStrides;
  int64_t swizzle = 0;               // bytes: 0, 32, 64 or 128
  std::vector<int64_t> lower, upper; // im2col only, and the rest
  int64_t channels = 0, pixels = 0;
};

/// One kernel for one architecture: a gpu.module @<kernel>_<arch> of the lowered module.
struct DeviceKernel {
  std::string kernel; // "k0"
  std::string arch;   // "sm_90a"
  std::array<int64_t, 3> grid = {1, 1, 1}, block = {1, 1, 1}, cluster = {1, 1, 1};
  int64_t shared = 0; // dynamic, in bytes
  int32_t pointers = 0;
  std::vector<DeviceMap> maps;
  // From here on filled by assembling.
  std::string ptx, cubin;
  int64_t registers = 0, spills = 0, stack = 0;
  int64_t staticShared = 0;
};

/// Reads everything but the code from a module that has left the Lower stage. Kernels come in the order in which the
/// host numbers them (coat.kernels of the body), the architectures of each together, in one order. Emits an error where
/// a kernel lacks an architecture that another has, or a TMA map is none that a GPU takes.
mlir::FailureOr<std::vector<DeviceKernel>> describeDeviceKernels(mlir::ModuleOp module);

/// Kernels for one architecture, in the order of the host's numbers; what a library chooses at run time.
struct DeviceTarget {
  enum Kind { exact, family, ptx }; // enum coat_cuda_kind
  std::string name;                 // "sm_90a", or "compute_80" for PTX
  int major = 0, minor = 0;
  Kind kind = exact;
  std::vector<const DeviceKernel *> kernels;
};

/// The targets of a library with these kernels, best first: cubins, exact architectures before those of a family; then
/// PTX for the latest architecture of each major number that later ones run too.
std::vector<DeviceTarget> deviceTargets(const std::vector<DeviceKernel> &kernels);

} // namespace coat

#endif
