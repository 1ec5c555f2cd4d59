// The Layout stage: its passes in order, as the named pipeline coat-stage-layout.
#include "coat/Layout/Passes.h"

using namespace mlir;

void coat::buildLayoutPipeline(OpPassManager &pm) { (void)pm; }
