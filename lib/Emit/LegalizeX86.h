// What the x86 levels below v3 lack as instructions.
#ifndef COAT_EMIT_LEGALIZEX86_H
#define COAT_EMIT_LEGALIZEX86_H

#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace coat {

/// Replaces fused multiply-adds and conversions of f16 where `machine` is an x86 without them: LLVM would call fma() of
/// libm and the compiler's runtime library. Does nothing for other targets.
void legalizeForX86(llvm::Module &module, const llvm::TargetMachine &machine);

} // namespace coat

#endif
