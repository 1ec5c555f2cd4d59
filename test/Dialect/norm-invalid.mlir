// What the verifiers of normalizations refuse, a function a constraint.
// RUN: coat-opt %s -split-input-file -verify-diagnostics

func.func @batch_norm_c1(%x: tensor<8xf32>, %c: tensor<8xf32>) {
  // expected-error@+1 {{expected an input of rank 2 or more, got 'tensor<8xf32>'}}
  %0 = coat.batch_norm %x, %c, %c, %c, %c {epsilon = 1.0e-5} : (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @batch_norm_c2(%x: tensor<1x8x4xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{expected scale of type 'tensor<8xf32>', got 'tensor<4xf32>'}}
  %0 = coat.batch_norm %x, %c, %c, %c, %c {epsilon = 1.0e-5} : (tensor<1x8x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x8x4xf32>
  return
}

// -----

func.func @batch_norm_c2_channels_last(%x: tensor<1x8x4xf32>, %c: tensor<8xf32>) {
  // expected-error@+1 {{expected scale of type 'tensor<4xf32>', got 'tensor<8xf32>'}}
  %0 = coat.batch_norm %x, %c, %c, %c, %c {epsilon = 1.0e-5, data_layout = #coat<layout channels_last>} : (tensor<1x8x4xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x8x4xf32>
  return
}

// -----

func.func @layer_norm_c1(%x: tensor<1x8x4xf32>, %s: tensor<4xf32>) {
  // expected-error@+1 {{expected axis of at least 0 and less than rank 3, got 3}}
  %0 = coat.layer_norm %x scale %s {axis = 3, epsilon = 1.0e-5} : (tensor<1x8x4xf32>, tensor<4xf32>) -> tensor<1x8x4xf32>
  return
}

// -----

func.func @layer_norm_c2(%x: tensor<1x8x4xf32>, %s: tensor<8xf32>) {
  // expected-error@+1 {{expected scale that broadcasts to 1x8x4, got 8}}
  %0 = coat.layer_norm %x scale %s {axis = 2, epsilon = 1.0e-5} : (tensor<1x8x4xf32>, tensor<8xf32>) -> tensor<1x8x4xf32>
  return
}

// -----

func.func @layer_norm_c2_bias(%x: tensor<1x8x4xf32>, %s: tensor<4xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{expected bias that broadcasts to 1x8x4, got 2}}
  %0 = coat.layer_norm %x scale %s bias %b {axis = 2, epsilon = 1.0e-5} : (tensor<1x8x4xf32>, tensor<4xf32>, tensor<2xf32>) -> tensor<1x8x4xf32>
  return
}

// -----

func.func @layer_norm_c2_type(%x: tensor<1x8x4xf32>, %s: tensor<4xf16>) {
  // expected-error@+1 {{expected operands of element type 'f32', got 'f16'}}
  %0 = coat.layer_norm %x scale %s {axis = 2, epsilon = 1.0e-5} : (tensor<1x8x4xf32>, tensor<4xf16>) -> tensor<1x8x4xf32>
  return
}

// -----

func.func @layer_norm_c3(%x: tensor<1x8x4xf32>, %s: tensor<4xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{expected no bias with rms, got 'tensor<4xf32>'}}
  %0 = coat.layer_norm %x scale %s bias %b {axis = 2, epsilon = 1.0e-5, rms} : (tensor<1x8x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x8x4xf32>
  return
}

// -----

func.func @group_norm_c1(%x: tensor<1x8xf32>, %c: tensor<8xf32>) {
  // expected-error@+1 {{expected an input of rank 3 or more, got 'tensor<1x8xf32>'}}
  %0 = coat.group_norm %x, %c, %c {groups = 2, epsilon = 1.0e-5} : (tensor<1x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x8xf32>
  return
}

// -----

func.func @group_norm_c2(%x: tensor<1x8x4xf32>, %c: tensor<8xf32>) {
  // expected-error@+1 {{expected a number of groups that divides 8 channels, got 3}}
  %0 = coat.group_norm %x, %c, %c {groups = 3, epsilon = 1.0e-5} : (tensor<1x8x4xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x8x4xf32>
  return
}

// -----

func.func @group_norm_c3(%x: tensor<1x8x4xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{expected scale of type 'tensor<8xf32>', got 'tensor<4xf32>'}}
  %0 = coat.group_norm %x, %c, %c {groups = 2, epsilon = 1.0e-5} : (tensor<1x8x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x8x4xf32>
  return
}

// -----

func.func @lrn_c1(%x: tensor<1x8xf32>) {
  // expected-error@+1 {{expected an input of rank 3 or more, got 'tensor<1x8xf32>'}}
  %0 = coat.lrn %x {size = 3, alpha = 1.0, beta = 1.0, k = 1.0} : (tensor<1x8xf32>) -> tensor<1x8xf32>
  return
}

// -----

func.func @lrn_c2(%x: tensor<1x8x4xf32>) {
  // expected-error@+1 {{expected a size of at least 1, got 0}}
  %0 = coat.lrn %x {size = 0, alpha = 1.0, beta = 1.0, k = 1.0} : (tensor<1x8x4xf32>) -> tensor<1x8x4xf32>
  return
}
