// Ops around attention: round trip, types, and the kernel that their formula is.
// RUN: coat-opt %s | coat-opt | FileCheck %s
// RUN: coat-opt %s -mlir-print-op-generic | coat-opt | FileCheck %s
// RUN: coat-opt %s --coat-reference | FileCheck %s --check-prefix=KERNEL

// CHECK-LABEL: @visible_keys
// CHECK: coat.visible_keys %{{.*}}, %{{.*}} lengths %{{.*}} {causal, left_window = 2 : i64}
// CHECK: coat.visible_keys %{{.*}}, %{{.*}} past %{{.*}} {right_window = 0 : i64} {{.*}} -> tensor<1x1x4x?xi1>
// KERNEL-LABEL: func.func private @ref_0_visible_keys
// KERNEL: memref.load %arg2
// KERNEL: arith.cmpi slt
// KERNEL: memref.store %{{.*}}, %arg3
func.func @visible_keys(%q: tensor<2x8x4x16xf32>, %k: tensor<2x2x9x16xf32>, %n: tensor<2xi64>, %p: tensor<2x2x?x16xf32>)
    -> (tensor<2x1x4x9xi1>, tensor<1x1x4x?xi1>) attributes {coat.entry} {
  %0 = coat.visible_keys %q, %k lengths %n {causal, left_window = 2}
    : (tensor<2x8x4x16xf32>, tensor<2x2x9x16xf32>, tensor<2xi64>) -> tensor<2x1x4x9xi1>
  %1 = coat.visible_keys %q, %k past %p {right_window = 0}
    : (tensor<2x8x4x16xf32>, tensor<2x2x9x16xf32>, tensor<2x2x?x16xf32>) -> tensor<1x1x4x?xi1>
  return %0, %1 : tensor<2x1x4x9xi1>, tensor<1x1x4x?xi1>
}

// CHECK-LABEL: @best_keys
// CHECK: coat.best_keys %{{.*}} {top_k = 2 : i64}
// KERNEL-LABEL: func.func private @ref_{{.*}}_best_keys
// KERNEL: memref.store %{{.*}}, %arg1
// KERNEL: scf.for
// KERNEL: scf.for
// KERNEL: memref.load %arg0
func.func @best_keys(%s: tensor<1x8x4x9xf32>) -> tensor<1x8x4x9xf32> attributes {coat.entry} {
  %0 = coat.best_keys %s {top_k = 2} : (tensor<1x8x4x9xf32>) -> tensor<1x8x4x9xf32>
  return %0 : tensor<1x8x4x9xf32>
}

// What is there already is copied only to another buffer.
// CHECK-LABEL: @cache_write
// CHECK: coat.cache_write %{{.*}}, %{{.*}} at %{{.*}} {axis = 2 : i64, circular}
// KERNEL-LABEL: func.func private @ref_{{.*}}_cache_write
// KERNEL: scf.forall ({{.*}}) in (2, 8)
// KERNEL: memref.extract_aligned_pointer_as_index %arg0
// KERNEL: memref.extract_aligned_pointer_as_index %arg3
// KERNEL: scf.if
// KERNEL: memref.load %arg0
// KERNEL: arith.remsi
// KERNEL: memref.load %arg1
func.func @cache_write(%c: tensor<2x8x64x16xf32>, %u: tensor<2x8x1x16xf32>, %i: tensor<2xi64>) -> tensor<2x8x64x16xf32>
    attributes {coat.entry} {
  %0 = coat.cache_write %c, %u at %i {axis = 2, circular} : (tensor<2x8x64x16xf32>, tensor<2x8x1x16xf32>, tensor<2xi64>) -> tensor<2x8x64x16xf32>
  return %0 : tensor<2x8x64x16xf32>
}

// CHECK-LABEL: @linear_attention
// CHECK: coat.linear_attention %{{.*}}, %{{.*}}, %{{.*}} decay %{{.*}} beta %{{.*}} {kv_heads = 2 : i64, q_heads = 4 : i64, scale = 5.000000e-01 : f64}
// KERNEL-LABEL: func.func private @ref_{{.*}}_linear_attention
// KERNEL: scf.forall ({{.*}}) in (1, 2)
// KERNEL: memref.alloc() : memref<4x6xf32>
// KERNEL: math.exp
func.func @linear_attention(%q: tensor<1x3x16xf32>, %k: tensor<1x3x8xf32>, %v: tensor<1x3x12xf32>, %g: tensor<1x3x2xf32>, %b: tensor<1x3x1xf32>)
    -> (tensor<1x3x24xf32>, tensor<1x2x4x6xf32>) attributes {coat.entry} {
  %0:2 = coat.linear_attention %q, %k, %v decay %g beta %b {q_heads = 4, kv_heads = 2, scale = 0.5}
    : (tensor<1x3x16xf32>, tensor<1x3x8xf32>, tensor<1x3x12xf32>, tensor<1x3x2xf32>, tensor<1x3x1xf32>)
    -> (tensor<1x3x24xf32>, tensor<1x2x4x6xf32>)
  return %0#0, %0#1 : tensor<1x3x24xf32>, tensor<1x2x4x6xf32>
}
