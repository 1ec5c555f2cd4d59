// What the verifiers of element-wise ops, casts and reductions refuse, a function a constraint.
// RUN: coat-opt %s -split-input-file -verify-diagnostics

func.func @elementwise_c1(%x0: tensor<4xf32>) {
  // expected-error@+1 {{expected 2 operands for add, got 1}}
  %0 = coat.elementwise add %x0 : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @elementwise_c1_unary(%x0: tensor<4xf32>, %x1: tensor<4xf32>) {
  // expected-error@+1 {{expected 1 operands for exp, got 2}}
  %0 = coat.elementwise exp %x0, %x1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @elementwise_c2(%x0: tensor<4xf32>, %x1: tensor<3xf32>) {
  // expected-error@+1 {{expected shapes that broadcast, got 4 and 3}}
  %0 = coat.elementwise add %x0, %x1 : (tensor<4xf32>, tensor<3xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @elementwise_c3(%x0: tensor<4xf32>, %x1: tensor<4xi32>) {
  // expected-error@+1 {{expected operands of element type 'f32', got 'i32'}}
  %0 = coat.elementwise add %x0, %x1 : (tensor<4xf32>, tensor<4xi32>) -> tensor<4xf32>
  return
}

// -----

func.func @elementwise_c3_condition(%x0: tensor<4xf32>, %x1: tensor<4xf32>, %x2: tensor<4xf32>) {
  // expected-error@+1 {{expected a condition of element type i1, got 'f32'}}
  %0 = coat.elementwise select %x0, %x1, %x2 : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @elementwise_c4_logical(%x0: tensor<4xf32>, %x1: tensor<4xf32>) {
  // expected-error@+1 {{expected operands of element type i1 for logical_and, got 'f32'}}
  %0 = coat.elementwise logical_and %x0, %x1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
  return
}

// -----

func.func @elementwise_c4(%x0: tensor<4xi32>) {
  // expected-error@+1 {{expected operands of a floating-point element type for exp, got 'i32'}}
  %0 = coat.elementwise exp %x0 : (tensor<4xi32>) -> tensor<4xi32>
  return
}

// -----

func.func @elementwise_c4_shift(%x0: tensor<4xf32>, %x1: tensor<4xf32>) {
  // expected-error@+1 {{expected operands of an integer element type for shift_left, got 'f32'}}
  %0 = coat.elementwise shift_left %x0, %x1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @elementwise_c4_truth(%x0: tensor<4xi1>, %x1: tensor<4xi1>) {
  // expected-error@+1 {{expected operands of a numeric element type for add, got 'i1'}}
  %0 = coat.elementwise add %x0, %x1 : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  return
}

// -----

func.func @cast_c1(%x: tensor<4xf32>) {
  // expected-error@+1 {{expected a result of shape 4, got 3}}
  %0 = coat.cast %x : tensor<4xf32> to tensor<3xi32>
  return
}

// -----

func.func @cast_c2(%x: tensor<4xindex>) {
  // expected-error@+1 {{expected integers or floating-point, got 'tensor<4xindex>'}}
  %0 = coat.cast %x : tensor<4xindex> to tensor<4xi32>
  return
}

// -----

func.func @reduce_c1(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected sorted, unique axes of at least 0 and less than rank 2, got [1, 0]}}
  %0 = coat.reduce sum %x {axes = array<i64: 1, 0>} : (tensor<4x8xf32>) -> tensor<f32>
  return
}

// -----

func.func @reduce_c1_twice(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected sorted, unique axes of at least 0 and less than rank 2, got [1, 1]}}
  %0 = coat.reduce sum %x {axes = array<i64: 1, 1>} : (tensor<4x8xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @reduce_c1_rank(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected sorted, unique axes of at least 0 and less than rank 2, got [2]}}
  %0 = coat.reduce sum %x {axes = array<i64: 2>} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @reduce_c2(%x: tensor<4x8xi32>) {
  // expected-error@+1 {{expected a floating-point element type, got 'i32'}}
  %0 = coat.reduce mean %x {axes = array<i64: 1>} : (tensor<4x8xi32>) -> tensor<4xi32>
  return
}

// -----

func.func @reduce_c2_truth(%x: tensor<4x8xi1>) {
  // expected-error@+1 {{expected a numeric element type, got 'i1'}}
  %0 = coat.reduce sum %x {axes = array<i64: 1>} : (tensor<4x8xi1>) -> tensor<4xi1>
  return
}

// -----

func.func @arg_reduce_c1(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected axis of at least 0 and less than rank 2, got 2}}
  %0 = coat.arg_reduce max %x {axis = 2} : (tensor<4x8xf32>) -> tensor<4xi64>
  return
}

// -----

func.func @arg_reduce_c2(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected kind max or min, got sum}}
  %0 = coat.arg_reduce sum %x {axis = 1} : (tensor<4x8xf32>) -> tensor<4xi64>
  return
}
