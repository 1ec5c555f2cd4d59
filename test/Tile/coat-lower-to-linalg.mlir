// RUN: coat-opt %s --coat-lower-to-linalg --split-input-file | FileCheck %s
// RUN: coat-opt %s --coat-lower-to-linalg=before-tiling --split-input-file | FileCheck %s --check-prefix=BEFORE

// A broadcast is an indexing map, a splat constant a scalar of the body.
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func @broadcast_and_splat
// CHECK: %[[TWO:.*]] = arith.constant 2.0{{.*}} : f32
// CHECK: linalg.generic {{.*}}#[[ROW]]
// CHECK: arith.addf
// CHECK: linalg.generic {{.*}} ins(%{{[0-9a-z]*}} : tensor<4x8xf32>)
// CHECK: arith.mulf %{{.*}}, %[[TWO]]
func.func @broadcast_and_splat(%x: tensor<4x8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %two = arith.constant dense<2.0> : tensor<8xf32>
  %0 = coat.elementwise add %x, %b : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %1 = coat.elementwise mul %0, %two : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// -----

// Ops that are tiled themselves stay until they are cut.
// CHECK-LABEL: func @softmax
// CHECK: linalg.generic {{.*}}"parallel", "reduction"
// CHECK: arith.maximumf
// CHECK: math.exp
// CHECK: arith.divf
// BEFORE-LABEL: func @softmax
// BEFORE: coat.softmax
func.func @softmax(%x: tensor<4x?xf32>) -> tensor<4x?xf32> {
  %0 = coat.softmax %x {axis = 1 : i64} : (tensor<4x?xf32>) -> tensor<4x?xf32>
  return %0 : tensor<4x?xf32>
}

// -----

// Ops that upstream cuts are generics from the start; the schedule stays on what makes the result.
// BEFORE-LABEL: func @gather
// BEFORE: linalg.generic {{.*}}coat.schedule
// BEFORE: tensor.extract
func.func @gather(%x: tensor<9x8xf32>, %i: tensor<4xi64>) -> tensor<4x8xf32> {
  %0 = coat.gather %x, %i {axis = 0 : i64, coat.schedule = #coat.schedule<"loops", tile = [2, 0], vector = 8>}
    : (tensor<9x8xf32>, tensor<4xi64>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

// CHECK-DAG: #[[WINDOW:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 * 2 + d4, d2 * 2 + d5, d3)>
// CHECK-LABEL: func @pool
// CHECK: linalg.generic {indexing_maps = [#[[WINDOW]]
func.func @pool(%x: tensor<1x7x7x8xf32>) -> tensor<1x3x3x8xf32> {
  %0 = coat.pool max %x {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, data_layout = #coat<layout channels_last>}
    : (tensor<1x7x7x8xf32>) -> tensor<1x3x3x8xf32>
  return %0 : tensor<1x3x3x8xf32>
}

// -----

// Low precision is accumulated in f32.
// CHECK-LABEL: func @reduce_half
// CHECK: arith.extf
// CHECK: arith.addf {{.*}} : f32
// CHECK: arith.truncf
func.func @reduce_half(%x: tensor<4x8xf16>) -> tensor<4xf16> {
  %0 = coat.reduce mean %x {axes = array<i64: 1>} : (tensor<4x8xf16>) -> tensor<4xf16>
  return %0 : tensor<4xf16>
}

// -----

// A key head serves several query heads.
// CHECK-DAG: #[[KEYS:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1 floordiv 4, d3, d4)>
// CHECK-LABEL: func @attention
// CHECK: #[[KEYS]]
func.func @attention(%q: tensor<1x8x1x16xf32>, %k: tensor<1x2x9x16xf32>, %v: tensor<1x2x9x16xf32>) -> tensor<1x8x1x16xf32> {
  %0 = coat.attention %q, %k, %v {scale = 0.25}
    : (tensor<1x8x1x16xf32>, tensor<1x2x9x16xf32>, tensor<1x2x9x16xf32>) -> tensor<1x8x1x16xf32>
  return %0 : tensor<1x8x1x16xf32>
}

// -----

// Statistics over everything have no dimension left.
// CHECK-LABEL: func @norm_of_everything
// CHECK: linalg.generic {{.*}}"reduction", "reduction"]} ins({{.*}}) outs(%{{.*}} : tensor<f32>)
// CHECK: math.sqrt
func.func @norm_of_everything(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %0 = coat.layer_norm %x {axis = 0 : i64, epsilon = 1.0e-5 : f64} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// -----

// A reshape is a view, never a generic.
// CHECK-LABEL: func @reshape
// CHECK-NEXT: coat.reshape
func.func @reshape(%x: tensor<4x8xf32>) -> tensor<32xf32> {
  %0 = coat.reshape %x : tensor<4x8xf32> to tensor<32xf32>
  return %0 : tensor<32xf32>
}
