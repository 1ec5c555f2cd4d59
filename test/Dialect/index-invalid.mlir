// What the verifiers of ops that pick or place by index or order refuse, a function a constraint.
// RUN: coat-opt %s -split-input-file -verify-diagnostics

func.func @scatter_elements_c1(%x: tensor<4x8xf32>, %i: tensor<4x3xi64>, %u: tensor<4x3xf32>) {
  // expected-error@+1 {{expected axis of at least 0 and less than rank 2, got 2}}
  %0 = coat.scatter_elements replace %x, %i, %u {axis = 2} : (tensor<4x8xf32>, tensor<4x3xi64>, tensor<4x3xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @scatter_elements_c2(%x: tensor<4x8xf32>, %i: tensor<4x2xi64>, %u: tensor<4x3xf32>) {
  // expected-error@+1 {{expected i32 or i64 indices of the shape of updates and rank 2, got 'tensor<4x2xi64>' and 'tensor<4x3xf32>'}}
  %0 = coat.scatter_elements replace %x, %i, %u {axis = 1} : (tensor<4x8xf32>, tensor<4x2xi64>, tensor<4x3xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @scatter_elements_c3(%x: tensor<4x8xi1>, %i: tensor<4x3xi64>, %u: tensor<4x3xi1>) {
  // expected-error@+1 {{expected one numeric element type, got 'i1' and 'i1'}}
  %0 = coat.scatter_elements add %x, %i, %u {axis = 1} : (tensor<4x8xi1>, tensor<4x3xi64>, tensor<4x3xi1>) -> tensor<4x8xi1>
  return
}

// -----

func.func @scatter_elements_c4(%x: tensor<4x8xf32>, %i: tensor<5x3xi64>, %u: tensor<5x3xf32>) {
  // expected-error@+1 {{expected updates of sizes up to 4x8 except along axis 1, got 5x3}}
  %0 = coat.scatter_elements replace %x, %i, %u {axis = 1} : (tensor<4x8xf32>, tensor<5x3xi64>, tensor<5x3xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @scatter_nd_c1(%x: tensor<8x4xf32>, %i: tensor<3x3xi64>, %u: tensor<3xf32>) {
  // expected-error@+1 {{expected i32 or i64 tuples of up to 2 indices, got 'tensor<3x3xi64>'}}
  %0 = coat.scatter_nd replace %x, %i, %u : (tensor<8x4xf32>, tensor<3x3xi64>, tensor<3xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @scatter_nd_c2(%x: tensor<8x4xf32>, %i: tensor<3x1xi64>, %u: tensor<3x5xf32>) {
  // expected-error@+1 {{expected updates of shape 3x4, got 3x5}}
  %0 = coat.scatter_nd replace %x, %i, %u : (tensor<8x4xf32>, tensor<3x1xi64>, tensor<3x5xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @scatter_nd_c3(%x: tensor<8x4xi1>, %i: tensor<3x1xi64>, %u: tensor<3x4xi1>) {
  // expected-error@+1 {{expected one numeric element type, got 'i1' and 'i1'}}
  %0 = coat.scatter_nd add %x, %i, %u : (tensor<8x4xi1>, tensor<3x1xi64>, tensor<3x4xi1>) -> tensor<8x4xi1>
  return
}

// -----

func.func @gather_nd_c1(%x: tensor<8x4xf32>, %i: tensor<8x2xi64>) {
  // expected-error@+1 {{expected i32 or i64 tuples of up to 1 indices, got 'tensor<8x2xi64>'}}
  %0 = coat.gather_nd %x, %i {batch_dims = 1} : (tensor<8x4xf32>, tensor<8x2xi64>) -> tensor<8xf32>
  return
}

// -----

func.func @gather_nd_c2(%x: tensor<8x4xf32>, %i: tensor<7x1xi64>) {
  // expected-error@+1 {{expected 1 leading dimensions that input and indices share, got 'tensor<8x4xf32>' and 'tensor<7x1xi64>'}}
  %0 = coat.gather_nd %x, %i {batch_dims = 1} : (tensor<8x4xf32>, tensor<7x1xi64>) -> tensor<7xf32>
  return
}

// -----

func.func @top_k_c1(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected axis of at least 0 and less than rank 2, got 2}}
  %v, %i = coat.top_k %x {axis = 2, k = 3} : (tensor<4x8xf32>) -> (tensor<4x3xf32>, tensor<4x3xi64>)
  return
}

// -----

func.func @top_k_c2(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected a k of 0 to 8, got 9}}
  %v, %i = coat.top_k %x {axis = 1, k = 9} : (tensor<4x8xf32>) -> (tensor<4x9xf32>, tensor<4x9xi64>)
  return
}

// -----

func.func @top_k_c3(%x: tensor<4x8xi1>) {
  // expected-error@+1 {{expected numeric elements, got 'i1'}}
  %v, %i = coat.top_k %x {axis = 1, k = 3} : (tensor<4x8xi1>) -> (tensor<4x3xi1>, tensor<4x3xi64>)
  return
}

// -----

func.func @reverse_sequence_c1(%x: tensor<4x8xf32>, %n: tensor<8xi64>) {
  // expected-error@+1 {{expected two dimensions for time and batch, got 1 for both}}
  %0 = coat.reverse_sequence %x, %n {time_axis = 1, batch_axis = 1} : (tensor<4x8xf32>, tensor<8xi64>) -> tensor<4x8xf32>
  return
}

// -----

func.func @reverse_sequence_c2(%x: tensor<4x8xf32>, %n: tensor<7xi64>) {
  // expected-error@+1 {{expected 8 lengths of i32 or i64, got 'tensor<7xi64>'}}
  %0 = coat.reverse_sequence %x, %n {time_axis = 0, batch_axis = 1} : (tensor<4x8xf32>, tensor<7xi64>) -> tensor<4x8xf32>
  return
}

// -----

func.func @cumulate_c1(%x: tensor<4xf32>, %a: tensor<2xi64>) {
  // expected-error@+1 {{expected one axis, got 'tensor<2xi64>'}}
  %0 = coat.cumulate %x, %a : (tensor<4xf32>, tensor<2xi64>) -> tensor<4xf32>
  return
}

// -----

func.func @cumulate_c2(%x: tensor<4xi1>, %a: tensor<i64>) {
  // expected-error@+1 {{expected numeric elements, got 'i1'}}
  %0 = coat.cumulate %x, %a : (tensor<4xi1>, tensor<i64>) -> tensor<4xi1>
  return
}

// -----

func.func @compress_c1(%x: tensor<3x4xf32>, %c: tensor<4xi1>) {
  // expected-error@+1 {{expected axis of at least 0 and less than rank 2, got 2}}
  %0:2 = coat.compress %x, %c {axis = 2} : (tensor<3x4xf32>, tensor<4xi1>) -> (tensor<12xf32>, tensor<i64>)
  return
}

// -----

func.func @compress_c2(%x: tensor<3x4xf32>, %c: tensor<4xi8>) {
  // expected-error@+1 {{expected a vector of truth values as condition, got 'tensor<4xi8>'}}
  %0:2 = coat.compress %x, %c {axis = 1} : (tensor<3x4xf32>, tensor<4xi8>) -> (tensor<12xf32>, tensor<i64>)
  return
}

// -----

func.func @unique_c1(%x: tensor<6xf32>) {
  // expected-error@+1 {{expected axis of at least 0 and less than rank 1, got 1}}
  %0:5 = coat.unique %x {axis = 1} : (tensor<6xf32>) -> (tensor<6xf32>, tensor<6xi64>, tensor<6xi64>, tensor<6xi64>, tensor<i64>)
  return
}

// -----

func.func @non_max_suppression_c1(%b: tensor<1x9x5xf32>, %s: tensor<1x2x9xf32>, %n: tensor<i64>, %o: tensor<f32>) {
  // expected-error@+1 {{expected boxes f32 [B, N, 4] and scores f32 [B, C, N], got 'tensor<1x9x5xf32>' and 'tensor<1x2x9xf32>'}}
  %0:2 = coat.non_max_suppression %b, %s, %n, %o, %o {limit = 4} : (tensor<1x9x5xf32>, tensor<1x2x9xf32>, tensor<i64>, tensor<f32>, tensor<f32>) -> (tensor<24xi64>, tensor<i64>)
  return
}

// -----

func.func @non_max_suppression_c2(%b: tensor<1x9x4xf32>, %s: tensor<1x2x9xf32>, %n: tensor<i32>, %o: tensor<f32>) {
  // expected-error@+1 {{expected one i64 and two f32 as limits, got 'tensor<i32>', 'tensor<f32>' and 'tensor<f32>'}}
  %0:2 = coat.non_max_suppression %b, %s, %n, %o, %o {limit = 4} : (tensor<1x9x4xf32>, tensor<1x2x9xf32>, tensor<i32>, tensor<f32>, tensor<f32>) -> (tensor<24xi64>, tensor<i64>)
  return
}

// -----

func.func @non_max_suppression_c3(%b: tensor<1x9x4xf32>, %s: tensor<1x2x9xf32>, %n: tensor<i64>, %o: tensor<f32>) {
  // expected-error@+1 {{expected a limit of at least 0, got -1}}
  %0:2 = coat.non_max_suppression %b, %s, %n, %o, %o {limit = -1} : (tensor<1x9x4xf32>, tensor<1x2x9xf32>, tensor<i64>, tensor<f32>, tensor<f32>) -> (tensor<?xi64>, tensor<i64>)
  return
}

// -----

func.func @matches_c1(%v: tensor<2xf32>) {
  // expected-error@+1 {{expected input to be a vector of i32 or i64 of static size, got 'tensor<2xf32>'}}
  %0 = coat.matches %v {choices = array<i64: 2, 3>} : (tensor<2xf32>) -> tensor<i1>
  return
}

// -----

func.func @matches_c2(%v: tensor<2xi64>) {
  // expected-error@+1 {{expected as many choices for each of 2 elements, got 3}}
  %0 = coat.matches %v {choices = array<i64: 2, 3, 4>} : (tensor<2xi64>) -> tensor<i1>
  return
}

// -----

func.func @names_axes_c1(%v: tensor<?xi64>) {
  // expected-error@+1 {{expected axes to be a vector of i32 or i64 of static size, got 'tensor<?xi64>'}}
  %0 = coat.names_axes %v {rank = 3, sets = array<i64: 1>} : (tensor<?xi64>) -> tensor<i1>
  return
}

// -----

func.func @names_axes_c2(%v: tensor<1xi64>) {
  // expected-error@+1 {{expected a rank of 0 to 62, got 63}}
  %0 = coat.names_axes %v {rank = 63, sets = array<i64: 1>} : (tensor<1xi64>) -> tensor<i1>
  return
}

// -----

func.func @slice_at_c1(%x: tensor<8xf32>, %v: tensor<1xi64>, %w: tensor<2xi64>) {
  // expected-error@+1 {{expected as many ends as starts, 1, got 2}}
  %0:2 = coat.slice_at %x, %v, %w, %v, %v {sizes = array<i64: 2>} : (tensor<8xf32>, tensor<1xi64>, tensor<2xi64>, tensor<1xi64>, tensor<1xi64>) -> (tensor<2xf32>, tensor<i1>)
  return
}

// -----

func.func @slice_at_c2(%x: tensor<8xf32>, %v: tensor<1xi64>) {
  // expected-error@+1 {{expected 1 sizes of at least 0, got 2x4}}
  %0:2 = coat.slice_at %x, %v, %v, %v, %v {sizes = array<i64: 2, 4>} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> (tensor<2x4xf32>, tensor<i1>)
  return
}

// -----

func.func @pad_at_c1(%x: tensor<8xf32>, %v: tensor<1xi64>, %z: tensor<f32>) {
  // expected-error@+1 {{expected 2 pads, got 1}}
  %0:2 = coat.pad_at constant %x, %v, %v, %z {sizes = array<i64: 9>} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<f32>) -> (tensor<9xf32>, tensor<i1>)
  return
}

// -----

func.func @pad_at_c2(%x: tensor<8xf32>, %v: tensor<2xi64>, %a: tensor<1xi64>, %z: tensor<f32>) {
  // expected-error@+1 {{expected 1 sizes of at least 0, got 9x1}}
  %0:2 = coat.pad_at constant %x, %v, %a, %z {sizes = array<i64: 9, 1>} : (tensor<8xf32>, tensor<2xi64>, tensor<1xi64>, tensor<f32>) -> (tensor<9x1xf32>, tensor<i1>)
  return
}

// -----

func.func @pad_at_c3(%x: tensor<8xf32>, %v: tensor<2xi64>, %a: tensor<1xi64>, %z: tensor<i64>) {
  // expected-error@+1 {{expected a value of one element of the input's type, got 'tensor<i64>'}}
  %0:2 = coat.pad_at constant %x, %v, %a, %z {sizes = array<i64: 9>} : (tensor<8xf32>, tensor<2xi64>, tensor<1xi64>, tensor<i64>) -> (tensor<9xf32>, tensor<i1>)
  return
}
