// RUN: coat-opt %s --coat-order-filters | FileCheck %s

// CHECK-LABEL: func.func @ordered
// CHECK: %[[W:.*]] = arith.constant {{.*}} : tensor<2x2x1x2xf32>
// CHECK: %[[T:.*]] = coat.transpose %[[W]] {coat.prologue, permutation = array<i64: 0, 3, 1, 2>} : (tensor<2x2x1x2xf32>) -> tensor<2x2x2x1xf32>
// CHECK: coat.conv %{{.*}}, %[[T]]
func.func @ordered(%x: tensor<1x4x4x2xf32>) -> tensor<1x3x4x2xf32> {
  %w = arith.constant dense<[[[[1.0], [2.0]], [[3.0], [4.0]]], [[[5.0], [6.0]], [[7.0], [8.0]]]]> : tensor<2x2x2x1xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, data_layout = #coat<layout channels_last>}
    : (tensor<1x4x4x2xf32>, tensor<2x2x2x1xf32>) -> tensor<1x3x4x2xf32>
  return %0 : tensor<1x3x4x2xf32>
}

// One tap: there is nothing to order. A filter that the model computes stays as it is.
// CHECK-LABEL: func.func @left_alone
// CHECK-NOT: coat.transpose
func.func @left_alone(%x: tensor<1x4x4x2xf32>, %w: tensor<2x2x2x1xf32>) -> (tensor<1x4x4x2xf32>, tensor<1x3x4x2xf32>) {
  %one = arith.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32>
  %0 = coat.conv %x, %one {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, data_layout = #coat<layout channels_last>}
    : (tensor<1x4x4x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x4x4x2xf32>
  %1 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, data_layout = #coat<layout channels_last>}
    : (tensor<1x4x4x2xf32>, tensor<2x2x2x1xf32>) -> tensor<1x3x4x2xf32>
  return %0, %1 : tensor<1x4x4x2xf32>, tensor<1x3x4x2xf32>
}
