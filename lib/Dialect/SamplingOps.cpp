// Ops that read an image at computed positions: formula ops.
#include "coat/Dialect/SamplingOps.h"
#include "Shapes.h"
#include "coat/Dialect/ScalarLoops.h"

using namespace mlir;
using namespace coat;

#define GET_OP_CLASSES
#include "coat/Dialect/SamplingOps.cpp.inc"

void CoatDialect::addSamplingOps() {
  addOperations<
#define GET_OP_LIST
#include "coat/Dialect/SamplingOps.cpp.inc"
      >();
}
