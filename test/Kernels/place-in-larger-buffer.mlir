// RUN: coat-opt %s --coat-outline-kernels --split-input-file | FileCheck %s

// A producer writes into the inside of the padded buffer, and fills the border once.
// CHECK-LABEL: func.func @padded
// CHECK: %[[IN:.*]] = memref.subview %[[Y:.*]][1, 0] [4, 3] [1, 1]
// CHECK: coat.launch @{{.*}} outs(%[[IN]], %[[Y]])
// CHECK-NEXT: return
// CHECK: coat.once
// CHECK-COUNT-2: linalg.fill
func.func @padded(%x: tensor<4x3xf32>) -> tensor<6x3xf32> attributes {coat.entry} {
  %0 = coat.elementwise relu %x : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = coat.pad constant %0 {low = array<i64: 1, 0>, high = array<i64: 1, 0>} : (tensor<4x3xf32>) -> tensor<6x3xf32>
  return %1 : tensor<6x3xf32>
}

// -----

// Mirrored elements are computed from the inside, so the pad stays a kernel.
// CHECK-LABEL: func.func @reflected
// CHECK-NOT: memref.subview
// CHECK: return
func.func @reflected(%x: tensor<4x3xf32>) -> tensor<6x3xf32> attributes {coat.entry} {
  %0 = coat.elementwise relu %x : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = coat.pad reflect %0 {low = array<i64: 1, 0>, high = array<i64: 1, 0>} : (tensor<4x3xf32>) -> tensor<6x3xf32>
  return %1 : tensor<6x3xf32>
}

// -----

// Both operands of the concatenation are written in place.
// CHECK-LABEL: func.func @concatenated
// CHECK: %[[A:.*]] = memref.subview %[[Y:.*]][0, 0] [4, 3] [1, 1]
// CHECK: coat.launch @{{.*}} outs(%[[A]])
// CHECK: %[[B:.*]] = memref.subview %[[Y]][0, 3] [4, 3] [1, 1]
// CHECK: coat.launch @{{.*}} outs(%[[B]])
// CHECK-NEXT: return
func.func @concatenated(%x: tensor<4x3xf32>) -> tensor<4x6xf32> attributes {coat.entry} {
  %0 = coat.elementwise relu %x : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = coat.elementwise neg %x : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %2 = tensor.concat dim(1) %0, %1 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x6xf32>
  return %2 : tensor<4x6xf32>
}
