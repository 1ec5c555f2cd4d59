// RUN: split-file %s %t
// RUN: not coat-emulate %t/text.mlir -o %t/text.so 2>&1 | FileCheck %s --check-prefix=TEXT
// RUN: not coat-emulate %t/cluster.mlir -o %t/cluster.so 2>&1 | FileCheck %s --check-prefix=CLUSTER
// What the emulator does not know is refused, never left out.

//--- text.mlir
gpu.module @k {
  llvm.func @k(%x: f32) attributes {nvvm.kernel} {
    // TEXT: error: expected PTX that the emulator has, got frobnicate.f32 $0, $1;
    %y = nvvm.inline_ptx "frobnicate.f32 $0, $1;" ro (%x : f32) -> f32
    llvm.return
  }
}

//--- cluster.mlir
gpu.module @k {
  llvm.func @k() attributes {nvvm.kernel} {
    // CLUSTER: error: expected an instruction that the emulator has
    nvvm.cluster.arrive
    llvm.return
  }
}
