// How the tool speaks: one line a problem, on stderr, and the exit code that goes with its kind.
#ifndef COAT_TOOLS_DIAGNOSE_H
#define COAT_TOOLS_DIAGNOSE_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace coat::tool {

/// Exit codes, and with them whose turn it is.
enum Status {
  ok = 0,
  wrong = 1,       // the model, a flag or a file: the user's
  unsupported = 2, // coat cannot do that yet
  bug = 70         // coat is wrong: ours (EX_SOFTWARE)
};

/// Problems as JSON objects, one a line, instead of text (--diagnostics=json).
void setJsonDiagnostics(bool on);

/// Prints `message` and returns `status`.
[[nodiscard]] Status fail(Status status, const llvm::Twine &message);
/// The same for an LLVM error.
[[nodiscard]] Status fail(Status status, llvm::Error error);

/// Collects what MLIR reports while it lives: the first error becomes message(), as
/// `net.onnx: node 'conv1': expected ..`; remarks and warnings are dropped.
class Collect {
public:
  explicit Collect(mlir::MLIRContext &context);
  const std::string &message() const { return first; }

private:
  std::string first;
  mlir::ScopedDiagnosticHandler handler;
};

/// Makes a crash an exit with `bug` and one line that names `doing`, the flags that show it again.
void reportCrashes(int argc, char **argv);
/// What is being done now, for reportCrashes; a string that stays alive.
void nowDoing(const char *what);

} // namespace coat::tool

#endif
