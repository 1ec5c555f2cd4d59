// RUN: coat-opt %s --coat-pointwise-to-matmul | FileCheck %s

// The element-wise op moves in front of the reshape, so that it still fuses.
// CHECK-LABEL: @pointwise
func.func @pointwise(%x: tensor<1x8x8x3xf32>, %r: tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32> {
  // CHECK: %[[A:.*]] = coat.reshape %arg0 : tensor<1x8x8x3xf32> to tensor<64x3xf32>
  // CHECK: %[[M:.*]] = coat.matmul %[[A]], %{{.*}} {transpose_rhs}
  // CHECK: %[[B:.*]] = coat.reshape %arg1 : tensor<1x8x8x4xf32> to tensor<64x4xf32>
  // CHECK: %[[E:.*]] = coat.elementwise add %[[M]], %[[B]]
  // CHECK: coat.reshape %[[E]]
  %w = arith.constant dense<1.0> : tensor<4x3x1x1xf32>
  %0 = coat.conv %x, %w {data_layout = #coat<layout channels_last>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x8x8x3xf32>, tensor<4x3x1x1xf32>) -> tensor<1x8x8x4xf32>
  %1 = coat.elementwise add %0, %r : (tensor<1x8x8x4xf32>, tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32>
  return %1 : tensor<1x8x8x4xf32>
}

// CHECK-LABEL: @strided
func.func @strided(%x: tensor<1x8x8x3xf32>) -> tensor<1x4x4x4xf32> {
  // CHECK-NOT: coat.matmul
  %w = arith.constant dense<1.0> : tensor<4x3x1x1xf32>
  %0 = coat.conv %x, %w {data_layout = #coat<layout channels_last>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x8x8x3xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x4x4xf32>
  return %0 : tensor<1x4x4x4xf32>
}

// A convolution can write into the padded buffer.
// CHECK-LABEL: @padded_next
func.func @padded_next(%x: tensor<1x16x16x3xf32>) -> tensor<1x18x18x4xf32> {
  // CHECK-NOT: coat.matmul
  %w = arith.constant dense<1.0> : tensor<4x3x1x1xf32>
  %0 = coat.conv %x, %w {data_layout = #coat<layout channels_last>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x16x16x3xf32>, tensor<4x3x1x1xf32>) -> tensor<1x16x16x4xf32>
  %1 = coat.pad constant %0 {low = array<i64: 0, 1, 1, 0>, high = array<i64: 0, 1, 1, 0>} : (tensor<1x16x16x4xf32>) -> tensor<1x18x18x4xf32>
  return %1 : tensor<1x18x18x4xf32>
}

// One product over the rows of all images; what follows moves in front of the reshape, sizes that are not known stay.
// CHECK-LABEL: @rows_of_images
func.func @rows_of_images(%x: tensor<1x7x7x8xf32>, %w: tensor<8x4xf32>, %r: tensor<1x7x7x4xf32>, %s: tensor<4xf32>) -> tensor<1x7x7x4xf32> {
  // CHECK: %[[A:.*]] = coat.reshape %arg0 : tensor<1x7x7x8xf32> to tensor<49x8xf32>
  // CHECK: %[[M:.*]] = coat.matmul %[[A]], %arg1
  // CHECK: %[[S:.*]] = coat.elementwise mul %[[M]]
  // CHECK: %[[E:.*]] = coat.elementwise add %[[S]]
  // CHECK: coat.reshape %[[E]]
  %0 = coat.matmul %x, %w : (tensor<1x7x7x8xf32>, tensor<8x4xf32>) -> tensor<1x7x7x4xf32>
  %1 = coat.elementwise mul %0, %s : (tensor<1x7x7x4xf32>, tensor<4xf32>) -> tensor<1x7x7x4xf32>
  %2 = coat.elementwise add %1, %r : (tensor<1x7x7x4xf32>, tensor<1x7x7x4xf32>) -> tensor<1x7x7x4xf32>
  return %2 : tensor<1x7x7x4xf32>
}

// CHECK-LABEL: @rows_of_unknown_images
func.func @rows_of_unknown_images(%x: tensor<?x7x7x8xf32>, %w: tensor<8x4xf32>) -> tensor<?x7x7x4xf32> {
  // CHECK: coat.matmul {{.*}} -> tensor<?x49x4xf32>
  %0 = coat.matmul %x, %w : (tensor<?x7x7x8xf32>, tensor<8x4xf32>) -> tensor<?x7x7x4xf32>
  return %0 : tensor<?x7x7x4xf32>
}

// Nothing but ones to merge, and a right-hand side for each image.
// CHECK-LABEL: @one_image
func.func @one_image(%x: tensor<1x7x8xf32>, %w: tensor<8x4xf32>) -> tensor<1x7x4xf32> {
  // CHECK-NOT: coat.reshape
  %0 = coat.matmul %x, %w : (tensor<1x7x8xf32>, tensor<8x4xf32>) -> tensor<1x7x4xf32>
  return %0 : tensor<1x7x4xf32>
}
// CHECK-LABEL: @batches_of_both
func.func @batches_of_both(%x: tensor<3x7x8xf32>, %w: tensor<3x8x4xf32>) -> tensor<3x7x4xf32> {
  // CHECK-NOT: coat.reshape
  %0 = coat.matmul %x, %w : (tensor<3x7x8xf32>, tensor<3x8x4xf32>) -> tensor<3x7x4xf32>
  return %0 : tensor<3x7x4xf32>
}

// Two products in different shapes: the reshape of one stays, whichever.
// CHECK-LABEL: @two_products
func.func @two_products(%x: tensor<2x3x4xf32>, %w: tensor<2x4x4xf32>, %y: tensor<6x8xf32>, %v: tensor<8x4xf32>) -> tensor<6x4xf32> {
  // CHECK: %[[R:.*]] = coat.reshape
  // CHECK-NEXT: coat.elementwise add %[[R]]
  // CHECK-NEXT: return
  %0 = coat.matmul %x, %w : (tensor<2x3x4xf32>, tensor<2x4x4xf32>) -> tensor<2x3x4xf32>
  %1 = coat.matmul %y, %v : (tensor<6x8xf32>, tensor<8x4xf32>) -> tensor<6x4xf32>
  %2 = coat.reshape %0 : tensor<2x3x4xf32> to tensor<6x4xf32>
  %3 = coat.elementwise add %2, %1 : (tensor<6x4xf32>, tensor<6x4xf32>) -> tensor<6x4xf32>
  return %3 : tensor<6x4xf32>
}

// A product that is split into heads is not one by channels for what varies along the heads' own.
// CHECK-LABEL: @split_channels
func.func @split_channels(%x: tensor<6x8xf32>, %w: tensor<8x8xf32>, %s: tensor<4xf32>) -> tensor<6x2x4xf32> {
  // CHECK: coat.matmul
  // CHECK-NEXT: coat.reshape
  // CHECK-NEXT: coat.elementwise
  %0 = coat.matmul %x, %w : (tensor<6x8xf32>, tensor<8x8xf32>) -> tensor<6x8xf32>
  %1 = coat.reshape %0 : tensor<6x8xf32> to tensor<6x2x4xf32>
  %2 = coat.elementwise add %1, %s : (tensor<6x2x4xf32>, tensor<4xf32>) -> tensor<6x2x4xf32>
  return %2 : tensor<6x2x4xf32>
}

// Roundings of half precision do not keep an epilogue from its product.
// CHECK-LABEL: func.func @rounded
// CHECK: %[[P:.*]] = coat.matmul %{{.*}} -> tensor<98x16xf32>
// CHECK: %[[N:.*]] = coat.cast %[[P]] : tensor<98x16xf32> to tensor<98x16xf16>
// CHECK: %[[W:.*]] = coat.cast %[[N]] : tensor<98x16xf16> to tensor<98x16xf32>
// CHECK: %[[R:.*]] = coat.elementwise relu %[[W]] : (tensor<98x16xf32>) -> tensor<98x16xf32>
// CHECK: coat.reshape %[[R]]
func.func @rounded(%x: tensor<2x7x7x8xf32>) -> tensor<2x7x7x16xf32> {
  %w = arith.constant dense<0.5> : tensor<16x8x1x1xf32>
  %0 = coat.conv %x, %w {data_layout = #coat<layout channels_last>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>} : (tensor<2x7x7x8xf32>, tensor<16x8x1x1xf32>) -> tensor<2x7x7x16xf32>
  %1 = coat.cast %0 : tensor<2x7x7x16xf32> to tensor<2x7x7x16xf16>
  %2 = coat.cast %1 : tensor<2x7x7x16xf16> to tensor<2x7x7x16xf32>
  %3 = coat.elementwise relu %2 : (tensor<2x7x7x16xf32>) -> tensor<2x7x7x16xf32>
  return %3 : tensor<2x7x7x16xf32>
}
