// RUN: coat-opt %s --coat-check-kernels --split-input-file --verify-diagnostics

func.func private @tensor(%a: memref<4xf32>) attributes {coat.kernel} {
  // expected-error@+1 {{expected a kernel without tensors, got bufferization.to_tensor}}
  %0 = bufferization.to_tensor %a restrict : memref<4xf32> to tensor<4xf32>
  return
}

// -----

func.func private @linalg(%a: memref<4xf32>, %x: f32) attributes {coat.kernel} {
  // expected-error@+1 {{expected a kernel of loops and vectors, got linalg.fill}}
  linalg.fill ins(%x : f32) outs(%a : memref<4xf32>)
  return
}

// -----

func.func private @shared(%x: f32) attributes {coat.kernel} {
  // expected-error@+1 {{expected buffers inside the tasks of a kernel only}}
  %a = memref.alloc() : memref<4xf32>
  scf.forall (%i) in (4) {
    memref.store %x, %a[%i] : memref<4xf32>
  }
  return
}

// -----

// Scratch of a task, and functions that are no kernels, are fine.
func.func private @scratch(%x: f32) attributes {coat.kernel} {
  scf.forall (%i) in (4) {
    %a = memref.alloc() : memref<4xf32>
    memref.store %x, %a[%i] : memref<4xf32>
  }
  return
}
func.func @entry(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
