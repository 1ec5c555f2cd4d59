// Element-wise ops and reductions with NumPy broadcasting.
//
// Why not linalg.elementwise: recognition needs one op a node without
// destination operands, broadcasting that infers its own result, and kinds
// (sigmoid, gelu, clip ..) that linalg does not have. Kernels turns these into
// linalg.generic, so that everything behind it is upstream's.
#ifndef COAT_DIALECT_ELEMENTWISEOPS_TD
#define COAT_DIALECT_ELEMENTWISEOPS_TD

include "coat/Dialect/CoatBase.td"

def Coat_ElementwiseOp : Coat_InferredOp<"elementwise"> {
  let summary = "one scalar function applied to broadcast operands";
  let description = [{
    `kind` names the function; `alpha` and `beta` are its parameters (lower and
    upper bound of clip, slope of leaky_relu ..). Comparisons, isnan, isinf and
    the logical kinds give i1; select takes an i1 condition first. The scalar
    formula of each kind is written once, in `buildScalar`: f16 and bf16 are
    computed in f32 and rounded once, integer division truncates, mod has the
    sign of the divisor and fmod that of the dividend, round takes halves to
    even, an absent bound of clip does not bind, absent parameters are ONNX's
    defaults. isinf with alpha = 0 (beta = 0) leaves out negative (positive)
    infinities. Integers wrap around; their division by zero gives 0; pow of
    integers is exact modulo 2^width, and 1/base^-exponent rounded toward zero
    for a negative exponent; a shift by a negative number or by the width and
    more shifts everything out, right shifts of signed integers repeat the sign.

    Constraints:
    * C1: the number of operands is that of the kind (1, 2 or 3).
    * C2: shapes broadcast as in NumPy; a symbolic size meets only an equal one or 1.
    * C3: element types agree (select: the condition is i1, the others agree).
    * C4: logical kinds take i1, equal and select take it too; bitwise kinds and shifts take integers; abs, neg, sign,
      relu, clip and the other binary kinds take integers and floating-point; all others floating-point only.

    Example:
    ```mlir
    %0 = coat.elementwise clip %x {alpha = 0.0, beta = 6.0} : (tensor<?x96x56x56xf32>) -> tensor<?x96x56x56xf32>
    %1 = coat.elementwise add %0, %b : (tensor<?x96x56x56xf32>, tensor<96x1x1xf32>) -> tensor<?x96x56x56xf32>
    ```
  }];
  let arguments = (ins Coat_ElementwiseKindAttr:$kind, Variadic<Coat_Tensor>:$inputs,
    OptionalAttr<F64Attr>:$alpha, OptionalAttr<F64Attr>:$beta);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "`` $kind $inputs attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let extraClassDeclaration = [{
    /// The kind's scalar formula on `args` (one scalar or vector value an operand), the
    /// definition that reference and optimised code both read.
    ::mlir::Value buildScalar(::mlir::OpBuilder &builder, ::mlir::Location loc, ::mlir::ValueRange args);
  }];
}

def Coat_CastOp : Coat_Op<"cast", [
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "element type conversion (ONNX Cast)";
  let description = [{
    Float to integer truncates toward zero; anything to i1 is != 0; i1 to a
    number is 0 or 1; float to float rounds to nearest even.

    Constraints:
    * C1: shapes are equal.
    * C2: both element types are integers or floating-point.

    Example:
    ```mlir
    %0 = coat.cast %x : tensor<?x16xi64> to tensor<?x16xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let extraClassDeclaration = [{
    ::mlir::Value buildScalar(::mlir::OpBuilder &builder, ::mlir::Location loc, ::mlir::Value arg);
  }];
}

def Coat_ReduceOp : Coat_InferredOp<"reduce", [Coat_ResultTiled]> {
  let summary = "reduction over some dimensions (ONNX Reduce*)";
  let description = [{
    Over all elements x along `axes`: sum x, mean = sum x / count, max, min, prod,
    l1 = sum |x|, l2 = sqrt(sum x^2), sum_square = sum x^2, log_sum = log(sum x),
    log_sum_exp = log(sum exp(x)). The axes leave the shape, or with `keep_dims`
    stay with size 1.

    Constraints:
    * C1: axes are sorted, unique, each >= 0 and < rank.
    * C2: the element type is numeric; mean, l2, log_sum and log_sum_exp take floating-point.

    Example:
    ```mlir
    %0 = coat.reduce mean %x {axes = array<i64: 2, 3>, keep_dims} : (tensor<?x64x7x7xf32>) -> tensor<?x64x1x1xf32>
    ```
  }];
  let arguments = (ins Coat_ReduceKindAttr:$kind, Coat_Tensor:$input, DenseI64ArrayAttr:$axes,
    UnitAttr:$keep_dims);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "`` $kind $input attr-dict `:` functional-type(operands, results)";
}

def Coat_ArgReduceOp : Coat_InferredOp<"arg_reduce", [Coat_ResultTiled]> {
  let summary = "index of the extreme element along one dimension (ONNX ArgMax, ArgMin)";
  let description = [{
    kind is max or min; the first such index, or with `select_last` the last.
    The result is i64.

    Constraints:
    * C1: 0 <= axis < rank.
    * C2: kind is max or min.

    Example:
    ```mlir
    %0 = coat.arg_reduce max %x {axis = 1} : (tensor<?x1000xf32>) -> tensor<?xi64>
    ```
  }];
  let arguments = (ins Coat_ReduceKindAttr:$kind, Coat_Tensor:$input, I64Attr:$axis, UnitAttr:$keep_dims,
    UnitAttr:$select_last);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "`` $kind $input attr-dict `:` functional-type(operands, results)";
}

#endif
