// Attention and softmax: ONNX Attention (opset 23 to 25), Softmax, LogSoftmax (opset 1-13).
#ifndef COAT_DIALECT_ATTENTIONOPS_TD
#define COAT_DIALECT_ATTENTIONOPS_TD

include "coat/Dialect/CoatBase.td"

def Coat_AttentionOp : Coat_InferredOp<"attention", [AttrSizedOperandSegments, Coat_ResultTiled]> {
  let summary = "scaled dot-product attention: self, cross, multi-head, grouped-query, soft and hard (ONNX Attention)";
  let description = [{
    query [B, H, Sq, D], key [B, Hkv, Skv, D], value [B, Hkv, Skv, Dv], result
    [B, H, Sq, Dv]; query head h reads key/value head h / (H/Hkv). With past_key
    and past_value [B, Hkv, P, D|Dv], keys and values are the past followed by
    the new ones, T = P + Skv, and the results 1, 2 (present_key, present_value) hold them.
    With lengths [B], keys and values are a buffer of which batch b uses the first lengths[b].

    ```
    p        = q + P + query_offset, with lengths q + lengths[b] - Sq: the position of query q among the keys
    s[q, t]  = scale * sum over d of query[q, d] * key[t, d]                                  scores = scaled
    s        = softcap * tanh(s / softcap)           when softcap > 0                         scores = capped
    s[q, t] += mask[.., q, t]                        additive mask, or -inf where a boolean mask is false
    s[q, t]  = -inf                                  where causal and t > p, t < p - left_window, t > p + right_window,
                                                     or t >= lengths[b]                       scores = masked
    s[q, t]  = -inf                                  except for the top_k greatest of a query (0: all); of equal
                                                     ones the first
    w        = softmax(s)                            in softmax_type, else f32 or wider       scores = weights
    out      = w value                               a fully masked row gives zeros
    ```
    `mask` broadcasts to [B, H, Sq, T]. `query_offset` (0 where absent) is the
    position of the first query row: tiles of a causal attention are cut by rows.
    A window of -1 has no end. `top_k` = 1 is hard attention: the value of the best key.
    With `scores`, the last result [B, H, Sq, T] holds s at the place named so, or w.

    Constraints:
    * C1: query, key, value have rank 4 and the same batch size.
    * C2: key and value agree in heads and length; query and key in D.
    * C3: Hkv divides H.
    * C4: mask broadcasts to [B, H, Sq, T] and is boolean or of query's type.
    * C5: past_key and past_value come together, continue key and value, and come with present results.
    * C6: softcap >= 0, scale is finite.
    * C7: element types of query, key and value agree and are floating-point.
    * C8: lengths has B elements, i32 or i64, and comes without past.
    * C9: windows are at least -1, top_k at least 0; softmax_type is floating-point.

    Example:
    ```mlir
    %0 = coat.attention %q, %k, %v mask %m {scale = 0.125, causal}
      : (tensor<1x8x16x64xf32>, tensor<1x2x16x64xf32>, tensor<1x2x16x64xf32>, tensor<16x16xi1>) -> tensor<1x8x16x64xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$query, Coat_Tensor:$key, Coat_Tensor:$value,
    Optional<Coat_Tensor>:$mask, Optional<Coat_Tensor>:$past_key, Optional<Coat_Tensor>:$past_value,
    Optional<Coat_Tensor>:$lengths, Optional<Index>:$query_offset, F64Attr:$scale, UnitAttr:$causal,
    DefaultValuedAttr<F64Attr, "0.0">:$softcap, UnitAttr:$with_present, DefaultValuedAttr<I64Attr, "-1">:$left_window,
    DefaultValuedAttr<I64Attr, "-1">:$right_window, DefaultValuedAttr<I64Attr, "0">:$top_k,
    OptionalAttr<TypeAttr>:$softmax_type, OptionalAttr<Coat_ScoresKindAttr>:$scores);
  // The present keys and values, then the scores: each where it is asked for.
  let results = (outs Coat_Tensor:$result, Variadic<Coat_Tensor>:$others);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`mask` $mask^)? (`past` $past_key^ `,` $past_value)? (`lengths` $lengths^)?
    (`offset` $query_offset^)? attr-dict
    `:` functional-type(operands, results)
  }];
  // One that is plain.
  let builders = [
    OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$query, "::mlir::Value":$key, "::mlir::Value":$value,
      "::mlir::Value":$mask, "::mlir::Value":$query_offset, "::mlir::FloatAttr":$scale, "::mlir::UnitAttr":$causal,
      "::mlir::FloatAttr":$softcap), [{
      build($_builder, $_state, result, ::mlir::TypeRange(), query, key, value, mask, ::mlir::Value(), ::mlir::Value(),
            ::mlir::Value(), query_offset, scale, causal, softcap, ::mlir::UnitAttr(),
            $_builder.getI64IntegerAttr(-1), $_builder.getI64IntegerAttr(-1), $_builder.getI64IntegerAttr(0),
            ::mlir::TypeAttr(), ::coat::ScoresKindAttr());
    }]>];
  let extraClassDeclaration = [{
    ::mlir::Value getPresentKey() { return getWithPresent() ? getOthers()[0] : ::mlir::Value(); }
    ::mlir::Value getPresentValue() { return getWithPresent() ? getOthers()[1] : ::mlir::Value(); }
    ::mlir::Value getScoresResult() { return getScores() ? getOthers().back() : ::mlir::Value(); }
    /// Whether some keys are hidden by a window or a length.
    bool hidesKeys() { return getLengths() || int64_t(getLeftWindow()) >= 0 || int64_t(getRightWindow()) >= 0; }
    /// Whether it has a kernel: coat-expand-attention and coat-split-caches make the others of ones that are.
    bool isPlain() {
      return !getWithPresent() && !hidesKeys() && getTopK() == 0 && !getSoftmaxType() && !getScores();
    }
  }];
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
