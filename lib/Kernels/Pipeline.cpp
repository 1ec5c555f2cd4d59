// The Kernels stage: its passes in order, as the named pipeline coat-stage-kernels.
#include "coat/Kernels/Passes.h"

using namespace mlir;

void coat::buildKernelsPipeline(OpPassManager &pm) { (void)pm; }
