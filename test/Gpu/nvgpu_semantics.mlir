// A second reading of PTX: what MLIR's own lowerings of nvgpu make of fragments, descriptors and copies, which nobody here
// wrote, runs on the emulator (test_emulator.py). D = A * B in both kernels.
#W = #gpu.address_space<workgroup>
!tileA = !nvgpu.tensormap.descriptor<tensor = memref<128x64xf16, #W>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!tileB = !nvgpu.tensormap.descriptor<tensor = memref<64x64xf16, #W>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!barriers = !nvgpu.mbarrier.group<memorySpace = #W>
!operandA = !nvgpu.warpgroup.descriptor<tensor = memref<128x64xf16, #W>>
!operandB = !nvgpu.warpgroup.descriptor<tensor = memref<64x128xf16, #W>>
!sums = !nvgpu.warpgroup.accumulator<fragmented = vector<128x128xf32>>
module attributes {gpu.container_module} {
// 128x128x64, one warpgroup; B lies [k][n], as two boxes of 64 columns.
gpu.module @warpgroup [#nvvm.target<chip = "sm_90a">] {
  gpu.func @warpgroup(%mapA: !llvm.ptr, %mapB: !llvm.ptr, %d: memref<128x128xf32>) kernel attributes {nvvm.reqntid = array<i32: 128, 1, 1>} {
    %descA = builtin.unrealized_conversion_cast %mapA : !llvm.ptr to !tileA
    %descB = builtin.unrealized_conversion_cast %mapB : !llvm.ptr to !tileB
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    // The barrier is a variable of 16 bytes in front of the dynamic memory, and swizzled tiles begin at multiples of 1024.
    %atA = arith.constant 1008 : index
    %atB = arith.constant 17392 : index
    %atB1 = arith.constant 25584 : index
    %bytes = arith.constant 32768 : index
    %ticks = arith.constant 1000000 : index
    %phase = arith.constant 0 : i1
    %dynamic = gpu.dynamic_shared_memory : memref<?xi8, #W>
    %a = memref.view %dynamic[%atA][] : memref<?xi8, #W> to memref<128x64xf16, #W>
    %b = memref.view %dynamic[%atB][] : memref<?xi8, #W> to memref<64x128xf16, #W>
    %b0 = memref.view %dynamic[%atB][] : memref<?xi8, #W> to memref<64x64xf16, #W>
    %b1 = memref.view %dynamic[%atB1][] : memref<?xi8, #W> to memref<64x64xf16, #W>
    %thread = gpu.thread_id x
    %first = arith.cmpi eq, %thread, %c0 : index
    %barrier = nvgpu.mbarrier.create -> !barriers
    nvgpu.mbarrier.init %barrier[%c0], %c1, predicate = %first : !barriers
    nvvm.fence.mbarrier.init
    gpu.barrier
    scf.if %first {
      nvgpu.mbarrier.arrive.expect_tx %barrier[%c0], %bytes : !barriers
      nvgpu.tma.async.load %descA[%c0, %c0], %barrier[%c0] to %a : !tileA, !barriers -> memref<128x64xf16, #W>
      nvgpu.tma.async.load %descB[%c0, %c0], %barrier[%c0] to %b0 : !tileB, !barriers -> memref<64x64xf16, #W>
      nvgpu.tma.async.load %descB[%c64, %c0], %barrier[%c0] to %b1 : !tileB, !barriers -> memref<64x64xf16, #W>
    }
    nvgpu.mbarrier.try_wait.parity %barrier[%c0], %phase, %ticks : !barriers
    %left = nvgpu.warpgroup.generate.descriptor %a, %descA : memref<128x64xf16, #W>, !tileA -> !operandA
    %right = nvgpu.warpgroup.generate.descriptor %b, %descB : memref<64x128xf16, #W>, !tileB -> !operandB
    %zero = nvgpu.warpgroup.mma.init.accumulator -> !sums
    // One group may still run behind it by default, which its result must not.
    %sum = nvgpu.warpgroup.mma %left, %right, %zero {transposeB, waitGroup = 0 : i64} : !operandA, !operandB, !sums -> !sums
    nvgpu.warpgroup.mma.store %sum, %d : !sums to memref<128x128xf32>
    gpu.return
  }
}
// 16x8x16, one warp, operands by cp.async and ldmatrix.
gpu.module @warp [#nvvm.target<chip = "sm_80">] {
  memref.global "private" @sharedA : memref<16x16xf16, #W>
  memref.global "private" @sharedB : memref<16x8xf16, #W>
  gpu.func @warp(%ga: memref<16x16xf16>, %gb: memref<16x8xf16>, %d: memref<16x8xf32>) kernel attributes {nvvm.reqntid = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %c4 = arith.constant 4 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %zero = arith.constant dense<0.0> : vector<2x2xf32>
    %a = memref.get_global @sharedA : memref<16x16xf16, #W>
    %b = memref.get_global @sharedB : memref<16x8xf16, #W>
    %lane = gpu.thread_id x
    %row = arith.divui %lane, %c2 : index
    %half = arith.remui %lane, %c2 : index
    %column = arith.muli %half, %c8 : index
    %rowB = arith.remui %lane, %c16 : index
    %copyA = nvgpu.device_async_copy %ga[%row, %column], %a[%row, %column], 8 {bypassL1} : memref<16x16xf16> to memref<16x16xf16, #W>
    %copyB = nvgpu.device_async_copy %gb[%rowB, %c0], %b[%rowB, %c0], 8 {bypassL1} : memref<16x8xf16> to memref<16x8xf16, #W>
    %group = nvgpu.device_async_create_group %copyA, %copyB
    nvgpu.device_async_wait %group {numGroups = 0 : i32}
    gpu.barrier
    %high = arith.divui %lane, %c16 : index
    %columnA = arith.muli %high, %c8 : index
    %fa = nvgpu.ldmatrix %a[%rowB, %columnA] {numTiles = 4 : i32, transpose = false} : memref<16x16xf16, #W> -> vector<4x2xf16>
    %fb = nvgpu.ldmatrix %b[%rowB, %c0] {numTiles = 2 : i32, transpose = true} : memref<16x8xf16, #W> -> vector<2x2xf16>
    %sum = nvgpu.mma.sync(%fa, %fb, %zero) {mmaShape = [16, 8, 16]} : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>
    %q = arith.divui %lane, %c4 : index
    %r = arith.remui %lane, %c4 : index
    %dc = arith.muli %r, %c2 : index
    %q8 = arith.addi %q, %c8 : index
    %s0 = vector.extract %sum[0] : vector<2xf32> from vector<2x2xf32>
    %s1 = vector.extract %sum[1] : vector<2xf32> from vector<2x2xf32>
    vector.store %s0, %d[%q, %dc] : memref<16x8xf32>, vector<2xf32>
    vector.store %s1, %d[%q8, %dc] : memref<16x8xf32>, vector<2xf32>
    gpu.return
  }
}
}
