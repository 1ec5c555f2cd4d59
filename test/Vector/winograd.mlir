// RUN: coat-opt %s --coat-emit-products --canonicalize --cse --split-input-file | FileCheck %s

// Both halves in one task: the transformed input is scratch, 16 channels a block, two vectors of it at a time.
// CHECK-LABEL: @fused
// CHECK: %[[V:.*]] = tensor.empty() : tensor<1x2x36x4x16xf32>
// CHECK: scf.for %{{.*}} = %c0 to %c2 step %c1
// CHECK: scf.for %{{.*}} = %c0 to %c4 step %c1
// CHECK: scf.for %{{.*}} = %c0 to %c16 step %c8
// Columns, then rows.
// CHECK: scf.for %{{.*}} = %c0 to %c6 step %c1
// CHECK-COUNT-6: vector.transfer_read %arg0
// CHECK-COUNT-6: vector.transfer_write {{.*}} tensor<6x6x8xf32>
// CHECK: scf.for %{{.*}} = %c0 to %c6 step %c1
// CHECK-COUNT-6: vector.transfer_read {{.*}} tensor<6x6x8xf32>
// CHECK-COUNT-6: vector.transfer_write
// An odd number of tiles, then products: for each of 36, runs of channels, register tiles, blocks of the reduction.
// CHECK: tensor.empty() : tensor<36x5x32xf32>
// CHECK: scf.for %{{.*}} = %c0 to %c36 step %c1
// CHECK: scf.for %{{.*}} = %c0 to %c32 step %c16
// CHECK: scf.for %{{.*}} = %c0 to %c2 step %c1
// CHECK-COUNT-4: memref.prefetch
// The outputs of a tile, with the epilogue.
// CHECK: scf.for %{{.*}} = %c0 to %c6 step %c1
// CHECK-COUNT-6: vector.transfer_read %{{.*}} : tensor<36x5x32xf32>, vector<8xf32>
// CHECK-COUNT-4: vector.transfer_write {{.*}} tensor<4x6x8xf32>
// CHECK: scf.for %{{.*}} = %c0 to %c4 step %c1
// CHECK: arith.negf
// CHECK: vector.transfer_write
// CHECK-NOT: coat.winograd
#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
func.func private @fused(%x: tensor<1x6x18x32xf32>, %u: tensor<2x36x32x16xf32>, %b: tensor<32xf32>, %o: tensor<1x4x16x32xf32>) -> tensor<1x4x16x32xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"winograd", tile = [1, 4, 0, 0], reg = [1, 1, 1, 16], vector = 8>} {
  %0 = coat.winograd_input %x {tile = 4 : i64} : tensor<1x6x18x32xf32> -> tensor<1x2x36x4x16xf32>
  %1 = coat.winograd_conv %0, %u bias %b {tile = 4 : i64, output_size = array<i64: 4, 16>, out_channels = 32 : i64}
    : (tensor<1x2x36x4x16xf32>, tensor<2x36x32x16xf32>, tensor<32xf32>) -> tensor<1x4x16x32xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%1 : tensor<1x4x16x32xf32>) outs(%o : tensor<1x4x16x32xf32>) {
  ^bb0(%a: f32, %c: f32):
    %3 = arith.negf %a : f32
    linalg.yield %3 : f32
  } -> tensor<1x4x16x32xf32>
  return %2 : tensor<1x4x16x32xf32>
}

// -----

// 7 rows and columns are three tiles of two and one: of the last ones, half is stored. Channels beyond the fifth are masked.
// CHECK-LABEL: @clipped
// CHECK: scf.for %{{.*}} = %c0 to %c3 step %c1
// CHECK: scf.for %{{.*}} = %c0 to %c3 step %c1
// CHECK: vector.constant_mask [5]
// CHECK-COUNT-4: vector.transfer_write {{.*}} tensor<1x7x7x5xf32>
// CHECK: scf.yield
// CHECK-COUNT-2: vector.transfer_write {{.*}} tensor<1x7x7x5xf32>
// CHECK: scf.yield
// CHECK: scf.for %{{.*}} = %c0 to %c3 step %c1
// CHECK-COUNT-2: vector.transfer_write {{.*}} tensor<1x7x7x5xf32>
// CHECK: scf.yield
// CHECK-COUNT-1: vector.transfer_write {{.*}} tensor<1x7x7x5xf32>
// CHECK-NOT: vector.transfer_write
func.func private @clipped(%v: tensor<1x1x16x16x16xf32>, %u: tensor<1x16x16x16xf32>) -> tensor<1x7x7x5xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"winograd", tile = [1, 0, 0, 0], reg = [1, 1, 6, 16], vector = 8>} {
  %0 = coat.winograd_conv %v, %u {tile = 2 : i64, output_size = array<i64: 7, 7>, out_channels = 5 : i64}
    : (tensor<1x1x16x16x16xf32>, tensor<1x16x16x16xf32>) -> tensor<1x7x7x5xf32>
  return %0 : tensor<1x7x7x5xf32>
}

// -----

// Two rows of six channels count as one pixel of twelve: the vectors of the second are stored over the tail of the first.
// CHECK-LABEL: @folded
// CHECK: scf.for %{{.*}} = %c0 to %c2 step %c1
// CHECK: scf.for %[[FOLDED:.*]] = %c0 to %c2 step %c1
// CHECK: vector.constant_mask [6] : vector<8xi1>
// CHECK: %[[LANE:.*]] = affine.apply #{{[a-z0-9]*}}(%[[FOLDED]])
// CHECK-COUNT-7: vector.transfer_read %arg0{{.*}} tensor<1x14x11x6xf32>, vector<8xf32>
// CHECK: scf.for %{{.*}} = %c0 to %c7 step %c1
// CHECK-COUNT-7: vector.transfer_write %{{.*}}[%c0, %c0, %{{.*}}, %{{.*}}, %[[LANE]]] {in_bounds
// CHECK-NOT: vector.transfer_write
func.func private @folded(%x: tensor<1x14x11x6xf32>) -> tensor<1x1x49x2x16xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"winograd", tile = [1, 0, 0, 0, 0], vector = 8>} {
  %0 = coat.winograd_input %x {tile = 4 : i64, taps = 7 : i64, stride = 2 : i64, fold = 2 : i64} : tensor<1x14x11x6xf32> -> tensor<1x1x49x2x16xf32>
  return %0 : tensor<1x1x49x2x16xf32>
}

// -----

// Sixteen lanes reach over the end of the block: those behind the last channel are not stored.
// CHECK-LABEL: @folded_wide
// CHECK: %[[MASK:.*]] = vector.constant_mask [6] : vector<16xi1>
// CHECK: scf.for %{{.*}} = %c0 to %c7 step %c1
// CHECK-COUNT-7: vector.transfer_write
// CHECK: scf.for %{{.*}} = %c0 to %c7 step %c1
// CHECK-COUNT-7: vector.transfer_write %{{.*}}[%c0, %c0, %{{.*}}, %{{.*}}, %{{.*}}], %[[MASK]]
// CHECK-NOT: vector.transfer_write
func.func private @folded_wide(%x: tensor<1x14x11x6xf32>) -> tensor<1x1x49x2x16xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"winograd", tile = [1, 0, 0, 0, 0], vector = 16>} {
  %0 = coat.winograd_input %x {tile = 4 : i64, taps = 7 : i64, stride = 2 : i64, fold = 2 : i64} : tensor<1x14x11x6xf32> -> tensor<1x1x49x2x16xf32>
  return %0 : tensor<1x1x49x2x16xf32>
}
