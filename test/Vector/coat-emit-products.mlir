// RUN: coat-opt %s --coat-emit-products --canonicalize --cse --split-input-file | FileCheck %s

// 6 rows of 16 channels: 12 sums that the reduction carries, started with the bias; 8 steps a body; the epilogue on the sums.
// CHECK-LABEL: @conv
// CHECK: scf.for %{{.*}} = %c0 to %c32 step %c16
// CHECK: scf.for %{{.*}} = %c0 to %c12 step %c6
// CHECK: vector.transfer_read %{{.*}} : tensor<32xf32>, vector<8xf32>
// CHECK: %[[S:.*]]:12 = scf.for %{{.*}} = %c0 to %c3
// CHECK: scf.for %{{.*}} = %c0 to %c3
// CHECK: scf.for %{{.*}} = %c0 to %c64 step %c8
// CHECK-COUNT-96: vector.fma
// CHECK-NOT: vector.fma
// CHECK: arith.negf %[[S]]#0 : vector<8xf32>
// CHECK: vector.transfer_write
// CHECK-NOT: linalg.generic
#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
func.func private @conv(%x: tensor<1x3x14x64xf32>, %w: tensor<1x2x3x3x64x16xf32>, %b: tensor<32xf32>, %o: tensor<1x1x12x32xf32>) -> tensor<1x1x12x32xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"direct", tile = [1, 1, 0, 32], reg = [1, 1, 6, 16], vector = 8>} {
  %0 = coat.conv %x, %w bias %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 32 : i64}
      : (tensor<1x3x14x64xf32>, tensor<1x2x3x3x64x16xf32>, tensor<32xf32>) -> tensor<1x1x12x32xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%0 : tensor<1x1x12x32xf32>) outs(%o : tensor<1x1x12x32xf32>) {
  ^bb0(%a: f32, %c: f32):
    %2 = arith.negf %a : f32
    linalg.yield %2 : f32
  } -> tensor<1x1x12x32xf32>
  return %1 : tensor<1x1x12x32xf32>
}

// -----

// 14 = 5 + 5 + 4 and not 6 + 6 + 2; the 7 channels of the last vector are masked when stored, not when computed.
// CHECK-LABEL: @tails
// CHECK: %[[MASK:.*]] = vector.constant_mask [7] : vector<8xi1>
// CHECK: scf.for %{{.*}} = %c0 to %c10 step %c5
// CHECK: vector.transfer_write %{{.*}}, %[[MASK]]
func.func private @tails(%x: tensor<14x16xf32>, %w: tensor<1x16x16xf32>) -> tensor<14x7xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"gemm", tile = [0, 0], reg = [6, 16], vector = 8>} {
  %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>, out_channels = 7 : i64}
      : (tensor<14x16xf32>, tensor<1x16x16xf32>) -> tensor<14x7xf32>
  return %0 : tensor<14x7xf32>
}

// -----

// A symbolic number of rows: full tiles, the last one moved back so that it is full; row by row below six.
// CHECK-DAG: #[[BACK:.*]] = affine_map<(d0)[s0] -> (s0 - 6, d0)>
// CHECK-LABEL: @symbolic
// CHECK: scf.if
// CHECK: scf.for
// CHECK: affine.min #[[BACK]]
// CHECK: } else {
// CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c1
func.func private @symbolic(%x: tensor<?x16xf32>, %w: tensor<1x16x16xf32>) -> tensor<?x16xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"gemm", tile = [48, 0], reg = [6, 16], vector = 8>} {
  %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>, out_channels = 16 : i64}
      : (tensor<?x16xf32>, tensor<1x16x16xf32>) -> tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}

// -----

// Depthwise: vectors of channels on both sides, the window unrolled.
// CHECK-LABEL: @depthwise
// CHECK: scf.for %{{.*}} = %c0 to %c2 step %c1
// CHECK: scf.for %{{.*}} = %c0 to %c16 step %c8
// CHECK-COUNT-63: vector.fma
// CHECK-NOT: vector.fma
func.func private @depthwise(%x: tensor<1x3x9x32xf32>, %w: tensor<1x2x3x3x1x16xf32>) -> tensor<1x1x7x32xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"depthwise", tile = [1, 1, 0, 0], reg = [1, 1, 7, 16], vector = 8>} {
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 32 : i64,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 32 : i64}
      : (tensor<1x3x9x32xf32>, tensor<1x2x3x3x1x16xf32>) -> tensor<1x1x7x32xf32>
  return %0 : tensor<1x1x7x32xf32>
}

// -----

// Two rows of four outputs: each of the 4 x 6 inputs is loaded once, each of the nine weights for the rows that meet.
// CHECK-LABEL: @depthwise_rows
// CHECK-COUNT-72: vector.fma
// CHECK-NOT: vector.fma
// CHECK-COUNT-8: vector.transfer_write
func.func private @depthwise_rows(%x: tensor<1x4x6x16xf32>, %w: tensor<1x1x3x3x1x16xf32>) -> tensor<1x2x4x16xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"depthwise", tile = [1, 0, 0, 0], reg = [1, 2, 4, 16], vector = 8>} {
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 16 : i64,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 16 : i64}
      : (tensor<1x4x6x16xf32>, tensor<1x1x3x3x1x16xf32>) -> tensor<1x2x4x16xf32>
  return %0 : tensor<1x2x4x16xf32>
}

// -----

// A border of three zeros around 7 x 7: of a row of the window 37 products are left, and rows within the border are left out.
// CHECK-DAG: #[[FROM:.*]] = affine_map<(d0) -> (-d0 + 3, 0)>
// CHECK-DAG: #[[TO:.*]] = affine_map<(d0) -> (-d0 + 10, 7)>
// CHECK-LABEL: @depthwise_border
// CHECK: %[[A:.*]] = affine.max #[[FROM]]
// CHECK: %[[B:.*]] = affine.min #[[TO]]
// CHECK: scf.for %{{.*}} = %[[A]] to %[[B]] step %c1
// CHECK-COUNT-37: vector.fma
// CHECK-NOT: vector.fma
func.func private @depthwise_border(%x: tensor<1x13x13x16xf32>, %w: tensor<1x1x7x7x1x16xf32>) -> tensor<1x7x7x16xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"depthwise", tile = [1, 0, 0, 0], reg = [1, 1, 7, 16], vector = 8>} {
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 16 : i64,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 16 : i64,
      coat.zeros = array<i64: 3, 3, 3, 3>}
      : (tensor<1x13x13x16xf32>, tensor<1x1x7x7x1x16xf32>) -> tensor<1x7x7x16xf32>
  return %0 : tensor<1x7x7x16xf32>
}

// -----

// A plane of 2 x 3 outputs is one tile of six, not two of three.
// CHECK-LABEL: @narrow
// CHECK-COUNT-12: vector.fma
// CHECK-NOT: vector.fma
func.func private @narrow(%x: tensor<1x4x5x1xf32>, %w: tensor<1x1x3x3x1x16xf32>) -> tensor<1x2x3x16xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"direct", tile = [1, 0, 0, 0], reg = [1, 1, 6, 16], vector = 8>} {
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 16 : i64}
      : (tensor<1x4x5x1xf32>, tensor<1x1x3x3x1x16xf32>) -> tensor<1x2x3x16xf32>
  return %0 : tensor<1x2x3x16xf32>
}

// -----

// A plane of 7 x 7: tiles of six, then of five, over the ends of its rows.
// CHECK-LABEL: @flat
// CHECK: scf.for %{{.*}} = %c0 to %c24 step %c6
// CHECK: scf.for %{{.*}} = %c24 to %c49 step %c5
func.func private @flat(%x: tensor<1x9x9x64xf32>, %w: tensor<1x1x3x3x64x16xf32>) -> tensor<1x7x7x16xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"direct", tile = [1, 0, 0, 0], reg = [1, 1, 6, 16], vector = 8>} {
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 16 : i64}
      : (tensor<1x9x9x64xf32>, tensor<1x1x3x3x64x16xf32>) -> tensor<1x7x7x16xf32>
  return %0 : tensor<1x7x7x16xf32>
}

// -----

// A panel of 288 KiB: its nine parts come one after the other, and sums wait for the next in scratch.
// CHECK-LABEL: @parts
// CHECK: %[[SCRATCH:.*]] = tensor.empty() : tensor<10x16xf32>
// CHECK: vector.transfer_write %{{.*}}, %{{.*}} : vector<8xf32>, tensor<10x16xf32>
// CHECK: scf.for %{{.*}} = %c0 to %c3 step %c1
// CHECK: scf.for %{{.*}} = %c0 to %c3 step %c1
// CHECK: vector.transfer_read %{{.*}} : tensor<10x16xf32>, vector<8xf32>
// CHECK: memref.prefetch
// CHECK-COUNT-80: vector.fma
// CHECK: vector.transfer_write %{{.*}}, %{{.*}} : vector<8xf32>, tensor<10x16xf32>
// CHECK: scf.for %{{.*}} = %c0 to %c2 step %c1
// CHECK: scf.for %{{.*}} = %c0 to %c5 step %c1
// CHECK: vector.transfer_write %{{.*}}, %{{.*}} : vector<8xf32>, tensor<1x2x5x16xf32>
func.func private @parts(%x: tensor<1x4x7x512xf32>, %w: tensor<1x1x3x3x512x16xf32>) -> tensor<1x2x5x16xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"direct", tile = [1, 0, 0, 0], reg = [1, 1, 5, 16], vector = 8>} {
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 16 : i64}
      : (tensor<1x4x7x512xf32>, tensor<1x1x3x3x512x16xf32>) -> tensor<1x2x5x16xf32>
  return %0 : tensor<1x2x5x16xf32>
}

// -----

// Four lanes are a target that may have no fma.
// CHECK-LABEL: @four_lanes
// CHECK-NOT: vector.fma
// CHECK: arith.mulf {{.*}} fastmath<contract> : vector<4xf32>
func.func private @four_lanes(%x: tensor<1x16xf32>, %w: tensor<1x16x16xf32>) -> tensor<1x16xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"gemm", tile = [0, 0], reg = [1, 16], vector = 4>} {
  %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>, out_channels = 16 : i64}
      : (tensor<1x16xf32>, tensor<1x16x16xf32>) -> tensor<1x16xf32>
  return %0 : tensor<1x16xf32>
}

// -----

// f64 has no microkernel.
// CHECK-LABEL: @double
// CHECK: coat.matmul
func.func private @double(%x: tensor<1x16xf64>, %w: tensor<1x16x16xf64>) -> tensor<1x16xf64>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"gemm", tile = [0, 0], reg = [1, 16], vector = 8>} {
  %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>, out_channels = 16 : i64}
      : (tensor<1x16xf64>, tensor<1x16x16xf64>) -> tensor<1x16xf64>
  return %0 : tensor<1x16xf64>
}

// -----

// Few rows use up a panel of 64 KB quickly, and a task's weights do not stay in a core's cache: its 9 tiles ask for the next one, a line
// of every four each.
// CHECK-LABEL: @fetches_ahead
// CHECK: %[[W:.*]] = bufferization.to_buffer %arg1 read_only
// CHECK: memref.prefetch %[[W]][%{{.*}}, %{{.*}}, %c0], read, locality<2>, data
// CHECK-NOT: memref.prefetch
// CHECK: vector.fma
func.func private @fetches_ahead(%x: tensor<54x1024xf32>, %w: tensor<8x1024x16xf32>) -> tensor<54x128xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"gemm", tile = [0, 0], reg = [6, 16], vector = 8>} {
  %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>, out_channels = 128 : i64}
      : (tensor<54x1024xf32>, tensor<8x1024x16xf32>) -> tensor<54x128xf32>
  return %0 : tensor<54x128xf32>
}

// -----

// A plane of one register tile reads its weights once, here 590 KB: the rows of the window are summed inside the loop over
// depth, three streams of weights at a time. 4 rows x 2 vectors x 4 steps x 3.
// CHECK-LABEL: @streams
// CHECK: scf.for %{{.*}} = %c0 to %c128 step %c16
// CHECK: scf.for %{{.*}} = %c0 to %c3 step %c1
// CHECK: scf.for %{{.*}} = %c0 to %c128 step %c4
// CHECK-COUNT-96: vector.fma
// CHECK-NOT: vector.fma
func.func private @streams(%x: tensor<1x4x4x128xf32>, %w: tensor<1x8x3x3x128x16xf32>) -> tensor<1x2x2x128xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"direct", tile = [1, 0, 0, 0], reg = [1, 1, 4, 16], vector = 8>} {
  %0 = coat.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 128 : i64}
      : (tensor<1x4x4x128xf32>, tensor<1x8x3x3x128x16xf32>) -> tensor<1x2x2x128xf32>
  return %0 : tensor<1x2x2x128xf32>
}
