// Ops that pick or place by index or order: round trip, types, and the kernel that their formula is.
// RUN: coat-opt %s | coat-opt | FileCheck %s
// RUN: coat-opt %s -mlir-print-op-generic | coat-opt | FileCheck %s
// RUN: coat-opt %s --coat-reference | FileCheck %s --check-prefix=KERNEL
// RUN: coat-opt %s --coat-outline-kernels | FileCheck %s --check-prefix=KERNEL

// CHECK-LABEL: @scatter_elements
// CHECK: coat.scatter_elements add %{{.*}}, %{{.*}}, %{{.*}} {axis = 1 : i64}
// KERNEL-LABEL: func.func private @{{.*}}(%arg0: memref<4x8xf32>, %arg1: memref<4x3xi64>, %arg2: memref<4x3xf32>, %arg3: memref<4x8xf32>)
// KERNEL: memref.store %{{.*}}, %arg3
// KERNEL: %[[OLD:.*]] = memref.load %arg3
// KERNEL: %[[NEW:.*]] = memref.load %arg2
// KERNEL: arith.addf %[[OLD]], %[[NEW]]
func.func @scatter_elements(%x: tensor<4x8xf32>, %i: tensor<4x3xi64>, %u: tensor<4x3xf32>) -> tensor<4x8xf32> attributes {coat.entry} {
  %0 = coat.scatter_elements add %x, %i, %u {axis = 1} : (tensor<4x8xf32>, tensor<4x3xi64>, tensor<4x3xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
