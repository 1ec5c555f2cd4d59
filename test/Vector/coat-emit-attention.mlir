// RUN: coat-opt %s --coat-emit-attention --split-input-file | FileCheck %s

// Keys that fit one block: queries along lanes; a base from the first four keys; weights of bounded exponents from the
// registers that the scores were summed in, several at once. Where their sum is too large, all scores first, then the
// weights. Maxima and sums of a lane need no reduction.
// CHECK-LABEL: func private @whole
// CHECK-NOT: coat.attention
// CHECK: vector.shuffle
// CHECK: vector.transfer_write {{.*}} tensor<1x64x8xf32>
// CHECK: vector.fma
// CHECK: arith.cmpf ogt
// CHECK: scf.for
// CHECK: vector.fma
// CHECK: math.exp2 {{.*}} fastmath<afn> : vector<4x8xf32>
// CHECK: vector.reduction <and>
// CHECK: scf.if
// CHECK: vector.fma
// CHECK-NOT: math.exp2
// CHECK: scf.for
// CHECK: math.exp2 {{.*}} fastmath<afn> : vector<1x8xf32>
// CHECK: arith.divf
func.func private @whole(%q: tensor<1x1x6x64xf32>, %k: tensor<1x1x64x64xf32>, %v: tensor<1x1x64x64xf32>) -> tensor<1x1x6x64xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"flash", tile = [1, 1, 0, 0], vector = 8>} {
  %0 = coat.attention %q, %k, %v {scale = 0.125}
    : (tensor<1x1x6x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>) -> tensor<1x1x6x64xf32>
  return %0 : tensor<1x1x6x64xf32>
}

// -----

// More keys: maximum, sum and unscaled result of four panels of queries wait in scratch from block to block of keys. The
// 70 rows are panels of 14.
// CHECK-LABEL: func private @blocks
// CHECK: scf.for {{.*}} -> (tensor<4x16xf32>, tensor<4x16xf32>, tensor<4x14x64xf32>)
func.func private @blocks(%q: tensor<1x1x70x64xf32>, %k: tensor<1x1x1024x64xf32>, %v: tensor<1x1x1024x64xf32>) -> tensor<1x1x70x64xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"flash", tile = [1, 1, 0, 0], vector = 8>} {
  %0 = coat.attention %q, %k, %v {scale = 0.125}
    : (tensor<1x1x70x64xf32>, tensor<1x1x1024x64xf32>, tensor<1x1x1024x64xf32>) -> tensor<1x1x70x64xf32>
  return %0 : tensor<1x1x70x64xf32>
}

// -----

// Keys behind the last row of a causal panel are not visited; those that only some of its rows see are in tiles of their own.
// CHECK-LABEL: func private @causal
// CHECK: affine.min {{.*}}%arg3
// CHECK: vector.fma
// CHECK-NOT: vector.create_mask
// CHECK: scf.yield
// CHECK: vector.create_mask
func.func private @causal(%q: tensor<1x1x6x64xf32>, %k: tensor<1x1x64x64xf32>, %v: tensor<1x1x64x64xf32>, %at: index) -> tensor<1x1x6x64xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"flash", tile = [1, 1, 6, 0], vector = 8>} {
  %0 = coat.attention %q, %k, %v offset %at {scale = 0.125, causal}
    : (tensor<1x1x6x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, index) -> tensor<1x1x6x64xf32>
  return %0 : tensor<1x1x6x64xf32>
}

// -----

// A mask that varies by query is turned first; one that does not is a scalar a key.
// CHECK-LABEL: func private @masked
// CHECK: vector.shuffle
// CHECK: vector.shuffle
// CHECK: vector.fma
func.func private @masked(%q: tensor<1x1x6x8xf32>, %k: tensor<1x1x64x8xf32>, %v: tensor<1x1x64x64xf32>, %m: tensor<6x64xf32>) -> tensor<1x1x6x64xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"flash", tile = [1, 1, 0, 0], vector = 8>} {
  %0 = coat.attention %q, %k, %v mask %m {scale = 0.125}
    : (tensor<1x1x6x8xf32>, tensor<1x1x64x8xf32>, tensor<1x1x64x64xf32>, tensor<6x64xf32>) -> tensor<1x1x6x64xf32>
  return %0 : tensor<1x1x6x64xf32>
}

// -----

// Lanes would stay empty in a decode step.
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
