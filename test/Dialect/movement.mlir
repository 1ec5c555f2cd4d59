// Ops that move elements: round trip and types.
// RUN: coat-opt %s | coat-opt | FileCheck %s
// RUN: coat-opt %s -mlir-print-op-generic | coat-opt | FileCheck %s

// CHECK-LABEL: @transpose
// CHECK: coat.transpose %{{.*}} {permutation = array<i64: 0, 2, 3, 1>}
func.func @transpose(%x: tensor<?x3x224x224xf32>) -> tensor<?x224x224x3xf32> {
  %0 = coat.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : (tensor<?x3x224x224xf32>) -> tensor<?x224x224x3xf32>
  return %0 : tensor<?x224x224x3xf32>
}

// CHECK-LABEL: @reshape
// CHECK: coat.reshape %{{.*}} sizes %{{.*}} : tensor<?x64x7x7xf32> to tensor<?x3136xf32>
// CHECK: coat.reshape %{{.*}} : tensor<2x6xf32> to tensor<12xf32>
func.func @reshape(%x: tensor<?x64x7x7xf32>, %n: index, %y: tensor<2x6xf32>) -> (tensor<?x3136xf32>, tensor<12xf32>) {
  %0 = coat.reshape %x sizes %n : tensor<?x64x7x7xf32> to tensor<?x3136xf32>
  %1 = coat.reshape %y : tensor<2x6xf32> to tensor<12xf32>
  return %0, %1 : tensor<?x3136xf32>, tensor<12xf32>
}

// CHECK-LABEL: @broadcast
// CHECK: coat.broadcast %{{.*}} sizes %{{.*}} : tensor<1x1x192xf32> to tensor<?x1x192xf32>
func.func @broadcast(%x: tensor<1x1x192xf32>, %n: index) -> tensor<?x1x192xf32> {
  %0 = coat.broadcast %x sizes %n : tensor<1x1x192xf32> to tensor<?x1x192xf32>
  return %0 : tensor<?x1x192xf32>
}

// CHECK-LABEL: @pad
// CHECK: coat.pad reflect %{{.*}} {high = array<i64: 0, 2>, low = array<i64: 0, 1>}
// CHECK: coat.pad constant %{{.*}} {high = array<i64: 1, 1>, low = array<i64: 0, 0>, value = 0xFFF0000000000000 : f64}
func.func @pad(%x: tensor<?x8xf32>) -> tensor<?x12xf32> {
  %0 = coat.pad reflect %x {low = array<i64: 0, 1>, high = array<i64: 0, 2>} : (tensor<?x8xf32>) -> tensor<?x11xf32>
  %1 = coat.pad constant %0 {low = array<i64: 0, 0>, high = array<i64: 1, 1>, value = 0xFFF0000000000000 : f64}
    : (tensor<?x11xf32>) -> tensor<?x12xf32>
  return %1 : tensor<?x12xf32>
}

// CHECK-LABEL: @gather
// CHECK: coat.gather %{{.*}}, %{{.*}} {axis = 0 : i64} :
// CHECK: coat.gather %{{.*}}, %{{.*}} {axis = 1 : i64, elementwise}
func.func @gather(%table: tensor<1000x64xf32>, %ids: tensor<?x128xi64>, %picks: tensor<1000x3xi32>) -> (tensor<?x128x64xf32>, tensor<1000x3xf32>) {
  %0 = coat.gather %table, %ids {axis = 0} : (tensor<1000x64xf32>, tensor<?x128xi64>) -> tensor<?x128x64xf32>
  %1 = coat.gather %table, %picks {axis = 1, elementwise} : (tensor<1000x64xf32>, tensor<1000x3xi32>) -> tensor<1000x3xf32>
  return %0, %1 : tensor<?x128x64xf32>, tensor<1000x3xf32>
}
