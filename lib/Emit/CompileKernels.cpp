// Each kernel through LLVM on its own: an LLVMContext each, so that all cores work, and so that the choice of passes is
// one of the kernel and not of the model.
//
// A kernel that consists of vector code was written instruction by instruction by the Vector stage; -O3 reorders it,
// now for better and now for worse. So the light pipeline comes first, -O3 (without vectorizers) is tried where that
// spilled registers in an innermost loop, and the one with fewer such spills is taken. Scalar kernels get all of -O3.
#include "CompileKernels.h"
#include "LegalizeX86.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include <mutex>

using namespace llvm;
using namespace coat;

std::string coat::isaSuffix(const EmitOptions &options, const IsaOptions &isa) {
  if (options.isas.size() < 2)
    return "";
  std::string suffix = "_" + isa.name;
  for (char &c : suffix)
    c = isAlnum(c) ? c : '_';
  return suffix;
}

namespace {
/// A kernel with the globals it refers to, alone in a module.
mlir::OwningOpRef<mlir::ModuleOp> isolate(mlir::LLVM::LLVMFuncOp kernel, mlir::ModuleOp from) {
  mlir::OpBuilder b(kernel.getContext());
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(b, kernel.getLoc());
  b.setInsertionPointToEnd(module->getBody());
  StringSet<> done;
  auto uses = mlir::SymbolTable::getSymbolUses(kernel);
  for (const mlir::SymbolTable::SymbolUse &use : *uses) {
    StringRef name = use.getSymbolRef().getRootReference().getValue();
    mlir::Operation *symbol = from.lookupSymbol(name);
    if (!symbol || symbol == kernel || !done.insert(name).second)
      continue;
    mlir::Operation *copy = b.clone(*symbol);
    if (auto global = dyn_cast<mlir::LLVM::GlobalOp>(copy))
      global.setLinkage(mlir::LLVM::Linkage::Internal);
  }
  b.clone(*kernel);
  return module;
}

bool hasVectors(const Module &module) {
  for (const Function &function : module)
    for (const Instruction &instruction : instructions(function))
      if (instruction.getType()->isVectorTy())
        return true;
  return false;
}

class KernelCompiler {
public:
  KernelCompiler(const EmitOptions &options, bool keepBitcode) : options(options), keepBitcode(keepBitcode) {}

  /// Appends the code of one kernel, ISA by ISA.
  Error compile(mlir::ModuleOp isolated, StringRef name, MutableArrayRef<CompiledKernel> results) const {
    LLVMContext context;
    std::string complaint;
    collectErrors(context, complaint);
    std::unique_ptr<Module> module = mlir::translateModuleToLLVMIR(isolated, context, name);
    if (!module)
      return createStringError("expected kernel %s to translate to LLVM IR", name.str().c_str());
    for (auto [isa, result] : llvm::zip(options.isas, results)) {
      std::unique_ptr<Module> copy = CloneModule(*module);
      Function *function = copy->getFunction(name);
      result.name = (name + isaSuffix(options, isa)).str();
      function->setName(result.name);
      function->setVisibility(GlobalValue::HiddenVisibility);
      function->setDSOLocal(true);
      function->addFnAttr(Attribute::NoUnwind);
      copy->setSourceFileName(result.name);
      if (Error error = compile(*copy, isa, result))
        return error;
      if (!complaint.empty())
        return createStringError("expected LLVM to compile kernel %s, got: %s", name.str().c_str(), complaint.c_str());
    }
    return Error::success();
  }

private:
  Error compile(Module &module, const IsaOptions &isa, CompiledKernel &result) const {
    auto machine = makeTargetMachine(options, isa);
    if (!machine)
      return machine.takeError();
    // Repeated on the function, so that it keeps its ISA when linked with others as LLVM IR.
    Function *function = module.getFunction(result.name);
    function->addFnAttr("target-cpu", (*machine)->getTargetCPU());
    function->addFnAttr("target-features", (*machine)->getTargetFeatureString());
    legalizeForX86(module, **machine);
    SmallVector<Effort> efforts = {options.smallest ? Effort::small : Effort::full};
    if (hasVectors(module))
      efforts = {Effort::light, Effort::fixed};
    else if (options.optLevel == 0)
      efforts = {Effort::fixed}; // the reference computes in the order of the formula, whatever LLVM may find
    std::optional<CodeStatistics> best;
    Effort chosen = efforts.front();
    for (Effort effort : efforts) {
      std::unique_ptr<Module> candidate = CloneModule(module);
      optimize(*candidate, **machine, effort, options);
      SmallString<0> bitcode;
      if (keepBitcode) {
        raw_svector_ostream os(bitcode);
        WriteBitcodeToFile(*candidate, os);
      }
      Expected<MachineCode> code = generate(*candidate, **machine, CodeGenFileType::ObjectFile);
      if (!code)
        return code.takeError();
      if (best && best->innerSpills <= code->statistics.innerSpills)
        continue;
      best = code->statistics;
      chosen = effort;
      result.object = std::move(code->bytes);
      result.bitcode = std::move(bitcode);
      if (best->innerSpills == 0)
        break;
    }
    if (options.verbose)
      report(result, chosen, *best);
    if (Error error = checkStack(*best, options))
      return error;
    return checkUndefined(result.object, "kernel " + result.name, {});
  }

  static void report(const CompiledKernel &kernel, Effort effort, const CodeStatistics &statistics) {
    static std::mutex mutex;
    std::lock_guard<std::mutex> lock(mutex);
    constexpr const char *names[] = {"light", "fixed", "full", "small"};
    errs() << formatv("{0,-24} {1,-6} {2,7} bytes, {3} spills in innermost loops, {4} bytes of stack\n", kernel.name,
                      names[int(effort)], kernel.object.size(), statistics.innerSpills, statistics.stack);
  }

  const EmitOptions &options;
  bool keepBitcode;
};
} // namespace

Expected<std::vector<CompiledKernel>> coat::compileKernels(mlir::ModuleOp lowered, const EmitOptions &options,
                                                           bool keepBitcode) {
  std::vector<std::string> names;
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> modules;
  for (auto function : lowered.getOps<mlir::LLVM::LLVMFuncOp>())
    if (function->hasAttr("coat.kernel")) {
      names.push_back(function.getName().str());
      modules.push_back(isolate(function, lowered));
    }
  size_t isas = options.isas.size();
  std::vector<CompiledKernel> kernels(names.size() * isas);
  std::vector<Error> errors;
  for (size_t i = 0; i < names.size(); i++)
    errors.push_back(Error::success());
  KernelCompiler compiler(options, keepBitcode);
  DefaultThreadPool pool(hardware_concurrency(options.jobs));
  for (size_t i = 0; i < names.size(); i++)
    pool.async([&, i] {
      Error error = compiler.compile(*modules[i], names[i], MutableArrayRef(kernels).slice(i * isas, isas));
      cantFail(std::move(errors[i]));
      errors[i] = std::move(error);
    });
  pool.wait();
  // All kernels' errors: they tend to be several of one kind.
  Error all = Error::success();
  for (Error &error : errors)
    all = joinErrors(std::move(all), std::move(error));
  if (all)
    return std::move(all);
  return std::move(kernels);
}
