// RUN: coat-opt %s --coat-split-batch --split-input-file | FileCheck %s

// Both convolutions move more than 8 MiB, so the images go through them one after the other. What is behind them reads
// the parts side by side, and what is computed there is small: it keeps the batch.
// CHECK-LABEL: func.func @images
// CHECK-SAME: (%[[X:[^:]*]]: tensor<2x114x114x32xf32>
// CHECK: %[[X0:.*]] = tensor.extract_slice %[[X]][0, 0, 0, 0] [1, 114, 114, 32] [1, 1, 1, 1]
// CHECK: %[[A0:.*]] = coat.conv %[[X0]], {{.*}} -> tensor<1x112x112x96xf32>
// CHECK: %[[B0:.*]] = coat.elementwise relu %[[A0]]
// CHECK: %[[C0:.*]] = coat.conv %[[B0]], {{.*}} -> tensor<1x56x56x96xf32>
// CHECK: %[[X1:.*]] = tensor.extract_slice %[[X]][1, 0, 0, 0] [1, 114, 114, 32] [1, 1, 1, 1]
// CHECK: %[[A1:.*]] = coat.conv %[[X1]]
// CHECK: %[[B1:.*]] = coat.elementwise relu %[[A1]]
// CHECK: %[[C1:.*]] = coat.conv %[[B1]]
// CHECK: %[[C:.*]] = tensor.concat dim(0) %[[C0]], %[[C1]]
// CHECK: coat.global_pool average %[[C]]
func.func @images(%x: tensor<2x114x114x32xf32>, %w: tensor<96x32x3x3xf32>, %v: tensor<96x96x1x1xf32>) -> tensor<2x1x1x96xf32> {
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, data_layout = #coat<layout channels_last>} : (tensor<2x114x114x32xf32>, tensor<96x32x3x3xf32>) -> tensor<2x112x112x96xf32>
  %1 = coat.elementwise relu %0 : (tensor<2x112x112x96xf32>) -> tensor<2x112x112x96xf32>
  %2 = coat.conv %1, %v {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, data_layout = #coat<layout channels_last>} : (tensor<2x112x112x96xf32>, tensor<96x96x1x1xf32>) -> tensor<2x56x56x96xf32>
  %3 = coat.global_pool average %2 {data_layout = #coat<layout channels_last>} : (tensor<2x56x56x96xf32>) -> tensor<2x1x1x96xf32>
  return %3 : tensor<2x1x1x96xf32>
}

// -----

// Four smaller images at a time fit; rows of a product are those of its images, a gate has one row an image.
// CHECK-LABEL: func.func @several
// CHECK-SAME: (%[[X:[^:]*]]: tensor<12x64x64x32xf32>, %[[GATE:[^:]*]]: tensor<12x1x1x64xf32>, %[[W:[^:]*]]: tensor<32x64xf32>, %[[BIAS:[^:]*]]: tensor<64xf32>
// CHECK: %[[X0:.*]] = tensor.extract_slice %[[X]][0, 0, 0, 0] [4, 64, 64, 32]
// CHECK: %[[R0:.*]] = coat.reshape %[[X0]] : tensor<4x64x64x32xf32> to tensor<16384x32xf32>
// CHECK: %[[P0:.*]] = coat.matmul %[[R0]], %[[W]] bias %[[BIAS]]
// CHECK: %[[Q0:.*]] = coat.reshape %[[P0]] : tensor<16384x64xf32> to tensor<4x64x64x64xf32>
// CHECK: %[[G0:.*]] = tensor.extract_slice %[[GATE]][0, 0, 0, 0] [4, 1, 1, 64]
// CHECK: %[[M0:.*]] = coat.elementwise mul %[[Q0]], %[[G0]]
// CHECK: coat.pool max %[[M0]]
// CHECK: tensor.extract_slice %[[X]][4, 0, 0, 0] [4, 64, 64, 32]
// CHECK: tensor.extract_slice %[[X]][8, 0, 0, 0] [4, 64, 64, 32]
// CHECK: tensor.concat dim(0) {{.*}} -> tensor<12x32x32x64xf32>
func.func @several(%x: tensor<12x64x64x32xf32>, %gate: tensor<12x1x1x64xf32>, %w: tensor<32x64xf32>, %bias: tensor<64xf32>) -> tensor<12x32x32x64xf32> {
  %0 = coat.reshape %x : tensor<12x64x64x32xf32> to tensor<49152x32xf32>
  %1 = coat.matmul %0, %w bias %bias : (tensor<49152x32xf32>, tensor<32x64xf32>, tensor<64xf32>) -> tensor<49152x64xf32>
  %2 = coat.reshape %1 : tensor<49152x64xf32> to tensor<12x64x64x64xf32>
  %3 = coat.elementwise mul %2, %gate : (tensor<12x64x64x64xf32>, tensor<12x1x1x64xf32>) -> tensor<12x64x64x64xf32>
  %4 = coat.pool max %3 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, data_layout = #coat<layout channels_last>} : (tensor<12x64x64x64xf32>) -> tensor<12x32x32x64xf32>
  return %4 : tensor<12x32x32x64xf32>
}

// -----

// The first half of the rows is not the same part of each image: it is taken before the parts are.
// CHECK-LABEL: func.func @rows
// CHECK-SAME: (%[[X:[^:]*]]: tensor<4x1024x1024xf32>
// CHECK: %[[R:.*]] = coat.reshape %[[X]] : tensor<4x1024x1024xf32> to tensor<8x512x1024xf32>
// CHECK: %[[HALF:.*]] = tensor.extract_slice %[[R]][0, 0, 0] [4, 512, 1024]
// CHECK: %[[H0:.*]] = tensor.extract_slice %[[HALF]][0, 0, 0] [2, 512, 1024]
// CHECK: %[[S0:.*]] = coat.softmax %[[H0]]
// CHECK: coat.softmax %[[S0]]
func.func @rows(%x: tensor<4x1024x1024xf32>) -> tensor<4x512x1024xf32> {
  %0 = coat.reshape %x : tensor<4x1024x1024xf32> to tensor<8x512x1024xf32>
  %1 = tensor.extract_slice %0[0, 0, 0] [4, 512, 1024] [1, 1, 1] : tensor<8x512x1024xf32> to tensor<4x512x1024xf32>
  %2 = coat.softmax %1 {axis = 2 : i64} : (tensor<4x512x1024xf32>) -> tensor<4x512x1024xf32>
  %3 = coat.softmax %2 {axis = 1 : i64} : (tensor<4x512x1024xf32>) -> tensor<4x512x1024xf32>
  return %3 : tensor<4x512x1024xf32>
}

// -----

// A maximum over the images, and weights that are as many as the images, end what can be cut.
// CHECK-LABEL: func.func @across
// CHECK-NOT: extract_slice
// CHECK: return
func.func @across(%x: tensor<4x1048576xf32>, %y: tensor<1048576x4xf32>) -> (tensor<1048576xf32>, tensor<4x4xf32>) {
  %0 = coat.reduce max %x {axes = array<i64: 0>} : (tensor<4x1048576xf32>) -> tensor<1048576xf32>
  %1 = coat.softmax %x {axis = 0 : i64} : (tensor<4x1048576xf32>) -> tensor<4x1048576xf32>
  %2 = coat.matmul %y, %1 {transpose_lhs, transpose_rhs} : (tensor<1048576x4xf32>, tensor<4x1048576xf32>) -> tensor<4x4xf32>
  return %0, %2 : tensor<1048576xf32>, tensor<4x4xf32>
}

// -----

// CHECK-LABEL: func.func @symbolic
// CHECK-NOT: extract_slice
// CHECK: return
func.func @symbolic(%x: tensor<?x112x112x96xf32>) -> tensor<?x28x28x96xf32> {
  %0 = coat.pool max %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, data_layout = #coat<layout channels_last>} : (tensor<?x112x112x96xf32>) -> tensor<?x56x56x96xf32>
  %1 = coat.pool max %0 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, data_layout = #coat<layout channels_last>} : (tensor<?x56x56x96xf32>) -> tensor<?x28x28x96xf32>
  return %1 : tensor<?x28x28x96xf32>
}
