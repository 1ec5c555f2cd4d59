// RUN: coat-opt %s --pass-pipeline='builtin.module(gpu.module(coat-finish-gpu-kernels))' | FileCheck %s

module attributes {gpu.container_module} {
  // CHECK: llvm.func @k0(%{{.*}}: !llvm.ptr {coat.bytes = 4 : i64}) attributes {coat.grid = array<i64: 1, 1, 1>
  // CHECK-SAME: gpu.kernel
  // CHECK-SAME: nvvm.kernel
  // CHECK-SAME: nvvm.reqntid = array<i32: 32, 1, 1>
  // CHECK: llvm.return
  gpu.module @k0_sm_80 {
    func.func @k0(%x: !llvm.ptr {coat.bytes = 4 : i64}) attributes {coat.block = array<i32: 32, 1, 1>, coat.grid = array<i64: 1, 1, 1>} {
      return
    }
  }
  // A function that is none of a kernel stays.
  // CHECK: func.func private @other
  func.func private @other() {
    return
  }
}
