// Runs the reference and the optimised code of one module on the same inputs and compares.
#ifndef COAT_TOOLS_COMPARE_H
#define COAT_TOOLS_COMPARE_H

#include "Flags.h"
#include "mlir/IR/BuiltinOps.h"
#include <optional>

namespace coat::tool {

/// Where two tensors differ most.
struct Difference {
  std::string output;
  int64_t index = 0;
  double got = 0, expected = 0;
  double worst = 0; // |got - expected| / allowed; above 1 is a failure
  std::string message;
};

struct Comparison {
  Status status = ok;                   // other than ok: it did not get as far as comparing; already reported
  std::optional<Difference> difference; // outside the tolerance, or other bits with other threads
  double worst = 0;                     // over all outputs and sizes
};

/// Compiles `imported` (left unchanged) at -O0 and at the level of `flags`, and runs both with the smallest and the
/// largest sizes of the symbols, with one and two threads.
Comparison compareWithReference(mlir::ModuleOp imported, const Flags &flags);

} // namespace coat::tool

#endif
