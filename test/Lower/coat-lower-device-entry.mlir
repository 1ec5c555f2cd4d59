// RUN: coat-opt %s --coat-lower-device-entry | FileCheck %s

// CHECK: func private @coat_cuda_launch(!llvm.ptr, i32, i32, !llvm.ptr)

// CHECK-LABEL: func @net_body
// CHECK-SAME: (%[[FRAME:.*]]: !llvm.ptr) attributes {coat.entry, coat.kernels = ["k0", "k1"]}
// CHECK: %[[WORDS:.*]] = llvm.mlir.constant(3 : i64)
// CHECK: %[[POINTERS:.*]] = llvm.alloca %[[WORDS]]
func.func @net(%x: memref<8xf32>, %y: memref<8xf32> {coat.result}) attributes {coat.entry} {
  // CHECK: %[[OFFSET:.*]] = llvm.mlir.constant(64 : i64)
  // CHECK: llvm.getelementptr %{{.*}}[%[[OFFSET]]] : (!llvm.ptr, i64) -> !llvm.ptr, i8
  %w = coat.weight dense<1.0> : tensor<8xf32> {offset = 64 : i64} : memref<8xf32>
  %c128 = arith.constant 128 : index
  %t = coat.workspace %c128 : memref<16xf32>
  // The address of the first element, where the type has an offset.
  // CHECK: %[[FOUR:.*]] = llvm.mlir.constant(4 : i64)
  // CHECK: %[[INSIDE:.*]] = llvm.getelementptr %{{.*}}[%[[FOUR]]] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  // CHECK: llvm.store %[[INSIDE]]
  // CHECK: %[[LAUNCH:.*]] = llvm.mlir.constant(0 : i32)
  // CHECK: %[[KERNEL:.*]] = llvm.mlir.constant(1 : i32)
  // CHECK: call @coat_cuda_launch(%[[FRAME]], %[[LAUNCH]], %[[KERNEL]], %[[POINTERS]])
  %part = memref.subview %t[4] [8] [1] : memref<16xf32> to memref<8xf32, strided<[1], offset: 4>>
  coat.launch @k1(%x, %w) outs(%part) : (memref<8xf32>, memref<8xf32>, memref<8xf32, strided<[1], offset: 4>>) -> ()
  // CHECK: llvm.mlir.constant(1 : i32)
  // CHECK: llvm.mlir.constant(0 : i32)
  // CHECK: call @coat_cuda_launch
  coat.launch @k0(%part) outs(%y) : (memref<8xf32, strided<[1], offset: 4>>, memref<8xf32>) -> ()
  return
}
// CHECK-NOT: @k0
func.func private @k0(memref<8xf32, strided<[1], offset: 4>>, memref<8xf32>) attributes {coat.kernel}
func.func private @k1(memref<8xf32>, memref<8xf32>, memref<8xf32, strided<[1], offset: 4>>) attributes {coat.kernel}
// CHECK: func private @helper
func.func private @helper() {
  return
}
