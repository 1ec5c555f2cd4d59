// Transposes of squares that are as wide as a vector.
#ifndef COAT_LIB_VECTOR_TRANSPOSEBLOCKS_H
#define COAT_LIB_VECTOR_TRANSPOSEBLOCKS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace coat {
/// Writes `op`, on memrefs, before it as loops over squares of `lanes` x `lanes` elements that are transposed in
/// registers; false, and nothing is written, unless it only moves 32-bit elements, from rows along one loop to rows
/// along another, and both are known to be as long as a vector.
bool emitTransposeInBlocks(mlir::OpBuilder &builder, mlir::linalg::LinalgOp op, int64_t lanes);
} // namespace coat

#endif
