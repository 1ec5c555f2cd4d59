// Which ops the Vector stage computes with register microkernels of its own. Tile keeps them as tile-sized coat
// ops; every other op becomes linalg before it is cut.
#ifndef COAT_TILE_MICROKERNELS_H
#define COAT_TILE_MICROKERNELS_H

#include "mlir/IR/Operation.h"

namespace coat {
/// True for f32 convolutions with packed filters and f32 matrix products, where no operand needs padding or lhs
/// transposition, and for the halves of Winograd convolutions.
bool hasProductMicrokernel(mlir::Operation *op);
} // namespace coat

#endif
