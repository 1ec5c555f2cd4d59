// RUN: coat-opt %s --coat-lower-tasks | FileCheck %s

// CHECK-LABEL: func private @two_dimensions
// CHECK-SAME: (%[[X:.*]]: memref<6x8xf32>, %[[TASK:.*]]: index) attributes {coat.kernel, coat.tasks = 6 : i64}
func.func private @two_dimensions(%x: memref<6x8xf32>) attributes {coat.kernel} {
  %z = arith.constant 0.0 : f32
  // CHECK-NOT: scf.forall
  // The last dimension runs fastest.
  // CHECK: %[[J:.*]] = arith.remui %[[TASK]]
  // CHECK: %[[I:.*]] = arith.divui %[[TASK]]
  // CHECK: affine.apply #{{.*}}()[%[[J]]]
  // CHECK: affine.apply #{{.*}}()[%[[I]]]
  // CHECK: memref.store
  scf.forall (%i, %j) = (0, 1) to (6, 7) step (2, 4) {
    memref.store %z, %x[%i, %j] : memref<6x8xf32>
  }
  return
}

// CHECK-LABEL: func private @no_forall
// CHECK-SAME: coat.tasks = 1 : i64
// CHECK: scf.for
func.func private @no_forall(%x: memref<6xf32>) attributes {coat.kernel} {
  %z = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c6 = arith.constant 6 : index
  scf.for %i = %c0 to %c6 step %c1 {
    memref.store %z, %x[%i] : memref<6xf32>
  }
  return
}

// The count follows from the sizes, which are its arguments in the order of the kernel's.
// CHECK-LABEL: func private @symbolic_tasks
// CHECK-SAME: (%{{.*}}: index, %[[N:.*]]: index) -> index
// CHECK: affine.apply #{{.*}}()[%[[N]]]
// CHECK: return
// CHECK-LABEL: func private @symbolic
// CHECK-SAME: coat.tasks = @symbolic_tasks
func.func private @symbolic(%x: memref<?xf32>, %y: memref<4x?xf32>) attributes {coat.kernel} {
  %z = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %y, %c1 : memref<4x?xf32>
  scf.forall (%i) = (0) to (%n) step (3) {
    memref.store %z, %y[%c0, %i] : memref<4x?xf32>
  }
  return
}

// What only one task has to do is the first one's.
// CHECK-LABEL: func private @once
// CHECK-SAME: (%{{.*}}: memref<8xf32>, %[[TASK:.*]]: index)
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[TASK]]
// CHECK: scf.if %[[FIRST]]
// CHECK-NEXT: memref.store
func.func private @once(%x: memref<8xf32>) attributes {coat.kernel} {
  %z = arith.constant 0.0 : f32
  %c7 = arith.constant 7 : index
  scf.forall (%i) in (7) {
    memref.store %z, %x[%i] : memref<8xf32>
  }
  coat.once {
    memref.store %z, %x[%c7] : memref<8xf32>
  }
  return
}

// Only kernels.
// CHECK-LABEL: func private @other(%{{.*}}: memref<6xf32>) {
// CHECK: scf.forall
func.func private @other(%x: memref<6xf32>) {
  %z = arith.constant 0.0 : f32
  scf.forall (%i) in (6) {
    memref.store %z, %x[%i] : memref<6xf32>
  }
  return
}
