// y = x + w + w, row by row: one kernel, launched twice, that loads its tile by TMA on sm_90a and by plain loads on sm_80. As
// it leaves the NVGPU stage, so that what follows can be tested without an emitter.
func.func @net(%x: memref<32x64xf32> {coat.name = "x"}, %y: memref<32x64xf32> {coat.name = "y", coat.result})
    attributes {coat.entry} {
  %w = coat.weight dense<0.5> : tensor<64xf32> : memref<64xf32>
  %t = memref.alloc() : memref<32x64xf32>
  coat.launch @k0(%x, %w) outs(%t) : (memref<32x64xf32>, memref<64xf32>, memref<32x64xf32>) -> ()
  coat.launch @k0(%t, %w) outs(%y) : (memref<32x64xf32>, memref<64xf32>, memref<32x64xf32>) -> ()
  return
}
func.func private @k0(memref<32x64xf32>, memref<64xf32>, memref<32x64xf32>)
    attributes {coat.kernel, coat.ops = ["add"], coat.flops = 2048 : i64, coat.bytes = 16640 : i64}

gpu.module @k0_sm_80 [#nvvm.target<chip = "sm_80">] {
llvm.func @k0(%x: !llvm.ptr, %w: !llvm.ptr, %y: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel,
    nvvm.reqntid = array<i32: 128, 1, 1>, coat.grid = array<i64: 2, 1, 1>, coat.shared = 0 : i64} {
  %tid = nvvm.read.ptx.sreg.tid.x : i32
  %ctaid = nvvm.read.ptx.sreg.ctaid.x : i32
  %c1024 = llvm.mlir.constant(1024 : i32) : i32
  %c0 = llvm.mlir.constant(0 : i32) : i32
  %c1 = llvm.mlir.constant(1 : i32) : i32
  %c8 = llvm.mlir.constant(8 : i32) : i32
  %c64 = llvm.mlir.constant(64 : i32) : i32
  %c128 = llvm.mlir.constant(128 : i32) : i32
  %first = llvm.mul %ctaid, %c1024 : i32
  llvm.br ^loop(%c0 : i32)
^loop(%i: i32):
  %step = llvm.mul %i, %c128 : i32
  %at = llvm.add %step, %tid : i32
  %all = llvm.add %at, %first : i32
  %xAt = llvm.getelementptr %x[%all] : (!llvm.ptr, i32) -> !llvm.ptr, f32
  %a = llvm.load %xAt : !llvm.ptr -> f32
  %column = llvm.urem %at, %c64 : i32
  %wAt = llvm.getelementptr %w[%column] : (!llvm.ptr, i32) -> !llvm.ptr, f32
  %b = llvm.load %wAt : !llvm.ptr -> f32
  %sum = llvm.fadd %a, %b : f32
  %yAt = llvm.getelementptr %y[%all] : (!llvm.ptr, i32) -> !llvm.ptr, f32
  llvm.store %sum, %yAt : f32, !llvm.ptr
  %next = llvm.add %i, %c1 : i32
  %more = llvm.icmp "ult" %next, %c8 : i32
  llvm.cond_br %more, ^loop(%next : i32), ^done
^done:
  llvm.return
}
}

gpu.module @k0_sm_90a [#nvvm.target<chip = "sm_90a">] {
llvm.mlir.global external @tile() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
llvm.mlir.global internal @barrier() {addr_space = 3 : i32, alignment = 8 : i64} : i64
llvm.func @k0(%x: !llvm.ptr, %w: !llvm.ptr, %y: !llvm.ptr,
    %map: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<16 x i64>, nvvm.grid_constant})
    attributes {gpu.kernel, nvvm.kernel, nvvm.reqntid = array<i32: 128, 1, 1>, coat.grid = array<i64: 2, 1, 1>,
    coat.shared = 4096 : i64, coat.maps = [{arg = 0, kind = "tile", type = "f32", sizes = [64, 32], strides = [256],
    box = [64, 16], swizzle = 0}]} {
  %tile = llvm.mlir.addressof @tile : !llvm.ptr<3>
  %barrier = llvm.mlir.addressof @barrier : !llvm.ptr<3>
  %tid = nvvm.read.ptx.sreg.tid.x : i32
  %ctaid = nvvm.read.ptx.sreg.ctaid.x : i32
  %c1024 = llvm.mlir.constant(1024 : i32) : i32
  %zero = llvm.mlir.constant(0 : i32) : i32
  %one = llvm.mlir.constant(1 : i32) : i32
  %c16 = llvm.mlir.constant(16 : i32) : i32
  %bytes = llvm.mlir.constant(4096 : i32) : i32
  %ticks = llvm.mlir.constant(1000000 : i32) : i32
  %leads = llvm.icmp "eq" %tid, %zero : i32
  llvm.cond_br %leads, ^lead, ^wait
^lead:
  nvvm.mbarrier.init %barrier, %one : !llvm.ptr<3>, i32
  nvvm.fence.mbarrier.init
  nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
  nvvm.mbarrier.arrive.expect_tx %barrier, %bytes : !llvm.ptr<3>, i32
  %row = llvm.mul %ctaid, %c16 : i32
  %to = llvm.addrspacecast %tile : !llvm.ptr<3> to !llvm.ptr<7>
  nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %barrier, box [%zero, %row] : !llvm.ptr<7>, !llvm.ptr
  llvm.br ^wait
^wait:
  nvvm.barrier
  nvvm.mbarrier.try_wait.parity %barrier, %zero, %ticks : !llvm.ptr<3>, i32, i32
  %c0 = llvm.mlir.constant(0 : i32) : i32
  %c1 = llvm.mlir.constant(1 : i32) : i32
  %c8 = llvm.mlir.constant(8 : i32) : i32
  %c64 = llvm.mlir.constant(64 : i32) : i32
  %c128 = llvm.mlir.constant(128 : i32) : i32
  %first = llvm.mul %ctaid, %c1024 : i32
  llvm.br ^loop(%c0 : i32)
^loop(%i: i32):
  %step = llvm.mul %i, %c128 : i32
  %at = llvm.add %step, %tid : i32
  %all = llvm.add %at, %first : i32
  %xAt = llvm.getelementptr %tile[%at] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
  %a = llvm.load %xAt : !llvm.ptr<3> -> f32
  %column = llvm.urem %at, %c64 : i32
  %wAt = llvm.getelementptr %w[%column] : (!llvm.ptr, i32) -> !llvm.ptr, f32
  %b = llvm.load %wAt : !llvm.ptr -> f32
  %sum = llvm.fadd %a, %b : f32
  %yAt = llvm.getelementptr %y[%all] : (!llvm.ptr, i32) -> !llvm.ptr, f32
  llvm.store %sum, %yAt : f32, !llvm.ptr
  %next = llvm.add %i, %c1 : i32
  %more = llvm.icmp "ult" %next, %c8 : i32
  llvm.cond_br %more, ^loop(%next : i32), ^done
^done:
  llvm.return
}
}
