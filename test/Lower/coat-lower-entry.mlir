// RUN: coat-opt %s --coat-lower-entry | FileCheck %s

// CHECK: func private @coat_parallel(!llvm.ptr, i32, i32, !llvm.ptr)

// CHECK-LABEL: func @net_body
// CHECK-SAME: (%[[FRAME:.*]]: !llvm.ptr) attributes {coat.entry}
// CHECK: %[[ARGS:.*]] = llvm.alloca
// CHECK: %[[PARTS:.*]] = llvm.alloca
// CHECK: %[[DIMS_AT:.*]] = llvm.getelementptr %[[FRAME]][1]
// CHECK: %[[DIMS:.*]] = llvm.load %[[DIMS_AT]]
// The second tensor's second dimension is number 1 + 1.
// CHECK: %[[N_AT:.*]] = llvm.getelementptr %[[DIMS]][2]
func.func @net(%x: memref<8xf32>, %y: memref<4x?xf32> {coat.result}) attributes {coat.entry} {
  // CHECK: %[[OFFSET:.*]] = llvm.mlir.constant(64 : i64)
  // CHECK: llvm.getelementptr %{{.*}}[%[[OFFSET]]] : (!llvm.ptr, i64) -> !llvm.ptr, i8
  %w = coat.weight dense<1.0> : tensor<8xf32> {offset = 64 : i64} : memref<8xf32>
  %c128 = arith.constant 128 : index
  %t = coat.workspace %c128 : memref<8xf32>
  // CHECK: constant @net_k0_thunk
  // CHECK: call @coat_parallel(%[[FRAME]], %{{.*}}, %{{.*}}, %[[PARTS]])
  coat.launch @k0(%x, %w) outs(%t) : (memref<8xf32>, memref<8xf32>, memref<8xf32>) -> ()
  // A symbolic number of tasks is asked for.
  // CHECK: call @net_k1_tasks(
  // CHECK: call @coat_parallel
  coat.launch @k1(%t) outs(%y) : (memref<8xf32>, memref<4x?xf32>) -> ()
  return
}
// CHECK: func private @net_k0_thunk(!llvm.ptr, i64, !llvm.ptr)
// CHECK: func private @net_k0(
func.func private @k0(%x: memref<8xf32>, %w: memref<8xf32>, %y: memref<8xf32>, %task: index) attributes {coat.kernel, coat.tasks = 8 : i64} {
  return
}
// CHECK: func private @net_k1_tasks
func.func private @k1_tasks(%n: index) -> index {
  return %n : index
}
// CHECK: func private @net_k1({{.*}}coat.tasks = @net_k1_tasks
func.func private @k1(%x: memref<8xf32>, %y: memref<4x?xf32>, %task: index) attributes {coat.kernel, coat.tasks = @k1_tasks} {
  return
}
// CHECK: func private @helper
func.func private @helper() {
  return
}
