// Attention and softmax: round trip and types.
// RUN: coat-opt %s | coat-opt | FileCheck %s
// RUN: coat-opt %s -mlir-print-op-generic | coat-opt | FileCheck %s

// CHECK-LABEL: @grouped_query
// CHECK: coat.attention %{{.*}}, %{{.*}}, %{{.*}} mask %{{.*}} {causal, scale = 1.250000e-01 : f64}
func.func @grouped_query(%q: tensor<1x8x16x64xf32>, %k: tensor<1x2x16x64xf32>, %v: tensor<1x2x16x64xf32>, %m: tensor<16x16xi1>) -> tensor<1x8x16x64xf32> {
  %0 = coat.attention %q, %k, %v mask %m {scale = 0.125, causal}
    : (tensor<1x8x16x64xf32>, tensor<1x2x16x64xf32>, tensor<1x2x16x64xf32>, tensor<16x16xi1>) -> tensor<1x8x16x64xf32>
  return %0 : tensor<1x8x16x64xf32>
}

// CHECK-LABEL: @cross
func.func @cross(%q: tensor<2x4x10x32xf32>, %k: tensor<2x4x77x32xf32>, %v: tensor<2x4x77x48xf32>) -> tensor<2x4x10x48xf32> {
  %0 = coat.attention %q, %k, %v {scale = 0.25, softcap = 30.0}
    : (tensor<2x4x10x32xf32>, tensor<2x4x77x32xf32>, tensor<2x4x77x48xf32>) -> tensor<2x4x10x48xf32>
  return %0 : tensor<2x4x10x48xf32>
}

// CHECK-LABEL: @cache
// CHECK: past %{{.*}}, %{{.*}} {scale = 1.000000e+00 : f64, with_present}
func.func @cache(%q: tensor<1x4x1x32xf32>, %k: tensor<1x4x1x32xf32>, %v: tensor<1x4x1x16xf32>,
                 %pk: tensor<1x4x?x32xf32>, %pv: tensor<1x4x?x16xf32>) -> tensor<1x4x?x16xf32> {
  %0, %1, %2 = coat.attention %q, %k, %v past %pk, %pv {scale = 1.0, with_present}
    : (tensor<1x4x1x32xf32>, tensor<1x4x1x32xf32>, tensor<1x4x1x16xf32>, tensor<1x4x?x32xf32>, tensor<1x4x?x16xf32>)
    -> (tensor<1x4x1x16xf32>, tensor<1x4x?x32xf32>, tensor<1x4x?x16xf32>)
  return %2 : tensor<1x4x?x16xf32>
}

// CHECK-LABEL: @lengths
// CHECK: lengths %{{.*}} {causal, left_window = 2 : i64, scale = 1.000000e+00 : f64, scores = #coat<scores_kind weights>}
func.func @lengths(%q: tensor<2x4x3x32xf32>, %k: tensor<2x4x9x32xf32>, %n: tensor<2xi64>) -> tensor<2x4x3x9xf32> {
  %0:2 = coat.attention %q, %k, %k lengths %n {scale = 1.0, causal, left_window = 2, scores = #coat<scores_kind weights>}
    : (tensor<2x4x3x32xf32>, tensor<2x4x9x32xf32>, tensor<2x4x9x32xf32>, tensor<2xi64>) -> (tensor<2x4x3x32xf32>, tensor<2x4x3x9xf32>)
  return %0#1 : tensor<2x4x3x9xf32>
}

// CHECK-LABEL: @hard
// CHECK: {scale = 1.000000e+00 : f64, softmax_type = f64, top_k = 1 : i64}
func.func @hard(%q: tensor<2x4x3x32xf32>, %k: tensor<2x4x9x32xf32>) -> tensor<2x4x3x32xf32> {
  %0 = coat.attention %q, %k, %k {scale = 1.0, top_k = 1, softmax_type = f64}
    : (tensor<2x4x3x32xf32>, tensor<2x4x9x32xf32>, tensor<2x4x9x32xf32>) -> tensor<2x4x3x32xf32>
  return %0 : tensor<2x4x3x32xf32>
}

// CHECK-LABEL: @softmax
// CHECK: coat.softmax %{{.*}} {axis = 1 : i64} :
// CHECK: coat.softmax %{{.*}} {axis = 0 : i64, log}
func.func @softmax(%x: tensor<?x1000xf32>) -> tensor<?x1000xf32> {
  %0 = coat.softmax %x {axis = 1} : (tensor<?x1000xf32>) -> tensor<?x1000xf32>
  %1 = coat.softmax %0 {axis = 0, log} : (tensor<?x1000xf32>) -> tensor<?x1000xf32>
  return %1 : tensor<?x1000xf32>
}
