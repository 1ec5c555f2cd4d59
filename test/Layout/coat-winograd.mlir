// RUN: coat-opt %s --coat-winograd=cpu=x86-64-v3 --canonicalize | FileCheck %s

// Four rows and columns of a tile: the pad grows from 14 + 2 to 4 * 4 + 2. Weights of 256 x 256 x 36.
// CHECK-LABEL: @f4
// CHECK: coat.pad constant %arg0 {high = array<i64: 0, 3, 3, 0>, low = array<i64: 0, 1, 1, 0>{{.*}} -> tensor<1x18x18x256xf32>
// CHECK: coat.winograd_input {{.*}} {tile = 4 : i64} : tensor<1x18x18x256xf32> -> tensor<1x16x36x16x16xf32>
// CHECK: coat.winograd_conv {{.*}} bias %arg1 {out_channels = 256 : i64, output_size = array<i64: 14, 14>, tile = 4 : i64} : (tensor<1x16x36x16x16xf32>, tensor<16x36x256x16xf32>, tensor<256xf32>) -> tensor<1x14x14x256xf32>
func.func @f4(%x: tensor<1x14x14x256xf32>, %b: tensor<256xf32>) -> tensor<1x14x14x256xf32> {
  %w = arith.constant dense<1.0> : tensor<256x256x3x3xf32>
  %0 = coat.pad constant %x {low = array<i64: 0, 1, 1, 0>, high = array<i64: 0, 1, 1, 0>} : (tensor<1x14x14x256xf32>) -> tensor<1x16x16x256xf32>
  %1 = coat.conv %0, %w bias %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>} : (tensor<1x16x16x256xf32>, tensor<256x256x3x3xf32>, tensor<256xf32>) -> tensor<1x14x14x256xf32>
  return %1 : tensor<1x14x14x256xf32>
}

// Few pixels and many weights: reading 36/9 of them would take longer than 16/9.
// CHECK-LABEL: @f2
// CHECK: coat.winograd_input {{.*}} {tile = 2 : i64} : tensor<?x10x10x512xf32> -> tensor<?x32x16x16x16xf32>
func.func @f2(%x: tensor<?x9x9x512xf32>) -> tensor<?x7x7x512xf32> {
  %w = arith.constant dense<1.0> : tensor<512x512x3x3xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>} : (tensor<?x9x9x512xf32>, tensor<512x512x3x3xf32>) -> tensor<?x7x7x512xf32>
  return %0 : tensor<?x7x7x512xf32>
}

// No pad where tiles cover the result exactly.
// CHECK-LABEL: @exact
// CHECK-NOT: coat.pad
// CHECK: coat.winograd_input %arg0
func.func @exact(%x: tensor<1x58x58x64xf32>) -> tensor<1x56x56x64xf32> {
  %w = arith.constant dense<1.0> : tensor<64x64x3x3xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>} : (tensor<1x58x58x64xf32>, tensor<64x64x3x3xf32>) -> tensor<1x56x56x64xf32>
  return %0 : tensor<1x56x56x64xf32>
}

// With stride 2: nine inputs for four outputs; the last row and column are not read.
// CHECK-LABEL: @strided
// CHECK-NOT: coat.pad
// CHECK: coat.winograd_input %arg0 {stride = 2 : i64, tile = 4 : i64} : tensor<1x58x58x128xf32> -> tensor<1x8x81x49x16xf32>
// CHECK: coat.winograd_conv {{.*}} {out_channels = 128 : i64, output_size = array<i64: 28, 28>, stride = 2 : i64, tile = 4 : i64} : (tensor<1x8x81x49x16xf32>, tensor<8x81x128x16xf32>)
func.func @strided(%x: tensor<1x58x58x128xf32>) -> tensor<1x28x28x128xf32> {
  %w = arith.constant dense<1.0> : tensor<128x128x3x3xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>} : (tensor<1x58x58x128xf32>, tensor<128x128x3x3xf32>) -> tensor<1x28x28x128xf32>
  return %0 : tensor<1x28x28x128xf32>
}

// Few pixels: two outputs from five inputs, tiles of which cover the result exactly.
// CHECK-LABEL: @strided_f2
// CHECK: coat.winograd_input {{.*}} {stride = 2 : i64, tile = 2 : i64} : tensor<1x29x29x256xf32> -> tensor<1x16x25x49x16xf32>
func.func @strided_f2(%x: tensor<1x29x29x256xf32>) -> tensor<1x14x14x256xf32> {
  %w = arith.constant dense<1.0> : tensor<256x256x3x3xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>} : (tensor<1x29x29x256xf32>, tensor<256x256x3x3xf32>) -> tensor<1x14x14x256xf32>
  return %0 : tensor<1x14x14x256xf32>
}

// Five taps, two outputs at once.
// CHECK-LABEL: @five_taps
// CHECK: coat.winograd_input %arg0 {taps = 5 : i64, tile = 2 : i64} : tensor<1x32x32x64xf32> -> tensor<1x4x36x196x16xf32>
func.func @five_taps(%x: tensor<1x32x32x64xf32>) -> tensor<1x28x28x64xf32> {
  %w = arith.constant dense<1.0> : tensor<64x64x5x5xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>} : (tensor<1x32x32x64xf32>, tensor<64x64x5x5xf32>) -> tensor<1x28x28x64xf32>
  return %0 : tensor<1x28x28x64xf32>
}

// Few channels: two rows and columns count as channels of one, which leaves four taps of stride 1.
// CHECK-LABEL: @folded
// CHECK: %[[PAD:.*]] = coat.pad constant %arg0 {high = array<i64: 0, 3, 3, 0>, low = array<i64: 0, 3, 3, 0>{{.*}} -> tensor<?x230x230x3xf32>
// CHECK: %[[N:.*]] = tensor.dim
// CHECK: %[[FOLDED:.*]] = coat.reshape %[[PAD]] sizes %[[N]] : tensor<?x230x230x3xf32> to tensor<?x230x115x6xf32>
// CHECK: coat.winograd_input %[[FOLDED]] {fold = 2 : i64, stride = 2 : i64, taps = 7 : i64, tile = 4 : i64} : tensor<?x230x115x6xf32> -> tensor<?x1x49x784x16xf32>
// CHECK: coat.winograd_conv {{.*}} {fold = 2 : i64, out_channels = 64 : i64, output_size = array<i64: 112, 112>, stride = 2 : i64, taps = 7 : i64, tile = 4 : i64} : (tensor<?x1x49x784x16xf32>, tensor<4x49x12x16xf32>)
func.func @folded(%x: tensor<?x224x224x3xf32>) -> tensor<?x112x112x64xf32> {
  %w = arith.constant dense<1.0> : tensor<64x3x7x7xf32>
  %0 = coat.pad constant %x {low = array<i64: 0, 3, 3, 0>, high = array<i64: 0, 3, 3, 0>} : (tensor<?x224x224x3xf32>) -> tensor<?x230x230x3xf32>
  %1 = coat.conv %0, %w {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>} : (tensor<?x230x230x3xf32>, tensor<64x3x7x7xf32>) -> tensor<?x112x112x64xf32>
  return %1 : tensor<?x112x112x64xf32>
}

// CHECK-LABEL: @seven_taps
// CHECK: coat.conv
func.func @seven_taps(%x: tensor<1x34x34x64xf32>) -> tensor<1x28x28x64xf32> {
  %w = arith.constant dense<1.0> : tensor<64x64x7x7xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>} : (tensor<1x34x34x64xf32>, tensor<64x64x7x7xf32>) -> tensor<1x28x28x64xf32>
  return %0 : tensor<1x28x28x64xf32>
}

// CHECK-LABEL: @unequal_taps
// CHECK: coat.conv
func.func @unequal_taps(%x: tensor<1x58x56x64xf32>) -> tensor<1x56x56x64xf32> {
  %w = arith.constant dense<1.0> : tensor<64x64x3x1xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>} : (tensor<1x58x56x64xf32>, tensor<64x64x3x1xf32>) -> tensor<1x56x56x64xf32>
  return %0 : tensor<1x56x56x64xf32>
}

// Nine times the weights are too many.
// CHECK-LABEL: @strided_large
// CHECK: coat.winograd_input {{.*}} {stride = 2 : i64, tile = 2 : i64}
func.func @strided_large(%x: tensor<1x57x57x256xf32>) -> tensor<1x28x28x256xf32> {
  %w = arith.constant dense<1.0> : tensor<256x256x3x3xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>} : (tensor<1x57x57x256xf32>, tensor<256x256x3x3xf32>) -> tensor<1x28x28x256xf32>
  return %0 : tensor<1x28x28x256xf32>
}

// CHECK-LABEL: @unequal_strides
// CHECK: coat.conv
func.func @unequal_strides(%x: tensor<1x58x57x64xf32>) -> tensor<1x56x28x64xf32> {
  %w = arith.constant dense<1.0> : tensor<64x64x3x3xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 1, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>} : (tensor<1x58x57x64xf32>, tensor<64x64x3x3xf32>) -> tensor<1x56x28x64xf32>
  return %0 : tensor<1x56x28x64xf32>
}

// CHECK-LABEL: @dilated
// CHECK: coat.conv
func.func @dilated(%x: tensor<1x60x60x64xf32>) -> tensor<1x56x56x64xf32> {
  %w = arith.constant dense<1.0> : tensor<64x64x3x3xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>} : (tensor<1x60x60x64xf32>, tensor<64x64x3x3xf32>) -> tensor<1x56x56x64xf32>
  return %0 : tensor<1x56x56x64xf32>
}

// CHECK-LABEL: @grouped
// CHECK: coat.conv
func.func @grouped(%x: tensor<1x58x58x64xf32>) -> tensor<1x56x56x64xf32> {
  %w = arith.constant dense<1.0> : tensor<64x32x3x3xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 2 : i64,
      data_layout = #coat<layout channels_last>} : (tensor<1x58x58x64xf32>, tensor<64x32x3x3xf32>) -> tensor<1x56x56x64xf32>
  return %0 : tensor<1x56x56x64xf32>
}

// Three input channels: the transforms would outweigh what they save.
// CHECK-LABEL: @few_channels
// CHECK: coat.conv
func.func @few_channels(%x: tensor<1x58x58x3xf32>) -> tensor<1x56x56x64xf32> {
  %w = arith.constant dense<1.0> : tensor<64x3x3x3xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>} : (tensor<1x58x58x3xf32>, tensor<64x3x3x3xf32>) -> tensor<1x56x56x64xf32>
  return %0 : tensor<1x56x56x64xf32>
}

// Filters that are not constant.
// CHECK-LABEL: @not_constant
// CHECK: coat.conv
func.func @not_constant(%x: tensor<1x58x58x64xf32>, %w: tensor<64x64x3x3xf32>) -> tensor<1x56x56x64xf32> {
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>} : (tensor<1x58x58x64xf32>, tensor<64x64x3x3xf32>) -> tensor<1x56x56x64xf32>
  return %0 : tensor<1x56x56x64xf32>
}

// Symbolic planes.
// CHECK-LABEL: @symbolic_plane
// CHECK: coat.conv
func.func @symbolic_plane(%x: tensor<1x?x58x64xf32>) -> tensor<1x?x56x64xf32> {
  %w = arith.constant dense<1.0> : tensor<64x64x3x3xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>} : (tensor<1x?x58x64xf32>, tensor<64x64x3x3xf32>) -> tensor<1x?x56x64xf32>
  return %0 : tensor<1x?x56x64xf32>
}
