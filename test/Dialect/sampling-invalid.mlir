// What the verifiers of ops that read an image at computed positions refuse, a function a constraint.
// RUN: coat-opt %s -split-input-file -verify-diagnostics

func.func @grid_sample_c1(%x: tensor<1x2xf32>, %g: tensor<1x0xf32>) {
  // expected-error@+1 {{expected an input of 1 to 3 spatial dimensions}}
  %0 = coat.grid_sample linear %x, %g : (tensor<1x2xf32>, tensor<1x0xf32>) -> tensor<1x2xf32>
  return
}

// -----

func.func @grid_sample_c1_empty(%x: tensor<1x2x0xf32>, %g: tensor<1x3x1xf32>) {
  // expected-error@+1 {{expected spatial dimensions that are not empty}}
  %0 = coat.grid_sample linear %x, %g : (tensor<1x2x0xf32>, tensor<1x3x1xf32>) -> tensor<1x2x3xf32>
  return
}

// -----

func.func @grid_sample_c2(%x: tensor<1x2x4x4xf32>, %g: tensor<1x3x3x3xf32>) {
  // expected-error@+1 {{with 2 coordinates a position}}
  %0 = coat.grid_sample linear %x, %g : (tensor<1x2x4x4xf32>, tensor<1x3x3x3xf32>) -> tensor<1x2x3x3xf32>
  return
}

// -----

func.func @grid_sample_c3(%x: tensor<1x2x4x4xi32>, %g: tensor<1x3x3x2xf32>) {
  // expected-error@+1 {{expected a floating-point element type, got 'i32'}}
  %0 = coat.grid_sample linear %x, %g : (tensor<1x2x4x4xi32>, tensor<1x3x3x2xf32>) -> tensor<1x2x3x3xi32>
  return
}

// -----

func.func @grid_sample_c4(%x: tensor<1x2x4x4xf32>, %g: tensor<1x3x3x2xf32>) {
  // expected-error@+1 {{expected padding constant, edge or reflect, got wrap}}
  %0 = coat.grid_sample linear %x, %g {padding = #coat<pad_mode wrap>} : (tensor<1x2x4x4xf32>, tensor<1x3x3x2xf32>) -> tensor<1x2x3x3xf32>
  return
}

// -----

func.func @deform_columns_c1(%x: tensor<1x4xf32>, %o: tensor<1x8x3x3xf32>) {
  // expected-error@+1 {{expected an input of 1 to 3 spatial dimensions}}
  %0 = coat.deform_columns %x offset %o {kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1} : (tensor<1x4xf32>, tensor<1x8x3x3xf32>) -> tensor<1x3x3x2x2x4xf32>
  return
}

// -----

func.func @deform_columns_c2(%x: tensor<1x4x4x4xf32>, %o: tensor<1x8x3x3xf32>) {
  // expected-error@+1 {{expected strides of 2 entries, each at least 1}}
  %0 = coat.deform_columns %x offset %o {kernel = array<i64: 2, 2>, strides = array<i64: 0, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1} : (tensor<1x4x4x4xf32>, tensor<1x8x3x3xf32>) -> tensor<1x3x3x2x2x4xf32>
  return
}

// -----

func.func @deform_columns_c3(%x: tensor<1x4x4x4xf32>, %o: tensor<1x8x3x3xf32>) {
  // expected-error@+1 {{expected groups that divide 4 channels, got 3}}
  %0 = coat.deform_columns %x offset %o {kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 3} : (tensor<1x4x4x4xf32>, tensor<1x8x3x3xf32>) -> tensor<1x3x3x2x2x4xf32>
  return
}

// -----

func.func @deform_columns_c4(%x: tensor<1x4x4x4xf32>, %o: tensor<1x9x3x3xf32>) {
  // expected-error@+1 {{expected offset of shape 1x8x3x3}}
  %0 = coat.deform_columns %x offset %o {kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1} : (tensor<1x4x4x4xf32>, tensor<1x9x3x3xf32>) -> tensor<1x3x3x2x2x4xf32>
  return
}

// -----

func.func @deform_columns_c5(%x: tensor<1x4x4x4xf32>, %o: tensor<1x8x3x3xf16>) {
  // expected-error@+1 {{expected operands of element type 'f32', got 'f16'}}
  %0 = coat.deform_columns %x offset %o {kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1} : (tensor<1x4x4x4xf32>, tensor<1x8x3x3xf16>) -> tensor<1x3x3x2x2x4xf32>
  return
}

// -----

func.func @roi_align_c1(%x: tensor<1x2x8xf32>, %r: tensor<3x4xf32>, %b: tensor<3xi64>) {
  // expected-error@+1 {{expected an input of rank 4 that is not empty}}
  %0 = coat.roi_align average %x, %r, %b {size = array<i64: 2, 2>, samples = 0, scale = 1.0} : (tensor<1x2x8xf32>, tensor<3x4xf32>, tensor<3xi64>) -> tensor<3x2x2x2xf32>
  return
}

// -----

func.func @roi_align_c2(%x: tensor<1x2x8x8xf32>, %r: tensor<3x5xf32>, %b: tensor<3xi64>) {
  // expected-error@+1 {{expected rois of 4 columns}}
  %0 = coat.roi_align average %x, %r, %b {size = array<i64: 2, 2>, samples = 0, scale = 1.0} : (tensor<1x2x8x8xf32>, tensor<3x5xf32>, tensor<3xi64>) -> tensor<3x2x2x2xf32>
  return
}

// -----

func.func @roi_align_c3(%x: tensor<1x2x8x8xf32>, %r: tensor<3x4xf32>, %b: tensor<4xi64>) {
  // expected-error@+1 {{expected i32 or i64 batch indices, one a region}}
  %0 = coat.roi_align average %x, %r, %b {size = array<i64: 2, 2>, samples = 0, scale = 1.0} : (tensor<1x2x8x8xf32>, tensor<3x4xf32>, tensor<4xi64>) -> tensor<3x2x2x2xf32>
  return
}

// -----

func.func @roi_align_c4(%x: tensor<1x2x8x8xf32>, %r: tensor<3x4xf32>, %b: tensor<3xi64>) {
  // expected-error@+1 {{expected kind average or max, got lp}}
  %0 = coat.roi_align lp %x, %r, %b {size = array<i64: 2, 2>, samples = 0, scale = 1.0} : (tensor<1x2x8x8xf32>, tensor<3x4xf32>, tensor<3xi64>) -> tensor<3x2x2x2xf32>
  return
}

// -----

func.func @roi_align_c5(%x: tensor<1x2x8x8xf32>, %r: tensor<3x4xf32>, %b: tensor<3xi64>) {
  // expected-error@+1 {{expected size of 2 entries, each at least 1}}
  %0 = coat.roi_align average %x, %r, %b {size = array<i64: 2>, samples = 0, scale = 1.0} : (tensor<1x2x8x8xf32>, tensor<3x4xf32>, tensor<3xi64>) -> tensor<3x2x2x2xf32>
  return
}

// -----

func.func @roi_align_c5_samples(%x: tensor<1x2x8x8xf32>, %r: tensor<3x4xf32>, %b: tensor<3xi64>) {
  // expected-error@+1 {{expected samples of at least 0, got -1}}
  %0 = coat.roi_align average %x, %r, %b {size = array<i64: 2, 2>, samples = -1, scale = 1.0} : (tensor<1x2x8x8xf32>, tensor<3x4xf32>, tensor<3xi64>) -> tensor<3x2x2x2xf32>
  return
}

// -----

func.func @max_roi_pool_c1(%x: tensor<1x2x0x8xf32>, %r: tensor<3x5xf32>) {
  // expected-error@+1 {{expected an input of rank 4 that is not empty}}
  %0 = coat.max_roi_pool %x, %r {size = array<i64: 2, 2>, scale = 1.0} : (tensor<1x2x0x8xf32>, tensor<3x5xf32>) -> tensor<3x2x2x2xf32>
  return
}

// -----

func.func @max_roi_pool_c2(%x: tensor<1x2x8x8xf32>, %r: tensor<3x4xf32>) {
  // expected-error@+1 {{expected rois of 5 columns}}
  %0 = coat.max_roi_pool %x, %r {size = array<i64: 2, 2>, scale = 1.0} : (tensor<1x2x8x8xf32>, tensor<3x4xf32>) -> tensor<3x2x2x2xf32>
  return
}

// -----

func.func @max_roi_pool_c3(%x: tensor<1x2x8x8xf32>, %r: tensor<3x5xf32>) {
  // expected-error@+1 {{expected size of 2 entries, each at least 1}}
  %0 = coat.max_roi_pool %x, %r {size = array<i64: 0, 2>, scale = 1.0} : (tensor<1x2x8x8xf32>, tensor<3x5xf32>) -> tensor<3x2x2x2xf32>
  return
}

// -----

func.func @col2im_c1(%x: tensor<1x10xf32>) {
  // expected-error@+1 {{expected an input of rank 3}}
  %0 = coat.col2im %x {image = array<i64: 4, 3>, kernel = array<i64: 2, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x10xf32>) -> tensor<1x5x4x3xf32>
  return
}

// -----

func.func @col2im_c2(%x: tensor<1x10x9xf32>) {
  // expected-error@+1 {{expected kernel of 2 entries, each at least 1}}
  %0 = coat.col2im %x {image = array<i64: 4, 3>, kernel = array<i64: 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x10x9xf32>) -> tensor<1x5x4x3xf32>
  return
}

// -----

func.func @col2im_c3(%x: tensor<1x11x9xf32>) {
  // expected-error@+1 {{expected channels in multiples of 2 and 9 columns}}
  %0 = coat.col2im %x {image = array<i64: 4, 3>, kernel = array<i64: 2, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x11x9xf32>) -> tensor<1x5x4x3xf32>
  return
}

// -----

func.func @col2im_c4(%x: tensor<1x10x9xi1>) {
  // expected-error@+1 {{expected a numeric element type, got i1}}
  %0 = coat.col2im %x {image = array<i64: 4, 3>, kernel = array<i64: 2, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x10x9xi1>) -> tensor<1x5x4x3xf32>
  return
}
