// Passes of the Kernels stage.
#ifndef COAT_KERNELS_PASSES_TD
#define COAT_KERNELS_PASSES_TD

include "mlir/Pass/PassBase.td"

def CoatOutlineKernels : Pass<"coat-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "cut the graph into kernels and the entry into a list of launches";
  let description = [{
    A kernel is one root op with the element-wise ops that consume its result.
    The entry leaves tensors here: it becomes a straight list of launches on
    memrefs. A producer whose result is only padded or concatenated writes
    straight into its place in the larger buffer.

    ```mlir
    %0 = coat.conv %x, %w {coat.schedule = ..} : ..
    %1 = coat.elementwise relu %0 : ..
    // becomes
    coat.launch @k0(%x, %w) outs(%1) : ..
    ```
  }];
  let options = [Option<"fuse", "fuse", "bool", "true", "let a kernel hold more than one op">];
  let dependentDialects = ["::coat::CoatDialect", "::mlir::memref::MemRefDialect",
    "::mlir::bufferization::BufferizationDialect", "::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect"];
}

def CoatMergeKernels : Pass<"coat-merge-kernels", "::mlir::ModuleOp"> {
  let summary = "keep one of each set of structurally equal kernels";
  let description = [{
    Kernels are equal when their text is, names and locations aside. Weights are
    arguments already, so the blocks of a ResNet stage share their kernels.
  }];
}

#endif
