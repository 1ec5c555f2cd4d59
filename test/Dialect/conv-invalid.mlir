// What the verifiers of convolutions and of the matrix product refuse, a function a constraint.
// RUN: coat-opt %s -split-input-file -verify-diagnostics

func.func @conv_c1(%x: tensor<1x4xf32>, %w: tensor<8x4xf32>) {
  // expected-error@+1 {{expected an input of 1 to 3 spatial dimensions, got 'tensor<1x4xf32>'}}
  %0 = coat.conv %x, %w {strides = array<i64>, dilations = array<i64>, pads = array<i64>} : (tensor<1x4xf32>, tensor<8x4xf32>) -> tensor<1x8xf32>
  return
}

// -----

func.func @conv_c1_filter(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3xf32>) {
  // expected-error@+1 {{expected a filter of rank 4, got 'tensor<8x4x3xf32>'}}
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>, tensor<8x4x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @conv_c2(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  // expected-error@+1 {{expected strides of 2 entries, each at least 1, got [1, 0]}}
  %0 = coat.conv %x, %w {strides = array<i64: 1, 0>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @conv_c2_dilations(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  // expected-error@+1 {{expected dilations of 2 entries, each at least 1, got [1]}}
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @conv_c3(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  // expected-error@+1 {{expected pads of 4 entries, each at least 0, got [0, -1, 0, 0]}}
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, -1, 0, 0>} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @conv_c4(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  // expected-error@+1 {{expected a group that divides 4 input and 8 output channels, got 3}}
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 3} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @conv_c5(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  // expected-error@+1 {{expected 2 channels in the filter, got 4}}
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 2} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @conv_c6(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{expected bias of type 'tensor<8xf32>', got 'tensor<4xf32>'}}
  %0 = coat.conv %x, %w bias %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>, tensor<4xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @conv_c7(%x: tensor<1x4x8x2xf32>, %w: tensor<8x4x3x3xf32>) {
  // expected-error@+1 {{expected output sizes of at least 1, got [1, 8, 6, 0]}}
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x2xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x0xf32>
  return
}

// -----

func.func @conv_c8(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf16>) {
  // expected-error@+1 {{expected operands of element type 'f32', got 'f16'}}
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf16>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @conv_c9(%x: tensor<1x4x8x8xf32>, %w: tensor<1x1x3x3x4x8xf32>) {
  // expected-error@+1 {{expected out_channels with a packed filter, got none}}
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, filter_layout = #coat<filter_layout packed>} : (tensor<1x4x8x8xf32>, tensor<1x1x3x3x4x8xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @conv_c9_rank(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  // expected-error@+1 {{expected a packed filter of rank 6, got 'tensor<8x4x3x3xf32>'}}
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, filter_layout = #coat<filter_layout packed>, out_channels = 8} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @conv_c9_plain(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  // expected-error@+1 {{expected no out_channels with a plain filter, got 8}}
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, out_channels = 8} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @conv_c9_blocks(%x: tensor<1x4x8x8xf32>, %w: tensor<1x2x3x3x4x8xf32>) {
  // expected-error@+1 {{expected a packed filter of 1 groups and blocks that hold 8 channels each, got 'tensor<1x2x3x3x4x8xf32>'}}
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, filter_layout = #coat<filter_layout packed>, out_channels = 8} : (tensor<1x4x8x8xf32>, tensor<1x2x3x3x4x8xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @conv_result(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  // expected-error@+1 {{expected results of type ('tensor<1x8x6x6xf32>'), got ('tensor<1x8x8x8xf32>')}}
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x8x8xf32>
  return
}

// -----

func.func @conv_transpose_c1(%x: tensor<1x4xf32>, %w: tensor<4x8xf32>) {
  // expected-error@+1 {{expected an input of 1 to 3 spatial dimensions, got 'tensor<1x4xf32>'}}
  %0 = coat.conv_transpose %x, %w {strides = array<i64>, dilations = array<i64>, pads = array<i64>, output_padding = array<i64>} : (tensor<1x4xf32>, tensor<4x8xf32>) -> tensor<1x8x10x10xf32>
  return
}

// -----

func.func @conv_transpose_c1_filter(%x: tensor<1x4x8x8xf32>, %w: tensor<4x8x3xf32>) {
  // expected-error@+1 {{expected a filter of rank 4, got 'tensor<4x8x3xf32>'}}
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, output_padding = array<i64: 0, 0>} : (tensor<1x4x8x8xf32>, tensor<4x8x3xf32>) -> tensor<1x8x10x10xf32>
  return
}

// -----

func.func @conv_transpose_c2(%x: tensor<1x4x8x8xf32>, %w: tensor<4x8x3x3xf32>) {
  // expected-error@+1 {{expected strides of 2 entries, each at least 1, got [1, 0]}}
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 1, 0>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, output_padding = array<i64: 0, 0>} : (tensor<1x4x8x8xf32>, tensor<4x8x3x3xf32>) -> tensor<1x8x10x10xf32>
  return
}

// -----

func.func @conv_transpose_c3(%x: tensor<1x4x8x8xf32>, %w: tensor<4x8x3x3xf32>) {
  // expected-error@+1 {{expected pads of 4 entries, got [0, 0]}}
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0>, output_padding = array<i64: 0, 0>} : (tensor<1x4x8x8xf32>, tensor<4x8x3x3xf32>) -> tensor<1x8x10x10xf32>
  return
}

// -----

func.func @conv_transpose_c4(%x: tensor<1x4x8x8xf32>, %w: tensor<4x8x3x3xf32>) {
  // expected-error@+1 {{expected a group that divides 4 input channels, got 3}}
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, output_padding = array<i64: 0, 0>, group = 3} : (tensor<1x4x8x8xf32>, tensor<4x8x3x3xf32>) -> tensor<1x8x10x10xf32>
  return
}

// -----

func.func @conv_transpose_c4_filter(%x: tensor<1x4x8x8xf32>, %w: tensor<2x8x3x3xf32>) {
  // expected-error@+1 {{expected a filter whose first dimension is 4, got 'tensor<2x8x3x3xf32>'}}
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, output_padding = array<i64: 0, 0>} : (tensor<1x4x8x8xf32>, tensor<2x8x3x3xf32>) -> tensor<1x8x10x10xf32>
  return
}

// -----

func.func @conv_transpose_c5(%x: tensor<1x4x8x8xf32>, %w: tensor<4x8x3x3xf32>) {
  // expected-error@+1 {{expected output_padding of 2 entries, each at least 0, got [0, -1]}}
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, output_padding = array<i64: 0, -1>} : (tensor<1x4x8x8xf32>, tensor<4x8x3x3xf32>) -> tensor<1x8x10x10xf32>
  return
}

// -----

func.func @conv_transpose_c6(%x: tensor<1x4x8x8xf32>, %w: tensor<4x8x3x3xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{expected bias of type 'tensor<16xf32>', got 'tensor<8xf32>'}}
  %0 = coat.conv_transpose %x, %w bias %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, output_padding = array<i64: 0, 0>, group = 2} : (tensor<1x4x8x8xf32>, tensor<4x8x3x3xf32>, tensor<8xf32>) -> tensor<1x8x10x10xf32>
  return
}

// -----

func.func @conv_transpose_c7(%x: tensor<1x4x8x8xf32>, %w: tensor<4x8x3x3xf32>) {
  // expected-error@+1 {{expected output sizes of at least 1, got [1, 8, 0, 10]}}
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 5, 0, 5, 0>, output_padding = array<i64: 0, 0>} : (tensor<1x4x8x8xf32>, tensor<4x8x3x3xf32>) -> tensor<1x8x10x10xf32>
  return
}

// -----

func.func @conv_transpose_c8(%x: tensor<1x4x8x8xf32>, %w: tensor<4x8x3x3xf16>) {
  // expected-error@+1 {{expected operands of element type 'f32', got 'f16'}}
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, output_padding = array<i64: 0, 0>} : (tensor<1x4x8x8xf32>, tensor<4x8x3x3xf16>) -> tensor<1x8x10x10xf32>
  return
}

// -----

func.func @matmul_c1(%x: tensor<4xf32>, %w: tensor<4x8xf32>) {
  // expected-error@+1 {{expected a lhs of rank 2 or more, got 'tensor<4xf32>'}}
  %0 = coat.matmul %x, %w {} : (tensor<4xf32>, tensor<4x8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @matmul_c1_rhs(%x: tensor<4x4xf32>, %w: tensor<4xf32>) {
  // expected-error@+1 {{expected a rhs of rank 2 or more, got 'tensor<4xf32>'}}
  %0 = coat.matmul %x, %w {} : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @matmul_c1_packed(%x: tensor<4x4xf32>, %w: tensor<4x8xf32>) {
  // expected-error@+1 {{expected a rhs of rank 3, got 'tensor<4x8xf32>'}}
  %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>, out_channels = 8} : (tensor<4x4xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @matmul_c2(%x: tensor<4x4xf32>, %w: tensor<5x8xf32>) {
  // expected-error@+1 {{expected a rhs with reduction dimension 4, got 5}}
  %0 = coat.matmul %x, %w {} : (tensor<4x4xf32>, tensor<5x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @matmul_c3(%x: tensor<2x4x4xf32>, %w: tensor<3x4x8xf32>) {
  // expected-error@+1 {{expected leading dimensions that broadcast, got 'tensor<2x4x4xf32>' and 'tensor<3x4x8xf32>'}}
  %0 = coat.matmul %x, %w {} : (tensor<2x4x4xf32>, tensor<3x4x8xf32>) -> tensor<2x4x8xf32>
  return
}

// -----

func.func @matmul_c4(%x: tensor<4x4xf32>, %w: tensor<4x8xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{expected bias of type 'tensor<8xf32>', got 'tensor<4xf32>'}}
  %0 = coat.matmul %x, %w bias %b {} : (tensor<4x4xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @matmul_c5(%x: tensor<4x4xf32>, %w: tensor<4x8xf16>) {
  // expected-error@+1 {{expected operands of element type 'f32', got 'f16'}}
  %0 = coat.matmul %x, %w {} : (tensor<4x4xf32>, tensor<4x8xf16>) -> tensor<4x8xf32>
  return
}

// -----

func.func @matmul_c6(%x: tensor<4x4xf32>, %w: tensor<1x4x8xf32>) {
  // expected-error@+1 {{expected out_channels and no transpose_rhs with a packed rhs, got no out_channels}}
  %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>} : (tensor<4x4xf32>, tensor<1x4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @matmul_c6_transposed(%x: tensor<4x4xf32>, %w: tensor<1x4x8xf32>) {
  // expected-error@+1 {{expected out_channels and no transpose_rhs with a packed rhs, got transpose_rhs}}
  %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>, out_channels = 8, transpose_rhs} : (tensor<4x4xf32>, tensor<1x4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @matmul_c6_plain(%x: tensor<4x4xf32>, %w: tensor<4x8xf32>) {
  // expected-error@+1 {{expected no out_channels with a plain rhs, got 8}}
  %0 = coat.matmul %x, %w {out_channels = 8} : (tensor<4x4xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @matmul_c6_blocks(%x: tensor<4x4xf32>, %w: tensor<2x4x8xf32>) {
  // expected-error@+1 {{expected a packed rhs whose blocks hold 8 columns, got 'tensor<2x4x8xf32>'}}
  %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>, out_channels = 8} : (tensor<4x4xf32>, tensor<2x4x8xf32>) -> tensor<4x8xf32>
  return
}
