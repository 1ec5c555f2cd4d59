// The two halves of a Winograd convolution: round trip, types.
// RUN: coat-opt %s | coat-opt | FileCheck %s
// RUN: coat-opt %s -mlir-print-op-generic | coat-opt | FileCheck %s

// CHECK-LABEL: @f4
// CHECK: coat.winograd_input %{{.*}} {tile = 4 : i64} : tensor<1x58x58x64xf32> -> tensor<1x4x36x196x16xf32>
// CHECK: coat.winograd_conv %{{.*}}, %{{.*}} bias %{{.*}} {out_channels = 64 : i64, output_size = array<i64: 56, 56>, tile = 4 : i64}
func.func @f4(%x: tensor<1x58x58x64xf32>, %u: tensor<4x36x64x16xf32>, %b: tensor<64xf32>) -> tensor<1x56x56x64xf32> {
  %0 = coat.winograd_input %x {tile = 4 : i64} : tensor<1x58x58x64xf32> -> tensor<1x4x36x196x16xf32>
  %1 = coat.winograd_conv %0, %u bias %b {tile = 4 : i64, output_size = array<i64: 56, 56>, out_channels = 64 : i64}
    : (tensor<1x4x36x196x16xf32>, tensor<4x36x64x16xf32>, tensor<64xf32>) -> tensor<1x56x56x64xf32>
  return %1 : tensor<1x56x56x64xf32>
}

// Stride 2: nine inputs a tile, neighbours of which share one; the last row and column are not read.
// CHECK-LABEL: @strided
// CHECK: coat.winograd_input %{{.*}} {stride = 2 : i64, tile = 4 : i64}
func.func @strided(%x: tensor<1x58x58x64xf32>, %u: tensor<8x81x64x16xf32>) -> tensor<1x28x28x128xf32> {
  %0 = coat.winograd_input %x {tile = 4 : i64, stride = 2 : i64} : tensor<1x58x58x64xf32> -> tensor<1x4x81x49x16xf32>
  %1 = coat.winograd_conv %0, %u {tile = 4 : i64, stride = 2 : i64, output_size = array<i64: 28, 28>, out_channels = 128 : i64}
    : (tensor<1x4x81x49x16xf32>, tensor<8x81x64x16xf32>) -> tensor<1x28x28x128xf32>
  return %1 : tensor<1x28x28x128xf32>
}

// Two rows count as one.
// CHECK-LABEL: @folded
// CHECK: coat.winograd_input %{{.*}} {fold = 2 : i64, stride = 2 : i64, taps = 7 : i64, tile = 4 : i64}
func.func @folded(%x: tensor<1x230x115x6xf32>, %u: tensor<4x49x12x16xf32>) -> tensor<1x112x112x64xf32> {
  %0 = coat.winograd_input %x {tile = 4 : i64, taps = 7 : i64, stride = 2 : i64, fold = 2 : i64} : tensor<1x230x115x6xf32> -> tensor<1x1x49x784x16xf32>
  %1 = coat.winograd_conv %0, %u {tile = 4 : i64, taps = 7 : i64, stride = 2 : i64, fold = 2 : i64, output_size = array<i64: 112, 112>, out_channels = 64 : i64}
    : (tensor<1x1x49x784x16xf32>, tensor<4x49x12x16xf32>) -> tensor<1x112x112x64xf32>
  return %1 : tensor<1x112x112x64xf32>
}

// Tiles reach over the end of a 7x7 result; channels fill no block; the batch is symbolic.
// CHECK-LABEL: @f2
func.func @f2(%x: tensor<?x10x10x20xf32>, %u: tensor<1x16x20x16xf32>) -> tensor<?x7x7x5xf32> {
  %0 = coat.winograd_input %x {tile = 2 : i64} : tensor<?x10x10x20xf32> -> tensor<?x2x16x16x16xf32>
  %1 = coat.winograd_conv %0, %u {tile = 2 : i64, output_size = array<i64: 7, 7>, out_channels = 5 : i64}
    : (tensor<?x2x16x16x16xf32>, tensor<1x16x20x16xf32>) -> tensor<?x7x7x5xf32>
  return %1 : tensor<?x7x7x5xf32>
}
