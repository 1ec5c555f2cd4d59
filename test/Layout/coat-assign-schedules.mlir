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

// A symbolic size counts as the optimum of its symbol: 8 images of 64 rows are the 512 rows of @eight, whose schedule this is.
// CHECK-LABEL: @eight
// CHECK: coat.matmul {{.*}}coat.schedule = [[EIGHT:#coat.schedule<.*>]]}
func.func @eight(%x: tensor<512x512xf32>, %w: tensor<512x512xf32>) -> tensor<512x512xf32> {
  %0 = coat.matmul %x, %w : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
  return %0 : tensor<512x512xf32>
}

// CHECK-LABEL: @optimum
// CHECK: coat.matmul {{.*}}coat.schedule = [[EIGHT]]}
func.func @optimum(%x: tensor<?x64x512xf32> {coat.dims = ["N", "64", "512"]}, %w: tensor<512x512xf32>) -> tensor<?x512xf32>
    attributes {coat.entry, coat.symbols = [{name = "N", min = 1 : i64, max = 32 : i64, optimum = 8 : i64}]} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %n = tensor.dim %x, %c0 : tensor<?x64x512xf32>
  %m = arith.muli %n, %c64 : index
  %r = coat.reshape %x sizes %m : tensor<?x64x512xf32> to tensor<?x512xf32>
  %0 = coat.matmul %r, %w : (tensor<?x512xf32>, tensor<512x512xf32>) -> tensor<?x512xf32>
  return %0 : tensor<?x512xf32>
}

// As @optimum, but N has none: it counts as any symbolic size does.
// CHECK-LABEL: @no_optimum
// CHECK-NOT: coat.schedule = [[EIGHT]]
// CHECK: return
func.func @no_optimum(%x: tensor<?x64x512xf32> {coat.dims = ["N", "64", "512"]}, %w: tensor<512x512xf32>) -> tensor<?x512xf32>
    attributes {coat.entry, coat.symbols = [{name = "N", min = 1 : i64, max = 32 : i64}]} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %n = tensor.dim %x, %c0 : tensor<?x64x512xf32>
  %m = arith.muli %n, %c64 : index
  %r = coat.reshape %x sizes %m : tensor<?x64x512xf32> to tensor<?x512xf32>
  %0 = coat.matmul %r, %w : (tensor<?x512xf32>, tensor<512x512xf32>) -> tensor<?x512xf32>
  return %0 : tensor<?x512xf32>
}
