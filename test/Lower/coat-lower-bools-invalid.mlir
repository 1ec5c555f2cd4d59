// RUN: coat-opt %s --coat-lower-bools -split-input-file -verify-diagnostics

func.func @gathers(%m: memref<?xi1>, %i: index, %at: vector<8xindex>, %mask: vector<8xi1>, %none: vector<8xi1>) -> vector<8xi1> {
  // expected-error@+1 {{expected no vector of booleans, which would be bits in memory}}
  %0 = vector.gather %m[%i] [%at], %mask, %none : memref<?xi1>, vector<8xindex>, vector<8xi1>, vector<8xi1> into vector<8xi1>
  return %0 : vector<8xi1>
}

// -----

func.func @stores(%m: memref<?xi1>, %i: index, %mask: vector<8xi1>, %b: vector<8xi1>) {
  // expected-error@+1 {{expected no vector of booleans, which would be bits in memory}}
  vector.maskedstore %m[%i], %mask, %b : memref<?xi1>, vector<8xi1>, vector<8xi1>
  return
}
