// RUN: coat-opt %s --coat-lower-bools | FileCheck %s

// CHECK-LABEL: @loads
// CHECK: %[[BYTES:.*]] = builtin.unrealized_conversion_cast %arg0 : memref<?xi1> to memref<?xi8>
// CHECK: %[[READ:.*]] = vector.load %[[BYTES]][%arg1] : memref<?xi8>, vector<8xi8>
// CHECK: %[[ZERO:.*]] = arith.constant dense<0> : vector<8xi8>
// CHECK: %[[BOOLS:.*]] = arith.cmpi ne, %[[READ]], %[[ZERO]]
// CHECK: return %[[BOOLS]]
func.func @loads(%m: memref<?xi1>, %i: index) -> vector<8xi1> {
  %0 = vector.load %m[%i] : memref<?xi1>, vector<8xi1>
  return %0 : vector<8xi1>
}

// The mask of a transfer stays one of lanes.
// CHECK-LABEL: @transfers
// CHECK: %[[FROM:.*]] = builtin.unrealized_conversion_cast %arg0 : memref<4x16xi1, strided<[32, 1], offset: ?>> to memref<4x16xi8, strided<[32, 1], offset: ?>>
// CHECK: %[[NONE:.*]] = arith.extui %{{.*}} : i1 to i8
// CHECK: vector.transfer_read %[[FROM]][%arg1, %arg1], %[[NONE]], %arg2 {in_bounds = [true]} : memref<4x16xi8, strided<[32, 1], offset: ?>>, vector<8xi8>
// CHECK: %[[BOOLS:.*]] = arith.cmpi ne
// CHECK: %[[TO:.*]] = builtin.unrealized_conversion_cast %arg0
// CHECK: %[[BYTES:.*]] = arith.extui %[[BOOLS]] : vector<8xi1> to vector<8xi8>
// CHECK: vector.transfer_write %[[BYTES]], %[[TO]][%arg1, %arg1], %arg2
func.func @transfers(%m: memref<4x16xi1, strided<[32, 1], offset: ?>>, %i: index, %lanes: vector<8xi1>) {
  %false = arith.constant false
  %0 = vector.transfer_read %m[%i, %i], %false, %lanes {in_bounds = [true]} : memref<4x16xi1, strided<[32, 1], offset: ?>>, vector<8xi1>
  vector.transfer_write %0, %m[%i, %i], %lanes {in_bounds = [true]} : vector<8xi1>, memref<4x16xi1, strided<[32, 1], offset: ?>>
  return
}

// CHECK-LABEL: @stores
// CHECK: %[[TO:.*]] = builtin.unrealized_conversion_cast %arg0 : memref<16xi1> to memref<16xi8>
// CHECK: %[[BYTES:.*]] = arith.extui %arg2 : vector<4xi1> to vector<4xi8>
// CHECK: vector.store %[[BYTES]], %[[TO]][%arg1] : memref<16xi8>, vector<4xi8>
func.func @stores(%m: memref<16xi1>, %i: index, %b: vector<4xi1>) {
  vector.store %b, %m[%i] : memref<16xi1>, vector<4xi1>
  return
}

// Other elements are left alone.
// CHECK-LABEL: @floats
// CHECK-NOT: cast
// CHECK: vector.load %arg0[%arg1] : memref<?xf32>, vector<8xf32>
func.func @floats(%m: memref<?xf32>, %i: index) -> vector<8xf32> {
  %0 = vector.load %m[%i] : memref<?xf32>, vector<8xf32>
  return %0 : vector<8xf32>
}
