// Normalizations: ONNX BatchNormalization 7-15 (inference), LayerNormalization 17, RMSNormalization 23,
// GroupNormalization 18-21, InstanceNormalization 1-22, LRN 1-13.
#ifndef COAT_DIALECT_NORMOPS_TD
#define COAT_DIALECT_NORMOPS_TD

include "coat/Dialect/CoatBase.td"

def Coat_BatchNormOp : Coat_InferredOp<"batch_norm", [Coat_ResultTiled]> {
  let summary = "per-channel affine map with given statistics (ONNX BatchNormalization, inference)";
  let description = [{
    out = scale * (x - mean) / sqrt(variance + epsilon) + bias, per channel
    (dimension 1, or the last one for channels_last).

    Constraints:
    * C1: rank >= 2.
    * C2: scale, bias, mean and variance have rank 1, C elements and the input's element type.

    Example:
    ```mlir
    %0 = coat.batch_norm %x, %scale, %bias, %mean, %variance {epsilon = 1.0e-5}
      : (tensor<1x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<1x64x56x56xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$scale, Coat_Tensor:$bias, Coat_Tensor:$mean,
    Coat_Tensor:$variance, F64Attr:$epsilon,
    DefaultValuedAttr<Coat_DataLayoutAttr, "::coat::DataLayout::channels_first">:$data_layout);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Coat_LayerNormOp : Coat_InferredOp<"layer_norm", [AttrSizedOperandSegments, Coat_ResultTiled]> {
  let summary = "normalization over the trailing dimensions (ONNX LayerNormalization, RMSNormalization)";
  let description = [{
    Over dimensions axis .. rank-1: out = scale * (x - mean) / sqrt(var + epsilon) + bias;
    with `rms`, out = scale * x / sqrt(mean(x*x) + epsilon). scale and bias
    broadcast to the input.

    Constraints:
    * C1: 0 <= axis < rank.
    * C2: scale and bias broadcast to the input's shape and have its element type.
    * C3: rms takes no bias.

    Example:
    ```mlir
    %0 = coat.layer_norm %x scale %scale bias %bias {axis = 2, epsilon = 1.0e-6}
      : (tensor<?x197x192xf32>, tensor<192xf32>, tensor<192xf32>) -> tensor<?x197x192xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Optional<Coat_Tensor>:$scale, Optional<Coat_Tensor>:$bias,
    I64Attr:$axis, F64Attr:$epsilon, UnitAttr:$rms);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input (`scale` $scale^)? (`bias` $bias^)? attr-dict `:` functional-type(operands, results)";
}

def Coat_GroupNormOp : Coat_InferredOp<"group_norm", [Coat_ResultTiled]> {
  let summary = "normalization over groups of channels and all spatial dimensions (ONNX GroupNormalization, InstanceNormalization)";
  let description = [{
    Channels (dimension 1, or the last one for channels_last) are cut into
    `groups` equal parts; mean and variance are taken over a part and all
    spatial dimensions; out = scale[c] * (x - mean) / sqrt(var + epsilon) + bias[c].
    groups = C is instance normalization.

    Constraints:
    * C1: rank >= 3.
    * C2: groups >= 1 divides C.
    * C3: scale and bias have rank 1, C elements and the input's element type.

    Example:
    ```mlir
    %0 = coat.group_norm %x, %scale, %bias {groups = 8, epsilon = 1.0e-5}
      : (tensor<1x64x28x28xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<1x64x28x28xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$scale, Coat_Tensor:$bias, I64Attr:$groups,
    F64Attr:$epsilon,
    DefaultValuedAttr<Coat_DataLayoutAttr, "::coat::DataLayout::channels_first">:$data_layout);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Coat_LRNOp : Coat_InferredOp<"lrn", [Coat_ResultTiled]> {
  let summary = "local response normalization across channels (ONNX LRN)";
  let description = [{
    out[n, c, ..] = x / (k + alpha / size * sum of x[n, i, ..]^2)^beta over
    max(0, c - floor((size-1)/2)) <= i <= min(C-1, c + ceil((size-1)/2)).

    Constraints:
    * C1: rank >= 3.
    * C2: size >= 1.

    Example:
    ```mlir
    %0 = coat.lrn %x {size = 5, alpha = 1.0e-4, beta = 0.75, k = 1.0} : (tensor<1x96x55x55xf32>) -> tensor<1x96x55x55xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, I64Attr:$size, F64Attr:$alpha, F64Attr:$beta, F64Attr:$k,
    DefaultValuedAttr<Coat_DataLayoutAttr, "::coat::DataLayout::channels_first">:$data_layout);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

#endif
