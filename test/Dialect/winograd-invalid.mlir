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
  // expected-error@+1 {{expected F(2, 3), F(4, 3), F(2, 5) or F(4, 4), perhaps of a folded stride of 2, or with stride 2 F(2, 3) or F(4, 3), got F(3, 3) with stride 1 and fold 1}}
  %0 = coat.winograd_input %x {tile = 3 : i64} : tensor<1x18x18x32xf32> -> tensor<1x2x36x16x16xf32>
  return
}

// -----

func.func @winograd_input_c2_stride(%x: tensor<1x18x18x32xf32>) {
  // expected-error@+1 {{got F(4, 3) with stride 3 and fold 1}}
  %0 = coat.winograd_input %x {tile = 4 : i64, stride = 3 : i64} : tensor<1x18x18x32xf32> -> tensor<1x2x36x16x16xf32>
  return
}

// -----

func.func @winograd_input_c3(%x: tensor<1x18x5x32xf32>) {
  // expected-error@+1 {{expected at least 6 rows and 6 columns, got 'tensor<1x18x5x32xf32>'}}
  %0 = coat.winograd_input %x {tile = 4 : i64} : tensor<1x18x5x32xf32> -> tensor<1x2x36x16x16xf32>
  return
}

// -----

func.func @winograd_input_c3_stride(%x: tensor<1x8x9x32xf32>) {
  // expected-error@+1 {{expected at least 9 rows and 9 columns, got 'tensor<1x8x9x32xf32>'}}
  %0 = coat.winograd_input %x {tile = 4 : i64, stride = 2 : i64} : tensor<1x8x9x32xf32> -> tensor<1x2x81x1x16xf32>
  return
}

// -----

func.func @winograd_input_c2_fold(%x: tensor<1x18x18x6xf32>) {
  // expected-error@+1 {{got F(4, 8) with stride 1 and fold 2}}
  %0 = coat.winograd_input %x {tile = 4 : i64, taps = 8 : i64, fold = 2 : i64} : tensor<1x18x18x6xf32> -> tensor<1x1x49x6x16xf32>
  return
}

// -----

func.func @winograd_input_c2_taps(%x: tensor<1x18x18x6xf32>) {
  // expected-error@+1 {{got F(4, 9223372036854775807) with stride 2 and fold 2}}
  %0 = coat.winograd_input %x {tile = 4 : i64, taps = 9223372036854775807 : i64, stride = 2 : i64, fold = 2 : i64} : tensor<1x18x18x6xf32> -> tensor<1x1x49x6x16xf32>
  return
}

// -----

func.func @winograd_input_c3_fold(%x: tensor<1x13x7x6xf32>) {
  // expected-error@+1 {{expected at least 14 rows and 7 columns, got 'tensor<1x13x7x6xf32>'}}
  %0 = coat.winograd_input %x {tile = 4 : i64, taps = 7 : i64, stride = 2 : i64, fold = 2 : i64} : tensor<1x13x7x6xf32> -> tensor<1x1x49x1x16xf32>
  return
}

// -----

func.func @winograd_input_c4(%x: tensor<1x14x7x10xf32>) {
  // expected-error@+1 {{expected at most 16 channels in 2 rows, got 'tensor<1x14x7x10xf32>'}}
  %0 = coat.winograd_input %x {tile = 4 : i64, taps = 7 : i64, stride = 2 : i64, fold = 2 : i64} : tensor<1x14x7x10xf32> -> tensor<1x2x49x1x16xf32>
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

func.func @winograd_conv_c1_folded(%x: tensor<1x1x49x4x16xf32>, %w: tensor<1x49x10x16xf32>) {
  // expected-error@+1 {{expected an f32 filter of [ceil(K/16), 49, C, 16]}}
  %0 = coat.winograd_conv %x, %w {tile = 4 : i64, taps = 7 : i64, stride = 2 : i64, fold = 2 : i64, output_size = array<i64: 8, 8>, out_channels = 16 : i64}
    : (tensor<1x1x49x4x16xf32>, tensor<1x49x10x16xf32>) -> tensor<1x8x8x16xf32>
  return
}

// -----

func.func @winograd_conv_c2(%x: tensor<1x2x36x16x16xf32>, %w: tensor<4x36x32x16xf32>) {
  // expected-error@+1 {{got F(6, 3) with stride 1 and fold 1}}
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
