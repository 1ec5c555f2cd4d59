// Passes of the Layout stage.
#ifndef COAT_LAYOUT_PASSES_TD
#define COAT_LAYOUT_PASSES_TD

include "mlir/Pass/PassBase.td"

def CoatChannelsLast : Pass<"coat-channels-last", "::mlir::func::FuncOp"> {
  let summary = "run spatial ops channels-last and cancel the transposes this needs";
  let description = [{
    Each channels-first spatial op becomes its channels-last twin between two
    transposes; transposes then move towards the results through every op that
    does not care about the order of dimensions, and cancel.

    ```mlir
    %0 = coat.conv %x, %w {..} : (tensor<1x3x8x8xf32>, ..) -> tensor<1x4x8x8xf32>
    // becomes
    %0 = coat.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : ..
    %1 = coat.conv %0, %w {.., data_layout = #coat.layout<channels_last>} : ..
    %2 = coat.transpose %1 {permutation = array<i64: 0, 3, 1, 2>} : ..
    ```
    Max pooling with indices stays: its indices count in channels-first order.

    A transposed convolution of stride s becomes s ordinary ones a dimension,
    each with every s-th element of the filter, whose results a concatenation
    interleaves; element-wise ops of one operand behind it go along.
  }];
  let dependentDialects = ["::coat::CoatDialect"];
}

def CoatExplicitPads : Pass<"coat-explicit-pads", "::mlir::func::FuncOp"> {
  let summary = "padding of convolution and pooling as an op of its own";
  let description = [{
    A convolution or pooling with pads (or windows that overhang, with
    ceil_mode) reads the result of a constant `coat.pad` instead, whose interior
    the producer of the input can write directly. An average over windows of
    different sizes becomes a sum times a constant of reciprocal counts.
  }];
  let dependentDialects = ["::coat::CoatDialect"];
}

def CoatPointwiseToMatmul : Pass<"coat-pointwise-to-matmul", "::mlir::func::FuncOp"> {
  let summary = "1x1 convolutions and batches of products as one product over all rows";
  let description = [{
    A channels-last 1x1 convolution of stride 1 is a product of [N*D1*..*Dk, C]
    with [C, M], and so is a product of [B.., M, K] with one [K, N] for all of
    B, as far as their sizes are known; the reshapes around it are free, and
    move behind the element-wise ops that follow so that those still fuse.
  }];
  let dependentDialects = ["::coat::CoatDialect"];
}

def CoatWinograd : Pass<"coat-winograd", "::mlir::func::FuncOp"> {
  let summary = "convolutions of stride 1 or 2 by Winograd's minimal filtering, where that is faster";
  let description = [{
    The filter is transformed here, in double precision, rounded once. The pad in
    front of the input is widened until every tile lies inside.

    ```mlir
    %0 = coat.pad constant %x {high = array<i64: 0, 1, 1, 0>, low = array<i64: 0, 1, 1, 0>}
    %1 = coat.conv %0, %w {..} : (tensor<1x16x16x256xf32>, tensor<256x256x3x3xf32>) -> tensor<1x14x14x256xf32>
    // becomes
    %0 = coat.pad constant %x {high = array<i64: 0, 3, 3, 0>, low = array<i64: 0, 1, 1, 0>}
    %1 = coat.winograd_input %0 {tile = 4 : i64} : tensor<1x18x18x256xf32> -> tensor<1x16x36x16x16xf32>
    %2 = coat.winograd_conv %1, %u {tile = 4 : i64, output_size = array<i64: 14, 14>, out_channels = 256 : i64}
      : (tensor<1x16x36x16x16xf32>, tensor<16x36x256x16xf32>) -> tensor<1x14x14x256xf32>
    ```
    Results differ from those of the definition by rounding: F(4, 3) by about
    1e-5 of the largest value, F(2, 3) not more than the definition itself.
    Which F(m, r) there are, and what `stride` and `fold` mean, says
    docs/rationale/winograd.md.
  }];
  let dependentDialects = ["::coat::CoatDialect"];
  let options = [Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "target, as in -march">];
}

def CoatPackWeights : Pass<"coat-pack-weights", "::mlir::func::FuncOp"> {
  let summary = "constant filters and right-hand sides in the order the microkernels read";
  let description = [{
    Blocks of 16 output channels are innermost: 16 is a multiple of the vector
    length of SSE, AVX2 and AVX-512, so one weight blob serves every ISA.
    Operands that are not constant stay plain.
  }];
  let dependentDialects = ["::coat::CoatDialect"];
}

def CoatSplitCaches : Pass<"coat-split-caches", "::mlir::func::FuncOp"> {
  let summary = "key/value caches of attention as concatenations";
  let description = [{
    An attention with past keys and values becomes an attention over their
    concatenation with the new ones, which is also its present results; the
    number of past keys becomes the position of its first query row.
  }];
  let dependentDialects = ["::coat::CoatDialect"];
}

def CoatExpandAttention : Pass<"coat-expand-attention", "::mlir::func::FuncOp"> {
  let summary = "windows and lengths of attention as masks, chosen keys and shown scores as products";
  let description = [{
    ```mlir
    %0 = coat.attention %q, %k, %v lengths %n {scale = 0.5, left_window = 2} : (..) -> tensor<2x8x4x16xf32>
    // becomes
    %m = coat.visible_keys %q, %k lengths %n {left_window = 2} : (..) -> tensor<2x1x4x9xi1>
    %0 = coat.attention %q, %k, %v mask %m {scale = 0.5} : (..) -> tensor<2x8x4x16xf32>
    ```
    With `top_k`, `scores` or `softmax_type` it becomes two products with scale,
    softcap, mask, `coat.best_keys` and softmax in between.
  }];
  let dependentDialects = ["::coat::CoatDialect"];
}

def CoatOrderFilters : Pass<"coat-order-filters", "::mlir::func::FuncOp"> {
  let summary = "constant filters with their channels next to each other, for GPUs";
  let description = [{
    The constant filter [M, C/group, K..] of a channels-last convolution becomes
    a constant [M, K.., C/group] and a transpose that the convolution's kernel
    does where it reads it (`coat.prologue`).
  }];
  let dependentDialects = ["::coat::CoatDialect"];
}

def CoatSplitBatch : Pass<"coat-split-batch", "::mlir::func::FuncOp"> {
  let summary = "a few images of a batch at a time, where activations outgrow the caches";
  let description = [{
    ```mlir
    %1 = coat.conv %x, %w .. -> tensor<2x112x112x96xf32>
    %2 = coat.conv %1, %v .. -> tensor<2x56x56x24xf32>
    // becomes
    %x0 = tensor.extract_slice %x[0, ..] [1, ..]
    %10 = coat.conv %x0, %w .. -> tensor<1x112x112x96xf32>
    %20 = coat.conv %10, %v .. -> tensor<1x56x56x24xf32>
    // .. and the same of %x[1, ..]
    %2 = tensor.concat dim(0) %20, %21
    ```
    The batch is the first dimension of the entry's first input.
  }];
  let dependentDialects = ["::coat::CoatDialect"];
  let options = [Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "target, as in -march">];
}

def CoatAssignSchedules : Pass<"coat-assign-schedules", "::mlir::func::FuncOp"> {
  let summary = "ask Strategy how each op is computed and write it on the op";
  let description = [{
    Strategy's choice for the sizes that the entry's symbols name as their
    optimum (any symbolic size where they name none), unless the file `tuning` holds a measured one for the same
    op and CPU. With `variant` >= 0, which tuning uses, every op gets that
    alternative (0, or where it has fewer: the choice) and `coat.signature`, the
    name that the file knows it by.
  }];
  let dependentDialects = ["::coat::CoatDialect"];
  let options = [Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "target, as in -march">,
                 Option<"tuning", "tuning", "std::string", "\"\"", "file of measured schedules">,
                 Option<"variant", "variant", "int64_t", "-1", "the alternative to measure">];
}

#endif
