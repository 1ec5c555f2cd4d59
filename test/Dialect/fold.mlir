// Folders, each with a twin that must not fold.
// RUN: coat-opt %s -canonicalize | FileCheck %s

// CHECK-LABEL: @transpose_identity
// CHECK-NEXT: return %arg0
func.func @transpose_identity(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = coat.transpose %x {permutation = array<i64: 0, 1>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// Dimensions of the same size are still moved.
// CHECK-LABEL: @transpose_square
// CHECK: coat.transpose
func.func @transpose_square(%x: tensor<3x3xf32>) -> tensor<3x3xf32> {
  %0 = coat.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x3xf32>) -> tensor<3x3xf32>
  return %0 : tensor<3x3xf32>
}

// CHECK-LABEL: @transpose_compose
// CHECK-NEXT: coat.transpose %arg0 {permutation = array<i64: 2, 1, 0>} : (tensor<2x3x4xf32>) -> tensor<4x3x2xf32>
// CHECK-NEXT: return
func.func @transpose_compose(%x: tensor<2x3x4xf32>) -> tensor<4x3x2xf32> {
  %0 = coat.transpose %x {permutation = array<i64: 0, 2, 1>} : (tensor<2x3x4xf32>) -> tensor<2x4x3xf32>
  %1 = coat.transpose %0 {permutation = array<i64: 1, 2, 0>} : (tensor<2x4x3xf32>) -> tensor<4x3x2xf32>
  return %1 : tensor<4x3x2xf32>
}

// CHECK-LABEL: @transpose_cancel
// CHECK-NEXT: return %arg0
func.func @transpose_cancel(%x: tensor<?x3x4xf32>) -> tensor<?x3x4xf32> {
  %0 = coat.transpose %x {permutation = array<i64: 1, 2, 0>} : (tensor<?x3x4xf32>) -> tensor<3x4x?xf32>
  %1 = coat.transpose %0 {permutation = array<i64: 2, 0, 1>} : (tensor<3x4x?xf32>) -> tensor<?x3x4xf32>
  return %1 : tensor<?x3x4xf32>
}

// CHECK-LABEL: @transpose_constant
// CHECK: dense<{{\[\[}}1, 4], [2, 5], [3, 6]]> : tensor<3x2xi64>
func.func @transpose_constant() -> tensor<3x2xi64> {
  %c = arith.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi64>
  %0 = coat.transpose %c {permutation = array<i64: 1, 0>} : (tensor<2x3xi64>) -> tensor<3x2xi64>
  return %0 : tensor<3x2xi64>
}

// CHECK-LABEL: @reshape_identity
// CHECK-NEXT: return %arg0
func.func @reshape_identity(%x: tensor<?x3xf32>, %n: index) -> tensor<?x3xf32> {
  %0 = coat.reshape %x sizes %n : tensor<?x3xf32> to tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// Two symbolic sizes may trade factors.
// CHECK-LABEL: @reshape_two_symbols
// CHECK: coat.reshape
func.func @reshape_two_symbols(%x: tensor<?x?xf32>, %m: index, %n: index) -> tensor<?x?xf32> {
  %0 = coat.reshape %x sizes %m, %n : tensor<?x?xf32> to tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: @reshape_of_reshape
// CHECK-NEXT: coat.reshape %arg0 : tensor<2x6xf32> to tensor<4x3xf32>
// CHECK-NEXT: return
func.func @reshape_of_reshape(%x: tensor<2x6xf32>) -> tensor<4x3xf32> {
  %0 = coat.reshape %x : tensor<2x6xf32> to tensor<12xf32>
  %1 = coat.reshape %0 : tensor<12xf32> to tensor<4x3xf32>
  return %1 : tensor<4x3xf32>
}

// CHECK-LABEL: @reshape_constant
// CHECK-DAG: dense<{{\[\[}}1, 2], [3, 4]]> : tensor<2x2xi64>
// CHECK-DAG: dense_resource<weights> : tensor<2x2xf32>
func.func @reshape_constant() -> (tensor<2x2xi64>, tensor<2x2xf32>) {
  %c = arith.constant dense<[1, 2, 3, 4]> : tensor<4xi64>
  %0 = coat.reshape %c : tensor<4xi64> to tensor<2x2xi64>
  %r = arith.constant dense_resource<weights> : tensor<4xf32>
  %1 = coat.reshape %r : tensor<4xf32> to tensor<2x2xf32>
  return %0, %1 : tensor<2x2xi64>, tensor<2x2xf32>
}

// CHECK-LABEL: @cast
// CHECK-DAG: dense<[1, -1, 2]> : tensor<3xi32>
// CHECK-DAG: dense<[true, true, false]> : tensor<3xi1>
// CHECK-DAG: dense<[0.000000e+00, 1.000000e+00]> : tensor<2xf32>
// CHECK-DAG: dense<[3, -4]> : tensor<2xi8>
func.func @cast() -> (tensor<3xi32>, tensor<3xi1>, tensor<2xf32>, tensor<2xi8>) {
  %f = arith.constant dense<[1.9, -1.9, 2.0]> : tensor<3xf32>
  %0 = coat.cast %f : tensor<3xf32> to tensor<3xi32>
  %g = arith.constant dense<[0.5, -2.0, 0.0]> : tensor<3xf32>
  %1 = coat.cast %g : tensor<3xf32> to tensor<3xi1>
  %b = arith.constant dense<[false, true]> : tensor<2xi1>
  %2 = coat.cast %b : tensor<2xi1> to tensor<2xf32>
  %i = arith.constant dense<[3, -4]> : tensor<2xi64>
  %3 = coat.cast %i : tensor<2xi64> to tensor<2xi8>
  return %0, %1, %2, %3 : tensor<3xi32>, tensor<3xi1>, tensor<2xf32>, tensor<2xi8>
}

// CHECK-LABEL: @cast_identity
// CHECK-NEXT: return %arg0
func.func @cast_identity(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = coat.cast %x : tensor<?xf32> to tensor<?xf32>
  return %0 : tensor<?xf32>
}

// CHECK-LABEL: @broadcast
// CHECK-DAG: dense<7> : tensor<4x2xi64>
// CHECK-DAG: dense<{{\[\[}}1, 2], [1, 2]]> : tensor<2x2xi64>
// CHECK: return %arg0
func.func @broadcast(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4x2xi64>, tensor<2x2xi64>) {
  %0 = coat.broadcast %x : tensor<4xf32> to tensor<4xf32>
  %c = arith.constant dense<7> : tensor<1xi64>
  %1 = coat.broadcast %c : tensor<1xi64> to tensor<4x2xi64>
  %d = arith.constant dense<[1, 2]> : tensor<2xi64>
  %2 = coat.broadcast %d : tensor<2xi64> to tensor<2x2xi64>
  return %0, %1, %2 : tensor<4xf32>, tensor<4x2xi64>, tensor<2x2xi64>
}

// CHECK-LABEL: @pad_nothing
// CHECK-NEXT: return %arg0
func.func @pad_nothing(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = coat.pad constant %x {low = array<i64: 0>, high = array<i64: 0>} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: @pad_something
// CHECK: coat.pad
func.func @pad_something(%x: tensor<4xf32>) -> tensor<5xf32> {
  %0 = coat.pad constant %x {low = array<i64: 0>, high = array<i64: 1>} : (tensor<4xf32>) -> tensor<5xf32>
  return %0 : tensor<5xf32>
}

// CHECK-LABEL: @neutral
// CHECK-NEXT: return %arg0, %arg0
func.func @neutral(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<1x4xf32>
  %0 = coat.elementwise add %zero, %x : (tensor<f32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = coat.elementwise sub %0, %zero : (tensor<?x4xf32>, tensor<f32>) -> tensor<?x4xf32>
  %2 = coat.elementwise mul %one, %x : (tensor<1x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %3 = coat.elementwise div %2, %one : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x4xf32>
  return %1, %3 : tensor<?x4xf32>, tensor<?x4xf32>
}

// 0 - x and 1 / x are not x, and a neutral operand may still broadcast.
// CHECK-LABEL: @not_neutral
// CHECK: coat.elementwise sub
// CHECK: coat.elementwise div
// CHECK: coat.elementwise add
func.func @not_neutral(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<2x4xf32>) {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %zeros = arith.constant dense<0.0> : tensor<2x1xf32>
  %0 = coat.elementwise sub %zero, %x : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = coat.elementwise div %one, %0 : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = coat.elementwise add %1, %zeros : (tensor<4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  return %1, %2 : tensor<4xf32>, tensor<2x4xf32>
}

// CHECK-LABEL: @relu_relu
// CHECK-COUNT-1: coat.elementwise relu
// CHECK-NEXT: return
func.func @relu_relu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = coat.elementwise relu %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = coat.elementwise relu %0 : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// CHECK-LABEL: @broadcast_constants
// CHECK: dense<{{\[\[}}11, 21], [12, 22]]> : tensor<2x2xi64>
func.func @broadcast_constants() -> tensor<2x2xi64> {
  %a = arith.constant dense<[[1], [2]]> : tensor<2x1xi64>
  %b = arith.constant dense<[10, 20]> : tensor<2xi64>
  %0 = coat.elementwise add %a, %b : (tensor<2x1xi64>, tensor<2xi64>) -> tensor<2x2xi64>
  return %0 : tensor<2x2xi64>
}

// A splat folds at any size; other constants of more than 4096 elements are left to the Graph stage.
// CHECK-LABEL: @large
// CHECK: dense<3.000000e+00> : tensor<100x100xf32>
// CHECK: coat.elementwise add
func.func @large() -> (tensor<100x100xf32>, tensor<100x100xi64>) {
  %a = arith.constant dense<1.0> : tensor<100x100xf32>
  %b = arith.constant dense<2.0> : tensor<f32>
  %0 = coat.elementwise add %a, %b : (tensor<100x100xf32>, tensor<f32>) -> tensor<100x100xf32>
  %row = arith.constant dense<[[0], [1], [2], [3], [4], [5], [6], [7], [8], [9]]> : tensor<10x1xi64>
  %c = coat.broadcast %row : tensor<10x1xi64> to tensor<10x1000xi64>
  %d = coat.reshape %c : tensor<10x1000xi64> to tensor<100x100xi64>
  %e = arith.constant dense<5> : tensor<i64>
  %1 = coat.elementwise add %d, %e : (tensor<100x100xi64>, tensor<i64>) -> tensor<100x100xi64>
  return %0, %1 : tensor<100x100xf32>, tensor<100x100xi64>
}

{-#
  dialect_resources: { builtin: { weights: "0x040000000000803F000000400000404000008040" } }
#-}
