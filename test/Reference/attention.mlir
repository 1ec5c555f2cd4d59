// RUN: coat-opt --coat-stage-reference %s | FileCheck %s

// Two query heads for each key head; a row of scores; a fully masked row gives zeros.
func.func @grouped(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x7x8xf32>, %v: tensor<1x2x7x6xf32>, %m: tensor<5x7xi1>) -> tensor<1x4x5x6xf32>
    attributes {coat.entry} {
  %0 = coat.attention %q, %k, %v mask %m {scale = 0.5 : f64, causal}
      : (tensor<1x4x5x8xf32>, tensor<1x2x7x8xf32>, tensor<1x2x7x6xf32>, tensor<5x7xi1>) -> tensor<1x4x5x6xf32>
  return %0 : tensor<1x4x5x6xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_attention(
// CHECK-DAG: %[[LOWEST:.*]] = arith.constant 0xFF800000 : f32
// CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
// CHECK: scf.forall (%[[HEAD:.*]]) in (4)
// CHECK: arith.divsi %[[HEAD]], %[[C2]]
// CHECK: memref.alloc
// CHECK: arith.select %{{.*}}, %{{.*}}, %[[LOWEST]]
// CHECK: arith.cmpi slt
// CHECK: arith.select %{{.*}}, %[[LOWEST]]
// CHECK: math.exp
// CHECK: arith.divf
// CHECK: arith.select

// The keys are the past ones, then the new ones, and come back as a result.
func.func @past(%q: tensor<1x2x1x8xf32>, %k: tensor<1x2x1x8xf32>, %v: tensor<1x2x1x8xf32>, %pk: tensor<1x2x?x8xf32>, %pv: tensor<1x2x?x8xf32>)
    -> (tensor<1x2x1x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>) attributes {coat.entry} {
  %0:3 = coat.attention %q, %k, %v past %pk, %pv {scale = 0.5 : f64, with_present}
      : (tensor<1x2x1x8xf32>, tensor<1x2x1x8xf32>, tensor<1x2x1x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>)
      -> (tensor<1x2x1x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>)
  return %0#0, %0#1, %0#2 : tensor<1x2x1x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_attention(
// CHECK: %[[P:.*]] = memref.dim %arg3, %{{.*}} : memref<1x2x?x8xf32>
// CHECK: memref.alloc(%{{.*}}) : memref<?xf32>
// CHECK: %[[OLD:.*]] = arith.cmpi slt, %{{.*}}, %[[P]]
// CHECK: scf.if %[[OLD]]
// CHECK: memref.store {{.*}}, %arg5
// CHECK: memref.store {{.*}}, %arg6
// CHECK: memref.store {{.*}}, %arg7

func.func @softmax(%x: tensor<3x4x5xf32>) -> tensor<3x4x5xf32> attributes {coat.entry} {
  %0 = coat.softmax %x {axis = 1 : i64} : (tensor<3x4x5xf32>) -> tensor<3x4x5xf32>
  return %0 : tensor<3x4x5xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_softmax(
// CHECK: scf.forall (%{{.*}}) in (3)
// CHECK: arith.maximumf
// CHECK: math.exp
// CHECK: arith.divf

func.func @log_softmax(%x: tensor<3x4x5xf32>) -> tensor<3x4x5xf32> attributes {coat.entry} {
  %0 = coat.softmax %x {axis = 1 : i64, log} : (tensor<3x4x5xf32>) -> tensor<3x4x5xf32>
  return %0 : tensor<3x4x5xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_softmax(
// CHECK: math.log
// CHECK-NOT: arith.divf
// CHECK: return
