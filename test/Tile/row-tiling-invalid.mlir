// RUN: not coat-opt %s --coat-tile --split-input-file 2>&1 | FileCheck %s

// Dimensions along which an op looks at other elements are not cut.

// CHECK: error: {{.*}}expected a tile that the op can be cut into, got #coat.schedule<"rows", tile = [0, 8]
func.func private @axis_of_softmax(%a: memref<32x40xf32>, %o: memref<32x40xf32>) attributes {coat.kernel} {
  %x = bufferization.to_tensor %a restrict : memref<32x40xf32> to tensor<32x40xf32>
  %0 = coat.softmax %x {axis = 1 : i64, coat.schedule = #coat.schedule<"rows", tile = [0, 8], vector = 8>}
    : (tensor<32x40xf32>) -> tensor<32x40xf32>
  bufferization.materialize_in_destination %0 in restrict writable %o : (tensor<32x40xf32>, memref<32x40xf32>) -> ()
  return
}

// -----

// CHECK: error: {{.*}}expected a tile that the op can be cut into, got #coat.schedule<"rows", tile = [1, 4, 0, 0]
func.func private @inside_a_group(%a: memref<1x32x5x5xf32>, %s: memref<32xf32>, %o: memref<1x32x5x5xf32>) attributes {coat.kernel} {
  %x = bufferization.to_tensor %a restrict : memref<1x32x5x5xf32> to tensor<1x32x5x5xf32>
  %y = bufferization.to_tensor %s restrict : memref<32xf32> to tensor<32xf32>
  %0 = coat.group_norm %x, %y, %y {groups = 4 : i64, epsilon = 1.0e-5 : f64,
    coat.schedule = #coat.schedule<"rows", tile = [1, 4, 0, 0], vector = 8>}
    : (tensor<1x32x5x5xf32>, tensor<32xf32>, tensor<32xf32>) -> tensor<1x32x5x5xf32>
  bufferization.materialize_in_destination %0 in restrict writable %o : (tensor<1x32x5x5xf32>, memref<1x32x5x5xf32>) -> ()
  return
}
