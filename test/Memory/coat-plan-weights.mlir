// RUN: coat-opt --coat-plan-weights %s | FileCheck %s

func.func private @k(memref<5xf32>, memref<5xf32>) attributes {coat.kernel}

// Offsets are multiples of 64; a bool takes one byte.
// CHECK-LABEL: func @aligned
// CHECK-SAME: coat.weights_size = 192 : i64
func.func @aligned(%y: memref<5xf32> {coat.result}, %m: memref<5xi1> {coat.result}) attributes {coat.entry} {
  // CHECK: coat.weight dense<1.0{{.*}} {offset = 0 : i64}
  %0 = coat.weight dense<1.0> : tensor<5xf32> : memref<5xf32>
  // CHECK: coat.weight dense<true> {{.*}} {offset = 64 : i64}
  %1 = coat.weight dense<true> : tensor<65xi1> : memref<65xi1>
  coat.launch @k(%0) outs(%y) : (memref<5xf32>, memref<5xf32>) -> ()
  %v = memref.subview %1[0] [5] [1] : memref<65xi1> to memref<5xi1, strided<[1]>>
  memref.copy %v, %m : memref<5xi1, strided<[1]>> to memref<5xi1>
  return
}

// CHECK-LABEL: func @equal_values_share
// CHECK-SAME: coat.weights_size = 128 : i64
func.func @equal_values_share(%y: memref<5xf32> {coat.result}) attributes {coat.entry} {
  // CHECK: dense<1.0{{.*}} {offset = 0 : i64}
  %0 = coat.weight dense<1.0> : tensor<5xf32> : memref<5xf32>
  // CHECK: dense<2.0{{.*}} {offset = 64 : i64}
  %1 = coat.weight dense<2.0> : tensor<5xf32> : memref<5xf32>
  // CHECK: dense<1.0{{.*}} {offset = 0 : i64}
  %2 = coat.weight dense<1.0> : tensor<5xf32> : memref<5xf32>
  coat.launch @k(%0) outs(%y) : (memref<5xf32>, memref<5xf32>) -> ()
  coat.launch @k(%1) outs(%y) : (memref<5xf32>, memref<5xf32>) -> ()
  coat.launch @k(%2) outs(%y) : (memref<5xf32>, memref<5xf32>) -> ()
  return
}

// CHECK-LABEL: func @unread_weights_are_dropped
// CHECK-SAME: coat.weights_size = 0 : i64
func.func @unread_weights_are_dropped() attributes {coat.entry} {
  // CHECK-NOT: coat.weight
  %0 = coat.weight dense<1.0> : tensor<5xf32> : memref<5xf32>
  return
}

// Not an entry.
// CHECK-LABEL: func @other
// CHECK-NOT: coat.weights_size
func.func @other() -> memref<5xf32> {
  // CHECK-NOT: offset
  %0 = coat.weight dense<1.0> : tensor<5xf32> : memref<5xf32>
  return %0 : memref<5xf32>
}
