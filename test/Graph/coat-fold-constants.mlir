// RUN: coat-opt -coat-fold-constants %s | FileCheck %s

// CHECK-LABEL: func @transpose
// CHECK: arith.constant dense<{{\[\[}}1.000000e+00, 4.000000e+00], [2.000000e+00, 5.000000e+00], [3.000000e+00, 6.000000e+00]]>
func.func @transpose() -> tensor<3x2xf32> {
  %c = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %0 = coat.transpose %c {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// As @transpose, but of an argument.
// CHECK-LABEL: func @argument
// CHECK: coat.transpose
func.func @argument(%c: tensor<2x3xf32>) -> tensor<3x2xf32> {
  %0 = coat.transpose %c {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// A blob stays a blob.
// CHECK-LABEL: func @blob
// CHECK: arith.constant dense_resource<folded> : tensor<4x5xf32>
// CHECK-NOT: coat.transpose
func.func @blob() -> tensor<4x5xf32> {
  %c = arith.constant dense_resource<weights> : tensor<5x4xf32>
  %0 = coat.transpose %c {permutation = array<i64: 1, 0>} : (tensor<5x4xf32>) -> tensor<4x5xf32>
  return %0 : tensor<4x5xf32>
}

// CHECK-LABEL: func @slice
// CHECK: arith.constant dense<{{\[\[}}2.000000e+00], [5.000000e+00]]>
func.func @slice() -> tensor<2x1xf32> {
  %c = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %0 = tensor.extract_slice %c[0, 1] [2, 1] [1, 1] : tensor<2x3xf32> to tensor<2x1xf32>
  return %0 : tensor<2x1xf32>
}

// CHECK-LABEL: func @concat
// CHECK: arith.constant dense<{{\[\[}}1.000000e+00, 3.000000e+00, 4.000000e+00], [2.000000e+00, 5.000000e+00, 6.000000e+00]]>
func.func @concat() -> tensor<2x3xf32> {
  %a = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %b = arith.constant dense<[[3.0, 4.0], [5.0, 6.0]]> : tensor<2x2xf32>
  %0 = tensor.concat dim(1) %a, %b : (tensor<2x1xf32>, tensor<2x2xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func @pad
// CHECK: arith.constant dense<[9.000000e+00, 1.000000e+00, 2.000000e+00, 9.000000e+00, 9.000000e+00]>
func.func @pad() -> tensor<5xf32> {
  %a = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = coat.pad constant %a {low = array<i64: 1>, high = array<i64: 2>, value = 9.0 : f64} : (tensor<2xf32>) -> tensor<5xf32>
  return %0 : tensor<5xf32>
}

// CHECK-LABEL: func @gather
// CHECK: arith.constant dense<[3.000000e+00, 1.000000e+00]>
func.func @gather() -> tensor<2xf32> {
  %a = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %i = arith.constant dense<[-1, 0]> : tensor<2xi64>
  %0 = coat.gather %a, %i {axis = 0} : (tensor<3xf32>, tensor<2xi64>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: func @elementwise
// CHECK: arith.constant dense<{{\[\[}}1.100000e+01, 1.200000e+01], [2.100000e+01, 2.200000e+01]]>
func.func @elementwise() -> tensor<2x2xf32> {
  %a = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = arith.constant dense<[[10.0], [20.0]]> : tensor<2x1xf32>
  %0 = coat.elementwise add %a, %b : (tensor<2xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// The scale of PyTorch's legacy exporter: sqrt(1 / sqrt(cast 64)).
// CHECK-LABEL: func @scale
// CHECK: arith.constant dense<0.353553385> : tensor<1xf32>
func.func @scale() -> tensor<1xf32> {
  %d = arith.constant dense<64> : tensor<1xi64>
  %one = arith.constant dense<1.0> : tensor<1xf32>
  %0 = coat.cast %d : tensor<1xi64> to tensor<1xf32>
  %1 = coat.elementwise sqrt %0 : (tensor<1xf32>) -> tensor<1xf32>
  %2 = coat.elementwise div %one, %1 : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %3 = coat.elementwise sqrt %2 : (tensor<1xf32>) -> tensor<1xf32>
  return %3 : tensor<1xf32>
}

// CHECK-LABEL: func @mask
// CHECK: arith.constant dense<[0.000000e+00, 0xFF800000]> : tensor<2xf32>
func.func @mask() -> tensor<2xf32> {
  %c = arith.constant dense<[true, false]> : tensor<2xi1>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %inf = arith.constant dense<0xFF800000> : tensor<f32>
  %0 = coat.elementwise select %c, %zero, %inf : (tensor<2xi1>, tensor<f32>, tensor<f32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// A broadcast that would fill the library stays; a uniform one costs nothing.
// CHECK-LABEL: func @broadcast
// CHECK: arith.constant dense<1.000000e+00> : tensor<1000x1000xf32>
// CHECK: coat.broadcast {{.*}} to tensor<2x500000xf32>
func.func @broadcast() -> (tensor<1000x1000xf32>, tensor<2x500000xf32>) {
  %one = arith.constant dense<1.0> : tensor<f32>
  %two = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %0 = coat.broadcast %one : tensor<f32> to tensor<1000x1000xf32>
  %1 = coat.broadcast %two : tensor<2x1xf32> to tensor<2x500000xf32>
  return %0, %1 : tensor<1000x1000xf32>, tensor<2x500000xf32>
}

{-#
  dialect_resources: {
    builtin: {
      weights: "0x04000000000000000000803F0000004000004040000080400000A0400000C0400000E040000000410000104100002041000030410000404100005041000060410000704100008041000088410000904100009841"
    }
  }
#-}
