// RUN: coat-opt %s --coat-split-caches | FileCheck %s

// CHECK-LABEL: func @past_and_new
// CHECK-DAG: %[[K:.*]] = tensor.concat dim(2) %arg3, %arg1
// CHECK-DAG: %[[V:.*]] = tensor.concat dim(2) %arg4, %arg2
// CHECK: %[[R:.*]] = coat.attention %arg0, %[[K]], %[[V]] {{.*}}-> tensor<1x4x3x8xf32>
// CHECK: return %[[R]], %[[K]], %[[V]]
func.func @past_and_new(%q: tensor<1x4x3x8xf32>, %k: tensor<1x2x3x8xf32>, %v: tensor<1x2x3x8xf32>,
                        %pk: tensor<1x2x5x8xf32>, %pv: tensor<1x2x5x8xf32>)
    -> (tensor<1x4x3x8xf32>, tensor<1x2x8x8xf32>, tensor<1x2x8x8xf32>) {
  %r, %a, %b = coat.attention %q, %k, %v past %pk, %pv {scale = 0.5, with_present}
    : (tensor<1x4x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>)
    -> (tensor<1x4x3x8xf32>, tensor<1x2x8x8xf32>, tensor<1x2x8x8xf32>)
  return %r, %a, %b : tensor<1x4x3x8xf32>, tensor<1x2x8x8xf32>, tensor<1x2x8x8xf32>
}

// The rows of a causal attention start behind the past.
// CHECK-LABEL: func @causal
// CHECK: %[[P:.*]] = tensor.dim %arg3
// CHECK: coat.attention {{.*}} offset %[[P]] {causal
func.func @causal(%q: tensor<1x4x3x8xf32>, %k: tensor<1x2x3x8xf32>, %v: tensor<1x2x3x8xf32>,
                  %pk: tensor<1x2x?x8xf32>, %pv: tensor<1x2x?x8xf32>)
    -> (tensor<1x4x3x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>) {
  %r, %a, %b = coat.attention %q, %k, %v past %pk, %pv {scale = 0.5, with_present, causal}
    : (tensor<1x4x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>)
    -> (tensor<1x4x3x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>)
  return %r, %a, %b : tensor<1x4x3x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>
}

// CHECK-LABEL: func @without_cache
// CHECK-NOT: tensor.concat
// CHECK: coat.attention %arg0, %arg1, %arg2 {scale
func.func @without_cache(%q: tensor<1x4x3x8xf32>, %k: tensor<1x2x3x8xf32>, %v: tensor<1x2x3x8xf32>) -> tensor<1x4x3x8xf32> {
  %r = coat.attention %q, %k, %v {scale = 0.5}
    : (tensor<1x4x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x4x3x8xf32>
  return %r : tensor<1x4x3x8xf32>
}
