// RUN: coat-opt -coat-keep-channels-last %s | FileCheck %s

// CHECK-LABEL: func @conv
// CHECK-NOT: coat.transpose
// CHECK: %[[C:.*]] = coat.conv %arg0, %arg1 {data_layout = #coat<layout channels_last>{{.*}} -> tensor<1x4x5x8xf32>
// CHECK-NOT: coat.transpose
// CHECK: return %[[C]]
func.func @conv(%x: tensor<1x4x5x3xf32>, %w: tensor<8x3x1x1xf32>) -> tensor<1x4x5x8xf32> {
  %0 = coat.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x4x5x3xf32>) -> tensor<1x3x4x5xf32>
  %1 = coat.conv %0, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x3x4x5xf32>, tensor<8x3x1x1xf32>) -> tensor<1x8x4x5xf32>
  %2 = coat.transpose %1 {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x8x4x5xf32>) -> tensor<1x4x5x8xf32>
  return %2 : tensor<1x4x5x8xf32>
}

// As @conv, but the transpose brings another dimension to the channels.
// CHECK-LABEL: func @other_order
// CHECK: coat.transpose
// CHECK-NOT: channels_last
func.func @other_order(%x: tensor<1x4x5x3xf32>, %w: tensor<8x3x1x1xf32>) -> tensor<1x8x5x4xf32> {
  %0 = coat.transpose %x {permutation = array<i64: 0, 3, 2, 1>} : (tensor<1x4x5x3xf32>) -> tensor<1x3x5x4xf32>
  %1 = coat.conv %0, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x3x5x4xf32>, tensor<8x3x1x1xf32>) -> tensor<1x8x5x4xf32>
  return %1 : tensor<1x8x5x4xf32>
}

// CHECK-LABEL: func @pool
// CHECK: coat.pool max %arg0 {data_layout = #coat<layout channels_last>
func.func @pool(%x: tensor<1x4x4x3xf32>) -> tensor<1x3x2x2xf32> {
  %0 = coat.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x4x4x3xf32>) -> tensor<1x3x4x4xf32>
  %1 = coat.pool max %0 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x3x4x4xf32>) -> tensor<1x3x2x2xf32>
  return %1 : tensor<1x3x2x2xf32>
}

// Indices count in channels-first order.
// CHECK-LABEL: func @pool_indices
// CHECK-NOT: channels_last
func.func @pool_indices(%x: tensor<1x4x4x3xf32>) -> (tensor<1x3x2x2xf32>, tensor<1x3x2x2xi64>) {
  %0 = coat.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x4x4x3xf32>) -> tensor<1x3x4x4xf32>
  %1:2 = coat.pool max %0 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, with_indices} : (tensor<1x3x4x4xf32>) -> (tensor<1x3x2x2xf32>, tensor<1x3x2x2xi64>)
  return %1#0, %1#1 : tensor<1x3x2x2xf32>, tensor<1x3x2x2xi64>
}

// A transpose of one channel is a reshape.
// CHECK-LABEL: func @one_channel
// CHECK: coat.pool max %arg0 {data_layout = #coat<layout channels_last>
func.func @one_channel(%x: tensor<1x4x4x1xf32>) -> tensor<1x1x2x2xf32> {
  %0 = coat.reshape %x : tensor<1x4x4x1xf32> to tensor<1x1x4x4xf32>
  %1 = coat.pool max %0 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x1x4x4xf32>) -> tensor<1x1x2x2xf32>
  return %1 : tensor<1x1x2x2xf32>
}

// As @one_channel, but the reshape cuts an image anew.
// CHECK-LABEL: func @cut_anew
// CHECK-NOT: channels_last
func.func @cut_anew(%x: tensor<1x2x8x1xf32>) -> tensor<1x1x2x2xf32> {
  %0 = coat.reshape %x : tensor<1x2x8x1xf32> to tensor<1x1x4x4xf32>
  %1 = coat.pool max %0 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x1x4x4xf32>) -> tensor<1x1x2x2xf32>
  return %1 : tensor<1x1x2x2xf32>
}
