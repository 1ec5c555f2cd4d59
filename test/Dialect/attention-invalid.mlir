// What the verifiers of attention and softmax refuse, a function a constraint.
// RUN: coat-opt %s -split-input-file -verify-diagnostics

func.func @attention_c1(%q: tensor<4x8x16xf32>, %k: tensor<1x4x8x16xf32>, %v: tensor<1x4x8x16xf32>) {
  // expected-error@+1 {{expected query, key and value of rank 4 and one batch size, got 'tensor<4x8x16xf32>', 'tensor<1x4x8x16xf32>' and 'tensor<1x4x8x16xf32>'}}
  %0 = coat.attention %q, %k, %v {scale = 1.0} : (tensor<4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>) -> tensor<4x8x16xf32>
  return
}

// -----

func.func @attention_c1_batch(%q: tensor<1x4x8x16xf32>, %k: tensor<2x4x8x16xf32>, %v: tensor<2x4x8x16xf32>) {
  // expected-error@+1 {{expected query, key and value of rank 4 and one batch size, got 'tensor<1x4x8x16xf32>', 'tensor<2x4x8x16xf32>' and 'tensor<2x4x8x16xf32>'}}
  %0 = coat.attention %q, %k, %v {scale = 1.0} : (tensor<1x4x8x16xf32>, tensor<2x4x8x16xf32>, tensor<2x4x8x16xf32>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @attention_c2(%q: tensor<1x4x8x16xf32>, %k: tensor<1x4x8x16xf32>, %v: tensor<1x4x9x16xf32>) {
  // expected-error@+1 {{expected key and value of the same heads and length, got 'tensor<1x4x8x16xf32>' and 'tensor<1x4x9x16xf32>'}}
  %0 = coat.attention %q, %k, %v {scale = 1.0} : (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x9x16xf32>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @attention_c2_depth(%q: tensor<1x4x8x16xf32>, %k: tensor<1x4x8x12xf32>, %v: tensor<1x4x8x16xf32>) {
  // expected-error@+1 {{expected a key of head size 16, got 'tensor<1x4x8x12xf32>'}}
  %0 = coat.attention %q, %k, %v {scale = 1.0} : (tensor<1x4x8x16xf32>, tensor<1x4x8x12xf32>, tensor<1x4x8x16xf32>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @attention_c3(%q: tensor<1x4x8x16xf32>, %k: tensor<1x3x8x16xf32>, %v: tensor<1x3x8x16xf32>) {
  // expected-error@+1 {{expected a number of key heads that divides 4, got 3}}
  %0 = coat.attention %q, %k, %v {scale = 1.0} : (tensor<1x4x8x16xf32>, tensor<1x3x8x16xf32>, tensor<1x3x8x16xf32>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @attention_c4(%q: tensor<1x4x8x16xf32>, %k: tensor<1x4x8x16xf32>, %v: tensor<1x4x8x16xf32>, %m: tensor<8x7xi1>) {
  // expected-error@+1 {{expected a mask that broadcasts to 1x4x8x8, got 8x7}}
  %0 = coat.attention %q, %k, %v mask %m {scale = 1.0} : (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<8x7xi1>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @attention_c4_type(%q: tensor<1x4x8x16xf32>, %k: tensor<1x4x8x16xf32>, %v: tensor<1x4x8x16xf32>, %m: tensor<8x8xi32>) {
  // expected-error@+1 {{expected a mask of element type i1 or 'f32', got 'i32'}}
  %0 = coat.attention %q, %k, %v mask %m {scale = 1.0} : (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<8x8xi32>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @attention_c5(%q: tensor<1x4x8x16xf32>, %k: tensor<1x4x8x16xf32>, %v: tensor<1x4x8x16xf32>, %pk: tensor<1x4x8x16xf32>, %pv: tensor<1x4x8x16xf32>) {
  // expected-error@+1 {{expected past_key, past_value and with_present together, got only some of them}}
  %0 = coat.attention %q, %k, %v past %pk, %pv {scale = 1.0} : (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @attention_c5_shape(%q: tensor<1x4x8x16xf32>, %k: tensor<1x4x8x16xf32>, %v: tensor<1x4x8x16xf32>, %pk: tensor<1x4x8x12xf32>, %pv: tensor<1x4x8x16xf32>) {
  // expected-error@+1 {{expected a past that continues 'tensor<1x4x8x16xf32>', got 'tensor<1x4x8x12xf32>'}}
  %0:3 = coat.attention %q, %k, %v past %pk, %pv {scale = 1.0, with_present} : (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x12xf32>, tensor<1x4x8x16xf32>) -> (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>)
  return
}

// -----

func.func @attention_c5_length(%q: tensor<1x4x8x16xf32>, %k: tensor<1x4x8x16xf32>, %v: tensor<1x4x8x16xf32>, %pk: tensor<1x4x8x16xf32>, %pv: tensor<1x4x9x16xf32>) {
  // expected-error@+1 {{expected a past of 8 values, as there are keys, got 9}}
  %0:3 = coat.attention %q, %k, %v past %pk, %pv {scale = 1.0, with_present} : (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x9x16xf32>) -> (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>)
  return
}

// -----

func.func @attention_c6(%q: tensor<1x4x8x16xf32>, %k: tensor<1x4x8x16xf32>, %v: tensor<1x4x8x16xf32>) {
  // expected-error@+1 {{expected a softcap of at least 0, got -1.000000e+00}}
  %0 = coat.attention %q, %k, %v {scale = 1.0, softcap = -1.0} : (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @attention_c6_scale(%q: tensor<1x4x8x16xf32>, %k: tensor<1x4x8x16xf32>, %v: tensor<1x4x8x16xf32>) {
  // expected-error@+1 {{expected a finite scale, got INF}}
  %0 = coat.attention %q, %k, %v {scale = 0x7FF0000000000000 : f64} : (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @attention_c7(%q: tensor<1x4x8x16xf32>, %k: tensor<1x4x8x16xf32>, %v: tensor<1x4x8x16xf16>) {
  // expected-error@+1 {{expected operands of element type 'f32', got 'f16'}}
  %0 = coat.attention %q, %k, %v {scale = 1.0} : (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf16>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @attention_c7_integer(%q: tensor<1x4x8x16xi32>, %k: tensor<1x4x8x16xi32>, %v: tensor<1x4x8x16xi32>) {
  // expected-error@+1 {{expected a floating-point element type, got 'i32'}}
  %0 = coat.attention %q, %k, %v {scale = 1.0} : (tensor<1x4x8x16xi32>, tensor<1x4x8x16xi32>, tensor<1x4x8x16xi32>) -> tensor<1x4x8x16xi32>
  return
}

// -----

func.func @attention_c8(%q: tensor<1x4x8x16xf32>, %n: tensor<2xi64>) {
  // expected-error@+1 {{expected lengths of 1 elements of i32 or i64, got 'tensor<2xi64>'}}
  %0 = coat.attention %q, %q, %q lengths %n {scale = 1.0} : (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<2xi64>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @attention_c8_past(%q: tensor<1x4x8x16xf32>, %n: tensor<1xi64>) {
  // expected-error@+1 {{expected lengths or past_key, got both}}
  %0:3 = coat.attention %q, %q, %q past %q, %q lengths %n {scale = 1.0, with_present} : (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1xi64>) -> (tensor<1x4x8x16xf32>, tensor<1x4x16x16xf32>, tensor<1x4x16x16xf32>)
  return
}

// -----

func.func @attention_c9(%q: tensor<1x4x8x16xf32>) {
  // expected-error@+1 {{expected windows of at least -1, got -2}}
  %0 = coat.attention %q, %q, %q {scale = 1.0, right_window = -2} : (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @attention_c9_top_k(%q: tensor<1x4x8x16xf32>) {
  // expected-error@+1 {{expected top_k of at least 0, got -1}}
  %0 = coat.attention %q, %q, %q {scale = 1.0, top_k = -1} : (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @attention_c9_type(%q: tensor<1x4x8x16xf32>) {
  // expected-error@+1 {{expected a floating-point softmax_type, got 'i32'}}
  %0 = coat.attention %q, %q, %q {scale = 1.0, softmax_type = i32} : (tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @softmax_c1(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected axis of at least 0 and less than rank 2, got 2}}
  %0 = coat.softmax %x {axis = 2} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @softmax_c1_negative(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected axis of at least 0 and less than rank 2, got -1}}
  %0 = coat.softmax %x {axis = -1} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @softmax_c2(%x: tensor<4x8xi32>) {
  // expected-error@+1 {{expected a floating-point element type, got 'i32'}}
  %0 = coat.softmax %x {axis = 1} : (tensor<4x8xi32>) -> tensor<4x8xi32>
  return
}
