// Convolutions and the matrix product: round trip, types in every layout.
// RUN: coat-opt %s | coat-opt | FileCheck %s
// RUN: coat-opt %s -mlir-print-op-generic | coat-opt | FileCheck %s

// CHECK-LABEL: @conv
// CHECK: coat.conv %{{.*}}, %{{.*}} bias %{{.*}} {dilations = array<i64: 1, 1>, pads = array<i64: 3, 3, 3, 3>, strides = array<i64: 2, 2>} : (tensor<1x3x224x224xf32>, tensor<64x3x7x7xf32>, tensor<64xf32>) -> tensor<1x64x112x112xf32>
func.func @conv(%x: tensor<1x3x224x224xf32>, %w: tensor<64x3x7x7xf32>, %b: tensor<64xf32>) -> tensor<1x64x112x112xf32> {
  %0 = coat.conv %x, %w bias %b {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 3, 3, 3, 3>}
    : (tensor<1x3x224x224xf32>, tensor<64x3x7x7xf32>, tensor<64xf32>) -> tensor<1x64x112x112xf32>
  return %0 : tensor<1x64x112x112xf32>
}

// CHECK-LABEL: @conv_1d_depthwise
// CHECK: group = 8
func.func @conv_1d_depthwise(%x: tensor<2x8x50xf32>, %w: tensor<16x1x3xf32>) -> tensor<2x16x23xf32> {
  %0 = coat.conv %x, %w {strides = array<i64: 2>, dilations = array<i64: 3>, pads = array<i64: 0, 2>, group = 8}
    : (tensor<2x8x50xf32>, tensor<16x1x3xf32>) -> tensor<2x16x23xf32>
  return %0 : tensor<2x16x23xf32>
}

// CHECK-LABEL: @conv_3d
func.func @conv_3d(%x: tensor<1x3x8x16x16xf32>, %w: tensor<4x3x3x3x3xf32>) -> tensor<1x4x6x14x14xf32> {
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1, 1>, dilations = array<i64: 1, 1, 1>, pads = array<i64: 0, 0, 0, 0, 0, 0>}
    : (tensor<1x3x8x16x16xf32>, tensor<4x3x3x3x3xf32>) -> tensor<1x4x6x14x14xf32>
  return %0 : tensor<1x4x6x14x14xf32>
}

// CHECK-LABEL: @conv_channels_last_packed
// CHECK: data_layout = #coat<layout channels_last>
// CHECK-SAME: filter_layout = #coat<filter_layout packed>
// CHECK-SAME: out_channels = 20
func.func @conv_channels_last_packed(%x: tensor<1x9x9x6xf32>, %w: tensor<2x2x3x3x3x8xf32>, %b: tensor<20xf32>) -> tensor<1x7x7x20xf32> {
  %0 = coat.conv %x, %w bias %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      group = 2, out_channels = 20, data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>}
    : (tensor<1x9x9x6xf32>, tensor<2x2x3x3x3x8xf32>, tensor<20xf32>) -> tensor<1x7x7x20xf32>
  return %0 : tensor<1x7x7x20xf32>
}

// CHECK-LABEL: @conv_transpose
func.func @conv_transpose(%x: tensor<1x64x14x14xf32>, %w: tensor<64x32x2x2xf32>) -> tensor<1x32x28x28xf32> {
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      output_padding = array<i64: 0, 0>}
    : (tensor<1x64x14x14xf32>, tensor<64x32x2x2xf32>) -> tensor<1x32x28x28xf32>
  return %0 : tensor<1x32x28x28xf32>
}

// CHECK-LABEL: @conv_transpose_grouped
func.func @conv_transpose_grouped(%x: tensor<1x4x5xf32>, %w: tensor<4x3x3xf32>, %b: tensor<6xf32>) -> tensor<1x6x14xf32> {
  %0 = coat.conv_transpose %x, %w bias %b {strides = array<i64: 3>, dilations = array<i64: 2>, pads = array<i64: 1, 3>,
      output_padding = array<i64: 1>, group = 2}
    : (tensor<1x4x5xf32>, tensor<4x3x3xf32>, tensor<6xf32>) -> tensor<1x6x14xf32>
  return %0 : tensor<1x6x14xf32>
}

// CHECK-LABEL: @matmul
// CHECK: coat.matmul %{{.*}}, %{{.*}} bias %{{.*}} {transpose_rhs}
func.func @matmul(%x: tensor<?x197x192xf32>, %w: tensor<768x192xf32>, %b: tensor<768xf32>) -> tensor<?x197x768xf32> {
  %0 = coat.matmul %x, %w bias %b {transpose_rhs}
    : (tensor<?x197x192xf32>, tensor<768x192xf32>, tensor<768xf32>) -> tensor<?x197x768xf32>
  return %0 : tensor<?x197x768xf32>
}

// CHECK-LABEL: @matmul_batches
func.func @matmul_batches(%x: tensor<3x1x8x4xf32>, %y: tensor<5x8x6xf32>) -> tensor<3x5x4x6xf32> {
  %0 = coat.matmul %x, %y {transpose_lhs} : (tensor<3x1x8x4xf32>, tensor<5x8x6xf32>) -> tensor<3x5x4x6xf32>
  return %0 : tensor<3x5x4x6xf32>
}

// CHECK-LABEL: @matmul_packed
func.func @matmul_packed(%x: tensor<12544x64xf32>, %w: tensor<5x64x24xf32>) -> tensor<12544x100xf32> {
  %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>, out_channels = 100}
    : (tensor<12544x64xf32>, tensor<5x64x24xf32>) -> tensor<12544x100xf32>
  return %0 : tensor<12544x100xf32>
}
