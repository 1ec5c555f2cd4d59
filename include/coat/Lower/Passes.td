// Passes of the Lower stage.
#ifndef COAT_LOWER_PASSES_TD
#define COAT_LOWER_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowerTasks : Pass<"coat-lower-tasks", "::mlir::ModuleOp"> {
  let summary = "turn the scf.forall of each kernel into a task number";
  let description = [{
    Enters: functions with `coat.kernel` and at most one top-level scf.forall.
    Leaves: the same functions with a last argument `task : index` and the
    attribute `coat.tasks`: a number, or the symbol of a function
    `@<kernel>_tasks(sizes..) -> index` that takes one index a dynamic size of
    the kernel's arguments. A kernel without a forall is one task.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::affine::AffineDialect"];
}

def LowerEntry : Pass<"coat-lower-entry", "::mlir::ModuleOp"> {
  let summary = "turn the launch list into @<entry>_body(frame)";
  let description = [{
    Enters: one function with `coat.entry` and kernels that went through
    coat-lower-tasks. Leaves: `@<entry>_body(!llvm.ptr)`, which takes tensors,
    sizes, workspace and weights from the frame and calls coat_parallel once a
    launch; one thunk a kernel; kernels renamed `<entry>_<kernel>`.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::affine::AffineDialect"];
}

def LowerDeviceEntry : Pass<"coat-lower-device-entry", "::mlir::ModuleOp"> {
  let summary = "turn the launch list of a model for GPUs into @<entry>_body(frame)";
  let description = [{
    Enters: one function with `coat.entry` and declarations with `coat.kernel`,
    whose code is in gpu.modules. Leaves: `@<entry>_body(!llvm.ptr)`, which takes
    tensors, workspace and weights (device addresses) from the frame and calls
    `coat_cuda_launch(frame, launch, kernel, pointers)` once a launch. Kernels
    are numbered in the order of their declarations, which are gone; their names
    are the attribute `coat.kernels` of the body.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect"];
}

def LowerKernels : Pass<"coat-lower-kernels", "::mlir::ModuleOp"> {
  let summary = "give kernels a C signature: pointers, sizes, task, scratch";
  let description = [{
    Enters: kernels that went through coat-lower-tasks. Leaves:
    `(ptr noalias.., i64 sizes and strides.., i64 task, ptr scratch)`; memrefs are
    rebuilt inside; coat.scratch is an offset into the scratch.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect"];
}

def LowerBools : Pass<"coat-lower-bools", "::mlir::func::FuncOp"> {
  let summary = "read and write vectors of booleans as bytes";
  let description = [{
    A boolean in memory is a byte, but upstream loads a vector of them as bits.
    Enters: vector.load, vector.store and transfers of i1 on memrefs. Leaves: the
    same of i8, with a comparison behind or an extension before them.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def LowerCopies : Pass<"coat-lower-copies", "::mlir::func::FuncOp"> {
  let summary = "turn strided memref.copy into loops";
  let description = [{
    Upstream lowers a copy between strided memrefs to a call of memrefCopy, which
    no C library has. Dense copies stay: they become memcpy.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect"];
}

def LowerMath : Pass<"coat-lower-math", "::mlir::func::FuncOp"> {
  let summary = "replace math functions by polynomials and instructions";
  let description = [{
    Leaves no op that LLVM would turn into a call of libm or of the compiler's
    own library: transcendental functions become polynomials (f16 and bf16 are
    computed in f32), remf and round become arithmetic.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
  let options = [Option<"fast", "fast", "bool", "false", "shorter polynomials: exp of f32 with a relative error of 3e-6">];
}

def StrictFloats : Pass<"coat-strict-floats", "::mlir::func::FuncOp"> {
  let summary = "one rounding an operation: multiply-adds are split, fast-math flags dropped";
  let description = [{
    ```mlir
    %0 = vector.fma %a, %b, %c : vector<8xf32>
    %1 = arith.addf %0, %d fastmath<contract> : vector<8xf32>
    // becomes
    %p = arith.mulf %a, %b : vector<8xf32>
    %0 = arith.addf %p, %c : vector<8xf32>
    %1 = arith.addf %0, %d : vector<8xf32>
    ```
    The bits of a result then do not depend on whether a CPU has fused
    multiply-adds.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

#endif
