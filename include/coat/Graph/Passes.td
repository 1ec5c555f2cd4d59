// Passes of the Graph stage.
#ifndef COAT_GRAPH_PASSES_TD
#define COAT_GRAPH_PASSES_TD

include "mlir/Pass/PassBase.td"

class Coat_GraphPass<string flag> : Pass<flag, "::mlir::func::FuncOp"> {
  let dependentDialects = ["::coat::CoatDialect", "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def CoatFoldConstants : Coat_GraphPass<"coat-fold-constants"> {
  let summary = "evaluate ops on constant operands";
  let description = [{
    Movement (transpose, reshape, broadcast, slice, concat, pad, gather), casts and
    element-wise ops whose operands are all constants become constants.

    ```mlir
    %0 = coat.transpose %weights {permutation = array<i64: 1, 0>} : (tensor<8x4xf32>) -> tensor<4x8xf32>
    // becomes
    %0 = arith.constant dense_resource<folded> : tensor<4x8xf32>
    ```
    Left alone: a broadcast of a non-uniform constant to more than 65536 elements, which would fill the library,
    and element-wise results of more than 16 million elements, which would take long to compile.
  }];
}

def CoatRecognizeActivations : Coat_GraphPass<"coat-recognize-activations"> {
  let summary = "one op for each activation function that a model spells out";
  let description = [{
    gelu (erf and tanh), silu, sigmoid, hard_swish, hard_sigmoid, clip, mish, softplus.

    ```mlir
    %0 = coat.elementwise sigmoid %x : ..
    %1 = coat.elementwise mul %x, %0 : ..
    // becomes
    %1 = coat.elementwise silu %x : ..
    ```
  }];
}

def CoatRecognizeNorms : Coat_GraphPass<"coat-recognize-norms"> {
  let summary = "one op for each normalization and softmax that a model spells out";
  let description = [{
    Layer norm, RMS norm, group norm (as PyTorch spells it: reshape, instance norm,
    reshape, multiply, add), softmax and its logarithm.

    ```mlir
    %0 = coat.reduce mean %x {axes = array<i64: 2>, keep_dims} : ..
    %1 = coat.elementwise sub %x, %0 : ..
    %2 = coat.elementwise mul %1, %1 : ..
    %3 = coat.reduce mean %2 {axes = array<i64: 2>, keep_dims} : ..
    %4 = coat.elementwise add %3, %eps : ..
    %5 = coat.elementwise sqrt %4 : ..
    %6 = coat.elementwise div %1, %5 : ..
    // becomes
    %6 = coat.layer_norm %x {axis = 2, epsilon = 1.0e-05} : ..
    ```
  }];
}

def CoatRecognizeAttention : Coat_GraphPass<"coat-recognize-attention"> {
  let summary = "coat.attention from softmax(scale * q k^T + mask) v";
  let description = [{
    The spellings of PyTorch's two exporters and of Keras: the scale on the scores,
    on q, on k or its root on both; k transposed by an op, by the product or given as
    [.., D, S]; additive and boolean masks; NaN rows replaced by zero; rank 3 as one head.

    ```mlir
    %0 = coat.matmul %q, %k {transpose_rhs} : ..
    %1 = coat.elementwise mul %0, %scale : ..
    %2 = coat.softmax %1 {axis = 3} : ..
    %3 = coat.matmul %2, %v : ..
    // becomes
    %3 = coat.attention %q, %k, %v {scale = 1.25e-01} : ..
    ```
  }];
}

def CoatIntegerProducts : Coat_GraphPass<"coat-integer-products"> {
  let summary = "products of dequantized operands as products of integers; quantize and dequantize by their formulas";
  let description = [{
    ```mlir
    %0 = coat.dequantize %x, %sx, %zx : .. ui8 ..
    %1 = coat.conv %0, %1 {..} : .. f32           // %1 is a dequantized filter
    %2 = coat.quantize %1, %sy, %zy : ..
    // becomes: a conv of i32; a mul with sx * sw / sy, a round, an add of zy, a clip and a cast to ui8
    ```
    The same for matmul, and for the mean of a global pool.
  }];
}

def CoatIntegersInFloats : Coat_GraphPass<"coat-integers-in-floats"> {
  let summary = "sums of i32 that stay below 2^24 as sums of f32";
  let description = [{
    ```mlir
    %0 = coat.conv %x, %w {..} : (tensor<1x8x7x7xi32>, tensor<8x8x3x3xi32>) -> tensor<1x8x5x5xi32>
    // becomes, where the range of %x and the numbers of %w allow it
    %0 = coat.conv %xf, %wf {..} : (tensor<1x8x7x7xf32>, tensor<8x8x3x3xf32>) -> tensor<1x8x5x5xf32>
    %1 = coat.cast %0 : tensor<1x8x5x5xf32> to tensor<1x8x5x5xi32>
    ```
  }];
}

def CoatWidenUnsigned : Coat_GraphPass<"coat-widen-unsigned"> {
  let summary = "pooling, reductions and products of unsigned integers on signed ones";
  let description = [{
    ```mlir
    %0 = coat.reduce max %x {axes = array<i64: 1>} : (tensor<4x8xui8>) -> tensor<4xui8>
    // becomes the same of i32 between two casts
    ```
  }];
}

def CoatWidenFloats : Coat_GraphPass<"coat-widen-floats"> {
  let summary = "f16 and bf16 as f32 that is rounded after every op";
  let description = [{
    ```mlir
    %0 = coat.conv %x, %w {..} : (tensor<1x8x7x7xf16>, tensor<8x8x3x3xf16>) -> tensor<1x8x7x7xf16>
    // becomes
    %0 = coat.conv %x, %w {..} : (tensor<1x8x7x7xf32>, tensor<8x8x3x3xf32>) -> tensor<1x8x7x7xf32>
    %1 = coat.cast %0 : tensor<1x8x7x7xf32> to tensor<1x8x7x7xf16>
    %2 = coat.cast %1 : tensor<1x8x7x7xf16> to tensor<1x8x7x7xf32>
    ```
    Ops that only move elements, or pick the largest, are not followed by a rounding. Inputs and results of the
    entry keep their types.
  }];
}

def CoatFoldBatchNorm : Coat_GraphPass<"coat-fold-batch-norm"> {
  let summary = "batch norms into the weights before them, or into a multiply and an add";
  let description = [{
    ```mlir
    %0 = coat.conv %x, %w {..} : ..
    %1 = coat.batch_norm %0, %scale, %bias, %mean, %variance {epsilon = 1.0e-05} : ..
    // becomes
    %1 = coat.conv %x, %w2 bias %b2 {..} : ..
    ```
    A batch norm that follows no conv, conv_transpose or matmul of constant weights
    becomes an element-wise mul and add of per-channel constants.
  }];
}

def CoatFoldBias : Coat_GraphPass<"coat-fold-bias"> {
  let summary = "per-channel constants after a conv or matmul into its weights and bias";
  let description = [{
    ```mlir
    %0 = coat.matmul %x, %w : ..
    %1 = coat.elementwise add %0, %c : ..
    // becomes
    %1 = coat.matmul %x, %w bias %c : ..
    ```
    The same with mul, div and sub; mul and div scale the filter, which then must be constant.
  }];
}

def CoatSimplifyMovement : Coat_GraphPass<"coat-simplify-movement"> {
  let summary = "cancel and merge transposes, reshapes, slices, casts and broadcasts";
  let description = [{
    Transposes are composed and sunk through element-wise ops until they meet; a
    transpose of unit dimensions is a reshape; a gather of consecutive constant
    indices is a slice; a transpose before a dense layer moves into its weights; a mean
    over all spatial dimensions is a global_pool.

    ```mlir
    %0 = coat.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : ..
    %1 = coat.elementwise relu %0 : ..
    %2 = coat.transpose %1 {permutation = array<i64: 0, 3, 1, 2>} : ..
    // becomes
    %2 = coat.elementwise relu %x : ..
    ```
  }];
}

def CoatKeepChannelsLast : Coat_GraphPass<"coat-keep-channels-last"> {
  let summary = "channels-last models stay channels-last";
  let description = [{
    A framework that is channels-last writes each ONNX conv and pool between two
    transposes. The op takes the transposes' order, and they cancel.

    ```mlir
    %0 = coat.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : ..
    %1 = coat.conv %0, %w {..} : ..
    // becomes
    %0 = coat.conv %x, %w {.., data_layout = #coat.layout<channels_last>} : ..
    %1 = coat.transpose %0 {permutation = array<i64: 0, 3, 1, 2>} : ..
    ```
  }];
}

def CoatLowerPrecision : Coat_GraphPass<"coat-lower-precision"> {
  let summary = "--dtype: what an f32 model multiplies in f16 or bf16";
  let description = [{
    The factors and results of convolutions, products and attention are rounded to
    `type`, for all their readers; a constant for this reader alone.

    ```mlir
    %1 = coat.conv %0, %w {..} : ..
    // becomes, the same of %0
    %2 = coat.conv %0, %w1 {..} : ..
    %3 = coat.cast %2 : tensor<1x8x8x8xf32> to tensor<1x8x8x8xf16>
    %1 = coat.cast %3 : tensor<1x8x8x8xf16> to tensor<1x8x8x8xf32>
    ```
  }];
  let options = [Option<"type", "type", "std::string", "\"f16\"", "f16 or bf16">];
}

def CoatNarrowStorage : Coat_GraphPass<"coat-narrow-storage"> {
  let summary = "numbers of f16 and bf16 lie in memory in their own type";
  let description = [{
    Elements move in the narrow type; each reader that computes has a conversion
    to f32 of its own, marked `coat.prologue`, which becomes part of its kernel.
    Constant factors next to a narrow one become narrow.

    ```mlir
    %0 = coat.cast %n : tensor<1x4xf16> to tensor<1x4xf32>
    %1 = coat.reshape %0 : tensor<1x4xf32> -> tensor<4xf32>
    %2 = coat.elementwise exp %1 : (tensor<4xf32>) -> tensor<4xf32>
    // becomes
    %0 = coat.reshape %n : tensor<1x4xf16> -> tensor<4xf16>
    %1 = coat.cast %0 {coat.prologue} : tensor<4xf16> to tensor<4xf32>
    %2 = coat.elementwise exp %1 : (tensor<4xf32>) -> tensor<4xf32>
    ```
  }];
}

#endif
