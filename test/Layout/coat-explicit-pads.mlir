// RUN: coat-opt %s --coat-explicit-pads | FileCheck %s

// CHECK-LABEL: @conv
func.func @conv(%x: tensor<1x8x8x3xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<1x8x8x4xf32> {
  // CHECK: %[[P:.*]] = coat.pad constant %arg0 {high = array<i64: 0, 1, 1, 0>, low = array<i64: 0, 1, 1, 0>}
  // CHECK: coat.conv %[[P]], %arg1 {{.*}}pads = array<i64: 0, 0, 0, 0>
  %0 = coat.conv %x, %w {data_layout = #coat<layout channels_last>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x8x8x3xf32>, tensor<4x3x3x3xf32>) -> tensor<1x8x8x4xf32>
  return %0 : tensor<1x8x8x4xf32>
}

// A depthwise one remembers where zeros are.
// CHECK-LABEL: @depthwise
func.func @depthwise(%x: tensor<1x8x8x4xf32>, %w: tensor<4x1x3x3xf32>) -> tensor<1x8x8x4xf32> {
  // CHECK: coat.conv {{.*}}coat.zeros = array<i64: 1, 1, 1, 1>
  %0 = coat.conv %x, %w {data_layout = #coat<layout channels_last>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 4 : i64} : (tensor<1x8x8x4xf32>, tensor<4x1x3x3xf32>) -> tensor<1x8x8x4xf32>
  return %0 : tensor<1x8x8x4xf32>
}

// Nothing to pad.
// CHECK-LABEL: @no_pads
func.func @no_pads(%x: tensor<1x8x8x3xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<1x6x6x4xf32> {
  // CHECK-NOT: coat.pad
  %0 = coat.conv %x, %w {data_layout = #coat<layout channels_last>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x8x8x3xf32>, tensor<4x3x3x3xf32>) -> tensor<1x6x6x4xf32>
  return %0 : tensor<1x6x6x4xf32>
}

// With ceil_mode the last window overhangs by one.
// CHECK-LABEL: @ceil_mode
func.func @ceil_mode(%x: tensor<1x6x6x3xf32>) -> tensor<1x3x3x3xf32> {
  // CHECK: coat.pad constant %arg0 {high = array<i64: 0, 1, 1, 0>, low = array<i64: 0, 0, 0, 0>, value = 0xFFF0000000000000 : f64}
  // CHECK-NOT: ceil_mode
  %0 = coat.pool max %x {ceil_mode, data_layout = #coat<layout channels_last>, kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x6x6x3xf32>) -> tensor<1x3x3x3xf32>
  return %0 : tensor<1x3x3x3xf32>
}

// Windows of 2, 3 and 2 elements.
// CHECK-LABEL: @average
func.func @average(%x: tensor<1x3x3xf32>) -> tensor<1x3x3xf32> {
  // CHECK: dense<{{\[}}{{\[}}[5.000000e-01], [0.333333343], [5.000000e-01]]]>
  // CHECK: %[[S:.*]] = coat.pool sum
  // CHECK: coat.elementwise mul %[[S]]
  %0 = coat.pool average %x {data_layout = #coat<layout channels_last>, kernel = array<i64: 3>, strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 1, 1>} : (tensor<1x3x3xf32>) -> tensor<1x3x3xf32>
  return %0 : tensor<1x3x3xf32>
}
