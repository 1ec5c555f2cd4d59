// What the tilings of the Winograd ops refuse.
// RUN: coat-opt %s --coat-tile -split-input-file -verify-diagnostics

// Rows that are no whole tiles.
func.func private @rows(%v: memref<1x4x36x16x16xf32>, %u: memref<4x36x64x16xf32>, %o: memref<1x14x14x64xf32>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"winograd", tile = [1, 7, 0, 0], reg = [1, 1, 6, 16], vector = 8>} {
  %0 = bufferization.to_tensor %v restrict : memref<1x4x36x16x16xf32> to tensor<1x4x36x16x16xf32>
  %1 = bufferization.to_tensor %u restrict : memref<4x36x64x16xf32> to tensor<4x36x64x16xf32>
  // expected-error@+3 {{faild to tile operation}}
  // expected-error@+2 {{failed to generate tiling loops}}
  // expected-error@+1 {{expected a tile that the op can be cut into, got #coat.schedule<"winograd", tile = [1, 7, 0, 0]}}
  %2 = coat.winograd_conv %0, %1 {tile = 4 : i64, output_size = array<i64: 14, 14>, out_channels = 64 : i64}
    : (tensor<1x4x36x16x16xf32>, tensor<4x36x64x16xf32>) -> tensor<1x14x14x64xf32>
  bufferization.materialize_in_destination %2 in restrict writable %o : (tensor<1x14x14x64xf32>, memref<1x14x14x64xf32>) -> ()
  return
}

// -----

// Columns.
func.func private @columns(%v: memref<1x4x36x16x16xf32>, %u: memref<4x36x64x16xf32>, %o: memref<1x16x16x64xf32>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"winograd", tile = [1, 0, 8, 0], reg = [1, 1, 6, 16], vector = 8>} {
  %0 = bufferization.to_tensor %v restrict : memref<1x4x36x16x16xf32> to tensor<1x4x36x16x16xf32>
  %1 = bufferization.to_tensor %u restrict : memref<4x36x64x16xf32> to tensor<4x36x64x16xf32>
  // expected-error@+3 {{faild to tile operation}}
  // expected-error@+2 {{failed to generate tiling loops}}
  // expected-error@+1 {{expected a tile that the op can be cut into, got #coat.schedule<"winograd", tile = [1, 0, 8, 0]}}
  %2 = coat.winograd_conv %0, %1 {tile = 4 : i64, output_size = array<i64: 16, 16>, out_channels = 64 : i64}
    : (tensor<1x4x36x16x16xf32>, tensor<4x36x64x16xf32>) -> tensor<1x16x16x64xf32>
  bufferization.materialize_in_destination %2 in restrict writable %o : (tensor<1x16x16x64xf32>, memref<1x16x16x64xf32>) -> ()
  return
}
