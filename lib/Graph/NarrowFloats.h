// What the passes on f16 and bf16 share.
#ifndef COAT_LIB_GRAPH_NARROWFLOATS_H
#define COAT_LIB_GRAPH_NARROWFLOATS_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace coat::graph {
/// The tensor type of a narrow float, or null.
mlir::RankedTensorType narrowType(mlir::Value value);

/// Whether the elements of the results are elements of the operands, perhaps with another sign, or zero.
bool isExact(mlir::Operation *op);

/// How many of the first operands of a convolution, product or attention are multiplied; 0 for other ops.
unsigned numFactors(mlir::Operation *op);
} // namespace coat::graph

#endif
