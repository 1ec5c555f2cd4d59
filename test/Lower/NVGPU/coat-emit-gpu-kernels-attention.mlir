// RUN: coat-opt %s --pass-pipeline='builtin.module(func.func(coat-fuse-epilogues),coat-emit-gpu-kernels{archs=sm_80})' | FileCheck %s --check-prefix=SM80
// RUN: coat-opt %s --pass-pipeline='builtin.module(func.func(coat-fuse-epilogues),coat-emit-gpu-kernels{archs=sm_90a})' | FileCheck %s --check-prefix=SM90

// Causal, and keys that do not fill tiles: blocks behind the last visible key are not visited, the others are masked where
// something is hidden. Scores go through 2^x, weights stay in registers.
// The products of a tile of keys are under way while the values of the one before are added up.
// SM90-LABEL: gpu.module @causal_sm_90a
// SM90: coat.maps = [{arg = 0 : i64, box = array<i64: 64, 128, 1, 1>, kind = "tile", sizes = array<i64: 64, 200, 4, 2>
// SM90: nvvm.setmaxregister decrease 24
// SM90: nvvm.setmaxregister increase 240
// SM90: scf.for
// SM90: nvvm.wgmma.mma_async
// SM90: nvvm.wgmma.commit.group.sync.aligned
// SM90: wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16
// SM90: nvvm.wgmma.commit.group.sync.aligned
// SM90: nvvm.wgmma.wait.group.sync.aligned 1
// SM90: ex2.approx.ftz.f32
// SM90: nvvm.wgmma.wait.group.sync.aligned 0
// SM80-LABEL: gpu.module @causal_sm_80
// SM80: arith.minsi
// SM80: scf.for
// SM80: nvvm.cp.async.wait.group 1
// SM80: nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<row>
// SM80: nvvm.mma.sync
// SM80: scf.if
// SM80: arith.cmpi slt
// SM80: arith.maxnumf
// SM80: nvvm.shfl.sync bfly
// SM80: ex2.approx.ftz.f32
// SM80: nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<col>
// SM80: nvvm.mma.sync
func.func private @causal(%q: memref<2x4x200x64xf16>, %k: memref<2x2x203x64xf16>, %v: memref<2x2x203x64xf16>, %o: memref<2x4x200x64xf16>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %q restrict : memref<2x4x200x64xf16> to tensor<2x4x200x64xf16>
  %1 = bufferization.to_tensor %k restrict : memref<2x2x203x64xf16> to tensor<2x2x203x64xf16>
  %2 = bufferization.to_tensor %v restrict : memref<2x2x203x64xf16> to tensor<2x2x203x64xf16>
  %3 = coat.cast %0 : tensor<2x4x200x64xf16> to tensor<2x4x200x64xf32>
  %4 = coat.cast %1 : tensor<2x2x203x64xf16> to tensor<2x2x203x64xf32>
  %5 = coat.cast %2 : tensor<2x2x203x64xf16> to tensor<2x2x203x64xf32>
  %6 = coat.attention %3, %4, %5 {scale = 0.125 : f64, causal} : (tensor<2x4x200x64xf32>, tensor<2x2x203x64xf32>, tensor<2x2x203x64xf32>) -> tensor<2x4x200x64xf32>
  %7 = coat.cast %6 : tensor<2x4x200x64xf32> to tensor<2x4x200x64xf16>
  bufferization.materialize_in_destination %7 in restrict writable %o : (tensor<2x4x200x64xf16>, memref<2x4x200x64xf16>) -> ()
  return
}

// f32 without --tf32 keeps its precision: three products of tf32 for one. So it does on sm_90a.
// SM90-LABEL: gpu.module @single_sm_90a
// SM90-NOT: wgmma
// SM90: nvvm.mma.sync
// SM80-LABEL: gpu.module @single_sm_80
// SM80: nvvm.convert.float.to.tf32
// SM80: arith.subf
// SM80: nvvm.convert.float.to.tf32
// SM80-COUNT-3: nvvm.mma.sync
func.func private @single(%q: memref<1x1x32x32xf32>, %k: memref<1x1x32x32xf32>, %v: memref<1x1x32x32xf32>, %m: memref<32x32xi1>, %o: memref<1x1x32x32xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %q restrict : memref<1x1x32x32xf32> to tensor<1x1x32x32xf32>
  %1 = bufferization.to_tensor %k restrict : memref<1x1x32x32xf32> to tensor<1x1x32x32xf32>
  %2 = bufferization.to_tensor %v restrict : memref<1x1x32x32xf32> to tensor<1x1x32x32xf32>
  %3 = bufferization.to_tensor %m restrict : memref<32x32xi1> to tensor<32x32xi1>
  %4 = coat.attention %0, %1, %2 mask %3 {scale = 0.125 : f64} : (tensor<1x1x32x32xf32>, tensor<1x1x32x32xf32>, tensor<1x1x32x32xf32>, tensor<32x32xi1>) -> tensor<1x1x32x32xf32>
  bufferization.materialize_in_destination %4 in restrict writable %o : (tensor<1x1x32x32xf32>, memref<1x1x32x32xf32>) -> ()
  return
}
