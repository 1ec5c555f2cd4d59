// RUN: coat-opt %s --coat-lower-kernels | FileCheck %s

// CHECK: func private @k_thunk(%[[ARGS:.*]]: !llvm.ptr, %[[T:.*]]: i64, %[[S:.*]]: !llvm.ptr)
// CHECK: %[[A:.*]] = llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
// CHECK: call @k(%[[A]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[T]], %[[S]])
func.func private @k_thunk(!llvm.ptr, i64, !llvm.ptr)

// Pointers, then for each memref its dynamic sizes and strides, then task and scratch.
// CHECK-LABEL: func private @k(
// CHECK-SAME: %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias}, %[[N0:[a-z0-9]*]]: i64, %[[N1:[a-z0-9]*]]: i64, %[[STRIDE:[a-z0-9]*]]: i64,
// CHECK-SAME: %[[TASK:[a-z0-9]*]]: i64, %[[SCRATCH:[a-z0-9]*]]: !llvm.ptr {llvm.noalias}
func.func private @k(%x: memref<?x8xf32>, %y: memref<?x8xf32, strided<[?, 1], offset: 8>>, %task: index) attributes {coat.kernel, coat.tasks = 1 : i64} {
  %c0 = arith.constant 0 : index
  // CHECK: llvm.insertvalue %[[N0]], %{{.*}}[3, 0]
  // A static offset stays in the type.
  // CHECK: llvm.mlir.constant(8 : index)
  // CHECK: llvm.insertvalue %[[N1]], %{{.*}}[3, 0]
  // CHECK: llvm.insertvalue %[[STRIDE]], %{{.*}}[4, 0]
  // CHECK: arith.index_cast %[[TASK]] : i64 to index
  // CHECK: %[[OFFSET:.*]] = llvm.mlir.constant(64 : i64)
  // CHECK: llvm.getelementptr %[[SCRATCH]][%[[OFFSET]]] : (!llvm.ptr, i64) -> !llvm.ptr, i8
  %s = coat.scratch {offset = 64 : i64} : memref<8xf32>
  %v = memref.load %x[%task, %c0] : memref<?x8xf32>
  memref.store %v, %s[%c0] : memref<8xf32>
  memref.store %v, %y[%task, %c0] : memref<?x8xf32, strided<[?, 1], offset: 8>>
  return
}

// CHECK-LABEL: func private @other(%{{.*}}: memref<8xf32>)
func.func private @other(%x: memref<8xf32>) {
  return
}
