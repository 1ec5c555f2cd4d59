// The NVGPU stage: its passes in order, as the named pipeline coat-stage-nvgpu.
#include "coat/Lower/NVGPU/Passes.h"
#include "coat/Lower/Passes.h"
#include "coat/Tile/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

static std::unique_ptr<Pass> createCleanUp() {
  return createCanonicalizerPass(
      GreedyRewriteConfig().setMaxIterations(1).setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled));
}

/// scf, arith, math and vector -> what the LLVM dialect has. Arithmetic of 16-bit floats happens in f32, as on CPUs.
static void addConversions(OpPassManager &func, const coat::NVGPUOptions &options) {
  func.addPass(createCSEPass());
  func.addPass(createCleanUp());
  func.addPass(createLoopInvariantCodeMotionPass());
  // Before functions become polynomials, for the flags that ask for a short one; after, for their multiply-adds.
  if (options.strict)
    func.addPass(coat::createStrictFloats());
  func.addPass(coat::createLowerMath({options.fast}));
  if (options.strict)
    func.addPass(coat::createStrictFloats());
  func.addPass(createLowerAffinePass());
  arith::ArithEmulateUnsupportedFloatsOptions emulate;
  emulate.sourceTypeStrs = {"bf16", "f16"};
  emulate.targetTypeStr = "f32";
  func.addPass(arith::createArithEmulateUnsupportedFloats(emulate));
  func.addPass(arith::createArithExpandOpsPass());
  func.addPass(createCSEPass());
  func.addPass(createSCFToControlFlowPass());
  func.addPass(createConvertVectorToLLVMPass());
  ConvertToLLVMPassOptions rest;
  rest.filterDialects = {"arith", "cf", "index", "math", "ub"};
  func.addPass(createConvertToLLVMPass(rest));
  func.addPass(createReconcileUnrealizedCastsPass());
}

void coat::buildNVGPUPipeline(OpPassManager &pm, const NVGPUOptions &options) {
  // Emitters of products look for a product and what is done to each of its elements.
  pm.nest<func::FuncOp>().addPass(createFuseEpilogues());
  EmitGpuKernelsOptions emit;
  emit.archs.assign(options.archs.begin(), options.archs.end());
  emit.tf32 = options.tf32;
  emit.strict = options.strict;
  pm.addPass(createEmitGpuKernels(emit));
  OpPassManager &modules = pm.nest<gpu::GPUModuleOp>();
  addConversions(modules.nest<func::FuncOp>(), options);
  modules.addPass(createFinishGpuKernels());
  modules.addPass(createCheckAsync());
}
