// RUN: coat-opt --coat-stage-reference %s | FileCheck %s

func.func @broadcast_add(%x: tensor<2x3x4xf32>, %y: tensor<3x1xf32>) -> tensor<2x3x4xf32> attributes {coat.entry} {
  %0 = coat.elementwise add %x, %y : (tensor<2x3x4xf32>, tensor<3x1xf32>) -> tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_elementwise(
// CHECK: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK: scf.forall (%{{.*}}, %[[ROW:.*]]) in (2, 3)
// CHECK: memref.load %arg1[%[[ROW]], %[[ZERO]]]
// CHECK: arith.addf

func.func @compare(%x: tensor<4xi64>, %y: tensor<4xi64>) -> tensor<4xi1> attributes {coat.entry} {
  %0 = coat.elementwise less %x, %y : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi1>
  return %0 : tensor<4xi1>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_elementwise(
// CHECK-NOT: scf.forall
// CHECK: arith.cmpi slt
// CHECK: memref.store {{.*}} : memref<4xi1>

func.func @cast(%x: tensor<4xf32>) -> tensor<4xi32> attributes {coat.entry} {
  %0 = coat.cast %x : tensor<4xf32> to tensor<4xi32>
  return %0 : tensor<4xi32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_cast(
// CHECK: arith.fptosi

func.func @mean(%x: tensor<2x?x4xf32>) -> tensor<2x1x4xf32> attributes {coat.entry} {
  %0 = coat.reduce mean %x {axes = array<i64: 1>, keep_dims} : (tensor<2x?x4xf32>) -> tensor<2x1x4xf32>
  return %0 : tensor<2x1x4xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_reduce(
// CHECK: %[[N:.*]] = memref.dim %arg0
// CHECK: scf.for {{.*}} to %[[N]] {{.*}} iter_args
// CHECK: arith.divf

// The maximum is taken out first, so that the exponential does not overflow.
func.func @log_sum_exp(%x: tensor<2x8xf32>) -> tensor<2xf32> attributes {coat.entry} {
  %0 = coat.reduce log_sum_exp %x {axes = array<i64: 1>} : (tensor<2x8xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_reduce(
// CHECK: arith.maximumf
// CHECK: math.exp
// CHECK: math.log

func.func @first(%x: tensor<2x8xf32>) -> tensor<2xi64> attributes {coat.entry} {
  %0 = coat.arg_reduce max %x {axis = 1 : i64} : (tensor<2x8xf32>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_arg_reduce(
// CHECK: arith.cmpf olt

func.func @last(%x: tensor<2x8xf32>) -> tensor<2xi64> attributes {coat.entry} {
  %0 = coat.arg_reduce max %x {axis = 1 : i64, select_last} : (tensor<2x8xf32>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_arg_reduce(
// CHECK: arith.cmpf ole
