// The Layout stage: its passes in order.
#include "coat/Graph/Passes.h"
#include "coat/Layout/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void coat::buildLayoutPipeline(OpPassManager &pm, const LayoutOptions &options) {
  OpPassManager &entry = pm.nest<func::FuncOp>();
  entry.addPass(createCoatChannelsLast());
  // A flatten in front of a dense layer permutes the layer's weights instead of the image.
  entry.addPass(createCoatSimplifyMovement());
  // Constants transposed on the way fold here; equal ones merge.
  entry.addPass(createCoatFoldConstants());
  entry.addPass(createCanonicalizerPass());
  entry.addPass(createCSEPass());
  // Before pointwise: a padded 1x1 convolution becomes one without pads.
  entry.addPass(createCoatExplicitPads());
  entry.addPass(createCoatPointwiseToMatmul());
  entry.addPass(createCanonicalizerPass());
  entry.addPass(createCSEPass());
  // Before weights are packed: it transforms them.
  if (options.winograd)
    entry.addPass(createCoatWinograd({options.cpu}));
  entry.addPass(createCoatExpandAttention());
  // Weights last: nothing behind it looks inside them.
  entry.addPass(createCoatPackWeights());
  entry.addPass(createCoatSplitCaches());
  entry.addPass(createCoatSplitBatch({options.cpu}));
  entry.addPass(createCanonicalizerPass());
  entry.addPass(createCoatAssignSchedules({options.cpu, options.tuning, options.variant}));
}

void coat::buildGpuLayoutPipeline(OpPassManager &pm, StringRef dtype) {
  OpPassManager &entry = pm.nest<func::FuncOp>();
  if (!dtype.empty())
    entry.addPass(createCoatLowerPrecision({dtype.str()}));
  entry.addPass(createCoatChannelsLast());
  entry.addPass(createCoatSimplifyMovement());
  entry.addPass(createCoatFoldConstants());
  entry.addPass(createCanonicalizerPass());
  entry.addPass(createCSEPass());
  entry.addPass(createCoatPointwiseToMatmul());
  entry.addPass(createCanonicalizerPass());
  entry.addPass(createCSEPass());
  entry.addPass(createCoatExpandAttention());
  entry.addPass(createCoatSplitCaches());
  entry.addPass(createCanonicalizerPass());
  // Last: nothing behind it joins conversions that are equal.
  entry.addPass(createCoatNarrowStorage());
  entry.addPass(createCoatOrderFilters());
}
