// RUN: coat-opt -coat-recognize-norms %s | FileCheck %s

// CHECK-LABEL: func @layer_norm
// CHECK: %[[N:.*]] = coat.layer_norm %arg0 scale %{{.*}} bias %{{.*}} {axis = 2 : i64, epsilon = {{.*}}}
// CHECK: return %[[N]]
func.func @layer_norm(%x: tensor<1x3x4xf32>) -> tensor<1x3x4xf32> {
  %eps = arith.constant dense<1.0e-5> : tensor<f32>
  %two = arith.constant dense<2.0> : tensor<f32>
  %gamma = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %beta = arith.constant dense<[0.1, 0.2, 0.3, 0.4]> : tensor<4xf32>
  %0 = coat.reduce mean %x {axes = array<i64: 2>, keep_dims} : (tensor<1x3x4xf32>) -> tensor<1x3x1xf32>
  %1 = coat.elementwise sub %x, %0 : (tensor<1x3x4xf32>, tensor<1x3x1xf32>) -> tensor<1x3x4xf32>
  %2 = coat.elementwise pow %1, %two : (tensor<1x3x4xf32>, tensor<f32>) -> tensor<1x3x4xf32>
  %3 = coat.reduce mean %2 {axes = array<i64: 2>, keep_dims} : (tensor<1x3x4xf32>) -> tensor<1x3x1xf32>
  %4 = coat.elementwise add %3, %eps : (tensor<1x3x1xf32>, tensor<f32>) -> tensor<1x3x1xf32>
  %5 = coat.elementwise sqrt %4 : (tensor<1x3x1xf32>) -> tensor<1x3x1xf32>
  %6 = coat.elementwise div %1, %5 : (tensor<1x3x4xf32>, tensor<1x3x1xf32>) -> tensor<1x3x4xf32>
  %7 = coat.elementwise mul %6, %gamma : (tensor<1x3x4xf32>, tensor<4xf32>) -> tensor<1x3x4xf32>
  %8 = coat.elementwise add %7, %beta : (tensor<1x3x4xf32>, tensor<4xf32>) -> tensor<1x3x4xf32>
  return %8 : tensor<1x3x4xf32>
}

// As @layer_norm without the affine part, but over the middle dimension.
// CHECK-LABEL: func @middle_dimension
// CHECK-NOT: coat.layer_norm
// CHECK: return
func.func @middle_dimension(%x: tensor<1x3x4xf32>) -> tensor<1x3x4xf32> {
  %eps = arith.constant dense<1.0e-5> : tensor<f32>
  %0 = coat.reduce mean %x {axes = array<i64: 1>, keep_dims} : (tensor<1x3x4xf32>) -> tensor<1x1x4xf32>
  %1 = coat.elementwise sub %x, %0 : (tensor<1x3x4xf32>, tensor<1x1x4xf32>) -> tensor<1x3x4xf32>
  %2 = coat.elementwise mul %1, %1 : (tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %3 = coat.reduce mean %2 {axes = array<i64: 1>, keep_dims} : (tensor<1x3x4xf32>) -> tensor<1x1x4xf32>
  %4 = coat.elementwise add %3, %eps : (tensor<1x1x4xf32>, tensor<f32>) -> tensor<1x1x4xf32>
  %5 = coat.elementwise sqrt %4 : (tensor<1x1x4xf32>) -> tensor<1x1x4xf32>
  %6 = coat.elementwise div %1, %5 : (tensor<1x3x4xf32>, tensor<1x1x4xf32>) -> tensor<1x3x4xf32>
  return %6 : tensor<1x3x4xf32>
}

// CHECK-LABEL: func @rms_norm
// CHECK: coat.layer_norm %arg0 scale %{{.*}} {axis = 2 : i64, epsilon = {{.*}}, rms}
func.func @rms_norm(%x: tensor<1x3x4xf32>) -> tensor<1x3x4xf32> {
  %eps = arith.constant dense<1.0e-5> : tensor<f32>
  %two = arith.constant dense<2.0> : tensor<f32>
  %gamma = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %2 = coat.elementwise pow %x, %two : (tensor<1x3x4xf32>, tensor<f32>) -> tensor<1x3x4xf32>
  %3 = coat.reduce mean %2 {axes = array<i64: 2>, keep_dims} : (tensor<1x3x4xf32>) -> tensor<1x3x1xf32>
  %4 = coat.elementwise add %3, %eps : (tensor<1x3x1xf32>, tensor<f32>) -> tensor<1x3x1xf32>
  %5 = coat.elementwise sqrt %4 : (tensor<1x3x1xf32>) -> tensor<1x3x1xf32>
  %6 = coat.elementwise reciprocal %5 : (tensor<1x3x1xf32>) -> tensor<1x3x1xf32>
  %7 = coat.elementwise mul %x, %6 : (tensor<1x3x4xf32>, tensor<1x3x1xf32>) -> tensor<1x3x4xf32>
  %8 = coat.elementwise mul %7, %gamma : (tensor<1x3x4xf32>, tensor<4xf32>) -> tensor<1x3x4xf32>
  return %8 : tensor<1x3x4xf32>
}

// As @rms_norm without the scale, but the squares are of another value.
// CHECK-LABEL: func @other_squares
// CHECK-NOT: coat.layer_norm
// CHECK: return
func.func @other_squares(%x: tensor<1x3x4xf32>, %y: tensor<1x3x4xf32>) -> tensor<1x3x4xf32> {
  %eps = arith.constant dense<1.0e-5> : tensor<f32>
  %2 = coat.elementwise mul %y, %y : (tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %3 = coat.reduce mean %2 {axes = array<i64: 2>, keep_dims} : (tensor<1x3x4xf32>) -> tensor<1x3x1xf32>
  %4 = coat.elementwise add %3, %eps : (tensor<1x3x1xf32>, tensor<f32>) -> tensor<1x3x1xf32>
  %5 = coat.elementwise sqrt %4 : (tensor<1x3x1xf32>) -> tensor<1x3x1xf32>
  %7 = coat.elementwise div %x, %5 : (tensor<1x3x4xf32>, tensor<1x3x1xf32>) -> tensor<1x3x4xf32>
  return %7 : tensor<1x3x4xf32>
}

// PyTorch's group norm.
// CHECK-LABEL: func @group_norm
// CHECK-DAG: %[[B:.*]] = arith.constant dense<[5.000000e+00, 6.000000e+00, 7.000000e+00, 8.000000e+00]>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]>
// CHECK: %[[N:.*]] = coat.group_norm %arg0, %[[S]], %[[B]] {epsilon = {{.*}}, groups = 2 : i64}
// CHECK: return %[[N]]
func.func @group_norm(%x: tensor<1x4x2x2xf32>) -> tensor<1x4x2x2xf32> {
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %zero = arith.constant dense<0.0> : tensor<2xf32>
  %gamma = arith.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  %beta = arith.constant dense<[[[5.0]], [[6.0]], [[7.0]], [[8.0]]]> : tensor<4x1x1xf32>
  %0 = coat.reshape %x : tensor<1x4x2x2xf32> to tensor<1x2x8xf32>
  %1 = coat.group_norm %0, %one, %zero {groups = 2 : i64, epsilon = 1.0e-5 : f64} : (tensor<1x2x8xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x8xf32>
  %2 = coat.reshape %1 : tensor<1x2x8xf32> to tensor<1x4x2x2xf32>
  %3 = coat.elementwise mul %2, %gamma : (tensor<1x4x2x2xf32>, tensor<4x1x1xf32>) -> tensor<1x4x2x2xf32>
  %4 = coat.elementwise add %3, %beta : (tensor<1x4x2x2xf32>, tensor<4x1x1xf32>) -> tensor<1x4x2x2xf32>
  return %4 : tensor<1x4x2x2xf32>
}

// As @group_norm, but back to another shape.
// CHECK-LABEL: func @other_shape
// CHECK: coat.group_norm %{{.*}} -> tensor<1x2x8xf32>
func.func @other_shape(%x: tensor<1x4x2x2xf32>) -> tensor<1x4x4xf32> {
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %zero = arith.constant dense<0.0> : tensor<2xf32>
  %0 = coat.reshape %x : tensor<1x4x2x2xf32> to tensor<1x2x8xf32>
  %1 = coat.group_norm %0, %one, %zero {groups = 2 : i64, epsilon = 1.0e-5 : f64} : (tensor<1x2x8xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x8xf32>
  %2 = coat.reshape %1 : tensor<1x2x8xf32> to tensor<1x4x4xf32>
  return %2 : tensor<1x4x4xf32>
}

// CHECK-LABEL: func @softmax
// CHECK: coat.softmax %arg0 {axis = 1 : i64}
func.func @softmax(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %0 = coat.reduce max %x {axes = array<i64: 1>, keep_dims} : (tensor<3x4xf32>) -> tensor<3x1xf32>
  %1 = coat.elementwise sub %x, %0 : (tensor<3x4xf32>, tensor<3x1xf32>) -> tensor<3x4xf32>
  %2 = coat.elementwise exp %1 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %3 = coat.reduce sum %2 {axes = array<i64: 1>, keep_dims} : (tensor<3x4xf32>) -> tensor<3x1xf32>
  %4 = coat.elementwise div %2, %3 : (tensor<3x4xf32>, tensor<3x1xf32>) -> tensor<3x4xf32>
  return %4 : tensor<3x4xf32>
}

// The maximum is over another dimension.
// CHECK-LABEL: func @not_softmax
// CHECK-NOT: coat.softmax
// CHECK: return
func.func @not_softmax(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %0 = coat.reduce max %x {axes = array<i64: 0>, keep_dims} : (tensor<3x4xf32>) -> tensor<1x4xf32>
  %1 = coat.elementwise sub %x, %0 : (tensor<3x4xf32>, tensor<1x4xf32>) -> tensor<3x4xf32>
  %2 = coat.elementwise exp %1 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %3 = coat.reduce sum %2 {axes = array<i64: 1>, keep_dims} : (tensor<3x4xf32>) -> tensor<3x1xf32>
  %4 = coat.elementwise div %2, %3 : (tensor<3x4xf32>, tensor<3x1xf32>) -> tensor<3x4xf32>
  return %4 : tensor<3x4xf32>
}

// CHECK-LABEL: func @log_softmax
// CHECK: coat.softmax %arg0 {axis = 1 : i64, log}
func.func @log_softmax(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %0 = coat.softmax %x {axis = 1} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %1 = coat.elementwise log %0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %1 : tensor<3x4xf32>
}
