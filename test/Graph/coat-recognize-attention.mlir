// RUN: coat-opt -coat-recognize-attention %s | FileCheck %s

// Scale on the scores, keys transposed by an op.
// CHECK-LABEL: func @plain
// CHECK-NOT: coat.softmax
// CHECK: coat.attention %arg0, %arg1, %arg2 {scale = 1.250000e-01 : f64}
func.func @plain(%q: tensor<1x4x16x64xf32>, %k: tensor<1x4x16x64xf32>, %v: tensor<1x4x16x64xf32>) -> tensor<1x4x16x64xf32> {
  %c = arith.constant dense<8.0> : tensor<f32>
  %kt = coat.transpose %k {permutation = array<i64: 0, 1, 3, 2>} : (tensor<1x4x16x64xf32>) -> tensor<1x4x64x16xf32>
  %s = coat.matmul %q, %kt : (tensor<1x4x16x64xf32>, tensor<1x4x64x16xf32>) -> tensor<1x4x16x16xf32>
  %d = coat.elementwise div %s, %c : (tensor<1x4x16x16xf32>, tensor<f32>) -> tensor<1x4x16x16xf32>
  %p = coat.softmax %d {axis = 3} : (tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32>
  %o = coat.matmul %p, %v : (tensor<1x4x16x16xf32>, tensor<1x4x16x64xf32>) -> tensor<1x4x16x64xf32>
  return %o : tensor<1x4x16x64xf32>
}

// As @plain, but the softmax is over the queries.
// CHECK-LABEL: func @other_axis
// CHECK-NOT: coat.attention
func.func @other_axis(%q: tensor<1x4x16x64xf32>, %k: tensor<1x4x16x64xf32>, %v: tensor<1x4x16x64xf32>) -> tensor<1x4x16x64xf32> {
  %c = arith.constant dense<8.0> : tensor<f32>
  %kt = coat.transpose %k {permutation = array<i64: 0, 1, 3, 2>} : (tensor<1x4x16x64xf32>) -> tensor<1x4x64x16xf32>
  %s = coat.matmul %q, %kt : (tensor<1x4x16x64xf32>, tensor<1x4x64x16xf32>) -> tensor<1x4x16x16xf32>
  %d = coat.elementwise div %s, %c : (tensor<1x4x16x16xf32>, tensor<f32>) -> tensor<1x4x16x16xf32>
  %p = coat.softmax %d {axis = 2} : (tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32>
  %o = coat.matmul %p, %v : (tensor<1x4x16x16xf32>, tensor<1x4x16x64xf32>) -> tensor<1x4x16x64xf32>
  return %o : tensor<1x4x16x64xf32>
}

// As @plain, but the weights are a result too.
// CHECK-LABEL: func @weights_used
// CHECK-NOT: coat.attention
func.func @weights_used(%q: tensor<1x4x16x64xf32>, %k: tensor<1x4x16x64xf32>, %v: tensor<1x4x16x64xf32>) -> (tensor<1x4x16x64xf32>, tensor<1x4x16x16xf32>) {
  %c = arith.constant dense<8.0> : tensor<f32>
  %kt = coat.transpose %k {permutation = array<i64: 0, 1, 3, 2>} : (tensor<1x4x16x64xf32>) -> tensor<1x4x64x16xf32>
  %s = coat.matmul %q, %kt : (tensor<1x4x16x64xf32>, tensor<1x4x64x16xf32>) -> tensor<1x4x16x16xf32>
  %d = coat.elementwise div %s, %c : (tensor<1x4x16x16xf32>, tensor<f32>) -> tensor<1x4x16x16xf32>
  %p = coat.softmax %d {axis = 3} : (tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32>
  %o = coat.matmul %p, %v : (tensor<1x4x16x16xf32>, tensor<1x4x16x64xf32>) -> tensor<1x4x16x64xf32>
  return %o, %p : tensor<1x4x16x64xf32>, tensor<1x4x16x16xf32>
}

// As @plain, but the scores are a result too.
// CHECK-LABEL: func @scores_used
// CHECK-NOT: coat.attention
func.func @scores_used(%q: tensor<1x4x16x64xf32>, %k: tensor<1x4x16x64xf32>, %v: tensor<1x4x16x64xf32>) -> (tensor<1x4x16x64xf32>, tensor<1x4x16x16xf32>) {
  %c = arith.constant dense<8.0> : tensor<f32>
  %kt = coat.transpose %k {permutation = array<i64: 0, 1, 3, 2>} : (tensor<1x4x16x64xf32>) -> tensor<1x4x64x16xf32>
  %s = coat.matmul %q, %kt : (tensor<1x4x16x64xf32>, tensor<1x4x64x16xf32>) -> tensor<1x4x16x16xf32>
  %d = coat.elementwise div %s, %c : (tensor<1x4x16x16xf32>, tensor<f32>) -> tensor<1x4x16x16xf32>
  %p = coat.softmax %d {axis = 3} : (tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32>
  %o = coat.matmul %p, %v : (tensor<1x4x16x16xf32>, tensor<1x4x16x64xf32>) -> tensor<1x4x16x64xf32>
  return %o, %d : tensor<1x4x16x64xf32>, tensor<1x4x16x16xf32>
}

// PyTorch's exporters: the root of the scale on both sides, keys as [.., D, S], NaN rows replaced.
// CHECK-LABEL: func @scale_on_both_sides
// CHECK: %[[K:.*]] = coat.transpose %arg1 {permutation = array<i64: 0, 1, 3, 2>}
// CHECK: coat.attention %arg0, %[[K]], %arg2 mask %arg3 {scale = 2.500000e-01 : f64}
func.func @scale_on_both_sides(%q: tensor<1x4x16x16xf32>, %k: tensor<1x4x16x9xf32>, %v: tensor<1x4x9x16xf32>, %m: tensor<16x9xf32>) -> tensor<1x4x16x16xf32> {
  %half = arith.constant dense<0.5> : tensor<1xf32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %qs = coat.elementwise mul %q, %half : (tensor<1x4x16x16xf32>, tensor<1xf32>) -> tensor<1x4x16x16xf32>
  %ks = coat.elementwise mul %k, %half : (tensor<1x4x16x9xf32>, tensor<1xf32>) -> tensor<1x4x16x9xf32>
  %s = coat.matmul %qs, %ks : (tensor<1x4x16x16xf32>, tensor<1x4x16x9xf32>) -> tensor<1x4x16x9xf32>
  %a = coat.elementwise add %s, %m : (tensor<1x4x16x9xf32>, tensor<16x9xf32>) -> tensor<1x4x16x9xf32>
  %p = coat.softmax %a {axis = 3} : (tensor<1x4x16x9xf32>) -> tensor<1x4x16x9xf32>
  %n = coat.elementwise isnan %p : (tensor<1x4x16x9xf32>) -> tensor<1x4x16x9xi1>
  %w = coat.elementwise select %n, %zero, %p : (tensor<1x4x16x9xi1>, tensor<f32>, tensor<1x4x16x9xf32>) -> tensor<1x4x16x9xf32>
  %o = coat.matmul %w, %v : (tensor<1x4x16x9xf32>, tensor<1x4x9x16xf32>) -> tensor<1x4x16x16xf32>
  return %o : tensor<1x4x16x16xf32>
}

// softmax(x y^T) y of rank 3: one head.
// CHECK-LABEL: func @one_head
// CHECK-DAG: %[[Q:.*]] = coat.reshape %arg0 : tensor<2x12x8xf32> to tensor<2x1x12x8xf32>
// CHECK-DAG: %[[K:.*]] = coat.reshape %arg1 : tensor<2x16x8xf32> to tensor<2x1x16x8xf32>
// CHECK: %[[A:.*]] = coat.attention %[[Q]], %[[K]], %{{.*}} {scale = 1.000000e+00 : f64}
// CHECK: coat.reshape %[[A]] : tensor<2x1x12x8xf32> to tensor<2x12x8xf32>
func.func @one_head(%x: tensor<2x12x8xf32>, %y: tensor<2x16x8xf32>) -> tensor<2x12x8xf32> {
  %s = coat.matmul %x, %y {transpose_rhs} : (tensor<2x12x8xf32>, tensor<2x16x8xf32>) -> tensor<2x12x16xf32>
  %p = coat.softmax %s {axis = 2} : (tensor<2x12x16xf32>) -> tensor<2x12x16xf32>
  %o = coat.matmul %p, %y : (tensor<2x12x16xf32>, tensor<2x16x8xf32>) -> tensor<2x12x8xf32>
  return %o : tensor<2x12x8xf32>
}

// A symbolic batch and length.
// CHECK-LABEL: func @symbolic
// CHECK: coat.attention {{.*}} -> tensor<?x1x?x8xf32>
// CHECK: coat.reshape {{.*}} to tensor<?x?x8xf32>
func.func @symbolic(%x: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %s = coat.matmul %x, %x {transpose_rhs} : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x?xf32>
  %p = coat.softmax %s {axis = 2} : (tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  %o = coat.matmul %p, %x : (tensor<?x?x?xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return %o : tensor<?x?x8xf32>
}

// As @one_head, but one key tensor for both batches: batch sizes of attention must agree.
// CHECK-LABEL: func @broadcast_batch
// CHECK-NOT: coat.attention
func.func @broadcast_batch(%x: tensor<2x12x8xf32>, %y: tensor<1x16x8xf32>) -> tensor<2x12x8xf32> {
  %s = coat.matmul %x, %y {transpose_rhs} : (tensor<2x12x8xf32>, tensor<1x16x8xf32>) -> tensor<2x12x16xf32>
  %p = coat.softmax %s {axis = 2} : (tensor<2x12x16xf32>) -> tensor<2x12x16xf32>
  %o = coat.matmul %p, %y : (tensor<2x12x16xf32>, tensor<1x16x8xf32>) -> tensor<2x12x8xf32>
  return %o : tensor<2x12x8xf32>
}

// CHECK-LABEL: func @boolean_mask
// CHECK: %[[N:.*]] = coat.elementwise logical_not %arg3
// CHECK: coat.attention %arg0, %arg1, %arg2 mask %[[N]]
func.func @boolean_mask(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x5x8xf32>, %v: tensor<1x4x5x8xf32>, %hidden: tensor<3x5xi1>) -> tensor<1x4x3x8xf32> {
  %inf = arith.constant dense<0xFF800000> : tensor<f32>
  %s = coat.matmul %q, %k {transpose_rhs} : (tensor<1x4x3x8xf32>, tensor<1x4x5x8xf32>) -> tensor<1x4x3x5xf32>
  %m = coat.elementwise select %hidden, %inf, %s : (tensor<3x5xi1>, tensor<f32>, tensor<1x4x3x5xf32>) -> tensor<1x4x3x5xf32>
  %p = coat.softmax %m {axis = 3} : (tensor<1x4x3x5xf32>) -> tensor<1x4x3x5xf32>
  %o = coat.matmul %p, %v : (tensor<1x4x3x5xf32>, tensor<1x4x5x8xf32>) -> tensor<1x4x3x8xf32>
  return %o : tensor<1x4x3x8xf32>
}

// CHECK-LABEL: func @causal
// CHECK: coat.attention %arg0, %arg1, %arg2 {causal
func.func @causal(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32> {
  %mask = arith.constant dense<[[0.0, 0xFF800000, 0xFF800000], [0.0, 0.0, 0xFF800000], [0.0, 0.0, 0.0]]> : tensor<3x3xf32>
  %s = coat.matmul %q, %k {transpose_rhs} : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x3xf32>
  %m = coat.elementwise add %s, %mask : (tensor<1x4x3x3xf32>, tensor<3x3xf32>) -> tensor<1x4x3x3xf32>
  %p = coat.softmax %m {axis = 3} : (tensor<1x4x3x3xf32>) -> tensor<1x4x3x3xf32>
  %o = coat.matmul %p, %v : (tensor<1x4x3x3xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return %o : tensor<1x4x3x8xf32>
}

// As @causal, but one visible key is hidden: an additive mask.
// CHECK-LABEL: func @not_causal
// CHECK: coat.attention %arg0, %arg1, %arg2 mask
// CHECK-NOT: causal
func.func @not_causal(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32> {
  %mask = arith.constant dense<[[0.0, 0xFF800000, 0xFF800000], [0.0, 0.0, 0xFF800000], [0xFF800000, 0.0, 0.0]]> : tensor<3x3xf32>
  %s = coat.matmul %q, %k {transpose_rhs} : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x3xf32>
  %m = coat.elementwise add %s, %mask : (tensor<1x4x3x3xf32>, tensor<3x3xf32>) -> tensor<1x4x3x3xf32>
  %p = coat.softmax %m {axis = 3} : (tensor<1x4x3x3xf32>) -> tensor<1x4x3x3xf32>
  %o = coat.matmul %p, %v : (tensor<1x4x3x3xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return %o : tensor<1x4x3x8xf32>
}

// A bias of the heads and a mask of the windows.
// CHECK-LABEL: func @two_masks
// CHECK: %[[SUM:.*]] = coat.elementwise add %arg3, %arg4 : (tensor<1x4x3x3xf32>, tensor<2x1x3x3xf32>) -> tensor<2x4x3x3xf32>
// CHECK: coat.attention %arg0, %arg1, %arg2 mask %[[SUM]]
func.func @two_masks(%q: tensor<2x4x3x8xf32>, %k: tensor<2x4x3x8xf32>, %v: tensor<2x4x3x8xf32>, %bias: tensor<1x4x3x3xf32>, %mask: tensor<2x1x3x3xf32>) -> tensor<2x4x3x8xf32> {
  %s = coat.matmul %q, %k {transpose_rhs} : (tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>) -> tensor<2x4x3x3xf32>
  %b = coat.elementwise add %s, %bias : (tensor<2x4x3x3xf32>, tensor<1x4x3x3xf32>) -> tensor<2x4x3x3xf32>
  %m = coat.elementwise add %b, %mask : (tensor<2x4x3x3xf32>, tensor<2x1x3x3xf32>) -> tensor<2x4x3x3xf32>
  %p = coat.softmax %m {axis = 3} : (tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xf32>
  %o = coat.matmul %p, %v : (tensor<2x4x3x3xf32>, tensor<2x4x3x8xf32>) -> tensor<2x4x3x8xf32>
  return %o : tensor<2x4x3x8xf32>
}

// As @two_masks, but the mask is boolean: it cannot be summed.
// CHECK-LABEL: func @bias_and_boolean
// CHECK-NOT: coat.attention
func.func @bias_and_boolean(%q: tensor<2x4x3x8xf32>, %k: tensor<2x4x3x8xf32>, %v: tensor<2x4x3x8xf32>, %bias: tensor<1x4x3x3xf32>, %mask: tensor<2x1x3x3xi1>) -> tensor<2x4x3x8xf32> {
  %inf = arith.constant dense<0xFF800000> : tensor<f32>
  %s = coat.matmul %q, %k {transpose_rhs} : (tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>) -> tensor<2x4x3x3xf32>
  %b = coat.elementwise add %s, %bias : (tensor<2x4x3x3xf32>, tensor<1x4x3x3xf32>) -> tensor<2x4x3x3xf32>
  %m = coat.elementwise select %mask, %b, %inf : (tensor<2x1x3x3xi1>, tensor<2x4x3x3xf32>, tensor<f32>) -> tensor<2x4x3x3xf32>
  %p = coat.softmax %m {axis = 3} : (tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xf32>
  %o = coat.matmul %p, %v : (tensor<2x4x3x3xf32>, tensor<2x4x3x8xf32>) -> tensor<2x4x3x8xf32>
  return %o : tensor<2x4x3x8xf32>
}

// Grouped queries: each key and value head repeated for two query heads.
// CHECK-LABEL: func @grouped
// CHECK: coat.attention %arg0, %arg1, %arg2 {scale
func.func @grouped(%q: tensor<1x4x3x8xf32>, %k: tensor<1x2x5x8xf32>, %v: tensor<1x2x5x8xf32>) -> tensor<1x4x3x8xf32> {
  %k1 = coat.reshape %k : tensor<1x2x5x8xf32> to tensor<1x2x1x5x8xf32>
  %k2 = coat.broadcast %k1 : tensor<1x2x1x5x8xf32> to tensor<1x2x2x5x8xf32>
  %k3 = coat.reshape %k2 : tensor<1x2x2x5x8xf32> to tensor<1x4x5x8xf32>
  %v1 = coat.reshape %v : tensor<1x2x5x8xf32> to tensor<1x2x1x5x8xf32>
  %v2 = coat.broadcast %v1 : tensor<1x2x1x5x8xf32> to tensor<1x2x2x5x8xf32>
  %v3 = coat.reshape %v2 : tensor<1x2x2x5x8xf32> to tensor<1x4x5x8xf32>
  %s = coat.matmul %q, %k3 {transpose_rhs} : (tensor<1x4x3x8xf32>, tensor<1x4x5x8xf32>) -> tensor<1x4x3x5xf32>
  %p = coat.softmax %s {axis = 3} : (tensor<1x4x3x5xf32>) -> tensor<1x4x3x5xf32>
  %o = coat.matmul %p, %v3 : (tensor<1x4x3x5xf32>, tensor<1x4x5x8xf32>) -> tensor<1x4x3x8xf32>
  return %o : tensor<1x4x3x8xf32>
}

// CHECK-LABEL: func @scale_behind_movement
// CHECK: %[[R:.*]] = coat.reshape %arg0
// CHECK: %[[T:.*]] = coat.transpose %[[R]]
// CHECK: coat.attention %[[T]], %arg1, %arg1 {scale = 5.000000e-01 : f64}
func.func @scale_behind_movement(%x: tensor<1x5x32xf32>, %k: tensor<1x4x5x8xf32>) -> tensor<1x4x5x8xf32> {
  %half = arith.constant dense<0.5> : tensor<f32>
  %0 = coat.elementwise mul %x, %half : (tensor<1x5x32xf32>, tensor<f32>) -> tensor<1x5x32xf32>
  %1 = coat.reshape %0 : tensor<1x5x32xf32> to tensor<1x5x4x8xf32>
  %2 = coat.transpose %1 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x5x4x8xf32>) -> tensor<1x4x5x8xf32>
  %3 = coat.attention %2, %k, %k {scale = 1.0 : f64} : (tensor<1x4x5x8xf32>, tensor<1x4x5x8xf32>, tensor<1x4x5x8xf32>) -> tensor<1x4x5x8xf32>
  return %3 : tensor<1x4x5x8xf32>
}

// As @scale_behind_movement, but the scale differs from head to head.
// CHECK-LABEL: func @scales_of_heads
// CHECK: coat.elementwise mul
// CHECK: scale = 1.000000e+00
func.func @scales_of_heads(%x: tensor<1x4x5x8xf32>, %k: tensor<1x4x5x8xf32>) -> tensor<1x4x5x8xf32> {
  %c = arith.constant dense<[[[0.5]], [[1.0]], [[1.5]], [[2.0]]]> : tensor<4x1x1xf32>
  %0 = coat.elementwise mul %x, %c : (tensor<1x4x5x8xf32>, tensor<4x1x1xf32>) -> tensor<1x4x5x8xf32>
  %3 = coat.attention %0, %k, %k {scale = 1.0 : f64} : (tensor<1x4x5x8xf32>, tensor<1x4x5x8xf32>, tensor<1x4x5x8xf32>) -> tensor<1x4x5x8xf32>
  return %3 : tensor<1x4x5x8xf32>
}

// The three greatest scores put back among minus infinities.
// CHECK-LABEL: func @hard_top_k
// CHECK-NOT: coat.softmax
// CHECK: coat.attention %arg0, %arg1, %arg2 {scale = 1.000000e+00 : f64, top_k = 3 : i64}
func.func @hard_top_k(%q: tensor<1x4x16x8xf32>, %k: tensor<1x4x16x8xf32>, %v: tensor<1x4x16x8xf32>) -> tensor<1x4x16x8xf32> {
  %low = arith.constant dense<0xFF800000> : tensor<1x4x16x16xf32>
  %s = coat.matmul %q, %k {transpose_rhs} : (tensor<1x4x16x8xf32>, tensor<1x4x16x8xf32>) -> tensor<1x4x16x16xf32>
  %best, %at = coat.top_k %s {axis = 3, k = 3} : (tensor<1x4x16x16xf32>) -> (tensor<1x4x16x3xf32>, tensor<1x4x16x3xi64>)
  %h = coat.scatter_elements replace %low, %at, %best {axis = 3} : (tensor<1x4x16x16xf32>, tensor<1x4x16x3xi64>, tensor<1x4x16x3xf32>) -> tensor<1x4x16x16xf32>
  %p = coat.softmax %h {axis = 3} : (tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32>
  %o = coat.matmul %p, %v : (tensor<1x4x16x16xf32>, tensor<1x4x16x8xf32>) -> tensor<1x4x16x8xf32>
  return %o : tensor<1x4x16x8xf32>
}

// As @hard_top_k, but put back among zeros.
// CHECK-LABEL: func @top_k_among_zeros
// CHECK-NOT: coat.attention
// CHECK: return
func.func @top_k_among_zeros(%q: tensor<1x4x16x8xf32>, %k: tensor<1x4x16x8xf32>, %v: tensor<1x4x16x8xf32>) -> tensor<1x4x16x8xf32> {
  %low = arith.constant dense<0.0> : tensor<1x4x16x16xf32>
  %s = coat.matmul %q, %k {transpose_rhs} : (tensor<1x4x16x8xf32>, tensor<1x4x16x8xf32>) -> tensor<1x4x16x16xf32>
  %best, %at = coat.top_k %s {axis = 3, k = 3} : (tensor<1x4x16x16xf32>) -> (tensor<1x4x16x3xf32>, tensor<1x4x16x3xi64>)
  %h = coat.scatter_elements replace %low, %at, %best {axis = 3} : (tensor<1x4x16x16xf32>, tensor<1x4x16x3xi64>, tensor<1x4x16x3xf32>) -> tensor<1x4x16x16xf32>
  %p = coat.softmax %h {axis = 3} : (tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32>
  %o = coat.matmul %p, %v : (tensor<1x4x16x16xf32>, tensor<1x4x16x8xf32>) -> tensor<1x4x16x8xf32>
  return %o : tensor<1x4x16x8xf32>
}

// As @hard_top_k, but a mask of the chosen keys hides the others.
// CHECK-LABEL: func @hard_mask
// CHECK: coat.attention %arg0, %arg1, %arg2 {scale = 1.000000e+00 : f64, top_k = 2 : i64}
func.func @hard_mask(%q: tensor<1x4x16x8xf32>, %k: tensor<1x4x16x8xf32>, %v: tensor<1x4x16x8xf32>) -> tensor<1x4x16x8xf32> {
  %no = arith.constant dense<false> : tensor<1x4x16x16xi1>
  %yes = arith.constant dense<true> : tensor<1x4x16x2xi1>
  %low = arith.constant dense<0xFF800000> : tensor<f32>
  %s = coat.matmul %q, %k {transpose_rhs} : (tensor<1x4x16x8xf32>, tensor<1x4x16x8xf32>) -> tensor<1x4x16x16xf32>
  %best, %at = coat.top_k %s {axis = 3, k = 2} : (tensor<1x4x16x16xf32>) -> (tensor<1x4x16x2xf32>, tensor<1x4x16x2xi64>)
  %m = coat.scatter_elements replace %no, %at, %yes {axis = 3} : (tensor<1x4x16x16xi1>, tensor<1x4x16x2xi64>, tensor<1x4x16x2xi1>) -> tensor<1x4x16x16xi1>
  %h = coat.elementwise select %m, %s, %low : (tensor<1x4x16x16xi1>, tensor<1x4x16x16xf32>, tensor<f32>) -> tensor<1x4x16x16xf32>
  %p = coat.softmax %h {axis = 3} : (tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32>
  %o = coat.matmul %p, %v : (tensor<1x4x16x16xf32>, tensor<1x4x16x8xf32>) -> tensor<1x4x16x8xf32>
  return %o : tensor<1x4x16x8xf32>
}

// Weights that are one-hot at the greatest score.
// CHECK-LABEL: func @hard_one_hot
// CHECK: coat.attention %arg0, %arg1, %arg2 {scale = 1.000000e+00 : f64, top_k = 1 : i64}
func.func @hard_one_hot(%q: tensor<1x4x5x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) -> tensor<1x4x5x8xf32> {
  %keys = arith.constant dense<[0, 1, 2]> : tensor<3xi64>
  %s = coat.matmul %q, %k {transpose_rhs} : (tensor<1x4x5x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x5x3xf32>
  %at = coat.arg_reduce max %s {axis = 3} : (tensor<1x4x5x3xf32>) -> tensor<1x4x5xi64>
  %i = coat.reshape %at : tensor<1x4x5xi64> to tensor<1x4x5x1xi64>
  %hot = coat.elementwise equal %i, %keys : (tensor<1x4x5x1xi64>, tensor<3xi64>) -> tensor<1x4x5x3xi1>
  %p = coat.cast %hot : tensor<1x4x5x3xi1> to tensor<1x4x5x3xf32>
  %o = coat.matmul %p, %v : (tensor<1x4x5x3xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x5x8xf32>
  return %o : tensor<1x4x5x8xf32>
}

// As @hard_one_hot, but of equal scores the last counts.
// CHECK-LABEL: func @last_one_hot
// CHECK-NOT: coat.attention
func.func @last_one_hot(%q: tensor<1x4x5x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) -> tensor<1x4x5x8xf32> {
  %keys = arith.constant dense<[0, 1, 2]> : tensor<3xi64>
  %s = coat.matmul %q, %k {transpose_rhs} : (tensor<1x4x5x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x5x3xf32>
  %at = coat.arg_reduce max %s {axis = 3, select_last} : (tensor<1x4x5x3xf32>) -> tensor<1x4x5xi64>
  %i = coat.reshape %at : tensor<1x4x5xi64> to tensor<1x4x5x1xi64>
  %hot = coat.elementwise equal %i, %keys : (tensor<1x4x5x1xi64>, tensor<3xi64>) -> tensor<1x4x5x3xi1>
  %p = coat.cast %hot : tensor<1x4x5x3xi1> to tensor<1x4x5x3xf32>
  %o = coat.matmul %p, %v : (tensor<1x4x5x3xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x5x8xf32>
  return %o : tensor<1x4x5x8xf32>
}
