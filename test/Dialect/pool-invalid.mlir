// What the verifiers of pooling and interpolation refuse, a function a constraint.
// RUN: coat-opt %s -split-input-file -verify-diagnostics

func.func @pool_c1(%x: tensor<1x4xf32>) {
  // expected-error@+1 {{expected an input of 1 to 3 spatial dimensions, got 'tensor<1x4xf32>'}}
  %0 = coat.pool max %x {kernel = array<i64>, strides = array<i64>, dilations = array<i64>, pads = array<i64>} : (tensor<1x4xf32>) -> tensor<1x4xf32>
  return
}

// -----

func.func @pool_c2(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{expected kernel of 2 entries, each at least 1, got [2]}}
  %0 = coat.pool max %x {kernel = array<i64: 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32>
  return
}

// -----

func.func @pool_c2_strides(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{expected strides of 2 entries, each at least 1, got [0, 1]}}
  %0 = coat.pool max %x {kernel = array<i64: 2, 2>, strides = array<i64: 0, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32>
  return
}

// -----

func.func @pool_c2_dilations(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{expected dilations of 2 entries, each at least 1, got [0, 1]}}
  %0 = coat.pool max %x {kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, dilations = array<i64: 0, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32>
  return
}

// -----

func.func @pool_c3(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{expected pads of 4 entries, each at least 0, got [0, 0]}}
  %0 = coat.pool max %x {kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32>
  return
}

// -----

func.func @pool_c3_large(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{expected pads of less than the dilated kernel size 2, got 2 and 0}}
  %0 = coat.pool max %x {kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 2, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32>
  return
}

// -----

func.func @pool_c4(%x: tensor<1x4x8x1xf32>) {
  // expected-error@+1 {{expected output sizes of at least 1, got [1, 4, 7, 0]}}
  %0 = coat.pool max %x {kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x1xf32>) -> tensor<1x4x7x0xf32>
  return
}

// -----

func.func @pool_c5(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{expected kind max and channels_first with indices, got average and channels_first}}
  %0:2 = coat.pool average %x {kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, with_indices} : (tensor<1x4x8x8xf32>) -> (tensor<1x4x7x7xf32>, tensor<1x4x7x7xi64>)
  return
}

// -----

func.func @pool_c6(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{expected p of at least 1, got 0}}
  %0 = coat.pool lp %x {kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, p = 0} : (tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32>
  return
}

// -----

func.func @global_pool_c1(%x: tensor<1x4xf32>) {
  // expected-error@+1 {{expected an input of rank 3 or more, got 'tensor<1x4xf32>'}}
  %0 = coat.global_pool max %x {} : (tensor<1x4xf32>) -> tensor<1x4xf32>
  return
}

// -----

func.func @global_pool_c2(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{expected p of at least 1, got 0}}
  %0 = coat.global_pool lp %x {p = 0} : (tensor<1x4x8x8xf32>) -> tensor<1x4x1x1xf32>
  return
}

// -----

func.func @resize_c1(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected scales of 2 entries, each positive, got [1.000000e+00, 0.000000e+00]}}
  %0 = coat.resize linear %x {scales = array<f64: 1.0, 0.0>, sizes = array<i64: 4, 8>, coordinate_mode = #coat<coordinate_mode half_pixel>} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @resize_c1_sizes(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected sizes of 2 entries, each at least 1 or -1, got [4, 0]}}
  %0 = coat.resize linear %x {scales = array<f64: 1.0, 1.0>, sizes = array<i64: 4, 0>, coordinate_mode = #coat<coordinate_mode half_pixel>} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @resize_c1_empty(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected output sizes of at least 1, got [4, 0]}}
  %0 = coat.resize linear %x {scales = array<f64: 1.0, 0.1>, sizes = array<i64: 4, -1>, coordinate_mode = #coat<coordinate_mode half_pixel>} : (tensor<4x8xf32>) -> tensor<4x0xf32>
  return
}

// -----

func.func @resize_c2(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected results of type ('tensor<4x8xf32>'), got ('tensor<4x8xf16>')}}
  %0 = coat.resize linear %x {scales = array<f64: 1.0, 1.0>, sizes = array<i64: 4, 8>, coordinate_mode = #coat<coordinate_mode half_pixel>} : (tensor<4x8xf32>) -> tensor<4x8xf16>
  return
}
