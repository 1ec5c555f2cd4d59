// RUN: coat-opt %s --pass-pipeline='builtin.module(func.func(coat-fuse-epilogues),coat-emit-gpu-kernels{archs=sm_80})' | FileCheck %s --check-prefix=SM80
// RUN: coat-opt %s --pass-pipeline='builtin.module(func.func(coat-fuse-epilogues),coat-emit-gpu-kernels{archs=sm_90a})' | FileCheck %s --check-prefix=SM90
// RUN: coat-opt %s --pass-pipeline='builtin.module(func.func(coat-fuse-epilogues),coat-emit-gpu-kernels{archs=sm_80 tf32})' | FileCheck %s --check-prefix=TF32
// RUN: coat-opt %s --pass-pipeline='builtin.module(func.func(coat-fuse-epilogues),coat-emit-gpu-kernels{archs=sm_90a tf32})' | FileCheck %s --check-prefix=TF90

// Half precision: fragments by ldmatrix, transposed where k is the row; bias and activation on the sums, pairs stored at a time.
// On sm_90a a thread copies by maps, and a warpgroup multiplies.
// SM90-LABEL: gpu.module @half_sm_90a
// SM90: func.func @half
// SM90-SAME: !llvm.ptr {coat.map}
// SM90-SAME: coat.maps = [{arg = 0 : i64, box = array<i64: 64, {{[0-9]+}}>, kind = "tile", sizes = array<i64: 256, 512>, strides = array<i64: 512>, swizzle = 128 : i64, type = "f16"}
// SM90: nvvm.mbarrier.init
// SM90: nvvm.fence.mbarrier.init
// SM90: nvvm.mbarrier.try_wait.parity
// SM90: nvvm.mbarrier.arrive.expect_tx
// SM90: nvvm.cp.async.bulk.tensor.shared.cluster.global
// SM90: nvvm.wgmma.fence.aligned
// SM90-COUNT-4: nvvm.wgmma.mma_async
// SM90: nvvm.wgmma.commit.group.sync.aligned
// SM90: nvvm.wgmma.wait.group.sync.aligned 1
// SM90: nvvm.mbarrier.arrive
// SM80-LABEL: gpu.module @half_sm_80
// SM80: func.func @half
// SM80: nvvm.cp.async.shared.global {{.*}}, 16, cache =  cg
// SM80: nvvm.cp.async.commit.group
// SM80: scf.for
// SM80: nvvm.cp.async.wait.group 2
// SM80: nvvm.barrier
// SM80: nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<row>
// SM80: nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<col>
// SM80: nvvm.mma.sync
// SM80-SAME: shape = #nvvm.shape<m = 16, n = 8, k = 16>
// SM80: arith.addf
// SM80: arith.maximumf
// SM80: arith.truncf
// SM80: llvm.store {{.*}} {alignment = 4 : i64} : vector<2xf16>
func.func private @half(%x: memref<512x256xf16>, %w: memref<256x512xf16>, %b: memref<512xf16>, %o: memref<512x512xf16>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<512x256xf16> to tensor<512x256xf16>
  %1 = bufferization.to_tensor %w restrict : memref<256x512xf16> to tensor<256x512xf16>
  %2 = bufferization.to_tensor %b restrict : memref<512xf16> to tensor<512xf16>
  %3 = coat.cast %0 : tensor<512x256xf16> to tensor<512x256xf32>
  %4 = coat.cast %1 : tensor<256x512xf16> to tensor<256x512xf32>
  %5 = coat.cast %2 : tensor<512xf16> to tensor<512xf32>
  %6 = coat.matmul %3, %4 bias %5 : (tensor<512x256xf32>, tensor<256x512xf32>, tensor<512xf32>) -> tensor<512x512xf32>
  %7 = coat.elementwise relu %6 : (tensor<512x512xf32>) -> tensor<512x512xf32>
  %8 = coat.cast %7 : tensor<512x512xf32> to tensor<512x512xf16>
  bufferization.materialize_in_destination %8 in restrict writable %o : (tensor<512x512xf16>, memref<512x512xf16>) -> ()
  return
}

// f32 is multiplied by multiply-adds, unless --tf32. A ragged tail is zero: a copy of 0 bytes.
// SM80-LABEL: gpu.module @single_sm_80
// SM80: arith.select
// SM80: nvvm.cp.async.shared.global {{.*}}, 4, cache =  ca
// SM80-NOT: nvvm.mma.sync
// SM80: math.fma
// TF32-LABEL: gpu.module @single_sm_80
// TF32: nvvm.convert.float.to.tf32
// TF32: nvvm.mma.sync
// TF32-SAME: shape = #nvvm.shape<m = 16, n = 8, k = 8>
func.func private @single(%x: memref<70x45xf32>, %w: memref<45x51xf32>, %o: memref<70x51xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<70x45xf32> to tensor<70x45xf32>
  %1 = bufferization.to_tensor %w restrict : memref<45x51xf32> to tensor<45x51xf32>
  %2 = coat.matmul %0, %1 : (tensor<70x45xf32>, tensor<45x51xf32>) -> tensor<70x51xf32>
  bufferization.materialize_in_destination %2 in restrict writable %o : (tensor<70x51xf32>, memref<70x51xf32>) -> ()
  return
}

// A convolution: rows outside of the input are copies of 0 bytes; by TMA its left operand is an im2col map.
// SM90-LABEL: gpu.module @conv_sm_90a
// SM90: coat.maps = [{arg = 0 : i64, channels = 64 : i64, element_strides = array<i64: 1, 1, 1, 1>, kind = "im2col", lower = array<i64: -1, -1>,
// SM90-SAME: sizes = array<i64: 64, 14, 14, 4>
// SM90-SAME: upper = array<i64: -1, -1>
// SM90: nvvm.cp.async.bulk.tensor.shared.cluster.global {{.*}} im2col
// SM80-LABEL: gpu.module @conv_sm_80
// SM80: arith.cmpi ult
// SM80: nvvm.cp.async.shared.global {{.*}}, 16, cache =  cg, %
// SM80: nvvm.mma.sync
func.func private @conv(%x: memref<4x14x14x64xbf16>, %w: memref<64x64x3x3xbf16, strided<[576, 1, 192, 64]>>, %o: memref<4x14x14x64xbf16>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<4x14x14x64xbf16> to tensor<4x14x14x64xbf16>
  %1 = bufferization.to_tensor %w restrict : memref<64x64x3x3xbf16, strided<[576, 1, 192, 64]>> to tensor<64x64x3x3xbf16>
  %2 = coat.cast %0 : tensor<4x14x14x64xbf16> to tensor<4x14x14x64xf32>
  %3 = coat.cast %1 : tensor<64x64x3x3xbf16> to tensor<64x64x3x3xf32>
  %4 = coat.conv %2, %3 {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, data_layout = #coat<layout channels_last>}
    : (tensor<4x14x14x64xf32>, tensor<64x64x3x3xf32>) -> tensor<4x14x14x64xf32>
  %5 = coat.cast %4 : tensor<4x14x14x64xf32> to tensor<4x14x14x64xbf16>
  bufferization.materialize_in_destination %5 in restrict writable %o : (tensor<4x14x14x64xbf16>, memref<4x14x14x64xbf16>) -> ()
  return
}

// Patches of 4 x 4 x 3 are read in 16 bytes, but a map cannot step by 12.
// TF90-LABEL: gpu.module @patches_sm_90a
// TF90-NOT: nvvm.wgmma
// TF90: nvvm.mma.sync
// TF90-LABEL: gpu.module @depthwise
func.func private @patches(%x: memref<1x224x224x3xf32>, %w: memref<96x3x4x4xf32, strided<[48, 1, 12, 3]>>, %o: memref<1x56x56x96xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<1x224x224x3xf32> to tensor<1x224x224x3xf32>
  %1 = bufferization.to_tensor %w restrict : memref<96x3x4x4xf32, strided<[48, 1, 12, 3]>> to tensor<96x3x4x4xf32>
  %2 = coat.conv %0, %1 {strides = array<i64: 4, 4>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, data_layout = #coat<layout channels_last>}
    : (tensor<1x224x224x3xf32>, tensor<96x3x4x4xf32>) -> tensor<1x56x56x96xf32>
  bufferization.materialize_in_destination %2 in restrict writable %o : (tensor<1x56x56x96xf32>, memref<1x56x56x96xf32>) -> ()
  return
}

// Depthwise: every channel of its own has nothing to multiply by matrices.
// SM90-LABEL: gpu.module @depthwise_sm_90a
// SM90-NOT: nvvm.wgmma
// SM80-LABEL: gpu.module @depthwise_sm_80
// SM80-NOT: nvvm.mma.sync
// SM80-NOT: nvvm.cp.async
func.func private @depthwise(%x: memref<1x8x8x32xf32>, %w: memref<32x1x3x3xf32>, %o: memref<1x6x6x32xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<1x8x8x32xf32> to tensor<1x8x8x32xf32>
  %1 = bufferization.to_tensor %w restrict : memref<32x1x3x3xf32> to tensor<32x1x3x3xf32>
  %2 = coat.conv %0, %1 {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 32 : i64, data_layout = #coat<layout channels_last>}
    : (tensor<1x8x8x32xf32>, tensor<32x1x3x3xf32>) -> tensor<1x6x6x32xf32>
  bufferization.materialize_in_destination %2 in restrict writable %o : (tensor<1x6x6x32xf32>, memref<1x6x6x32xf32>) -> ()
  return
}
