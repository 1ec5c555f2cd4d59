// RUN: coat-opt %s --coat-lower-entry --split-input-file --verify-diagnostics

func.func @net(%x: memref<8xf32>) attributes {coat.entry} {
  // expected-error@+1 {{expected an offset, set by the Memory stage}}
  %w = coat.weight dense<1.0> : tensor<8xf32> : memref<8xf32>
  return
}

// -----

func.func @net(%x: memref<8xf32>) attributes {coat.entry} {
  // expected-error@+1 {{expected the Memory stage to have placed every buffer}}
  %t = memref.alloc() : memref<8xf32>
  return
}

// -----

func.func @net(%x: memref<8xf32>) attributes {coat.entry} {
  // expected-error@+1 {{expected a kernel that went through coat-lower-tasks}}
  coat.launch @k() outs(%x) : (memref<8xf32>) -> ()
  return
}
func.func private @k(%x: memref<8xf32>) attributes {coat.kernel} {
  return
}

// -----

// expected-error@+1 {{expected row-major memref arguments}}
func.func @net(%x: memref<8x8xf32, strided<[1, 8]>>) attributes {coat.entry} {
  return
}
