// RUN: coat-opt %s --coat-assign-schedules=cpu=x86-64-v3 --split-input-file | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: coat-opt %s --coat-assign-schedules=cpu=x86-64-v4 --split-input-file | FileCheck %s --check-prefixes=CHECK,AVX512
// RUN: coat-opt %s --coat-assign-schedules=cpu=x86-64-v2 --split-input-file | FileCheck %s --check-prefixes=CHECK,SSE

// Many channels: cut along both, the weights change slowest.
// CHECK-LABEL: @conv
// AVX2: schedule<"direct", tile = [1, 4, 0, 16], reg = [1, 1, 6, 16], order = [3, 0, 1, 2], vector = 8>
// AVX512: reg = [1, 1, 10, 32]{{.*}} vector = 16>
// SSE: reg = [1, 1, 2, 16]{{.*}} vector = 4>
func.func @conv(%x: tensor<1x30x30x128xf32>, %w: tensor<1x8x3x3x128x16xf32>) -> tensor<1x28x28x128xf32> {
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 128 : i64}
      : (tensor<1x30x30x128xf32>, tensor<1x8x3x3x128x16xf32>) -> tensor<1x28x28x128xf32>
  return %0 : tensor<1x28x28x128xf32>
}

// -----

// Too little work to be cut.
// CHECK-LABEL: @small
// CHECK: schedule<"direct", tile = [1, 0, 0, 0]
func.func @small(%x: tensor<1x8x8x4xf32>, %w: tensor<1x1x3x3x4x16xf32>) -> tensor<1x6x6x16xf32> {
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 16 : i64}
      : (tensor<1x8x8x4xf32>, tensor<1x1x3x3x4x16xf32>) -> tensor<1x6x6x16xf32>
  return %0 : tensor<1x6x6x16xf32>
}

// -----

// Groups are not cut.
// CHECK-LABEL: @grouped
// CHECK: schedule<"direct", tile = [1, {{[0-9]+}}, 0, 0]
func.func @grouped(%x: tensor<1x30x30x128xf32>, %w: tensor<4x2x3x3x32x16xf32>) -> tensor<1x28x28x128xf32> {
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 4 : i64,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 128 : i64}
      : (tensor<1x30x30x128xf32>, tensor<4x2x3x3x32x16xf32>) -> tensor<1x28x28x128xf32>
  return %0 : tensor<1x28x28x128xf32>
}

// -----

// One row: wide register tiles, and tasks although it is little work, for the weights have to be read.
// CHECK-LABEL: @one_row
// AVX2: schedule<"gemm", tile = [0, 128], reg = [1, 64]
func.func @one_row(%x: tensor<1x512xf32>, %w: tensor<64x512x16xf32>) -> tensor<1x1024xf32> {
  %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>, out_channels = 1024 : i64}
      : (tensor<1x512xf32>, tensor<64x512x16xf32>) -> tensor<1x1024xf32>
  return %0 : tensor<1x1024xf32>
}

// -----

// 197 rows have no equal parts, so they stay together.
// CHECK-LABEL: @prime_rows
// AVX2: schedule<"gemm", tile = [0, {{[1-9][0-9]*}}]
func.func @prime_rows(%x: tensor<197x3072xf32>, %w: tensor<48x3072x16xf32>) -> tensor<197x768xf32> {
  %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>, out_channels = 768 : i64}
      : (tensor<197x3072xf32>, tensor<48x3072x16xf32>) -> tensor<197x768xf32>
  return %0 : tensor<197x768xf32>
}

// -----

// The normalized dimension stays whole.
// CHECK-LABEL: @softmax
// CHECK: schedule<"rows", tile = [1, {{[0-9]+}}, 0], vector
func.func @softmax(%x: tensor<12x512x512xf32>) -> tensor<12x512x512xf32> {
  %0 = coat.softmax %x {axis = 2 : i64} : (tensor<12x512x512xf32>) -> tensor<12x512x512xf32>
  return %0 : tensor<12x512x512xf32>
}

// -----

// More tiles than channels: rows of tiles are tasks, whose input transform has no kernel of its own.
// CHECK-LABEL: @winograd_large_plane
// AVX2: coat.winograd_input %arg0 {tile = 4 : i64}
// AVX2: schedule<"winograd", tile = [1, 4, 0, 0], reg = [1, 1, 6, 16], vector = 8>
func.func @winograd_large_plane(%x: tensor<1x58x58x64xf32>, %u: tensor<4x36x64x16xf32>) -> tensor<1x56x56x64xf32> {
  %0 = coat.winograd_input %x {tile = 4 : i64} : tensor<1x58x58x64xf32> -> tensor<1x4x36x196x16xf32>
  %1 = coat.winograd_conv %0, %u {tile = 4 : i64, output_size = array<i64: 56, 56>, out_channels = 64 : i64}
    : (tensor<1x4x36x196x16xf32>, tensor<4x36x64x16xf32>) -> tensor<1x56x56x64xf32>
  return %1 : tensor<1x56x56x64xf32>
}

// -----

// More channels than tiles: channels are tasks, after a kernel that transforms the input for all of them.
// CHECK-LABEL: @winograd_small_plane
// AVX2: coat.winograd_input {{.*}}schedule<"winograd", tile = [0, 8, 0, 0, 0]
// AVX2: schedule<"winograd", tile = [1, 0, 0, 32], reg = [1, 1, 6, 16], order = [3, 0, 1, 2], vector = 8>
func.func @winograd_small_plane(%x: tensor<1x18x18x256xf32>, %u: tensor<16x36x256x16xf32>) -> tensor<1x14x14x256xf32> {
  %0 = coat.winograd_input %x {tile = 4 : i64} : tensor<1x18x18x256xf32> -> tensor<1x16x36x16x16xf32>
  %1 = coat.winograd_conv %0, %u {tile = 4 : i64, output_size = array<i64: 14, 14>, out_channels = 256 : i64}
    : (tensor<1x16x36x16x16xf32>, tensor<16x36x256x16xf32>) -> tensor<1x14x14x256xf32>
  return %1 : tensor<1x14x14x256xf32>
}

// -----

// 9 rows of tiles over 35 rows of results: tasks of rows would differ, so channels are cut.
// CHECK-LABEL: @winograd_uneven
// AVX2: schedule<"winograd", tile = [1, 0, 0, 16]
func.func @winograd_uneven(%x: tensor<1x38x38x64xf32>, %u: tensor<4x36x64x16xf32>) -> tensor<1x35x35x64xf32> {
  %0 = coat.winograd_input %x {tile = 4 : i64} : tensor<1x38x38x64xf32> -> tensor<1x4x36x81x16xf32>
  %1 = coat.winograd_conv %0, %u {tile = 4 : i64, output_size = array<i64: 35, 35>, out_channels = 64 : i64}
    : (tensor<1x4x36x81x16xf32>, tensor<4x36x64x16xf32>) -> tensor<1x35x35x64xf32>
  return %1 : tensor<1x35x35x64xf32>
}

// -----

// 49 rows stay together: cut in two, all 4 MB of weights would be read twice.
// CHECK-LABEL: @few_rows
// AVX2: schedule<"gemm", tile = [0, 32]
func.func @few_rows(%x: tensor<49x2048xf32>, %w: tensor<32x2048x16xf32>) -> tensor<49x512xf32> {
  %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>, out_channels = 512 : i64}
      : (tensor<49x2048xf32>, tensor<32x2048x16xf32>) -> tensor<49x512xf32>
  return %0 : tensor<49x512xf32>
}

// -----

// A 1x1 window of stride 2 reads a quarter of the input, so rows need not be cut for the cache.
// CHECK-LABEL: @strided_pointwise
// AVX2: schedule<"direct", tile = [1, 0, 0, 32]
func.func @strided_pointwise(%x: tensor<1x14x14x1024xf32>, %w: tensor<1x128x1x1x1024x16xf32>) -> tensor<1x7x7x2048xf32> {
  %0 = coat.conv %x, %w {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 2048 : i64}
      : (tensor<1x14x14x1024xf32>, tensor<1x128x1x1x1024x16xf32>) -> tensor<1x7x7x2048xf32>
  return %0 : tensor<1x7x7x2048xf32>
}

// -----

// A transposed convolution that is computed by plain loops: channels are cut into equal parts only.
// CHECK-LABEL: @transposed
// AVX2: schedule<"loops", tile = [0, 1, 0, 0, 0]
func.func @transposed(%x: tensor<1x1x5x7x8xf32>, %w: tensor<1x9x4x4x3xf32>) -> tensor<1x9x8x19x28xf32> {
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 1, 2, 3>, dilations = array<i64: 1, 2, 2>, pads = array<i64: 0, 0, 0, 0, 0, 0>,
      output_padding = array<i64: 0, 0, 2>} : (tensor<1x1x5x7x8xf32>, tensor<1x9x4x4x3xf32>) -> tensor<1x9x8x19x28xf32>
  return %0 : tensor<1x9x8x19x28xf32>
}

// -----

// Depthwise with a stride: four rows of one column at a time, so that a large image is read in the order it lies in memory.
// CHECK-LABEL: @depthwise_stride
// AVX2: schedule<"depthwise", tile = [1, {{[0-9]+}}, 0, 0], reg = [1, 4, 1, 16], vector = 8>
// AVX512: reg = [1, 4, 1, 16]{{.*}} vector = 16>
func.func @depthwise_stride(%x: tensor<1x114x114x96xf32>, %w: tensor<1x6x3x3x1x16xf32>) -> tensor<1x56x56x96xf32> {
  %0 = coat.conv %x, %w {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 96 : i64,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 96 : i64}
      : (tensor<1x114x114x96xf32>, tensor<1x6x3x3x1x16xf32>) -> tensor<1x56x56x96xf32>
  return %0 : tensor<1x56x56x96xf32>
}

// -----

// A narrow plane: whole rows, one at a time, which leave out the border.
// CHECK-LABEL: @depthwise_narrow
// CHECK: reg = [1, 1, 7, 16]
func.func @depthwise_narrow(%x: tensor<1x16x16x96xf32>, %w: tensor<1x6x3x3x1x16xf32>) -> tensor<1x7x7x96xf32> {
  %0 = coat.conv %x, %w {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 96 : i64,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 96 : i64}
      : (tensor<1x16x16x96xf32>, tensor<1x6x3x3x1x16xf32>) -> tensor<1x7x7x96xf32>
  return %0 : tensor<1x7x7x96xf32>
}
