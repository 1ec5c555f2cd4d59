// Memory of weights that the compiler has replaced by packed ones.
#ifndef COAT_TOOLS_UNUSEDWEIGHTS_H
#define COAT_TOOLS_UNUSEDWEIGHTS_H

#include "mlir/IR/BuiltinOps.h"

namespace coat::tool {
/// Frees the bytes of all dense_resource constants of the context that `module` does not refer to.
void freeUnusedWeights(mlir::ModuleOp module);
} // namespace coat::tool

#endif
