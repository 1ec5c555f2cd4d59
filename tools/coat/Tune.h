// Measuring schedules on this machine, for -O3.
#ifndef COAT_TOOLS_TUNE_H
#define COAT_TOOLS_TUNE_H

#include "Session.h"

namespace coat::tool {

/// Compiles and runs the model of `flags` with one alternative schedule an op after the other, and writes the fastest
/// of each op to the file `path` (coat/Strategy/Tuning.h). One thread; random inputs, symbolic dimensions at their
/// largest.
Status tune(Context &context, const Flags &flags, llvm::StringRef path);

} // namespace coat::tool

#endif
