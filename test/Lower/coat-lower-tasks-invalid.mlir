// RUN: coat-opt %s --coat-lower-tasks --split-input-file --verify-diagnostics

func.func private @two_foralls(%x: memref<6xf32>) attributes {coat.kernel} {
  %z = arith.constant 0.0 : f32
  scf.forall (%i) in (6) {
    memref.store %z, %x[%i] : memref<6xf32>
  }
  // expected-error@+1 {{expected one top-level scf.forall in a kernel, got 2}}
  scf.forall (%i) in (6) {
    memref.store %z, %x[%i] : memref<6xf32>
  }
  return
}

// -----

func.func private @write_outside(%x: memref<6xf32>) attributes {coat.kernel} {
  %z = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{expected no write beside the scf.forall of a kernel, each task would repeat it}}
  memref.store %z, %x[%c0] : memref<6xf32>
  scf.forall (%i) in (6) {
    memref.store %z, %x[%i] : memref<6xf32>
  }
  return
}

// -----

func.func private @loaded_bound(%x: memref<6xf32>, %n: memref<1xindex>) attributes {coat.kernel} {
  %z = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{expected the number of tasks to follow from the sizes of the kernel's arguments}}
  %b = memref.load %n[%c0] : memref<1xindex>
  scf.forall (%i) in (%b) {
    memref.store %z, %x[%i] : memref<6xf32>
  }
  return
}
