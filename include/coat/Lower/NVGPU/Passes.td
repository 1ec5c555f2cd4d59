// Passes of the NVGPU stage.
#ifndef COAT_LOWER_NVGPU_PASSES_TD
#define COAT_LOWER_NVGPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def EmitGpuKernels : Pass<"coat-emit-gpu-kernels", "::mlir::ModuleOp"> {
  let summary = "write each kernel as a GPU kernel, once an architecture";
  let description = [{
    Enters: kernels (`func.func private` with `coat.kernel`) whose bodies are ops
    on tensors between memrefs. Leaves: the same functions without bodies, and
    for each architecture

    ```mlir
    gpu.module @k0_sm_80 [#nvvm.target<chip = "sm_80">] {
      func.func @k0(%x: !llvm.ptr, %o: !llvm.ptr) attributes {coat.block = array<i32: 256, 1, 1>,
        coat.grid = array<i64: 98, 1, 1>, coat.shared = 0 : i64} {..}
    }
    ```
    with one pointer a memref argument, to its first element. The emitters are asked in order
    (tensor cores, rows, element by element), the first that takes the kernel writes it.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect", "::mlir::gpu::GPUDialect",
                           "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::scf::SCFDialect",
                           "::mlir::math::MathDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::vector::VectorDialect", "::mlir::memref::MemRefDialect", "::mlir::affine::AffineDialect",
                           "::mlir::ub::UBDialect"];
  let options = [ListOption<"archs", "archs", "std::string", "architectures, as --gpu-arch takes them">,
                 Option<"tf32", "tf32", "bool", "false", "products of f32 may be those of tf32">,
                 Option<"strict", "strict", "bool", "false", "sums in the order of their loops: no tiles, no teams">];
}

def FinishGpuKernels : Pass<"coat-finish-gpu-kernels", "::mlir::gpu::GPUModuleOp"> {
  let summary = "the functions of a gpu.module as llvm.func of the LLVM and NVVM dialects";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}

def CheckAsync : Pass<"coat-check-async", "::mlir::gpu::GPUModuleOp"> {
  let summary = "fail where asynchronous work is not fenced or waited for on every path";
  let description = [{
    Over kernels of the LLVM and NVVM dialects. On every path
    - a thread's write to shared memory has a fence.proxy.async, which all threads that wrote come to, before a wgmma
      or a bulk store reads shared memory;
    - an mbarrier.init has a fence before a bulk load;
    - cp.async has its wait_group and a barrier before shared memory is read;
    - wgmma has a wgmma.fence since the last wait_group, and a wait_group before its result is used;
    - a bulk store is committed and waited for before the kernel ends.
  }];
}

#endif
