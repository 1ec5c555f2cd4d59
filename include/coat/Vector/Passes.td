// Passes of the Vector stage.
#ifndef COAT_VECTOR_PASSES_TD
#define COAT_VECTOR_PASSES_TD

include "mlir/Pass/PassBase.td"

def EmitProducts : Pass<"coat-emit-products", "::mlir::func::FuncOp"> {
  let summary = "convolutions and matrix products become register microkernels";
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::bufferization::BufferizationDialect"];
}

def EmitAttention : Pass<"coat-emit-attention", "::mlir::func::FuncOp"> {
  let summary = "attention becomes its flash form: online softmax over blocks of keys";
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def EmitPools : Pass<"coat-emit-pools", "::mlir::func::FuncOp"> {
  let summary = "poolings over small windows become loops of vectors along the channels";
  let options = [Option<"orderedSums", "ordered-sums", "bool", "false", "leave sums, whose order is that of the window">];
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect"];
}

def VectorizeElementwise : Pass<"coat-vectorize-elementwise", "::mlir::func::FuncOp"> {
  let summary = "element-wise linalg.generic become loops over 1-D vectors";
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect"];
}

def Bufferize : Pass<"coat-bufferize", "::mlir::ModuleOp"> {
  let summary = "tensors of a kernel become buffers: upstream's one-shot bufferization, kernel by kernel";
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect"];
}

def LinalgToLoops : Pass<"coat-linalg-to-loops", "::mlir::func::FuncOp"> {
  let summary = "linalg ops and copies on memrefs become loops over 1-D vectors and scalars";
  let options = [Option<"orderedSums", "ordered-sums", "bool", "false",
                        "sums and products of floats in the order of the loops: no partial result a lane">];
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::scf::SCFDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect"];
}

def CheckKernels : Pass<"coat-check-kernels", "::mlir::func::FuncOp"> {
  let summary = "no tensors, coat or linalg ops are left in a kernel, and buffers only inside its tasks";
}

#endif
