// What an emitter of GPU kernels gives, and the list of emitters. A new one is a function here and a line in
// EmitGpuKernels.cpp.
#ifndef COAT_LIB_LOWER_NVGPU_KERNEL_H
#define COAT_LIB_LOWER_NVGPU_KERNEL_H

#include "coat/Target/Gpu.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace coat {
/// A kernel that has been written: a function in a gpu.module, and how it is launched.
struct GpuKernel {
  // func.func (scf, arith, math, vector on registers; llvm and nvvm for memory; made llvm.func later) or llvm.func.
  mlir::Operation *function = nullptr;
  std::array<int64_t, 3> grid = {1, 1, 1};  // blocks
  std::array<int32_t, 3> block = {1, 1, 1}; // threads
  int64_t shared = 0;                       // bytes of dynamic shared memory
  mlir::ArrayAttr maps;                     // TMA maps, as docs/Gpu.md describes coat.maps
};

/// What all emitters are told.
struct GpuOptions {
  bool tf32 = false;   // products of f32 may be those of tf32
  bool strict = false; // sums are taken in the order of their loops
};

/// An emitter writes `kernel` (a function on memrefs with tensor ops inside) for `target` at the end of `into`, under
/// the kernel's own name. It must leave `kernel` as it is. failure() without a diagnostic: not one of its kernels.
using GpuEmitter = mlir::FailureOr<GpuKernel>(mlir::func::FuncOp kernel, const GpuTarget &target,
                                              const GpuOptions &options, mlir::gpu::GPUModuleOp into);

/// Matrix products and convolutions by warpgroups and TMA (sm_90a).
GpuEmitter emitWarpgroupProduct;
/// Matrix products and convolutions, and what is done to their sums.
GpuEmitter emitProduct;
/// Plain attention; by warpgroups and TMA (sm_90a), and by the matrices of a warp.
GpuEmitter emitWarpgroupAttention;
GpuEmitter emitAttention;
/// Group normalization: a block a group.
GpuEmitter emitGroupNorm;
/// Long reductions that elements share, or that few elements are: a team of threads computes a row.
GpuEmitter emitRows;
/// Loops over buffers: a thread an iteration. Emits an error where it fails.
GpuEmitter emitLoops;
/// Whether it is emitLoops that a kernel needs.
bool isOfLoops(mlir::func::FuncOp kernel);
/// Anything else: a thread computes elements of the result, with all that they are made from. Emits an error where it
/// fails.
GpuEmitter emitElements;
} // namespace coat

#endif
