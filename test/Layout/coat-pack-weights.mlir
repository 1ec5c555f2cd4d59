// RUN: coat-opt %s --coat-pack-weights | FileCheck %s

// Element [n, k] lands at [n / 16, k, n mod 16]; the rest is zero.
// CHECK-LABEL: @matmul
func.func @matmul(%x: tensor<5x2xf32>) -> tensor<5x3xf32> {
  // CHECK: coat.matmul %arg0, %{{.*}} {filter_layout = #coat<filter_layout packed>, out_channels = 3 : i64} : (tensor<5x2xf32>, tensor<1x2x16xf32>)
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %0 = coat.matmul %x, %w {transpose_rhs} : (tensor<5x2xf32>, tensor<3x2xf32>) -> tensor<5x3xf32>
  return %0 : tensor<5x3xf32>
}

// CHECK-LABEL: @grouped
func.func @grouped(%x: tensor<1x8x8x4xf32>) -> tensor<1x8x8x6xf32> {
  // CHECK: coat.conv %arg0, %{{.*}}filter_layout = #coat<filter_layout packed>{{.*}}tensor<2x1x1x1x2x16xf32>
  %w = arith.constant dense<1.0> : tensor<6x2x1x1xf32>
  %0 = coat.conv %x, %w {group = 2 : i64, data_layout = #coat<layout channels_last>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x8x8x4xf32>, tensor<6x2x1x1xf32>) -> tensor<1x8x8x6xf32>
  return %0 : tensor<1x8x8x6xf32>
}

// CHECK-LABEL: @depthwise
func.func @depthwise(%x: tensor<1x8x8x20xf32>) -> tensor<1x6x6x20xf32> {
  // CHECK: tensor<1x2x3x3x1x16xf32>
  %w = arith.constant dense<1.0> : tensor<20x1x3x3xf32>
  %0 = coat.conv %x, %w {group = 20 : i64, data_layout = #coat<layout channels_last>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x8x8x20xf32>, tensor<20x1x3x3xf32>) -> tensor<1x6x6x20xf32>
  return %0 : tensor<1x6x6x20xf32>
}

// Weights that are not constant stay plain.
// CHECK-LABEL: @not_constant
func.func @not_constant(%x: tensor<5x2xf32>, %w: tensor<3x2xf32>) -> tensor<5x3xf32> {
  // CHECK: coat.matmul %arg0, %arg1 {transpose_rhs}
  %0 = coat.matmul %x, %w {transpose_rhs} : (tensor<5x2xf32>, tensor<3x2xf32>) -> tensor<5x3xf32>
  return %0 : tensor<5x3xf32>
}

// The microkernels read f32.
// CHECK-LABEL: @double
func.func @double(%x: tensor<5x2xf64>) -> tensor<5x3xf64> {
  // CHECK: coat.matmul %arg0, %{{.*}} {transpose_rhs}
  %w = arith.constant dense<1.0> : tensor<3x2xf64>
  %0 = coat.matmul %x, %w {transpose_rhs} : (tensor<5x2xf64>, tensor<3x2xf64>) -> tensor<5x3xf64>
  return %0 : tensor<5x3xf64>
}
