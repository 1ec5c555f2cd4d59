// RUN: coat-opt --coat-reference --split-input-file --verify-diagnostics %s

func.func @no_formula(%x: tensor<4xf32>) -> tensor<4xf32> attributes {coat.entry} {
  // expected-error @+1 {{expected an op with a reference, got 'math.exp'}}
  %0 = math.exp %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @channels_last(%x: tensor<1x8x8x4xf32>) -> tensor<1x1x1x4xf32> attributes {coat.entry} {
  // expected-error @+1 {{expected data_layout channels_first, got channels_last}}
  %0 = coat.global_pool max %x {data_layout = #coat<layout channels_last>} : (tensor<1x8x8x4xf32>) -> tensor<1x1x1x4xf32>
  return %0 : tensor<1x1x1x4xf32>
}

// -----

func.func @packed(%x: tensor<4x8xf32>, %w: tensor<1x8x16xf32>) -> tensor<4x10xf32> attributes {coat.entry} {
  // expected-error @+1 {{expected filter_layout plain, got packed}}
  %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>, out_channels = 10 : i64}
      : (tensor<4x8xf32>, tensor<1x8x16xf32>) -> tensor<4x10xf32>
  return %0 : tensor<4x10xf32>
}

// -----

func.func @interpolated_integers(%x: tensor<1x1x4xi32>) -> tensor<1x1x8xi32> attributes {coat.entry} {
  // expected-error @+1 {{expected a floating-point type to interpolate, got 'i32'}}
  %0 = coat.resize linear %x {scales = array<f64: 1.0, 1.0, 2.0>, sizes = array<i64: 1, 1, 8>, coordinate_mode = #coat<coordinate_mode half_pixel>}
      : (tensor<1x1x4xi32>) -> tensor<1x1x8xi32>
  return %0 : tensor<1x1x8xi32>
}
