// RUN: coat-opt %s --pass-pipeline='builtin.module(func.func(coat-strict-floats))' | FileCheck %s

// CHECK-LABEL: func @fused
// CHECK: %[[P:.*]] = arith.mulf %arg0, %arg1 : vector<8xf32>
// CHECK: %[[S:.*]] = arith.addf %[[P]], %arg2 : vector<8xf32>
// CHECK: %[[Q:.*]] = arith.mulf %[[S]], %arg1 : vector<8xf32>
// CHECK: arith.addf %[[Q]], %arg2 : vector<8xf32>
func.func @fused(%a: vector<8xf32>, %b: vector<8xf32>, %c: vector<8xf32>) -> vector<8xf32> {
  %0 = vector.fma %a, %b, %c : vector<8xf32>
  %1 = math.fma %0, %b, %c : vector<8xf32>
  return %1 : vector<8xf32>
}

// CHECK-LABEL: func @flags
// CHECK-NOT: fastmath
func.func @flags(%a: f32, %b: f32, %v: vector<8xf32>) -> (f32, f32) {
  %0 = arith.mulf %a, %b fastmath<contract> : f32
  %1 = arith.addf %0, %b fastmath<fast> : f32
  %2 = arith.maximumf %1, %b fastmath<nnan,nsz> : f32
  %3 = vector.reduction <add>, %v, %2 fastmath<reassoc> : vector<8xf32> into f32
  return %2, %3 : f32, f32
}

// Integers and plain arithmetic stay as they are.
// CHECK-LABEL: func @plain
// CHECK-NEXT: arith.mulf %arg0, %arg1 : f32
// CHECK-NEXT: arith.addf
// CHECK-NEXT: arith.muli %arg2, %arg2 overflow<nsw> : i32
// CHECK-NEXT: return
func.func @plain(%a: f32, %b: f32, %i: i32) -> (f32, i32) {
  %0 = arith.mulf %a, %b : f32
  %1 = arith.addf %0, %b : f32
  %2 = arith.muli %i, %i overflow<nsw> : i32
  return %1, %2 : f32, i32
}
