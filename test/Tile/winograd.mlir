// RUN: coat-opt %s --coat-tile --canonicalize --split-input-file | FileCheck %s

// A task of two rows of tiles reads ten rows of the input: its own eight and a halo of two.
// CHECK-LABEL: @rows
// CHECK: scf.forall (%[[H:.*]]) = (0) to (56) step (8)
// CHECK: tensor.extract_slice %{{.*}}[0, %{{.*}}, 0, 0] [1, 10, 58, 64]
// CHECK: coat.winograd_input %{{.*}} : tensor<1x10x58x64xf32> -> tensor<1x4x36x28x16xf32>
// CHECK: coat.winograd_conv {{.*}} {out_channels = 64 : i64, output_size = array<i64: 8, 56>, tile = 4 : i64}
func.func private @rows(%x: memref<1x58x58x64xf32>, %u: memref<4x36x64x16xf32>, %o: memref<1x56x56x64xf32>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"winograd", tile = [1, 8, 0, 0], reg = [1, 1, 6, 16], vector = 8>} {
  %0 = bufferization.to_tensor %x restrict : memref<1x58x58x64xf32> to tensor<1x58x58x64xf32>
  %1 = bufferization.to_tensor %u restrict : memref<4x36x64x16xf32> to tensor<4x36x64x16xf32>
  %2 = coat.winograd_input %0 {tile = 4 : i64} : tensor<1x58x58x64xf32> -> tensor<1x4x36x196x16xf32>
  %3 = coat.winograd_conv %2, %1 {tile = 4 : i64, output_size = array<i64: 56, 56>, out_channels = 64 : i64}
    : (tensor<1x4x36x196x16xf32>, tensor<4x36x64x16xf32>) -> tensor<1x56x56x64xf32>
  bufferization.materialize_in_destination %3 in restrict writable %o : (tensor<1x56x56x64xf32>, memref<1x56x56x64xf32>) -> ()
  return
}

// -----

// With stride 2 it reads its own sixteen and one more.
// CHECK-LABEL: @strided_rows
// CHECK: scf.forall (%{{.*}}) = (0) to (28) step (4)
// CHECK: tensor.extract_slice %{{.*}}[0, %{{.*}}, 0, 0] [1, 9, 58, 64]
// CHECK: coat.winograd_input %{{.*}} : tensor<1x9x58x64xf32> -> tensor<1x4x81x7x16xf32>
// CHECK: coat.winograd_conv {{.*}} {out_channels = 64 : i64, output_size = array<i64: 4, 28>, stride = 2 : i64, tile = 4 : i64}
func.func private @strided_rows(%x: memref<1x58x58x64xf32>, %u: memref<4x81x64x16xf32>, %o: memref<1x28x28x64xf32>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"winograd", tile = [1, 4, 0, 0], reg = [1, 1, 6, 16], vector = 8>} {
  %0 = bufferization.to_tensor %x restrict : memref<1x58x58x64xf32> to tensor<1x58x58x64xf32>
  %1 = bufferization.to_tensor %u restrict : memref<4x81x64x16xf32> to tensor<4x81x64x16xf32>
  %2 = coat.winograd_input %0 {tile = 4 : i64, stride = 2 : i64} : tensor<1x58x58x64xf32> -> tensor<1x4x81x49x16xf32>
  %3 = coat.winograd_conv %2, %1 {tile = 4 : i64, stride = 2 : i64, output_size = array<i64: 28, 28>, out_channels = 64 : i64}
    : (tensor<1x4x81x49x16xf32>, tensor<4x81x64x16xf32>) -> tensor<1x28x28x64xf32>
  bufferization.materialize_in_destination %3 in restrict writable %o : (tensor<1x28x28x64xf32>, memref<1x28x28x64xf32>) -> ()
  return
}

// -----

// Two tile rows of folded pixels: eleven, which are 22 rows.
// CHECK-LABEL: @folded_rows
// CHECK: scf.forall (%{{.*}}) = (0) to (112) step (8)
// CHECK: tensor.extract_slice %{{.*}}[0, %{{.*}}, 0, 0] [1, 22, 115, 6]
// CHECK: coat.winograd_input %{{.*}} : tensor<1x22x115x6xf32> -> tensor<1x1x49x56x16xf32>
func.func private @folded_rows(%x: memref<1x230x115x6xf32>, %u: memref<4x49x12x16xf32>, %o: memref<1x112x112x64xf32>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"winograd", tile = [1, 8, 0, 0], reg = [1, 1, 6, 16], vector = 8>} {
  %0 = bufferization.to_tensor %x restrict : memref<1x230x115x6xf32> to tensor<1x230x115x6xf32>
  %1 = bufferization.to_tensor %u restrict : memref<4x49x12x16xf32> to tensor<4x49x12x16xf32>
  %2 = coat.winograd_input %0 {tile = 4 : i64, taps = 7 : i64, stride = 2 : i64, fold = 2 : i64} : tensor<1x230x115x6xf32> -> tensor<1x1x49x784x16xf32>
  %3 = coat.winograd_conv %2, %1 {tile = 4 : i64, taps = 7 : i64, stride = 2 : i64, fold = 2 : i64, output_size = array<i64: 112, 112>, out_channels = 64 : i64}
    : (tensor<1x1x49x784x16xf32>, tensor<4x49x12x16xf32>) -> tensor<1x112x112x64xf32>
  bufferization.materialize_in_destination %3 in restrict writable %o : (tensor<1x112x112x64xf32>, memref<1x112x112x64xf32>) -> ()
  return
}

// -----

// CHECK-LABEL: @channels
// CHECK: scf.forall (%{{.*}}) = (0) to (64) step (32)
// CHECK: tensor.extract_slice %{{.*}}[%{{.*}}, 0, 0, 0] [2, 36, 64, 16]
// CHECK: tensor.extract_slice %{{.*}}[%{{.*}}] [32]
// CHECK: coat.winograd_conv {{.*}} bias {{.*}} {out_channels = 32 : i64, output_size = array<i64: 14, 14>, tile = 4 : i64}
func.func private @channels(%v: memref<1x4x36x16x16xf32>, %u: memref<4x36x64x16xf32>, %b: memref<64xf32>, %o: memref<1x14x14x64xf32>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"winograd", tile = [1, 0, 0, 32], reg = [1, 1, 6, 16], vector = 8>} {
  %0 = bufferization.to_tensor %v restrict : memref<1x4x36x16x16xf32> to tensor<1x4x36x16x16xf32>
  %1 = bufferization.to_tensor %u restrict : memref<4x36x64x16xf32> to tensor<4x36x64x16xf32>
  %2 = bufferization.to_tensor %b restrict : memref<64xf32> to tensor<64xf32>
  %3 = coat.winograd_conv %0, %1 bias %2 {tile = 4 : i64, output_size = array<i64: 14, 14>, out_channels = 64 : i64}
    : (tensor<1x4x36x16x16xf32>, tensor<4x36x64x16xf32>, tensor<64xf32>) -> tensor<1x14x14x64xf32>
  bufferization.materialize_in_destination %3 in restrict writable %o : (tensor<1x14x14x64xf32>, memref<1x14x14x64xf32>) -> ()
  return
}

// -----

// Blocks of channels of the input are cut into tasks of their own.
// CHECK-LABEL: @blocks
// CHECK: scf.forall
// CHECK: tensor.extract_slice %{{.*}}[0, 0, 0, %{{.*}}] [1, 18, 18, 32]
// CHECK: coat.winograd_input %{{.*}} : tensor<1x18x18x32xf32> -> tensor<1x2x36x16x16xf32>
func.func private @blocks(%x: memref<1x18x18x64xf32>, %o: memref<1x4x36x16x16xf32>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"winograd", tile = [0, 2, 0, 0, 0], vector = 8>} {
  %0 = bufferization.to_tensor %x restrict : memref<1x18x18x64xf32> to tensor<1x18x18x64xf32>
  %1 = coat.winograd_input %0 {tile = 4 : i64} : tensor<1x18x18x64xf32> -> tensor<1x4x36x16x16xf32>
  bufferization.materialize_in_destination %1 in restrict writable %o : (tensor<1x4x36x16x16xf32>, memref<1x4x36x16x16xf32>) -> ()
  return
}
