// Inference with symbolic dimensions, and the IR that their sizes become (reifyResultShapes).
// RUN: coat-opt %s -resolve-ranked-shaped-type-result-dims -canonicalize -cse | FileCheck %s

// CHECK-DAG: #[[CONV:.*]] = affine_map<()[s0] -> ((s0 - 1) floordiv 2 + 1)>
// CHECK-DAG: #[[TRANSPOSED:.*]] = affine_map<()[s0] -> (s0 * 2)>
// CHECK-DAG: #[[POOL:.*]] = affine_map<()[s0] -> ((s0 - 1) ceildiv 3 + 1, s0 floordiv 3 + 1)>

// (H + 1 + 1 - 1 * (3 - 1) - 1) / 2 + 1
// CHECK-LABEL: @conv
// CHECK-SAME: (%[[X:.*]]: tensor<?x3x?x32xf32>
// CHECK-DAG: %[[N:.*]] = tensor.dim %[[X]], %c0
// CHECK-DAG: %[[H:.*]] = tensor.dim %[[X]], %c2
// CHECK-DAG: %[[OH:.*]] = affine.apply #[[CONV]]()[%[[H]]]
// CHECK: return %[[N]], %[[OH]]
func.func @conv(%x: tensor<?x3x?x32xf32>, %w: tensor<8x3x3x3xf32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %0 = coat.conv %x, %w {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<?x3x?x32xf32>, tensor<8x3x3x3xf32>) -> tensor<?x8x?x16xf32>
  %n = tensor.dim %0, %c0 : tensor<?x8x?x16xf32>
  %h = tensor.dim %0, %c2 : tensor<?x8x?x16xf32>
  return %n, %h : index, index
}

// CHECK-LABEL: @conv_channels_last_packed
// CHECK-SAME: (%[[X:.*]]: tensor<1x?x?x3xf32>
// CHECK-DAG: %[[W:.*]] = tensor.dim %[[X]], %c2
// CHECK-DAG: %[[OW:.*]] = affine.apply #{{.*}}()[%[[W]]]
// CHECK: return %[[OW]]
func.func @conv_channels_last_packed(%x: tensor<1x?x?x3xf32>, %w: tensor<1x1x3x3x3x8xf32>) -> index {
  %c2 = arith.constant 2 : index
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 6}
    : (tensor<1x?x?x3xf32>, tensor<1x1x3x3x3x8xf32>) -> tensor<1x?x?x6xf32>
  %w0 = tensor.dim %0, %c2 : tensor<1x?x?x6xf32>
  return %w0 : index
}

// CHECK-LABEL: @conv_transpose
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x?xf32>
// CHECK: %[[L:.*]] = tensor.dim %[[X]], %c2
// CHECK: %[[OL:.*]] = affine.apply #[[TRANSPOSED]]()[%[[L]]]
// CHECK: return %[[OL]]
func.func @conv_transpose(%x: tensor<1x4x?xf32>, %w: tensor<4x2x2xf32>) -> index {
  %c2 = arith.constant 2 : index
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 0, 0>,
      output_padding = array<i64: 0>} : (tensor<1x4x?xf32>, tensor<4x2x2xf32>) -> tensor<1x2x?xf32>
  %l = tensor.dim %0, %c2 : tensor<1x2x?xf32>
  return %l : index
}

// CHECK-LABEL: @matmul
// CHECK-SAME: (%[[X:.*]]: tensor<1x?x4xf32>, %[[Y:.*]]: tensor<?x?x4xf32>)
// CHECK-DAG: %[[B:.*]] = tensor.dim %[[Y]], %c0
// CHECK-DAG: %[[M:.*]] = tensor.dim %[[X]], %c1
// CHECK-DAG: %[[N:.*]] = tensor.dim %[[Y]], %c1
// CHECK: return %[[B]], %[[M]], %[[N]]
func.func @matmul(%x: tensor<1x?x4xf32>, %y: tensor<?x?x4xf32>) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %0 = coat.matmul %x, %y {transpose_rhs} : (tensor<1x?x4xf32>, tensor<?x?x4xf32>) -> tensor<?x?x?xf32>
  %b = tensor.dim %0, %c0 : tensor<?x?x?xf32>
  %m = tensor.dim %0, %c1 : tensor<?x?x?xf32>
  %n = tensor.dim %0, %c2 : tensor<?x?x?xf32>
  return %b, %m, %n : index, index, index
}

// The last window must start inside the input or its leading pad.
// CHECK-LABEL: @pool_ceil_mode
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x?xf32>)
// CHECK: %[[L:.*]] = tensor.dim %[[X]], %c2
// CHECK: %[[OL:.*]] = affine.min #[[POOL]]()[%[[L]]]
// CHECK: return %[[OL]]
func.func @pool_ceil_mode(%x: tensor<1x4x?xf32>) -> index {
  %c2 = arith.constant 2 : index
  %0:2 = coat.pool max %x {kernel = array<i64: 2>, strides = array<i64: 3>, dilations = array<i64: 1>,
      pads = array<i64: 1, 0>, ceil_mode, with_indices} : (tensor<1x4x?xf32>) -> (tensor<1x4x?xf32>, tensor<1x4x?xi64>)
  %l = tensor.dim %0#1, %c2 : tensor<1x4x?xi64>
  return %l : index
}

// CHECK-LABEL: @resize
// CHECK: affine.apply
// CHECK: arith.mulf %{{.*}}, %cst : f64
func.func @resize(%x: tensor<?x?xf32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = coat.resize nearest %x {scales = array<f64: 2.0, 1.5>, sizes = array<i64: -1, -1>,
      coordinate_mode = #coat<coordinate_mode asymmetric>} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %a = tensor.dim %0, %c0 : tensor<?x?xf32>
  %b = tensor.dim %0, %c1 : tensor<?x?xf32>
  return %a, %b : index, index
}

// The present keys are the past ones and the new ones.
// CHECK-LABEL: @attention
// CHECK-SAME: (%[[Q:.*]]: tensor<1x4x?x8xf32>, %[[P:.*]]: tensor<1x4x?x8xf32>)
// CHECK-DAG: %[[NEW:.*]] = tensor.dim %[[Q]], %c2
// CHECK-DAG: %[[OLD:.*]] = tensor.dim %[[P]], %c2
// CHECK-DAG: %[[T:.*]] = affine.apply #{{.*}}()[%[[OLD]], %[[NEW]]]
// CHECK: return %[[NEW]], %[[T]]
func.func @attention(%q: tensor<1x4x?x8xf32>, %p: tensor<1x4x?x8xf32>) -> (index, index) {
  %c2 = arith.constant 2 : index
  %0:3 = coat.attention %q, %q, %q past %p, %p {scale = 1.0, with_present}
    : (tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>)
    -> (tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>)
  %s = tensor.dim %0#0, %c2 : tensor<1x4x?x8xf32>
  %t = tensor.dim %0#2, %c2 : tensor<1x4x?x8xf32>
  return %s, %t : index, index
}

// `?` with 1 is `?`, `?` with 8 is 8.
// CHECK-LABEL: @elementwise
// CHECK-SAME: (%[[X:.*]]: tensor<1x?xf32>, %[[Y:.*]]: tensor<?x1x8xf32>)
// CHECK: %[[N:.*]] = tensor.dim %[[Y]], %c0
// CHECK: return %[[N]]
func.func @elementwise(%x: tensor<1x?xf32>, %y: tensor<?x1x8xf32>) -> index {
  %c0 = arith.constant 0 : index
  %0 = coat.elementwise add %x, %y : (tensor<1x?xf32>, tensor<?x1x8xf32>) -> tensor<?x1x8xf32>
  %n = tensor.dim %0, %c0 : tensor<?x1x8xf32>
  return %n : index
}

// Ops that keep the sizes of their input are looked through.
// CHECK-LABEL: @chain
// CHECK-SAME: (%[[X:.*]]: tensor<?x8x4x4xf32>
// CHECK: %[[N:.*]] = tensor.dim %[[X]], %c0
// CHECK-NEXT: return %[[N]]
func.func @chain(%x: tensor<?x8x4x4xf32>, %c: tensor<8xf32>) -> index {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %0 = coat.batch_norm %x, %c, %c, %c, %c {epsilon = 1.0e-5}
    : (tensor<?x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<?x8x4x4xf32>
  %1 = coat.group_norm %0, %c, %c {groups = 2, epsilon = 1.0e-5} : (tensor<?x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<?x8x4x4xf32>
  %2 = coat.lrn %1 {size = 3, alpha = 1.0, beta = 1.0, k = 1.0} : (tensor<?x8x4x4xf32>) -> tensor<?x8x4x4xf32>
  %3 = coat.layer_norm %2 {axis = 3, epsilon = 1.0e-5} : (tensor<?x8x4x4xf32>) -> tensor<?x8x4x4xf32>
  %4 = coat.softmax %3 {axis = 1} : (tensor<?x8x4x4xf32>) -> tensor<?x8x4x4xf32>
  %5 = coat.cast %4 : tensor<?x8x4x4xf32> to tensor<?x8x4x4xf16>
  %6 = coat.global_pool max %5 : (tensor<?x8x4x4xf16>) -> tensor<?x8x1x1xf16>
  %7 = coat.reduce sum %6 {axes = array<i64: 1>} : (tensor<?x8x1x1xf16>) -> tensor<?x1x1xf16>
  %8 = coat.arg_reduce max %7 {axis = 1, keep_dims} : (tensor<?x1x1xf16>) -> tensor<?x1x1xi64>
  %9 = coat.transpose %8 {permutation = array<i64: 1, 2, 0>} : (tensor<?x1x1xi64>) -> tensor<1x1x?xi64>
  %10 = coat.gather %c, %9 {axis = 0} : (tensor<8xf32>, tensor<1x1x?xi64>) -> tensor<1x1x?xf32>
  %11 = coat.transpose %10 {permutation = array<i64: 2, 0, 1>} : (tensor<1x1x?xf32>) -> tensor<?x1x1xf32>
  %n = tensor.dim %11, %c0 : tensor<?x1x1xf32>
  return %n : index
}

// CHECK-LABEL: @movement
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>, %[[N:.*]]: index)
// CHECK: %[[D:.*]] = tensor.dim %[[X]], %c0
// CHECK: %[[P:.*]] = affine.apply #{{.*}}()[%[[D]]]
// CHECK: return %[[P]], %[[N]], %[[N]]
func.func @movement(%x: tensor<?x4xf32>, %n: index) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = coat.pad constant %x {low = array<i64: 1, 0>, high = array<i64: 2, 0>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = coat.reshape %x sizes %n : tensor<?x4xf32> to tensor<2x?xf32>
  %2 = coat.broadcast %1 sizes %n : tensor<2x?xf32> to tensor<3x2x?xf32>
  %c2 = arith.constant 2 : index
  %a = tensor.dim %0, %c0 : tensor<?x4xf32>
  %b = tensor.dim %1, %c1 : tensor<2x?xf32>
  %c = tensor.dim %2, %c2 : tensor<3x2x?xf32>
  return %a, %b, %c : index, index, index
}
