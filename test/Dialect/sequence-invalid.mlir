// What the verifiers of ops around attention refuse, a function a constraint.
// RUN: coat-opt %s -split-input-file -verify-diagnostics

func.func @visible_keys_c1(%q: tensor<8x4x16xf32>, %k: tensor<2x2x9x16xf32>) {
  // expected-error@+1 {{expected query and keys of rank 4, got 'tensor<8x4x16xf32>'}}
  %0 = coat.visible_keys %q, %k : (tensor<8x4x16xf32>, tensor<2x2x9x16xf32>) -> tensor<1x1x4x9xi1>
  return
}

// -----

func.func @visible_keys_c2(%q: tensor<2x8x4x16xf32>, %k: tensor<2x2x9x16xf32>, %n: tensor<3xi64>) {
  // expected-error@+1 {{expected lengths of 2 elements of i32 or i64, got 'tensor<3xi64>'}}
  %0 = coat.visible_keys %q, %k lengths %n : (tensor<2x8x4x16xf32>, tensor<2x2x9x16xf32>, tensor<3xi64>) -> tensor<2x1x4x9xi1>
  return
}

// -----

func.func @visible_keys_c2_past(%q: tensor<2x8x4x16xf32>, %k: tensor<2x2x9x16xf32>, %n: tensor<2xi64>) {
  // expected-error@+1 {{expected lengths or past_key, got both}}
  %0 = coat.visible_keys %q, %k past %k lengths %n : (tensor<2x8x4x16xf32>, tensor<2x2x9x16xf32>, tensor<2x2x9x16xf32>, tensor<2xi64>) -> tensor<2x1x4x18xi1>
  return
}

// -----

func.func @visible_keys_c3(%q: tensor<2x8x4x16xf32>, %k: tensor<2x2x9x16xf32>) {
  // expected-error@+1 {{expected windows of at least -1, got -2}}
  %0 = coat.visible_keys %q, %k {left_window = -2} : (tensor<2x8x4x16xf32>, tensor<2x2x9x16xf32>) -> tensor<1x1x4x9xi1>
  return
}

// -----

func.func @best_keys_c1(%s: tensor<4x9xi32>) {
  // expected-error@+1 {{expected a floating-point element type, got 'i32'}}
  %0 = coat.best_keys %s {top_k = 1} : (tensor<4x9xi32>) -> tensor<4x9xi32>
  return
}

// -----

func.func @best_keys_c1_rank(%s: tensor<f32>) {
  // expected-error@+1 {{expected scores of rank 1 or more, got 'tensor<f32>'}}
  %0 = coat.best_keys %s {top_k = 1} : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @best_keys_c2(%s: tensor<4x9xf32>) {
  // expected-error@+1 {{expected top_k of at least 1, got 0}}
  %0 = coat.best_keys %s {top_k = 0} : (tensor<4x9xf32>) -> tensor<4x9xf32>
  return
}

// -----

func.func @cache_write_c1(%c: tensor<2x8xf32>, %u: tensor<1x8xf32>) {
  // expected-error@+1 {{expected an axis other than that of batches, got 0}}
  %0 = coat.cache_write %c, %u {axis = 0} : (tensor<2x8xf32>, tensor<1x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @cache_write_c2(%c: tensor<2x8xf32>, %u: tensor<2x9xf32>) {
  // expected-error@+1 {{expected an update for 'tensor<2x8xf32>' that may be shorter along axis 1, got 'tensor<2x9xf32>'}}
  %0 = coat.cache_write %c, %u {axis = 1} : (tensor<2x8xf32>, tensor<2x9xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @cache_write_c3(%c: tensor<2x8xf32>, %u: tensor<2x1xf32>, %i: tensor<2xf32>) {
  // expected-error@+1 {{expected positions of 2 elements of i32 or i64, got 'tensor<2xf32>'}}
  %0 = coat.cache_write %c, %u at %i {axis = 1} : (tensor<2x8xf32>, tensor<2x1xf32>, tensor<2xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @linear_attention_c1(%q: tensor<1x3x8xf32>, %k: tensor<1x4x8xf32>) {
  // expected-error@+1 {{expected query, key and value of rank 3, one batch size and one length, got 'tensor<1x3x8xf32>', 'tensor<1x4x8xf32>' and 'tensor<1x4x8xf32>'}}
  %0:2 = coat.linear_attention %q, %k, %k {q_heads = 2, kv_heads = 2, scale = 0.5} : (tensor<1x3x8xf32>, tensor<1x4x8xf32>, tensor<1x4x8xf32>) -> (tensor<1x3x8xf32>, tensor<1x2x4x4xf32>)
  return
}

// -----

func.func @linear_attention_c2(%q: tensor<1x3x8xf32>) {
  // expected-error@+1 {{expected a number of key heads that divides 2, got 4}}
  %0:2 = coat.linear_attention %q, %q, %q {q_heads = 2, kv_heads = 4, scale = 0.5} : (tensor<1x3x8xf32>, tensor<1x3x8xf32>, tensor<1x3x8xf32>) -> (tensor<1x3x8xf32>, tensor<1x4x2x2xf32>)
  return
}

// -----

func.func @linear_attention_c2_size(%q: tensor<1x3x8xf32>) {
  // expected-error@+1 {{expected 4 query and 2 key heads of one size, got}}
  %0:2 = coat.linear_attention %q, %q, %q {q_heads = 4, kv_heads = 2, scale = 0.5} : (tensor<1x3x8xf32>, tensor<1x3x8xf32>, tensor<1x3x8xf32>) -> (tensor<1x3x16xf32>, tensor<1x2x4x4xf32>)
  return
}

// -----

func.func @linear_attention_c3(%q: tensor<1x3x8xf32>, %p: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{expected a past_state of 1x2x4x4, got 'tensor<1x2x3x4xf32>'}}
  %0:2 = coat.linear_attention %q, %q, %q past %p {q_heads = 2, kv_heads = 2, scale = 0.5} : (tensor<1x3x8xf32>, tensor<1x3x8xf32>, tensor<1x3x8xf32>, tensor<1x2x3x4xf32>) -> (tensor<1x3x8xf32>, tensor<1x2x4x4xf32>)
  return
}

// -----

func.func @linear_attention_c4(%q: tensor<1x3x8xf32>, %g: tensor<1x3x3xf32>) {
  // expected-error@+1 {{expected a decay of 2 or 8 elements a step, got 'tensor<1x3x3xf32>'}}
  %0:2 = coat.linear_attention %q, %q, %q decay %g {q_heads = 2, kv_heads = 2, scale = 0.5} : (tensor<1x3x8xf32>, tensor<1x3x8xf32>, tensor<1x3x8xf32>, tensor<1x3x3xf32>) -> (tensor<1x3x8xf32>, tensor<1x2x4x4xf32>)
  return
}

// -----

func.func @linear_attention_c5(%q: tensor<1x3x8xf32>, %b: tensor<1x3x2xf16>) {
  // expected-error@+1 {{expected operands of element type 'f32', got 'f16'}}
  %0:2 = coat.linear_attention %q, %q, %q beta %b {q_heads = 2, kv_heads = 2, scale = 0.5} : (tensor<1x3x8xf32>, tensor<1x3x8xf32>, tensor<1x3x8xf32>, tensor<1x3x2xf16>) -> (tensor<1x3x8xf32>, tensor<1x2x4x4xf32>)
  return
}
