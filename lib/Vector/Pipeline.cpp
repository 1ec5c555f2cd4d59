// The Vector stage: its passes in order, as the named pipeline coat-stage-vector.
#include "coat/Tile/Passes.h"
#include "coat/Vector/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

/// One sweep over the kernel, which is all that the emitters leave to do: looking for a fixed point takes three times
/// as long.
static std::unique_ptr<Pass> createCleanUp() {
  return createCanonicalizerPass(
      GreedyRewriteConfig().setMaxIterations(1).setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled));
}

void coat::buildVectorPipeline(OpPassManager &pm, bool mayRound) {
  OpPassManager &kernel = pm.nest<func::FuncOp>();
  // A result is computed in the place it is stored to. Before the emitters, while there is little to analyse.
  kernel.addPass(bufferization::createEmptyTensorEliminationPass());
  // On tensors: values, not places, so that nothing is stored only to be loaded again.
  kernel.addPass(createEmitProducts());
  kernel.addPass(createEmitPools({/*orderedSums=*/!mayRound}));
  // The online softmax rescales its sums on the way; the plain one below does not.
  if (mayRound)
    kernel.addPass(createEmitAttention());
  // Emitters write indices anew for each access; one of each makes all that follows cheaper.
  kernel.addPass(createCSEPass());
  // What no microkernel took.
  kernel.addPass(createLowerToLinalg());
  kernel.addPass(createVectorizeElementwise());
  kernel.addPass(createCleanUp());
  pm.addPass(createBufferize());
  OpPassManager &buffers = pm.nest<func::FuncOp>();
  buffers.addPass(createCSEPass()); // a copy onto itself shows only after it
  buffers.addPass(createCleanUp());
  buffers.addPass(createLinalgToLoops({/*orderedSums=*/!mayRound}));
  buffers.addPass(createCleanUp()); // buffers that only gave a loop its extent
  buffers.addPass(createCSEPass());
  buffers.addPass(createCheckKernels());
}
