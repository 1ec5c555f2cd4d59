// Attention and softmax: ONNX Attention (opset 23, 24), Softmax, LogSoftmax (opset 1-13).
#ifndef COAT_DIALECT_ATTENTIONOPS_TD
#define COAT_DIALECT_ATTENTIONOPS_TD

include "coat/Dialect/CoatBase.td"

def Coat_AttentionOp : Coat_InferredOp<"attention", [AttrSizedOperandSegments, SameVariadicResultSize]> {
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
    s[q, t]  = -inf                                  where causal and t > q + P
    out      = softmax(s) value                      a fully masked row gives zeros
    ```
    `mask` broadcasts to [B, H, Sq, T].

    Constraints:
    * C1: query, key, value have rank 4 and the same batch size.
    * C2: key and value agree in heads and length; query and key in D.
    * C3: Hkv divides H.
    * C4: mask broadcasts to [B, H, Sq, T] and is boolean or of query's type.
    * C5: past_key and past_value come together, and with present results.
    * C6: softcap >= 0, scale is finite.
    * C7: element types of query, key and value agree and are floating-point.
  }];
  let arguments = (ins Coat_Tensor:$query, Coat_Tensor:$key, Coat_Tensor:$value,
    Optional<Coat_Tensor>:$mask, Optional<Coat_Tensor>:$past_key, Optional<Coat_Tensor>:$past_value,
    F64Attr:$scale, UnitAttr:$causal, DefaultValuedAttr<F64Attr, "0.0">:$softcap,
    UnitAttr:$with_present);
  let results = (outs Coat_Tensor:$result, Optional<Coat_Tensor>:$present_key, Optional<Coat_Tensor>:$present_value);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`mask` $mask^)? (`past` $past_key^ `,` $past_value)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def Coat_SoftmaxOp : Coat_InferredOp<"softmax"> {
  let summary = "softmax or its logarithm over one dimension (ONNX Softmax, LogSoftmax 13)";
  let description = [{
    out = exp(x - max x) / sum exp(x - max x) along `axis`; with `log`,
    x - max x - log(sum exp(x - max x)).

    Constraints:
    * C1: 0 <= axis < rank.
    * C2: the element type is floating-point.
  }];
  let arguments = (ins Coat_Tensor:$input, I64Attr:$axis, UnitAttr:$log);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

#endif
