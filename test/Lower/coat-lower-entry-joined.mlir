// RUN: coat-opt %s --coat-lower-entry | FileCheck %s

// Joined launches are handed over at once, with operands of their own; the next one is number 2.
// CHECK-LABEL: func @net_body
func.func @net(%x: memref<8xf32>, %y: memref<8xf32> {coat.result}, %z: memref<8xf32> {coat.result}) attributes {coat.entry} {
  // CHECK: %[[ARGS:.*]] = llvm.alloca
  // CHECK: %[[PARTS:.*]] = llvm.alloca
  // CHECK: llvm.getelementptr %[[ARGS]][0]
  coat.launch @k0(%x) outs(%y) : (memref<8xf32>, memref<8xf32>) -> ()
  // CHECK: llvm.getelementptr %[[ARGS]][2]
  // CHECK: llvm.getelementptr %[[PARTS]][5]
  // CHECK: %[[FIRST:.*]] = llvm.mlir.constant(0 : i32)
  // CHECK: %[[COUNT:.*]] = llvm.mlir.constant(2 : i32)
  // CHECK: call @coat_parallel(%{{.*}}, %[[FIRST]], %[[COUNT]], %[[PARTS]])
  coat.launch @k0(%x) outs(%z) {coat.joined} : (memref<8xf32>, memref<8xf32>) -> ()
  // CHECK: %[[SECOND:.*]] = llvm.mlir.constant(2 : i32)
  // CHECK: %[[ONE:.*]] = llvm.mlir.constant(1 : i32)
  // CHECK: call @coat_parallel(%{{.*}}, %[[SECOND]], %[[ONE]], %[[PARTS]])
  coat.launch @k0(%y) outs(%z) : (memref<8xf32>, memref<8xf32>) -> ()
  return
}
func.func private @k0(%x: memref<8xf32>, %y: memref<8xf32>, %task: index) attributes {coat.kernel, coat.tasks = 8 : i64} {
  return
}
