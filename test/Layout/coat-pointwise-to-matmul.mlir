// RUN: coat-opt %s --coat-pointwise-to-matmul | FileCheck %s

// The element-wise op moves in front of the reshape, so that it still fuses.
// CHECK-LABEL: @pointwise
func.func @pointwise(%x: tensor<1x8x8x3xf32>, %r: tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32> {
  // CHECK: %[[A:.*]] = coat.reshape %arg0 : tensor<1x8x8x3xf32> to tensor<64x3xf32>
  // CHECK: %[[M:.*]] = coat.matmul %[[A]], %{{.*}} {transpose_rhs}
  // CHECK: %[[B:.*]] = coat.reshape %arg1 : tensor<1x8x8x4xf32> to tensor<64x4xf32>
  // CHECK: %[[E:.*]] = coat.elementwise add %[[M]], %[[B]]
  // CHECK: coat.reshape %[[E]]
  %w = arith.constant dense<1.0> : tensor<4x3x1x1xf32>
  %0 = coat.conv %x, %w {data_layout = #coat<layout channels_last>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x8x8x3xf32>, tensor<4x3x1x1xf32>) -> tensor<1x8x8x4xf32>
  %1 = coat.elementwise add %0, %r : (tensor<1x8x8x4xf32>, tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32>
  return %1 : tensor<1x8x8x4xf32>
}

// CHECK-LABEL: @strided
func.func @strided(%x: tensor<1x8x8x3xf32>) -> tensor<1x4x4x4xf32> {
  // CHECK-NOT: coat.matmul
  %w = arith.constant dense<1.0> : tensor<4x3x1x1xf32>
  %0 = coat.conv %x, %w {data_layout = #coat<layout channels_last>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x8x8x3xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x4x4xf32>
  return %0 : tensor<1x4x4x4xf32>
}

// A convolution can write into the padded buffer.
// CHECK-LABEL: @padded_next
func.func @padded_next(%x: tensor<1x16x16x3xf32>) -> tensor<1x18x18x4xf32> {
  // CHECK-NOT: coat.matmul
  %w = arith.constant dense<1.0> : tensor<4x3x1x1xf32>
  %0 = coat.conv %x, %w {data_layout = #coat<layout channels_last>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x16x16x3xf32>, tensor<4x3x1x1xf32>) -> tensor<1x16x16x4xf32>
  %1 = coat.pad constant %0 {low = array<i64: 0, 1, 1, 0>, high = array<i64: 0, 1, 1, 0>} : (tensor<1x16x16x4xf32>) -> tensor<1x18x18x4xf32>
  return %1 : tensor<1x18x18x4xf32>
}
