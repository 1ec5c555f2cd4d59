// Ops of the launch list: what the entry consists of from Kernels to Lower.
#ifndef COAT_DIALECT_KERNELOPS_TD
#define COAT_DIALECT_KERNELOPS_TD

include "coat/Dialect/CoatBase.td"
include "mlir/IR/SymbolInterfaces.td"

def Coat_LaunchOp : Op<Coat_Dialect, "launch", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "runs all tasks of a kernel function";
  let description = [{
    Reads `inputs`, writes all of `outputs`; the kernel takes both, inputs first.

    Constraints:
    * C1: `kernel` names a function with the attribute coat.kernel.
    * C2: the function's argument types are those of inputs and outputs, in order
      (with `coat.tasks`, the number of the task follows).

    Example:
    ```mlir
    coat.launch @add(%x, %y) outs(%z) : (memref<4xf32>, memref<4xf32>, memref<4xf32>) -> ()
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<AnyMemRef>:$inputs, Variadic<AnyMemRef>:$outputs);
  let assemblyFormat = "$kernel `(` $inputs `)` `outs` `(` $outputs `)` attr-dict `:` functional-type(operands, results)";
}

def Coat_OnceOp : Op<Coat_Dialect, "once", [SingleBlock, NoTerminator, NoRegionArguments, RecursiveMemoryEffects]> {
  let summary = "work of a kernel that one task does for all of them";
  let description = [{
    Stands beside the scf.forall of a kernel. Tasks run in any order, so nothing
    in the kernel may read what the region writes, nor write there: it is for
    the border of a buffer whose inside the tasks fill.

    ```mlir
    func.func @k(%a: memref<6xf32>, %zero: f32) attributes {coat.kernel} {
      %border = memref.subview %a[0] [1] [1] : memref<6xf32> to memref<1xf32, strided<[1]>>
      coat.once {
        linalg.fill ins(%zero : f32) outs(%border : memref<1xf32, strided<[1]>>)
      }
      return
    }
    ```
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$body attr-dict";
}

def Coat_RequireOp : Op<Coat_Dialect, "require"> {
  let summary = "a truth that the model's run-time inputs must have, else the run ends with an error";
  let description = [{
    Stands in the entry from Import to Lower: `condition` is a tensor, a memref from Kernels on. Where it is false,
    the run returns COAT_ERROR_DIM with the first such `message` after all kernels ran, so these may not rely on it
    for memory safety.

    Constraints:
    * C1: condition is of rank 0 and element type i1.

    Example:
    ```mlir
    coat.require %ok {message = "expected shape = [2, 3], got another"} : tensor<i1>
    ```
  }];
  let arguments = (ins AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$condition, StrAttr:$message);
  let assemblyFormat = "$condition attr-dict `:` type($condition)";
  let hasVerifier = 1;
}

def Coat_WeightOp : Op<Coat_Dialect, "weight", [Pure]> {
  let summary = "a constant in the library's weight blob";
  let description = [{
    `value` holds the bytes (a dense or dense_resource attribute of the memref's shape and
    element type); `offset`, in bytes and a multiple of 64, is set by the Memory stage.

    Example:
    ```mlir
    %0 = coat.weight dense<1.0> : tensor<64xf32> {offset = 128 : i64} : memref<64xf32>
    ```
  }];
  let arguments = (ins ElementsAttr:$value, OptionalAttr<I64Attr>:$offset);
  let results = (outs AnyStaticShapeMemRef:$result);
  let assemblyFormat = "$value attr-dict `:` type($result)";
}

def Coat_WorkspaceOp : Op<Coat_Dialect, "workspace", [Pure]> {
  let summary = "a buffer in the caller's workspace";
  let description = [{
    `offset` is in bytes from the 64-byte aligned workspace; `sizes` are the
    dynamic sizes of the result, in order. The memref is row-major and dense.

    Example:
    ```mlir
    %0 = coat.workspace %offset sizes %n : memref<?x64xf32>
    ```
  }];
  let arguments = (ins Index:$offset, Variadic<Index>:$sizes);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$offset (`sizes` $sizes^)? attr-dict `:` type($result)";
}

def Coat_ScratchOp : Op<Coat_Dialect, "scratch", [Pure]> {
  let summary = "a buffer in the worker's scratch, inside a kernel";
  let description = [{
    `offset` is in bytes, a multiple of 64.

    Example:
    ```mlir
    %0 = coat.scratch {offset = 64} : memref<16x24xf32>
    ```
  }];
  let arguments = (ins I64Attr:$offset, Variadic<Index>:$sizes);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "(`sizes` $sizes^)? attr-dict `:` type($result)";
}

#endif
