// RUN: coat-opt %s --coat-stage-lower | FileCheck %s

// The whole stage on a module as the Memory stage leaves it: two kernels, a workspace, a weight, a scratch buffer.

// CHECK: llvm.func @coat_parallel(!llvm.ptr, i32, i32, !llvm.ptr)
// CHECK: llvm.func @net_body(%{{.*}}: !llvm.ptr)
// CHECK-NOT: unrealized_conversion_cast
func.func @net(%x: memref<4x8xf32> {coat.name = "x"}, %y: memref<4x8xf32> {coat.name = "y", coat.result}) attributes {coat.entry, coat.workspace = 128 : i64} {
  %w = coat.weight dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]> : tensor<8xf32> {offset = 0 : i64} : memref<8xf32>
  %c0 = arith.constant 0 : index
  %t = coat.workspace %c0 : memref<4x8xf32>
  coat.launch @k0(%x, %w) outs(%t) : (memref<4x8xf32>, memref<8xf32>, memref<4x8xf32>) -> ()
  coat.launch @k1(%t) outs(%y) : (memref<4x8xf32>, memref<4x8xf32>) -> ()
  return
}
// CHECK-LABEL: llvm.func @net_k0
func.func private @k0(%x: memref<4x8xf32>, %w: memref<8xf32>, %o: memref<4x8xf32>) attributes {coat.kernel} {
  %c0 = arith.constant 0 : index
  %z = arith.constant 0.0 : f32
  scf.forall (%i) in (4) {
    %a = vector.transfer_read %x[%i, %c0], %z {in_bounds = [true]} : memref<4x8xf32>, vector<8xf32>
    %b = vector.transfer_read %w[%c0], %z {in_bounds = [true]} : memref<8xf32>, vector<8xf32>
    %c = arith.addf %a, %b : vector<8xf32>
    %e = math.exp %c : vector<8xf32>
    vector.transfer_write %e, %o[%i, %c0] {in_bounds = [true]} : vector<8xf32>, memref<4x8xf32>
  }
  return
}
// CHECK-LABEL: llvm.func @net_k1
func.func private @k1(%x: memref<4x8xf32>, %o: memref<4x8xf32>) attributes {coat.kernel, coat.scratch = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.forall (%i, %j) in (2, 2) {
    %s = coat.scratch {offset = 0 : i64} : memref<8xf32>
    %i2 = affine.apply affine_map<(d0, d1) -> (d0 * 2 + d1)>(%i, %j)
    scf.for %k = %c0 to %c8 step %c1 {
      %v = memref.load %x[%i2, %k] : memref<4x8xf32>
      %l = math.log %v : f32
      memref.store %l, %s[%k] : memref<8xf32>
    }
    scf.for %k = %c0 to %c8 step %c1 {
      %v = memref.load %s[%k] : memref<8xf32>
      memref.store %v, %o[%i2, %k] : memref<4x8xf32>
    }
  }
  return
}
