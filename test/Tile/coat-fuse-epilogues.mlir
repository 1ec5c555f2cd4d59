// RUN: coat-opt %s --coat-fuse-epilogues | FileCheck %s

// A chain of element-wise ops becomes one generic behind the root.
// CHECK-LABEL: @chain
// CHECK: coat.matmul
// CHECK: linalg.generic
// CHECK: arith.addf
// CHECK: arith.maximumf
// CHECK: linalg.yield
// CHECK-NOT: linalg.generic
// CHECK: bufferization.materialize_in_destination
func.func private @chain(%a: memref<4x8xf32>, %b: memref<8x16xf32>, %r: memref<4x16xf32>, %o: memref<4x16xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %a restrict : memref<4x8xf32> to tensor<4x8xf32>
  %1 = bufferization.to_tensor %b restrict : memref<8x16xf32> to tensor<8x16xf32>
  %2 = bufferization.to_tensor %r restrict : memref<4x16xf32> to tensor<4x16xf32>
  %3 = coat.matmul %0, %1 : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
  %4 = coat.elementwise add %3, %2 : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %5 = coat.elementwise relu %4 : (tensor<4x16xf32>) -> tensor<4x16xf32>
  bufferization.materialize_in_destination %5 in restrict writable %o : (tensor<4x16xf32>, memref<4x16xf32>) -> ()
  return
}

// A symbolic size is asked of an argument; asked of a result, it would keep the untiled op alive.
// CHECK-LABEL: @symbolic
// CHECK: %[[X:.*]] = bufferization.to_tensor %arg0
// CHECK: tensor.dim %[[X]]
// CHECK-NOT: tensor.dim
// CHECK: return
func.func private @symbolic(%a: memref<?x16xf32>, %o: memref<?x16xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %a restrict : memref<?x16xf32> to tensor<?x16xf32>
  %1 = coat.elementwise relu %0 : (tensor<?x16xf32>) -> tensor<?x16xf32>
  %2 = coat.elementwise neg %1 : (tensor<?x16xf32>) -> tensor<?x16xf32>
  bufferization.materialize_in_destination %2 in restrict writable %o : (tensor<?x16xf32>, memref<?x16xf32>) -> ()
  return
}

// Not a kernel: nothing happens.
// CHECK-LABEL: @not_a_kernel
// CHECK: coat.elementwise relu
func.func @not_a_kernel(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = coat.elementwise relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
