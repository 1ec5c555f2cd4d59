// RUN: coat-opt %s --coat-emit-gpu-kernels=archs=sm_80,sm_90a | FileCheck %s
// RUN: not coat-opt %s --coat-emit-gpu-kernels=archs=sm_10 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: expected an architecture that coat knows, got sm_10

// The launches stay; a kernel is a declaration and a module an architecture.
// CHECK-LABEL: func.func @net
// CHECK: coat.launch @add
func.func @net(%x: memref<64x1024x64xf32>, %o: memref<64x1024x64xf32>) attributes {coat.entry} {
  coat.launch @add(%x) outs(%o) : (memref<64x1024x64xf32>, memref<64x1024x64xf32>) -> ()
  return
}

// Sixteen bytes a thread: 4 neighbours are loaded and stored at a time.
// CHECK: func.func private @add({{.*}}) attributes {coat.kernel}
// CHECK: gpu.module @add_sm_80 [#nvvm.target<{{.*}}chip = "sm_80"
// CHECK: func.func @add(%[[X:.*]]: !llvm.ptr {coat.bytes = 16777216 : i64}, %[[O:.*]]: !llvm.ptr {{.*}}) attributes {coat.block = array<i32: 256, 1, 1>, coat.grid = array<i64: 4096, 1, 1>
// CHECK: %[[IN:.*]] = arith.cmpi ult
// CHECK: scf.if %[[IN]]
// CHECK: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr -> vector<4xf32>
// CHECK-COUNT-4: arith.addf
// CHECK: llvm.store {{.*}} {alignment = 16 : i64} : vector<4xf32>
// CHECK: gpu.module @add_sm_90a
func.func private @add(%x: memref<64x1024x64xf32>, %o: memref<64x1024x64xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<64x1024x64xf32> to tensor<64x1024x64xf32>
  %1 = coat.elementwise add %0, %0 : (tensor<64x1024x64xf32>, tensor<64x1024x64xf32>) -> tensor<64x1024x64xf32>
  bufferization.materialize_in_destination %1 in restrict writable %o : (tensor<64x1024x64xf32>, memref<64x1024x64xf32>) -> ()
  return
}

// A warp a row: a maximum and a sum, each joined by shuffles.
// CHECK: gpu.module @softmax_sm_80
// CHECK: coat.grid = array<i64: 1024, 1, 1>
// CHECK: scf.for
// CHECK: arith.maximumf
// CHECK-COUNT-5: nvvm.shfl.sync bfly
// CHECK: scf.for
// CHECK-COUNT-5: nvvm.shfl.sync bfly
// CHECK: scf.for
// CHECK: llvm.store
func.func private @softmax(%x: memref<8192x100xf32>, %o: memref<8192x100xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<8192x100xf32> to tensor<8192x100xf32>
  %1 = coat.softmax %0 {axis = 1 : i64} : (tensor<8192x100xf32>) -> tensor<8192x100xf32>
  bufferization.materialize_in_destination %1 in restrict writable %o : (tensor<8192x100xf32>, memref<8192x100xf32>) -> ()
  return
}

// Few channels, each the mean of an image: lanes are channels, warps share the pixels, and meet in shared memory.
// CHECK: gpu.module @mean_sm_80
// CHECK: coat.grid = array<i64: 2, 1, 1>
// CHECK-SAME: coat.shared = 2048 : i64
// CHECK-NOT: nvvm.shfl.sync bfly
// CHECK: nvvm.barrier
func.func private @mean(%x: memref<1x28x28x64xf32>, %o: memref<1x1x1x64xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<1x28x28x64xf32> to tensor<1x28x28x64xf32>
  %1 = coat.global_pool average %0 {data_layout = #coat<layout channels_last>} : (tensor<1x28x28x64xf32>) -> tensor<1x1x1x64xf32>
  bufferization.materialize_in_destination %1 in restrict writable %o : (tensor<1x1x1x64xf32>, memref<1x1x1x64xf32>) -> ()
  return
}

// A transpose: loads are single, 8 of 16 bits make one store.
// CHECK: gpu.module @transpose_sm_80
// CHECK: llvm.load {{.*}} -> f16
// CHECK: llvm.store {{.*}} : vector<{{[248]}}xf16>
func.func private @transpose(%x: memref<2048x2048xf16>, %o: memref<2048x2048xf16>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<2048x2048xf16> to tensor<2048x2048xf16>
  %1 = coat.transpose %0 {permutation = array<i64: 1, 0>} : (tensor<2048x2048xf16>) -> tensor<2048x2048xf16>
  bufferization.materialize_in_destination %1 in restrict writable %o : (tensor<2048x2048xf16>, memref<2048x2048xf16>) -> ()
  return
}

// Zeros around an image that is converted on the way: a branch, whose numbers are made in front of it.
// CHECK: gpu.module @depthwise_sm_80
// CHECK: scf.if {{.*}} -> (f32
// CHECK: arith.extf {{.*}} : bf16 to f32
// CHECK: llvm.store
func.func private @depthwise(%x: memref<1x14x14x32xbf16>, %w: memref<32x1x3x3xf32>, %o: memref<1x14x14x32xf32>) attributes {coat.kernel} {
  %0 = bufferization.to_tensor %x restrict : memref<1x14x14x32xbf16> to tensor<1x14x14x32xbf16>
  %1 = coat.cast %0 {coat.prologue} : tensor<1x14x14x32xbf16> to tensor<1x14x14x32xf32>
  %2 = bufferization.to_tensor %w restrict : memref<32x1x3x3xf32> to tensor<32x1x3x3xf32>
  %3 = coat.conv %1, %2 {data_layout = #coat<layout channels_last>, dilations = array<i64: 1, 1>, group = 32 : i64, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 1, 1>} : (tensor<1x14x14x32xf32>, tensor<32x1x3x3xf32>) -> tensor<1x14x14x32xf32>
  bufferization.materialize_in_destination %3 in restrict writable %o : (tensor<1x14x14x32xf32>, memref<1x14x14x32xf32>) -> ()
  return
}
