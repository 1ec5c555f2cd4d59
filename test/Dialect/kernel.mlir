// Ops of the launch list, and the schedule: round trip.
// RUN: coat-opt %s | coat-opt | FileCheck %s

// CHECK-LABEL: @entry
// CHECK: coat.weight dense<1.000000e+00> : tensor<4xf32> {offset = 128 : i64} : memref<4xf32>
// CHECK: coat.workspace %{{.*}} sizes %{{.*}} : memref<?x64xf32>
// CHECK: coat.launch @add(%{{.*}}, %{{.*}}) outs(%{{.*}}) : (memref<4xf32>, memref<4xf32>, memref<4xf32>) -> ()
func.func @entry(%x: memref<4xf32>, %z: memref<4xf32>, %n: index) attributes {coat.entry} {
  %y = coat.weight dense<1.0> : tensor<4xf32> {offset = 128 : i64} : memref<4xf32>
  %0 = coat.workspace %n sizes %n : memref<?x64xf32>
  coat.launch @add(%x, %y) outs(%z) : (memref<4xf32>, memref<4xf32>, memref<4xf32>) -> ()
  return
}

// CHECK-LABEL: func.func private @add
// CHECK-SAME: coat.schedule = #coat.schedule<"rows", tile = [4], reg = [1], vector = 8>
// CHECK: coat.scratch {offset = 64 : i64} : memref<16x24xf32>
func.func private @add(%x: memref<4xf32>, %y: memref<4xf32>, %z: memref<4xf32>)
    attributes {coat.kernel, coat.schedule = #coat.schedule<"rows", tile = [4], reg = [1], vector = 8>} {
  %0 = coat.scratch {offset = 64} : memref<16x24xf32>
  return
}

// CHECK-LABEL: func.func private @schedules
// CHECK-SAME: a = #coat.schedule<"direct", tile = [1, 14, 0, 32], reg = [1, 1, 4, 16], order = [3, 1, 0, 2], vector = 8>
// CHECK-SAME: b = #coat.schedule<"loops", tile = [0], vector = 1>
func.func private @schedules() attributes {
  a = #coat.schedule<"direct", tile = [1, 14, 0, 32], reg = [1, 1, 4, 16], order = [3, 1, 0, 2], vector = 8>,
  b = #coat.schedule<"loops", tile = [0], vector = 1>}
