// What the verifiers of quantization and bit casts refuse, a function a constraint.
// RUN: coat-opt %s -split-input-file -verify-diagnostics

func.func @bitcast_c1(%x: tensor<4xf32>) {
  // expected-error@+1 {{expected element types of one width, got 'f32' and 'i16'}}
  %0 = coat.bitcast %x {element_type = i16} : (tensor<4xf32>) -> tensor<4xi16>
  return
}

// -----

func.func @quantize_c1(%x: tensor<4x8xf32>, %s: tensor<4xf32>, %z: tensor<ui8>) {
  // expected-error@+1 {{expected a scale and a zero point that broadcast to 4x8, got 'tensor<4xf32>'}}
  %0 = coat.quantize %x, %s, %z : (tensor<4x8xf32>, tensor<4xf32>, tensor<ui8>) -> tensor<4x8xui8>
  return
}

// -----

func.func @quantize_c2(%x: tensor<4x8xf32>, %s: tensor<f32>, %z: tensor<i32>) {
  // expected-error@+1 {{expected a floating-point scale and a zero point of 8 or 16 bits, got 'f32', 'f32' and 'i32'}}
  %0 = coat.quantize %x, %s, %z : (tensor<4x8xf32>, tensor<f32>, tensor<i32>) -> tensor<4x8xi32>
  return
}

// -----

func.func @dequantize_c1(%x: tensor<4x8xi8>, %s: tensor<f32>, %z: tensor<4xi8>) {
  // expected-error@+1 {{expected a scale and a zero point that broadcast to 4x8, got 'tensor<4xi8>'}}
  %0 = coat.dequantize %x, %s, %z : (tensor<4x8xi8>, tensor<f32>, tensor<4xi8>) -> tensor<4x8xf32>
  return
}

// -----

func.func @dequantize_c2(%x: tensor<4x8xi8>, %s: tensor<f32>, %z: tensor<ui8>) {
  // expected-error@+1 {{expected integers of 8, 16 or 32 bits with a zero point of their type and a floating-point scale, got 'i8', 'f32' and 'ui8'}}
  %0 = coat.dequantize %x, %s, %z : (tensor<4x8xi8>, tensor<f32>, tensor<ui8>) -> tensor<4x8xf32>
  return
}
