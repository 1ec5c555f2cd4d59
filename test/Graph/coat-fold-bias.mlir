// RUN: coat-opt -coat-fold-bias -coat-fold-constants %s | FileCheck %s

// CHECK-LABEL: func @matmul_add
// CHECK: %[[B:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK: %[[M:.*]] = coat.matmul %arg0, %arg1 bias %[[B]]
// CHECK: return %[[M]]
func.func @matmul_add(%x: tensor<1x3x4xf32>, %w: tensor<4x2xf32>) -> tensor<1x3x2xf32> {
  %b = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = coat.matmul %x, %w : (tensor<1x3x4xf32>, tensor<4x2xf32>) -> tensor<1x3x2xf32>
  %1 = coat.elementwise add %b, %0 : (tensor<2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  return %1 : tensor<1x3x2xf32>
}

// The constant varies along the rows.
// CHECK-LABEL: func @matmul_add_rows
// CHECK: coat.elementwise add
func.func @matmul_add_rows(%x: tensor<1x2x4xf32>, %w: tensor<4x2xf32>) -> tensor<1x2x2xf32> {
  %b = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %0 = coat.matmul %x, %w : (tensor<1x2x4xf32>, tensor<4x2xf32>) -> tensor<1x2x2xf32>
  %1 = coat.elementwise add %b, %0 : (tensor<2x1xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  return %1 : tensor<1x2x2xf32>
}

// A bias that is there, a scale and a shift: 3 x + 1, times 2, minus 10.
// CHECK-LABEL: func @conv_chain
// CHECK-DAG: %[[W:.*]] = arith.constant dense<6.000000e+00> : tensor<2x1x1x1xf32>
// CHECK-DAG: %[[B:.*]] = arith.constant dense<-8.000000e+00> : tensor<2xf32>
// CHECK: %[[C:.*]] = coat.conv %arg0, %[[W]] bias %[[B]]
// CHECK: return %[[C]]
func.func @conv_chain(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = arith.constant dense<3.0> : tensor<2x1x1x1xf32>
  %b = arith.constant dense<1.0> : tensor<2xf32>
  %two = arith.constant dense<2.0> : tensor<2x1x1xf32>
  %ten = arith.constant dense<10.0> : tensor<1x2x1x1xf32>
  %0 = coat.conv %x, %w bias %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  %1 = coat.elementwise mul %0, %two : (tensor<1x2x4x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %2 = coat.elementwise sub %1, %ten : (tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  return %2 : tensor<1x2x4x4xf32>
}

// A filter that is computed cannot be scaled.
// CHECK-LABEL: func @computed_filter
// CHECK: coat.elementwise mul
func.func @computed_filter(%x: tensor<1x3x4xf32>, %w: tensor<4x2xf32>) -> tensor<1x3x2xf32> {
  %b = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = coat.matmul %x, %w : (tensor<1x3x4xf32>, tensor<4x2xf32>) -> tensor<1x3x2xf32>
  %1 = coat.elementwise mul %b, %0 : (tensor<2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  return %1 : tensor<1x3x2xf32>
}

// The product is a result too.
// CHECK-LABEL: func @product_used
// CHECK: coat.elementwise add
func.func @product_used(%x: tensor<1x3x4xf32>, %w: tensor<4x2xf32>) -> (tensor<1x3x2xf32>, tensor<1x3x2xf32>) {
  %b = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = coat.matmul %x, %w : (tensor<1x3x4xf32>, tensor<4x2xf32>) -> tensor<1x3x2xf32>
  %1 = coat.elementwise add %b, %0 : (tensor<2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  return %0, %1 : tensor<1x3x2xf32>, tensor<1x3x2xf32>
}

// CHECK-LABEL: func @scale_before
// CHECK: %[[W:.*]] = arith.constant dense<6.000000e+00> : tensor<4x2xf32>
// CHECK: coat.matmul %arg0, %[[W]]
func.func @scale_before(%x: tensor<3x4xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<3.0> : tensor<4x2xf32>
  %two = arith.constant dense<2.0> : tensor<f32>
  %0 = coat.elementwise mul %x, %two : (tensor<3x4xf32>, tensor<f32>) -> tensor<3x4xf32>
  %1 = coat.matmul %0, %w : (tensor<3x4xf32>, tensor<4x2xf32>) -> tensor<3x2xf32>
  return %1 : tensor<3x2xf32>
}

// ((x * 2 + 3) * 5 + 7) = x * 10 + 22, where no product precedes.
// CHECK-LABEL: func @merge
// CHECK-DAG: %[[A:.*]] = arith.constant dense<1.000000e+01>
// CHECK-DAG: %[[B:.*]] = arith.constant dense<2.200000e+01>
// CHECK: %[[M:.*]] = coat.elementwise mul %arg0, %[[A]]
// CHECK: %[[S:.*]] = coat.elementwise add %[[M]], %[[B]]
// CHECK: return %[[S]]
func.func @merge(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %2 = arith.constant dense<2.0> : tensor<2x1x1xf32>
  %3 = arith.constant dense<3.0> : tensor<2x1x1xf32>
  %5 = arith.constant dense<5.0> : tensor<2x1x1xf32>
  %7 = arith.constant dense<7.0> : tensor<2x1x1xf32>
  %a = coat.elementwise mul %x, %2 : (tensor<1x2x4x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %b = coat.elementwise add %a, %3 : (tensor<1x2x4x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %c = coat.elementwise mul %b, %5 : (tensor<1x2x4x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %d = coat.elementwise add %c, %7 : (tensor<1x2x4x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4x4xf32>
  return %d : tensor<1x2x4x4xf32>
}
