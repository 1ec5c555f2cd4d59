// The journey of a model after Import: which stages run, in which order, and why in this order.
#include "coat/Pipeline/Pipeline.h"
#include "coat/Dialect/Coat.h"
#include "coat/Graph/Passes.h"
#include "coat/Kernels/Passes.h"
#include "coat/Layout/Passes.h"
#include "coat/Lower/NVGPU/Passes.h"
#include "coat/Lower/Passes.h"
#include "coat/Memory/Passes.h"
#include "coat/Reference/Passes.h"
#include "coat/Tile/Passes.h"
#include "coat/Vector/Passes.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;

namespace {
struct Stage {
  const char *name;
  const char *summary;
  void (*build)(OpPassManager &, const coat::CompileOptions &);
};

// The stages that ask for no option.
template <void (*build)(OpPassManager &)> void plain(OpPassManager &pm, const coat::CompileOptions &) { build(pm); }

// Whether a sum may be taken in another order than its loop's, or a product moved into a weight.
bool mayRound(const coat::CompileOptions &options) { return options.floats != coat::FloatModel::strict; }

void lower(OpPassManager &pm, const coat::CompileOptions &options) {
  coat::buildLowerCPUPipeline(
      pm, {/*strict=*/!mayRound(options), /*fast=*/options.floats == coat::FloatModel::fast, options.debugLines});
}

// -O1 and above.
constexpr Stage optimizing[] = {
    // Recognition first: it wants one op a node, before layouts and fusion blur the spelling.
    {"graph", "recognise, fold and clean the graph",
     [](OpPassManager &pm, const coat::CompileOptions &o) { coat::buildGraphPipeline(pm, mayRound(o)); }},
    // Layouts are chosen over the whole graph, so before it is cut into kernels.
    {"layout", "channels-last, explicit pads, packed weights, schedules",
     [](OpPassManager &pm, const coat::CompileOptions &o) {
       coat::buildLayoutPipeline(
           pm, {o.cpu, /*winograd=*/o.optLevel > 1 && !o.smallest && mayRound(o), o.tuning, o.variant});
     }},
    {"kernels", "group ops, outline kernels, share equal ones",
     [](OpPassManager &pm, const coat::CompileOptions &o) { coat::buildKernelsPipeline(pm, o.optLevel > 1); }},
    // From here on each kernel is on its own.
    {"tile", "tasks and register tiles", plain<coat::buildTilePipeline>},
    {"vector", "microkernels and loops, bufferized",
     [](OpPassManager &pm, const coat::CompileOptions &o) { coat::buildVectorPipeline(pm, mayRound(o)); }},
    {"memory", "one arena, one weight blob, per-worker scratch", plain<coat::buildMemoryPipeline>},
    {"lower", "LLVM dialect", lower},
};

// -O0: every op by its formula; only the last two stages are shared.
constexpr Stage reference[] = {
    {"reference", "scalar loops from the definition of each op",
     [](OpPassManager &pm, const coat::CompileOptions &) {
       coat::buildMeaningPipeline(pm);
       coat::buildReferencePipeline(pm);
     }},
    {"memory", "one arena, one weight blob, per-worker scratch", plain<coat::buildMemoryPipeline>},
    {"lower", "LLVM dialect", lower},
};

// --device=cuda, at every -O. What the stages share with CPUs they do in the same way.
constexpr Stage cuda[] = {
    {"graph", "recognise, fold and clean the graph",
     [](OpPassManager &pm, const coat::CompileOptions &o) { coat::buildGraphPipeline(pm, mayRound(o)); }},
    {"layout-gpu", "channels-last; what has no kernel on GPUs as what has",
     [](OpPassManager &pm, const coat::CompileOptions &o) { coat::buildGpuLayoutPipeline(pm, o.dtype); }},
    {"kernels", "group ops, outline kernels, share equal ones",
     [](OpPassManager &pm, const coat::CompileOptions &o) { coat::buildKernelsPipeline(pm, o.optLevel > 1); }},
    // From here on each kernel is on its own.
    {"nvgpu", "GPU kernels of the LLVM and NVVM dialects",
     [](OpPassManager &pm, const coat::CompileOptions &o) {
       coat::buildNVGPUPipeline(
           pm, {o.gpuArchs, o.tf32, /*strict=*/!mayRound(o), /*fast=*/o.floats == coat::FloatModel::fast});
     }},
    {"memory", "one arena, one weight blob", plain<coat::buildMemoryPipeline>},
    {"lower", "the host's launch list in the LLVM dialect", plain<coat::buildLowerDevicePipeline>},
};

ArrayRef<Stage> stages(const coat::CompileOptions &options) {
  if (options.device == coat::Device::cuda)
    return cuda;
  return options.optLevel == 0 ? ArrayRef<Stage>(reference) : ArrayRef<Stage>(optimizing);
}
} // namespace

void coat::registerDialects(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registry.insert<CoatDialect>();
}

void coat::registerPassesAndPipelines() {
  registerCoatGraphPasses();
  registerCoatLayoutPasses();
  registerCoatKernelsPasses();
  registerCoatTilePasses();
  registerCoatVectorPasses();
  registerCoatMemoryPasses();
  registerCoatLowerPasses();
  registerCoatNVGPUPasses();
  registerCoatReferencePasses();
  auto add = [](const Stage &stage) {
    PassPipelineRegistration<>(("coat-stage-" + Twine(stage.name)).str(), stage.summary,
                               [build = stage.build](OpPassManager &pm) { build(pm, CompileOptions()); });
  };
  llvm::for_each(optimizing, add);
  add(reference[0]);
  add(cuda[1]);
  add(cuda[3]);
}

std::vector<std::string> coat::stageNames(const CompileOptions &options) {
  std::vector<std::string> names;
  for (const Stage &stage : stages(options))
    names.push_back(stage.name);
  return names;
}

void coat::buildPipeline(OpPassManager &pm, const CompileOptions &options) {
  bool on = options.startAt.empty();
  for (const Stage &stage : stages(options)) {
    on |= options.startAt == stage.name;
    if (on)
      stage.build(pm, options);
    if (options.stopAfter == stage.name)
      return;
  }
}
