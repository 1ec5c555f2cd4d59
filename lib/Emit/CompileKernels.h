// The kernels of a lowered module -> objects, in parallel.
#ifndef COAT_EMIT_COMPILEKERNELS_H
#define COAT_EMIT_COMPILEKERNELS_H

#include "Compile.h"

namespace coat {

/// One kernel for one ISA.
struct CompiledKernel {
  std::string name; // its symbol
  llvm::SmallString<0> object;
  llvm::SmallString<0> bitcode; // the optimized LLVM IR; only when asked for
};

/// What is appended to the names of code for `isa`: nothing when there is only one.
std::string isaSuffix(const EmitOptions &options, const IsaOptions &isa);

/// Compiles every kernel of `lowered` for every ISA, in the order of the module. Fails, naming the kernel, when code
/// would need a library function or too much stack.
llvm::Expected<std::vector<CompiledKernel>> compileKernels(mlir::ModuleOp lowered, const EmitOptions &options,
                                                           bool keepBitcode);

} // namespace coat

#endif
