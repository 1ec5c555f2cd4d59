// A linalg op on memrefs as loops whose innermost one runs over vectors where that is possible.
#ifndef COAT_LIB_VECTOR_GENERICLOOPS_H
#define COAT_LIB_VECTOR_GENERICLOOPS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace coat {
/// What a vector runs along.
enum class VectorKind {
  none,     // scalars only
  parallel, // a loop whose lanes are independent
  reduction // a loop whose lanes are partial results, combined at the end
};
struct VectorChoice {
  VectorKind kind = VectorKind::none;
  unsigned loop = 0;
};

/// Whether neighbouring iterations of `loop` access, by `map`, neighbouring elements of a memref of type `memref`.
bool isContiguousAlong(mlir::AffineMap map, mlir::MemRefType memref, unsigned loop);

/// The loop of `op` to run vectors of `lanes` along: a parallel one contiguous in all operands, else a reduction
/// contiguous in all inputs, else a parallel one contiguous in the outputs (inputs are then read lane by lane).
/// With `ordered` never a reduction.
VectorChoice chooseVectorLoop(mlir::linalg::LinalgOp op, int64_t lanes, bool ordered = false);

/// Whether `op` adds up or multiplies floats over a reduction loop, so that the order of its loop shows in the result.
bool hasOrderedSum(mlir::linalg::LinalgOp op);

/// Writes the loops of `op`, on memrefs, before it. `starts` has one value an output: what a reduction starts
/// from, null to read it from the output. Vectors have `lanes` elements of every type, and run along `choice`.
void emitLoops(mlir::OpBuilder &builder, mlir::linalg::LinalgOp op, llvm::ArrayRef<mlir::Value> starts, int64_t lanes,
               VectorChoice choice);
} // namespace coat

#endif
