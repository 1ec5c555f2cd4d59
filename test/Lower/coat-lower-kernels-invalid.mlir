// RUN: coat-opt %s --coat-lower-kernels --split-input-file --verify-diagnostics

// expected-error@+1 {{expected a kernel that went through coat-lower-tasks}}
func.func private @k(%x: memref<8xf32>) attributes {coat.kernel} {
  return
}

// -----

// expected-error@+1 {{expected memref arguments, got 'f32'}}
func.func private @k(%x: f32, %task: index) attributes {coat.kernel, coat.tasks = 1 : i64} {
  return
}

// -----

func.func private @k(%x: memref<8xf32>, %task: index) attributes {coat.kernel, coat.tasks = 1 : i64} {
  // expected-error@+1 {{expected the Memory stage to have placed every buffer of a kernel in the scratch}}
  %t = memref.alloc() : memref<8xf32>
  return
}
