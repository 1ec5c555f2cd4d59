// Pooling: ONNX MaxPool, AveragePool, LpPool and their Global twins; Resize.
#ifndef COAT_DIALECT_POOLOPS_TD
#define COAT_DIALECT_POOLOPS_TD

include "coat/Dialect/CoatBase.td"

def Coat_PoolOp : Coat_InferredOp<"pool", [Coat_ResultTiled]> {
  let summary = "pooling over 1 to 3 spatial dimensions (ONNX MaxPool 1-22, AveragePool 1-22, LpPool 1-22)";
  let description = [{
    Over the window o*s + i*d - pad_begin, i < K, of each channel: the maximum,
    the mean, the p-norm (sum |x|^p)^(1/p), or the sum. Elements outside the
    input do not count (max: -inf; the others: zero), and the mean divides by
    the number of elements inside the input, or, with `count_include_pad`, by
    the number inside the padded input. `ceil_mode` rounds the output size up;
    a window that would start in the trailing pad is dropped (ONNX 19).
    The second result, when asked for, is the flat row-major index
    (over N, C, D1..Dk; `storage_order` = 1 walks the last two dimensions
    column-major) of each maximum, the first one where several are equal.

    Constraints:
    * C1: 1 to 3 spatial dimensions.
    * C2: kernel, strides, dilations have one entry a spatial dimension, each >= 1.
    * C3: pads have two entries a spatial dimension, each >= 0 and less than the dilated kernel.
    * C4: every output dimension is positive.
    * C5: indices only for kind max and data_layout channels_first.
    * C6: p >= 1 for kind lp.

    Example:
    ```mlir
    %0 = coat.pool max %x {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
        pads = array<i64: 1, 1, 1, 1>} : (tensor<1x64x112x112xf32>) -> tensor<1x64x56x56xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_PoolKindAttr:$kind,
    DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations,
    DenseI64ArrayAttr:$pads, UnitAttr:$ceil_mode, UnitAttr:$count_include_pad,
    DefaultValuedAttr<I64Attr, "2">:$p, DefaultValuedAttr<I64Attr, "0">:$storage_order,
    UnitAttr:$with_indices,
    DefaultValuedAttr<Coat_DataLayoutAttr, "::coat::DataLayout::channels_first">:$data_layout);
  let results = (outs Coat_Tensor:$result, Optional<Coat_Tensor>:$indices);
  let assemblyFormat = "`` $kind $input attr-dict `:` functional-type(operands, results)";
}

def Coat_GlobalPoolOp : Coat_InferredOp<"global_pool", [Coat_ResultTiled]> {
  let summary = "pooling over all spatial dimensions, kept as size 1 (ONNX Global*Pool)";
  let description = [{
    The maximum, mean, p-norm or sum of all elements of each channel, see `coat.pool`.

    Constraints:
    * C1: rank >= 3.
    * C2: p >= 1 for kind lp.

    Example:
    ```mlir
    %0 = coat.global_pool average %x : (tensor<?x512x7x7xf32>) -> tensor<?x512x1x1xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_PoolKindAttr:$kind, DefaultValuedAttr<I64Attr, "2">:$p,
    DefaultValuedAttr<Coat_DataLayoutAttr, "::coat::DataLayout::channels_first">:$data_layout);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "`` $kind $input attr-dict `:` functional-type(operands, results)";
}

def Coat_ResizeOp : Coat_InferredOp<"resize", [Coat_ResultTiled]> {
  let summary = "interpolation over any dimensions (ONNX Resize 10-19, Upsample 7-9)";
  let description = [{
    Output coordinate x of a dimension with input size I and scale s, so of length
    L = I*s (a fraction; the output has O whole elements of it), maps to
    half_pixel (x+.5)/s-.5, asymmetric x/s, align_corners x*(I-1)/(L-1) or 0 when L <= 1,
    pytorch_half_pixel (x+.5)/s-.5 or 0 when L <= 1,
    half_pixel_symmetric (x+.5)/s-.5 + I/2*(1-O/L).
    `sizes` gives O, or -1 for floor(I * s), the only form that a symbolic I has.
    linear and cubic interpolate separably between the neighbours, coordinates
    clamped to the input (cubic: `cubic_coeff`, outside weights dropped and
    renormalised with `exclude_outside`).

    Constraints:
    * C1: scales and sizes have one entry a dimension; scales are positive, sizes >= 1 or -1, and no
      dimension of the result is empty.
    * C2: input and result have the same rank and element type.

    Example:
    ```mlir
    %0 = coat.resize linear %x {scales = array<f64: 1.0, 1.0, 2.0, 2.0>, sizes = array<i64: 1, 8, 14, 14>,
        coordinate_mode = #coat<coordinate_mode half_pixel>} : (tensor<1x8x7x7xf32>) -> tensor<1x8x14x14xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, DenseF64ArrayAttr:$scales, DenseI64ArrayAttr:$sizes,
    Coat_ResizeModeAttr:$mode, Coat_CoordinateModeAttr:$coordinate_mode,
    DefaultValuedAttr<Coat_NearestModeAttr, "::coat::NearestMode::round_prefer_floor">:$nearest_mode,
    DefaultValuedAttr<F64Attr, "-0.75">:$cubic_coeff, UnitAttr:$exclude_outside);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "`` $mode $input attr-dict `:` functional-type(operands, results)";
}

#endif
