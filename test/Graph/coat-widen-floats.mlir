// RUN: coat-opt -coat-widen-floats %s | FileCheck %s

// Sums are rounded; the larger of two numbers needs no rounding; the entry keeps its types.
// CHECK-LABEL: func @rounded(%arg0: tensor<4xf16>) -> tensor<4xf16>
// CHECK: %[[X:.*]] = coat.cast %arg0 : tensor<4xf16> to tensor<4xf32>
// CHECK: %[[C:.*]] = arith.constant dense<[1.000000e+00, 5.000000e-01, 2.000000e+00, -0.0{{.*}}]> : tensor<4xf32>
// CHECK: %[[S:.*]] = coat.elementwise add %[[X]], %[[C]] : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK: %[[N:.*]] = coat.cast %[[S]] : tensor<4xf32> to tensor<4xf16>
// CHECK: %[[W:.*]] = coat.cast %[[N]] : tensor<4xf16> to tensor<4xf32>
// CHECK: %[[R:.*]] = coat.elementwise relu %[[W]] : (tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT: %[[Y:.*]] = coat.cast %[[R]] : tensor<4xf32> to tensor<4xf16>
// CHECK-NEXT: return %[[Y]]
func.func @rounded(%x: tensor<4xf16>) -> tensor<4xf16> attributes {coat.entry} {
  %c = arith.constant dense<[1.0, 0.5, 2.0, -0.0]> : tensor<4xf16>
  %0 = coat.elementwise add %x, %c : (tensor<4xf16>, tensor<4xf16>) -> tensor<4xf16>
  %1 = coat.elementwise relu %0 : (tensor<4xf16>) -> tensor<4xf16>
  return %1 : tensor<4xf16>
}

// A result of f32 stays one, whatever it came from.
// CHECK-LABEL: func @to_single
// CHECK: %[[X:.*]] = coat.cast %arg0 : tensor<4xbf16> to tensor<4xf32>
// CHECK-NEXT: return %[[X]]
func.func @to_single(%x: tensor<4xbf16>) -> tensor<4xf32> attributes {coat.entry} {
  %0 = coat.cast %x : tensor<4xbf16> to tensor<4xf32>
  return %0 : tensor<4xf32>
}

// Bits are those of the model's type.
// CHECK-LABEL: func @bits
// CHECK: %[[N:.*]] = coat.cast %{{.*}} : tensor<4xf32> to tensor<4xf16>
// CHECK: coat.bitcast %[[N]] {element_type = i16} : (tensor<4xf16>) -> tensor<4xi16>
func.func @bits(%x: tensor<4xf16>) -> tensor<4xi16> attributes {coat.entry} {
  %0 = coat.bitcast %x {element_type = i16} : (tensor<4xf16>) -> tensor<4xi16>
  return %0 : tensor<4xi16>
}

// CHECK-LABEL: func @untouched
// CHECK-NEXT: coat.elementwise add %arg0, %arg0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
func.func @untouched(%x: tensor<4xf32>) -> tensor<4xf32> attributes {coat.entry} {
  %0 = coat.elementwise add %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
