// RUN: coat-opt --coat-stage-reference %s | FileCheck %s

func.func @transpose(%x: tensor<2x3x4xf32>) -> tensor<4x2x3xf32> attributes {coat.entry} {
  %0 = coat.transpose %x {permutation = array<i64: 2, 0, 1>} : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
  return %0 : tensor<4x2x3xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_transpose(
// CHECK: scf.forall (%[[A:.*]], %[[B:.*]]) in (4, 2)
// CHECK: scf.for %[[C:.*]] =
// CHECK: memref.load %arg0[%[[B]], %[[C]], %[[A]]]
// CHECK: memref.store %{{.*}}, %arg1[%[[A]], %[[B]], %[[C]]]

func.func @broadcast(%x: tensor<3x1xf32>, %n: tensor<?xf32>) -> tensor<?x3x4xf32> attributes {coat.entry} {
  %c0 = arith.constant 0 : index
  %s = tensor.dim %n, %c0 : tensor<?xf32>
  %0 = coat.broadcast %x sizes %s : tensor<3x1xf32> to tensor<?x3x4xf32>
  return %0 : tensor<?x3x4xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_broadcast(%arg0: memref<3x1xf32>, %arg1: memref<?x3x4xf32>)
// CHECK: scf.forall (%{{.*}}, %[[B:.*]]) in (%{{.*}}, 3)
// CHECK: memref.load %arg0[%[[B]], %{{.*}}]

func.func @pad(%x: tensor<4xf32>) -> tensor<7xf32> attributes {coat.entry} {
  %0 = coat.pad constant %x {low = array<i64: 1>, high = array<i64: 2>, value = 3.0 : f64} : (tensor<4xf32>) -> tensor<7xf32>
  return %0 : tensor<7xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_pad(
// CHECK: %[[FILL:.*]] = arith.constant 3.0{{.*}} : f32
// CHECK: scf.if
// CHECK: scf.yield %[[FILL]]

func.func @pad_edge(%x: tensor<4xf32>) -> tensor<7xf32> attributes {coat.entry} {
  %0 = coat.pad edge %x {low = array<i64: 1>, high = array<i64: 2>} : (tensor<4xf32>) -> tensor<7xf32>
  return %0 : tensor<7xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_pad(
// CHECK-NOT: scf.if
// CHECK: arith.maxsi
// CHECK: arith.minsi

// Negative indices count from the end; indices outside are clamped.
func.func @gather(%x: tensor<2x3x4xf32>, %i: tensor<5xi64>) -> tensor<2x5x4xf32> attributes {coat.entry} {
  %0 = coat.gather %x, %i {axis = 1 : i64} : (tensor<2x3x4xf32>, tensor<5xi64>) -> tensor<2x5x4xf32>
  return %0 : tensor<2x5x4xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_gather(
// CHECK: scf.forall (%[[A:.*]], %[[I:.*]]) in (2, 5)
// CHECK: memref.load %arg1[%[[I]]]
// CHECK: arith.select
// CHECK: %[[LOW:.*]] = arith.maxsi
// CHECK: %[[INDEX:.*]] = arith.minsi %[[LOW]]
// CHECK: memref.load %arg0[%[[A]], %[[INDEX]], %{{.*}}]

func.func @concat(%x: tensor<2x3xf32>, %y: tensor<2x?xf32>) -> tensor<2x?xf32> attributes {coat.entry} {
  %0 = tensor.concat dim(1) %x, %y : (tensor<2x3xf32>, tensor<2x?xf32>) -> tensor<2x?xf32>
  return %0 : tensor<2x?xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_concat(
// CHECK: %[[N:.*]] = memref.dim %arg1
// CHECK: scf.forall (%[[ROW:.*]]) in (2)
// CHECK: memref.load %arg0
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %[[N]]
// CHECK: %[[AT:.*]] = arith.addi %[[I]], %c3
// CHECK: memref.store %{{.*}}, %arg2[%[[ROW]], %[[AT]]]

// The first dimension is dropped from the result.
func.func @slice(%x: tensor<2x8xf32>) -> tensor<3xf32> attributes {coat.entry} {
  %0 = tensor.extract_slice %x[1, 2] [1, 3] [1, 2] : tensor<2x8xf32> to tensor<3xf32>
  return %0 : tensor<3xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_extract_slice(
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1 : index
// CHECK-DAG: %[[TWO:.*]] = arith.constant 2 : index
// CHECK: scf.for %[[I:.*]] =
// CHECK: %[[STEP:.*]] = arith.muli %[[I]], %[[TWO]]
// CHECK: %[[AT:.*]] = arith.addi %[[STEP]], %[[TWO]]
// CHECK: memref.load %arg0[%[[ONE]], %[[AT]]]

// A symbolic offset travels as the size of a view that nobody reads.
func.func @slice_from(%x: tensor<?x8xf32>, %n: tensor<?xf32>) -> tensor<1x8xf32> attributes {coat.entry} {
  %c0 = arith.constant 0 : index
  %s = tensor.dim %n, %c0 : tensor<?xf32>
  %0 = tensor.extract_slice %x[%s, 0] [1, 8] [1, 1] : tensor<?x8xf32> to tensor<1x8xf32>
  return %0 : tensor<1x8xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_extract_slice(%arg0: memref<?x8xf32>, %arg1: memref<?xf32>, %arg2: memref<1x8xf32>)
// CHECK: %[[OFFSET:.*]] = memref.dim %arg1
// CHECK: memref.load %arg0[%{{.*}}, %{{.*}}]
