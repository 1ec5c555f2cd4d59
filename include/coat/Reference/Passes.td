// Passes of the Reference stage (-O0).
#ifndef COAT_REFERENCE_PASSES_TD
#define COAT_REFERENCE_PASSES_TD

include "mlir/Pass/PassBase.td"

def Reference : Pass<"coat-reference", "::mlir::ModuleOp"> {
  let summary = "coat on tensors -> a launch and a kernel of scalar loops for each op";
  let description = [{
    The oracle of `coat verify` and of the tests: each op becomes loops straight
    from the formula in its definition, in one outer scf.forall; f16 and bf16
    are computed in f32. The entry becomes a list of launches on memrefs. Ops
    with equal attributes and types share a kernel. Ops without a reference are
    an error.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"];
}

#endif
