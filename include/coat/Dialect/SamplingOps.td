// Ops that read an image at computed positions, or add windows up to one: formula ops.
#ifndef COAT_DIALECT_SAMPLINGOPS_TD
#define COAT_DIALECT_SAMPLINGOPS_TD

include "coat/Dialect/CoatBase.td"

def Coat_GridSampleOp : Coat_FormulaOp<"grid_sample"> {
  let summary = "an image read at given positions (ONNX GridSample 16-22)";
  let description = [{
    out[n, c, o1..or] interpolates in[n, c, ..] at the position grid[n, o1..or, :], whose last entry belongs to the
    first spatial dimension. -1 and 1 are the outer edges of a dimension of L elements, x = ((g + 1) L - 1) / 2, or
    with `align_corners` the centers of its outer elements, x = (g + 1) (L - 1) / 2. A position past an edge
    moves to the nearest element (padding edge) or is mirrored at the edge (reflect); an element outside the input is
    zero (constant), the nearest one (edge), or mirrored. Modes: nearest (halves to even), linear, cubic (a = -0.75).

    Constraints:
    * C1: 1 to 3 spatial dimensions, none of them empty.
    * C2: the grid has the input's rank and batch size, and one coordinate a spatial dimension.
    * C3: input and grid are floating-point.
    * C4: padding is constant, edge or reflect.

    Example:
    ```mlir
    %0 = coat.grid_sample linear %x, %g {padding = #coat<pad_mode edge>} : (tensor<?x3x8x8xf32>, tensor<?x4x5x2xf32>) -> tensor<?x3x4x5xf32>
    ```
  }];
  let arguments = (ins Coat_ResizeModeAttr:$mode, Coat_Tensor:$input, Coat_Tensor:$grid,
    DefaultValuedAttr<Coat_PadModeAttr, "::coat::PadMode::constant">:$padding, UnitAttr:$align_corners);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "`` $mode $input `,` $grid attr-dict `:` functional-type(operands, results)";
}

def Coat_DeformColumnsOp : Coat_FormulaOp<"deform_columns"> {
  let summary = "what a deformable convolution multiplies with its filter (ONNX DeformConv 19-22)";
  let description = [{
    The input is channels-last, in[n, d1..dr, c]. out[n, o1..or, k1..kr, c] is the input at
    (o*s + k*d - pad_begin + offset[n, (g, k1..kr, :), o1..or]), interpolated linearly with zeros outside,
    times mask[n, (g, k1..kr), o1..or] where there is a mask. g is the offset group of channel c.

    Constraints:
    * C1: 1 to 3 spatial dimensions.
    * C2: kernel, strides, dilations have one entry a spatial dimension, each >= 1; pads have two, each >= 0.
    * C3: `groups` >= 1 divides the channels.
    * C4: offset (and mask) are channels-first, of the batch size and the sizes of the result, with groups * kernel *
      spatial dimensions (groups * kernel) channels.
    * C5: all operands have one floating-point element type.

    Example:
    ```mlir
    %0 = coat.deform_columns %x offset %o {kernel = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
        pads = array<i64: 1, 1, 1, 1>, groups = 1} : (tensor<1x8x8x16xf32>, tensor<1x18x8x8xf32>) -> tensor<1x8x8x3x3x16xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$offset, Optional<Coat_Tensor>:$mask,
    DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads,
    I64Attr:$groups);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input `offset` $offset (`mask` $mask^)? attr-dict `:` functional-type(operands, results)";
}

def Coat_RoiAlignOp : Coat_FormulaOp<"roi_align"> {
  let summary = "regions of an image pooled at interpolated positions (ONNX RoiAlign 10-22)";
  let description = [{
    out[r, c, :, :] cuts region rois[r] = (x1, y1, x2, y2) of image batch[r], in units of 1 / `scale` elements, into
    H x W parts; each is the mean (average) of the input, interpolated linearly, at `samples` x `samples` points, or
    the maximum of the weighted neighbours of all points. samples = 0 takes ceil(region size / parts) points a
    dimension. With `half_pixel`, positions are half an element less, and a region may be smaller than one element.
    A point more than one element outside the image is zero.

    Constraints:
    * C1: the input has rank 4 and is not empty.
    * C2: rois are [R, 4], of the input's floating-point element type.
    * C3: batch is [R], i32 or i64. An index outside the batch is held in it.
    * C4: kind is average or max.
    * C5: size has two entries, each >= 1; samples >= 0.

    Example:
    ```mlir
    %0 = coat.roi_align average %x, %rois, %batch {size = array<i64: 7, 7>, samples = 2, scale = 0.25}
      : (tensor<1x256x50x50xf32>, tensor<100x4xf32>, tensor<100xi64>) -> tensor<100x256x7x7xf32>
    ```
  }];
  let arguments = (ins Coat_PoolKindAttr:$kind, Coat_Tensor:$input, Coat_Tensor:$rois, Coat_Tensor:$batch,
    DenseI64ArrayAttr:$size, I64Attr:$samples, F64Attr:$scale, UnitAttr:$half_pixel);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "`` $kind $input `,` $rois `,` $batch attr-dict `:` functional-type(operands, results)";
}

def Coat_MaxRoiPoolOp : Coat_FormulaOp<"max_roi_pool"> {
  let summary = "the maxima of whole elements of regions of an image (ONNX MaxRoiPool 1-22)";
  let description = [{
    out[r, c, :, :] cuts region rois[r] = (image, x1, y1, x2, y2), rounded to elements after multiplication by
    `scale` (halves away from zero), both ends included and at least one element wide, into H x W overlapping parts
    and gives the maximum of each, zero where a part lies outside the image.

    Constraints:
    * C1: the input has rank 4 and is not empty.
    * C2: rois are [R, 5], of the input's floating-point element type. An image outside the batch is held in it.
    * C3: size has two entries, each >= 1.

    Example:
    ```mlir
    %0 = coat.max_roi_pool %x, %rois {size = array<i64: 7, 7>, scale = 0.0625}
      : (tensor<1x512x14x14xf32>, tensor<100x5xf32>) -> tensor<100x512x7x7xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$rois, DenseI64ArrayAttr:$size, F64Attr:$scale);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input `,` $rois attr-dict `:` functional-type(operands, results)";
}

def Coat_Col2ImOp : Coat_FormulaOp<"col2im"> {
  let summary = "overlapping windows added up to an image (ONNX Col2Im 18)";
  let description = [{
    in[n, (c, k1..kr), (o1..or)] is element k of the window at o; out[n, c, i1..ir] is the sum of all elements of
    windows that lie there, i = o*s + k*d - pad_begin; what lies in the pads is dropped.

    Constraints:
    * C1: the input has rank 3.
    * C2: image, kernel, strides, dilations have one entry a spatial dimension, each >= 1; pads have two, each >= 0.
    * C3: the input has a multiple of the kernel's elements as channels, and one column a window that fits.
    * C4: the element type is numeric.

    Example:
    ```mlir
    %0 = coat.col2im %x {image = array<i64: 5, 5>, kernel = array<i64: 1, 5>, strides = array<i64: 1, 1>,
        dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x5x5xf32>) -> tensor<1x1x5x5xf32>
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, DenseI64ArrayAttr:$image, DenseI64ArrayAttr:$kernel,
    DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads);
  let results = (outs Coat_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

#endif
