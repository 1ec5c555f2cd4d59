// From the LLVM dialect to a shared library: LLVM at -O1 for the CPU at hand, then lld.
#include "coat/Emulate/Host.h"
#include "lld/Common/Driver.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

LLD_HAS_DRIVER(elf)

using namespace llvm;

static Expected<std::unique_ptr<TargetMachine>> makeMachine() {
  static bool initialised = [] { return InitializeNativeTarget() || InitializeNativeTargetAsmPrinter(); }();
  (void)initialised;
  Triple triple(sys::getDefaultTargetTriple());
  std::string error, features;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError("%s", error.c_str());
  for (auto &[name, has] : sys::getHostCPUFeatures())
    features += std::string(features.empty() ? "" : ",") + (has ? "+" : "-") + name.str();
  TargetOptions options;
  options.AllowFPOpFusion = FPOpFusion::Strict; // as ptxas is asked: a multiply and an add are two roundings
  return std::unique_ptr<TargetMachine>(target->createTargetMachine(
      triple, sys::getHostCPUName(), features, options, Reloc::PIC_, std::nullopt, CodeGenOptLevel::Default));
}

static void optimize(Module &module, TargetMachine &machine) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager sccs;
  ModuleAnalysisManager modules;
  PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  builder.buildPerModuleDefaultPipeline(OptimizationLevel::O1).run(module, modules);
}

Expected<SmallString<0>> coat::emulate::compile(mlir::ModuleOp host) {
  LLVMContext context;
  std::unique_ptr<Module> module = mlir::translateModuleToLLVMIR(host, context);
  if (!module)
    return createStringError("expected kernels that LLVM can represent");
  auto machine = makeMachine();
  if (!machine)
    return machine.takeError();
  module->setTargetTriple((*machine)->getTargetTriple());
  module->setDataLayout((*machine)->createDataLayout());
  optimize(*module, **machine);
  SmallString<0> object;
  raw_svector_ostream stream(object);
  legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr, CodeGenFileType::ObjectFile))
    return createStringError("expected a target that writes objects");
  passes.run(*module);
  return object;
}

Error coat::emulate::link(ArrayRef<SmallString<0>> objects, StringRef runtime, StringRef output) {
  std::vector<std::string> arguments = {"ld.lld", "-shared", "-o", output.str()};
  std::vector<FileRemover> temporary(objects.size());
  for (auto [remover, object] : zip(temporary, objects)) {
    SmallString<128> path;
    int descriptor;
    if (std::error_code error = sys::fs::createTemporaryFile("coat-emulate", "o", descriptor, path))
      return createFileError(path, error);
    remover.setFile(path);
    raw_fd_ostream(descriptor, true) << object;
    arguments.push_back(path.str().str());
  }
  arguments.push_back(runtime.str()); // no SONAME: its path is remembered
  std::vector<const char *> raw;
  for (const std::string &argument : arguments)
    raw.push_back(argument.c_str());
  std::string messages;
  raw_string_ostream stream(messages);
  lld::Result result = lld::lldMain(raw, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode)
    return createStringError("expected the kernels to link: %s", messages.c_str());
  return Error::success();
}
