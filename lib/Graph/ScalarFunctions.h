// The element-wise functions on numbers, for constants.
#ifndef COAT_GRAPH_SCALARFUNCTIONS_H
#define COAT_GRAPH_SCALARFUNCTIONS_H

#include "coat/Dialect/Coat.h"
#include <optional>

namespace coat::graph {

/// kind(args) in double precision, or nullopt for a kind that is not evaluated at compile time. Booleans are 0
/// and 1; `integer` selects the integer meaning of div and mod.
std::optional<double> evaluate(ElementwiseOp op, llvm::ArrayRef<double> args, bool integer);

} // namespace coat::graph

#endif
