// RUN: coat-opt %s --coat-linalg-to-loops --split-input-file | FileCheck %s
// RUN: coat-opt %s --coat-linalg-to-loops=ordered-sums=true --split-input-file | FileCheck %s --check-prefix=ORDERED

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// Element-wise along the contiguous dimension: what belongs to a row is read once, the rest of 21 is 4 lanes and a scalar.
// CHECK-LABEL: func private @rows
// CHECK: scf.for
// CHECK: %[[S:.*]] = memref.load %arg1
// CHECK: scf.for
// CHECK: vector.load {{.*}} vector<8xf32>
// CHECK: vector.broadcast %[[S]]
// CHECK: vector.store
// CHECK: vector.load {{.*}} vector<4xf32>
// CHECK: memref.store
func.func private @rows(%x: memref<4x21xf32>, %s: memref<4xf32>, %o: memref<4x21xf32>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"rows", tile = [0, 0], vector = 8>} {
  linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%x, %s : memref<4x21xf32>, memref<4xf32>) outs(%o : memref<4x21xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// A reduction along vectors: four partial vectors and a scalar that begins with the fill, which is gone.
// CHECK-LABEL: func private @sum
// CHECK-NOT: linalg.fill
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, f32)
// CHECK: vector.reduction <add>
// CHECK: memref.store
// In the order of the loop where that is asked for.
// ORDERED-LABEL: func private @sum
// ORDERED: scf.for {{.*}} iter_args({{.*}}) -> (f32)
// ORDERED-NOT: vector.reduction
// ORDERED: memref.store
func.func private @sum(%x: memref<4x?xf32>, %o: memref<4xf32>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"rows", tile = [0], vector = 8>} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%o : memref<4xf32>)
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%x : memref<4x?xf32>) outs(%o : memref<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %b, %a : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#window = affine_map<(d0, d1, d2) -> (d0 * 2 + d2, d1)>
#taps = affine_map<(d0, d1, d2) -> (d2)>
#out = affine_map<(d0, d1, d2) -> (d0, d1)>

// A reduction beside vectors: channels are lanes, the window runs inside with the maxima in registers.
// CHECK-LABEL: func private @pool
// CHECK: scf.for
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK-COUNT-4: arith.maximumf
// CHECK-COUNT-4: vector.store
func.func private @pool(%x: memref<9x32xf32>, %w: memref<3xf32>, %o: memref<4x32xf32>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"rows", tile = [0, 0], vector = 8>} {
  linalg.generic {indexing_maps = [#window, #taps, #out], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<9x32xf32>, memref<3xf32>) outs(%o : memref<4x32xf32>) {
  ^bb0(%a: f32, %t: f32, %b: f32):
    %0 = arith.maximumf %b, %a : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// Rows picked by index: the position is the same for all lanes, so the read is a vector.
// CHECK-LABEL: func private @gather
// CHECK: arith.index_cast
// CHECK: vector.load %arg0[%{{.*}}, %{{.*}}] : memref<9x16xf32>, vector<8xf32>
func.func private @gather(%x: memref<9x16xf32>, %i: memref<4xi64>, %o: memref<4x16xf32>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"loops", tile = [0, 0], vector = 8>} {
  linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%i : memref<4xi64>) outs(%o : memref<4x16xf32>) {
  ^bb0(%a: i64, %b: f32):
    %p = arith.index_cast %a : i64 to index
    %c = linalg.index 1 : index
    %0 = memref.load %x[%p, %c] : memref<9x16xf32>
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// Booleans are stored as vectors, too.
// CHECK-LABEL: func private @boolean_result
// CHECK: %[[LESS:.*]] = arith.cmpf olt
// CHECK: vector.store %[[LESS]], %arg1{{.*}} : memref<4x16xi1>, vector<8xi1>
func.func private @boolean_result(%x: memref<4x16xf32>, %o: memref<4x16xi1>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"loops", tile = [0, 0], vector = 8>} {
  %zero = arith.constant 0.0 : f32
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%x : memref<4x16xf32>) outs(%o : memref<4x16xi1>) {
  ^bb0(%a: f32, %b: i1):
    %0 = arith.cmpf olt, %a, %zero : f32
    linalg.yield %0 : i1
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// A difference depends on the order of its operands, and on all of them at once: no partial results.
// And three rows are too few for lanes.
// CHECK-LABEL: func private @no_combiner
// CHECK-NOT: vector<
func.func private @no_combiner(%x: memref<3x16xf32>, %o: memref<3xf32>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"rows", tile = [0], vector = 8>} {
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%x : memref<3x16xf32>) outs(%o : memref<3xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.subf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(d0) -> (d0)>

// Outside of kernels nothing is touched.
// CHECK-LABEL: func @no_kernel
// CHECK: linalg.generic
func.func @no_kernel(%x: memref<16xf32>, %o: memref<16xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
    ins(%x : memref<16xf32>) outs(%o : memref<16xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

#out = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#in = affine_map<(d0, d1, d2, d3) -> (d0, d3, d1, d2)>

// A transpose: squares of 8 x 8 elements, each step of three interleaving two halves; the last square of a row of 14 moves back.
// CHECK-LABEL: @transpose
// CHECK: scf.for
// CHECK: scf.for %[[W:.*]] = {{.*}} step %c8
// CHECK: %[[LAST:.*]] = arith.constant 6
// CHECK: %[[AT:.*]] = arith.minsi %[[W]], %[[LAST]]
// CHECK: scf.for %[[C:.*]] = {{.*}} to {{.*}} step %c8
// CHECK: vector.load %arg0[%{{.*}}, %[[C]], %{{.*}}, %[[AT]]] : memref<1x16x14x14xf32>, vector<8xf32>
// CHECK-COUNT-24: vector.shuffle
// CHECK-COUNT-8: vector.store
func.func private @transpose(%x: memref<1x16x14x14xf32>, %o: memref<1x14x14x16xf32>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"loops", tile = [0, 0, 0, 0], vector = 8>} {
  linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x : memref<1x16x14x14xf32>) outs(%o : memref<1x14x14x16xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

#out = affine_map<(d0, d1) -> (d0, d1)>
#in = affine_map<(d0, d1) -> (d1, d0)>

// Rows of 3 elements are no squares.
// CHECK-LABEL: @short_rows
// CHECK-NOT: vector.shuffle
func.func private @short_rows(%x: memref<3x64xf32>, %o: memref<64x3xf32>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"loops", tile = [0, 0], vector = 8>} {
  linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "parallel"]}
    ins(%x : memref<3x64xf32>) outs(%o : memref<64x3xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  }
  return
}
