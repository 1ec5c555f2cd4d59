// What the verifiers of recurrences refuse, a function a constraint.
// RUN: coat-opt %s -split-input-file -verify-diagnostics

func.func @rnn_c1_rank(%x: tensor<5x4xf32>, %r: tensor<1x4x4xf32>) {
  // expected-error@+1 {{expected input and weights of rank 3 with a static number of units, got 'tensor<5x4xf32>' and 'tensor<1x4x4xf32>'}}
  %y, %h = coat.rnn(%x, %r) {direction = #coat<direction forward>, activations = ["sigmoid"], alpha = array<f64: 0.0>, beta = array<f64: 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<5x4xf32>, tensor<1x4x4xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @rnn_c1_sizes(%x: tensor<5x2x4xf32>, %r: tensor<1x4x5xf32>) {
  // expected-error@+1 {{expected weights of shape 1x4x4, got 1x4x5}}
  %y, %h = coat.rnn(%x, %r) {direction = #coat<direction forward>, activations = ["sigmoid"], alpha = array<f64: 0.0>, beta = array<f64: 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<5x2x4xf32>, tensor<1x4x5xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @rnn_c2(%x: tensor<5x2x4xf32>, %r: tensor<1x4x4xf32>, %o0: tensor<1x3x4xf32>) {
  // expected-error@+1 {{expected initial of shape 1x2x4, got 1x3x4}}
  %y, %h = coat.rnn(%x, %r, %o0) {direction = #coat<direction forward>, activations = ["sigmoid"], alpha = array<f64: 0.0>, beta = array<f64: 0.0>, operandSegmentSizes = array<i32: 1, 1, 1, 0>} : (tensor<5x2x4xf32>, tensor<1x4x4xf32>, tensor<1x3x4xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @rnn_c3(%x: tensor<5x2x4xf32>, %r: tensor<1x4x4xf32>, %o0: tensor<2xi8>) {
  // expected-error@+1 {{expected lengths of element type i32 or i64, got 'i8'}}
  %y, %h = coat.rnn(%x, %r, %o0) {direction = #coat<direction forward>, activations = ["sigmoid"], alpha = array<f64: 0.0>, beta = array<f64: 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<5x2x4xf32>, tensor<1x4x4xf32>, tensor<2xi8>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @rnn_c4(%x: tensor<5x2x4xi32>, %r: tensor<1x4x4xi32>) {
  // expected-error@+1 {{expected a floating-point element type, got 'i32'}}
  %y, %h = coat.rnn(%x, %r) {direction = #coat<direction forward>, activations = ["sigmoid"], alpha = array<f64: 0.0>, beta = array<f64: 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<5x2x4xi32>, tensor<1x4x4xi32>) -> (tensor<5x1x2x4xi32>, tensor<1x2x4xi32>)
  return
}

// -----

func.func @rnn_c5_count(%x: tensor<5x2x4xf32>, %r: tensor<1x4x4xf32>) {
  // expected-error@+1 {{expected 1 activations, alphas and betas, got 2, 2 and 2}}
  %y, %h = coat.rnn(%x, %r) {direction = #coat<direction forward>, activations = ["tanh", "tanh"], alpha = array<f64: 0.0, 0.0>, beta = array<f64: 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<5x2x4xf32>, tensor<1x4x4xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @rnn_c5_name(%x: tensor<5x2x4xf32>, %r: tensor<1x4x4xf32>) {
  // expected-error@+1 {{expected an activation of recurrences, got "sine"}}
  %y, %h = coat.rnn(%x, %r) {direction = #coat<direction forward>, activations = ["sine"], alpha = array<f64: 0.0>, beta = array<f64: 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<5x2x4xf32>, tensor<1x4x4xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @rnn_c6(%x: tensor<5x2x4xf32>, %r: tensor<1x4x4xf32>) {
  // expected-error@+1 {{expected a clip of at least 0, got -1}}
  %y, %h = coat.rnn(%x, %r) {direction = #coat<direction forward>, activations = ["sigmoid"], alpha = array<f64: 0.0>, beta = array<f64: 0.0>, clip = -1.0 : f64, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<5x2x4xf32>, tensor<1x4x4xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @gru_c1_rank(%x: tensor<5x12xf32>, %r: tensor<1x4x12xf32>) {
  // expected-error@+1 {{expected input and weights of rank 3 with a static number of units, got 'tensor<5x12xf32>' and 'tensor<1x4x12xf32>'}}
  %y, %h = coat.gru(%x, %r) {direction = #coat<direction forward>, activations = ["sigmoid", "sigmoid"], alpha = array<f64: 0.0, 0.0>, beta = array<f64: 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>} : (tensor<5x12xf32>, tensor<1x4x12xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @gru_c1_sizes(%x: tensor<5x2x12xf32>, %r: tensor<1x4x13xf32>) {
  // expected-error@+1 {{expected weights of shape 1x4x12, got 1x4x13}}
  %y, %h = coat.gru(%x, %r) {direction = #coat<direction forward>, activations = ["sigmoid", "sigmoid"], alpha = array<f64: 0.0, 0.0>, beta = array<f64: 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>} : (tensor<5x2x12xf32>, tensor<1x4x13xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @gru_c2(%x: tensor<5x2x12xf32>, %r: tensor<1x4x12xf32>, %o0: tensor<1x3x4xf32>) {
  // expected-error@+1 {{expected initial of shape 1x2x4, got 1x3x4}}
  %y, %h = coat.gru(%x, %r, %o0) {direction = #coat<direction forward>, activations = ["sigmoid", "sigmoid"], alpha = array<f64: 0.0, 0.0>, beta = array<f64: 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 1, 0>} : (tensor<5x2x12xf32>, tensor<1x4x12xf32>, tensor<1x3x4xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @gru_c2_bias(%x: tensor<5x2x12xf32>, %r: tensor<1x4x12xf32>, %o0: tensor<1x4xf32>) {
  // expected-error@+1 {{expected no bias without linear_before_reset, got 'tensor<1x4xf32>'}}
  %y, %h = coat.gru(%x, %r, %o0) {direction = #coat<direction forward>, activations = ["sigmoid", "sigmoid"], alpha = array<f64: 0.0, 0.0>, beta = array<f64: 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>} : (tensor<5x2x12xf32>, tensor<1x4x12xf32>, tensor<1x4xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @gru_c3(%x: tensor<5x2x12xf32>, %r: tensor<1x4x12xf32>, %o0: tensor<2xi8>) {
  // expected-error@+1 {{expected lengths of element type i32 or i64, got 'i8'}}
  %y, %h = coat.gru(%x, %r, %o0) {direction = #coat<direction forward>, activations = ["sigmoid", "sigmoid"], alpha = array<f64: 0.0, 0.0>, beta = array<f64: 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 1>} : (tensor<5x2x12xf32>, tensor<1x4x12xf32>, tensor<2xi8>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @gru_c4(%x: tensor<5x2x12xi32>, %r: tensor<1x4x12xi32>) {
  // expected-error@+1 {{expected a floating-point element type, got 'i32'}}
  %y, %h = coat.gru(%x, %r) {direction = #coat<direction forward>, activations = ["sigmoid", "sigmoid"], alpha = array<f64: 0.0, 0.0>, beta = array<f64: 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>} : (tensor<5x2x12xi32>, tensor<1x4x12xi32>) -> (tensor<5x1x2x4xi32>, tensor<1x2x4xi32>)
  return
}

// -----

func.func @gru_c5_count(%x: tensor<5x2x12xf32>, %r: tensor<1x4x12xf32>) {
  // expected-error@+1 {{expected 2 activations, alphas and betas, got 3, 3 and 3}}
  %y, %h = coat.gru(%x, %r) {direction = #coat<direction forward>, activations = ["tanh", "tanh", "tanh"], alpha = array<f64: 0.0, 0.0, 0.0>, beta = array<f64: 0.0, 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>} : (tensor<5x2x12xf32>, tensor<1x4x12xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @gru_c5_name(%x: tensor<5x2x12xf32>, %r: tensor<1x4x12xf32>) {
  // expected-error@+1 {{expected an activation of recurrences, got "sine"}}
  %y, %h = coat.gru(%x, %r) {direction = #coat<direction forward>, activations = ["sine", "sine"], alpha = array<f64: 0.0, 0.0>, beta = array<f64: 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>} : (tensor<5x2x12xf32>, tensor<1x4x12xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @gru_c6(%x: tensor<5x2x12xf32>, %r: tensor<1x4x12xf32>) {
  // expected-error@+1 {{expected a clip of at least 0, got -1}}
  %y, %h = coat.gru(%x, %r) {direction = #coat<direction forward>, activations = ["sigmoid", "sigmoid"], alpha = array<f64: 0.0, 0.0>, beta = array<f64: 0.0, 0.0>, clip = -1.0 : f64, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>} : (tensor<5x2x12xf32>, tensor<1x4x12xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @lstm_c1_rank(%x: tensor<5x16xf32>, %r: tensor<1x4x16xf32>) {
  // expected-error@+1 {{expected input and weights of rank 3 with a static number of units, got 'tensor<5x16xf32>' and 'tensor<1x4x16xf32>'}}
  %y, %h, %c = coat.lstm(%x, %r) {direction = #coat<direction forward>, activations = ["sigmoid", "sigmoid", "sigmoid"], alpha = array<f64: 0.0, 0.0, 0.0>, beta = array<f64: 0.0, 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0>} : (tensor<5x16xf32>, tensor<1x4x16xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @lstm_c1_sizes(%x: tensor<5x2x16xf32>, %r: tensor<1x4x17xf32>) {
  // expected-error@+1 {{expected weights of shape 1x4x16, got 1x4x17}}
  %y, %h, %c = coat.lstm(%x, %r) {direction = #coat<direction forward>, activations = ["sigmoid", "sigmoid", "sigmoid"], alpha = array<f64: 0.0, 0.0, 0.0>, beta = array<f64: 0.0, 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0>} : (tensor<5x2x16xf32>, tensor<1x4x17xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @lstm_c2(%x: tensor<5x2x16xf32>, %r: tensor<1x4x16xf32>, %o0: tensor<1x3x4xf32>) {
  // expected-error@+1 {{expected initial of shape 1x2x4, got 1x3x4}}
  %y, %h, %c = coat.lstm(%x, %r, %o0) {direction = #coat<direction forward>, activations = ["sigmoid", "sigmoid", "sigmoid"], alpha = array<f64: 0.0, 0.0, 0.0>, beta = array<f64: 0.0, 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>} : (tensor<5x2x16xf32>, tensor<1x4x16xf32>, tensor<1x3x4xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @lstm_c2_peepholes(%x: tensor<5x2x16xf32>, %r: tensor<1x4x16xf32>, %o0: tensor<1x4xf32>) {
  // expected-error@+1 {{expected peepholes of shape 1x12, got 1x4}}
  %y, %h, %c = coat.lstm(%x, %r, %o0) {direction = #coat<direction forward>, activations = ["sigmoid", "sigmoid", "sigmoid"], alpha = array<f64: 0.0, 0.0, 0.0>, beta = array<f64: 0.0, 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 1, 0>} : (tensor<5x2x16xf32>, tensor<1x4x16xf32>, tensor<1x4xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @lstm_c3(%x: tensor<5x2x16xf32>, %r: tensor<1x4x16xf32>, %o0: tensor<2xi8>) {
  // expected-error@+1 {{expected lengths of element type i32 or i64, got 'i8'}}
  %y, %h, %c = coat.lstm(%x, %r, %o0) {direction = #coat<direction forward>, activations = ["sigmoid", "sigmoid", "sigmoid"], alpha = array<f64: 0.0, 0.0, 0.0>, beta = array<f64: 0.0, 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 1>} : (tensor<5x2x16xf32>, tensor<1x4x16xf32>, tensor<2xi8>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @lstm_c4(%x: tensor<5x2x16xi32>, %r: tensor<1x4x16xi32>) {
  // expected-error@+1 {{expected a floating-point element type, got 'i32'}}
  %y, %h, %c = coat.lstm(%x, %r) {direction = #coat<direction forward>, activations = ["sigmoid", "sigmoid", "sigmoid"], alpha = array<f64: 0.0, 0.0, 0.0>, beta = array<f64: 0.0, 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0>} : (tensor<5x2x16xi32>, tensor<1x4x16xi32>) -> (tensor<5x1x2x4xi32>, tensor<1x2x4xi32>, tensor<1x2x4xi32>)
  return
}

// -----

func.func @lstm_c5_count(%x: tensor<5x2x16xf32>, %r: tensor<1x4x16xf32>) {
  // expected-error@+1 {{expected 3 activations, alphas and betas, got 4, 4 and 4}}
  %y, %h, %c = coat.lstm(%x, %r) {direction = #coat<direction forward>, activations = ["tanh", "tanh", "tanh", "tanh"], alpha = array<f64: 0.0, 0.0, 0.0, 0.0>, beta = array<f64: 0.0, 0.0, 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0>} : (tensor<5x2x16xf32>, tensor<1x4x16xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @lstm_c5_name(%x: tensor<5x2x16xf32>, %r: tensor<1x4x16xf32>) {
  // expected-error@+1 {{expected an activation of recurrences, got "sine"}}
  %y, %h, %c = coat.lstm(%x, %r) {direction = #coat<direction forward>, activations = ["sine", "sine", "sine"], alpha = array<f64: 0.0, 0.0, 0.0>, beta = array<f64: 0.0, 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0>} : (tensor<5x2x16xf32>, tensor<1x4x16xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @lstm_c6(%x: tensor<5x2x16xf32>, %r: tensor<1x4x16xf32>) {
  // expected-error@+1 {{expected a clip of at least 0, got -1}}
  %y, %h, %c = coat.lstm(%x, %r) {direction = #coat<direction forward>, activations = ["sigmoid", "sigmoid", "sigmoid"], alpha = array<f64: 0.0, 0.0, 0.0>, beta = array<f64: 0.0, 0.0, 0.0>, clip = -1.0 : f64, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0>} : (tensor<5x2x16xf32>, tensor<1x4x16xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}
