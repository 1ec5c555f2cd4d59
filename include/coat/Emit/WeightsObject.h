// The weight blob as a relocatable ELF object.
#ifndef COAT_EMIT_WEIGHTSOBJECT_H
#define COAT_EMIT_WEIGHTSOBJECT_H

#include "coat/Emit/Description.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Triple.h"

namespace coat {

/// Writes the blob, weightsSize bytes, to `os`, from the mapped files that the attributes refer to.
llvm::Error writeWeights(const ModelDescription &model, llvm::raw_ostream &os);

/// Writes an object for `triple` that defines `symbol` as the blob: hidden, read-only, 64-byte aligned.
llvm::Error writeWeightsObject(const ModelDescription &model, llvm::StringRef symbol, const llvm::Triple &triple,
                               llvm::raw_ostream &os);

} // namespace coat

#endif
