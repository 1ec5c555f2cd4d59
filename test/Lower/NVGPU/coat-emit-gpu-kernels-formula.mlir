// RUN: coat-opt %s --split-input-file --coat-emit-gpu-kernels=archs=sm_80 | FileCheck %s
// Kernels that are loops: iterations are threads, buffers lie in shared memory.

// CHECK-LABEL: gpu.module @k0_sm_80
// Two loops of independent iterations: 36 threads; a slice of 32 bytes each.
// CHECK: coat.block = array<i32: 64, 1, 1>, coat.grid = array<i64: 1, 1, 1>{{.*}}coat.shared = 1152
// CHECK: %[[INSIDE:.*]] = arith.andi
// CHECK: scf.if %[[INSIDE]]
// CHECK: llvm.load %{{.*}} : !llvm.ptr<1> -> f32
// CHECK: llvm.store %{{.*}} : f32, !llvm.ptr<3>
// CHECK: llvm.load %{{.*}} : !llvm.ptr<1> -> i64
// CHECK: %[[BYTE:.*]] = llvm.load %{{.*}} : !llvm.ptr<1> -> i8
// CHECK: arith.trunci %[[BYTE]] : i8 to i1
// CHECK-NOT: memref.{{load|store|alloc}}
func.func private @k0(%x: memref<4x7x9xf32>, %i: memref<4x9xi64>, %m: memref<4x9xi1>, %o: memref<4x9xf32>) attributes {coat.kernel, coat.ops = ["formula"]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %c9 = arith.constant 9 : index
  scf.forall (%a) in (4) {
    scf.for %b = %c0 to %c9 step %c1 {
      %row = memref.alloc() : memref<7xf32>
      scf.for %k = %c0 to %c7 step %c1 {
        %v = memref.load %x[%a, %k, %b] : memref<4x7x9xf32>
        memref.store %v, %row[%k] : memref<7xf32>
      }
      %n = memref.load %i[%a, %b] : memref<4x9xi64>
      %at = arith.index_cast %n : i64 to index
      %t = memref.load %m[%a, %b] : memref<4x9xi1>
      %v = memref.load %row[%at] : memref<7xf32>
      %z = arith.constant 0.0 : f32
      %r = arith.select %t, %v, %z : f32
      memref.store %r, %o[%a, %b] : memref<4x9xf32>
    } {coat.independent}
  }
  return
}

// -----
// Something in front of the loop that is not pure: all in order, in one thread.
// CHECK-LABEL: gpu.module @k0_sm_80
// CHECK: coat.block = array<i32: 32, 1, 1>, coat.grid = array<i64: 1, 1, 1>{{.*}}coat.shared = 0
// CHECK: %[[FIRST:.*]] = arith.constant 1 : i32
// CHECK: arith.cmpi ult, %{{.*}}, %[[FIRST]]
// CHECK: scf.for
// CHECK-NOT: scf.forall
func.func private @k0(%x: memref<4xf32, strided<[2], offset: 3>>, %o: memref<5xf32>) attributes {coat.kernel, coat.ops = ["formula"]} {
  %c0 = arith.constant 0 : index
  %z = arith.constant 0.0 : f32
  memref.store %z, %o[%c0] : memref<5xf32>
  scf.forall (%i) in (4) {
    %0 = memref.load %x[%i] : memref<4xf32, strided<[2], offset: 3>>
    %c1 = arith.constant 1 : index
    %j = arith.addi %i, %c1 : index
    memref.store %0, %o[%j] : memref<5xf32>
  }
  return
}
