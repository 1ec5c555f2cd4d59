// LLVM module -> machine code. The pass pipelines and the spill count are those of one kernel; CompileKernels.cpp
// chooses.
//
// The code generator is set up by hand (instead of addPassesToEmitFile) because spills and frames have to be counted
// after register allocation and before the assembly printer frees the machine functions.
#include "Compile.h"
#include "llvm/Analysis/CGSCCPassManager.h"
#include "llvm/Analysis/RuntimeLibcallInfo.h"
#include "llvm/CodeGen/MachineFrameInfo.h"
#include "llvm/CodeGen/MachineFunctionPass.h"
#include "llvm/CodeGen/MachineLoopInfo.h"
#include "llvm/CodeGen/MachineModuleInfo.h"
#include "llvm/CodeGen/Passes.h"
#include "llvm/CodeGen/TargetInstrInfo.h"
#include "llvm/CodeGen/TargetPassConfig.h"
#include "llvm/CodeGen/TargetSubtargetInfo.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetLoweringObjectFile.h"
#include "llvm/Transforms/Instrumentation/AddressSanitizer.h"
#include <mutex>

using namespace llvm;
using namespace coat;

//===----------------------------------------------------------------------===//
// Counting
//===----------------------------------------------------------------------===//

namespace {
/// Adds up spills in innermost loops and finds the largest frame. A spill outside of the innermost loops costs nothing
/// that shows, so the register allocator's own per-function remarks would rank kernels wrongly.
class CountSpills : public MachineFunctionPass {
public:
  static char ID;
  CodeStatistics *statistics = nullptr;
  CountSpills() : MachineFunctionPass(ID) {}
  explicit CountSpills(CodeStatistics *statistics) : MachineFunctionPass(ID), statistics(statistics) {}

  void getAnalysisUsage(AnalysisUsage &usage) const override {
    usage.setPreservesAll();
    usage.addRequired<MachineLoopInfoWrapperPass>();
    MachineFunctionPass::getAnalysisUsage(usage);
  }

  bool runOnMachineFunction(MachineFunction &function) override {
    const TargetInstrInfo *instructions = function.getSubtarget().getInstrInfo();
    MachineLoopInfo &loops = getAnalysis<MachineLoopInfoWrapperPass>().getLI();
    for (MachineBasicBlock &block : function) {
      MachineLoop *loop = loops.getLoopFor(&block);
      if (!loop || !loop->isInnermost())
        continue;
      for (MachineInstr &instruction : block)
        statistics->innerSpills +=
            instruction.getSpillSize(instructions) || instruction.getFoldedSpillSize(instructions) ||
            instruction.getRestoreSize(instructions) || instruction.getFoldedRestoreSize(instructions);
    }
    uint64_t stack = function.getFrameInfo().getStackSize();
    if (stack > statistics->stack) {
      statistics->stack = stack;
      statistics->largestFrame = function.getName().str();
    }
    return false;
  }
};
char CountSpills::ID = 0;
} // namespace

Error coat::checkStack(const CodeStatistics &statistics, const EmitOptions &options) {
  const uint64_t limit = (options.sanitizeAddress ? 128 : 16) * 1024;
  if (statistics.stack <= limit)
    return Error::success();
  return createStringError("expected at most %llu bytes of stack in %s, got %llu", (unsigned long long)limit,
                           statistics.largestFrame.c_str(), (unsigned long long)statistics.stack);
}

Error coat::checkUndefined(StringRef object, StringRef what, const StringSet<> &known) {
  static const StringSet<> allowed = {"malloc", "free", "memcpy", "memmove", "memset", "_GLOBAL_OFFSET_TABLE_", ""};
  auto file = object::ObjectFile::createObjectFile(MemoryBufferRef(object, what));
  if (!file)
    return file.takeError();
  for (const object::SymbolRef &symbol : (*file)->symbols()) {
    Expected<uint32_t> flags = symbol.getFlags();
    Expected<StringRef> name = symbol.getName();
    if (!flags || !name)
      return joinErrors(flags.takeError(), name.takeError());
    if ((*flags & object::SymbolRef::SF_Undefined) && !allowed.contains(*name) && !known.contains(*name) &&
        !name->starts_with("__asan_"))
      return createStringError("expected %s to need no function of a library, got a call of %s", what.str().c_str(),
                               name->str().c_str());
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Target
//===----------------------------------------------------------------------===//

/// What the check at run time (enum coat_cpu_feature of runtime/model.h) does not cover must not be used, even where
/// the CPU named by -march has it: the code would stop with SIGILL on one that has not. None of it helps floating
/// point.
static constexpr StringLiteral unchecked =
    "-avx512vbmi,-avx512vbmi2,-avx512ifma,-avx512bitalg,-avx512vpopcntdq,-avx512vp2intersect,-gfni,-vaes,-vpclmulqdq,"
    "-avxifma,-avxvnniint8,-avxvnniint16,-avxneconvert,-sse4a,-fma4,-xop,-tbm,-sha,-aes,-pclmul,-adx,-amx-tile,-amx-"
    "int8,"
    "-amx-bf16,-amx-fp16";

Expected<std::unique_ptr<TargetMachine>> coat::makeTargetMachine(const EmitOptions &options, const IsaOptions &isa) {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
    InitializeAllAsmPrinters();
    InitializeAllAsmParsers();
  });
  Triple triple(options.triple);
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError("expected a target triple that LLVM knows, got '%s': %s", options.triple.c_str(),
                             error.c_str());
  StringRef cpu = isa.cpu.empty() ? isa.name : isa.cpu;
  std::string features = isa.features;
  if (triple.isX86())
    features += (features.empty() ? "" : ",") + unchecked.str();
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(
      triple, cpu, features, TargetOptions(), Reloc::PIC_, std::nullopt, CodeGenOptLevel::Aggressive));
  if (!machine || !machine->getMCSubtargetInfo()->isCPUStringValid(cpu))
    return createStringError("expected a CPU of %s, got '%s'", triple.getArchName().str().c_str(), cpu.str().c_str());
  return std::move(machine);
}

void coat::collectErrors(LLVMContext &context, std::string &complaint) {
  context.setDiagnosticHandlerCallBack(
      [](const DiagnosticInfo *info, void *out) {
        raw_string_ostream os(*static_cast<std::string *>(out));
        DiagnosticPrinterRawOStream printer(os);
        if (info->getSeverity() == DS_Error)
          info->print(printer);
      },
      &complaint);
}

//===----------------------------------------------------------------------===//
// Passes
//===----------------------------------------------------------------------===//

/// Checks of every access, by the runtime library of the program that links the model; no constructors.
static void sanitize(Module &module, ModulePassManager &passes) {
  for (Function &function : module)
    if (!function.isDeclaration())
      function.addFnAttr(Attribute::SanitizeAddress);
  passes.addPass(AddressSanitizerPass(AddressSanitizerOptions(), /*UseGlobalGC=*/false, /*UseOdrIndicator=*/false,
                                      AsanDtorKind::None, AsanCtorKind::None));
}

void coat::optimize(Module &module, TargetMachine &machine, Effort effort, const EmitOptions &options) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = effort == Effort::full;
  PassBuilder builder(&machine, tuning);
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  ModulePassManager passes;
  if (effort == Effort::glue)
    cantFail(builder.parsePassPipeline(passes, "globaldce,ipsccp,function(sroa,early-cse,simplifycfg),globaldce"));
  else if (effort == Effort::light)
    cantFail(builder.parsePassPipeline(passes, "function(sroa,early-cse,loop-mssa(licm))"));
  else
    passes =
        builder.buildPerModuleDefaultPipeline(effort == Effort::small ? OptimizationLevel::Os : OptimizationLevel::O3);
  if (options.sanitizeAddress)
    sanitize(module, passes);
  passes.run(module, modules);
}

Expected<MachineCode> coat::generate(Module &module, TargetMachine &machine, CodeGenFileType type) {
  MachineCode code;
  raw_svector_ostream os(code.bytes);
  legacy::PassManager passes;
  // Without it no function of a library is known to exist, and every memcpy and memset becomes a loop over bytes.
  passes.add(new RuntimeLibraryInfoWrapper(machine.getTargetTriple()));
  auto *info = new MachineModuleInfoWrapperPass(&machine);
  TargetPassConfig *config = machine.createPassConfig(passes);
  passes.add(config);
  passes.add(info);
  if (config->addISelPasses())
    return createStringError("expected an instruction selector for %s", machine.getTargetTriple().str().c_str());
  config->addMachinePasses();
  config->setInitialized();
  passes.add(new CountSpills(&code.statistics));
  MCContext &context = info->getMMI().getContext();
  machine.getObjFileLowering()->Initialize(context, machine);
  if (machine.addAsmPrinter(passes, os, nullptr, type, context))
    return createStringError("expected a code emitter for %s", machine.getTargetTriple().str().c_str());
  passes.add(createFreeMachineFunctionPass());
  passes.run(module);
  return std::move(code);
}
