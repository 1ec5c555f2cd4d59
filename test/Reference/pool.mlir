// RUN: coat-opt --coat-stage-reference %s | FileCheck %s

func.func @max(%x: tensor<1x2x9xf32>) -> tensor<1x2x4xf32> attributes {coat.entry} {
  %0 = coat.pool max %x {kernel = array<i64: 3>, strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 0, 0>}
      : (tensor<1x2x9xf32>) -> tensor<1x2x4xf32>
  return %0 : tensor<1x2x4xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_pool(
// CHECK: %[[LOWEST:.*]] = arith.constant 0xFF800000 : f32
// CHECK: scf.forall
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[LOWEST]])
// CHECK: arith.maximumf

func.func @max_of_bytes(%x: tensor<1x2x9xui8>) -> tensor<1x2x4xui8> attributes {coat.entry} {
  %0 = coat.pool max %x {kernel = array<i64: 3>, strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 0, 0>}
      : (tensor<1x2x9xui8>) -> tensor<1x2x4xui8>
  return %0 : tensor<1x2x4xui8>
}
// Unsigned integers are compared in a wider signed type.
// CHECK-LABEL: func.func private @ref_{{.*}}_cast(
// CHECK: arith.extui
// CHECK-LABEL: func.func private @ref_{{.*}}_pool(
// CHECK: arith.maxsi

func.func @max_with_indices(%x: tensor<1x2x9xf32>) -> (tensor<1x2x4xf32>, tensor<1x2x4xi64>) attributes {coat.entry} {
  %0:2 = coat.pool max %x {kernel = array<i64: 3>, strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, with_indices}
      : (tensor<1x2x9xf32>) -> (tensor<1x2x4xf32>, tensor<1x2x4xi64>)
  return %0#0, %0#1 : tensor<1x2x4xf32>, tensor<1x2x4xi64>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_pool(
// CHECK: scf.for {{.*}} -> (f32, index)
// CHECK: arith.cmpf olt
// CHECK: arith.index_cast
// CHECK: memref.store {{.*}} : memref<1x2x4xi64>

// The divisor is the number of elements that count.
func.func @average(%x: tensor<1x2x9xf32>) -> tensor<1x2x5xf32> attributes {coat.entry} {
  %0 = coat.pool average %x {kernel = array<i64: 3>, strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 1, 1>}
      : (tensor<1x2x9xf32>) -> tensor<1x2x5xf32>
  return %0 : tensor<1x2x5xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_pool(
// CHECK: scf.for {{.*}} iter_args
// CHECK: %[[COUNT:.*]] = arith.subi
// CHECK: %[[I:.*]] = arith.index_cast %[[COUNT]]
// CHECK: %[[F:.*]] = arith.sitofp %[[I]]
// CHECK: arith.divf %{{.*}}, %[[F]]

func.func @global_lp(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x1x1xf32> attributes {coat.entry} {
  %0 = coat.global_pool lp %x {p = 3 : i64} : (tensor<1x2x4x4xf32>) -> tensor<1x2x1x1xf32>
  return %0 : tensor<1x2x1x1xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_global_pool(
// CHECK: math.absf
// CHECK: math.powf
// CHECK: math.powf

// Nearest neighbours are read at one place, others at the two around.
func.func @nearest(%x: tensor<1x1x4xf32>) -> tensor<1x1x8xf32> attributes {coat.entry} {
  %0 = coat.resize nearest %x {scales = array<f64: 1.0, 1.0, 2.0>, sizes = array<i64: 1, 1, 8>, coordinate_mode = #coat<coordinate_mode asymmetric>}
      : (tensor<1x1x4xf32>) -> tensor<1x1x8xf32>
  return %0 : tensor<1x1x8xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_resize(
// CHECK: math.ceil
// CHECK-COUNT-1: memref.load
// CHECK-NOT: memref.load
// CHECK: memref.store

func.func @linear(%x: tensor<1x1x4xf32>) -> tensor<1x1x8xf32> attributes {coat.entry} {
  %0 = coat.resize linear %x {scales = array<f64: 1.0, 1.0, 2.0>, sizes = array<i64: 1, 1, 8>, coordinate_mode = #coat<coordinate_mode asymmetric>}
      : (tensor<1x1x4xf32>) -> tensor<1x1x8xf32>
  return %0 : tensor<1x1x8xf32>
}
// CHECK-LABEL: func.func private @ref_{{.*}}_resize(
// CHECK: math.floor
// CHECK-COUNT-2: memref.load
// CHECK: memref.store
