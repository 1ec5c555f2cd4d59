// The Kernels stage: its passes in order.
#include "coat/Kernels/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void coat::buildKernelsPipeline(OpPassManager &pm, bool fuse) {
  pm.addPass(createCoatOutlineKernels({fuse}));
  // Merging before anything is tiled: each distinct kernel is then transformed once.
  pm.addPass(createCoatMergeKernels());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}
