// RUN: coat-opt %s --coat-tile --verify-diagnostics

// A cut inside a packed block: no slice of the weights holds half of one.
func.func private @block(%x: memref<4x8xf32>, %w: memref<2x8x16xf32>, %o: memref<4x32xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<4x8xf32> to tensor<4x8xf32>
  %1 = bufferization.to_tensor %w restrict : memref<2x8x16xf32> to tensor<2x8x16xf32>
  // expected-error@+3 {{to tile operation}}
  // expected-error@+2 {{failed to generate tiling loops}}
  // expected-error@+1 {{expected a tile that the op can be cut into, got #coat.schedule}}
  %2 = coat.matmul %0, %1 {filter_layout = #coat<filter_layout packed>, out_channels = 32 : i64,
      coat.schedule = #coat.schedule<"gemm", tile = [0, 8], reg = [6, 16], vector = 8>}
      : (tensor<4x8xf32>, tensor<2x8x16xf32>) -> tensor<4x32xf32>
  bufferization.materialize_in_destination %2 in restrict writable %o : (tensor<4x32xf32>, memref<4x32xf32>) -> ()
  return
}
