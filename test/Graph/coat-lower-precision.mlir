// RUN: coat-opt %s --coat-lower-precision=type=f16 | FileCheck %s
// RUN: coat-opt %s --coat-lower-precision=type=bf16 | FileCheck %s --check-prefix=BF16

// Factors and result are rounded; the reader of the sum reads the rounded one, the bias stays.
// CHECK-LABEL: @conv
// CHECK-SAME: (%[[X:.*]]: tensor<1x2x4x4xf32>)
// BF16-LABEL: @conv
func.func @conv(%x: tensor<1x2x4x4xf32>) -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) attributes {coat.entry} {
  %w = arith.constant dense<[[[[1.0]], [[0.1]]], [[[0.1]], [[1.0]]]]> : tensor<2x2x1x1xf32>
  %b = arith.constant dense<[0.1, 0.2]> : tensor<2xf32>
  // CHECK: %[[XN:.*]] = coat.cast %[[X]] : tensor<1x2x4x4xf32> to tensor<1x2x4x4xf16>
  // CHECK: %[[X1:.*]] = coat.cast %[[XN]] : tensor<1x2x4x4xf16> to tensor<1x2x4x4xf32>
  // CHECK: %[[W:.*]] = arith.constant dense<{{.*}}0.0999755859{{.*}}> : tensor<2x2x1x1xf32>
  // BF16: 0.100097656
  // CHECK: %[[Y:.*]] = coat.conv %[[X1]], %[[W]] bias
  // BF16: coat.cast {{.*}} to tensor<1x2x4x4xbf16>
  %0 = coat.conv %x, %w bias %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  // CHECK: %[[YN:.*]] = coat.cast %[[Y]] : tensor<1x2x4x4xf32> to tensor<1x2x4x4xf16>
  // CHECK: %[[Y1:.*]] = coat.cast %[[YN]]
  // CHECK: coat.elementwise relu %[[Y1]]
  %1 = coat.elementwise relu %0 : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  // CHECK: coat.elementwise exp %[[X1]]
  %2 = coat.elementwise exp %x : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  return %1, %2 : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>
}

// Rounded where it is made, in front of what only moves it.
// CHECK-LABEL: @moved
func.func @moved(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>) -> tensor<4x4xf32> attributes {coat.entry} {
  // CHECK: %[[E:.*]] = coat.elementwise exp
  // CHECK: %[[N:.*]] = coat.cast %[[E]] : tensor<4x8xf32> to tensor<4x8xf16>
  // CHECK: %[[W:.*]] = coat.cast %[[N]]
  // CHECK: coat.transpose %[[W]]
  // CHECK-NEXT: coat.matmul
  %0 = coat.elementwise exp %y : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = coat.transpose %0 {permutation = array<i64: 1, 0>} : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %2 = coat.matmul %x, %1 : (tensor<4x8xf32>, tensor<8x4xf32>) -> tensor<4x4xf32>
  return %2 : tensor<4x4xf32>
}

// Nothing is multiplied.
// CHECK-LABEL: @no_product
func.func @no_product(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {coat.entry} {
  // CHECK-NOT: coat.cast
  %0 = coat.softmax %x {axis = 1 : i64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
