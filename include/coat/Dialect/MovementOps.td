// Ops that only move elements. Slices are tensor.extract_slice and concatenation
// is tensor.concat; these are the ones that upstream lacks in value form.
#ifndef COAT_DIALECT_MOVEMENTOPS_TD
#define COAT_DIALECT_MOVEMENTOPS_TD

include "coat/Dialect/CoatBase.td"

def Coat_TransposeOp : Coat_InferredOp<"transpose"> {
  let summary = "permutation of dimensions (ONNX Transpose)";
  let description = [{
    out[i0, i1, ..] has dimension j of size in.dim(permutation[j]).

    Constraints:
    * C1: permutation is a permutation of 0 .. rank-1.

    Example:
    ```mlir
    %0 = coat.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : (tensor<?x3x224x224xf32>) -> tensor<?x224x224x3xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def Coat_ReshapeOp : Coat_Op<"reshape", [
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "the same elements in row-major order under another shape";
  let description = [{
    `sizes` gives the dynamic sizes of the result type, in order.

    Constraints:
    * C1: input and result have the same element type and, when static, the same number of elements.
    * C2: one size a dynamic dimension of the result.

    Example:
    ```mlir
    %0 = coat.reshape %x sizes %n : tensor<?x64x7x7xf32> to tensor<?x3136xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Variadic<Index>:$sizes);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input (`sizes` $sizes^)? attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Coat_PrefixOp : Coat_Op<"prefix", [
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "the first elements in row-major order, in the result's shape";
  let description = [{
    How many elements a data-dependent op gives is known only when it has run:
    it fills the beginning of a list that holds the most there may be, and this
    takes them out. `sizes` gives the dynamic sizes of the result type, in order;
    the list is at least as long as the result.

    Constraints:
    * C1: the input has rank 1 and the result's element type.
    * C2: one size a dynamic dimension of the result.

    Example:
    ```mlir
    %0 = coat.prefix %list sizes %count : tensor<300xi64> to tensor<?x3xi64>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Variadic<Index>:$sizes);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input (`sizes` $sizes^)? attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
}

def Coat_BroadcastOp : Coat_Op<"broadcast", [
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "NumPy broadcast to the result's shape (ONNX Expand)";
  let description = [{
    `sizes` gives the dynamic sizes of the result type, in order.

    Constraints:
    * C1: the input's shape broadcasts to the result's, element types agree.
    * C2: one size a dynamic dimension of the result.

    Example:
    ```mlir
    %0 = coat.broadcast %x sizes %n : tensor<1x1x192xf32> to tensor<?x1x192xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Variadic<Index>:$sizes);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input (`sizes` $sizes^)? attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Coat_PadOp : Coat_InferredOp<"pad"> {
  let summary = "elements added at both ends of dimensions (ONNX Pad)";
  let description = [{
    `low` and `high` elements are added before and after each dimension; constant
    mode fills with `value`, edge repeats the border, reflect mirrors without
    repeating it, wrap continues from the other end. Integers take `value` rounded.

    Constraints:
    * C1: low and high have one entry a dimension, each >= 0.
    * C2: reflect pads less than the dimension's size; edge and wrap need a non-empty dimension.

    Example:
    ```mlir
    %0 = coat.pad reflect %x {low = array<i64: 0, 1>, high = array<i64: 0, 2>} : (tensor<?x8xf32>) -> tensor<?x11xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
    DefaultValuedAttr<F64Attr, "0.0">:$value,
    DefaultValuedAttr<Coat_PadModeAttr, "::coat::PadMode::constant">:$mode);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "`` $mode $input attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def Coat_GatherOp : Coat_InferredOp<"gather"> {
  let summary = "slices of the input picked by index (ONNX Gather; with elementwise, GatherElements)";
  let description = [{
    out[a.., i.., b..] = in[a.., indices[i..], b..] with i in the place of `axis`;
    with `elementwise`, out[i..] = in[i.., indices[i..], i..]. A negative index
    counts from the end; an index outside the dimension is clamped to it (ONNX
    leaves it undefined).

    Constraints:
    * C1: 0 <= axis < rank.
    * C2: indices are i32 or i64.
    * C3: elementwise: indices have the input's rank and sizes not above the input's, except along axis.

    Example:
    ```mlir
    %0 = coat.gather %table, %ids {axis = 0} : (tensor<1000x64xf32>, tensor<?x128xi64>) -> tensor<?x128x64xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$indices, I64Attr:$axis, UnitAttr:$elementwise);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input `,` $indices attr-dict `:` functional-type(operands, results)";
}

#endif
