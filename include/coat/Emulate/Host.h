// GPU kernels as code for the CPU that this program runs on.
#ifndef COAT_EMULATE_HOST_H
#define COAT_EMULATE_HOST_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <string>

namespace coat::emulate {

/// What is left of nvgpu, gpu, vector, scf, memref and arith becomes LLVM and NVVM dialect, as for PTX.
llvm::LogicalResult lowerToNVVM(mlir::gpu::GPUModuleOp module);

/// A module of the LLVM dialect for the host with the kernels of `from`, each behind a coat_emulated_kernel named as
/// the gpu.module, or, where that holds several, <gpu.module>_<kernel>. Null, with a diagnostic: something is not
/// known.
mlir::OwningOpRef<mlir::ModuleOp> makeHostModule(mlir::gpu::GPUModuleOp from);

/// Machine code of a module of the LLVM dialect, optimised for this CPU.
llvm::Expected<llvm::SmallString<0>> compile(mlir::ModuleOp host);

/// Writes a shared library of the objects that needs `runtime`, a shared library.
llvm::Error link(llvm::ArrayRef<llvm::SmallString<0>> objects, llvm::StringRef runtime, llvm::StringRef output);

} // namespace coat::emulate

#endif
