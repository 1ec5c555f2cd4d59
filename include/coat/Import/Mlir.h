// The MLIR importer: a program of upstream dialects (tosa, linalg on tensors) in, a module of coat ops on tensors out
// (docs/Architecture.md, "Import"), or one line that says why not. The text is trusted: a developer's own.
#ifndef COAT_IMPORT_MLIR_H
#define COAT_IMPORT_MLIR_H

#include "coat/Import/Onnx.h"

namespace coat {

/// Whether the module is in coat's own form: its entry (attribute coat.entry) has no ops of tosa, linalg or math.
bool isCoatForm(mlir::ModuleOp module);

/// Applies --dim to a module in coat's own form and checks what its entry says of names, symbols and sizes. False with
/// one line in `error`.
bool prepareCoatForm(mlir::ModuleOp module, const ImportOptions &options, std::string &error);

/// Imports `source`, parsed from the file `path`. The entry is the function with the attribute coat.entry, else the
/// only public one; calls are inlined. Errors as importOnnx gives them.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> importMlir(mlir::ModuleOp source, llvm::StringRef path,
                                                              const ImportOptions &options, std::string &error,
                                                              bool &notSupported);

/// What importMlir would say of each op, as checkOnnx does of nodes. Of a module in coat's own form every op is
/// supported.
mlir::FailureOr<std::vector<CoverageEntry>> checkMlir(mlir::ModuleOp source, llvm::StringRef path,
                                                      const ImportOptions &options, std::string &error,
                                                      bool &notSupported);

} // namespace coat

#endif
