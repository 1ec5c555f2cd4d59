// RUN: coat-opt %s --coat-outline-kernels --split-input-file | FileCheck %s
// RUN: coat-opt %s --coat-outline-kernels=fuse=false --split-input-file | FileCheck %s --check-prefix=NOFUSE

// The element-wise op joins the product; its weights are an argument, the scalar is not.
// CHECK: func.func @fused(%[[X:.*]]: memref<5x4xf32>, %[[W:.*]]: memref<4x3xf32>, %[[Y:.*]]: memref<5x3xf32> {coat.name = "y", coat.result}) attributes {coat.entry}
// CHECK-NEXT: coat.launch @[[K:.*]](%[[X]], %[[W]]) outs(%[[Y]])
// CHECK-NEXT: return
// CHECK: func.func private @[[K]](%{{.*}}: memref<5x4xf32>, %{{.*}}: memref<4x3xf32>, %[[O:.*]]: memref<5x3xf32>) attributes {coat.kernel, coat.ops = ["matmul", "mul"]
// CHECK: coat.matmul
// CHECK: %[[R:.*]] = coat.elementwise mul
// CHECK: bufferization.materialize_in_destination %[[R]] in restrict writable %[[O]]
// NOFUSE: coat.launch
// NOFUSE: coat.launch
module {
  func.func @fused(%x: tensor<5x4xf32>, %w: tensor<4x3xf32>) -> (tensor<5x3xf32> {coat.name = "y"}) attributes {coat.entry} {
    %two = arith.constant dense<2.0> : tensor<f32>
    %0 = coat.matmul %x, %w : (tensor<5x4xf32>, tensor<4x3xf32>) -> tensor<5x3xf32>
    %1 = coat.elementwise mul %0, %two : (tensor<5x3xf32>, tensor<f32>) -> tensor<5x3xf32>
    return %1 : tensor<5x3xf32>
  }
}

// -----

// As @fused, but the product is a result, too: it is computed once, by a kernel of its own.
// CHECK-LABEL: func.func @used_twice
// CHECK: coat.launch @[[A:k[0-9]+]](%{{.*}}, %{{.*}}) outs
// CHECK: coat.launch @[[B:k[0-9]+]](
// CHECK: func.func private @[[A]]({{.*}} coat.ops = ["matmul"]
// CHECK: func.func private @[[B]]({{.*}} coat.ops = ["mul"]
module {
  func.func @used_twice(%x: tensor<5x4xf32>, %w: tensor<4x3xf32>)
      -> (tensor<5x3xf32> {coat.name = "y"}, tensor<5x3xf32> {coat.name = "z"}) attributes {coat.entry} {
    %two = arith.constant dense<2.0> : tensor<f32>
    %0 = coat.matmul %x, %w : (tensor<5x4xf32>, tensor<4x3xf32>) -> tensor<5x3xf32>
    %1 = coat.elementwise mul %0, %two : (tensor<5x3xf32>, tensor<f32>) -> tensor<5x3xf32>
    return %0, %1 : tensor<5x3xf32>, tensor<5x3xf32>
  }
}

// -----

// Attention reads heads where they lie between other dimensions: no kernel for the query. Rows of the value lie 2048 bytes
// apart, which the caches do not like: that transpose is a copy, as the one that something else reads.
// CHECK-LABEL: func.func @heads
// CHECK: %[[Q:.*]] = memref.transpose %{{.*}} : memref<1x5x2x8xf32>
// CHECK: %[[VIEW:.*]] = memref.cast %[[Q]]
// CHECK: coat.launch @[[T:k[0-9]+]](
// CHECK: coat.launch @{{.*}}(%[[VIEW]], %{{.*}})
// CHECK: coat.launch @{{.*}} outs
// CHECK: func.func private @[[T]]({{.*}} coat.ops = ["transpose"]
module {
  func.func @heads(%q: tensor<1x5x2x8xf32>, %v: tensor<1x5x2x256xf32>)
      -> (tensor<1x2x5x256xf32> {coat.name = "y"}, tensor<1x2x5x8xf32> {coat.name = "z"}) attributes {coat.entry} {
    %0 = coat.transpose %q {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x5x2x8xf32>) -> tensor<1x2x5x8xf32>
    %1 = coat.transpose %v {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x5x2x256xf32>) -> tensor<1x2x5x256xf32>
    %2 = coat.attention %0, %0, %1 {scale = 1.0} : (tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x256xf32>) -> tensor<1x2x5x256xf32>
    %3 = coat.transpose %q {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x5x2x8xf32>) -> tensor<1x2x5x8xf32>
    return %2, %3 : tensor<1x2x5x256xf32>, tensor<1x2x5x8xf32>
  }
}
