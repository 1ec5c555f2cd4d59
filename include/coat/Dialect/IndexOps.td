// Ops that pick or place elements by index or by order: formula ops.
#ifndef COAT_DIALECT_INDEXOPS_TD
#define COAT_DIALECT_INDEXOPS_TD

include "coat/Dialect/CoatBase.td"

def Coat_ScatterElementsOp : Coat_FormulaOp<"scatter_elements"> {
  let summary = "elements put into a copy of the input, by index along one dimension (ONNX ScatterElements 18, Scatter 9)";
  let description = [{
    out = input; then for each position i of the updates, in row-major order,
    out[i.., indices[i..], i..] = kind(out[i.., indices[i..], i..], updates[i..])
    with the index in the place of `axis`. A negative index counts from the end;
    an index outside the dimension changes nothing (ONNX leaves it undefined).

    Constraints:
    * C1: 0 <= axis < rank.
    * C2: indices are i32 or i64, of the shape of updates and the rank of input.
    * C3: input and updates have one element type; it is numeric unless kind is replace.
    * C4: sizes of updates are not above the input's, except along axis.

    Example:
    ```mlir
    %0 = coat.scatter_elements add %x, %i, %u {axis = 1} : (tensor<?x8xf32>, tensor<?x3xi64>, tensor<?x3xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Coat_ScatterKindAttr:$kind, Coat_Tensor:$input, Coat_Tensor:$indices, Coat_Tensor:$updates,
    I64Attr:$axis);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "`` $kind $input `,` $indices `,` $updates attr-dict `:` functional-type(operands, results)";
}

#endif
