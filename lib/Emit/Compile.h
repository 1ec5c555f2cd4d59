// One LLVM module -> machine code, with what has to be known about it.
#ifndef COAT_EMIT_COMPILE_H
#define COAT_EMIT_COMPILE_H

#include "coat/Emit/Emit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>

namespace coat {

/// Which LLVM passes run before code generation.
enum class Effort {
  glue,  // what constant tables leave of code that was optimized before, and straight lists of calls
  light, // scalar clean-up and hoisting: keeps the order that a microkernel was written in
  fixed, // -O3 without vectorizers: for code that is vectors already
  full,  // -O3
  small, // -Os
};

/// What the register allocator made of a module.
struct CodeStatistics {
  int64_t innerSpills = 0;  // spills and reloads in innermost loops, over all functions
  uint64_t stack = 0;       // bytes of the largest frame
  std::string largestFrame; // whose it is
};

struct MachineCode {
  llvm::SmallString<0> bytes;
  CodeStatistics statistics;
};

/// The target machine for `isa` of `triple`; position-independent. Registers LLVM's targets at the first call.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> makeTargetMachine(const EmitOptions &options,
                                                                       const IsaOptions &isa);

/// Appends to `complaint` the errors that LLVM reports to `context` instead of to its caller; both live as long.
void collectErrors(llvm::LLVMContext &context, std::string &complaint);

/// Runs the passes of `effort` in place, then AddressSanitizer where `options` asks for it.
void optimize(llvm::Module &module, llvm::TargetMachine &machine, Effort effort, const EmitOptions &options);

/// Generates code; `module` is changed and should not be used after.
llvm::Expected<MachineCode> generate(llvm::Module &module, llvm::TargetMachine &machine, llvm::CodeGenFileType type);

/// Fails when a frame exceeds the stack that generated code may use: 16 KiB, more with red zones.
llvm::Error checkStack(const CodeStatistics &statistics, const EmitOptions &options);

/// Fails, naming it, when `object` leaves a symbol undefined that is neither in `known` nor one of the five C functions
/// a library may need: malloc, free, memcpy, memmove, memset.
llvm::Error checkUndefined(llvm::StringRef object, llvm::StringRef what, const llvm::StringSet<> &known);

} // namespace coat

#endif
