// coat_the_model of runtime/model.h as LLVM constants.
#ifndef COAT_EMIT_TABLES_H
#define COAT_EMIT_TABLES_H

#include "coat/Emit/Emit.h"
#include "llvm/IR/Module.h"

namespace coat {

/// Adds the definition of `coat_the_model`, with everything it points at, to `module`. `bodies` holds one function an
/// ISA, in the order of `options.isas`; `weights` is the blob, null when it is not in the library.
llvm::Error addTables(llvm::Module &module, const ModelDescription &model, const EmitOptions &options,
                      llvm::ArrayRef<llvm::Function *> bodies, llvm::GlobalVariable *weights);

} // namespace coat

#endif
