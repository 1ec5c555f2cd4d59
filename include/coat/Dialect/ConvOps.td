// Convolutions: ONNX Conv (opset 1, 11, 22) and ConvTranspose (opset 1, 11, 22).
#ifndef COAT_DIALECT_CONVOPS_TD
#define COAT_DIALECT_CONVOPS_TD

include "coat/Dialect/CoatBase.td"

def Coat_ConvOp : Coat_InferredOp<"conv", [Coat_ResultTiled]> {
  let summary = "convolution over 1 to 3 spatial dimensions (ONNX Conv)";
  let description = [{
    With k spatial dimensions, stride s, dilation d, leading pads p and
    g = m / (M / group) the group of output channel m:

    ```
    out[n, m, o1..ok] = bias[m] + sum over c < C/group, i1 < K1 .. ik < Kk of
      in[n, g * C/group + c, o1*s1 + i1*d1 - p1, ..] * filter[m, c, i1, ..]
    ```
    where elements outside the input count as zero. The size of an output
    dimension is (I + pad_begin + pad_end - d*(K-1) - 1) / s + 1, rounded down.
    `data_layout` orders the dimensions of input and result; `filter_layout`
    those of the filter. A packed filter is [group, ceil(M/group/Mr), K1..Kk,
    C/group, Mr], or [1, ceil(M/Mr), K1..Kk, 1, Mr] where group = C = M, and
    needs `out_channels`, M (dynamic in a tile of unknown size).

    Constraints:
    * C1: 1 to 3 spatial dimensions; input and (plain) filter have the same rank.
    * C2: strides, dilations have one entry a spatial dimension, each >= 1.
    * C3: pads have two entries a spatial dimension (all begins, then all ends), each >= 0.
    * C4: group >= 1 divides C and M.
    * C5: the filter's channel dimension is C / group.
    * C6: bias has rank 1 and M elements.
    * C7: every output dimension is positive.
    * C8: element types of all operands agree.
    * C9: a packed filter has rank k + 4 and comes with out_channels; a plain one without.

    Example:
    ```mlir
    %0 = coat.conv %x, %w bias %b {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 3, 3, 3, 3>}
      : (tensor<1x3x224x224xf32>, tensor<64x3x7x7xf32>, tensor<64xf32>) -> tensor<1x64x112x112xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$filter, Optional<Coat_Tensor>:$bias,
    DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads,
    DefaultValuedAttr<I64Attr, "1">:$group,
    DefaultValuedAttr<Coat_DataLayoutAttr, "::coat::DataLayout::channels_first">:$data_layout,
    DefaultValuedAttr<Coat_FilterLayoutAttr, "::coat::FilterLayout::plain">:$filter_layout,
    OptionalAttr<I64Attr>:$out_channels);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input `,` $filter (`bias` $bias^)? attr-dict `:` functional-type(operands, results)";
}

def Coat_ConvTransposeOp : Coat_InferredOp<"conv_transpose", [Coat_ResultTiled]> {
  let summary = "transposed convolution over 1 to 3 spatial dimensions (ONNX ConvTranspose)";
  let description = [{
    ```
    out[n, m, o1..ok] = bias[m] + sum of in[n, c, i1..ik] * filter[c, m mod (M/group), j1..jk]
      over all c of m's group and i, j with o = i*s + j*d - pad_begin
    ```
    The size of an output dimension is
    s*(I-1) + output_padding + d*(K-1) + 1 - pad_begin - pad_end.

    Constraints:
    * C1: 1 to 3 spatial dimensions; input and filter have the same rank.
    * C2: strides, dilations have one entry a spatial dimension, each >= 1.
    * C3: pads have two entries a spatial dimension.
    * C4: group >= 1 divides C; the filter's first dimension is C.
    * C5: output_padding has one entry a spatial dimension, each >= 0.
    * C6: bias has rank 1 and M = filter dimension 1 * group elements.
    * C7: every output dimension is positive.
    * C8: element types of all operands agree.

    Example:
    ```mlir
    %0 = coat.conv_transpose %x, %w {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
        output_padding = array<i64: 0, 0>}
      : (tensor<1x64x14x14xf32>, tensor<64x32x2x2xf32>) -> tensor<1x32x28x28xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$filter, Optional<Coat_Tensor>:$bias,
    DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads,
    DenseI64ArrayAttr:$output_padding, DefaultValuedAttr<I64Attr, "1">:$group);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input `,` $filter (`bias` $bias^)? attr-dict `:` functional-type(operands, results)";
}

def Coat_MatmulOp : Coat_InferredOp<"matmul", [Coat_ResultTiled]> {
  let summary = "matrix product with batch broadcasting (ONNX MatMul, Gemm)";
  let description = [{
    ```
    out[b.., m, n] = bias[n] + sum over k of lhs[b.., m, k] * rhs[b.., k, n]
    ```
    `transpose_lhs`, `transpose_rhs` swap the last two dimensions of an operand
    before the product. Leading dimensions broadcast as in NumPy. A packed rhs
    is [ceil(N/Nr), K, Nr] (no batch) and needs `out_channels`, N (dynamic in a
    tile of unknown size).

    Constraints:
    * C1: both operands have rank >= 2 (a packed rhs rank 3).
    * C2: the reduction dimensions agree.
    * C3: leading dimensions broadcast.
    * C4: bias has rank 1 and N elements.
    * C5: element types of all operands agree.
    * C6: a packed rhs comes with out_channels and without transpose_rhs.

    Example:
    ```mlir
    %0 = coat.matmul %x, %w bias %b {transpose_rhs}
      : (tensor<?x197x192xf32>, tensor<768x192xf32>, tensor<768xf32>) -> tensor<?x197x768xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$lhs, Coat_Tensor:$rhs, Optional<Coat_Tensor>:$bias,
    UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs,
    DefaultValuedAttr<Coat_FilterLayoutAttr, "::coat::FilterLayout::plain">:$filter_layout,
    OptionalAttr<I64Attr>:$out_channels);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$lhs `,` $rhs (`bias` $bias^)? attr-dict `:` functional-type(operands, results)";
}

#endif
