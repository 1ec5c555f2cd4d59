// RUN: not coat-opt %s --coat-emit-gpu-kernels=archs=sm_80 2>&1 | FileCheck %s
// CHECK: the loops of ["top_k"] with --device=cuda: expected buffers of at most 166912 bytes for sm_80, got 400000
// CHECK-NOT: error
func.func private @k0(%x: memref<100000xf32>, %o: memref<4xf32>) attributes {coat.kernel, coat.ops = ["top_k"]} {
  %row = memref.alloc() : memref<100000xf32>
  scf.forall (%i) in (4) {
    %0 = memref.load %x[%i] : memref<100000xf32>
    memref.store %0, %row[%i] : memref<100000xf32>
    %1 = memref.load %row[%i] : memref<100000xf32>
    memref.store %1, %o[%i] : memref<4xf32>
  }
  return
}
