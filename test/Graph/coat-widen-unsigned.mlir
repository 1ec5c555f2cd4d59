// RUN: coat-opt -coat-widen-unsigned %s | FileCheck %s

// CHECK-LABEL: func @bytes
// CHECK: %[[X:.*]] = coat.cast %arg0 : tensor<4x8xui8> to tensor<4x8xi32>
// CHECK: %[[M:.*]] = coat.reduce max %[[X]] {axes = array<i64: 1>} : (tensor<4x8xi32>) -> tensor<4xi32>
// CHECK: coat.cast %[[M]] : tensor<4xi32> to tensor<4xui8>
func.func @bytes(%x: tensor<4x8xui8>) -> tensor<4xui8> {
  %0 = coat.reduce max %x {axes = array<i64: 1>} : (tensor<4x8xui8>) -> tensor<4xui8>
  return %0 : tensor<4xui8>
}

// No signed type holds them all: the sign bit turns the order around, and back.
// CHECK-LABEL: func @words
// CHECK: coat.cast %arg0 : tensor<4x8xui64> to tensor<4x8xi64>
// CHECK: coat.elementwise bitwise_xor
// CHECK: coat.reduce min
// CHECK: coat.elementwise bitwise_xor
// CHECK: coat.cast %{{.*}} : tensor<4xi64> to tensor<4xui64>
func.func @words(%x: tensor<4x8xui64>) -> tensor<4xui64> {
  %0 = coat.reduce min %x {axes = array<i64: 1>} : (tensor<4x8xui64>) -> tensor<4xui64>
  return %0 : tensor<4xui64>
}

// CHECK-LABEL: func @untouched
// CHECK-NEXT: coat.elementwise max %arg0, %arg0 : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
func.func @untouched(%x: tensor<4xui8>) -> tensor<4xui8> {
  %0 = coat.elementwise max %x, %x : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  return %0 : tensor<4xui8>
}
