// RUN: coat-opt %s --coat-lower-device-entry --split-input-file --verify-diagnostics

func.func @net(%x: memref<?xf32>, %y: memref<?xf32> {coat.result}) attributes {coat.entry} {
  // expected-error @below {{symbolic sizes are not supported with --device=cuda}}
  coat.launch @k0(%x) outs(%y) : (memref<?xf32>, memref<?xf32>) -> ()
  return
}
func.func private @k0(memref<?xf32>, memref<?xf32>) attributes {coat.kernel}

// -----

func.func @net(%x: memref<i1>) attributes {coat.entry} {
  // expected-error @below {{which is not supported with --device=cuda: the host would have to wait}}
  coat.require %x {message = "expected a truth"} : memref<i1>
  return
}

// -----

func.func @net(%x: memref<8xf32>) attributes {coat.entry} {
  // expected-error @below {{expected the Memory stage to have placed every buffer}}
  %t = memref.alloc() : memref<8xf32>
  return
}
