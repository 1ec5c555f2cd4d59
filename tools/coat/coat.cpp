// The driver: one tool with verbs. It knows which verb is which file, and nothing else.
#include "Verbs.h"
#include "mlir/InitAllPasses.h"
#include "llvm/Support/InitLLVM.h"

using namespace coat;
using namespace coat::tool;

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  reportCrashes(argc, argv);
  mlir::registerAllPasses(); // --disable-pass parses pipelines
  registerPassesAndPipelines();
  Flags flags;
  if (Status status = parseFlags(argc, argv, flags))
    return status;
  switch (flags.verb) {
  case Verb::compile:
    return compile(flags);
  case Verb::check:
    return check(flags);
  case Verb::ops:
    return ops();
  case Verb::run:
    return run(flags);
  case Verb::bench:
    return bench(flags);
  case Verb::verify:
    return verify(flags);
  }
}
