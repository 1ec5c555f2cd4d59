// RUN: coat-opt %s --split-input-file --coat-emit-gpu-kernels=archs=sm_90a | FileCheck %s
// A group a block: 2 images of 3 groups, 8 channels of 63 pixels, four at a time.

// CHECK-LABEL: gpu.module @k0_sm_90a
// CHECK: coat.block = array<i32: 128, 1, 1>, coat.grid = array<i64: 6, 1, 1>{{.*}}coat.shared = 16
// CHECK: scf.for
// CHECK:   llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
// CHECK: nvvm.shfl.sync {{.*}}bfly
// CHECK: nvvm.barrier
// CHECK: scf.for
// CHECK: nvvm.barrier
// CHECK: scf.for
// CHECK: llvm.store %{{.*}} {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
func.func private @k0(%x: memref<2x9x7x24xf32>, %scale: memref<24xf32>, %o: memref<2x9x7x24xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<2x9x7x24xf32> to tensor<2x9x7x24xf32>
  %1 = bufferization.to_tensor %scale restrict : memref<24xf32> to tensor<24xf32>
  %bias = arith.constant dense<0.5> : tensor<24xf32>
  %2 = coat.group_norm %0, %1, %bias {groups = 3, epsilon = 1.0e-3, data_layout = #coat<layout channels_last>}
    : (tensor<2x9x7x24xf32>, tensor<24xf32>, tensor<24xf32>) -> tensor<2x9x7x24xf32>
  bufferization.materialize_in_destination %2 in restrict writable %o : (tensor<2x9x7x24xf32>, memref<2x9x7x24xf32>) -> ()
  return
}

// -----
// Not where channels come first.
// CHECK-LABEL: gpu.module @k0_sm_90a
// CHECK-NOT: nvvm.barrier
func.func private @k0(%x: memref<2x24x9xf32>, %scale: memref<24xf32>, %o: memref<2x24x9xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<2x24x9xf32> to tensor<2x24x9xf32>
  %1 = bufferization.to_tensor %scale restrict : memref<24xf32> to tensor<24xf32>
  %2 = coat.group_norm %0, %1, %1 {groups = 3, epsilon = 1.0e-3} : (tensor<2x24x9xf32>, tensor<24xf32>, tensor<24xf32>) -> tensor<2x24x9xf32>
  bufferization.materialize_in_destination %2 in restrict writable %o : (tensor<2x24x9xf32>, memref<2x24x9xf32>) -> ()
  return
}
