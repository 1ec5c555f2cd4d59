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
  let summary = "1x1 convolutions as matrix products over all pixels";
  let description = [{
    A channels-last 1x1 convolution of stride 1 is a product of [N*D1*..*Dk, C]
    with [C, M]; the reshapes around it are free, and move behind the
    element-wise ops that follow so that those still fuse.
  }];
  let dependentDialects = ["::coat::CoatDialect"];
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

def CoatAssignSchedules : Pass<"coat-assign-schedules", "::mlir::func::FuncOp"> {
  let summary = "ask Strategy how each op is computed and write it on the op";
  let dependentDialects = ["::coat::CoatDialect"];
  let options = [Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "target, as in -march">];
}

#endif
