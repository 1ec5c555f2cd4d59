// Quantization and integer products.
#include "coat/Dialect/QuantOps.h"
#include "Shapes.h"
#include "coat/Dialect/ScalarLoops.h"

using namespace mlir;
using namespace coat;

#define GET_OP_CLASSES
#include "coat/Dialect/QuantOps.cpp.inc"

void CoatDialect::addQuantOps() {
  addOperations<
#define GET_OP_LIST
#include "coat/Dialect/QuantOps.cpp.inc"
      >();
}
