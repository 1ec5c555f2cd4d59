// RUN: coat-opt -coat-simplify-movement %s | FileCheck %s

// CHECK-LABEL: func @meet
// CHECK-NEXT: %[[R:.*]] = coat.elementwise relu %arg0
// CHECK-NEXT: return %[[R]]
func.func @meet(%x: tensor<1x4x5x6xf32>) -> tensor<1x4x5x6xf32> {
  %0 = coat.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x4x5x6xf32>) -> tensor<1x5x6x4xf32>
  %1 = coat.elementwise relu %0 : (tensor<1x5x6x4xf32>) -> tensor<1x5x6x4xf32>
  %2 = coat.transpose %1 {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x5x6x4xf32>) -> tensor<1x4x5x6xf32>
  return %2 : tensor<1x4x5x6xf32>
}

// As @meet, but the second one does not undo the first: they compose.
// CHECK-LABEL: func @compose
// CHECK: coat.elementwise relu %arg0
// CHECK: coat.transpose %{{.*}} {permutation = array<i64: 0, 3, 1, 2>}
// CHECK-NOT: coat.transpose
func.func @compose(%x: tensor<1x4x5x6xf32>) -> tensor<1x6x4x5xf32> {
  %0 = coat.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x4x5x6xf32>) -> tensor<1x5x6x4xf32>
  %1 = coat.elementwise relu %0 : (tensor<1x5x6x4xf32>) -> tensor<1x5x6x4xf32>
  %2 = coat.transpose %1 {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x5x6x4xf32>) -> tensor<1x6x4x5xf32>
  return %2 : tensor<1x6x4x5xf32>
}

// The other operand is in another order.
// CHECK-LABEL: func @one_side
// CHECK: %[[T:.*]] = coat.transpose %arg0
// CHECK: coat.elementwise add %[[T]], %arg1
func.func @one_side(%x: tensor<2x3xf32>, %y: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %0 = coat.transpose %x {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %1 = coat.elementwise add %0, %y : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  return %1 : tensor<3x2xf32>
}

// CHECK-LABEL: func @unit_dimensions
// CHECK: coat.reshape %arg0 sizes %{{.*}} : tensor<?x1x4xf32> to tensor<1x?x4xf32>
func.func @unit_dimensions(%x: tensor<?x1x4xf32>) -> tensor<1x?x4xf32> {
  %0 = coat.transpose %x {permutation = array<i64: 1, 0, 2>} : (tensor<?x1x4xf32>) -> tensor<1x?x4xf32>
  return %0 : tensor<1x?x4xf32>
}

// Keys transposed by way of rank 3 (torch's dynamo exporter).
// CHECK-LABEL: func @by_rank_3
// CHECK-NEXT: %[[T:.*]] = coat.transpose %arg0 {permutation = array<i64: 0, 1, 3, 2>}
// CHECK-NEXT: return %[[T]]
func.func @by_rank_3(%k: tensor<2x4x16x8xf32>) -> tensor<2x4x8x16xf32> {
  %0 = coat.reshape %k : tensor<2x4x16x8xf32> to tensor<8x16x8xf32>
  %1 = coat.transpose %0 {permutation = array<i64: 0, 2, 1>} : (tensor<8x16x8xf32>) -> tensor<8x8x16xf32>
  %2 = coat.reshape %1 : tensor<8x8x16xf32> to tensor<2x4x8x16xf32>
  return %2 : tensor<2x4x8x16xf32>
}

// The same with a symbolic batch.
// CHECK-LABEL: func @by_rank_3_symbolic
// CHECK-NEXT: %[[T:.*]] = coat.transpose %arg0 {permutation = array<i64: 0, 1, 3, 2>}
// CHECK-NEXT: return %[[T]]
func.func @by_rank_3_symbolic(%k: tensor<?x4x16x8xf32>, %n: index, %n4: index) -> tensor<?x4x8x16xf32> {
  %0 = coat.reshape %k sizes %n4 : tensor<?x4x16x8xf32> to tensor<?x16x8xf32>
  %1 = coat.transpose %0 {permutation = array<i64: 0, 2, 1>} : (tensor<?x16x8xf32>) -> tensor<?x8x16xf32>
  %2 = coat.reshape %1 sizes %n : tensor<?x8x16xf32> to tensor<?x4x8x16xf32>
  return %2 : tensor<?x4x8x16xf32>
}

// As @by_rank_3, but the last reshape cuts through dimensions.
// CHECK-LABEL: func @cut_through
// CHECK: coat.transpose
// CHECK: coat.reshape %{{.*}} : tensor<{{.*}}> to tensor<2x4x128xf32>
func.func @cut_through(%k: tensor<2x4x16x8xf32>) -> tensor<2x4x128xf32> {
  %0 = coat.reshape %k : tensor<2x4x16x8xf32> to tensor<8x16x8xf32>
  %1 = coat.transpose %0 {permutation = array<i64: 0, 2, 1>} : (tensor<8x16x8xf32>) -> tensor<8x8x16xf32>
  %2 = coat.reshape %1 : tensor<8x8x16xf32> to tensor<2x4x128xf32>
  return %2 : tensor<2x4x128xf32>
}

// PyTorch's flatten(2).transpose(1, 2): channels-last, then merged.
// CHECK-LABEL: func @patches
// CHECK: %[[T:.*]] = coat.transpose %arg0 {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x8x4x5xf32>) -> tensor<1x4x5x8xf32>
// CHECK: coat.reshape %[[T]] : tensor<1x4x5x8xf32> to tensor<1x20x8xf32>
func.func @patches(%x: tensor<1x8x4x5xf32>) -> tensor<1x20x8xf32> {
  %0 = coat.reshape %x : tensor<1x8x4x5xf32> to tensor<1x8x20xf32>
  %1 = coat.transpose %0 {permutation = array<i64: 0, 2, 1>} : (tensor<1x8x20xf32>) -> tensor<1x20x8xf32>
  return %1 : tensor<1x20x8xf32>
}

// CHECK-LABEL: func @casts
// CHECK: return %arg0
func.func @casts(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = coat.cast %x : tensor<4xf32> to tensor<4xf64>
  %1 = coat.cast %0 : tensor<4xf64> to tensor<4xf32>
  return %1 : tensor<4xf32>
}

// As @casts, but the first one rounds.
// CHECK-LABEL: func @rounding_casts
// CHECK-COUNT-2: coat.cast
func.func @rounding_casts(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = coat.cast %x : tensor<4xf32> to tensor<4xf16>
  %1 = coat.cast %0 : tensor<4xf16> to tensor<4xf32>
  return %1 : tensor<4xf32>
}

// CHECK-LABEL: func @broadcast
// CHECK: coat.elementwise add %arg0, %arg1
func.func @broadcast(%x: tensor<2x3xf32>, %y: tensor<3xf32>) -> tensor<2x3xf32> {
  %0 = coat.broadcast %y : tensor<3xf32> to tensor<2x3xf32>
  %1 = coat.elementwise add %x, %0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}

// The broadcast is what makes the result large.
// CHECK-LABEL: func @needed_broadcast
// CHECK: coat.broadcast
func.func @needed_broadcast(%x: tensor<1x3xf32>, %y: tensor<3xf32>) -> tensor<2x3xf32> {
  %0 = coat.broadcast %y : tensor<3xf32> to tensor<2x3xf32>
  %1 = coat.elementwise add %x, %0 : (tensor<1x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}

// CHECK-LABEL: func @gather_scalar
// CHECK: %[[S:.*]] = tensor.extract_slice %arg0[2, 0] [1, 4] [1, 1]
// CHECK: coat.reshape %[[S]] : tensor<1x4xf32> to tensor<4xf32>
func.func @gather_scalar(%x: tensor<3x4xf32>) -> tensor<4xf32> {
  %i = arith.constant dense<-1> : tensor<i64>
  %0 = coat.gather %x, %i {axis = 0} : (tensor<3x4xf32>, tensor<i64>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func @gather_apart
// CHECK: coat.gather
func.func @gather_apart(%x: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %i = arith.constant dense<[0, 2]> : tensor<2xi64>
  %0 = coat.gather %x, %i {axis = 0} : (tensor<3x4xf32>, tensor<2xi64>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// CHECK-LABEL: func @slices
// CHECK: tensor.extract_slice %arg0[3] [2] [1] : tensor<8xf32> to tensor<2xf32>
// CHECK-NEXT: return
func.func @slices(%x: tensor<8xf32>) -> tensor<2xf32> {
  %0 = tensor.extract_slice %x[2] [5] [1] : tensor<8xf32> to tensor<5xf32>
  %1 = tensor.extract_slice %0[1] [2] [1] : tensor<5xf32> to tensor<2xf32>
  return %1 : tensor<2xf32>
}

// The rows of the weights are put in the order of the image.
// CHECK-LABEL: func @into_weights
// CHECK: %[[W:.*]] = arith.constant dense<{{\[\[}}1.000000e+00], [3.000000e+00], [5.000000e+00], [2.000000e+00], [4.000000e+00], [6.000000e+00]]> : tensor<6x1xf32>
// CHECK: %[[X:.*]] = coat.reshape %arg0 : tensor<1x2x3xf32> to tensor<1x6xf32>
// CHECK: coat.matmul %[[X]], %[[W]]
func.func @into_weights(%x: tensor<1x2x3xf32>) -> tensor<1x1xf32> {
  %w = arith.constant dense<[[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]]> : tensor<6x1xf32>
  %0 = coat.transpose %x {permutation = array<i64: 0, 2, 1>} : (tensor<1x2x3xf32>) -> tensor<1x3x2xf32>
  %1 = coat.reshape %0 : tensor<1x3x2xf32> to tensor<1x6xf32>
  %2 = coat.matmul %1, %w : (tensor<1x6xf32>, tensor<6x1xf32>) -> tensor<1x1xf32>
  return %2 : tensor<1x1xf32>
}

// As @into_weights, but the rows move too.
// CHECK-LABEL: func @rows_move
// CHECK: coat.transpose
func.func @rows_move(%x: tensor<2x3x2xf32>) -> tensor<3x1xf32> {
  %w = arith.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %0 = coat.transpose %x {permutation = array<i64: 1, 0, 2>} : (tensor<2x3x2xf32>) -> tensor<3x2x2xf32>
  %1 = coat.reshape %0 : tensor<3x2x2xf32> to tensor<3x4xf32>
  %2 = coat.matmul %1, %w : (tensor<3x4xf32>, tensor<4x1xf32>) -> tensor<3x1xf32>
  return %2 : tensor<3x1xf32>
}

// As @into_weights, but a dimension that moves becomes rows: the symbolic sizes look alike and are not.
// CHECK-LABEL: func @symbolic_rows
// CHECK: coat.transpose
func.func @symbolic_rows(%x: tensor<?x2x3xf32>, %n: index) -> tensor<?x1xf32> {
  %w = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %0 = coat.transpose %x {permutation = array<i64: 0, 2, 1>} : (tensor<?x2x3xf32>) -> tensor<?x3x2xf32>
  %1 = coat.reshape %0 sizes %n : tensor<?x3x2xf32> to tensor<?x2xf32>
  %2 = coat.matmul %1, %w : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  return %2 : tensor<?x1xf32>
}

// CHECK-LABEL: func @spatial_mean
// CHECK: %[[P:.*]] = coat.global_pool average %arg0
// CHECK: coat.reshape %[[P]] : tensor<1x8x1x1xf32> to tensor<1x8xf32>
func.func @spatial_mean(%x: tensor<1x8x4x5xf32>) -> tensor<1x8xf32> {
  %0 = coat.reduce mean %x {axes = array<i64: 2, 3>} : (tensor<1x8x4x5xf32>) -> tensor<1x8xf32>
  return %0 : tensor<1x8xf32>
}

// As @spatial_mean, but over the channels.
// CHECK-LABEL: func @channel_mean
// CHECK: coat.reduce mean
func.func @channel_mean(%x: tensor<1x8x4x5xf32>) -> tensor<1x4x5xf32> {
  %0 = coat.reduce mean %x {axes = array<i64: 1>} : (tensor<1x8x4x5xf32>) -> tensor<1x4x5xf32>
  return %0 : tensor<1x4x5xf32>
}

// Scores split into images and windows for a mask of the windows, and merged again.
// CHECK-LABEL: func @between_reshapes
// CHECK: %[[MASK:.*]] = coat.reshape %arg1 : tensor<1x4x1x5xf32> to tensor<4x1x5xf32>
// CHECK: %[[SUM:.*]] = coat.elementwise add %arg0, %[[MASK]]
// CHECK: return %[[SUM]]
func.func @between_reshapes(%x: tensor<4x3x5xf32>, %mask: tensor<1x4x1x5xf32>) -> tensor<4x3x5xf32> {
  %0 = coat.reshape %x : tensor<4x3x5xf32> to tensor<1x4x3x5xf32>
  %1 = coat.elementwise add %0, %mask : (tensor<1x4x3x5xf32>, tensor<1x4x1x5xf32>) -> tensor<1x4x3x5xf32>
  %2 = coat.reshape %1 : tensor<1x4x3x5xf32> to tensor<4x3x5xf32>
  return %2 : tensor<4x3x5xf32>
}

// As @between_reshapes, but two images share the mask: it would have to be repeated.
// CHECK-LABEL: func @two_images
// CHECK: coat.elementwise add
// CHECK-SAME: tensor<2x4x3x5xf32>, tensor<1x4x1x5xf32>
func.func @two_images(%x: tensor<8x3x5xf32>, %mask: tensor<1x4x1x5xf32>) -> tensor<8x3x5xf32> {
  %0 = coat.reshape %x : tensor<8x3x5xf32> to tensor<2x4x3x5xf32>
  %1 = coat.elementwise add %0, %mask : (tensor<2x4x3x5xf32>, tensor<1x4x1x5xf32>) -> tensor<2x4x3x5xf32>
  %2 = coat.reshape %1 : tensor<2x4x3x5xf32> to tensor<8x3x5xf32>
  return %2 : tensor<8x3x5xf32>
}
