// RUN: coat-opt -coat-drop-signs %s | FileCheck %s

// CHECK-LABEL: func @kernel
// CHECK-SAME: %[[A:.*]]: memref<4xui8>
// CHECK: %[[B:.*]] = builtin.unrealized_conversion_cast %[[A]] : memref<4xui8> to memref<4xi8>
// CHECK: %[[X:.*]] = memref.load %[[B]]{{.*}} : memref<4xi8>
// CHECK: %[[M:.*]] = arith.maxui %[[X]], %[[X]] : i8
// CHECK: memref.store %[[M]], %[[B]]
func.func @kernel(%a: memref<4xui8>) attributes {coat.kernel} {
  %i = arith.constant 0 : index
  %0 = memref.load %a[%i] : memref<4xui8>
  %1 = builtin.unrealized_conversion_cast %0 : ui8 to i8
  %2 = arith.maxui %1, %1 : i8
  %3 = builtin.unrealized_conversion_cast %2 : i8 to ui8
  memref.store %3, %a[%i] : memref<4xui8>
  return
}

// CHECK-LABEL: func @no_kernel
// CHECK-NEXT: %{{.*}} = arith.constant dense<1> : tensor<4xui8>
func.func @no_kernel() -> tensor<4xui8> {
  %0 = arith.constant dense<1> : tensor<4xui8>
  return %0 : tensor<4xui8>
}
