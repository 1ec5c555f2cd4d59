// Ops that read an image at computed positions: round trip, types, and the kernels that their formulas are.
// RUN: coat-opt %s | coat-opt | FileCheck %s
// RUN: coat-opt %s -mlir-print-op-generic | coat-opt | FileCheck %s
// RUN: coat-opt %s --coat-reference | FileCheck %s --check-prefix=KERNEL

// CHECK-LABEL: @grid_sample
// CHECK: coat.grid_sample linear %{{.*}}, %{{.*}} {align_corners, padding = #coat<pad_mode edge>}
// A position outside goes to the nearest element; four neighbours are weighed.
// KERNEL-LABEL: func.func private @{{.*}}grid_sample
// KERNEL: scf.forall
// KERNEL: math.floor
// KERNEL-COUNT-4: memref.load %arg0
// KERNEL-NOT: memref.load %arg0
// KERNEL: memref.store %{{.*}}, %arg2
func.func @grid_sample(%x: tensor<1x2x4x5xf32>, %g: tensor<1x3x3x2xf32>) -> tensor<1x2x3x3xf32> attributes {coat.entry} {
  %0 = coat.grid_sample linear %x, %g {padding = #coat<pad_mode edge>, align_corners} : (tensor<1x2x4x5xf32>, tensor<1x3x3x2xf32>) -> tensor<1x2x3x3xf32>
  return %0 : tensor<1x2x3x3xf32>
}

// CHECK-LABEL: @grid_sample_symbolic
// CHECK: (tensor<?x2x4x5x6xf16>, tensor<?x?x3x3x3xf32>) -> tensor<?x2x?x3x3xf16>
func.func @grid_sample_symbolic(%x: tensor<?x2x4x5x6xf16>, %g: tensor<?x?x3x3x3xf32>) -> tensor<?x2x?x3x3xf16> {
  %0 = coat.grid_sample cubic %x, %g : (tensor<?x2x4x5x6xf16>, tensor<?x?x3x3x3xf32>) -> tensor<?x2x?x3x3xf16>
  return %0 : tensor<?x2x?x3x3xf16>
}

// CHECK-LABEL: @deform_columns
// CHECK: coat.deform_columns %{{.*}} offset %{{.*}} mask %{{.*}}
// KERNEL-LABEL: func.func private @{{.*}}deform_columns
// KERNEL: memref.load %arg2
// KERNEL-COUNT-4: memref.load %arg0
func.func @deform_columns(%x: tensor<1x5x6x4xf32>, %o: tensor<1x16x4x5xf32>, %m: tensor<1x8x4x5xf32>) -> tensor<1x4x5x2x2x4xf32> attributes {coat.entry} {
  %0 = coat.deform_columns %x offset %o mask %m {kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, groups = 2} : (tensor<1x5x6x4xf32>, tensor<1x16x4x5xf32>, tensor<1x8x4x5xf32>) -> tensor<1x4x5x2x2x4xf32>
  return %0 : tensor<1x4x5x2x2x4xf32>
}

// CHECK-LABEL: @roi_align
// CHECK: coat.roi_align max %{{.*}}, %{{.*}}, %{{.*}} {half_pixel, samples = 2 : i64
// KERNEL-LABEL: func.func private @{{.*}}roi_align
// KERNEL: arith.maximumf
func.func @roi_align(%x: tensor<1x2x8x8xf32>, %r: tensor<3x4xf32>, %b: tensor<3xi64>) -> tensor<3x2x5x4xf32> attributes {coat.entry} {
  %0 = coat.roi_align max %x, %r, %b {size = array<i64: 5, 4>, samples = 2, scale = 0.5, half_pixel}
    : (tensor<1x2x8x8xf32>, tensor<3x4xf32>, tensor<3xi64>) -> tensor<3x2x5x4xf32>
  return %0 : tensor<3x2x5x4xf32>
}

// CHECK-LABEL: @max_roi_pool
// CHECK: coat.max_roi_pool %{{.*}}, %{{.*}} {scale = 5.000000e-01 : f64, size = array<i64: 5, 4>}
func.func @max_roi_pool(%x: tensor<1x2x8x8xf32>, %r: tensor<3x5xf32>) -> tensor<3x2x5x4xf32> {
  %0 = coat.max_roi_pool %x, %r {size = array<i64: 5, 4>, scale = 0.5} : (tensor<1x2x8x8xf32>, tensor<3x5xf32>) -> tensor<3x2x5x4xf32>
  return %0 : tensor<3x2x5x4xf32>
}

// CHECK-LABEL: @col2im
// CHECK: coat.col2im %{{.*}} {
// KERNEL-LABEL: func.func private @{{.*}}col2im
// KERNEL: arith.addf
func.func @col2im(%x: tensor<1x10x9xf32>) -> tensor<1x5x4x3xf32> attributes {coat.entry} {
  %0 = coat.col2im %x {image = array<i64: 4, 3>, kernel = array<i64: 2, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>} : (tensor<1x10x9xf32>) -> tensor<1x5x4x3xf32>
  return %0 : tensor<1x5x4x3xf32>
}
