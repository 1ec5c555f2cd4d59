// RUN: coat-opt -coat-fold-batch-norm %s | FileCheck %s

// scale 2, mean 1, variance 4, epsilon 0: x -> x - 1 + bias.
// CHECK-LABEL: func @conv
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[\[\[}}3.000000e+00{{.*}}5.000000e+00
// CHECK-DAG: %[[B:.*]] = arith.constant dense<[9.000000e+00, 1.900000e+01]> : tensor<2xf32>
// CHECK: %[[C:.*]] = coat.conv %arg0, %[[W]] bias %[[B]]
// CHECK: return %[[C]]
func.func @conv(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = arith.constant dense<[[[[3.0]]], [[[5.0]]]]> : tensor<2x1x1x1xf32>
  %scale = arith.constant dense<2.0> : tensor<2xf32>
  %bias = arith.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %mean = arith.constant dense<1.0> : tensor<2xf32>
  %variance = arith.constant dense<4.0> : tensor<2xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %1 = coat.batch_norm %0, %scale, %bias, %mean, %variance {epsilon = 0.0 : f64} : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  return %1 : tensor<1x2x4x4xf32>
}

// As @conv with variance 1, but the convolution is a result too: an element-wise mul and add.
// CHECK-LABEL: func @conv_used
// CHECK-DAG: %[[S:.*]] = arith.constant dense<2.000000e+00> : tensor<2x1x1xf32>
// CHECK-DAG: %[[B:.*]] = arith.constant dense<{{.*}}8.000000e+00{{.*}}1.800000e+01{{.*}}> : tensor<2x1x1xf32>
// CHECK: %[[C:.*]] = coat.conv
// CHECK: %[[M:.*]] = coat.elementwise mul %[[C]], %[[S]]
// CHECK: coat.elementwise add %[[M]], %[[B]]
func.func @conv_used(%x: tensor<1x1x4x4xf32>) -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) {
  %w = arith.constant dense<[[[[3.0]]], [[[5.0]]]]> : tensor<2x1x1x1xf32>
  %scale = arith.constant dense<2.0> : tensor<2xf32>
  %bias = arith.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %mean = arith.constant dense<1.0> : tensor<2xf32>
  %variance = arith.constant dense<1.0> : tensor<2xf32>
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %1 = coat.batch_norm %0, %scale, %bias, %mean, %variance {epsilon = 0.0 : f64} : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  return %0, %1 : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>
}

// Groups of a transposed convolution: output channel 1 is the second group's.
// CHECK-LABEL: func @conv_transpose
// CHECK: arith.constant dense<{{\[\[\[}}3.000000e+00]], {{\[\[}}2.000000e+01]]]> : tensor<2x1x1xf32>
// CHECK-NOT: coat.batch_norm
func.func @conv_transpose(%x: tensor<1x2x4xf32>) -> tensor<1x2x4xf32> {
  %w = arith.constant dense<[[[3.0]], [[5.0]]]> : tensor<2x1x1xf32>
  %scale = arith.constant dense<[1.0, 4.0]> : tensor<2xf32>
  %zero = arith.constant dense<0.0> : tensor<2xf32>
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, output_padding = array<i64: 0>, group = 2 : i64} : (tensor<1x2x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4xf32>
  %1 = coat.batch_norm %0, %scale, %zero, %zero, %one {epsilon = 0.0 : f64} : (tensor<1x2x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4xf32>
  return %1 : tensor<1x2x4xf32>
}

// CHECK-LABEL: func @gemm
// CHECK: arith.constant dense<{{\[\[}}3.000000e+00, 5.000000e+00], [2.800000e+01, 3.600000e+01]]> : tensor<2x2xf32>
// CHECK-NOT: coat.batch_norm
func.func @gemm(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<[[3.0, 5.0], [7.0, 9.0]]> : tensor<2x2xf32>
  %scale = arith.constant dense<[1.0, 4.0]> : tensor<2xf32>
  %zero = arith.constant dense<0.0> : tensor<2xf32>
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %0 = coat.matmul %x, %w {transpose_rhs} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = coat.batch_norm %0, %scale, %zero, %zero, %one {epsilon = 0.0 : f64} : (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %1 : tensor<1x2xf32>
}

// Statistics that are computed are left alone.
// CHECK-LABEL: func @computed
// CHECK: coat.batch_norm
func.func @computed(%x: tensor<1x2xf32>, %scale: tensor<2xf32>) -> tensor<1x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<2xf32>
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %1 = coat.batch_norm %x, %scale, %zero, %zero, %one {epsilon = 0.0 : f64} : (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %1 : tensor<1x2xf32>
}
