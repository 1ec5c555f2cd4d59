// Emitter for any kernel: a thread computes elements of the result, with all that they are made from.
#include "Kernel.h"

using namespace mlir;

FailureOr<coat::GpuKernel> coat::emitElements(func::FuncOp kernel, const GpuTarget &, const GpuOptions &,
                                              gpu::GPUModuleOp) {
  return kernel.emitError("expected a kernel that has an emitter");
}
