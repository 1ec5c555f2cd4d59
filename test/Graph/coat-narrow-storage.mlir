// RUN: coat-opt %s --coat-narrow-storage | FileCheck %s

// Elements move in f16; each reader that computes has a conversion of its own.
// CHECK-LABEL: @readers
// CHECK-SAME: (%[[N:.*]]: tensor<4x8xf16>)
func.func @readers(%n: tensor<4x8xf16>) -> (tensor<8x4xf32>, tensor<8x4xf32>) attributes {coat.entry} {
  // CHECK: %[[T:.*]] = coat.transpose %[[N]] {{.*}} (tensor<4x8xf16>) -> tensor<8x4xf16>
  // CHECK: %[[A:.*]] = coat.cast %[[T]] {coat.prologue}
  // CHECK: coat.elementwise exp %[[A]]
  // CHECK: %[[B:.*]] = coat.cast %[[T]] {coat.prologue}
  // CHECK: coat.elementwise tanh %[[B]]
  %0 = coat.cast %n : tensor<4x8xf16> to tensor<4x8xf32>
  %1 = coat.transpose %0 {permutation = array<i64: 1, 0>} : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %2 = coat.elementwise exp %1 : (tensor<8x4xf32>) -> tensor<8x4xf32>
  %3 = coat.elementwise tanh %1 : (tensor<8x4xf32>) -> tensor<8x4xf32>
  return %2, %3 : tensor<8x4xf32>, tensor<8x4xf32>
}

// What relu gives is as narrow as what it takes; a conversion there and back is none.
// CHECK-LABEL: @exact
func.func @exact(%n: tensor<4xf16>) -> tensor<4xf16> attributes {coat.entry} {
  // CHECK: %[[W:.*]] = coat.cast %{{.*}} {coat.prologue} : tensor<4xf16> to tensor<4xf32>
  // CHECK: %[[R:.*]] = coat.elementwise relu %[[W]]
  // CHECK: %[[N:.*]] = coat.cast %[[R]] : tensor<4xf32> to tensor<4xf16>
  // CHECK: return %[[N]]
  %0 = coat.cast %n : tensor<4xf16> to tensor<4xf32>
  %1 = coat.elementwise relu %0 : (tensor<4xf32>) -> tensor<4xf32>
  %2 = coat.cast %1 : tensor<4xf32> to tensor<4xf16>
  return %2 : tensor<4xf16>
}

// Constant factors next to a narrow one are narrow, biases are not.
// CHECK-LABEL: @factors
func.func @factors(%n: tensor<2x2xbf16>) -> tensor<2x2xf32> attributes {coat.entry} {
  // CHECK-DAG: arith.constant dense<{{.*}}> : tensor<2x2xbf16>
  // CHECK-DAG: arith.constant dense<{{.*}}> : tensor<2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %b = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = coat.cast %n : tensor<2x2xbf16> to tensor<2x2xf32>
  // CHECK: coat.matmul
  %1 = coat.matmul %0, %w bias %b : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}

// A sum with a number of f32 is one.
// CHECK-LABEL: @wide
func.func @wide(%n: tensor<4xf16>, %x: tensor<4xf32>) -> tensor<4xf32> attributes {coat.entry} {
  // CHECK: coat.cast
  // CHECK-NEXT: %[[S:.*]] = coat.elementwise max
  // CHECK-NEXT: return %[[S]]
  %0 = coat.cast %n : tensor<4xf16> to tensor<4xf32>
  %1 = coat.elementwise max %0, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
