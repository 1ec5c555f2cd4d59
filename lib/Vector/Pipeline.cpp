// The Vector stage: its passes in order, as the named pipeline coat-stage-vector.
#include "coat/Tile/Passes.h"
#include "coat/Vector/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void coat::buildVectorPipeline(OpPassManager &pm, bool mayRound) {
  // On tensors: values, not places, so that nothing is stored only to be loaded again.
  pm.addNestedPass<func::FuncOp>(createEmitProducts());
  // The online softmax rescales its sums on the way; the plain one below does not.
  if (mayRound)
    pm.addNestedPass<func::FuncOp>(createEmitAttention());
  // What no microkernel took.
  pm.addPass(createLowerToLinalg());
  OpPassManager &tensors = pm.nest<func::FuncOp>();
  tensors.addPass(createVectorizeElementwise());
  tensors.addPass(createCanonicalizerPass());
  tensors.addPass(createCSEPass());
  // A result is computed in the place it is stored to.
  tensors.addPass(bufferization::createEmptyTensorEliminationPass());
  pm.addPass(bufferization::createOneShotBufferizePass());
  OpPassManager &memrefs = pm.nest<func::FuncOp>();
  memrefs.addPass(createCanonicalizerPass());
  memrefs.addPass(createCSEPass());
  memrefs.addPass(createCanonicalizerPass()); // a copy onto itself shows only after the CSE
  memrefs.addPass(createLinalgToLoops({/*orderedSums=*/!mayRound}));
  memrefs.addPass(createCanonicalizerPass()); // buffers that only gave a loop its extent
  memrefs.addPass(createCSEPass());
  memrefs.addPass(createCheckKernels());
}
