// Reading a model and taking it through the stages of lib/Pipeline, with what the flags ask for on the way: times,
// saved IR, a progress line, a reproducer when a stage fails.
#include "Session.h"
#include "DebugLines.h"
#include "DisablePasses.h"
#include "UnusedWeights.h"
#include "coat/Emit/AssembleKernels.h"
#include "coat/Emit/Interface.h"
#include "coat/Emit/WeightsObject.h"
#include "coat/Emit/WholeFile.h"
#include "coat/Import/Mlir.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"
#include <chrono>

using namespace mlir;
using namespace coat;
using namespace coat::tool;
namespace path = llvm::sys::path;

Context::Context(unsigned jobs)
    : pool(std::make_unique<llvm::DefaultThreadPool>(llvm::hardware_concurrency(jobs))),
      context(MLIRContext::Threading::DISABLED) {
  DialectRegistry registry;
  registerDialects(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  context.appendDialectRegistry(registry);
  if (pool->getMaxConcurrency() > 1)
    context.setThreadPool(*pool);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

Status Session::read(StringRef file) {
  nowDoing("import");
  source = file.str();
  StringRef suffix = path::extension(file);
  if (suffix == ".mlir" || suffix == ".mlirbc")
    return readIR(file);
  if (suffix == ".onnx" || suffix == ".pt2" || file == "-")
    return readOnnx(file);
  return fail(wrong, file + ": expected a model (.onnx, .pt2) or IR (.mlir, .mlirbc), by suffix");
}

Status Session::readOnnx(StringRef file) {
  std::string error;
  bool notSupported = false;
  Collect collect(context);
  auto imported = importOnnx(file, context, flags.import, error, notSupported);
  if (failed(imported))
    return fail(notSupported ? unsupported : wrong, error.empty() ? collect.message() : error);
  module = std::move(*imported);
  if (failed(mlir::verify(*module)))
    return fail(bug, collect.message());
  return ok;
}

Status Session::readIR(StringRef file) {
  Collect collect(context);
  module = parseSourceFile<ModuleOp>(file, ParserConfig(&context));
  if (!module)
    return failParse(file, collect.message());
  if (!isCoatForm(*module))
    return importIR(file);
  std::string error;
  if (flags.pipeline.startAt.empty() && !prepareCoatForm(*module, flags.import, error))
    return fail(wrong, path::filename(file) + ": " + error);
  for (auto function : module->getOps<func::FuncOp>())
    if (function->hasAttr("coat.entry")) {
      if (!flags.import.name.empty())
        function.setName(flags.import.name);
      return ok;
    }
  return ok;
}

Status coat::tool::failParse(StringRef file, const std::string &message) {
  bool unknown = StringRef(message).contains("not found for custom op");
  return fail(unknown ? unsupported : wrong, message.empty() ? (file + ": expected MLIR").str() : message);
}

/// TOSA or linalg: a model like any other.
Status Session::importIR(StringRef file) {
  std::string error;
  bool notSupported = false;
  Collect collect(context);
  auto imported = importMlir(*module, file, flags.import, error, notSupported);
  if (failed(imported))
    return fail(notSupported ? unsupported : wrong, error.empty() ? collect.message() : error);
  module = std::move(*imported);
  return ok;
}

std::string Session::name() {
  if (described)
    return description.name;
  for (auto function : module->getOps<func::FuncOp>())
    if (function->hasAttr("coat.entry"))
      return function.getName().str();
  return "model";
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

/// IR without the bytes of weights: printed function by function, because a module prints its resources in hexadecimal
/// before they can be left out.
static void printFunctions(ModuleOp module, raw_ostream &os) {
  OpPrintingFlags printing;
  printing.elideLargeElementsAttrs(16).elideLargeResourceString(16).enableDebugInfo(false);
  for (Operation &op : *module.getBody()) {
    op.print(os, printing);
    os << "\n";
  }
}

void Session::saveTemp(StringRef stage) {
  std::string file = name() + "." + stage.str() + ".mlir";
  llvm::consumeError(coat::writeWhole(file, [&](raw_ostream &os) {
    printFunctions(*module, os);
    return llvm::Error::success();
  }));
}

Status Session::describe() {
  if (described)
    return ok;
  Collect collect(context);
  auto result = describeModel(*module);
  if (failed(result))
    return fail(bug, collect.message());
  description = std::move(*result);
  description.weightsInFile = flags.weightsInFile;
  description.onDevice = flags.pipeline.device == Device::cuda;
  if (!description.onDevice) // else the kernels' targets, once there are kernels
    for (const IsaOptions &isa : flags.emit.isas)
      description.isas.push_back(isa.name);
  auto buffer = llvm::MemoryBuffer::getFile(source, false, false);
  llvm::XXH128_hash_t file = {};
  if (buffer)
    file = llvm::xxh3_128bits(llvm::arrayRefFromStringRef((*buffer)->getBuffer()));
  llvm::XXH128_hash_t command = llvm::xxh3_128bits(llvm::arrayRefFromStringRef(flags.command));
  description.sourceHash = llvm::formatv("{0:x-16}{1:x-16}", file.high64 ^ command.high64, file.low64 ^ command.low64);
  described = true;
  return ok;
}

/// --device=cuda: the code of the kernels, once for all artifacts.
Status Session::assemble() {
  if (!description.onDevice || !description.deviceKernels.empty())
    return ok;
  nowDoing("ptxas");
  Collect collect(context);
  auto kernels = describeDeviceKernels(*module);
  if (failed(kernels))
    return fail(bug, collect.message());
  if (llvm::Error error = assembleKernels(*module, flags.emit, *kernels)) {
    Status status = error.isA<llvm::FileError>() || error.isA<llvm::ECError>() ? wrong : bug;
    std::string message = llvm::toString(std::move(error));
    return fail(status, collect.message().empty() ? message : collect.message());
  }
  description.deviceKernels = std::move(*kernels);
  for (const DeviceTarget &target : deviceTargets(description.deviceKernels))
    description.isas.push_back(target.name);
  return ok;
}

/// Messages that start so are about the model, not about us.
static bool saysUnsupported(StringRef message) { return message.contains("not supported"); }

Status Session::failStage(const std::string &stage, const std::string &message) {
  if (saysUnsupported(message))
    return fail(unsupported, message);
  return fail(bug, path::filename(source) + ": internal error in stage " + stage + ": " + message +
                       "; please report it with " + writeReproducer(stage));
}

/// The IR that entered the failing stage, where others can run it: the path, or why there is none.
std::string Session::writeReproducer(const std::string &stage) {
  llvm::SmallString<128> file;
  int descriptor;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile("coat-" + stage, "mlirbc", descriptor, file))
    return "the model (no reproducer: " + error.message() + ")";
  llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
  Collect collect(context);
  bool written = entered && succeeded(writeBytecodeToFile(*entered, os));
  os.close();
  written &= !os.has_error();
  os.clear_error(); // else the stream aborts
  if (!written)
    return "the model";
  return std::string(file) + " and: coat compile --start-at=" + stage + " " + flags.command;
}

Status Session::runStage(const std::string &stage) {
  CompileOptions one = flags.pipeline;
  one.startAt = one.stopAfter = stage;
  PassManager pm(&context);
  buildPipeline(pm, one);
  if (!flags.pipeline.disabledPasses.empty()) {
    PassManager rebuilt(&context);
    if (failed(rebuildWithout(pm, flags.pipeline.disabledPasses, rebuilt)))
      return fail(bug, "--disable-pass: expected a pipeline that can be written as text, in stage " + stage);
    return runPasses(rebuilt, stage);
  }
  return runPasses(pm, stage);
}

Status Session::runPasses(PassManager &pm, const std::string &stage) {
  DefaultTimingManager timing;
  timing.setEnabled(flags.timeReport);
  TimingScope scope = timing.getRootScope();
  if (flags.timeReport)
    pm.enableTiming(scope);
  pm.enableVerifier(false); // once a stage: after every pass it would take a third of the time
  Collect collect(context);
  if (failed(pm.run(*module)) || failed(mlir::verify(*module)))
    return failStage(stage, collect.message());
  return ok;
}

namespace {
/// A line on a terminal that names the stage once a compile has taken longer than a second.
class Progress {
public:
  void show(StringRef stage) {
    if (llvm::errs().is_displayed() && seconds() > 1) {
      llvm::errs() << "\r\033[K" << stage << " ..";
      shown = true;
    }
  }
  ~Progress() {
    if (shown)
      llvm::errs() << "\r\033[K";
  }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start).count(); }

private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now();
  bool shown = false;
};
} // namespace

Status Session::lower() {
  Progress progress;
  std::vector<std::string> stages = stageNames(flags.pipeline);
  const std::string &first = flags.pipeline.startAt, &last = flags.pipeline.stopAfter;
  if (flags.saveTemps)
    saveTemp("import");
  if (last == "import")
    return ok;
  bool on = first.empty() || first == "import";
  for (const std::string &stage : stages) {
    on |= stage == first;
    if (!on)
      continue;
    progress.show(stage);
    nowDoing(stage.c_str());
    double before = progress.seconds();
    if (stage == "lower")
      if (Status status = describe())
        return status;
    entered = {};
    if (freesWeights && !described)
      freeUnusedWeights(*module);
    entered = module->clone(); // shares the weights
    if (Status status = runStage(stage))
      return status;
    if (stage == "kernels" || stage == "reference") {
      annotateKernels(*module);
      if (flags.pipeline.debugLines)
        kernelsText = numberLines(*module, kernelsFile());
    }
    if (stage == "lower")
      describeTasks(*module, description);
    if (flags.verbose)
      llvm::errs() << llvm::formatv("{0,-10} {1,8:f3} s\n", stage, progress.seconds() - before);
    if (flags.saveTemps)
      saveTemp(stage);
    if (stage == last)
      return ok;
  }
  entered = {};
  nowDoing("emit");
  return ok;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

Status coat::tool::writeText(StringRef file, StringRef text) {
  llvm::Error error = coat::writeWhole(file, [&](raw_ostream &os) {
    os << text;
    return llvm::Error::success();
  });
  return error ? fail(wrong, std::move(error)) : ok;
}

Status coat::tool::writeWeights(const ModelDescription &model, StringRef file) {
  llvm::Error error = coat::writeWhole(file, [&](raw_ostream &os) { return coat::writeWeights(model, os); });
  return error ? fail(wrong, std::move(error)) : ok;
}

static Status writeIR(ModuleOp module, StringRef file) {
  bool binary = path::extension(file) == ".mlirbc";
  llvm::Error error = coat::writeWhole(file, [&](raw_ostream &os) -> llvm::Error {
    if (!binary)
      module.print(os, OpPrintingFlags().enableDebugInfo());
    else if (failed(writeBytecodeToFile(module, os)))
      return llvm::createStringError("cannot write bytecode");
    return llvm::Error::success();
  });
  return error ? fail(wrong, std::move(error)) : ok;
}

Status Session::write(StringRef file, StringRef soname, bool last) {
  StringRef suffix = path::extension(file);
  if (suffix == ".mlir" || suffix == ".mlirbc")
    return writeIR(*module, file);
  if (!flags.pipeline.stopAfter.empty() && flags.pipeline.stopAfter != "lower")
    return fail(wrong, file + ": expected .mlir or .mlirbc with --stop-after=" + flags.pipeline.stopAfter);
  std::optional<Artifact> artifact = artifactOf(file);
  if (!artifact)
    return fail(wrong, file + ": expected one of .so .a .o .s .ll .bc .ptx .cubin .mlir .mlirbc, by suffix");
  if (*artifact != Artifact::ptx && *artifact != Artifact::cubin)
    if (Status status = assemble())
      return status;
  EmitOptions options = flags.emit;
  if (last && freesWeights)
    options.weightsWritten = [this] { freeUnusedWeights(*module); };
  Progress progress;
  Collect collect(context);
  if (llvm::Error error = emitArtifact(*module, description, options, *artifact, file, soname)) {
    Status status = error.isA<llvm::FileError>() || error.isA<llvm::ECError>() ? wrong : bug;
    std::string message = llvm::toString(std::move(error));
    return fail(status, collect.message().empty() ? message : collect.message());
  }
  if (flags.verbose)
    llvm::errs() << llvm::formatv("{0,-10} {1,8:f3} s\n", "emit", progress.seconds());
  return ok;
}
