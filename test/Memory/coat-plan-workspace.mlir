// RUN: coat-opt --coat-plan-workspace %s | FileCheck %s

func.func private @k(memref<16xf32>, memref<16xf32>) attributes {coat.kernel}
func.func private @view(memref<4x4xf32>, memref<16xf32>) attributes {coat.kernel}
func.func private @fill(memref<16xf32>, memref<4x4xf32>) attributes {coat.kernel}
func.func private @across(memref<4x4xf32, strided<[1, 4]>>, memref<16xf32>, memref<16xf32>) attributes {coat.kernel}
func.func private @dynamic(memref<?x4xf32>, memref<?x4xf32>) attributes {coat.kernel}

// The third buffer takes the place of the first, but not of the second, which is its kernel's input.
// CHECK-LABEL: func @chain
// CHECK-SAME: coat.workspace = 128 : i64
func.func @chain(%x: memref<16xf32>, %y: memref<16xf32> {coat.result}) attributes {coat.entry} {
  // CHECK: %[[A:.*]] = arith.constant 0 : index
  // CHECK: coat.workspace %[[A]]
  %0 = memref.alloc() : memref<16xf32>
  coat.launch @k(%x) outs(%0) : (memref<16xf32>, memref<16xf32>) -> ()
  // CHECK: %[[B:.*]] = arith.constant 64 : index
  // CHECK: coat.workspace %[[B]]
  %1 = memref.alloc() : memref<16xf32>
  coat.launch @k(%0) outs(%1) : (memref<16xf32>, memref<16xf32>) -> ()
  // CHECK-NOT: memref.dealloc
  memref.dealloc %0 : memref<16xf32>
  // CHECK: %[[C:.*]] = arith.constant 0 : index
  // CHECK: coat.workspace %[[C]]
  %2 = memref.alloc() : memref<16xf32>
  coat.launch @k(%1) outs(%2) : (memref<16xf32>, memref<16xf32>) -> ()
  coat.launch @k(%2) outs(%y) : (memref<16xf32>, memref<16xf32>) -> ()
  return
}

// The view keeps the first buffer alive, so three are needed at once.
// CHECK-LABEL: func @view_keeps_alive
// CHECK-SAME: coat.workspace = 192 : i64
func.func @view_keeps_alive(%x: memref<16xf32>, %y: memref<16xf32> {coat.result}) attributes {coat.entry} {
  %0 = memref.alloc() : memref<16xf32>
  %v = memref.expand_shape %0 [[0, 1]] output_shape [4, 4] : memref<16xf32> into memref<4x4xf32>
  coat.launch @k(%x) outs(%0) : (memref<16xf32>, memref<16xf32>) -> ()
  %1 = memref.alloc() : memref<16xf32>
  coat.launch @k(%0) outs(%1) : (memref<16xf32>, memref<16xf32>) -> ()
  %2 = memref.alloc() : memref<16xf32>
  coat.launch @k(%1) outs(%2) : (memref<16xf32>, memref<16xf32>) -> ()
  coat.launch @view(%v) outs(%2) : (memref<4x4xf32>, memref<16xf32>) -> ()
  coat.launch @k(%2) outs(%y) : (memref<16xf32>, memref<16xf32>) -> ()
  return
}

// A transpose is a view, too.
// CHECK-LABEL: func @transpose_keeps_alive
// CHECK-SAME: coat.workspace = 192 : i64
func.func @transpose_keeps_alive(%x: memref<16xf32>, %y: memref<16xf32> {coat.result}) attributes {coat.entry} {
  %0 = memref.alloc() : memref<4x4xf32>
  coat.launch @fill(%x) outs(%0) : (memref<16xf32>, memref<4x4xf32>) -> ()
  %view = memref.transpose %0 (i, j) -> (j, i) : memref<4x4xf32> to memref<4x4xf32, strided<[1, 4]>>
  %1 = memref.alloc() : memref<16xf32>
  coat.launch @k(%x) outs(%1) : (memref<16xf32>, memref<16xf32>) -> ()
  %2 = memref.alloc() : memref<16xf32>
  coat.launch @k(%1) outs(%2) : (memref<16xf32>, memref<16xf32>) -> ()
  coat.launch @across(%view, %2) outs(%y) : (memref<4x4xf32, strided<[1, 4]>>, memref<16xf32>, memref<16xf32>) -> ()
  return
}

// 9 rows at most after (N + 1), 16 bytes each; the sizes of the buffer stay the actual ones.
// CHECK-LABEL: func @symbolic
// CHECK-SAME: coat.workspace = 192 : i64
func.func @symbolic(%x: memref<?x4xf32> {coat.dims = ["N", "4"]}, %y: memref<?x4xf32> {coat.dims = ["N + 1", "4"], coat.result})
    attributes {coat.entry, coat.symbols = [{name = "N", min = 1 : i64, max = 8 : i64}]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : memref<?x4xf32>
  // CHECK: %[[ROWS:.*]] = arith.addi
  %rows = arith.addi %n, %c1 : index
  // CHECK: coat.workspace %{{.*}} sizes %[[ROWS]] : memref<?x4xf32>
  %0 = memref.alloc(%rows) : memref<?x4xf32>
  coat.launch @dynamic(%x) outs(%0) : (memref<?x4xf32>, memref<?x4xf32>) -> ()
  coat.launch @dynamic(%0) outs(%y) : (memref<?x4xf32>, memref<?x4xf32>) -> ()
  return
}

// The size of a result argument is an expression; (2 * 8) floordiv 3 = 5 rows.
// CHECK-LABEL: func @expression
// CHECK-SAME: coat.workspace = 128 : i64
func.func @expression(%x: memref<?x4xf32> {coat.dims = ["N", "4"]}, %y: memref<?x4xf32> {coat.dims = ["(N * 2) floordiv 3", "4"], coat.result})
    attributes {coat.entry, coat.symbols = [{name = "N", min = 2 : i64, max = 8 : i64}]} {
  %c0 = arith.constant 0 : index
  %n = memref.dim %y, %c0 : memref<?x4xf32>
  %0 = memref.alloc(%n) : memref<?x4xf32>
  coat.launch @dynamic(%x) outs(%0) : (memref<?x4xf32>, memref<?x4xf32>) -> ()
  coat.launch @dynamic(%0) outs(%y) : (memref<?x4xf32>, memref<?x4xf32>) -> ()
  return
}

// Not an entry.
// CHECK-LABEL: func @other
func.func @other() -> memref<4xf32> {
  // CHECK: memref.alloc
  %0 = memref.alloc() : memref<4xf32>
  return %0 : memref<4xf32>
}
