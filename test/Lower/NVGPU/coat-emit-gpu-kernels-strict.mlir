// RUN: coat-opt %s --coat-emit-gpu-kernels="archs=sm_90a strict" | FileCheck %s
// -ffp-model=strict: each thread adds up a row, or an element, from one end to the other.

// CHECK-LABEL: gpu.module @k0_sm_90a
// 3 rows, a thread each; the row's maximum and sum once.
// CHECK: coat.block = array<i32: 32, 1, 1>, coat.grid = array<i64: 1, 1, 1>{{.*}}coat.shared = 0
// CHECK-NOT: nvvm.shfl.sync {{.*}}bfly
// CHECK: scf.for {{.*}} iter_args
// CHECK: scf.for {{.*}} iter_args
// CHECK-NOT: iter_args
// CHECK: llvm.store
func.func private @k0(%x: memref<3x1000xf32>, %o: memref<3x1000xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<3x1000xf32> to tensor<3x1000xf32>
  %1 = coat.softmax %0 {axis = 1} : (tensor<3x1000xf32>) -> tensor<3x1000xf32>
  bufferization.materialize_in_destination %1 in restrict writable %o : (tensor<3x1000xf32>, memref<3x1000xf32>) -> ()
  return
}

// A product by no tiles.
// CHECK-LABEL: gpu.module @k1_sm_90a
// CHECK: coat.shared = 0
// CHECK: %[[SUM:.*]] = scf.for {{.*}} iter_args
// CHECK:   arith.mulf
// CHECK:   arith.addf
// CHECK: llvm.store %[[SUM]]
func.func private @k1(%x: memref<128x128xf32>, %w: memref<128x128xf32>, %o: memref<128x128xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<128x128xf32> to tensor<128x128xf32>
  %1 = bufferization.to_tensor %w restrict : memref<128x128xf32> to tensor<128x128xf32>
  %2 = coat.matmul %0, %1 : (tensor<128x128xf32>, tensor<128x128xf32>) -> tensor<128x128xf32>
  bufferization.materialize_in_destination %2 in restrict writable %o : (tensor<128x128xf32>, memref<128x128xf32>) -> ()
  return
}
