// The function of a kernel while an emitter writes it, and what describes it when it is written.
#ifndef COAT_LIB_LOWER_NVGPU_KERNELFUNCTION_H
#define COAT_LIB_LOWER_NVGPU_KERNELFUNCTION_H

#include "GpuBuilder.h"
#include "Kernel.h"
#include "WarpgroupBuilder.h"

namespace coat {
class KernelFunction {
public:
  /// An empty function at the end of `into`, under the name of `kernel`: a pointer a memref argument, then `maps`.
  KernelFunction(mlir::func::FuncOp kernel, mlir::gpu::GPUModuleOp into, llvm::ArrayRef<TensorMap> maps = {});

  /// The parameters that are pointers, and those that are maps.
  mlir::ValueRange pointers() { return function.getArguments().drop_back(maps.size()); }
  mlir::ValueRange mapArguments() { return function.getArguments().take_back(maps.size()); }
  /// The pointers, as such to global memory.
  Values globalPointers(GpuBuilder &g);

  /// Ends the body. `blocks` of `threads` run it, each with `shared` bytes.
  GpuKernel finish(int64_t blocks, int64_t threads, int64_t shared = 0);
  /// The kernel is none: takes it back.
  mlir::LogicalResult giveUp();

  mlir::func::FuncOp function;
  mlir::OpBuilder builder; // in the body

private:
  llvm::SmallVector<mlir::Attribute> maps;
};
} // namespace coat

#endif
