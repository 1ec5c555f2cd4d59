// From the LLVM dialect to artifacts: objects, archives, shared libraries, assembly and LLVM IR.
#ifndef COAT_EMIT_EMIT_H
#define COAT_EMIT_EMIT_H

#include "coat/Emit/Description.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <string>
#include <vector>

namespace coat {

/// One instruction set that kernels are compiled for, in LLVM's words.
struct IsaOptions {
  std::string name;     // as users say it: "x86-64-v3"
  std::string cpu;      // -mcpu of LLVM; empty: name
  std::string features; // "+avx512bf16,.."
};

struct EmitOptions {
  std::string triple = "x86_64-unknown-linux-gnu";
  std::vector<IsaOptions> isas = {{"x86-64-v3", "", ""}}; // best first, as in ModelDescription::isas
  unsigned jobs = 0;                                      // 0: one a core
  int optLevel = 2;                                       // as -O
  bool smallest = false;                                  // -Os: short code where it is not vectors already
  bool sanitizeAddress = false;                           // loads and stores are checked by AddressSanitizer
  bool verbose = false;                                   // a line a kernel on stderr: passes chosen, spills, stack
  std::string cudaPath;                                   // --cuda-path: where ptxas is looked for first
  // Called, if set, when the weights are on disk and not read again: they may be freed before the linker takes as much.
  std::function<void()> weightsWritten;
};

enum class Artifact { sharedLibrary, archive, object, assembly, llvmText, bitcode, ptx, cubin };

/// The artifact that a file name asks for by its suffix (.so .a .o .s .ll .bc .ptx .cubin).
std::optional<Artifact> artifactOf(llvm::StringRef path);

/// Compiles `lowered`, a module that left the Lower stage, and writes `artifact` to `path`. `path` holds nothing or the
/// whole artifact; the same module and options give the same bytes on every machine. The file name of a shared
/// library is also its soname, unless `soname` gives one. Safe to call from several threads.
llvm::Error emitArtifact(mlir::ModuleOp lowered, const ModelDescription &model, const EmitOptions &options,
                         Artifact artifact, llvm::StringRef path, llvm::StringRef soname = {});

} // namespace coat

#endif
