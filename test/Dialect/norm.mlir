// Normalizations: round trip and types.
// RUN: coat-opt %s | coat-opt | FileCheck %s
// RUN: coat-opt %s -mlir-print-op-generic | coat-opt | FileCheck %s

// CHECK-LABEL: @batch_norm
// CHECK: coat.batch_norm %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {epsilon
func.func @batch_norm(%x: tensor<1x64x56x56xf32>, %c: tensor<64xf32>) -> tensor<1x64x56x56xf32> {
  %0 = coat.batch_norm %x, %c, %c, %c, %c {epsilon = 1.0e-5}
    : (tensor<1x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<1x64x56x56xf32>
  return %0 : tensor<1x64x56x56xf32>
}

// CHECK-LABEL: @batch_norm_channels_last
func.func @batch_norm_channels_last(%x: tensor<1x56x56x64xf32>, %c: tensor<64xf32>) -> tensor<1x56x56x64xf32> {
  %0 = coat.batch_norm %x, %c, %c, %c, %c {epsilon = 1.0e-5, data_layout = #coat<layout channels_last>}
    : (tensor<1x56x56x64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<1x56x56x64xf32>
  return %0 : tensor<1x56x56x64xf32>
}

// CHECK-LABEL: @layer_norm
// CHECK: coat.layer_norm %{{.*}} scale %{{.*}} bias %{{.*}} {axis = 2
func.func @layer_norm(%x: tensor<?x197x192xf32>, %s: tensor<192xf32>, %b: tensor<192xf32>) -> tensor<?x197x192xf32> {
  %0 = coat.layer_norm %x scale %s bias %b {axis = 2, epsilon = 1.0e-6}
    : (tensor<?x197x192xf32>, tensor<192xf32>, tensor<192xf32>) -> tensor<?x197x192xf32>
  return %0 : tensor<?x197x192xf32>
}

// CHECK-LABEL: @rms_norm
// CHECK: coat.layer_norm %{{.*}} scale %{{.*}} {axis = 1 : i64, epsilon = {{.*}}, rms}
func.func @rms_norm(%x: tensor<4x8xf32>, %s: tensor<8xf32>) -> tensor<4x8xf32> {
  %0 = coat.layer_norm %x scale %s {axis = 1, epsilon = 1.0e-6, rms} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: @group_norm
// CHECK: coat.group_norm %{{.*}}, %{{.*}}, %{{.*}} {epsilon = {{.*}}, groups = 8
func.func @group_norm(%x: tensor<1x64x28x28xf32>, %s: tensor<64xf32>, %b: tensor<64xf32>) -> tensor<1x64x28x28xf32> {
  %0 = coat.group_norm %x, %s, %b {groups = 8, epsilon = 1.0e-5}
    : (tensor<1x64x28x28xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<1x64x28x28xf32>
  return %0 : tensor<1x64x28x28xf32>
}

// CHECK-LABEL: @lrn
// CHECK: coat.lrn %{{.*}} {alpha = {{.*}}, beta = {{.*}}, k = {{.*}}, size = 5
func.func @lrn(%x: tensor<1x96x55x55xf32>) -> tensor<1x96x55x55xf32> {
  %0 = coat.lrn %x {size = 5, alpha = 1.0e-4, beta = 0.75, k = 1.0} : (tensor<1x96x55x55xf32>) -> tensor<1x96x55x55xf32>
  return %0 : tensor<1x96x55x55xf32>
}
