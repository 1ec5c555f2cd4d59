// RUN: coat-opt %s --coat-channels-last | FileCheck %s

// Two convolutions in a row: one transpose in, one out, none between.
// CHECK-LABEL: @between_convs
func.func @between_convs(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x1x1xf32>, %v: tensor<5x4x1x1xf32>) -> tensor<1x5x8x8xf32> {
  // CHECK: %[[IN:.*]] = coat.transpose %arg0 {permutation = array<i64: 0, 2, 3, 1>}
  // CHECK: %[[A:.*]] = coat.conv %[[IN]], %arg1 {data_layout = #coat<layout channels_last>
  // CHECK-NOT: coat.transpose
  // CHECK: %[[R:.*]] = coat.elementwise relu %[[A]]
  // CHECK-NOT: coat.transpose
  // CHECK: %[[B:.*]] = coat.conv %[[R]]
  // CHECK: coat.transpose %[[B]] {permutation = array<i64: 0, 3, 1, 2>}
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
  %1 = coat.elementwise relu %0 : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %2 = coat.conv %1, %v {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>, tensor<5x4x1x1xf32>) -> tensor<1x5x8x8xf32>
  return %2 : tensor<1x5x8x8xf32>
}

// Tokens of a transformer: flattening pixels and moving channels last is then a reshape.
// CHECK-LABEL: @tokens
func.func @tokens(%x: tensor<1x6x2x2xf32>) -> tensor<1x4x6xf32> {
  // CHECK: %[[P:.*]] = coat.pool max
  // CHECK: %[[R:.*]] = coat.reshape %[[P]] : tensor<1x2x2x6xf32> to tensor<1x4x6xf32>
  // CHECK: return %[[R]]
  %0 = coat.pool max %x {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x6x2x2xf32>) -> tensor<1x6x2x2xf32>
  %1 = coat.reshape %0 : tensor<1x6x2x2xf32> to tensor<1x6x4xf32>
  %2 = coat.transpose %1 {permutation = array<i64: 0, 2, 1>} : (tensor<1x6x4xf32>) -> tensor<1x4x6xf32>
  return %2 : tensor<1x4x6xf32>
}

// Indices count in channels-first order.
// CHECK-LABEL: @indices_stay
func.func @indices_stay(%x: tensor<1x6x2x2xf32>) -> (tensor<1x6x2x2xf32>, tensor<1x6x2x2xi64>) {
  // CHECK-NOT: coat.transpose
  // CHECK: coat.pool max %arg0
  %0, %1 = coat.pool max %x {with_indices, kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x6x2x2xf32>) -> (tensor<1x6x2x2xf32>, tensor<1x6x2x2xi64>)
  return %0, %1 : tensor<1x6x2x2xf32>, tensor<1x6x2x2xi64>
}

// The other operand is large and in another order: the transpose stays where it is.
// CHECK-LABEL: @large_other_operand
func.func @large_other_operand(%x: tensor<1x8x8x3xf32>, %y: tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32> {
  // CHECK: %[[T:.*]] = coat.transpose %arg0
  // CHECK: coat.elementwise add %[[T]], %arg1
  %0 = coat.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x3xf32>) -> tensor<1x3x8x8xf32>
  %1 = coat.elementwise add %0, %y : (tensor<1x3x8x8xf32>, tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
  return %1 : tensor<1x3x8x8xf32>
}

// Every other row and column of a transposed convolution of stride 2 is a convolution of its own, with the element-wise work behind it.
// CHECK-LABEL: @transposed_convolution
func.func @transposed_convolution(%x: tensor<1x8x4x4xf32>) -> tensor<1x3x8x8xf32> {
  // CHECK: %[[X:.*]] = coat.transpose %arg0
  // CHECK: coat.conv %[[X]], {{.*}}data_layout = #coat<layout channels_last>{{.*}}strides = array<i64: 1, 1>{{.*}}tensor<3x8x1x1xf32>
  // CHECK-NEXT: coat.elementwise relu
  // CHECK-NEXT: coat.reshape {{.*}} to tensor<1x4x1x4x1x3xf32>
  // CHECK-COUNT-3: coat.conv
  // CHECK: %[[ALL:.*]] = tensor.concat dim(2) {{.*}} -> tensor<1x4x2x4x2x3xf32>
  // CHECK: coat.reshape %[[ALL]] {{.*}} to tensor<1x8x8x3xf32>
  %w = arith.constant dense<1.0> : tensor<8x3x2x2xf32>
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      output_padding = array<i64: 0, 0>} : (tensor<1x8x4x4xf32>, tensor<8x3x2x2xf32>) -> tensor<1x3x8x8xf32>
  %1 = coat.elementwise relu %0 : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
  return %1 : tensor<1x3x8x8xf32>
}

// Larger filters overlap: the input is padded once, and each phase reads its part. Of 3 taps, one phase has 2 and one has 1.
// CHECK-LABEL: @transposed_convolution_with_overlap
func.func @transposed_convolution_with_overlap(%x: tensor<1x8x4xf32>) -> tensor<1x3x8xf32> {
  // CHECK: coat.pad constant %arg0 {{.*}} -> tensor<1x8x5xf32>
  // CHECK: coat.conv {{.*}}(tensor<1x4x8xf32>, tensor<3x8x1xf32>)
  // CHECK: coat.conv {{.*}}(tensor<1x5x8xf32>, tensor<3x8x2xf32>)
  // CHECK: tensor.concat dim(2) {{.*}} -> tensor<1x4x2x3xf32>
  %w = arith.constant dense<1.0> : tensor<8x3x3xf32>
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 1, 1>,
      output_padding = array<i64: 1>} : (tensor<1x8x4xf32>, tensor<8x3x3xf32>) -> tensor<1x3x8xf32>
  return %0 : tensor<1x3x8xf32>
}

// A filter that is computed cannot be taken apart here.
// CHECK-LABEL: @transposed_convolution_computed
func.func @transposed_convolution_computed(%x: tensor<1x8x4xf32>, %w: tensor<8x3x2xf32>) -> tensor<1x3x8xf32> {
  // CHECK: coat.conv_transpose
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 0, 0>,
      output_padding = array<i64: 0>} : (tensor<1x8x4xf32>, tensor<8x3x2xf32>) -> tensor<1x3x8xf32>
  return %0 : tensor<1x3x8xf32>
}
