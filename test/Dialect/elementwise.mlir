// Element-wise ops, casts and reductions: round trip and types.
// RUN: coat-opt %s | coat-opt | FileCheck %s
// RUN: coat-opt %s -mlir-print-op-generic | coat-opt | FileCheck %s

// CHECK-LABEL: @clip_add
// CHECK: coat.elementwise clip %{{.*}} {alpha = 0.000000e+00 : f64, beta = 6.000000e+00 : f64}
// CHECK: coat.elementwise add %{{.*}}, %{{.*}} :
func.func @clip_add(%x: tensor<?x96x56x56xf32>, %b: tensor<96x1x1xf32>) -> tensor<?x96x56x56xf32> {
  %0 = coat.elementwise clip %x {alpha = 0.0, beta = 6.0} : (tensor<?x96x56x56xf32>) -> tensor<?x96x56x56xf32>
  %1 = coat.elementwise add %0, %b : (tensor<?x96x56x56xf32>, tensor<96x1x1xf32>) -> tensor<?x96x56x56xf32>
  return %1 : tensor<?x96x56x56xf32>
}

// CHECK-LABEL: @compare_select
func.func @compare_select(%x: tensor<4x1xf32>, %y: tensor<8xf32>, %s: tensor<f32>) -> tensor<4x8xf32> {
  %0 = coat.elementwise less %x, %y : (tensor<4x1xf32>, tensor<8xf32>) -> tensor<4x8xi1>
  %1 = coat.elementwise isnan %y : (tensor<8xf32>) -> tensor<8xi1>
  %2 = coat.elementwise logical_or %0, %1 : (tensor<4x8xi1>, tensor<8xi1>) -> tensor<4x8xi1>
  %3 = coat.elementwise select %2, %x, %s : (tensor<4x8xi1>, tensor<4x1xf32>, tensor<f32>) -> tensor<4x8xf32>
  return %3 : tensor<4x8xf32>
}

// CHECK-LABEL: @cast
// CHECK: coat.cast %{{.*}} : tensor<?x16xi64> to tensor<?x16xf32>
func.func @cast(%x: tensor<?x16xi64>) -> tensor<?x16xf32> {
  %0 = coat.cast %x : tensor<?x16xi64> to tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}

// CHECK-LABEL: @reduce
// CHECK: coat.reduce mean %{{.*}} {axes = array<i64: 2, 3>, keep_dims}
// CHECK: coat.reduce max %{{.*}} {axes = array<i64: 1>}
func.func @reduce(%x: tensor<?x64x7x7xf32>) -> tensor<?x1x1xf32> {
  %0 = coat.reduce mean %x {axes = array<i64: 2, 3>, keep_dims} : (tensor<?x64x7x7xf32>) -> tensor<?x64x1x1xf32>
  %1 = coat.reduce max %0 {axes = array<i64: 1>} : (tensor<?x64x1x1xf32>) -> tensor<?x1x1xf32>
  return %1 : tensor<?x1x1xf32>
}

// CHECK-LABEL: @arg_reduce
// CHECK: coat.arg_reduce max %{{.*}} {axis = 1 : i64}
// CHECK: coat.arg_reduce min %{{.*}} {axis = 0 : i64, keep_dims, select_last}
func.func @arg_reduce(%x: tensor<?x1000xf32>, %y: tensor<4x8xf32>) -> (tensor<?xi64>, tensor<1x8xi64>) {
  %0 = coat.arg_reduce max %x {axis = 1} : (tensor<?x1000xf32>) -> tensor<?xi64>
  %1 = coat.arg_reduce min %y {axis = 0, keep_dims, select_last} : (tensor<4x8xf32>) -> tensor<1x8xi64>
  return %0, %1 : tensor<?xi64>, tensor<1x8xi64>
}
