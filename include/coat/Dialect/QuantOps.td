// Quantization and integer products; elements seen as bits.
#ifndef COAT_DIALECT_QUANTOPS_TD
#define COAT_DIALECT_QUANTOPS_TD

include "coat/Dialect/CoatBase.td"

def Coat_BitCastOp : Coat_FormulaOp<"bitcast"> {
  let summary = "the bits of elements read as another type (ONNX BitCast)";
  let description = [{
    Constraints:
    * C1: element types are numbers of one width.

    Example:
    ```mlir
    %0 = coat.bitcast %x {element_type = i32} : (tensor<?x16xf32>) -> tensor<?x16xi32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, TypeAttr:$element_type);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Coat_QuantizeOp : Coat_InferredOp<"quantize"> {
  let summary = "numbers as small integers (ONNX QuantizeLinear)";
  let description = [{
    out = saturate(round(x / scale) + zero_point), halves to even; the division is
    in the type of scale. Scale and zero point broadcast to x: one number, one a
    channel, or one a block, repeated.

    Constraints:
    * C1: scale and zero_point broadcast to the shape of the input.
    * C2: input and scale are floating-point or (the input only) i32, zero_point is an integer of 8 or 16 bits.

    Example:
    ```mlir
    %0 = coat.quantize %x, %s, %z : (tensor<?x8x7x7xf32>, tensor<f32>, tensor<ui8>) -> tensor<?x8x7x7xui8>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$scale, Coat_Tensor:$zero_point);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input `,` $scale `,` $zero_point attr-dict `:` functional-type(operands, results)";
}

def Coat_DequantizeOp : Coat_InferredOp<"dequantize"> {
  let summary = "the numbers that small integers stand for (ONNX DequantizeLinear)";
  let description = [{
    out = (x - zero_point) * scale, in f32 where the type of scale, which is the
    result's, is narrower. Scale and zero point broadcast to x.

    Constraints:
    * C1: scale and zero_point broadcast to the shape of the input.
    * C2: input and zero_point are integers of one type, of 8, 16 or 32 bits; scale is floating-point.

    Example:
    ```mlir
    %0 = coat.dequantize %x, %s, %z : (tensor<8x4x3x3xi8>, tensor<8x1x1x1xf32>, tensor<8x1x1x1xi8>) -> tensor<8x4x3x3xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$scale, Coat_Tensor:$zero_point);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input `,` $scale `,` $zero_point attr-dict `:` functional-type(operands, results)";
}

#endif
