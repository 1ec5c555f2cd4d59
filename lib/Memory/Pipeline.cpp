// The Memory stage: its passes in order, as the named pipeline coat-stage-memory.
#include "coat/Memory/Passes.h"

using namespace mlir;

void coat::buildMemoryPipeline(OpPassManager &pm) { (void)pm; }
