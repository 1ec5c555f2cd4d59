// RUN: coat-opt %s --coat-vectorize-elementwise --canonicalize --cse | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (j)>
#column = affine_map<(i, j) -> (i, 0)>
#transposed = affine_map<(i, j) -> (j, i)>
#s = #coat.schedule<"loops", tile = [0, 0], vector = 8>

// Contiguous operands are vectors, constant ones are broadcast, the last three elements masked.
// CHECK-LABEL: @broadcasts
// CHECK: scf.for
// CHECK: scf.for %{{.*}} = %c0 to %c16 step %c8
// CHECK: vector.transfer_read %arg0{{.*}} vector<8xf32>
// CHECK: tensor.extract %arg1
// CHECK: vector.broadcast
// CHECK: arith.addf %{{.*}} : vector<8xf32>
// CHECK: vector.constant_mask [3]
// CHECK-NOT: linalg.generic
func.func private @broadcasts(%a: tensor<5x19xf32>, %b: tensor<5x1xf32>, %o: tensor<5x19xf32>) -> tensor<5x19xf32> attributes {coat.schedule = #s} {
  %0 = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<5x19xf32>, tensor<5x1xf32>) outs(%o : tensor<5x19xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %1 = arith.addf %x, %y : f32
    linalg.yield %1 : f32
  } -> tensor<5x19xf32>
  return %0 : tensor<5x19xf32>
}

// A transposing read is not contiguous.
// CHECK-LABEL: @transposes
// CHECK: linalg.generic
func.func private @transposes(%a: tensor<19x5xf32>, %o: tensor<5x19xf32>) -> tensor<5x19xf32> attributes {coat.schedule = #s} {
  %0 = linalg.generic {indexing_maps = [#transposed, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<19x5xf32>) outs(%o : tensor<5x19xf32>) {
  ^bb0(%x: f32, %z: f32):
    linalg.yield %x : f32
  } -> tensor<5x19xf32>
  return %0 : tensor<5x19xf32>
}

// CHECK-LABEL: @booleans
// CHECK: vector.transfer_read %arg0{{.*}} : tensor<5x19xi1>, vector<8xi1>
// CHECK: arith.uitofp %{{.*}} : vector<8xi1> to vector<8xf32>
func.func private @booleans(%a: tensor<5x19xi1>, %o: tensor<5x19xf32>) -> tensor<5x19xf32> attributes {coat.schedule = #s} {
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<5x19xi1>) outs(%o : tensor<5x19xf32>) {
  ^bb0(%x: i1, %z: f32):
    %1 = arith.uitofp %x : i1 to f32
    linalg.yield %1 : f32
  } -> tensor<5x19xf32>
  return %0 : tensor<5x19xf32>
}
