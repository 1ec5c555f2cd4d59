// RUN: coat-opt --coat-reference --canonicalize %s | FileCheck %s

// The boundary: inputs, then results as arguments, with their names and symbols.
// CHECK-LABEL: func.func @boundary(
// CHECK-SAME: %[[X:.*]]: memref<?x8xf32> {coat.dims = ["N", "8"], coat.name = "x"}
// CHECK-SAME: %[[Y:.*]]: memref<?x8xf32> {coat.dims = ["N", "8"], coat.name = "y", coat.result})
// CHECK-SAME: attributes {coat.entry, coat.symbols
func.func @boundary(%x: tensor<?x8xf32> {coat.name = "x", coat.dims = ["N", "8"]})
    -> (tensor<?x8xf32> {coat.name = "y", coat.dims = ["N", "8"]})
    attributes {coat.entry, coat.symbols = [{name = "N", min = 1 : i64, max = 8 : i64}]} {
  // CHECK: %[[N:.*]] = memref.dim %[[X]]
  // CHECK: %[[T:.*]] = memref.alloc(%[[N]]) : memref<?x8xf32>
  // CHECK: coat.launch @ref_0_softmax(%[[X]]) outs(%[[T]])
  // CHECK: coat.launch @ref_1_elementwise(%[[T]]) outs(%[[Y]])
  // CHECK-NEXT: return
  %0 = coat.softmax %x {axis = 1 : i64} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = coat.elementwise relu %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @weights_and_views(
func.func @weights_and_views(%x: tensor<?x4xf32>) -> tensor<?xf32> attributes {coat.entry} {
  // CHECK: %[[W:.*]] = coat.weight dense<{{.*}}> : tensor<4xf32> : memref<4xf32>
  %w = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  // CHECK: coat.launch @ref_{{.*}}_elementwise(%{{.*}}, %[[W]]) outs(%[[SUM:.*]]) :
  %0 = coat.elementwise add %x, %w : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %n = tensor.dim %0, %c0 : tensor<?x4xf32>
  // CHECK: %[[M:.*]] = arith.muli
  %m = arith.muli %n, %c4 : index
  // CHECK: %[[V:.*]] = memref.reinterpret_cast %[[SUM]] to offset: [0], sizes: [%[[M]]], strides: [1]
  %1 = coat.reshape %0 sizes %m : tensor<?x4xf32> to tensor<?xf32>
  // A view is no kernel, so its elements have to be copied to the result.
  // CHECK: coat.launch @ref_{{.*}}_copy(%[[V]])
  return %1 : tensor<?xf32>
}

// CHECK-LABEL: func.func @returned_twice_and_argument(
// CHECK-SAME: %[[X:[a-z0-9]*]]: memref<4xf32>, %[[A:[a-z0-9]*]]: memref<4xf32> {coat.result}, %[[B:[a-z0-9]*]]: memref<4xf32> {coat.result}, %[[C:.*]]: memref<4xf32> {coat.result})
func.func @returned_twice_and_argument(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) attributes {coat.entry} {
  // CHECK: coat.launch @ref_{{.*}}_elementwise(%[[X]]) outs(%[[A]])
  // CHECK: coat.launch @[[COPY:ref_.*_copy]](%[[A]]) outs(%[[B]])
  // CHECK: coat.launch @[[COPY]](%[[X]]) outs(%[[C]])
  %0 = coat.elementwise relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0, %0, %x : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// Equal attributes and types: one kernel. Another attribute: another kernel.
// CHECK-LABEL: func.func @sharing(
func.func @sharing(%x: tensor<2x4xf32>) -> tensor<2x4xf32> attributes {coat.entry} {
  // CHECK: coat.launch @[[K:ref_.*_softmax]](
  // CHECK: coat.launch @[[K]](
  // CHECK-NOT: coat.launch @[[K]](
  %0 = coat.softmax %x {axis = 1 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %1 = coat.softmax %0 {axis = 1 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %2 = coat.softmax %1 {axis = 0 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return %2 : tensor<2x4xf32>
}

// The sizes of results come from the op's own inference.
// CHECK-LABEL: func.func @symbolic_sizes(
func.func @symbolic_sizes(%x: tensor<1x1x?x?xf32>, %w: tensor<1x1x3x3xf32>) -> tensor<1x1x?x?xf32> attributes {coat.entry} {
  // CHECK: affine.apply
  // CHECK: memref.alloc(%{{.*}}, %{{.*}}) : memref<1x1x?x?xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x1x?x?xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x?x?xf32>
  %1 = coat.elementwise relu %0 : (tensor<1x1x?x?xf32>) -> tensor<1x1x?x?xf32>
  return %1 : tensor<1x1x?x?xf32>
}

// Not an entry.
// CHECK-LABEL: func.func @other(
func.func @other(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: coat.elementwise
  %0 = coat.elementwise relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
