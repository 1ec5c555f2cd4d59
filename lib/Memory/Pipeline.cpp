// The Memory stage: its passes in order, as the named pipeline coat-stage-memory.
#include "coat/Memory/Passes.h"

using namespace mlir;

void coat::buildMemoryPipeline(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createExpandCopies());
  pm.addNestedPass<func::FuncOp>(createPlanWeights());
  pm.addPass(createPlanScratch());
  pm.addPass(createJoinLaunches());
  // Last, because nothing may move any more: the order of the launches is the order of the lifetimes.
  pm.addNestedPass<func::FuncOp>(createPlanWorkspace());
}
