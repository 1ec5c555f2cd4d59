// Implementation of Ptxas.h: where it is looked for, and what its report says.
#include "Ptxas.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Regex.h"

using namespace llvm;
using namespace coat;
namespace path = sys::path;

/// ptxas below `folder`: a toolkit, its bin, or a site-packages with PyPI's package.
static std::optional<std::string> ptxasIn(StringRef folder) {
  for (StringRef below : {"", "bin", "nvidia/cu13/bin", "nvidia/cuda_nvcc/bin", "cu13/bin"}) {
    SmallString<128> file(folder);
    path::append(file, below, "ptxas");
    if (sys::fs::can_execute(file))
      return std::string(file);
  }
  return std::nullopt;
}

/// The site-packages of the Python environment in `prefix`.
static std::optional<std::string> ptxasOfPython(StringRef prefix) {
  SmallString<128> lib(prefix);
  path::append(lib, "lib");
  std::error_code error;
  for (sys::fs::directory_iterator it(lib, error), end; !error && it != end; it.increment(error)) {
    if (!path::filename(it->path()).starts_with("python3"))
      continue;
    SmallString<128> packages(it->path());
    path::append(packages, "site-packages");
    if (auto found = ptxasIn(packages))
      return found;
  }
  return std::nullopt;
}

Expected<std::string> coat::findPtxas(const EmitOptions &options) {
  if (!options.cudaPath.empty()) {
    if (auto found = ptxasIn(options.cudaPath))
      return *found;
    if (auto found = ptxasOfPython(options.cudaPath))
      return *found;
    return createFileError(options.cudaPath, createStringError("expected ptxas in the folder of --cuda-path"));
  }
  if (ErrorOr<std::string> found = sys::findProgramByName("ptxas"))
    return *found;
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
    if (auto folder = sys::Process::GetEnv(variable))
      if (auto found = ptxasIn(*folder))
        return *found;
  if (auto found = ptxasIn("/usr/local/cuda"))
    return *found;
  if (auto folder = sys::Process::GetEnv("VIRTUAL_ENV"))
    if (auto found = ptxasOfPython(*folder))
      return *found;
  if (ErrorOr<std::string> python = sys::findProgramByName("python3"))
    if (auto found = ptxasOfPython(path::parent_path(path::parent_path(*python))))
      return *found;
  return createFileError("ptxas", createStringError("expected it on PATH, in the folder of --cuda-path, or from "
                                                    "`pip install nvidia-cuda-nvcc==13.0.*`, got none"));
}

/// The numbers that `pattern` finds in `text`: their maximum.
static int64_t mostOf(StringRef text, StringRef pattern) {
  int64_t most = 0;
  Regex regex(pattern);
  SmallVector<StringRef> groups;
  while (regex.match(text, &groups)) {
    int64_t number = 0;
    if (!groups[1].getAsInteger(10, number))
      most = std::max(most, number);
    text = text.substr(groups[0].end() - text.begin());
  }
  return most;
}

namespace {
/// A temporary file that goes with its scope.
struct TemporaryFile {
  SmallString<128> path;
  FileRemover remover;

  std::error_code create(StringRef suffix) {
    std::error_code error = sys::fs::createTemporaryFile("coat", suffix, path);
    remover.setFile(path);
    return error;
  }
};

std::string contentOf(StringRef file) {
  auto buffer = MemoryBuffer::getFile(file, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}
} // namespace

Expected<Assembled> coat::runPtxas(StringRef ptxas, StringRef ptx, StringRef arch, StringRef name) {
  TemporaryFile source, object, report;
  for (auto [file, suffix] : {std::pair(&source, "ptx"), {&object, "cubin"}, {&report, "txt"}})
    if (std::error_code error = file->create(suffix))
      return errorCodeToError(error);
  std::error_code error;
  raw_fd_ostream os(source.path, error);
  if (error)
    return errorCodeToError(error);
  os << ptx;
  os.close();
  if (os.has_error())
    return errorCodeToError(os.error());
  std::string target = ("-arch=" + arch).str();
  StringRef none = "";
  std::string failure;
  int code = sys::ExecuteAndWait(ptxas, {ptxas, target, "-O3", "-v", source.path.str(), "-o", object.path.str()},
                                 /*Env=*/std::nullopt, {none, report.path.str(), report.path.str()},
                                 /*SecondsToWait=*/0, /*MemoryLimit=*/0, &failure);
  std::string text = contentOf(report.path);
  if (code != 0) {
    // ptxas names its input, which is gone by now.
    StringRef first = StringRef(failure.empty() ? text : failure).trim().split('\n').first;
    return createStringError("expected ptxas to assemble %s for %s, got: %s", name.str().c_str(), arch.str().c_str(),
                             first.str().c_str());
  }
  Assembled result;
  result.cubin = contentOf(object.path);
  result.registers = mostOf(text, "Used ([0-9]+) registers");
  result.spills = mostOf(text, "([0-9]+) bytes spill stores") + mostOf(text, "([0-9]+) bytes spill loads");
  result.stack = mostOf(text, "([0-9]+) bytes stack frame");
  result.shared = mostOf(text, "([0-9]+) bytes smem");
  for (StringRef line : split(text, '\n'))
    if (line.contains("warning") || line.contains("(C7"))
      result.warnings.push_back(line.trim().str());
  return result;
}
