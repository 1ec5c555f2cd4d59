// The host side of a model: launch list, runtime and tables, as one LLVM module.
#ifndef COAT_EMIT_COMPILEHOST_H
#define COAT_EMIT_COMPILEHOST_H

#include "Compile.h"

namespace coat {

/// The symbol of the weight blob of `model`.
std::string weightsSymbol(const ModelDescription &model);

/// The names that a library of `model` exports; with `loadable`, coat_model_v1 too.
std::vector<std::string> exportedNames(const ModelDescription &model, bool loadable);

/// Links the bodies (one an ISA), runtime/model.c and the tables; all but the exported names and what other objects
/// define is internal. Optimized for the base line of the architecture, so that a library on a CPU without the ISA it
/// was compiled for can say so.
llvm::Expected<std::unique_ptr<llvm::Module>> buildHost(mlir::ModuleOp lowered, const ModelDescription &model,
                                                        const EmitOptions &options, bool loadable,
                                                        llvm::LLVMContext &context);

/// The machine that buildHost optimizes for.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> makeHostMachine(const EmitOptions &options);

} // namespace coat

#endif
