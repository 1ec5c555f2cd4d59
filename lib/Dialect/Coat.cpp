// Registration of the dialect; the op families have files of their own.
#include "Shapes.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace coat;

#include "coat/Dialect/CoatDialect.cpp.inc"
#include "coat/Dialect/CoatEnums.cpp.inc"
#include "coat/Dialect/Interfaces.cpp.inc"

/// `, reg = [1, 6], order = [1, 0],` with any of both left out: an optional group cannot begin with the comma that also
/// follows it.
static ParseResult parseOptionalTile(AsmParser &parser, StringRef name, SmallVector<int64_t> &values) {
  if (failed(parser.parseOptionalKeyword(name)))
    return success();
  auto parseOne = [&] { return parser.parseInteger(values.emplace_back()); };
  return failure(parser.parseEqual() || parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseOne) ||
                 parser.parseComma());
}

static ParseResult parseRegisterTile(AsmParser &parser, SmallVector<int64_t> &tile, SmallVector<int64_t> &order) {
  return failure(parser.parseComma() || parseOptionalTile(parser, "reg", tile) ||
                 parseOptionalTile(parser, "order", order));
}

static void printRegisterTile(AsmPrinter &printer, ArrayRef<int64_t> tile, ArrayRef<int64_t> order) {
  if (!tile.empty())
    printer << ", reg = [" << tile << "]";
  if (!order.empty())
    printer << ", order = [" << order << "]";
  printer << ",";
}

#define GET_ATTRDEF_CLASSES
#include "coat/Dialect/CoatAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "coat/Dialect/CoatOps.cpp.inc"

void CoatDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "coat/Dialect/CoatAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "coat/Dialect/CoatOps.cpp.inc"
      >();
  addIndexOps();
  addQuantOps();
  addRecurrentOps();
  addSamplingOps();
  addSequenceOps();
  attachMoveTilings(getContext());
}

Operation *CoatDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

int64_t coat::bytesOfOperandsAndResults(Operation *op) {
  int64_t bytes = 0;
  auto count = [&](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.getElementType().isIntOrIndexOrFloat())
      return;
    int64_t elements = 1;
    for (int64_t size : tensor.getShape())
      elements *= ShapedType::isDynamic(size) ? 1 : size;
    bytes += elements * llvm::divideCeil(tensor.getElementType().isIndex() ? 64 : tensor.getElementTypeBitWidth(), 8);
  };
  llvm::for_each(op->getOperandTypes(), count);
  llvm::for_each(op->getResultTypes(), count);
  return bytes;
}

LogicalResult coat::verifyResultTypes(Operation *op, TypeRange inferred) {
  if (inferred == op->getResultTypes())
    return success();
  return op->emitOpError() << "expected results of type (" << inferred << "), got (" << op->getResultTypes() << ")";
}
