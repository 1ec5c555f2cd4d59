// 1-D vectors on tensors: the loads, stores, index arithmetic and loops that the microkernels are written in.
//
// Tensors and not memrefs, because then a result needs no buffer of its own: one-shot bufferization turns the chain of
// writes into stores to the place that the kernel's caller gave. Vectors are exactly as wide as a register; LLVM splits
// wider ones badly.
#ifndef COAT_LIB_VECTOR_VECTORBUILDER_H
#define COAT_LIB_VECTOR_VECTORBUILDER_H

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace coat {
class VectorBuilder {
public:
  /// `lanes` f32 lanes; elements of other types get as many.
  VectorBuilder(mlir::OpBuilder &builder, mlir::Location loc, int64_t lanes)
      : builder(builder), loc(loc), lanes(lanes) {}

  mlir::Value index(int64_t value);
  /// a * factor + b + constant, folded where operands are constants.
  mlir::Value linear(mlir::Value a, int64_t factor, mlir::Value b, int64_t constant);
  mlir::Value plus(mlir::Value a, int64_t constant);
  mlir::Value minimum(mlir::Value a, mlir::Value b);
  mlir::Value valueOf(mlir::OpFoldResult size);
  /// Size `dim` of a tensor.
  mlir::OpFoldResult sizeOf(mlir::Value tensor, int64_t dim);

  mlir::VectorType vectorOf(mlir::Type element);
  mlir::Value splat(mlir::TypedAttr scalar);
  mlir::Value broadcast(mlir::Value scalar);
  mlir::Value zero(mlir::Type element);

  /// The first `valid` lanes (all: null). A constant or an index value.
  mlir::Value mask(mlir::OpFoldResult valid);
  mlir::Value load(mlir::Value tensor, mlir::ValueRange indices, mlir::Value mask = {});
  mlir::Value store(mlir::Value vector, mlir::Value tensor, mlir::ValueRange indices, mlir::Value mask = {});
  mlir::Value loadScalar(mlir::Value tensor, mlir::ValueRange indices);
  /// Vectors of f32 in a cache line.
  int64_t vectorsOfLine() const { return std::max<int64_t>(1, 16 / lanes); }
  /// Asks for the cache line there, into a core's own second cache, or into the first. Nothing need be there.
  void prefetch(mlir::Value tensor, mlir::ValueRange indices, bool intoFirst = false);
  mlir::Value multiplyAdd(mlir::Value a, mlir::Value b, mlir::Value sum);
  /// a > b ? a : b, which is one instruction; b where either is NaN.
  mlir::Value larger(mlir::Value a, mlir::Value b);
  /// a < b ? a : b, likewise.
  mlir::Value smaller(mlir::Value a, mlir::Value b);

  using LoopBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value iv, mlir::ValueRange carried)>;
  /// scf.for that carries values; a loop of constant trip count 1 is its body.
  llvm::SmallVector<mlir::Value> loop(mlir::OpFoldResult lower, mlir::OpFoldResult upper, int64_t step,
                                      mlir::ValueRange carried, LoopBody body);
  /// The same for one carried value, the tensor that is written.
  mlir::Value loopOver(mlir::OpFoldResult lower, mlir::OpFoldResult upper, int64_t step, mlir::Value tensor,
                       llvm::function_ref<mlir::Value(mlir::Value iv, mlir::Value tensor)> body);
  /// scf.if that carries values.
  llvm::SmallVector<mlir::Value> choose(mlir::Value condition,
                                        llvm::function_ref<llvm::SmallVector<mlir::Value>()> then,
                                        llvm::function_ref<llvm::SmallVector<mlir::Value>()> otherwise);
  /// The same for one value, a tensor.
  mlir::Value ifThenElse(mlir::Value condition, llvm::function_ref<mlir::Value()> then,
                         llvm::function_ref<mlir::Value()> otherwise);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  int64_t lanes;

private:
  llvm::DenseMap<mlir::Value, mlir::Value> buffers; // of tensors, for prefetches
};
} // namespace coat

#endif
