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
