// Pooling and interpolation: round trip and types.
// RUN: coat-opt %s | coat-opt | FileCheck %s
// RUN: coat-opt %s -mlir-print-op-generic | coat-opt | FileCheck %s

// CHECK-LABEL: @max
// CHECK: coat.pool max %{{.*}} {dilations = array<i64: 1, 1>, kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>}
func.func @max(%x: tensor<1x64x112x112xf32>) -> tensor<1x64x56x56xf32> {
  %0 = coat.pool max %x {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
      pads = array<i64: 1, 1, 1, 1>} : (tensor<1x64x112x112xf32>) -> tensor<1x64x56x56xf32>
  return %0 : tensor<1x64x56x56xf32>
}

// CHECK-LABEL: @max_with_indices
// CHECK: with_indices
func.func @max_with_indices(%x: tensor<1x4x8xf32>) -> tensor<1x4x4xi64> {
  %0, %1 = coat.pool max %x {kernel = array<i64: 2>, strides = array<i64: 2>, dilations = array<i64: 1>,
      pads = array<i64: 0, 0>, with_indices} : (tensor<1x4x8xf32>) -> (tensor<1x4x4xf32>, tensor<1x4x4xi64>)
  return %1 : tensor<1x4x4xi64>
}

// One more window covers the last element ..
// CHECK-LABEL: @ceil_mode
func.func @ceil_mode(%x: tensor<1x1x6x6xf32>) -> tensor<1x1x3x3xf32> {
  %0 = coat.pool average %x {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
      pads = array<i64: 0, 0, 0, 0>, ceil_mode} : (tensor<1x1x6x6xf32>) -> tensor<1x1x3x3xf32>
  return %0 : tensor<1x1x3x3xf32>
}

// .. unless it would start in the trailing pad (ONNX 19: 2 and not 3).
// CHECK-LABEL: @ceil_mode_dropped_window
func.func @ceil_mode_dropped_window(%x: tensor<1x1x4xf32>) -> tensor<1x1x2xf32> {
  %0 = coat.pool max %x {kernel = array<i64: 2>, strides = array<i64: 3>, dilations = array<i64: 1>,
      pads = array<i64: 1, 1>, ceil_mode} : (tensor<1x1x4xf32>) -> tensor<1x1x2xf32>
  return %0 : tensor<1x1x2xf32>
}

// A window that is larger than the input still counts as one.
// CHECK-LABEL: @ceil_mode_large_window
func.func @ceil_mode_large_window(%x: tensor<1x1x2xf32>) -> tensor<1x1x1xf32> {
  %0 = coat.pool max %x {kernel = array<i64: 3>, strides = array<i64: 2>, dilations = array<i64: 1>,
      pads = array<i64: 0, 0>, ceil_mode} : (tensor<1x1x2xf32>) -> tensor<1x1x1xf32>
  return %0 : tensor<1x1x1xf32>
}

// CHECK-LABEL: @lp_channels_last
func.func @lp_channels_last(%x: tensor<1x8x8x3xf32>) -> tensor<1x7x7x3xf32> {
  %0 = coat.pool lp %x {kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
      pads = array<i64: 0, 0, 0, 0>, p = 3, data_layout = #coat<layout channels_last>} : (tensor<1x8x8x3xf32>) -> tensor<1x7x7x3xf32>
  return %0 : tensor<1x7x7x3xf32>
}

// CHECK-LABEL: @global_pool
// CHECK: coat.global_pool average
func.func @global_pool(%x: tensor<?x512x7x7xf32>) -> tensor<?x512x1x1xf32> {
  %0 = coat.global_pool average %x : (tensor<?x512x7x7xf32>) -> tensor<?x512x1x1xf32>
  return %0 : tensor<?x512x1x1xf32>
}

// CHECK-LABEL: @global_pool_channels_last
func.func @global_pool_channels_last(%x: tensor<1x7x7x512xf32>) -> tensor<1x1x1x512xf32> {
  %0 = coat.global_pool max %x {data_layout = #coat<layout channels_last>} : (tensor<1x7x7x512xf32>) -> tensor<1x1x1x512xf32>
  return %0 : tensor<1x1x1x512xf32>
}

// CHECK-LABEL: @resize
// CHECK: coat.resize linear
func.func @resize(%x: tensor<1x8x7x7xf32>) -> tensor<1x8x14x14xf32> {
  %0 = coat.resize linear %x {scales = array<f64: 1.0, 1.0, 2.0, 2.0>, sizes = array<i64: 1, 8, 14, 14>,
      coordinate_mode = #coat<coordinate_mode half_pixel>} : (tensor<1x8x7x7xf32>) -> tensor<1x8x14x14xf32>
  return %0 : tensor<1x8x14x14xf32>
}

// CHECK-LABEL: @resize_by_scale
func.func @resize_by_scale(%x: tensor<?x8x7x7xf32>) -> tensor<?x8x10x10xf32> {
  %0 = coat.resize nearest %x {scales = array<f64: 1.0, 1.0, 1.5, 1.5>, sizes = array<i64: -1, -1, -1, -1>,
      coordinate_mode = #coat<coordinate_mode asymmetric>, nearest_mode = #coat<nearest_mode floor>}
    : (tensor<?x8x7x7xf32>) -> tensor<?x8x10x10xf32>
  return %0 : tensor<?x8x10x10xf32>
}
