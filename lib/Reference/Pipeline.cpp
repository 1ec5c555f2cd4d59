// The Reference stage: its passes in order, as the named pipeline coat-stage-reference.
#include "coat/Reference/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void coat::buildReferencePipeline(OpPassManager &pm) {
  pm.addPass(createReference());
  // Formulas repeat constants, sizes and loads; these passes know nothing of coat, so the oracle stays independent.
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createLoopInvariantCodeMotionPass());
}
