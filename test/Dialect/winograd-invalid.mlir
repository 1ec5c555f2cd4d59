// What the verifiers of Winograd's convolution refuse, a function a constraint.
// RUN: coat-opt %s -split-input-file -verify-diagnostics

func.func @winograd_input_c1(%x: tensor<1x?x18x32xf32>) {
  // expected-error@+1 {{expected an f32 input [N, H, W, C] whose H, W and C are numbers, got 'tensor<1x?x18x32xf32>'}}
  %0 = coat.winograd_input %x {tile = 4 : i64} : tensor<1x?x18x32xf32> -> tensor<1x2x36x16x16xf32>
  return
}

// -----

func.func @winograd_input_c1_type(%x: tensor<1x18x18x32xf16>) {
  // expected-error@+1 {{expected an f32 input [N, H, W, C] whose H, W and C are numbers, got 'tensor<1x18x18x32xf16>'}}
  %0 = coat.winograd_input %x {tile = 4 : i64} : tensor<1x18x18x32xf16> -> tensor<1x2x36x16x16xf16>
  return
}

// -----

func.func @winograd_input_c2(%x: tensor<1x18x18x32xf32>) {
  // expected-error@+1 {{expected a tile of 2 or 4, got 3}}
  %0 = coat.winograd_input %x {tile = 3 : i64} : tensor<1x18x18x32xf32> -> tensor<1x2x36x16x16xf32>
  return
}

// -----

func.func @winograd_input_c2_stride(%x: tensor<1x18x18x32xf32>) {
  // expected-error@+1 {{expected a stride of 1 or 2, got 3}}
  %0 = coat.winograd_input %x {tile = 4 : i64, stride = 3 : i64} : tensor<1x18x18x32xf32> -> tensor<1x2x36x16x16xf32>
  return
}

// -----

func.func @winograd_input_c3(%x: tensor<1x18x5x32xf32>) {
  // expected-error@+1 {{expected at least 6 rows and columns, got 'tensor<1x18x5x32xf32>'}}
  %0 = coat.winograd_input %x {tile = 4 : i64} : tensor<1x18x5x32xf32> -> tensor<1x2x36x16x16xf32>
  return
}

// -----

func.func @winograd_input_c3_stride(%x: tensor<1x8x9x32xf32>) {
  // expected-error@+1 {{expected at least 9 rows and columns, got 'tensor<1x8x9x32xf32>'}}
  %0 = coat.winograd_input %x {tile = 4 : i64, stride = 2 : i64} : tensor<1x8x9x32xf32> -> tensor<1x2x81x1x16xf32>
  return
}

// -----

func.func @winograd_conv_c1(%x: tensor<1x2x16x16x16xf32>, %w: tensor<4x36x32x16xf32>) {
  // expected-error@+1 {{expected an f32 input of [N, ceil(C/16), 36, T, 16], got 'tensor<1x2x16x16x16xf32>'}}
  %0 = coat.winograd_conv %x, %w {tile = 4 : i64, output_size = array<i64: 14, 14>, out_channels = 64 : i64}
    : (tensor<1x2x16x16x16xf32>, tensor<4x36x32x16xf32>) -> tensor<1x14x14x64xf32>
  return
}

// -----

func.func @winograd_conv_c1_filter(%x: tensor<1x2x36x16x16xf32>, %w: tensor<4x36x48x16xf32>) {
  // expected-error@+1 {{expected an f32 filter of [ceil(K/16), 36, C, 16] for the channels of 'tensor<1x2x36x16x16xf32>'}}
  %0 = coat.winograd_conv %x, %w {tile = 4 : i64, output_size = array<i64: 14, 14>, out_channels = 64 : i64}
    : (tensor<1x2x36x16x16xf32>, tensor<4x36x48x16xf32>) -> tensor<1x14x14x64xf32>
  return
}

// -----

func.func @winograd_conv_c2(%x: tensor<1x2x36x16x16xf32>, %w: tensor<4x36x32x16xf32>) {
  // expected-error@+1 {{expected a tile of 2 or 4, got 6}}
  %0 = coat.winograd_conv %x, %w {tile = 6 : i64, output_size = array<i64: 14, 14>, out_channels = 64 : i64}
    : (tensor<1x2x36x16x16xf32>, tensor<4x36x32x16xf32>) -> tensor<1x14x14x64xf32>
  return
}

// -----

func.func @winograd_conv_c3(%x: tensor<1x2x36x16x16xf32>, %w: tensor<4x36x32x16xf32>) {
  // expected-error@+1 {{expected output_size of 2 entries, each at least 1, got [14]}}
  %0 = coat.winograd_conv %x, %w {tile = 4 : i64, output_size = array<i64: 14>, out_channels = 64 : i64}
    : (tensor<1x2x36x16x16xf32>, tensor<4x36x32x16xf32>) -> tensor<1x14x14x64xf32>
  return
}

// -----

func.func @winograd_conv_c3_tiles(%x: tensor<1x2x36x16x16xf32>, %w: tensor<4x36x32x16xf32>) {
  // expected-error@+1 {{expected 9 tiles of output size [12, 12], got 'tensor<1x2x36x16x16xf32>'}}
  %0 = coat.winograd_conv %x, %w {tile = 4 : i64, output_size = array<i64: 12, 12>, out_channels = 64 : i64}
    : (tensor<1x2x36x16x16xf32>, tensor<4x36x32x16xf32>) -> tensor<1x12x12x64xf32>
  return
}

// -----

func.func @winograd_conv_c4(%x: tensor<1x2x36x16x16xf32>, %w: tensor<4x36x32x16xf32>, %b: tensor<63xf32>) {
  // expected-error@+1 {{expected bias of type 'tensor<64xf32>', got 'tensor<63xf32>'}}
  %0 = coat.winograd_conv %x, %w bias %b {tile = 4 : i64, output_size = array<i64: 14, 14>, out_channels = 64 : i64}
    : (tensor<1x2x36x16x16xf32>, tensor<4x36x32x16xf32>, tensor<63xf32>) -> tensor<1x14x14x64xf32>
  return
}
