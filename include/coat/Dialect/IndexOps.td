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

def Coat_ScatterNDOp : Coat_FormulaOp<"scatter_nd"> {
  let summary = "slices put into a copy of the input, by tuples of indices (ONNX ScatterND)";
  let description = [{
    out = input; then for each position i of the indices' leading dimensions, in row-major order,
    out[indices[i, 0], .., indices[i, k-1], ..] = kind(out[..], updates[i, ..]).
    Negative indices count from the end; a tuple outside the input changes nothing (ONNX leaves it undefined).

    Constraints:
    * C1: indices are i32 or i64 [.., k] with a static k of 0 to the input's rank.
    * C2: updates have the indices' leading sizes, then the input's from dimension k on.
    * C3: input and updates have one element type; it is numeric unless kind is replace.

    Example:
    ```mlir
    %0 = coat.scatter_nd replace %x, %i, %u : (tensor<8x4xf32>, tensor<?x1xi64>, tensor<?x4xf32>) -> tensor<8x4xf32>
    ```
  }];
  let arguments = (ins Coat_ScatterKindAttr:$kind, Coat_Tensor:$input, Coat_Tensor:$indices, Coat_Tensor:$updates);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "`` $kind $input `,` $indices `,` $updates attr-dict `:` functional-type(operands, results)";
}

def Coat_GatherNDOp : Coat_FormulaOp<"gather_nd"> {
  let summary = "slices of the input picked by tuples of indices (ONNX GatherND)";
  let description = [{
    out[b.., i.., s..] = input[b.., indices[b.., i.., 0], .., indices[b.., i.., k-1], s..] where b are the `batch_dims`
    leading dimensions. Negative indices count from the end; a tuple outside the input gives zeros (ONNX leaves it
    undefined).

    Constraints:
    * C1: indices are i32 or i64 [.., k] with a static k of 0 to the input's rank less batch_dims.
    * C2: 0 <= batch_dims < rank of indices; the leading sizes of input and indices agree.

    Example:
    ```mlir
    %0 = coat.gather_nd %x, %i {batch_dims = 1} : (tensor<?x8x4xf32>, tensor<?x3x1xi64>) -> tensor<?x3x4xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$indices, DefaultValuedAttr<I64Attr, "0">:$batch_dims);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input `,` $indices attr-dict `:` functional-type(operands, results)";
}

def Coat_TopKOp : Coat_FormulaOp<"top_k"> {
  let summary = "the k largest (or smallest) elements along a dimension, in order, and their indices (ONNX TopK)";
  let description = [{
    Of equal elements the one with the lower index comes first.

    Constraints:
    * C1: 0 <= axis < rank.
    * C2: 0 <= k, and k is not above the size of the dimension.
    * C3: elements are numeric.

    Example:
    ```mlir
    %v, %i = coat.top_k %x {axis = 1, k = 3} : (tensor<?x8xf32>) -> (tensor<?x3xf32>, tensor<?x3xi64>)
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, I64Attr:$axis, I64Attr:$k, UnitAttr:$smallest);
  let results = (outs Coat_Tensor:$values, Coat_Tensor:$indices);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Coat_ReverseSequenceOp : Coat_FormulaOp<"reverse_sequence"> {
  let summary = "the beginning of each sequence of a batch backwards (ONNX ReverseSequence)";
  let description = [{
    out[t, b, ..] = input[lengths[b] - 1 - t, b, ..] where t < lengths[b], else input[t, b, ..].

    Constraints:
    * C1: time_axis and batch_axis are two dimensions of the input.
    * C2: lengths are i32 or i64, one an entry of the batch.

    Example:
    ```mlir
    %0 = coat.reverse_sequence %x, %n {time_axis = 0, batch_axis = 1} : (tensor<4x?xf32>, tensor<?xi64>) -> tensor<4x?xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$lengths, I64Attr:$time_axis, I64Attr:$batch_axis);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input `,` $lengths attr-dict `:` functional-type(operands, results)";
}

def Coat_CumulateOp : Coat_FormulaOp<"cumulate"> {
  let summary = "sums (or products) of the elements so far along a dimension (ONNX CumSum, CumProd)";
  let description = [{
    The element itself counts unless `exclusive`; `reverse` begins at the end. `axis` is a tensor of one element, since
    ONNX makes it an input; a negative one counts from the end.

    Constraints:
    * C1: axis is one i32 or i64.
    * C2: elements are numeric.

    Example:
    ```mlir
    %0 = coat.cumulate %x, %axis {exclusive} : (tensor<?x8xf32>, tensor<i64>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$axis, UnitAttr:$product, UnitAttr:$exclusive, UnitAttr:$reverse);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input `,` $axis attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// How many elements there are, the data decide: each op fills the beginning of lists that hold the most there may be,
// and says how many it filled. coat.prefix takes them out.
//===----------------------------------------------------------------------===//

def Coat_NonZeroOp : Coat_FormulaOp<"non_zero"> {
  let summary = "the indices of the elements that are not zero (ONNX NonZero)";
  let description = [{
    `list` begins with [rank, count] indices in row-major order.

    Example:
    ```mlir
    %list, %count = coat.non_zero %x : (tensor<3x4xf32>) -> (tensor<24xi64>, tensor<i64>)
    ```
  }];
  let arguments = (ins Coat_Tensor:$input);
  let results = (outs Coat_Tensor:$list, Coat_Tensor:$count);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Coat_CompressOp : Coat_FormulaOp<"compress"> {
  let summary = "the slices along a dimension for which a condition is true (ONNX Compress)";
  let description = [{
    `list` begins with the input's elements, `axis` having count positions. Beyond its end the condition is false.

    Constraints:
    * C1: 0 <= axis < rank.
    * C2: condition is an i1 vector.

    Example:
    ```mlir
    %list, %count = coat.compress %x, %c {axis = 1} : (tensor<3x4xf32>, tensor<4xi1>) -> (tensor<12xf32>, tensor<i64>)
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$condition, I64Attr:$axis);
  let results = (outs Coat_Tensor:$list, Coat_Tensor:$count);
  let assemblyFormat = "$input `,` $condition attr-dict `:` functional-type(operands, results)";
}

def Coat_UniqueOp : Coat_FormulaOp<"unique"> {
  let summary = "the different slices along a dimension (ONNX Unique)";
  let description = [{
    `list` begins with the input's elements, `axis` having count positions: the different slices, in lexicographic
    order where `sorted`, else in order of first occurrence. `first` begins with their first positions in the input,
    `inverse` has the number of each of the input's slices among them, `repeats` begins with how often each occurs.

    Constraints:
    * C1: 0 <= axis < rank.

    Example:
    ```mlir
    %list, %first, %inverse, %repeats, %count = coat.unique %x {axis = 0, sorted} : (tensor<6xf32>) -> (tensor<6xf32>, tensor<6xi64>, tensor<6xi64>, tensor<6xi64>, tensor<i64>)
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, I64Attr:$axis, UnitAttr:$sorted);
  let results = (outs Coat_Tensor:$list, Coat_Tensor:$first, Coat_Tensor:$inverse, Coat_Tensor:$repeats,
    Coat_Tensor:$count);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Coat_NonMaxSuppressionOp : Coat_FormulaOp<"non_max_suppression"> {
  let summary = "the boxes of best score that do not overlap a better one of their class (ONNX NonMaxSuppression)";
  let description = [{
    For each batch and class: of the boxes with a score above `score_threshold` the best is selected, those that
    overlap it by more than `iou_threshold` (intersection over union) are dropped, and so on, at most `limit` and
    `max_boxes` times. `list` begins with [count, 3]: batch, class, box. Boxes are two opposite corners [y, x, y, x],
    or, with `center`, [x, y, width, height] about their center.

    Constraints:
    * C1: boxes are f32 [B, N, 4], scores f32 [B, C, N].
    * C2: max_boxes is one i64, iou_threshold one f32, score_threshold one f32; -inf drops no box.
    * C3: limit is at least 0.

    Example:
    ```mlir
    %list, %count = coat.non_max_suppression %b, %s, %n, %o, %t {limit = 10} : (tensor<1x90x4xf32>, tensor<1x2x90xf32>, tensor<i64>, tensor<f32>, tensor<f32>) -> (tensor<60xi64>, tensor<i64>)
    ```
  }];
  let arguments = (ins Coat_Tensor:$boxes, Coat_Tensor:$scores, Coat_Tensor:$max_boxes, Coat_Tensor:$iou_threshold,
    Coat_Tensor:$score_threshold, I64Attr:$limit, UnitAttr:$center);
  let results = (outs Coat_Tensor:$list, Coat_Tensor:$count);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// What ONNX makes an input though it decides the result's shape: the shape is known, and a truth says whether the
// values of this run give it (coat.require ends the run where they do not).
//===----------------------------------------------------------------------===//

def Coat_MatchesOp : Coat_FormulaOp<"matches"> {
  let summary = "whether every element is one of its choices";
  let description = [{
    fits = for all i: input[i] is in choices[i * n .. i * n + n - 1], n choices an element.

    Constraints:
    * C1: input is a vector or scalar of static size of i32 or i64.
    * C2: as many choices for each element.

    Example:
    ```mlir
    %fits = coat.matches %shape {choices = array<i64: 2, 0, 3, -1>} : (tensor<2xi64>) -> tensor<i1>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, DenseI64ArrayAttr:$choices);
  let results = (outs Coat_Tensor:$fits);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Coat_NamesAxesOp : Coat_FormulaOp<"names_axes"> {
  let summary = "whether a list of axes is one of the given sets of dimensions";
  let description = [{
    A set is a number with bit d set for dimension d. Negative axes count from the end, that is, from `rank`.

    Constraints:
    * C1: axes are i32 or i64, a vector or scalar of static size.
    * C2: 0 <= rank <= 62.

    Example:
    ```mlir
    %fits = coat.names_axes %axes {rank = 3, sets = array<i64: 3, 5>} : (tensor<2xi64>) -> tensor<i1>
    ```
  }];
  let arguments = (ins Coat_Tensor:$axes, I64Attr:$rank, DenseI64ArrayAttr:$sets);
  let results = (outs Coat_Tensor:$fits);
  let assemblyFormat = "$axes attr-dict `:` functional-type(operands, results)";
}

def Coat_SliceAtOp : Coat_FormulaOp<"slice_at"> {
  let summary = "a slice whose bounds are run-time values (ONNX Slice)";
  let description = [{
    out[i..] = input[start + i * step, ..], bounds as in ONNX: negative ones count from the end, then they are clamped.
    `fits` is whether they give the result's shape.

    Constraints:
    * C1: starts, ends, axes and steps are i32 or i64 vectors of one static size.
    * C2: sizes are static, as many as the input has dimensions, each at least 0.

    Example:
    ```mlir
    %0, %fits = coat.slice_at %x, %starts, %ends, %axes, %steps {sizes = array<i64: 2, 4>} : (tensor<8x4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> (tensor<2x4xf32>, tensor<i1>)
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$starts, Coat_Tensor:$ends, Coat_Tensor:$axes,
    Coat_Tensor:$steps, DenseI64ArrayAttr:$sizes);
  let results = (outs Coat_Tensor:$result, Coat_Tensor:$fits);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Coat_PadAtOp : Coat_FormulaOp<"pad_at"> {
  let summary = "padding by run-time numbers of elements (ONNX Pad)";
  let description = [{
    As coat.pad, where pads[j] elements stand before dimension axes[j] and pads[n + j] behind it, n being the number of
    axes; negative ones cut off. Constant mode fills with `value`. `fits` is whether they give the result's shape.

    Constraints:
    * C1: axes are an i32 or i64 vector of static size, pads one of twice that size.
    * C2: sizes are static, as many as the input has dimensions, each at least 0.
    * C3: value is one element of the input's type.

    Example:
    ```mlir
    %0, %fits = coat.pad_at constant %x, %pads, %axes, %value {sizes = array<i64: 9>} : (tensor<8xf32>, tensor<2xi64>, tensor<1xi64>, tensor<f32>) -> (tensor<9xf32>, tensor<i1>)
    ```
  }];
  let arguments = (ins Coat_PadModeAttr:$mode, Coat_Tensor:$input, Coat_Tensor:$pads, Coat_Tensor:$axes,
    Coat_Tensor:$value, DenseI64ArrayAttr:$sizes);
  let results = (outs Coat_Tensor:$result, Coat_Tensor:$fits);
  let assemblyFormat = "`` $mode operands attr-dict `:` functional-type(operands, results)";
}

#endif
