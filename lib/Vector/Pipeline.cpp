// The Vector stage: its passes in order, as the named pipeline coat-stage-vector.
#include "coat/Vector/Passes.h"

using namespace mlir;

void coat::buildVectorPipeline(OpPassManager &pm) { (void)pm; }
