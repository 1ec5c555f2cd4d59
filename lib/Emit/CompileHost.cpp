// The host module: the launch list of every ISA, the runtime's bitcode and the tables, linked and optimized as one, so
// that LLVM specialises the argument checks of model.c for the model's constant tables.
#include "CompileHost.h"
#include "CompileKernels.h"
#include "DeviceTables.h"
#include "Tables.h"
#include "embedded.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Transforms/IPO/Internalize.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace llvm;
using namespace coat;

std::string coat::weightsSymbol(const ModelDescription &model) { return model.name + "_weights"; }

namespace {
/// How model.c names what becomes <model>_<rest>.
constexpr StringLiteral exportPrefix = "coat_export_";
constexpr StringLiteral loaderName = "coat_model_v1";

/// The functions of the runtime that bodies call.
constexpr StringLiteral launchers[] = {"coat_parallel", "coat_cuda_launch"};

/// The functions of `lowered` that are not kernels; kernels stay as declarations, and those of GPUs away.
std::unique_ptr<Module> translateHost(mlir::ModuleOp lowered, LLVMContext &context) {
  mlir::OpBuilder b(lowered.getContext());
  mlir::OwningOpRef<mlir::ModuleOp> host = mlir::ModuleOp::create(b, lowered.getLoc());
  b.setInsertionPointToEnd(host->getBody());
  for (mlir::Operation &op : *lowered.getBody()) {
    auto function = dyn_cast<mlir::LLVM::LLVMFuncOp>(op);
    if (isa<mlir::gpu::GPUModuleOp>(op))
      continue;
    if (function && function->hasAttr("coat.kernel")) {
      auto declaration = cast<mlir::LLVM::LLVMFuncOp>(b.cloneWithoutRegions(op));
      declaration.setLinkage(mlir::LLVM::Linkage::External);
      declaration->setLoc(lowered.getLoc()); // lines (-g) are those of the definition
    } else {
      b.clone(op);
    }
  }
  return mlir::translateModuleToLLVMIR(*host, context, "host");
}

/// Adds the functions of `host` to `module`, renamed for `isa`. Returns the body.
Expected<Function *> linkBody(Module &module, const Module &host, const ModelDescription &model,
                              const std::string &suffix) {
  std::unique_ptr<Module> copy = CloneModule(host);
  for (Function &function : *copy)
    if (!is_contained(launchers, function.getName()) && !function.isIntrinsic()) {
      function.setName(function.getName() + suffix);
      if (function.isDeclaration()) {
        function.setVisibility(GlobalValue::HiddenVisibility);
        function.setDSOLocal(true);
      }
    }
  std::string body = model.name + "_body" + suffix;
  if (Linker::linkModules(module, std::move(copy)))
    return createStringError("expected the launch list to link with the runtime");
  Function *function = module.getFunction(body);
  if (!function || function->isDeclaration())
    return createStringError("expected a function %s, the launch list, in the lowered module", body.c_str());
  return function;
}

/// model.c or cuda.c for the architecture of `options`.
Expected<std::unique_ptr<Module>> readRuntime(const EmitOptions &options, bool onDevice, LLVMContext &context) {
  StringRef arch = Triple::getArchTypeName(Triple(options.triple).getArch());
  std::string_view bitcode = modelBitcode(std::string_view(arch.data(), arch.size()), onDevice);
  if (bitcode.empty())
    return createStringError("expected target x86_64 or aarch64, got %s", arch.str().c_str());
  return parseBitcodeFile(MemoryBufferRef(StringRef(bitcode.data(), bitcode.size()), "runtime"), context);
}

/// coat_export_run -> net_run; everything that nobody outside asks for becomes internal.
void nameAndHide(Module &module, const ModelDescription &model, bool loadable) {
  std::vector<std::string> exported = exportedNames(model, loadable);
  for (Function &function : module)
    if (function.getName().consume_front(exportPrefix))
      function.setName(model.name + "_" + function.getName().drop_front(exportPrefix.size()).str());
  internalizeModule(module, [&](const GlobalValue &value) { return is_contained(exported, value.getName()); });
  for (const std::string &name : exported)
    if (Function *function = module.getFunction(name))
      function->setVisibility(GlobalValue::DefaultVisibility);
}
} // namespace

std::vector<std::string> coat::exportedNames(const ModelDescription &model, bool loadable) {
  std::vector<std::string> names;
  for (StringRef name : {"run", "run_flat", "workspace_size", "info", "strerror", "state_size", "init", "fini"})
    names.push_back(model.name + "_" + name.str());
  if (loadable)
    names.push_back(loaderName.str());
  return names;
}

Expected<std::unique_ptr<TargetMachine>> coat::makeHostMachine(const EmitOptions &options) {
  return makeTargetMachine(options, {Triple(options.triple).isX86() ? "x86-64" : "generic", "", ""});
}

Expected<std::unique_ptr<Module>> coat::buildHost(mlir::ModuleOp lowered, const ModelDescription &model,
                                                  const EmitOptions &options, bool loadable, LLVMContext &context) {
  auto machine = makeHostMachine(options);
  if (!machine)
    return machine.takeError();
  auto module = readRuntime(options, model.onDevice, context);
  if (!module)
    return module.takeError();
  (*module)->setTargetTriple((*machine)->getTargetTriple());
  (*module)->setDataLayout((*machine)->createDataLayout());
  (*module)->setModuleIdentifier(model.name);
  (*module)->setSourceFileName(model.name);
  std::unique_ptr<Module> host = translateHost(lowered, context);
  if (!host)
    return createStringError("expected the launch list to translate to LLVM IR");
  host->setTargetTriple((*module)->getTargetTriple());
  host->setDataLayout((*module)->getDataLayout());
  SmallVector<Function *> bodies;
  if (model.onDevice) { // one body, whatever the CPU
    Expected<Function *> body = linkBody(**module, *host, model, "");
    if (!body)
      return body.takeError();
    if (Error error = addDeviceTables(**module, model, *body))
      return std::move(error);
  }
  for (const IsaOptions &isa : model.onDevice ? ArrayRef<IsaOptions>() : ArrayRef<IsaOptions>(options.isas)) {
    Expected<Function *> body = linkBody(**module, *host, model, isaSuffix(options, isa));
    if (!body)
      return body.takeError();
    bodies.push_back(*body);
  }
  GlobalVariable *weights = nullptr;
  if (!model.weights.empty() && !model.weightsInFile) {
    weights = new GlobalVariable(**module, ArrayType::get(Type::getInt8Ty(context), model.weightsSize), true,
                                 GlobalValue::ExternalLinkage, nullptr, weightsSymbol(model));
    weights->setVisibility(GlobalValue::HiddenVisibility);
    weights->setAlignment(Align(64));
  }
  if (Error error = addTables(**module, model, options, bodies, weights))
    return std::move(error);
  // Once a launch would make the body several times as large, for nothing that shows.
  for (StringRef launcher : launchers)
    if (Function *function = (*module)->getFunction(launcher))
      function->addFnAttr(Attribute::NoInline);
  nameAndHide(**module, model, loadable);
  // The runtime's bitcode was optimized when coat was built. Doing all of that anew doubles the time of a small model.
  optimize(**module, **machine, Effort::glue, options);
  return std::move(*module);
}
