// RUN: coat-opt %s --coat-join-launches | FileCheck %s

func.func private @k(memref<16xf32>, memref<16xf32>) attributes {coat.kernel}
func.func private @part(memref<16xf32>, memref<2x8xf32, strided<[16, 1]>>) attributes {coat.kernel}
func.func private @square(memref<4x4xf32>, memref<4x4xf32>) attributes {coat.kernel}
func.func private @across(memref<4x4xf32, strided<[1, 4]>>, memref<4x4xf32>) attributes {coat.kernel}
func.func private @column(memref<16xf32>, memref<2x8xf32, strided<[16, 1], offset: 8>>) attributes {coat.kernel}

// CHECK-LABEL: func @branches
func.func @branches(%x: memref<16xf32>, %y: memref<16xf32> {coat.result}) attributes {coat.entry} {
  %0 = memref.alloc() : memref<16xf32>
  %1 = memref.alloc() : memref<16xf32>
  // CHECK: coat.launch @k(%{{.*}}) outs(%[[A:.*]]) :
  coat.launch @k(%x) outs(%0) : (memref<16xf32>, memref<16xf32>) -> ()
  // CHECK: coat.launch @k(%{{.*}}) outs(%{{.*}}) {coat.joined}
  coat.launch @k(%x) outs(%1) : (memref<16xf32>, memref<16xf32>) -> ()
  // Reads what was just written.
  // CHECK: coat.launch @k(%[[A]]) outs(%{{.*}}) :
  coat.launch @k(%0) outs(%y) : (memref<16xf32>, memref<16xf32>) -> ()
  return
}

// Writes what the launch before reads.
// CHECK-LABEL: func @write_after_read
func.func @write_after_read(%x: memref<16xf32>, %y: memref<16xf32> {coat.result}) attributes {coat.entry} {
  %0 = memref.alloc() : memref<16xf32>
  // CHECK-NOT: coat.joined
  coat.launch @k(%0) outs(%y) : (memref<16xf32>, memref<16xf32>) -> ()
  coat.launch @k(%x) outs(%0) : (memref<16xf32>, memref<16xf32>) -> ()
  return
}

// Two parts of one buffer, side by side.
// CHECK-LABEL: func @parts
func.func @parts(%x: memref<16xf32>, %y: memref<2x16xf32> {coat.result}) attributes {coat.entry} {
  %left = memref.subview %y[0, 0] [2, 8] [1, 1] : memref<2x16xf32> to memref<2x8xf32, strided<[16, 1]>>
  %right = memref.subview %y[0, 8] [2, 8] [1, 1] : memref<2x16xf32> to memref<2x8xf32, strided<[16, 1], offset: 8>>
  // CHECK: coat.launch @part(%{{.*}}) outs(%{{.*}}) :
  coat.launch @part(%x) outs(%left) : (memref<16xf32>, memref<2x8xf32, strided<[16, 1]>>) -> ()
  // CHECK: coat.launch @column(%{{.*}}) outs(%{{.*}}) {coat.joined}
  coat.launch @column(%x) outs(%right) : (memref<16xf32>, memref<2x8xf32, strided<[16, 1], offset: 8>>) -> ()
  // The same part again.
  // CHECK: coat.launch @part(%{{.*}}) outs(%{{.*}}) :
  coat.launch @part(%x) outs(%left) : (memref<16xf32>, memref<2x8xf32, strided<[16, 1]>>) -> ()
  return
}

// Reads what was just written, in another order.
// CHECK-LABEL: func @transposed
func.func @transposed(%x: memref<4x4xf32>, %y: memref<4x4xf32> {coat.result}) attributes {coat.entry} {
  %0 = memref.alloc() : memref<4x4xf32>
  %view = memref.transpose %0 (i, j) -> (j, i) : memref<4x4xf32> to memref<4x4xf32, strided<[1, 4]>>
  // CHECK-NOT: coat.joined
  coat.launch @square(%x) outs(%0) : (memref<4x4xf32>, memref<4x4xf32>) -> ()
  coat.launch @across(%view) outs(%y) : (memref<4x4xf32, strided<[1, 4]>>, memref<4x4xf32>) -> ()
  return
}

// A size is read back, and a truth, before the next launch.
// CHECK-LABEL: func @read
func.func @read(%x: memref<16xf32>, %n: memref<16xf32> {coat.result}, %y: memref<16xf32> {coat.result}) attributes {coat.entry} {
  %c0 = arith.constant 0 : index
  // CHECK-NOT: coat.joined
  coat.launch @k(%x) outs(%n) : (memref<16xf32>, memref<16xf32>) -> ()
  %0 = memref.load %n[%c0] : memref<16xf32>
  coat.launch @k(%x) outs(%y) : (memref<16xf32>, memref<16xf32>) -> ()
  return
}

func.func private @little(memref<16xf32>, memref<16xf32>) attributes {coat.kernel, coat.flops = 999000 : i64, coat.bytes = 128 : i64}
func.func private @much(memref<16xf32>, memref<16xf32>) attributes {coat.kernel, coat.flops = 999500 : i64, coat.bytes = 128 : i64}

// A thread would come too late for the second.
// CHECK-LABEL: func @little_and_much
func.func @little_and_much(%x: memref<16xf32>, %y: memref<16xf32> {coat.result}, %z: memref<16xf32> {coat.result}, %u: memref<16xf32> {coat.result}) attributes {coat.entry} {
  // CHECK: coat.launch @much(%{{.*}}) outs(%{{.*}}) :
  coat.launch @much(%x) outs(%y) : (memref<16xf32>, memref<16xf32>) -> ()
  // CHECK: coat.launch @little(%{{.*}}) outs(%{{.*}}) :
  coat.launch @little(%x) outs(%z) : (memref<16xf32>, memref<16xf32>) -> ()
  // CHECK: coat.launch @much(%{{.*}}) outs(%{{.*}}) {coat.joined}
  coat.launch @much(%x) outs(%u) : (memref<16xf32>, memref<16xf32>) -> ()
  return
}
