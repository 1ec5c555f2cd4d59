// RUN: coat-opt %s --coat-tile --canonicalize --cse --split-input-file | FileCheck %s

// Tasks of 4 rows: windows overlap by their halo, the epilogue is in the tile, weights of a task are whole blocks.
// CHECK-LABEL: @conv
// CHECK: scf.forall (%[[H:.*]], %[[M:.*]]) = (0, 0) to (28, 64) step (4, 32)
// CHECK: %[[W:.*]] = tensor.extract_slice %{{.*}}[0, %{{.*}}, 0, 0, 0, 0] [1, 2, 3, 3, 16, 16]
// CHECK: %[[X:.*]] = tensor.extract_slice %{{.*}}[0, %[[H]], 0, 0] [1, 6, 30, 16]
// CHECK: coat.conv %[[X]], %[[W]] {{.*}}out_channels = 32{{.*}} -> tensor<1x4x28x32xf32>
// CHECK: linalg.generic
// CHECK: tensor.parallel_insert_slice
#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
func.func private @conv(%x: memref<1x30x30x16xf32>, %w: memref<1x4x3x3x16x16xf32>, %o: memref<1x28x28x64xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<1x30x30x16xf32> to tensor<1x30x30x16xf32>
  %1 = bufferization.to_tensor %w restrict : memref<1x4x3x3x16x16xf32> to tensor<1x4x3x3x16x16xf32>
  %2 = coat.conv %0, %1 {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 64 : i64,
      coat.schedule = #coat.schedule<"direct", tile = [1, 4, 0, 32], reg = [1, 1, 6, 16], vector = 8>}
      : (tensor<1x30x30x16xf32>, tensor<1x4x3x3x16x16xf32>) -> tensor<1x28x28x64xf32>
  %e = tensor.empty() : tensor<1x28x28x64xf32>
  %3 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%2 : tensor<1x28x28x64xf32>) outs(%e : tensor<1x28x28x64xf32>) {
  ^bb0(%a: f32, %b: f32):
    %4 = arith.negf %a : f32
    linalg.yield %4 : f32
  } -> tensor<1x28x28x64xf32>
  bufferization.materialize_in_destination %3 in restrict writable %o : (tensor<1x28x28x64xf32>, memref<1x28x28x64xf32>) -> ()
  return
}

// -----

// Strides widen the slice; the order of the tasks is the schedule's.
// CHECK-LABEL: @strided
// CHECK: scf.forall (%[[M:.*]], %[[W:.*]]) = (0, 0) to (64, 12) step (16, 3)
// CHECK: tensor.extract_slice %{{.*}}[0, %{{.*}}, 0] [1, 9, 16]
func.func private @strided(%x: memref<1x27x16xf32>, %w: memref<1x4x5x16x16xf32>, %o: memref<1x12x64xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<1x27x16xf32> to tensor<1x27x16xf32>
  %1 = bufferization.to_tensor %w restrict : memref<1x4x5x16x16xf32> to tensor<1x4x5x16x16xf32>
  %2 = coat.conv %0, %1 {strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 0, 0>,
      data_layout = #coat<layout channels_last>, filter_layout = #coat<filter_layout packed>, out_channels = 64 : i64,
      coat.schedule = #coat.schedule<"direct", tile = [0, 3, 16], reg = [1, 6, 16], order = [2, 0, 1], vector = 8>}
      : (tensor<1x27x16xf32>, tensor<1x4x5x16x16xf32>) -> tensor<1x12x64xf32>
  bufferization.materialize_in_destination %2 in restrict writable %o : (tensor<1x12x64xf32>, memref<1x12x64xf32>) -> ()
  return
}

// -----

// A symbolic number of rows: the last task has fewer, and no untiled product is left.
// CHECK-LABEL: @symbolic
// CHECK: %[[N:.*]] = memref.dim %arg0
// CHECK-NOT: coat.matmul
// CHECK: scf.forall (%{{.*}}) = (0) to (%[[N]]) step (48)
// CHECK: coat.matmul {{.*}} -> tensor<?x32xf32>
func.func private @symbolic(%x: memref<?x8xf32>, %w: memref<2x8x16xf32>, %o: memref<?x32xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<?x8xf32> to tensor<?x8xf32>
  %1 = bufferization.to_tensor %w restrict : memref<2x8x16xf32> to tensor<2x8x16xf32>
  %2 = coat.matmul %0, %1 {filter_layout = #coat<filter_layout packed>, out_channels = 32 : i64,
      coat.schedule = #coat.schedule<"gemm", tile = [48, 0], reg = [6, 16], vector = 8>}
      : (tensor<?x8xf32>, tensor<2x8x16xf32>) -> tensor<?x32xf32>
  bufferization.materialize_in_destination %2 in restrict writable %o : (tensor<?x32xf32>, memref<?x32xf32>) -> ()
  return
}

// -----

// A tile that is everything: one task, no forall.
// CHECK-LABEL: @whole
// CHECK-NOT: scf.forall
// CHECK: coat.matmul
func.func private @whole(%x: memref<4x8xf32>, %w: memref<2x8x16xf32>, %o: memref<4x32xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<4x8xf32> to tensor<4x8xf32>
  %1 = bufferization.to_tensor %w restrict : memref<2x8x16xf32> to tensor<2x8x16xf32>
  %2 = coat.matmul %0, %1 {filter_layout = #coat<filter_layout packed>, out_channels = 32 : i64,
      coat.schedule = #coat.schedule<"gemm", tile = [0, 0], reg = [6, 16], vector = 8>}
      : (tensor<4x8xf32>, tensor<2x8x16xf32>) -> tensor<4x32xf32>
  bufferization.materialize_in_destination %2 in restrict writable %o : (tensor<4x32xf32>, memref<4x32xf32>) -> ()
  return
}
