// Ops around attention, along a sequence: formula ops.
#ifndef COAT_DIALECT_SEQUENCEOPS_TD
#define COAT_DIALECT_SEQUENCEOPS_TD

include "coat/Dialect/CoatBase.td"

def Coat_VisibleKeysOp : Coat_FormulaOp<"visible_keys", [AttrSizedOperandSegments]> {
  let summary = "the boolean mask of an attention with windows or lengths";
  let description = [{
    Of query [B, H, Sq, D], key [B, Hkv, Skv, D] and past_key [B, Hkv, P, D] only
    the sizes are read; T = P + Skv. The result [B, 1, Sq, T], with one batch for all
    where there are no lengths, is true where

    ```
    p = q + P, with lengths q + lengths[b] - Sq
    (t <= p or not causal) and t >= p - left_window and t <= p + right_window and t < lengths[b]
    ```
    A window of -1 has no end.

    Constraints:
    * C1: query, key and past_key have rank 4.
    * C2: lengths has B elements, i32 or i64, and comes without past_key.
    * C3: windows are at least -1.

    Example:
    ```mlir
    %0 = coat.visible_keys %q, %k lengths %n {causal, left_window = 2}
      : (tensor<2x8x4x16xf32>, tensor<2x2x9x16xf32>, tensor<2xi64>) -> tensor<2x1x4x9xi1>
    ```
  }];
  let arguments = (ins Coat_Tensor:$query, Coat_Tensor:$key, Optional<Coat_Tensor>:$past_key,
    Optional<Coat_Tensor>:$lengths, UnitAttr:$causal, DefaultValuedAttr<I64Attr, "-1">:$left_window,
    DefaultValuedAttr<I64Attr, "-1">:$right_window);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = [{
    $query `,` $key (`past` $past_key^)? (`lengths` $lengths^)? attr-dict `:` functional-type(operands, results)
  }];
}

def Coat_BestKeysOp : Coat_FormulaOp<"best_keys"> {
  let summary = "scores with all but the greatest of each row hidden";
  let description = [{
    out[.., t] = scores[.., t] where it is among the `top_k` greatest of its row (the
    last dimension), else -inf. Of equal scores the first count as greater.

    Constraints:
    * C1: the rank is at least 1 and the element type floating-point.
    * C2: top_k >= 1.

    Example:
    ```mlir
    %0 = coat.best_keys %s {top_k = 1} : (tensor<1x8x4x9xf32>) -> tensor<1x8x4x9xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$scores, I64Attr:$top_k);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$scores attr-dict `:` functional-type(operands, results)";
}

def Coat_CacheWriteOp : Coat_FormulaOp<"cache_write"> {
  let summary = "new elements written into a copy of a cache, at a position a batch (ONNX TensorScatter 24)";
  let description = [{
    out[b, .., s, ..] = update[b, .., s - first[b], ..] where 0 <= s - first[b] < the
    update's size along `axis`, else cache[b, .., s, ..]; first is 0 where absent.
    With `circular`, s - first[b] is taken modulo the cache's size.

    Constraints:
    * C1: 1 <= axis < rank.
    * C2: cache and update have one element type, and one shape except that the update may be shorter along axis.
    * C3: first has a batch's number of elements, i32 or i64.

    Example:
    ```mlir
    %0 = coat.cache_write %c, %u at %i {axis = 2} : (tensor<2x8x64x16xf32>, tensor<2x8x1x16xf32>, tensor<2xi64>) -> tensor<2x8x64x16xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$cache, Coat_Tensor:$update, Optional<Coat_Tensor>:$first, I64Attr:$axis,
    UnitAttr:$circular);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$cache `,` $update (`at` $first^)? attr-dict `:` functional-type(operands, results)";
}

def Coat_LinearAttentionOp : Coat_FormulaOp<"linear_attention", [AttrSizedOperandSegments]> {
  let summary = "attention as a recurrence over a state of fixed size (ONNX LinearAttention 27)";
  let description = [{
    query [B, T, H*Dk], key [B, T, Hkv*Dk], value [B, T, Hkv*Dv]; results: out
    [B, T, H*Dv] and the last state [B, Hkv, Dk, Dv], of the type of past_state, else of
    query. A state S [Dk, Dv] for each batch and key head, computed in f32 or wider, begins
    as past_state or zero; query head h reads that of key head h / (H/Hkv). For each t in order

    ```
    S[d, m]  *= exp(decay[d])                                   decay [B, T, Hkv*Dk], or Hkv: one for all d
    r[m]      = value[m], with beta: beta * (value[m] - sum over d of S[d, m] * key[d])      beta [B, T, Hkv] or 1
    S[d, m]  += key[d] * r[m]
    out[m]    = scale * sum over d of query[d] * S[d, m]
    ```

    Constraints:
    * C1: query, key and value have rank 3 and the same batch size and length.
    * C2: kv_heads divides q_heads; the heads divide the last sizes, and query and key agree in Dk.
    * C3: past_state is [B, Hkv, Dk, Dv].
    * C4: decay is [B, T, Hkv*Dk] or [B, T, Hkv]; beta is [B, T, Hkv] or [B, T, 1].
    * C5: all elements are floating-point; those but past_state's are of one type.

    Example:
    ```mlir
    %0:2 = coat.linear_attention %q, %k, %v decay %g {q_heads = 4, kv_heads = 2, scale = 0.5}
      : (tensor<1x3x16xf32>, tensor<1x3x8xf32>, tensor<1x3x12xf32>, tensor<1x3x2xf32>)
      -> (tensor<1x3x24xf32>, tensor<1x2x4x6xf32>)
    ```
  }];
  let arguments = (ins Coat_Tensor:$query, Coat_Tensor:$key, Coat_Tensor:$value, Optional<Coat_Tensor>:$past_state,
    Optional<Coat_Tensor>:$decay, Optional<Coat_Tensor>:$beta, I64Attr:$q_heads, I64Attr:$kv_heads, F64Attr:$scale);
  let results = (outs Coat_Tensor:$result, Coat_Tensor:$present_state);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`past` $past_state^)? (`decay` $decay^)? (`beta` $beta^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

#endif
