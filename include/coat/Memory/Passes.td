// Passes of the Memory stage, in the order of the pipeline.
#ifndef COAT_MEMORY_PASSES_TD
#define COAT_MEMORY_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandCopies : Pass<"coat-expand-copies", "::mlir::func::FuncOp"> {
  let summary = "strided memref.copy -> scf loops";
  let description = [{
    The lowering of a strided copy calls a function of MLIR's runner library; a
    coat library has no runtime, so these copies become loops. A copy between
    two dense buffers stays: it becomes memcpy.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect"];
}

def PlanWeights : Pass<"coat-plan-weights", "::mlir::func::FuncOp"> {
  let summary = "offsets of the weights in the weight blob";
  let description = [{
    Every coat.weight of the entry gets a 64-byte aligned `offset`; equal values
    share one. The entry gets `coat.weights_size`, the size of the blob in bytes.
  }];
}

def JoinLaunches : Pass<"coat-join-launches", "::mlir::ModuleOp"> {
  let summary = "launches that need not wait for each other run together";
  let description = [{
    A launch gets `coat.joined` when it neither reads nor writes what the launches
    joined before it write, nor writes what they read: threads then meet once for
    all of them. Their buffers count as needed at the same time. A launch whose
    kernel is known to do very little (`coat.flops`, `coat.bytes`) is not joined.
  }];
}

def PlanWorkspace : Pass<"coat-plan-workspace", "::mlir::func::FuncOp"> {
  let summary = "activations -> offsets in the caller's workspace";
  let description = [{
    Each memref.alloc of the entry becomes a coat.workspace. Buffers that are
    never needed at the same launch may share bytes. Symbolic sizes count with
    their largest value (`coat.symbols`), so that offsets are constants. The
    entry gets `coat.workspace`, the size in bytes.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def PlanScratch : Pass<"coat-plan-scratch", "::mlir::ModuleOp"> {
  let summary = "buffers inside kernels -> stack or the worker's scratch";
  let description = [{
    A memref.alloc in a kernel becomes a memref.alloca at the start of the task when it is
    small and static (1 KiB each, 8 KiB a kernel), else a coat.scratch at a
    64-byte aligned offset. The kernel gets `coat.scratch`, the size in bytes,
    when that is not zero. A module pass, because the largest dynamic size is
    found at the launches.
  }];
}

#endif
