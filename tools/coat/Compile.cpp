// coat compile: a model in, a library with its headers out.
#include "Session.h"
#include "Tune.h"
#include "Verbs.h"
#include "coat/Emit/Interface.h"
#include "coat/Strategy/Tuning.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"

using namespace coat;
using namespace coat::tool;
using llvm::StringRef;
namespace path = llvm::sys::path;

static std::string inFolder(StringRef folder, const llvm::Twine &file) {
  llvm::SmallString<128> result = folder;
  path::append(result, file);
  return std::string(result);
}

namespace {
/// Writes the files of one compile; unless all of them are there at the end, none is.
class Outputs {
public:
  explicit Outputs(Session &session) : session(session), model(session.model()) {}
  ~Outputs() {
    if (!complete)
      for (const std::string &file : files)
        llvm::sys::fs::remove(file);
  }

  Status writeFile(StringRef file);
  Status writePackage(StringRef folder);

private:
  Status note(Status status, const std::string &file) {
    if (!status)
      files.push_back(file);
    return status;
  }
  Status text(const std::string &file, StringRef content) { return note(writeText(file, content), file); }
  Status library(const std::string &file, bool last) { return note(session.write(file, /*soname=*/{}, last), file); }
  Status weights(const std::string &file) {
    return model.weightsInFile && model.weightsSize ? note(writeWeights(model, file), file) : ok;
  }
  /// -g: the text that line tables refer to.
  Status kernels(StringRef folder) {
    return session.kernels().empty() ? ok : text(inFolder(folder, session.kernelsFile()), session.kernels());
  }
  Status companions(StringRef folder);

  Session &session;
  const ModelDescription &model;
  std::vector<std::string> files;
  bool complete = false;
};
} // namespace

/// Headers, .json and weights that lie beside a library or an object.
Status Outputs::companions(StringRef folder) {
  if (Status status = text(inFolder(folder, model.name + ".h"), headerText(model)))
    return status;
  if (Status status = text(inFolder(folder, model.name + ".hpp"), cppHeaderText(model)))
    return status;
  if (Status status = text(inFolder(folder, model.name + ".json"), jsonText(model)))
    return status;
  return weights(inFolder(folder, model.name + ".weights"));
}

Status Outputs::writeFile(StringRef file) {
  if (Status status = library(file.str(), /*last=*/true))
    return status;
  StringRef suffix = path::extension(file), folder = path::parent_path(file);
  if (artifactOf(suffix))
    if (Status status = kernels(folder))
      return status;
  if (suffix == ".so" || suffix == ".a" || suffix == ".o")
    if (Status status = companions(folder))
      return status;
  complete = true;
  return ok;
}

Status Outputs::writePackage(StringRef folder) {
  auto makeParent = [](const std::string &file) {
    std::error_code error = llvm::sys::fs::create_directories(path::parent_path(file));
    return error ? fail(wrong, path::parent_path(file) + ": " + error.message()) : ok;
  };
  for (StringRef suffix : {".so", ".a"}) {
    std::string file = inFolder(folder, "lib/lib" + model.name + suffix);
    if (Status status = makeParent(file))
      return status;
    if (Status status = library(file, /*last=*/false))
      return status;
  }
  for (const PackageFile &file : packageFiles(model)) {
    std::string to = inFolder(folder, file.path);
    if (Status status = makeParent(to))
      return status;
    if (Status status = text(to, file.text))
      return status;
  }
  if (Status status = kernels(inFolder(folder, "share/" + model.name)))
    return status;
  if (Status status = weights(inFolder(folder, "share/" + model.name + "/" + model.name + ".weights")))
    return status;
  complete = true;
  return ok;
}

/// --tune and -O3: names the file of measured schedules in `flags`, and makes it when -O3 finds none.
static Status prepareTuning(Context &context, Flags &flags, StringRef output) {
  std::string &file = flags.compile.pipeline.tuning;
  bool measures = flags.compile.pipeline.optLevel == 3;
  if (file.empty() && measures) {
    llvm::SmallString<128> beside = output;
    path::replace_extension(beside, ".tune");
    file = std::string(beside);
  }
  if (file.empty())
    return ok;
  if (measures && !llvm::sys::fs::exists(file))
    if (Status status = tune(context, flags, file))
      return status;
  auto tuning = readTuning(file, flags.compile.pipeline.cpu, *context);
  if (!tuning)
    return fail(wrong, "--tune: " + llvm::toString(tuning.takeError()));
  auto text = llvm::MemoryBuffer::getFile(file);
  if (!text)
    return fail(wrong, "--tune: " + file + ": " + text.getError().message());
  flags.compile.command += " --tune=" + std::to_string(llvm::xxh3_64bits((*text)->getBuffer()));
  return ok;
}

Status coat::tool::compile(const Flags &given) {
  Flags flags = given;
  // A wrong output name is said before the work, not after it.
  StringRef suffix = path::extension(flags.output);
  bool isIR = suffix == ".mlir" || suffix == ".mlirbc";
  if (!flags.output.empty() && !flags.package && !isIR && !artifactOf(flags.output))
    return fail(wrong, flags.output + ": expected one of .so .a .o .s .ll .bc .ptx .cubin .mlir .mlirbc, by suffix");
  if (suffix == ".ptx" || suffix == ".cubin")
    if (size_t archs = flags.compile.pipeline.gpuArchs.size(); archs != 1)
      return fail(wrong,
                  flags.output + ": expected --device=cuda and one --gpu-arch, got " + (archs ? "several" : "none"));
  if (flags.output.empty() && !flags.compile.pipeline.stopAfter.empty())
    return fail(wrong, "--stop-after: expected -o with a .mlir or .mlirbc file");

  Context context(flags.compile.emit.jobs);
  Session session(*context, flags.compile);
  if (Status status = session.read(flags.input))
    return status;
  std::string output = flags.output.empty() ? "lib" + session.name() + ".so" : flags.output;
  if (Status status = prepareTuning(context, flags, flags.package ? inFolder(output, session.name()) : output))
    return status;
  session.freeWeights();
  if (Status status = session.lower())
    return status;
  Outputs outputs(session);
  return flags.package ? outputs.writePackage(flags.output.empty() ? "." : StringRef(flags.output))
                       : outputs.writeFile(output);
}
