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

// CHECK-LABEL: @tuples
// CHECK: coat.scatter_nd replace
// CHECK: coat.gather_nd %{{.*}} {batch_dims = 1 : i64}
func.func @tuples(%x: tensor<8x4xf32>, %i: tensor<3x1xi64>, %u: tensor<3x4xf32>, %j: tensor<8x3x1xi32>) -> (tensor<8x4xf32>, tensor<8x3xf32>) {
  %0 = coat.scatter_nd replace %x, %i, %u : (tensor<8x4xf32>, tensor<3x1xi64>, tensor<3x4xf32>) -> tensor<8x4xf32>
  %1 = coat.gather_nd %x, %j {batch_dims = 1} : (tensor<8x4xf32>, tensor<8x3x1xi32>) -> tensor<8x3xf32>
  return %0, %1 : tensor<8x4xf32>, tensor<8x3xf32>
}

// CHECK-LABEL: @order
// CHECK: coat.top_k %{{.*}} {axis = 1 : i64, k = 3 : i64, smallest}
// CHECK: coat.reverse_sequence
// CHECK: coat.cumulate %{{.*}}, %{{.*}} {exclusive, product}
func.func @order(%x: tensor<4x8xf32>, %n: tensor<8xi64>, %axis: tensor<i32>) -> (tensor<4x3xf32>, tensor<4x3xi64>, tensor<4x8xf32>, tensor<4x8xf32>) {
  %v, %i = coat.top_k %x {axis = 1, k = 3, smallest} : (tensor<4x8xf32>) -> (tensor<4x3xf32>, tensor<4x3xi64>)
  %0 = coat.reverse_sequence %x, %n {time_axis = 0, batch_axis = 1} : (tensor<4x8xf32>, tensor<8xi64>) -> tensor<4x8xf32>
  %1 = coat.cumulate %x, %axis {product, exclusive} : (tensor<4x8xf32>, tensor<i32>) -> tensor<4x8xf32>
  return %v, %i, %0, %1 : tensor<4x3xf32>, tensor<4x3xi64>, tensor<4x8xf32>, tensor<4x8xf32>
}

// CHECK-LABEL: @lists
// CHECK: coat.non_zero %{{.*}} : (tensor<3x4xf32>) -> (tensor<24xi64>, tensor<i64>)
// CHECK: coat.compress
// CHECK: coat.unique %{{.*}} {axis = 0 : i64, sorted}
// CHECK: coat.non_max_suppression
func.func @lists(%x: tensor<3x4xf32>, %c: tensor<2xi1>, %b: tensor<1x9x4xf32>, %s: tensor<1x2x9xf32>, %n: tensor<1xi64>, %o: tensor<f32>) -> (tensor<24xi64>, tensor<12xf32>, tensor<12xf32>, tensor<24xi64>) {
  %0:2 = coat.non_zero %x : (tensor<3x4xf32>) -> (tensor<24xi64>, tensor<i64>)
  %1:2 = coat.compress %x, %c {axis = 1} : (tensor<3x4xf32>, tensor<2xi1>) -> (tensor<12xf32>, tensor<i64>)
  %2:5 = coat.unique %x {axis = 0, sorted} : (tensor<3x4xf32>) -> (tensor<12xf32>, tensor<3xi64>, tensor<3xi64>, tensor<3xi64>, tensor<i64>)
  %3:2 = coat.non_max_suppression %b, %s, %n, %o, %o {limit = 4} : (tensor<1x9x4xf32>, tensor<1x2x9xf32>, tensor<1xi64>, tensor<f32>, tensor<f32>) -> (tensor<24xi64>, tensor<i64>)
  return %0#0, %1#0, %2#0, %3#0 : tensor<24xi64>, tensor<12xf32>, tensor<12xf32>, tensor<24xi64>
}

// CHECK-LABEL: @run_time
// CHECK: coat.matches %{{.*}} {choices = array<i64: 2, 0, 3, -1>}
// CHECK: coat.names_axes %{{.*}} {rank = 3 : i64, sets = array<i64: 3, 5>}
// CHECK: coat.slice_at
// CHECK: coat.pad_at reflect
func.func @run_time(%x: tensor<8x4xf32>, %v: tensor<2xi64>, %w: tensor<4xi64>, %z: tensor<f32>) -> (tensor<2x4xf32>, tensor<9x4xf32>) {
  %a = coat.matches %v {choices = array<i64: 2, 0, 3, -1>} : (tensor<2xi64>) -> tensor<i1>
  %b = coat.names_axes %v {rank = 3, sets = array<i64: 3, 5>} : (tensor<2xi64>) -> tensor<i1>
  coat.require %a {message = "expected another"} : tensor<i1>
  coat.require %b {message = "expected others"} : tensor<i1>
  %0:2 = coat.slice_at %x, %v, %v, %v, %v {sizes = array<i64: 2, 4>} : (tensor<8x4xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> (tensor<2x4xf32>, tensor<i1>)
  %1:2 = coat.pad_at reflect %x, %w, %v, %z {sizes = array<i64: 9, 4>} : (tensor<8x4xf32>, tensor<4xi64>, tensor<2xi64>, tensor<f32>) -> (tensor<9x4xf32>, tensor<i1>)
  return %0#0, %1#0 : tensor<2x4xf32>, tensor<9x4xf32>
}
