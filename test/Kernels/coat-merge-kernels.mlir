// RUN: coat-opt %s --coat-merge-kernels | FileCheck %s

// @a and @b are equal, @c adds where they multiply.
// CHECK: coat.launch @a
// CHECK: coat.launch @a
// CHECK: coat.launch @c
// CHECK: func.func private @a
// CHECK-NOT: func.func private @b
// CHECK: func.func private @c
func.func @net(%x: memref<4xf32>, %y: memref<4xf32>) attributes {coat.entry} {
  coat.launch @a(%x) outs(%y) : (memref<4xf32>, memref<4xf32>) -> ()
  coat.launch @b(%x) outs(%y) : (memref<4xf32>, memref<4xf32>) -> ()
  coat.launch @c(%x) outs(%y) : (memref<4xf32>, memref<4xf32>) -> ()
  return
}
func.func private @a(%x: memref<4xf32>, %y: memref<4xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<4xf32> to tensor<4xf32>
  %1 = coat.elementwise mul %0, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  bufferization.materialize_in_destination %1 in restrict writable %y : (tensor<4xf32>, memref<4xf32>) -> ()
  return
}
func.func private @b(%p: memref<4xf32>, %q: memref<4xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %p restrict : memref<4xf32> to tensor<4xf32>
  %1 = coat.elementwise mul %0, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  bufferization.materialize_in_destination %1 in restrict writable %q : (tensor<4xf32>, memref<4xf32>) -> ()
  return
}
func.func private @c(%x: memref<4xf32>, %y: memref<4xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<4xf32> to tensor<4xf32>
  %1 = coat.elementwise add %0, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  bufferization.materialize_in_destination %1 in restrict writable %y : (tensor<4xf32>, memref<4xf32>) -> ()
  return
}
