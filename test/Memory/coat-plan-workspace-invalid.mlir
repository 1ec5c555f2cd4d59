// RUN: coat-opt --coat-plan-workspace --split-input-file --verify-diagnostics %s

func.func @unbounded(%x: memref<?xf32>) attributes {coat.entry} {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  // expected-error @+1 {{expected a buffer with bounded sizes, got 'memref<?xf32>'}}
  %0 = memref.alloc(%n) : memref<?xf32>
  return
}

// -----

// expected-error @+1 {{expected coat.dims in terms of coat.symbols, got "M"}}
func.func @unknown_symbol(%x: memref<?xf32> {coat.dims = ["M"]})
    attributes {coat.entry, coat.symbols = [{name = "N", min = 1 : i64, max = 8 : i64}]} {
  return
}

// -----

// expected-error @+1 {{expected coat.symbols entries {name, min, max}}}
func.func @symbol_without_range(%x: memref<?xf32> {coat.dims = ["N"]}) attributes {coat.entry, coat.symbols = [{name = "N"}]} {
  return
}

// -----

// expected-error @+1 {{expected coat.dims with 1 entries}}
func.func @dims_of_another_rank(%x: memref<?xf32> {coat.dims = ["N", "4"]})
    attributes {coat.entry, coat.symbols = [{name = "N", min = 1 : i64, max = 8 : i64}]} {
  return
}

// -----

func.func @not_a_list(%c: i1) attributes {coat.entry} {
  // expected-error @+1 {{expected a straight list of launches, got 'scf.if'}}
  scf.if %c {
    %0 = memref.alloc() : memref<4xf32>
  }
  return
}

// -----

func.func @not_dense() attributes {coat.entry} {
  // expected-error @+1 {{expected a dense row-major buffer}}
  %0 = memref.alloc() : memref<4x4xf32, affine_map<(i, j) -> (j, i)>>
  return
}
