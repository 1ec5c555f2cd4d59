// The Reference stage: its passes in order, as the named pipeline coat-stage-reference.
#include "coat/Reference/Passes.h"

using namespace mlir;

void coat::buildReferencePipeline(OpPassManager &pm) { (void)pm; }
