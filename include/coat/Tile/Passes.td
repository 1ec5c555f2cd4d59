// Passes of the Tile stage.
#ifndef COAT_TILE_PASSES_TD
#define COAT_TILE_PASSES_TD

include "mlir/Pass/PassBase.td"

def DropSigns : Pass<"coat-drop-signs", "::mlir::func::FuncOp"> {
  let summary = "unsigned integers of a kernel become signless";
}

def FuseEpilogues : Pass<"coat-fuse-epilogues", "::mlir::func::FuncOp"> {
  let summary = "element-wise ops of a kernel become one linalg.generic";
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect", "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

def LowerToLinalg : Pass<"coat-lower-to-linalg"> {
  let summary = "coat ops to linalg.generic and tensor ops of the same values";
  let options = [Option<"beforeTiling", "before-tiling", "bool", "false",
                        "only ops without a tiling of their own, so that upstream's tiling cuts them">];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect", "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::affine::AffineDialect"];
}

def TileKernels : Pass<"coat-tile", "::mlir::func::FuncOp"> {
  let summary = "cut a kernel into tasks: one scf.forall of tile-sized ops";
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect", "::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect"];
}

#endif
