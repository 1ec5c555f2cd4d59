// What the verifiers of the launch list refuse, a function a constraint.
// RUN: coat-opt %s -split-input-file -verify-diagnostics

func.func private @add(memref<4xf32>, memref<4xf32>)
func.func @launch_c1(%x: memref<4xf32>) {
  // expected-error@+1 {{expected a function with attribute 'coat.kernel', got @add}}
  coat.launch @add(%x) outs(%x) : (memref<4xf32>, memref<4xf32>) -> ()
  return
}

// -----

func.func @launch_c1_missing(%x: memref<4xf32>) {
  // expected-error@+1 {{expected a function with attribute 'coat.kernel', got @nowhere}}
  coat.launch @nowhere(%x) outs(%x) : (memref<4xf32>, memref<4xf32>) -> ()
  return
}

// -----

func.func private @add(memref<4xf32>, memref<8xf32>) attributes {coat.kernel}
func.func @launch_c2(%x: memref<4xf32>) {
  // expected-error@+1 {{expected operands of types ('memref<4xf32>', 'memref<8xf32>') as @add takes them, got ('memref<4xf32>', 'memref<4xf32>')}}
  coat.launch @add(%x) outs(%x) : (memref<4xf32>, memref<4xf32>) -> ()
  return
}

// -----

func.func @require_c1(%x: tensor<1xi1>) {
  // expected-error@+1 {{expected a condition of rank 0 and element type i1, got 'tensor<1xi1>'}}
  coat.require %x {message = "expected another"} : tensor<1xi1>
  return
}
