// -g: what the lines of a kernel's machine code refer to.
#ifndef COAT_TOOLS_DEBUGLINES_H
#define COAT_TOOLS_DEBUGLINES_H

#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace coat::tool {

/// The kernels of a module that left the Kernels (or Reference) stage as text, each op with the model's nodes it comes
/// from. The ops' locations become lines of that text, which the caller writes as `fileName`.
std::string numberLines(mlir::ModuleOp module, llvm::StringRef fileName);

} // namespace coat::tool

#endif
