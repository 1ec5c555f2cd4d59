// coat_the_cuda_model of runtime/cuda_model.h as LLVM constants.
#ifndef COAT_EMIT_DEVICETABLES_H
#define COAT_EMIT_DEVICETABLES_H

#include "coat/Emit/Emit.h"
#include "llvm/IR/Module.h"

namespace coat {

/// Adds the definition of `coat_the_cuda_model`, with the code of all kernels, to `module`.
llvm::Error addDeviceTables(llvm::Module &module, const ModelDescription &model, llvm::Function *body);

} // namespace coat

#endif
