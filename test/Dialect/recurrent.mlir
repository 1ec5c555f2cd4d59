// Recurrences: round trip, types, and the kernel that their formula is.
// RUN: coat-opt %s | coat-opt | FileCheck %s
// RUN: coat-opt %s -mlir-print-op-generic | coat-opt | FileCheck %s
// RUN: coat-opt %s --coat-reference | FileCheck %s --check-prefix=KERNEL
// RUN: coat-opt %s --coat-outline-kernels | FileCheck %s --check-prefix=KERNEL

// CHECK-LABEL: @rnn
// CHECK: coat.rnn(%{{.*}}, %{{.*}}) {activations = ["tanh"]
func.func @rnn(%x: tensor<5x2x8xf32>, %r: tensor<1x8x8xf32>) -> (tensor<5x1x2x8xf32>, tensor<1x2x8xf32>) {
  %y, %h = coat.rnn(%x, %r) {direction = #coat<direction forward>, activations = ["tanh"], alpha = array<f64: 0.0>, beta = array<f64: 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<5x2x8xf32>, tensor<1x8x8xf32>) -> (tensor<5x1x2x8xf32>, tensor<1x2x8xf32>)
  return %y, %h : tensor<5x1x2x8xf32>, tensor<1x2x8xf32>
}

// CHECK-LABEL: @gru
// CHECK: coat.gru(%{{.*}}, %{{.*}}, %{{.*}}) {{.*}}direction = #coat<direction bidirectional>{{.*}}linear_before_reset
func.func @gru(%x: tensor<?x2x48xf32>, %r: tensor<2x8x24xf32>, %b: tensor<2x8xf32>) -> tensor<?x2x2x8xf32> {
  %y, %h = coat.gru(%x, %r, %b) {direction = #coat<direction bidirectional>, activations = ["sigmoid", "tanh", "sigmoid", "relu"], alpha = array<f64: 0.0, 0.0, 0.0, 0.0>, beta = array<f64: 0.0, 0.0, 0.0, 0.0>, linear_before_reset, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>} : (tensor<?x2x48xf32>, tensor<2x8x24xf32>, tensor<2x8xf32>) -> (tensor<?x2x2x8xf32>, tensor<2x2x8xf32>)
  return %y : tensor<?x2x2x8xf32>
}

// CHECK-LABEL: @lstm
// CHECK: coat.lstm(%{{.*}}, %{{.*}}, %{{.*}}) {{.*}}clip = 5.000000e+00 : f64, direction = #coat<direction reverse>
// The sums begin with the input's part. 9 rows of a batch are two tasks; four rows of weights meet three of the batch at once,
// eight those that are left over.
// KERNEL-LABEL: func.func private @{{.*}}(%arg0: memref<5x9x64xf32>, %arg1: memref<1x16x64xf32>, %arg2: memref<9xi32>, %arg3: memref<5x1x9x16xf32>, %arg4: memref<1x9x16xf32>, %arg5: memref<1x9x16xf32>)
// KERNEL: scf.forall {{.*}} in (1, 2)
// KERNEL: %[[SUMS:.*]] = memref.alloc() : memref<8x80xf32>
// KERNEL: memref.load %arg0
// KERNEL-COUNT-3: memref.load %[[SUMS]]
// KERNEL-COUNT-4: memref.load %arg1
// KERNEL-NOT: memref.load %arg1
// KERNEL-COUNT-3: memref.store %{{.*}}, %[[SUMS]]
// KERNEL: memref.load %[[SUMS]]
// KERNEL: memref.load %arg1
// KERNEL: arith.remsi
// KERNEL: memref.load %[[SUMS]]
// KERNEL-COUNT-8: memref.load %arg1
// KERNEL-NOT: memref.load %arg1
// KERNEL: memref.store %{{.*}}, %[[SUMS]]
func.func @lstm(%x: tensor<5x9x64xf32>, %r: tensor<1x16x64xf32>, %l: tensor<9xi32>) -> tensor<5x1x9x16xf32> attributes {coat.entry} {
  %y, %h, %c = coat.lstm(%x, %r, %l) {direction = #coat<direction reverse>, activations = ["sigmoid", "tanh", "tanh"], alpha = array<f64: 0.0, 0.0, 0.0>, beta = array<f64: 0.0, 0.0, 0.0>, clip = 5.0 : f64, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 1>} : (tensor<5x9x64xf32>, tensor<1x16x64xf32>, tensor<9xi32>) -> (tensor<5x1x9x16xf32>, tensor<1x9x16xf32>, tensor<1x9x16xf32>)
  return %y : tensor<5x1x9x16xf32>
}
