// GPU kernels through LLVM's NVPTX back end and NVIDIA's ptxas.
#ifndef COAT_EMIT_ASSEMBLEKERNELS_H
#define COAT_EMIT_ASSEMBLEKERNELS_H

#include "coat/Emit/DeviceCode.h"
#include "coat/Emit/Emit.h"

namespace coat {
/// Fills in the code of each of `kernels`, which describeDeviceKernels() made of `lowered`. Kernels are assembled in
/// parallel. Fails with one line where there is no ptxas, and with its words where it refuses a kernel.
llvm::Error assembleKernels(mlir::ModuleOp lowered, const EmitOptions &options, std::vector<DeviceKernel> &kernels);

/// All kernels of `lowered` for its one architecture as one text of PTX, or one cubin. Fails where it has several.
llvm::Expected<std::string> assembleTogether(mlir::ModuleOp lowered, const EmitOptions &options, bool cubin);
} // namespace coat

#endif
