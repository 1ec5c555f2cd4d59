// The Lower stage for CPUs: its passes in order.
#include "coat/Lower/Passes.h"

using namespace mlir;

void coat::buildLowerCPUPipeline(OpPassManager &pm) { (void)pm; }
