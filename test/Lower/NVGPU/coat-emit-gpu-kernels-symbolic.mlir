// RUN: not coat-opt %s --coat-emit-gpu-kernels=archs=sm_80 2>&1 | FileCheck %s
// CHECK: expected static sizes; symbolic ones are not supported yet with --device=cuda, got 'memref<?xf32>'
func.func private @k0(%x: memref<?xf32>, %o: memref<?xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<?xf32> to tensor<?xf32>
  %1 = coat.elementwise relu %0 : (tensor<?xf32>) -> tensor<?xf32>
  bufferization.materialize_in_destination %1 in restrict writable %o : (tensor<?xf32>, memref<?xf32>) -> ()
  return
}
