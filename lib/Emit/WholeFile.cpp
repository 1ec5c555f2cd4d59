// See WholeFile.h. Errors are FileErrors: the driver tells by them that a file is wrong and not coat.
#include "coat/Emit/WholeFile.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"

using namespace llvm;
using namespace coat;

WholeFile::~WholeFile() {
  if (!temporary.empty())
    sys::fs::remove(temporary);
}

Expected<std::string> WholeFile::create() {
  SmallString<128> name;
  if (std::error_code code = sys::fs::createUniqueFile(path + ".tmp-%%%%%%%%", name))
    return createFileError(path, code);
  temporary = std::string(name);
  return temporary;
}

Error WholeFile::commit(bool executable) {
  // The linker replaces the file and with it the permissions; make them what a compiler would give.
  unsigned permissions = (executable ? 0777 : 0666) & ~sys::fs::getUmask();
  if (std::error_code code = sys::fs::setPermissions(temporary, static_cast<sys::fs::perms>(permissions)))
    return createFileError(path, code);
  if (std::error_code code = sys::fs::rename(temporary, path))
    return createFileError(path, code);
  temporary.clear();
  return Error::success();
}

Error coat::writeInPlace(StringRef path, function_ref<Error(raw_ostream &)> write) {
  std::error_code code;
  raw_fd_ostream os(path, code);
  if (code)
    return createFileError(path, code);
  Error error = write(os);
  os.close();
  if (!os.has_error())
    return error;
  consumeError(std::move(error));
  code = os.error();
  os.clear_error();
  return createFileError(path, code);
}

Error coat::writeWhole(StringRef path, function_ref<Error(raw_ostream &)> write) {
  if (path == "-")
    return write(outs());
  if (sys::fs::exists(path) && !sys::fs::is_regular_file(path) && !sys::fs::is_directory(path))
    return writeInPlace(path, write);
  WholeFile whole(path);
  Expected<std::string> temporary = whole.create();
  if (!temporary)
    return temporary.takeError();
  if (Error error = writeInPlace(*temporary, write)) {
    // The user knows nothing of the temporary name.
    return handleErrors(std::move(error),
                        [&](std::unique_ptr<FileError> file) { return createFileError(path, file->takeError()); });
  }
  return whole.commit(/*executable=*/false);
}
