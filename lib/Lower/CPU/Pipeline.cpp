// The Lower stage for CPUs: its passes in order.
#include "coat/Lower/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

/// memref views, vectors, loops and affine arithmetic -> what the conversions to the LLVM dialect know.
static void addExpansions(OpPassManager &func, coat::LowerOptions options) {
  func.addPass(coat::createLowerCopies());
  func.addPass(createForallToForLoopPass());
  // Before functions become polynomials, for the flags that ask for a short one; after, for their multiply-adds.
  if (options.strict)
    func.addPass(coat::createStrictFloats());
  func.addPass(coat::createLowerMath({options.fast}));
  if (options.strict)
    func.addPass(coat::createStrictFloats());
  // Transfers of more than one dimension first: views of memrefs are folded into what remains.
  VectorTransferToSCFOptions unroll;
  unroll.enableFullUnroll();
  func.addPass(createConvertVectorToSCFPass(unroll));
  func.addPass(coat::createLowerBools());
  func.addPass(memref::createFoldMemRefAliasOpsPass());
  func.addPass(memref::createExpandOpsPass());
  func.addPass(memref::createExpandStridedMetadataPass());
  func.addPass(createLowerAffinePass());
  func.addPass(affine::createAffineExpandIndexOpsPass());
  func.addPass(createLowerAffinePass());
  // Half of the index arithmetic is there twice. One sweep does: LLVM cleans up, too.
  func.addPass(createCSEPass());
  func.addPass(createCanonicalizerPass(
      GreedyRewriteConfig().setMaxIterations(1).setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled)));
  func.addPass(createCSEPass());
  func.addPass(createLoopInvariantCodeMotionPass());
  // Arithmetic on 16-bit floats happens in f32; conversions of bf16 are shifts, those of f16 are instructions.
  arith::ArithEmulateUnsupportedFloatsOptions emulate;
  emulate.sourceTypeStrs = {"bf16", "f16"};
  emulate.targetTypeStr = "f32";
  func.addPass(arith::createArithEmulateUnsupportedFloats(emulate));
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  func.addPass(arith::createArithExpandOpsPass(expand));
  func.addPass(createSCFToControlFlowPass());
  // What needs no module is converted here, too, for the sake of all cores, and in one go. Vectors before the rest:
  // their pass also lowers transfers. No clean-up after it: LLVM's own is faster and runs anyway.
  func.addPass(createConvertVectorToLLVMPass());
  ConvertToLLVMPassOptions rest;
  rest.filterDialects = {"arith", "cf", "index", "math", "ub"};
  func.addPass(createConvertToLLVMPass(rest));
}

/// What is left of functions, memrefs and casts.
static void addFinish(OpPassManager &pm) {
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

void coat::buildLowerDevicePipeline(OpPassManager &pm) {
  pm.addPass(createLowerDeviceEntry());
  addExpansions(pm.nest<func::FuncOp>(), {});
  addFinish(pm);
}

void coat::buildLowerCPUPipeline(OpPassManager &pm, LowerOptions options) {
  // The entry before the kernels: a launch is checked against the memref types of its kernel.
  pm.addPass(createLowerTasks());
  pm.addPass(createLowerEntry());
  pm.addPass(createLowerKernels());
  addExpansions(pm.nest<func::FuncOp>(), options);
  addFinish(pm);
  if (options.debugLines)
    pm.addPass(LLVM::createDIScopeForLLVMFuncOpPass());
}
