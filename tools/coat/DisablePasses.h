// --disable-pass: a pipeline without some of its passes.
#ifndef COAT_TOOLS_DISABLE_PASSES_H
#define COAT_TOOLS_DISABLE_PASSES_H

#include "Diagnose.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/ArrayRef.h"

namespace coat::tool {

/// The textual form `any(func.func(a,b{x=1}),c)` of a pipeline without the passes of that name; `removed` counts them.
std::string withoutPasses(llvm::StringRef pipeline, llvm::ArrayRef<std::string> names, int &removed);

/// Fills the empty `rebuilt` with the passes of `pm` but those of `names`. A pass manager cannot drop a pass, but its
/// textual form can.
llvm::LogicalResult rebuildWithout(mlir::PassManager &pm, llvm::ArrayRef<std::string> names,
                                   mlir::PassManager &rebuilt);

} // namespace coat::tool

#endif
