// RUN: coat-opt -coat-integers-in-floats %s | FileCheck %s

// 2 * 255 * 127 is below 2^24.
// CHECK-LABEL: func @small
// CHECK: %[[X:.*]] = coat.cast %arg0 : tensor<3x2xui8> to tensor<3x2xf32>
// CHECK: %[[P:.*]] = coat.matmul %[[X]], %{{.*}} : (tensor<3x2xf32>, tensor<2x1xf32>) -> tensor<3x1xf32>
// CHECK: coat.cast %[[P]] : tensor<3x1xf32> to tensor<3x1xi32>
func.func @small(%x: tensor<3x2xui8>) -> tensor<3x1xi32> {
  %w = arith.constant dense<[[127], [-128]]> : tensor<2x1xi32>
  %0 = coat.cast %x : tensor<3x2xui8> to tensor<3x2xi32>
  %1 = coat.matmul %0, %w : (tensor<3x2xi32>, tensor<2x1xi32>) -> tensor<3x1xi32>
  return %1 : tensor<3x1xi32>
}

// 2 * 255 * 40000 is not, its halves are.
// CHECK-LABEL: func @cut
// CHECK-COUNT-2: coat.matmul %{{.*}} : (tensor<3x1xf32>, tensor<1x1xf32>) -> tensor<3x1xf32>
// CHECK: coat.elementwise add %{{.*}} : (tensor<3x1xi32>, tensor<3x1xi32>) -> tensor<3x1xi32>
func.func @cut(%x: tensor<3x2xui8>) -> tensor<3x1xi32> {
  %w = arith.constant dense<[[40000], [40001]]> : tensor<2x1xi32>
  %0 = coat.cast %x : tensor<3x2xui8> to tensor<3x2xi32>
  %1 = coat.matmul %0, %w : (tensor<3x2xi32>, tensor<2x1xi32>) -> tensor<3x1xi32>
  return %1 : tensor<3x1xi32>
}

// Nothing is known of the operands.
// CHECK-LABEL: func @unknown
// CHECK-NEXT: coat.matmul %arg0, %arg1 : (tensor<3x2xi32>, tensor<2x1xi32>) -> tensor<3x1xi32>
func.func @unknown(%x: tensor<3x2xi32>, %w: tensor<2x1xi32>) -> tensor<3x1xi32> {
  %1 = coat.matmul %x, %w : (tensor<3x2xi32>, tensor<2x1xi32>) -> tensor<3x1xi32>
  return %1 : tensor<3x1xi32>
}

// What was whole numbers of f32 before it became bytes is not converted to bytes and back.
// CHECK-LABEL: func @whole
// CHECK: %[[C:.*]] = coat.elementwise clip
// CHECK: return %[[C]]
func.func @whole(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = coat.elementwise round %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = coat.elementwise clip %0 {alpha = 0.0, beta = 255.0} : (tensor<4xf32>) -> tensor<4xf32>
  %2 = coat.cast %1 : tensor<4xf32> to tensor<4xui8>
  %3 = coat.cast %2 : tensor<4xui8> to tensor<4xf32>
  return %3 : tensor<4xf32>
}

// 300 is no byte.
// CHECK-LABEL: func @wraps
// CHECK: coat.cast %{{.*}} : tensor<4xf32> to tensor<4xui8>
func.func @wraps(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = coat.elementwise round %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = coat.elementwise clip %0 {alpha = 0.0, beta = 300.0} : (tensor<4xf32>) -> tensor<4xf32>
  %2 = coat.cast %1 : tensor<4xf32> to tensor<4xui8>
  %3 = coat.cast %2 : tensor<4xui8> to tensor<4xf32>
  return %3 : tensor<4xf32>
}
