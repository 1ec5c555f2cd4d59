// Recurrences along a sequence: formula ops.
#include "coat/Dialect/RecurrentOps.h"
#include "Shapes.h"
#include "coat/Dialect/ScalarLoops.h"

using namespace mlir;
using namespace coat;

#define GET_OP_CLASSES
#include "coat/Dialect/RecurrentOps.cpp.inc"

void CoatDialect::addRecurrentOps() {
  addOperations<
#define GET_OP_LIST
#include "coat/Dialect/RecurrentOps.cpp.inc"
      >();
}
