// RUN: coat-opt %s --coat-outline-kernels --split-input-file | FileCheck %s

// A producer writes into the inside of the padded buffer, and fills the border once.
// CHECK-LABEL: func.func @padded
// CHECK: %[[IN:.*]] = memref.subview %[[Y:.*]][1, 0] [4, 3] [1, 1]
// CHECK: coat.launch @{{.*}} outs(%[[IN]], %[[Y]])
// CHECK-NEXT: return
// CHECK: coat.once
// CHECK-COUNT-2: linalg.fill
func.func @padded(%x: tensor<4x3xf32>) -> tensor<6x3xf32> attributes {coat.entry} {
  %0 = coat.elementwise relu %x : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = coat.pad constant %0 {low = array<i64: 1, 0>, high = array<i64: 1, 0>} : (tensor<4x3xf32>) -> tensor<6x3xf32>
  return %1 : tensor<6x3xf32>
}

// -----

// Mirrored elements are computed from the inside, so the pad stays a kernel.
// CHECK-LABEL: func.func @reflected
// CHECK-NOT: memref.subview
// CHECK: return
func.func @reflected(%x: tensor<4x3xf32>) -> tensor<6x3xf32> attributes {coat.entry} {
  %0 = coat.elementwise relu %x : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = coat.pad reflect %0 {low = array<i64: 1, 0>, high = array<i64: 1, 0>} : (tensor<4x3xf32>) -> tensor<6x3xf32>
  return %1 : tensor<6x3xf32>
}

// -----

// Both operands of the concatenation are written in place.
// CHECK-LABEL: func.func @concatenated
// CHECK: %[[A:.*]] = memref.subview %[[Y:.*]][0, 0] [4, 3] [1, 1]
// CHECK: %[[FIRST:.*]] = memref.cast %[[A]] : {{.*}} to memref<4x3xf32, strided<[6, 1], offset: ?>>
// CHECK: coat.launch @{{.*}} outs(%[[FIRST]])
// CHECK: %[[B:.*]] = memref.subview %[[Y]][0, 3] [4, 3] [1, 1]
// CHECK: %[[SECOND:.*]] = memref.cast %[[B]]
// CHECK: coat.launch @{{.*}} outs(%[[SECOND]])
// CHECK-NEXT: return
func.func @concatenated(%x: tensor<4x3xf32>) -> tensor<4x6xf32> attributes {coat.entry} {
  %0 = coat.elementwise relu %x : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = coat.elementwise neg %x : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %2 = tensor.concat dim(1) %0, %1 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x6xf32>
  return %2 : tensor<4x6xf32>
}

// -----

// Through a reshape, too, where the strides of the part have a view of the shape that the producer computes.
// CHECK-LABEL: func.func @reshaped
// CHECK: %[[A:.*]] = memref.subview %[[Y:.*]][0, 0, 0] [2, 2, 3] [1, 1, 1]
// CHECK: %[[FIRST:.*]] = memref.cast %[[A]]
// CHECK: %[[ROWS:.*]] = memref.collapse_shape %[[FIRST]] {{\[}}[0, 1], [2]]
// CHECK: coat.launch @{{.*}} outs(%[[ROWS]]) : (memref<4x3xf32>, memref<4x3xf32, strided<[6, 1], offset: ?>>)
// CHECK: coat.launch
// CHECK-NEXT: return
func.func @reshaped(%x: tensor<4x3xf32>, %z: tensor<2x2x3xf32>) -> tensor<2x2x6xf32> attributes {coat.entry} {
  %0 = coat.elementwise relu %x : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = coat.reshape %0 : tensor<4x3xf32> to tensor<2x2x3xf32>
  %2 = coat.elementwise neg %z : (tensor<2x2x3xf32>) -> tensor<2x2x3xf32>
  %3 = tensor.concat dim(2) %1, %2 : (tensor<2x2x3xf32>, tensor<2x2x3xf32>) -> tensor<2x2x6xf32>
  return %3 : tensor<2x2x6xf32>
}

// -----

// Columns of a wider tensor cannot be merged with its rows: a buffer of its own, and a copy.
// CHECK-LABEL: func.func @torn
// CHECK: %[[OWN:.*]] = memref.alloc() : memref<12xf32>
// CHECK: coat.launch @{{.*}} outs(%[[OWN]])
func.func @torn(%x: tensor<12xf32>, %z: tensor<4x3xf32>) -> tensor<4x6xf32> attributes {coat.entry} {
  %0 = coat.elementwise relu %x : (tensor<12xf32>) -> tensor<12xf32>
  %1 = coat.reshape %0 : tensor<12xf32> to tensor<4x3xf32>
  %2 = coat.elementwise neg %z : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %3 = tensor.concat dim(1) %1, %2 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x6xf32>
  return %3 : tensor<4x6xf32>
}

// -----

// A slice is a view: no launch copies it.
// CHECK-LABEL: func.func @sliced
// CHECK: %[[PART:.*]] = memref.subview %{{.*}}[0, 4] [4, 4] [1, 1]
// CHECK: %[[VIEW:.*]] = memref.cast %[[PART]]
// CHECK-NOT: coat.launch
// CHECK: coat.launch @{{.*}}(%[[VIEW]])
// CHECK-NEXT: return
func.func @sliced(%x: tensor<4x8xf32>) -> tensor<4x4xf32> attributes {coat.entry} {
  %0 = tensor.extract_slice %x[0, 4] [4, 4] [1, 1] : tensor<4x8xf32> to tensor<4x4xf32>
  %1 = coat.elementwise relu %0 : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return %1 : tensor<4x4xf32>
}

// -----

// A cache of unknown length grows by one row: where the row goes is not known when it is computed.
// CHECK-LABEL: func.func @grown
// CHECK: %[[ROW:.*]] = memref.alloc() : memref<1x3xf32>
// CHECK: coat.launch @{{.*}} outs(%[[ROW]])
// CHECK: coat.launch @{{.*}}(%{{.*}}, %[[ROW]]) outs(%{{.*}}) : {{.*}} memref<?x3xf32>
// CHECK-NEXT: return
func.func @grown(%past: tensor<?x3xf32>, %x: tensor<1x3xf32>) -> tensor<?x3xf32> attributes {coat.entry} {
  %0 = coat.elementwise relu %x : (tensor<1x3xf32>) -> tensor<1x3xf32>
  %1 = tensor.concat dim(0) %past, %0 : (tensor<?x3xf32>, tensor<1x3xf32>) -> tensor<?x3xf32>
  return %1 : tensor<?x3xf32>
}

// -----
// Attention between transposes of heads, of f16 behind conversions: all of them are views.

// CHECK-LABEL: func.func @heads
// CHECK: %[[Q:.*]] = memref.transpose %arg0 (d0, d1, d2, d3) -> (d0, d2, d1, d3)
// CHECK: %[[OUT:.*]] = memref.alloc() : memref<1x5x2x8xf16>
// CHECK: %[[PLACE:.*]] = memref.transpose %[[OUT]] (d0, d1, d2, d3) -> (d0, d2, d1, d3)
// CHECK: coat.launch @{{k[0-9]+}}({{.*}}) outs(%[[PLACE]])
// CHECK-NOT: coat.launch
// CHECK: memref.reinterpret_cast %[[OUT]]
// CHECK: coat.launch @{{k[0-9]+}}
// CHECK-NOT: coat.launch
// CHECK: return
module {
  func.func @heads(%q: tensor<1x5x2x8xf16> {coat.name = "q"}) -> (tensor<1x5x16xf16> {coat.name = "y"}) attributes {coat.entry} {
    %0 = coat.transpose %q {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x5x2x8xf16>) -> tensor<1x2x5x8xf16>
    %1 = coat.cast %0 {coat.prologue} : tensor<1x2x5x8xf16> to tensor<1x2x5x8xf32>
    %2 = coat.cast %0 {coat.prologue} : tensor<1x2x5x8xf16> to tensor<1x2x5x8xf32>
    %3 = coat.cast %0 {coat.prologue} : tensor<1x2x5x8xf16> to tensor<1x2x5x8xf32>
    %4 = coat.attention %1, %2, %3 {scale = 1.0} : (tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
    %5 = coat.cast %4 : tensor<1x2x5x8xf32> to tensor<1x2x5x8xf16>
    %6 = coat.transpose %5 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x2x5x8xf16>) -> tensor<1x5x2x8xf16>
    %7 = coat.reshape %6 : tensor<1x5x2x8xf16> to tensor<1x5x16xf16>
    %8 = coat.elementwise relu %7 : (tensor<1x5x16xf16>) -> tensor<1x5x16xf16>
    return %8 : tensor<1x5x16xf16>
  }
}
