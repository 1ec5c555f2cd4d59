// RUN: coat-opt --coat-expand-copies %s | FileCheck %s

// CHECK-LABEL: func @strided
func.func @strided(%a: memref<4x8xf32, strided<[16, 1]>>, %b: memref<4x8xf32>) {
  // CHECK-NOT: memref.copy
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: memref.load %{{.*}} : memref<4x8xf32, strided<[16, 1]>>
  // CHECK: memref.store
  memref.copy %a, %b : memref<4x8xf32, strided<[16, 1]>> to memref<4x8xf32>
  return
}

// Sizes that are known at run time only are read off the buffer.
// CHECK-LABEL: func @symbolic
func.func @symbolic(%a: memref<?x8xf32>, %b: memref<?x8xf32, strided<[16, 1]>>) {
  // CHECK: %[[N:.*]] = memref.dim %arg0
  // CHECK: scf.for %{{.*}} = %{{.*}} to %[[N]]
  memref.copy %a, %b : memref<?x8xf32> to memref<?x8xf32, strided<[16, 1]>>
  return
}

// Both sides dense: this is memcpy.
// CHECK-LABEL: func @dense
func.func @dense(%a: memref<4x8xf32>, %b: memref<4x8xf32>) {
  // CHECK: memref.copy
  memref.copy %a, %b : memref<4x8xf32> to memref<4x8xf32>
  return
}
