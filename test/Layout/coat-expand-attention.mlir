// RUN: coat-opt %s --coat-expand-attention | FileCheck %s

// A mask says which keys a window shows; causality stays, because it spares work.
// CHECK-LABEL: func @window
// CHECK: %[[V:.*]] = coat.visible_keys %arg0, %arg1 {left_window = 2 : i64} {{.*}} -> tensor<1x1x4x9xi1>
// CHECK: %[[M:.*]] = coat.elementwise logical_and %[[V]], %arg2
// CHECK: coat.attention %arg0, %arg1, %arg1 mask %[[M]] {causal, scale
// CHECK-NOT: left_window
func.func @window(%q: tensor<2x8x4x16xf32>, %k: tensor<2x2x9x16xf32>, %m: tensor<4x9xi1>) -> tensor<2x8x4x16xf32> {
  %0 = coat.attention %q, %k, %k mask %m {scale = 0.5, causal, left_window = 2}
    : (tensor<2x8x4x16xf32>, tensor<2x2x9x16xf32>, tensor<2x2x9x16xf32>, tensor<4x9xi1>) -> tensor<2x8x4x16xf32>
  return %0 : tensor<2x8x4x16xf32>
}

// With lengths, causality differs from batch to batch.
// CHECK-LABEL: func @lengths
// CHECK: %[[V:.*]] = coat.visible_keys %arg0, %arg1 lengths %arg3 {causal} {{.*}} -> tensor<2x1x4x9xi1>
// CHECK: %[[M:.*]] = coat.elementwise select %[[V]], %arg2, %{{.*}} -> tensor<2x1x4x9xf32>
// CHECK: coat.attention %arg0, %arg1, %arg1 mask %[[M]] {scale
func.func @lengths(%q: tensor<2x8x4x16xf32>, %k: tensor<2x2x9x16xf32>, %m: tensor<4x9xf32>, %n: tensor<2xi64>) -> tensor<2x8x4x16xf32> {
  %0 = coat.attention %q, %k, %k mask %m lengths %n {scale = 0.5, causal}
    : (tensor<2x8x4x16xf32>, tensor<2x2x9x16xf32>, tensor<2x2x9x16xf32>, tensor<4x9xf32>, tensor<2xi64>) -> tensor<2x8x4x16xf32>
  return %0 : tensor<2x8x4x16xf32>
}

// CHECK-LABEL: func @hard
// CHECK: coat.reshape %arg0 : tensor<2x8x4x16xf32> to tensor<2x2x4x4x16xf32>
// CHECK: coat.matmul {{.*}} {transpose_rhs} {{.*}} -> tensor<2x2x4x4x9xf32>
// CHECK: %[[S:.*]] = coat.elementwise mul
// CHECK: %[[B:.*]] = coat.best_keys %[[S]] {top_k = 1 : i64}
// CHECK: coat.softmax %[[B]] {axis = 3 : i64}
// CHECK: %[[W:.*]] = coat.elementwise select
// CHECK: coat.matmul
// CHECK: return %{{.*}}, %[[W]]
func.func @hard(%q: tensor<2x8x4x16xf32>, %k: tensor<2x2x9x16xf32>) -> (tensor<2x8x4x16xf32>, tensor<2x8x4x9xf32>) {
  %0:2 = coat.attention %q, %k, %k {scale = 0.5, top_k = 1, scores = #coat<scores_kind weights>}
    : (tensor<2x8x4x16xf32>, tensor<2x2x9x16xf32>, tensor<2x2x9x16xf32>) -> (tensor<2x8x4x16xf32>, tensor<2x8x4x9xf32>)
  return %0#0, %0#1 : tensor<2x8x4x16xf32>, tensor<2x8x4x9xf32>
}

// CHECK-LABEL: func @plain
// CHECK-NEXT: coat.attention
// CHECK-NEXT: return
func.func @plain(%q: tensor<2x8x4x16xf32>, %k: tensor<2x2x9x16xf32>) -> tensor<2x8x4x16xf32> {
  %0 = coat.attention %q, %k, %k {scale = 0.5, causal, softcap = 2.0}
    : (tensor<2x8x4x16xf32>, tensor<2x2x9x16xf32>, tensor<2x2x9x16xf32>) -> tensor<2x8x4x16xf32>
  return %0 : tensor<2x8x4x16xf32>
}
