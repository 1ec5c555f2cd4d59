// coat-emulate IN.mlir -o OUT.so: GPU kernels as a library for the CPU, to be run by coat_emulate (Emulate.h).
#include "coat/Dialect/Coat.h"
#include "coat/Emulate/Host.h"
#include "mlir/IR/AsmState.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Parallel.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace llvm;
using namespace coat::emulate;

static cl::opt<std::string> input(cl::Positional, cl::desc("<kernels.mlir>"), cl::init("-"));
static cl::opt<std::string> output("o", cl::desc("a shared library, or .mlir: the host's code"),
                                   cl::init("emulated.so"));
static cl::opt<std::string> runtime("runtime", cl::desc("libcoat-emulator.so"), cl::init(COAT_EMULATOR));

static int fail(Error error) {
  logAllUnhandledErrors(std::move(error), errs(), "coat-emulate: ");
  return 1;
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "GPU kernels (gpu.modules) as a library for the CPU\n");
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
  registry.insert<coat::CoatDialect>();
  mlir::MLIRContext context(registry);
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::parseSourceFile<mlir::ModuleOp>(input, &context);
  if (!module)
    return 1;
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> hosts;
  for (auto gpu : module->getOps<mlir::gpu::GPUModuleOp>()) {
    if (failed(lowerToNVVM(gpu)))
      return 1;
    hosts.push_back(makeHostModule(gpu));
    if (!hosts.back())
      return 1;
  }
  if (StringRef(output).ends_with(".mlir")) {
    std::string message;
    auto file = mlir::openOutputFile(output, &message);
    if (!file)
      return fail(createStringError("%s", message.c_str()));
    for (auto &host : hosts)
      file->os() << *host << "\n";
    file->keep();
    return 0;
  }
  std::vector<SmallString<0>> objects(hosts.size());
  std::vector<std::string> errors(hosts.size());
  parallelFor(0, hosts.size(), [&](size_t i) {
    if (auto object = compile(*hosts[i]))
      objects[i] = std::move(*object);
    else
      errors[i] = toString(object.takeError());
  });
  for (const std::string &error : errors)
    if (!error.empty())
      return fail(createStringError("%s", error.c_str()));
  if (Error error = link(objects, runtime, output))
    return fail(std::move(error));
  return 0;
}
