// RUN: coat-opt %s --pass-pipeline='builtin.module(func.func(coat-lower-copies))' | FileCheck %s

// CHECK-LABEL: func @strided
// CHECK-NOT: memref.copy
// CHECK: scf.for
// CHECK: memref.load
// CHECK: memref.store
func.func @strided(%x: memref<4x8xf32, strided<[16, 1]>>, %y: memref<4x8xf32>) {
  memref.copy %x, %y : memref<4x8xf32, strided<[16, 1]>> to memref<4x8xf32>
  return
}

// Both sides dense: memcpy.
// CHECK-LABEL: func @dense
// CHECK: memref.copy
func.func @dense(%x: memref<4x8xf32>, %y: memref<4x8xf32>) {
  memref.copy %x, %y : memref<4x8xf32> to memref<4x8xf32>
  return
}
