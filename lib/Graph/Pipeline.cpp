// The Graph stage: its passes in order, as the named pipeline coat-stage-graph.
#include "coat/Graph/Passes.h"

using namespace mlir;

void coat::buildGraphPipeline(OpPassManager &pm) { (void)pm; }
