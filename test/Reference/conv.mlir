// RUN: coat-opt --coat-stage-reference %s | FileCheck %s

// Taps outside the input are cut off by the bounds of the loops; tasks are batches and channels.
func.func @conv(%x: tensor<2x4x9x8xf32>, %w: tensor<6x2x3x3xf32>, %b: tensor<6xf32>) -> tensor<2x6x9x8xf32> attributes {coat.entry} {
  %0 = coat.conv %x, %w bias %b {group = 2 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>}
      : (tensor<2x4x9x8xf32>, tensor<6x2x3x3xf32>, tensor<6xf32>) -> tensor<2x6x9x8xf32>
  return %0 : tensor<2x6x9x8xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_conv(
// CHECK: scf.forall (%[[N:.*]], %[[M:.*]]) in (2, 6)
// CHECK: %[[GROUP:.*]] = arith.divsi %[[M]]
// CHECK: %[[BIAS:.*]] = memref.load %arg2[%[[M]]]
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[BIAS]]) -> (f32)
// CHECK-NOT: scf.if
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK: memref.store

// f16 is summed in f32.
func.func @half(%x: tensor<1x1x4xf16>, %w: tensor<1x1x3xf16>) -> tensor<1x1x2xf16> attributes {coat.entry} {
  %0 = coat.conv %x, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>}
      : (tensor<1x1x4xf16>, tensor<1x1x3xf16>) -> tensor<1x1x2xf16>
  return %0 : tensor<1x1x2xf16>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_conv(
// CHECK: arith.extf {{.*}} : f16 to f32
// CHECK: arith.addf {{.*}} : f32
// CHECK: arith.truncf {{.*}} : f32 to f16

func.func @transposed(%x: tensor<1x4x5xf32>, %w: tensor<4x3x3xf32>) -> tensor<1x3x11xf32> attributes {coat.entry} {
  %0 = coat.conv_transpose %x, %w {strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, output_padding = array<i64: 0>}
      : (tensor<1x4x5xf32>, tensor<4x3x3xf32>) -> tensor<1x3x11xf32>
  return %0 : tensor<1x3x11xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_conv_transpose(
// CHECK: scf.forall (%{{.*}}) in (3)
// CHECK: arith.remsi
// CHECK: scf.if
// CHECK: arith.mulf

// The batch of the right-hand side is broadcast, its matrix transposed.
func.func @matmul(%a: tensor<2x3x4x5xf32>, %b: tensor<1x7x5xf32>) -> tensor<2x3x4x7xf32> attributes {coat.entry} {
  %0 = coat.matmul %a, %b {transpose_rhs} : (tensor<2x3x4x5xf32>, tensor<1x7x5xf32>) -> tensor<2x3x4x7xf32>
  return %0 : tensor<2x3x4x7xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_matmul(
// CHECK: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK: scf.forall (%[[B0:.*]], %[[B1:.*]]) in (2, 3)
// CHECK: scf.for %[[ROW:.*]] =
// CHECK: scf.for %[[COLUMN:.*]] =
// CHECK: scf.for %[[K:.*]] = {{.*}} iter_args
// CHECK: memref.load %arg0[%[[B0]], %[[B1]], %[[ROW]], %[[K]]]
// CHECK: memref.load %arg1[%[[ZERO]], %[[COLUMN]], %[[K]]]

// Four channels side by side; each sum in the order of the formula.
func.func @side_by_side(%x: tensor<1x2x4xf32>, %w: tensor<12x2x3xf32>) -> tensor<1x12x2xf32> attributes {coat.entry} {
  %0 = coat.conv %x, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>}
      : (tensor<1x2x4xf32>, tensor<12x2x3xf32>) -> tensor<1x12x2xf32>
  return %0 : tensor<1x12x2xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_conv(
// CHECK: scf.forall (%{{.*}}) in (3)
// CHECK: scf.for {{.*}} -> (f32, f32, f32, f32)
// CHECK: memref.load %arg0
// CHECK-NOT: memref.load %arg0
// CHECK-COUNT-4: arith.addf
// CHECK-COUNT-4: memref.store
