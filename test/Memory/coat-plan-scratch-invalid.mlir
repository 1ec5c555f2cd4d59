// RUN: coat-opt --coat-plan-scratch --split-input-file --verify-diagnostics %s

// Two foralls would share it.
func.func private @shared(%c: f32) attributes {coat.kernel} {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{expected a buffer that is used inside the tasks only}}
  %0 = memref.alloc() : memref<8xf32>
  memref.store %c, %0[%c0] : memref<8xf32>
  scf.forall (%i) in (8) {
    memref.store %c, %0[%i] : memref<8xf32>
  }
  return
}

// -----

func.func private @unbounded(%n: index) attributes {coat.kernel} {
  // expected-error @+1 {{expected a buffer with bounded sizes, got 'memref<?xf32>'}}
  %0 = memref.alloc(%n) : memref<?xf32>
  return
}

// -----

// The buffer of one iteration is read in the next.
func.func private @carried(%a: memref<1024xf32>) attributes {coat.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %r = scf.for %i = %c0 to %c8 step %c1 iter_args(%b = %a) -> memref<1024xf32> {
    // expected-error @+1 {{expected a buffer that does not leave its block, got one that leaves 'scf.for'}}
    %0 = memref.alloc() : memref<1024xf32>
    memref.copy %b, %0 : memref<1024xf32> to memref<1024xf32>
    scf.yield %0 : memref<1024xf32>
  }
  return
}
