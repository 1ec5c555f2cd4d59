// RUN: coat-opt -coat-integer-products %s | FileCheck %s

// CHECK-LABEL: func @matmul
// CHECK: %[[A:.*]] = coat.cast %arg0 : tensor<2x4xui8> to tensor<2x4xi32>
// CHECK: %[[L:.*]] = coat.elementwise sub %[[A]], %{{.*}} : (tensor<2x4xi32>, tensor<i32>) -> tensor<2x4xi32>
// CHECK: %[[S:.*]] = coat.matmul %[[L]], %{{.*}} : (tensor<2x4xi32>, tensor<4x3xi32>) -> tensor<2x3xi32>
// CHECK: %[[U:.*]] = coat.elementwise div %{{.*}}, %arg4 : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK: %[[F:.*]] = coat.cast %[[S]] : tensor<2x3xi32> to tensor<2x3xf32>
// CHECK: %[[P:.*]] = coat.elementwise mul %[[F]], %[[U]]
// CHECK: coat.elementwise round %[[P]]
// CHECK: coat.elementwise add
// CHECK: coat.elementwise clip %{{.*}} {alpha = 0.000000e+00 : f64, beta = 2.550000e+02 : f64}
// CHECK: coat.cast %{{.*}} : tensor<2x3xf32> to tensor<2x3xui8>
func.func @matmul(%a: tensor<2x4xui8>, %b: tensor<4x3xi8>, %sa: tensor<f32>, %sb: tensor<f32>, %sy: tensor<f32>,
                  %za: tensor<ui8>, %zb: tensor<i8>) -> tensor<2x3xui8> {
  %0 = coat.dequantize %a, %sa, %za : (tensor<2x4xui8>, tensor<f32>, tensor<ui8>) -> tensor<2x4xf32>
  %1 = coat.dequantize %b, %sb, %zb : (tensor<4x3xi8>, tensor<f32>, tensor<i8>) -> tensor<4x3xf32>
  %2 = coat.matmul %0, %1 : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  %3 = coat.quantize %2, %sy, %za : (tensor<2x3xf32>, tensor<f32>, tensor<ui8>) -> tensor<2x3xui8>
  return %3 : tensor<2x3xui8>
}

// Scales along the summed dimension do not come out of the sum.
// CHECK-LABEL: func @per_step
// CHECK: coat.matmul %{{.*}} : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
func.func @per_step(%a: tensor<2x4xui8>, %b: tensor<4x3xi8>, %sa: tensor<f32>, %sb: tensor<4x1xf32>, %za: tensor<ui8>,
                    %zb: tensor<4x1xi8>) -> tensor<2x3xf32> {
  %0 = coat.dequantize %a, %sa, %za : (tensor<2x4xui8>, tensor<f32>, tensor<ui8>) -> tensor<2x4xf32>
  %1 = coat.dequantize %b, %sb, %zb : (tensor<4x3xi8>, tensor<4x1xf32>, tensor<4x1xi8>) -> tensor<4x3xf32>
  %2 = coat.matmul %0, %1 : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return %2 : tensor<2x3xf32>
}

// An operand that is not quantized.
// CHECK-LABEL: func @half
// CHECK: coat.elementwise mul
// CHECK: coat.matmul %arg0, %{{.*}} : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
func.func @half(%a: tensor<2x4xf32>, %b: tensor<4x3xi8>, %sb: tensor<f32>, %zb: tensor<i8>) -> tensor<2x3xf32> {
  %1 = coat.dequantize %b, %sb, %zb : (tensor<4x3xi8>, tensor<f32>, tensor<i8>) -> tensor<4x3xf32>
  %2 = coat.matmul %a, %1 : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return %2 : tensor<2x3xf32>
}
