// An element-wise linalg.generic computed a vector at a time: as the epilogue of a microkernel on accumulators that are
// still in registers, or on its own.
#ifndef COAT_LIB_VECTOR_ELEMENTWISE_H
#define COAT_LIB_VECTOR_ELEMENTWISE_H

#include "VectorBuilder.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace coat {
/// Whether `op` can be computed along vectors of its last loop: all loops parallel, one result with the identity map,
/// operands contiguous or constant along the last loop, and a body of ops that take vectors.
bool isElementwiseOnVectors(mlir::linalg::GenericOp op);

/// The result at `point` (one index value a loop) and the lanes behind it. Operands in `known` are already vectors; all
/// others are loaded, under `mask` (null: all lanes).
mlir::Value elementwiseAt(
    VectorBuilder &v, mlir::linalg::GenericOp op, mlir::ValueRange point, mlir::Value mask,
    const llvm::SmallDenseMap<mlir::Value, mlir::Value> &known = llvm::SmallDenseMap<mlir::Value, mlir::Value>());
} // namespace coat

#endif
