// RUN: coat-opt %s --coat-bufferize --canonicalize --split-input-file | FileCheck %s

// The kernel computes in the place that its result goes to: no buffer, no copy, though the chain begins with an empty tensor.
// CHECK-LABEL: func private @in_place
// CHECK-NOT: memref.alloc
// CHECK: %[[X:.*]] = vector.transfer_read %arg0
// CHECK: vector.transfer_write %[[X]], %arg1
// CHECK-NOT: memref.copy
func.func private @in_place(%x: memref<8xf32>, %o: memref<8xf32>) attributes {coat.kernel} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %0 = bufferization.to_tensor %x restrict : memref<8xf32> to tensor<8xf32>
  %1 = tensor.empty() : tensor<8xf32>
  %2 = vector.transfer_read %0[%c0], %zero {in_bounds = [true]} : tensor<8xf32>, vector<8xf32>
  %3 = vector.transfer_write %2, %1[%c0] {in_bounds = [true]} : vector<8xf32>, tensor<8xf32>
  bufferization.materialize_in_destination %3 in restrict writable %o : (tensor<8xf32>, memref<8xf32>) -> ()
  return
}

// -----

// What is read after it was overwritten needs a place of its own.
// CHECK-LABEL: func private @kept
// CHECK: memref.alloc
func.func private @kept(%x: memref<8xf32>, %o: memref<8xf32>, %p: memref<8xf32>) attributes {coat.kernel} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : vector<4xf32>
  %f = arith.constant 1.0 : f32
  %0 = bufferization.to_tensor %x restrict : memref<8xf32> to tensor<8xf32>
  %1 = linalg.fill ins(%f : f32) outs(%0 : tensor<8xf32>) -> tensor<8xf32>
  %2 = vector.transfer_write %zero, %1[%c0] {in_bounds = [true]} : vector<4xf32>, tensor<8xf32>
  bufferization.materialize_in_destination %1 in restrict writable %o : (tensor<8xf32>, memref<8xf32>) -> ()
  bufferization.materialize_in_destination %2 in restrict writable %p : (tensor<8xf32>, memref<8xf32>) -> ()
  return
}

// -----

// Without tensors there is nothing to do.
// CHECK-LABEL: func private @memrefs
// CHECK-NEXT: memref.load
// CHECK-NEXT: memref.store
// CHECK-NEXT: return
func.func private @memrefs(%x: memref<f32>, %o: memref<f32>) attributes {coat.kernel} {
  %0 = memref.load %x[] : memref<f32>
  memref.store %0, %o[] : memref<f32>
  return
}
