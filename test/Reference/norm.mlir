// RUN: coat-opt --coat-stage-reference %s | FileCheck %s

func.func @batch(%x: tensor<2x3x4xf32>, %p: tensor<3xf32>) -> tensor<2x3x4xf32> attributes {coat.entry} {
  %0 = coat.batch_norm %x, %p, %p, %p, %p {epsilon = 1.0e-5 : f64}
      : (tensor<2x3x4xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_batch_norm(
// CHECK: scf.forall (%{{.*}}, %[[C:.*]]) in (2, 3)
// CHECK: memref.load %arg4[%[[C]]]
// CHECK: math.sqrt

// The variance is taken in a second pass around the mean.
func.func @layer(%x: tensor<2x3x4xf32>, %s: tensor<4xf32>) -> tensor<2x3x4xf32> attributes {coat.entry} {
  %0 = coat.layer_norm %x scale %s {axis = 2 : i64, epsilon = 1.0e-5 : f64} : (tensor<2x3x4xf32>, tensor<4xf32>) -> tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_layer_norm(
// CHECK: scf.forall (%{{.*}}, %{{.*}}) in (2, 3)
// CHECK: %[[MEAN:.*]] = arith.divf
// CHECK: arith.subf %{{.*}}, %[[MEAN]]
// CHECK: math.sqrt

func.func @rms(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> attributes {coat.entry} {
  %0 = coat.layer_norm %x {axis = 2 : i64, epsilon = 1.0e-5 : f64, rms} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_layer_norm(
// CHECK-NOT: arith.subf
// CHECK: return

// Tasks are batches and groups.
func.func @group(%x: tensor<2x6x4xf32>, %s: tensor<6xf32>) -> tensor<2x6x4xf32> attributes {coat.entry} {
  %0 = coat.group_norm %x, %s, %s {groups = 3 : i64, epsilon = 1.0e-5 : f64} : (tensor<2x6x4xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<2x6x4xf32>
  return %0 : tensor<2x6x4xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_group_norm(
// CHECK: scf.forall (%{{.*}}, %{{.*}}) in (2, 3)

// The neighbours are cut at the first and the last channel.
func.func @local_response(%x: tensor<2x6x4xf32>) -> tensor<2x6x4xf32> attributes {coat.entry} {
  %0 = coat.lrn %x {size = 4 : i64, alpha = 0.4 : f64, beta = 0.75 : f64, k = 1.0 : f64} : (tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
  return %0 : tensor<2x6x4xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_lrn(
// CHECK-DAG: %[[BETA:.*]] = arith.constant 7.500000e-01 : f32
// CHECK: arith.maxsi
// CHECK: arith.minsi
// CHECK: math.powf %{{.*}}, %[[BETA]]
