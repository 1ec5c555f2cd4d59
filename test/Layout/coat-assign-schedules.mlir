// RUN: coat-opt %s --coat-assign-schedules | FileCheck %s
// RUN: not coat-opt %s --coat-assign-schedules=cpu=z80 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: error: expected a known CPU, got 'z80'

// Whatever computes has a schedule; a reshape is a view.
// CHECK-LABEL: @all
func.func @all(%x: tensor<4x6xf32>) -> tensor<24xf32> {
  // CHECK: coat.elementwise relu %arg0 {coat.schedule = #coat.schedule<
  // CHECK: coat.reshape %{{[0-9]+}} : tensor
  %0 = coat.elementwise relu %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
  %1 = coat.reshape %0 : tensor<4x6xf32> to tensor<24xf32>
  return %1 : tensor<24xf32>
}

// Constants and sizes are not computed by a kernel.
// CHECK-LABEL: @nothing
// CHECK-NOT: coat.schedule
// CHECK: return
func.func @nothing(%x: tensor<?x6xf32>) -> (tensor<4xf32>, index) {
  %zero = arith.constant 0 : index
  %0 = arith.constant dense<1.0> : tensor<4xf32>
  %1 = tensor.dim %x, %zero : tensor<?x6xf32>
  return %0, %1 : tensor<4xf32>, index
}
