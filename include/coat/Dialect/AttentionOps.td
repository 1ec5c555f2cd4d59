// Attention and softmax: ONNX Attention (opset 23, 24), Softmax, LogSoftmax (opset 1-13).
#ifndef COAT_DIALECT_ATTENTIONOPS_TD
#define COAT_DIALECT_ATTENTIONOPS_TD

include "coat/Dialect/CoatBase.td"

def Coat_AttentionOp : Coat_InferredOp<"attention", [AttrSizedOperandSegments, SameVariadicResultSize, Coat_ResultTiled]> {
  let summary = "scaled dot-product attention: self, cross, multi-head, grouped-query (ONNX Attention)";
  let description = [{
    query [B, H, Sq, D], key [B, Hkv, Skv, D], value [B, Hkv, Skv, Dv], result
    [B, H, Sq, Dv]; query head h reads key/value head h / (H/Hkv). With past_key
    and past_value [B, Hkv, P, D|Dv], keys and values are the past followed by
    the new ones, T = P + Skv, and the results 1, 2 (present_key, present_value) hold them.

    ```
    s[q, t]  = scale * sum over d of query[q, d] * key[t, d]
    s        = softcap * tanh(s / softcap)           when softcap > 0
    s[q, t] += mask[.., q, t]                        additive mask, or -inf where a boolean mask is false
    s[q, t]  = -inf                                  where causal and t > q + P + query_offset
    out      = softmax(s) value                      a fully masked row gives zeros
    ```
    `mask` broadcasts to [B, H, Sq, T]. `query_offset` (0 where absent) is the
    position of the first query row: tiles of a causal attention are cut by rows.

    Constraints:
    * C1: query, key, value have rank 4 and the same batch size.
    * C2: key and value agree in heads and length; query and key in D.
    * C3: Hkv divides H.
    * C4: mask broadcasts to [B, H, Sq, T] and is boolean or of query's type.
    * C5: past_key and past_value come together, continue key and value, and come with present results.
    * C6: softcap >= 0, scale is finite.
    * C7: element types of query, key and value agree and are floating-point.

    Example:
    ```mlir
    %0 = coat.attention %q, %k, %v mask %m {scale = 0.125, causal}
      : (tensor<1x8x16x64xf32>, tensor<1x2x16x64xf32>, tensor<1x2x16x64xf32>, tensor<16x16xi1>) -> tensor<1x8x16x64xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$query, Coat_Tensor:$key, Coat_Tensor:$value,
    Optional<Coat_Tensor>:$mask, Optional<Coat_Tensor>:$past_key, Optional<Coat_Tensor>:$past_value,
    Optional<Index>:$query_offset, F64Attr:$scale, UnitAttr:$causal, DefaultValuedAttr<F64Attr, "0.0">:$softcap,
    UnitAttr:$with_present);
  let results = (outs Coat_Tensor:$result, Optional<Coat_Tensor>:$present_key, Optional<Coat_Tensor>:$present_value);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`mask` $mask^)? (`past` $past_key^ `,` $past_value)?
    (`offset` $query_offset^)? attr-dict
    `:` functional-type(operands, results)
  }];
  // A whole attention, from its first query row on.
  let builders = [
    OpBuilder<(ins "::mlir::Type":$result, "::mlir::Type":$present_key, "::mlir::Type":$present_value,
      "::mlir::Value":$query, "::mlir::Value":$key, "::mlir::Value":$value, "::mlir::Value":$mask,
      "::mlir::Value":$past_key, "::mlir::Value":$past_value, "::mlir::FloatAttr":$scale, "::mlir::UnitAttr":$causal,
      "::mlir::FloatAttr":$softcap, "::mlir::UnitAttr":$with_present), [{
      build($_builder, $_state, result, present_key, present_value, query, key, value, mask, past_key, past_value,
            ::mlir::Value(), scale, causal, softcap, with_present);
    }]>,
    OpBuilder<(ins "::mlir::Value":$query, "::mlir::Value":$key, "::mlir::Value":$value, "::mlir::Value":$mask,
      "::mlir::Value":$past_key, "::mlir::Value":$past_value, "::mlir::FloatAttr":$scale, "::mlir::UnitAttr":$causal,
      "::mlir::FloatAttr":$softcap, "::mlir::UnitAttr":$with_present), [{
      build($_builder, $_state, query, key, value, mask, past_key, past_value, ::mlir::Value(), scale, causal, softcap,
            with_present);
    }]>];
}

def Coat_SoftmaxOp : Coat_InferredOp<"softmax", [Coat_ResultTiled]> {
  let summary = "softmax or its logarithm over one dimension (ONNX Softmax, LogSoftmax 13)";
  let description = [{
    out = exp(x - max x) / sum exp(x - max x) along `axis`; with `log`,
    x - max x - log(sum exp(x - max x)).

    Constraints:
    * C1: 0 <= axis < rank.
    * C2: the element type is floating-point.

    Example:
    ```mlir
    %0 = coat.softmax %x {axis = 1} : (tensor<?x1000xf32>) -> tensor<?x1000xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, I64Attr:$axis, UnitAttr:$log);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

#endif
