// GPU kernels: LLVM and NVVM dialects -> LLVM IR -> PTX, in this process; -> cubin, by ptxas. A thread of the compiler
// a kernel, an LLVMContext each.
//
// The version of PTX is fixed, whatever LLVM or the driver at hand would know: 8.0, which drivers know from CUDA 12.0
// on.
#include "coat/Emit/AssembleKernels.h"
#include "Compile.h"
#include "Ptxas.h"
#include "mlir/Conversion/NVVMToLLVM/NVVMToLLVM.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/ThreadPool.h"
#include <mutex>

using namespace llvm;
using namespace coat;

static StringRef archOf(mlir::gpu::GPUModuleOp module) {
  auto targets = module.getTargetsAttr();
  return cast<mlir::NVVM::NVVMTargetAttr>(targets[0]).getChip();
}

static Expected<std::unique_ptr<TargetMachine>> machineOf(StringRef arch) {
  EmitOptions options;
  options.triple = "nvptx64-nvidia-cuda";
  return makeTargetMachine(options, {arch.str(), "", "+ptx80"});
}

static Expected<std::unique_ptr<Module>> translate(mlir::gpu::GPUModuleOp module, LLVMContext &context) {
  std::unique_ptr<Module> result = mlir::translateModuleToLLVMIR(module, context, module.getName());
  if (!result)
    return createStringError("expected kernel %s to translate to LLVM IR", module.getName().str().c_str());
  return std::move(result);
}

static Expected<std::string> ptxOf(Module &module, StringRef arch) {
  Expected<std::unique_ptr<TargetMachine>> machine = machineOf(arch);
  if (!machine)
    return machine.takeError();
  optimize(module, **machine, Effort::fixed, {});
  Expected<MachineCode> code = generate(module, **machine, CodeGenFileType::AssemblyFile);
  if (!code)
    return code.takeError();
  return std::string(code->bytes);
}

static void registerTranslations(mlir::MLIRContext &context) {
  mlir::registerBuiltinDialectTranslation(context);
  mlir::registerLLVMDialectTranslation(context);
  mlir::registerNVVMDialectTranslation(context);
  mlir::registerGPUDialectTranslation(context);
}

/// A copy of the module in which the ops of NVVM that LLVM has no intrinsics for are PTX.
static Expected<mlir::OwningOpRef<mlir::ModuleOp>> withInlinePtx(mlir::ModuleOp lowered) {
  mlir::OwningOpRef<mlir::ModuleOp> copy = mlir::ModuleOp::create(lowered.getLoc());
  mlir::OpBuilder builder(copy->getBodyRegion());
  for (auto module : lowered.getOps<mlir::gpu::GPUModuleOp>())
    builder.clone(*module);
  mlir::PassManager passes(lowered.getContext());
  passes.nest<mlir::gpu::GPUModuleOp>().addPass(mlir::createConvertNVVMToLLVMPass());
  if (failed(passes.run(*copy)))
    return createStringError("expected ops of NVVM that PTX has");
  return std::move(copy);
}

static void report(const DeviceKernel &kernel, ArrayRef<std::string> warnings) {
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  errs() << formatv(
      "{0,-24} {1,3} registers, {2} bytes of spills, {3} bytes of stack, {4} bytes of shared memory, {5} bytes\n",
      kernel.kernel + "_" + kernel.arch, kernel.registers, kernel.spills, kernel.stack,
      kernel.shared + kernel.staticShared, kernel.cubin.size());
  for (const std::string &line : warnings)
    errs() << "  " << line << "\n";
}

static Error assemble(mlir::gpu::GPUModuleOp module, StringRef ptxas, bool verbose, DeviceKernel &kernel) {
  LLVMContext context;
  std::string complaint;
  collectErrors(context, complaint);
  auto llvmModule = translate(module, context);
  if (!llvmModule)
    return llvmModule.takeError();
  Expected<std::string> ptx = ptxOf(**llvmModule, kernel.arch);
  if (!ptx)
    return ptx.takeError();
  if (!complaint.empty())
    return createStringError("expected LLVM to compile %s, got: %s", module.getName().str().c_str(), complaint.c_str());
  kernel.ptx = std::move(*ptx);
  Expected<Assembled> assembled = runPtxas(ptxas, kernel.ptx, kernel.arch, module.getName());
  if (!assembled)
    return assembled.takeError();
  kernel.cubin = std::move(assembled->cubin);
  kernel.registers = assembled->registers;
  kernel.spills = assembled->spills;
  kernel.stack = assembled->stack;
  kernel.staticShared = assembled->shared;
  if (verbose)
    report(kernel, assembled->warnings);
  return Error::success();
}

Error coat::assembleKernels(mlir::ModuleOp lowered, const EmitOptions &options, std::vector<DeviceKernel> &kernels) {
  registerTranslations(*lowered.getContext());
  Expected<std::string> ptxas = findPtxas(options);
  if (!ptxas)
    return ptxas.takeError();
  auto code = withInlinePtx(lowered);
  if (!code)
    return code.takeError();
  mlir::SymbolTable symbols(code->get());
  std::vector<Error> errors;
  for (size_t i = 0; i < kernels.size(); ++i)
    errors.push_back(Error::success());
  DefaultThreadPool pool(hardware_concurrency(options.jobs));
  for (auto [kernel, slot] : zip_equal(kernels, errors)) {
    auto module = symbols.lookup<mlir::gpu::GPUModuleOp>(kernel.kernel + "_" + kernel.arch);
    pool.async([&kernel = kernel, &slot = slot, module, &ptxas, &options] {
      Error error = assemble(module, *ptxas, options.verbose, kernel);
      cantFail(std::move(slot));
      slot = std::move(error);
    });
  }
  pool.wait();
  Error all = Error::success();
  for (Error &error : errors)
    all = joinErrors(std::move(all), std::move(error));
  return all;
}

Expected<std::string> coat::assembleTogether(mlir::ModuleOp lowered, const EmitOptions &options, bool cubin) {
  registerTranslations(*lowered.getContext());
  LLVMContext context;
  std::string complaint, arch;
  collectErrors(context, complaint);
  auto code = withInlinePtx(lowered);
  if (!code)
    return code.takeError();
  Module whole("coat", context);
  for (auto module : (*code)->getOps<mlir::gpu::GPUModuleOp>()) {
    if (!arch.empty() && arch != archOf(module))
      return createStringError("expected one architecture by --gpu-arch for .ptx and .cubin, got %s and %s",
                               arch.c_str(), archOf(module).str().c_str());
    arch = archOf(module);
    auto part = translate(module, context);
    if (!part)
      return part.takeError();
    if (Linker::linkModules(whole, std::move(*part)))
      return createStringError("expected kernel %s to link", module.getName().str().c_str());
  }
  if (arch.empty())
    return createStringError("expected kernels for GPUs, got none");
  Expected<std::string> ptx = ptxOf(whole, arch);
  if (!ptx || !complaint.empty())
    return ptx ? createStringError("expected LLVM to compile kernels, got: %s", complaint.c_str()) : ptx.takeError();
  if (!cubin)
    return ptx;
  Expected<std::string> ptxas = findPtxas(options);
  if (!ptxas)
    return ptxas.takeError();
  Expected<Assembled> assembled = runPtxas(*ptxas, *ptx, arch, "the kernels");
  if (!assembled)
    return assembled.takeError();
  return std::move(assembled->cubin);
}
