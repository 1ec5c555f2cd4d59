// RUN: coat-opt %s --coat-emit-pools --canonicalize --cse --split-input-file | FileCheck %s
// RUN: coat-opt %s --coat-emit-pools=ordered-sums --split-input-file | FileCheck %s --check-prefix=ORDERED

// Eight windows at once: ten columns of three elements, then eight times three columns.
// CHECK-LABEL: @shared
// CHECK: scf.for %{{.*}} = %c0 to %c32 step %c8
// CHECK-COUNT-30: vector.transfer_read
// CHECK-NOT: vector.transfer_read
// CHECK: vector.transfer_write
// CHECK-NOT: coat.pool
// ORDERED-LABEL: @shared
// ORDERED: coat.pool
func.func private @shared(%x: tensor<1x3x10x32xf32>) -> tensor<1x1x8x32xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"loops", tile = [0, 1, 0, 0], vector = 8>} {
  %0 = coat.pool sum %x {kernel = array<i64: 3, 3>, strides = array<i64: 1, 1>,
      dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, data_layout = #coat<layout channels_last>}
      : (tensor<1x3x10x32xf32>) -> tensor<1x1x8x32xf32>
  return %0 : tensor<1x1x8x32xf32>
}

// -----

// With a stride, one output at a time; the four channels of the last vector are masked; the epilogue on the maximum.
// CHECK-LABEL: @strided
// CHECK: scf.for %{{.*}} = %c0 to %c4 step %c1
// CHECK-COUNT-8: arith.select
// CHECK: arith.negf
// CHECK: %[[MASK:.*]] = vector.constant_mask [4] : vector<8xi1>
// CHECK: vector.transfer_read {{.*}}, %[[MASK]]
// CHECK-COUNT-8: arith.select
// CHECK: vector.transfer_write {{.*}}, %[[MASK]]
// ORDERED-LABEL: @strided
// ORDERED-NOT: coat.pool
#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
func.func private @strided(%x: tensor<1x3x9x12xf32>, %o: tensor<1x1x4x12xf32>) -> tensor<1x1x4x12xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"loops", tile = [0, 1, 0, 0], vector = 8>} {
  %0 = coat.pool max %x {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>,
      dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, data_layout = #coat<layout channels_last>}
      : (tensor<1x3x9x12xf32>) -> tensor<1x1x4x12xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%0 : tensor<1x1x4x12xf32>) outs(%o : tensor<1x1x4x12xf32>) {
  ^bb0(%a: f32, %c: f32):
    %2 = arith.negf %a : f32
    linalg.yield %2 : f32
  } -> tensor<1x1x4x12xf32>
  return %1 : tensor<1x1x4x12xf32>
}

// -----

// Four rows of one column, whose windows share three of nine rows of the input.
// CHECK-LABEL: @strided_rows
// CHECK: scf.for %{{.*}} = %c0 to %c4 step %c1
// CHECK-COUNT-27: vector.transfer_read
// CHECK-NOT: vector.transfer_read
// CHECK: vector.transfer_write
// ORDERED-LABEL: @strided_rows
// ORDERED-NOT: coat.pool
func.func private @strided_rows(%x: tensor<1x9x9x8xf32>) -> tensor<1x4x4x8xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"loops", tile = [0, 0, 0, 0], vector = 8>} {
  %0 = coat.pool max %x {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>,
      dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, data_layout = #coat<layout channels_last>}
      : (tensor<1x9x9x8xf32>) -> tensor<1x4x4x8xf32>
  return %0 : tensor<1x4x4x8xf32>
}

// -----

// A window of the size of an image is a reduction.
// CHECK-LABEL: @global
// CHECK: coat.pool
// ORDERED-LABEL: @global
func.func private @global(%x: tensor<1x7x7x32xf32>) -> tensor<1x1x1x32xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"loops", tile = [0, 0, 0, 0], vector = 8>} {
  %0 = coat.pool average %x {kernel = array<i64: 7, 7>, strides = array<i64: 1, 1>,
      dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, data_layout = #coat<layout channels_last>}
      : (tensor<1x7x7x32xf32>) -> tensor<1x1x1x32xf32>
  return %0 : tensor<1x1x1x32xf32>
}
