// lld, as a library.
#ifndef COAT_EMIT_LINK_H
#define COAT_EMIT_LINK_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace coat {

/// Runs ld.lld with `arguments` (without the program's name). lld keeps its state in globals: one run at a time, the
/// others wait.
llvm::Error runLinker(llvm::ArrayRef<std::string> arguments);

} // namespace coat

#endif
