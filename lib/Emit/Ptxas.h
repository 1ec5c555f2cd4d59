// NVIDIA's assembler, as a child process.
#ifndef COAT_LIB_EMIT_PTXAS_H
#define COAT_LIB_EMIT_PTXAS_H

#include "coat/Emit/Emit.h"

namespace coat {
/// What ptxas made of a text of PTX; of several kernels in it, the most.
struct Assembled {
  std::string cubin;
  int64_t registers = 0, spills = 0, stack = 0, shared = 0; // bytes but for registers
  std::vector<std::string> warnings;
};

/// The path of ptxas: in --cuda-path, on PATH, in the CUDA toolkit, in the Python environment on PATH (PyPI's
/// nvidia-cuda-nvcc), in this order.
llvm::Expected<std::string> findPtxas(const EmitOptions &options);

/// Assembles `ptx` for `arch`. `name` is for messages.
llvm::Expected<Assembled> runPtxas(llvm::StringRef ptxas, llvm::StringRef ptx, llvm::StringRef arch,
                                   llvm::StringRef name);
} // namespace coat

#endif
