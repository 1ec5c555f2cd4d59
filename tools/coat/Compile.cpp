// coat compile: a model in, a library with its headers out.
#include "Session.h"
#include "Verbs.h"
#include "coat/Emit/Interface.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace coat;
using namespace coat::tool;
using llvm::StringRef;
namespace path = llvm::sys::path;

static std::string inFolder(StringRef folder, const llvm::Twine &file) {
  llvm::SmallString<128> result = folder;
  path::append(result, file);
  return std::string(result);
}

/// Headers, .json and weights that lie beside a library or an object.
static Status writeCompanions(const ModelDescription &model, StringRef folder) {
  if (Status status = writeText(inFolder(folder, model.name + ".h"), headerText(model)))
    return status;
  if (Status status = writeText(inFolder(folder, model.name + ".hpp"), cppHeaderText(model)))
    return status;
  if (Status status = writeText(inFolder(folder, model.name + ".json"), jsonText(model)))
    return status;
  if (model.weightsInFile && model.weightsSize)
    return writeWeights(model, inFolder(folder, model.name + ".weights"));
  return ok;
}

static Status writePackage(Session &session, StringRef folder) {
  const ModelDescription &model = session.model();
  auto makeParent = [](const std::string &file) {
    std::error_code error = llvm::sys::fs::create_directories(path::parent_path(file));
    return error ? fail(wrong, path::parent_path(file) + ": " + error.message()) : ok;
  };
  for (StringRef suffix : {".so", ".a"}) {
    std::string file = inFolder(folder, "lib/lib" + model.name + suffix);
    if (Status status = makeParent(file))
      return status;
    if (Status status = session.write(file))
      return status;
  }
  for (const PackageFile &file : packageFiles(model)) {
    std::string to = inFolder(folder, file.path);
    if (Status status = makeParent(to))
      return status;
    if (Status status = writeText(to, file.text))
      return status;
  }
  if (model.weightsInFile && model.weightsSize)
    return writeWeights(model, inFolder(folder, "share/" + model.name + "/" + model.name + ".weights"));
  return ok;
}

Status coat::tool::compile(const Flags &flags) {
  // A wrong output name is said before the work, not after it.
  StringRef suffix = path::extension(flags.output);
  bool isIR = suffix == ".mlir" || suffix == ".mlirbc";
  if (!flags.output.empty() && !flags.package && !isIR && !artifactOf(flags.output))
    return fail(wrong, flags.output + ": expected one of .so .a .o .s .ll .bc .mlir .mlirbc, by suffix");
  if (flags.output.empty() && !flags.compile.pipeline.stopAfter.empty())
    return fail(wrong, "--stop-after: expected -o with a .mlir or .mlirbc file");

  Context context(flags.compile.emit.jobs);
  Session session(*context, flags.compile);
  if (Status status = session.read(flags.input))
    return status;
  if (Status status = session.lower())
    return status;
  if (flags.package)
    return writePackage(session, flags.output.empty() ? "." : StringRef(flags.output));

  std::string output = flags.output.empty() ? "lib" + session.name() + ".so" : flags.output;
  if (Status status = session.write(output))
    return status;
  StringRef written = path::extension(output);
  bool forLinking = written == ".so" || written == ".a" || written == ".o";
  return forLinking ? writeCompanions(session.model(), path::parent_path(output)) : ok;
}
