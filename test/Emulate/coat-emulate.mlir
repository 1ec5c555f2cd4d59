// RUN: coat-emulate %s -o %t.mlir && FileCheck %s --input-file=%t.mlir

gpu.module @k0_sm_90a {
  llvm.mlir.global external @small() {addr_space = 3 : i32} : !llvm.array<4 x i32>
  llvm.mlir.global external @dynamic() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>

  // The parameter's size is known; the instruction of the GPU and the accesses are calls.
  // CHECK-LABEL: llvm.func internal @k0_sm_90a.kernel(%{{.*}}: !llvm.ptr, %{{.*}}: i32)
  llvm.func @k0(%out: !llvm.ptr {coat.bytes = 64 : i64}, %n: i32) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32, 2, 1>} {
    // CHECK: llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
    // CHECK: llvm.getelementptr %{{.*}}[0] : (!llvm.ptr) -> !llvm.ptr, i32
    %tid = nvvm.read.ptx.sreg.tid.x : i32
    // CHECK: llvm.call @coat_emu_shared()
    // CHECK: llvm.getelementptr %{{.*}}[128]
    %shared = llvm.mlir.addressof @dynamic : !llvm.ptr<3>
    // CHECK: %[[SHARED:.*]] = llvm.mlir.constant(-2 : i32) : i32
    // CHECK: llvm.call @coat_emu_write(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[SHARED]])
    llvm.store %tid, %shared : i32, !llvm.ptr<3>
    // CHECK: llvm.call @coat_emu_barrier(%{{.*}}, %{{.*}})
    nvvm.barrier0
    %x = llvm.load %shared : !llvm.ptr<3> -> i32
    // CHECK: llvm.call @coat_emu_shfl
    %mask = llvm.mlir.constant(-1 : i32) : i32
    %y = nvvm.shfl.sync bfly %mask, %x, %n, %mask : i32 -> i32
    %to = llvm.getelementptr %out[%tid] : (!llvm.ptr, i32) -> !llvm.ptr, i32
    // CHECK: %[[ARGUMENT:.*]] = llvm.mlir.constant(0 : i32) : i32
    // CHECK: llvm.call @coat_emu_write(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[ARGUMENT]])
    llvm.store %y, %to : i32, !llvm.ptr
    llvm.return
  }
}

// CHECK-LABEL: llvm.func internal @k0_sm_90a.entry(%{{.*}}: !llvm.ptr)
// CHECK: llvm.mlir.global internal constant @k0_sm_90a.bytes(dense<[64, -2]>
// CHECK: llvm.mlir.global external constant @k0_sm_90a()
