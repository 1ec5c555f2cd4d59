// What the verifiers of ops that move elements refuse, a function a constraint.
// RUN: coat-opt %s -split-input-file -verify-diagnostics

func.func @transpose_c1(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected a permutation of 2 dimensions, got [0, 0]}}
  %0 = coat.transpose %x {permutation = array<i64: 0, 0>} : (tensor<4x8xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @reshape_c1(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected a result of 32 elements, got 33}}
  %0 = coat.reshape %x : tensor<4x8xf32> to tensor<33xf32>
  return
}

// -----

func.func @reshape_c1_type(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected a result of element type 'f32', got 'i32'}}
  %0 = coat.reshape %x : tensor<4x8xf32> to tensor<32xi32>
  return
}

// -----

func.func @reshape_c2(%x: tensor<?x8xf32>) {
  // expected-error@+1 {{expected 1 sizes, one a dynamic dimension of 'tensor<?xf32>', got 0}}
  %0 = coat.reshape %x : tensor<?x8xf32> to tensor<?xf32>
  return
}

// -----

func.func @broadcast_c1(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected an input that broadcasts to 2x8, got 4x8}}
  %0 = coat.broadcast %x : tensor<4x8xf32> to tensor<2x8xf32>
  return
}

// -----

func.func @broadcast_c1_rank(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected an input that broadcasts to 8, got 4x8}}
  %0 = coat.broadcast %x : tensor<4x8xf32> to tensor<8xf32>
  return
}

// -----

func.func @broadcast_c1_type(%x: tensor<1x8xf32>) {
  // expected-error@+1 {{expected a result of element type 'f32', got 'i32'}}
  %0 = coat.broadcast %x : tensor<1x8xf32> to tensor<2x8xi32>
  return
}

// -----

func.func @broadcast_c2(%x: tensor<1x8xf32>, %n: index) {
  // expected-error@+1 {{expected 0 sizes, one a dynamic dimension of 'tensor<2x8xf32>', got 1}}
  %0 = coat.broadcast %x sizes %n : tensor<1x8xf32> to tensor<2x8xf32>
  return
}

// -----

func.func @pad_c1(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected low of 2 entries, each at least 0, got [0, -1]}}
  %0 = coat.pad constant %x {low = array<i64: 0, -1>, high = array<i64: 0, 0>} : (tensor<4x8xf32>) -> tensor<4x7xf32>
  return
}

// -----

func.func @pad_c1_high(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected high of 2 entries, each at least 0, got [0]}}
  %0 = coat.pad constant %x {low = array<i64: 0, 0>, high = array<i64: 0>} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @pad_c2(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected reflected pads of less than the dimension's size 4, got 4 and 0}}
  %0 = coat.pad reflect %x {low = array<i64: 4, 0>, high = array<i64: 0, 0>} : (tensor<4x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @pad_c2_empty(%x: tensor<0x8xf32>) {
  // expected-error@+1 {{expected a non-empty dimension to pad in mode edge, got size 0}}
  %0 = coat.pad edge %x {low = array<i64: 1, 0>, high = array<i64: 0, 0>} : (tensor<0x8xf32>) -> tensor<1x8xf32>
  return
}

// -----

func.func @gather_c1(%x: tensor<4x8xf32>, %i: tensor<3xi64>) {
  // expected-error@+1 {{expected axis of at least 0 and less than rank 2, got 2}}
  %0 = coat.gather %x, %i {axis = 2} : (tensor<4x8xf32>, tensor<3xi64>) -> tensor<4x3xf32>
  return
}

// -----

func.func @gather_c2(%x: tensor<4x8xf32>, %i: tensor<3xi16>) {
  // expected-error@+1 {{expected indices of element type i32 or i64, got 'i16'}}
  %0 = coat.gather %x, %i {axis = 1} : (tensor<4x8xf32>, tensor<3xi16>) -> tensor<4x3xf32>
  return
}

// -----

func.func @gather_c3(%x: tensor<4x8xf32>, %i: tensor<5x3xi64>) {
  // expected-error@+1 {{expected indices of sizes up to 4x8 except along axis 1, got 5x3}}
  %0 = coat.gather %x, %i {axis = 1, elementwise} : (tensor<4x8xf32>, tensor<5x3xi64>) -> tensor<5x3xf32>
  return
}

// -----

func.func @prefix_c1(%x: tensor<3x8xi64>, %n: index) {
  // expected-error@+1 {{expected an input of rank 1 and element type 'i64', got 'tensor<3x8xi64>'}}
  %0 = coat.prefix %x sizes %n : tensor<3x8xi64> to tensor<?x3xi64>
  return
}

// -----

func.func @prefix_c2(%x: tensor<24xi64>) {
  // expected-error@+1 {{expected 1 sizes, one a dynamic dimension of 'tensor<?x3xi64>', got 0}}
  %0 = coat.prefix %x : tensor<24xi64> to tensor<?x3xi64>
  return
}
