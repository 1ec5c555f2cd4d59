// RUN: coat-opt %s --pass-pipeline='builtin.module(func.func(coat-lower-math))' | FileCheck %s
// Numbers are checked by test/Emit/math.test.

// CHECK-LABEL: func @exp
// CHECK-NOT: math.exp
// CHECK: math.roundeven
// CHECK: math.fma {{.*}} : vector<8xf32>
// CHECK: arith.shli
func.func @exp(%x: vector<8xf32>) -> vector<8xf32> {
  %0 = math.exp %x : vector<8xf32>
  return %0 : vector<8xf32>
}

// 16-bit floats go through f32.
// CHECK-LABEL: func @half
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK-NOT: math.tanh
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @half(%x: f16) -> f16 {
  %0 = math.tanh %x : f16
  return %0 : f16
}

// Powers and remainders of f32 need the digits of f64.
// CHECK-LABEL: func @digits
// CHECK: arith.extf %{{.*}} : f32 to f64
// CHECK-NOT: math.powf
// CHECK-NOT: arith.remf
func.func @digits(%x: f32, %y: f32) -> f32 {
  %0 = math.powf %x, %y : f32
  %1 = arith.remf %0, %y : f32
  return %1 : f32
}

// f64 to 16 bits in two steps.
// CHECK-LABEL: func @steps
// CHECK: arith.truncf %{{.*}} : f64 to f32
// CHECK: arith.truncf %{{.*}} : f32 to bf16
func.func @steps(%x: f64) -> bf16 {
  %0 = arith.truncf %x : f64 to bf16
  return %0 : bf16
}

// Instructions stay.
// CHECK-LABEL: func @instructions
// CHECK: math.sqrt
// CHECK: math.floor
// CHECK: math.absf
// CHECK: math.fma
func.func @instructions(%x: f32) -> f32 {
  %0 = math.sqrt %x : f32
  %1 = math.floor %0 : f32
  %2 = math.absf %1 : f32
  %3 = math.fma %2, %1, %0 : f32
  return %3 : f32
}

// A shorter exp on demand, but not of f64.
// RUN: coat-opt %s --pass-pipeline='builtin.module(func.func(coat-lower-math{fast=true}))' | FileCheck %s --check-prefix=FAST
// FAST-LABEL: func @exp(
// FAST-COUNT-6: math.fma
// FAST-NOT: math.fma
// FAST-LABEL: func @half
// FAST-LABEL: func @exp_f64
// FAST-COUNT-10: math.fma
func.func @exp_f64(%x: f64) -> f64 {
  %0 = math.exp %x : f64
  return %0 : f64
}

// Of bounded arguments the powers of 2 are a sum, a polynomial and a shift.
// CHECK-LABEL: func @bounded
// CHECK-NOT: math.roundeven
// CHECK: arith.addf
// CHECK: math.fma {{.*}} : vector<4x8xf32>
// CHECK: arith.shli
func.func @bounded(%x: vector<4x8xf32>) -> vector<4x8xf32> {
  %0 = math.exp2 %x fastmath<afn> : vector<4x8xf32>
  return %0 : vector<4x8xf32>
}
