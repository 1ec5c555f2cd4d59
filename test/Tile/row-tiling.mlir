// RUN: coat-opt %s --coat-tile --split-input-file | FileCheck %s

// Which part of the operands a tile of each op reads.

// CHECK-LABEL: func private @softmax
// CHECK: scf.forall (%[[I:.*]]) = (0) to (32) step (8)
// CHECK: tensor.extract_slice %{{.*}}[%[[I]], 0] [8, 40] [1, 1]
// CHECK: coat.softmax {{.*}} : (tensor<8x40xf32>) -> tensor<8x40xf32>
func.func private @softmax(%a: memref<32x40xf32>, %o: memref<32x40xf32>) attributes {coat.kernel} {
  %x = bufferization.to_tensor %a restrict : memref<32x40xf32> to tensor<32x40xf32>
  %0 = coat.softmax %x {axis = 1 : i64, coat.schedule = #coat.schedule<"rows", tile = [8, 0], vector = 8>}
    : (tensor<32x40xf32>) -> tensor<32x40xf32>
  bufferization.materialize_in_destination %0 in restrict writable %o : (tensor<32x40xf32>, memref<32x40xf32>) -> ()
  return
}

// -----

// Windows overlap by their halo: 2 rows need 5.
// CHECK-LABEL: func private @pool
// CHECK: tensor.extract_slice {{.*}} [1, 5, 9, 8] [1, 1, 1, 1]
// CHECK: coat.pool max {{.*}} : (tensor<1x5x9x8xf32>) -> tensor<1x2x4x8xf32>
func.func private @pool(%a: memref<1x9x9x8xf32>, %o: memref<1x4x4x8xf32>) attributes {coat.kernel} {
  %x = bufferization.to_tensor %a restrict : memref<1x9x9x8xf32> to tensor<1x9x9x8xf32>
  %0 = coat.pool max %x {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, data_layout = #coat<layout channels_last>,
    coat.schedule = #coat.schedule<"rows", tile = [1, 2, 0, 0], vector = 8>}
    : (tensor<1x9x9x8xf32>) -> tensor<1x4x4x8xf32>
  bufferization.materialize_in_destination %0 in restrict writable %o : (tensor<1x4x4x8xf32>, memref<1x4x4x8xf32>) -> ()
  return
}

// -----

// Channels are cut between groups.
// CHECK-LABEL: func private @group_norm
// CHECK: coat.group_norm {{.*}}groups = 2{{.*}} : (tensor<1x16x5x5xf32>
func.func private @group_norm(%a: memref<1x32x5x5xf32>, %s: memref<32xf32>, %o: memref<1x32x5x5xf32>) attributes {coat.kernel} {
  %x = bufferization.to_tensor %a restrict : memref<1x32x5x5xf32> to tensor<1x32x5x5xf32>
  %y = bufferization.to_tensor %s restrict : memref<32xf32> to tensor<32xf32>
  %0 = coat.group_norm %x, %y, %y {groups = 4 : i64, epsilon = 1.0e-5 : f64,
    coat.schedule = #coat.schedule<"rows", tile = [1, 16, 0, 0], vector = 8>}
    : (tensor<1x32x5x5xf32>, tensor<32xf32>, tensor<32xf32>) -> tensor<1x32x5x5xf32>
  bufferization.materialize_in_destination %0 in restrict writable %o : (tensor<1x32x5x5xf32>, memref<1x32x5x5xf32>) -> ()
  return
}

// -----

// Two query heads share a key head; causal rows count from where the tile begins.
// CHECK-LABEL: func private @attention
// CHECK: scf.forall (%[[H:.*]], %[[Q:.*]]) = (0, 0) to (8, 64) step (2, 16)
// CHECK-DAG: tensor.extract_slice {{.*}} [1, 2, 16, 8]
// CHECK-DAG: tensor.extract_slice {{.*}} [1, 1, 64, 8]
// CHECK: coat.attention {{.*}} offset %[[Q]] {causal
func.func private @attention(%a: memref<1x8x64x8xf32>, %b: memref<1x2x64x8xf32>, %o: memref<1x8x64x8xf32>) attributes {coat.kernel} {
  %q = bufferization.to_tensor %a restrict : memref<1x8x64x8xf32> to tensor<1x8x64x8xf32>
  %k = bufferization.to_tensor %b restrict : memref<1x2x64x8xf32> to tensor<1x2x64x8xf32>
  %0 = coat.attention %q, %k, %k {scale = 0.5, causal,
    coat.schedule = #coat.schedule<"flash", tile = [0, 2, 16, 0], vector = 8>}
    : (tensor<1x8x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>) -> tensor<1x8x64x8xf32>
  bufferization.materialize_in_destination %0 in restrict writable %o : (tensor<1x8x64x8xf32>, memref<1x8x64x8xf32>) -> ()
  return
}

// -----

// CHECK-LABEL: func private @concat
// CHECK: scf.forall
// CHECK: tensor.concat dim(1) {{.*}} : (tensor<2x5xf32>, tensor<2x3xf32>) -> tensor<2x8xf32>
func.func private @concat(%a: memref<4x5xf32>, %b: memref<4x3xf32>, %o: memref<4x8xf32>) attributes {coat.kernel} {
  %x = bufferization.to_tensor %a restrict : memref<4x5xf32> to tensor<4x5xf32>
  %y = bufferization.to_tensor %b restrict : memref<4x3xf32> to tensor<4x3xf32>
  %0 = tensor.concat dim(1) %x, %y {coat.schedule = #coat.schedule<"loops", tile = [2, 0], vector = 8>}
    : (tensor<4x5xf32>, tensor<4x3xf32>) -> tensor<4x8xf32>
  bufferization.materialize_in_destination %0 in restrict writable %o : (tensor<4x8xf32>, memref<4x8xf32>) -> ()
  return
}

// -----

// CHECK-LABEL: func private @slice
// CHECK: scf.forall (%[[I:.*]]) = (0) to (4) step (2)
// CHECK: affine.apply
// CHECK: tensor.extract_slice {{.*}} [2, 3] [2, 1]
func.func private @slice(%a: memref<9x5xf32>, %o: memref<4x3xf32>) attributes {coat.kernel} {
  %x = bufferization.to_tensor %a restrict : memref<9x5xf32> to tensor<9x5xf32>
  %0 = tensor.extract_slice %x[1, 2] [4, 3] [2, 1] {coat.schedule = #coat.schedule<"loops", tile = [2, 0], vector = 8>}
    : tensor<9x5xf32> to tensor<4x3xf32>
  bufferization.materialize_in_destination %0 in restrict writable %o : (tensor<4x3xf32>, memref<4x3xf32>) -> ()
  return
}

// -----

// All of the result is one task.
// CHECK-LABEL: func private @one_task
// CHECK-NOT: scf.forall
func.func private @one_task(%a: memref<32x40xf32>, %o: memref<32x40xf32>) attributes {coat.kernel} {
  %x = bufferization.to_tensor %a restrict : memref<32x40xf32> to tensor<32x40xf32>
  %0 = coat.softmax %x {axis = 1 : i64, coat.schedule = #coat.schedule<"rows", tile = [0, 0], vector = 8>}
    : (tensor<32x40xf32>) -> tensor<32x40xf32>
  bufferization.materialize_in_destination %0 in restrict writable %o : (tensor<32x40xf32>, memref<32x40xf32>) -> ()
  return
}
