// RUN: not coat-opt %s --coat-emit-gpu-kernels=archs=sm_80 2>&1 | FileCheck %s
// CHECK: expected ops on tensors; the loops of ["cumsum"] are not supported yet with --device=cuda
func.func private @k0(%x: memref<4xf32>, %o: memref<4xf32>) attributes {coat.kernel, coat.ops = ["cumsum"]} {
  scf.forall (%i) in (4) {
    %0 = memref.load %x[%i] : memref<4xf32>
    memref.store %0, %o[%i] : memref<4xf32>
  }
  return
}
