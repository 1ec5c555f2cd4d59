// RUN: coat-opt -coat-stage-graph %s | FileCheck %s
// RUN: coat-opt -coat-stage-graph %s | coat-opt -coat-stage-graph | FileCheck %s

// The order of the passes: each function needs several of them, one after the other. The stage changes nothing that it
// has made itself.

// scaled_dot_product_attention as PyTorch's dynamo exporter writes it for opset 18.
// CHECK-LABEL: func @torch_attention
// CHECK-NOT: coat.elementwise
// CHECK-NOT: coat.softmax
// CHECK: coat.attention {{.*}} {scale = 0.499999{{.*}} : f64}
// CHECK-NOT: coat.matmul
func.func @torch_attention(%x: tensor<2x16x48xf32>) -> tensor<2x16x16xf32> {
  %c = arith.constant dense<0.707106769> : tensor<1xf32>
  %view = coat.reshape %x : tensor<2x16x48xf32> to tensor<2x16x3x4x4xf32>
  %permute = coat.transpose %view {permutation = array<i64: 2, 0, 3, 1, 4>} : (tensor<2x16x3x4x4xf32>) -> tensor<3x2x4x16x4xf32>
  %s0 = tensor.extract_slice %permute[0, 0, 0, 0, 0] [1, 2, 4, 16, 4] [1, 1, 1, 1, 1] : tensor<3x2x4x16x4xf32> to tensor<1x2x4x16x4xf32>
  %s1 = tensor.extract_slice %permute[1, 0, 0, 0, 0] [1, 2, 4, 16, 4] [1, 1, 1, 1, 1] : tensor<3x2x4x16x4xf32> to tensor<1x2x4x16x4xf32>
  %s2 = tensor.extract_slice %permute[2, 0, 0, 0, 0] [1, 2, 4, 16, 4] [1, 1, 1, 1, 1] : tensor<3x2x4x16x4xf32> to tensor<1x2x4x16x4xf32>
  %q = coat.reshape %s0 : tensor<1x2x4x16x4xf32> to tensor<2x4x16x4xf32>
  %k = coat.reshape %s1 : tensor<1x2x4x16x4xf32> to tensor<2x4x16x4xf32>
  %v = coat.reshape %s2 : tensor<1x2x4x16x4xf32> to tensor<2x4x16x4xf32>
  %k3 = coat.reshape %k : tensor<2x4x16x4xf32> to tensor<8x16x4xf32>
  %kt = coat.transpose %k3 {permutation = array<i64: 0, 2, 1>} : (tensor<8x16x4xf32>) -> tensor<8x4x16xf32>
  %k4 = coat.reshape %kt : tensor<8x4x16xf32> to tensor<2x4x4x16xf32>
  %qs = coat.elementwise mul %q, %c : (tensor<2x4x16x4xf32>, tensor<1xf32>) -> tensor<2x4x16x4xf32>
  %ks = coat.elementwise mul %k4, %c : (tensor<2x4x4x16xf32>, tensor<1xf32>) -> tensor<2x4x4x16xf32>
  %s = coat.matmul %qs, %ks : (tensor<2x4x16x4xf32>, tensor<2x4x4x16xf32>) -> tensor<2x4x16x16xf32>
  %p = coat.softmax %s {axis = 3} : (tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %o = coat.matmul %p, %v : (tensor<2x4x16x16xf32>, tensor<2x4x16x4xf32>) -> tensor<2x4x16x4xf32>
  %t = coat.transpose %o {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x4x16x4xf32>) -> tensor<2x16x4x4xf32>
  %r = coat.reshape %t : tensor<2x16x4x4xf32> to tensor<2x16x16xf32>
  return %r : tensor<2x16x16xf32>
}

// Convolution, batch norm and relu as Keras writes them.
// CHECK-LABEL: func @keras_block
// CHECK-NOT: coat.transpose
// CHECK: %[[C:.*]] = coat.conv %arg0, %{{.*}} bias %{{.*}} {data_layout = #coat<layout channels_last>
// CHECK-NEXT: %[[R:.*]] = coat.elementwise relu %[[C]]
// CHECK-NEXT: return %[[R]]
func.func @keras_block(%x: tensor<1x4x5x1xf32>) -> tensor<1x4x5x2xf32> {
  %w = arith.constant dense<[[[[3.0]]], [[[5.0]]]]> : tensor<2x1x1x1xf32>
  %mean = arith.constant dense<[[[[1.0, 2.0]]]]> : tensor<1x1x1x2xf32>
  %scale = arith.constant dense<[[[[3.0, 4.0]]]]> : tensor<1x1x1x2xf32>
  %shift = arith.constant dense<[[[[5.0, 6.0]]]]> : tensor<1x1x1x2xf32>
  %x0 = coat.cast %x : tensor<1x4x5x1xf32> to tensor<1x4x5x1xf32>
  %0 = coat.transpose %x0 {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x4x5x1xf32>) -> tensor<1x1x4x5xf32>
  %1 = coat.conv %0, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x1x4x5xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x5xf32>
  %2 = coat.transpose %1 {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x2x4x5xf32>) -> tensor<1x4x5x2xf32>
  %3 = coat.elementwise sub %2, %mean : (tensor<1x4x5x2xf32>, tensor<1x1x1x2xf32>) -> tensor<1x4x5x2xf32>
  %4 = coat.elementwise mul %3, %scale : (tensor<1x4x5x2xf32>, tensor<1x1x1x2xf32>) -> tensor<1x4x5x2xf32>
  %5 = coat.elementwise add %4, %shift : (tensor<1x4x5x2xf32>, tensor<1x1x1x2xf32>) -> tensor<1x4x5x2xf32>
  %6 = coat.elementwise relu %5 : (tensor<1x4x5x2xf32>) -> tensor<1x4x5x2xf32>
  return %6 : tensor<1x4x5x2xf32>
}
