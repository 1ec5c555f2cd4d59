// Arithmetic on f16 and bf16 and conversions between all widths.
func.func @net(%x: memref<64xf16> {coat.name = "x", coat.dims = ["64"]}, %z: memref<64xbf16> {coat.name = "z", coat.dims = ["64"]}, %i: memref<64xi64> {coat.name = "i", coat.dims = ["64"]}, %d: memref<64xf64> {coat.name = "d", coat.dims = ["64"]},
   %y: memref<64xf16> {coat.name = "y", coat.result, coat.dims = ["64"]}, %w: memref<64xbf16> {coat.name = "w", coat.result, coat.dims = ["64"]}, %b: memref<64xi1> {coat.name = "b", coat.result, coat.dims = ["64"]}, %f: memref<64xf16> {coat.name = "f", coat.result, coat.dims = ["64"]}) attributes {coat.entry, coat.symbols = []} {
  coat.launch @k0(%x, %z, %i, %d) outs(%y, %w, %b, %f) : (memref<64xf16>, memref<64xbf16>, memref<64xi64>, memref<64xf64>, memref<64xf16>, memref<64xbf16>, memref<64xi1>, memref<64xf16>) -> ()
  return
}
func.func private @k0(%x: memref<64xf16>, %z: memref<64xbf16>, %i: memref<64xi64>, %d: memref<64xf64>, %y: memref<64xf16>, %w: memref<64xbf16>, %b: memref<64xi1>, %f: memref<64xf16>) attributes {coat.kernel} {
  scf.forall (%k) in (64) {
    %a = memref.load %x[%k] : memref<64xf16>
    %c = memref.load %z[%k] : memref<64xbf16>
    %e = memref.load %i[%k] : memref<64xi64>
    %g = memref.load %d[%k] : memref<64xf64>
    %a1 = math.exp %a : f16
    %a2 = arith.addf %a1, %a : f16
    %a3 = arith.maximumf %a2, %a : f16
    memref.store %a3, %y[%k] : memref<64xf16>
    %c1 = math.sqrt %c : bf16
    %c2 = arith.mulf %c1, %c : bf16
    %c3 = arith.extf %c2 : bf16 to f64
    %c4 = arith.addf %c3, %g : f64
    %c5 = arith.truncf %c4 : f64 to bf16
    memref.store %c5, %w[%k] : memref<64xbf16>
    %l = arith.cmpf olt, %a, %a2 : f16
    %m = math.floor %a : f16
    memref.store %l, %b[%k] : memref<64xi1>
    %h = arith.sitofp %e : i64 to f16
    %h2 = arith.truncf %g : f64 to f16
    %h3 = arith.addf %h, %h2 : f16
    %h4 = arith.divf %h3, %m : f16
    %h5 = arith.fptosi %h4 : f16 to i32
    %h6 = arith.sitofp %h5 : i32 to f16
    %h7 = arith.sitofp %e : i64 to bf16
    %h8 = arith.fptoui %h7 : bf16 to i8
    memref.store %h3, %f[%k] : memref<64xf16>
  }
  return
}
