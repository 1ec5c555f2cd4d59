// RUN: coat-opt %s --coat-emit-attention --split-input-file | FileCheck %s

// Keys that fit one block: no running maximum between blocks, the exponentials of a row in two vectors at a time.
// CHECK-LABEL: func private @whole
// CHECK-NOT: coat.attention
// CHECK: tensor.empty() : tensor<4x64x16xf32>
// CHECK: vector.shuffle
// CHECK: vector.fma
// CHECK: vector.reduction <maximumf>
// CHECK: math.exp {{.*}} : vector<8xf32>
// CHECK: arith.divf
func.func private @whole(%q: tensor<1x1x6x64xf32>, %k: tensor<1x1x64x64xf32>, %v: tensor<1x1x64x64xf32>) -> tensor<1x1x6x64xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"flash", tile = [1, 1, 0, 0], vector = 8>} {
  %0 = coat.attention %q, %k, %v {scale = 0.125}
    : (tensor<1x1x6x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>) -> tensor<1x1x6x64xf32>
  return %0 : tensor<1x1x6x64xf32>
}

// -----

// More keys: each of 6 rows carries its maximum and its sum over the blocks, and the unscaled result is in scratch.
// CHECK-LABEL: func private @blocks
// CHECK: scf.for {{.*}} -> (f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, tensor<6x64xf32>)
func.func private @blocks(%q: tensor<1x1x6x64xf32>, %k: tensor<1x1x1024x64xf32>, %v: tensor<1x1x1024x64xf32>) -> tensor<1x1x6x64xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"flash", tile = [1, 1, 0, 0], vector = 8>} {
  %0 = coat.attention %q, %k, %v {scale = 0.125}
    : (tensor<1x1x6x64xf32>, tensor<1x1x1024x64xf32>, tensor<1x1x1024x64xf32>) -> tensor<1x1x6x64xf32>
  return %0 : tensor<1x1x6x64xf32>
}

// -----

// Blocks behind the last row of a causal tile are not visited, and a boundary block is masked.
// CHECK-LABEL: func private @causal
// CHECK: affine.min {{.*}}%arg3
// CHECK: vector.create_mask
func.func private @causal(%q: tensor<1x1x6x64xf32>, %k: tensor<1x1x64x64xf32>, %v: tensor<1x1x64x64xf32>, %at: index) -> tensor<1x1x6x64xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"flash", tile = [1, 1, 6, 0], vector = 8>} {
  %0 = coat.attention %q, %k, %v offset %at {scale = 0.125, causal}
    : (tensor<1x1x6x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, index) -> tensor<1x1x6x64xf32>
  return %0 : tensor<1x1x6x64xf32>
}

// -----

// A decode step reads the cache once: packing it first would read it twice.
// CHECK-LABEL: func private @one_row
// CHECK: coat.attention
func.func private @one_row(%q: tensor<1x1x1x64xf32>, %k: tensor<1x1x64x64xf32>, %v: tensor<1x1x64x64xf32>) -> tensor<1x1x1x64xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"flash", tile = [1, 1, 0, 0], vector = 8>} {
  %0 = coat.attention %q, %k, %v {scale = 0.125}
    : (tensor<1x1x1x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>) -> tensor<1x1x1x64xf32>
  return %0 : tensor<1x1x1x64xf32>
}

// -----

// CHECK-LABEL: func private @half_precision
// CHECK: coat.attention
func.func private @half_precision(%q: tensor<1x1x6x64xf16>, %k: tensor<1x1x64x64xf16>, %v: tensor<1x1x64x64xf16>) -> tensor<1x1x6x64xf16>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"flash", tile = [1, 1, 0, 0], vector = 8>} {
  %0 = coat.attention %q, %k, %v {scale = 0.125}
    : (tensor<1x1x6x64xf16>, tensor<1x1x64x64xf16>, tensor<1x1x64x64xf16>) -> tensor<1x1x6x64xf16>
  return %0 : tensor<1x1x6x64xf16>
}
