// RUN: coat-opt -coat-recognize-activations %s | FileCheck %s

// CHECK-LABEL: func @gelu
// CHECK: coat.elementwise gelu %arg0
// CHECK-NOT: coat.elementwise mul
func.func @gelu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %root = arith.constant dense<1.41421354> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %half = arith.constant dense<0.5> : tensor<f32>
  %0 = coat.elementwise div %x, %root : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = coat.elementwise erf %0 : (tensor<4xf32>) -> tensor<4xf32>
  %2 = coat.elementwise add %1, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %3 = coat.elementwise mul %x, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %4 = coat.elementwise mul %3, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %4 : tensor<4xf32>
}

// As @gelu, the half multiplied first (torch's dynamo exporter).
// CHECK-LABEL: func @gelu_half_inside
// CHECK: coat.elementwise gelu %arg0
func.func @gelu_half_inside(%x: tensor<4xf32>) -> tensor<4xf32> {
  %root = arith.constant dense<0.707106769> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %half = arith.constant dense<0.5> : tensor<f32>
  %0 = coat.elementwise mul %root, %x : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = coat.elementwise erf %0 : (tensor<4xf32>) -> tensor<4xf32>
  %2 = coat.elementwise add %one, %1 : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = coat.elementwise mul %half, %2 : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %4 = coat.elementwise mul %3, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %4 : tensor<4xf32>
}

// As @gelu, with another divisor.
// CHECK-LABEL: func @not_gelu
// CHECK-NOT: gelu
// CHECK: return
func.func @not_gelu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %root = arith.constant dense<1.5> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %half = arith.constant dense<0.5> : tensor<f32>
  %0 = coat.elementwise div %x, %root : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = coat.elementwise erf %0 : (tensor<4xf32>) -> tensor<4xf32>
  %2 = coat.elementwise add %1, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %3 = coat.elementwise mul %x, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %4 = coat.elementwise mul %3, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %4 : tensor<4xf32>
}

// CHECK-LABEL: func @gelu_tanh
// CHECK: coat.elementwise gelu_tanh %arg0
func.func @gelu_tanh(%x: tensor<4xf32>) -> tensor<4xf32> {
  %three = arith.constant dense<3.0> : tensor<f32>
  %a = arith.constant dense<4.471500e-02> : tensor<f32>
  %b = arith.constant dense<0.797884583> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %half = arith.constant dense<0.5> : tensor<f32>
  %0 = coat.elementwise pow %x, %three : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = coat.elementwise mul %a, %0 : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = coat.elementwise add %x, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = coat.elementwise mul %b, %2 : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %4 = coat.elementwise tanh %3 : (tensor<4xf32>) -> tensor<4xf32>
  %5 = coat.elementwise add %4, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %6 = coat.elementwise mul %half, %5 : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %7 = coat.elementwise mul %x, %6 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %7 : tensor<4xf32>
}

// CHECK-LABEL: func @silu
// CHECK: coat.elementwise silu %arg0
func.func @silu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = coat.elementwise sigmoid %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = coat.elementwise mul %0, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// A gate by another value.
// CHECK-LABEL: func @not_silu
// CHECK-NOT: silu
// CHECK: return
func.func @not_silu(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = coat.elementwise sigmoid %y : (tensor<4xf32>) -> tensor<4xf32>
  %1 = coat.elementwise mul %0, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// A scaled argument is an argument like any other.
// CHECK-LABEL: func @silu_of_product
// CHECK: %[[X:.*]] = coat.elementwise mul
// CHECK: coat.elementwise silu %[[X]]
func.func @silu_of_product(%y: tensor<4xf32>) -> tensor<4xf32> {
  %two = arith.constant dense<2.0> : tensor<f32>
  %x = coat.elementwise mul %y, %two : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %0 = coat.elementwise sigmoid %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = coat.elementwise mul %0, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// CHECK-LABEL: func @sigmoid
// CHECK: coat.elementwise sigmoid %arg0
func.func @sigmoid(%x: tensor<4xf32>) -> tensor<4xf32> {
  %one = arith.constant dense<1.0> : tensor<f32>
  %0 = coat.elementwise neg %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = coat.elementwise exp %0 : (tensor<4xf32>) -> tensor<4xf32>
  %2 = coat.elementwise add %1, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %3 = coat.elementwise div %one, %2 : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  return %3 : tensor<4xf32>
}

// CHECK-LABEL: func @hard_swish
// CHECK: coat.elementwise hard_swish %arg0
func.func @hard_swish(%x: tensor<4xf32>) -> tensor<4xf32> {
  %three = arith.constant dense<3.0> : tensor<f32>
  %six = arith.constant dense<6.0> : tensor<f32>
  %0 = coat.elementwise add %x, %three : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = coat.elementwise clip %0 {alpha = 0.0 : f64, beta = 6.0 : f64} : (tensor<4xf32>) -> tensor<4xf32>
  %2 = coat.elementwise mul %x, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = coat.elementwise div %2, %six : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %3 : tensor<4xf32>
}

// CHECK-LABEL: func @mish
// CHECK: coat.elementwise mish %arg0
func.func @mish(%x: tensor<4xf32>) -> tensor<4xf32> {
  %one = arith.constant dense<1.0> : tensor<f32>
  %0 = coat.elementwise exp %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = coat.elementwise add %0, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %2 = coat.elementwise log %1 : (tensor<4xf32>) -> tensor<4xf32>
  %3 = coat.elementwise tanh %2 : (tensor<4xf32>) -> tensor<4xf32>
  %4 = coat.elementwise mul %x, %3 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %4 : tensor<4xf32>
}

// torch's softplus is linear above its threshold.
// CHECK-LABEL: func @softplus_threshold
// CHECK: %[[S:.*]] = coat.elementwise softplus %arg0
// CHECK: return %[[S]]
func.func @softplus_threshold(%x: tensor<4xf32>) -> tensor<4xf32> {
  %t = arith.constant dense<20.0> : tensor<f32>
  %0 = coat.elementwise softplus %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = coat.elementwise greater %x, %t : (tensor<4xf32>, tensor<f32>) -> tensor<4xi1>
  %2 = coat.elementwise select %1, %x, %0 : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// CHECK-LABEL: func @softplus_low_threshold
// CHECK: coat.elementwise select
func.func @softplus_low_threshold(%x: tensor<4xf32>) -> tensor<4xf32> {
  %t = arith.constant dense<2.0> : tensor<f32>
  %0 = coat.elementwise softplus %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = coat.elementwise greater %x, %t : (tensor<4xf32>, tensor<f32>) -> tensor<4xi1>
  %2 = coat.elementwise select %1, %x, %0 : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// CHECK-LABEL: func @clip_from_min_max
// CHECK: coat.elementwise clip %arg0 {alpha = 0.000000e+00 : f64, beta = 6.000000e+00 : f64}
// CHECK-NOT: coat.elementwise
func.func @clip_from_min_max(%x: tensor<4xf32>) -> tensor<4xf32> {
  %six = arith.constant dense<6.0> : tensor<f32>
  %0 = coat.elementwise relu %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = coat.elementwise min %0, %six : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// The same, but the relu is a result too.
// CHECK-LABEL: func @relu_used
// CHECK: coat.elementwise relu %arg0
// CHECK: coat.elementwise clip %{{.*}} {alpha = 0xFFF0000000000000 : f64, beta = 6.000000e+00 : f64}
func.func @relu_used(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %six = arith.constant dense<6.0> : tensor<f32>
  %0 = coat.elementwise relu %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = coat.elementwise min %0, %six : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// A minimum with a vector is no clip.
// CHECK-LABEL: func @min_vector
// CHECK: coat.elementwise min
func.func @min_vector(%x: tensor<4xf32>) -> tensor<4xf32> {
  %bounds = arith.constant dense<[6.0, 5.0, 4.0, 3.0]> : tensor<4xf32>
  %0 = coat.elementwise min %x, %bounds : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
