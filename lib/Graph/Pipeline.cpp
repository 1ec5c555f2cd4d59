// The Graph stage: its passes in order, as the named pipeline coat-stage-graph.
#include "coat/Graph/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void coat::buildMeaningPipeline(OpPassManager &module) {
  OpPassManager &pm = module.nest<func::FuncOp>();
  pm.addPass(createCoatIntegerProducts());
  pm.addPass(createCoatWidenUnsigned());
}

void coat::buildGraphPipeline(OpPassManager &module, bool mayRound) {
  buildMeaningPipeline(module);
  OpPassManager &pm = module.nest<func::FuncOp>();
  auto cleanUp = [&] {
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createCSEPass());
  };
  // One node for one value: recognition asks whether two operands are the same.
  cleanUp();
  // Scales, exponents and masks become the numbers that recognition reads.
  pm.addPass(createCoatFoldConstants());
  // On the model's own spelling, before transposes move through the middle of one.
  pm.addPass(createCoatRecognizeActivations());
  pm.addPass(createCoatRecognizeNorms());
  // Keys are transposed by way of reshapes and slices; after it by one transpose.
  pm.addPass(createCoatSimplifyMovement());
  // Before biases are folded: a scale of q or k would vanish into a projection's weights.
  pm.addPass(createCoatRecognizeAttention());
  // After attention, whose operands need no spatial order; then what met cancels.
  pm.addPass(createCoatKeepChannelsLast());
  pm.addPass(createCoatSimplifyMovement());
  // Permuted per-channel constants are numbers again.
  pm.addPass(createCoatFoldConstants());
  // Recognition is done with the model's types.
  pm.addPass(createCoatWidenFloats());
  // Integer weights are numbers by now, and nothing was folded into them.
  pm.addPass(createCoatIntegersInFloats());
  pm.addPass(createCoatFoldConstants());
  // Only now does nothing stand between a conv and its batch norm or bias; batch norms first, because what they
  // expand to folds with the biases.
  if (mayRound) {
    pm.addPass(createCoatFoldBatchNorm());
    pm.addPass(createCoatFoldBias());
  }
  pm.addPass(createCoatFoldConstants());
  // Transposes and biases that stood inside a spelling are gone.
  pm.addPass(createCoatRecognizeActivations());
  cleanUp();
}
