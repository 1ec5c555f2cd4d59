// A symbolic batch: the number of tasks and the strides of views follow from the sizes at run time.
// y = x + x through the inside of a padded buffer.
func.func @net(%x: memref<?x?x8xf32> {coat.name = "x", coat.dims = ["N", "L", "8"]},
               %y: memref<?x?x8xf32> {coat.name = "y", coat.result, coat.dims = ["N", "L", "8"]})
    attributes {coat.entry, coat.symbols = [{name = "N", min = 1 : i64, max = 8 : i64}, {name = "L", min = 1 : i64, max = 5 : i64}], coat.workspace = 1792 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %n = memref.dim %x, %c0 : memref<?x?x8xf32>
  %l = memref.dim %x, %c1 : memref<?x?x8xf32>
  %padded = arith.addi %l, %c2 : index
  %t = coat.workspace %c0 sizes %n, %padded : memref<?x?x8xf32>
  %inside = memref.subview %t[0, 1, 0] [%n, %l, 8] [1, 1, 1] : memref<?x?x8xf32> to memref<?x?x8xf32, strided<[?, 8, 1], offset: 8>>
  coat.launch @k0(%x) outs(%inside) : (memref<?x?x8xf32>, memref<?x?x8xf32, strided<[?, 8, 1], offset: 8>>) -> ()
  coat.launch @k1(%inside) outs(%y) : (memref<?x?x8xf32, strided<[?, 8, 1], offset: 8>>, memref<?x?x8xf32>) -> ()
  return
}
func.func private @k0(%x: memref<?x?x8xf32>, %o: memref<?x?x8xf32, strided<[?, 8, 1], offset: 8>>) attributes {coat.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %z = arith.constant 0.0 : f32
  %n = memref.dim %x, %c0 : memref<?x?x8xf32>
  %l = memref.dim %x, %c1 : memref<?x?x8xf32>
  scf.forall (%i, %j) = (0, 0) to (%n, %l) step (1, 2) {
    %next = affine.apply affine_map<(d0) -> (d0 + 2)>(%j)
    %end = arith.minsi %next, %l : index
    scf.for %k = %j to %end step %c1 {
      %a = vector.transfer_read %x[%i, %k, %c0], %z {in_bounds = [true]} : memref<?x?x8xf32>, vector<8xf32>
      vector.transfer_write %a, %o[%i, %k, %c0] {in_bounds = [true]} : vector<8xf32>, memref<?x?x8xf32, strided<[?, 8, 1], offset: 8>>
    }
  }
  return
}
func.func private @k1(%x: memref<?x?x8xf32, strided<[?, 8, 1], offset: 8>>, %o: memref<?x?x8xf32>) attributes {coat.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %n = memref.dim %x, %c0 : memref<?x?x8xf32, strided<[?, 8, 1], offset: 8>>
  %l = memref.dim %x, %c1 : memref<?x?x8xf32, strided<[?, 8, 1], offset: 8>>
  scf.forall (%i) in (%n) {
    scf.for %j = %c0 to %l step %c1 {
      scf.for %k = %c0 to %c8 step %c1 {
        %a = memref.load %x[%i, %j, %k] : memref<?x?x8xf32, strided<[?, 8, 1], offset: 8>>
        %b = arith.addf %a, %a : f32
        memref.store %b, %o[%i, %j, %k] : memref<?x?x8xf32>
      }
    }
  }
  return
}
