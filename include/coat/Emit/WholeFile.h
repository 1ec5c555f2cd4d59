// Files that are whole under their name, or not there.
#ifndef COAT_EMIT_WHOLEFILE_H
#define COAT_EMIT_WHOLEFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

namespace coat {

/// A file under a temporary name in the folder of `path`, because a rename does not cross file systems. It is gone with
/// this object unless commit() has given it its name.
class WholeFile {
public:
  explicit WholeFile(llvm::StringRef path) : path(path) {}
  ~WholeFile();
  WholeFile(const WholeFile &) = delete;
  WholeFile &operator=(const WholeFile &) = delete;

  /// Where to write.
  llvm::Expected<std::string> create();
  llvm::Error commit(bool executable);

private:
  std::string path, temporary;
};

/// Writes to `path` itself. A full disk is an error like any other; LLVM's own streams and helpers abort there.
llvm::Error writeInPlace(llvm::StringRef path, llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write);

/// Writes `path` whole or not at all; "-" is stdout, and what is no file (/dev/null) is written in place.
llvm::Error writeWhole(llvm::StringRef path, llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write);

} // namespace coat

#endif
