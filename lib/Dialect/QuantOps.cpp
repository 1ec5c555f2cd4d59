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

//===----------------------------------------------------------------------===//
// coat.bitcast
//===----------------------------------------------------------------------===//

LogicalResult BitCastOp::checkConstraints(Adaptor op, EmitError emitError) {
  Type from = tensorType(op.getInput()).getElementType(), to = op.getElementType();
  if (from.isIntOrFloat() && to.isIntOrFloat() && from.getIntOrFloatBitWidth() == to.getIntOrFloatBitWidth()) // C1
    return success();
  return emitError() << "expected element types of one width, got " << from << " and " << to;
}

LogicalResult BitCastOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                          SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<BitCastOp>(context, location, op)))
    return failure();
  types.push_back(tensorType(op.getInput()).clone(op.getElementType()));
  return success();
}

int64_t BitCastOp::getFlops() { return 0; }

LogicalResult BitCastOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(builder, getLoc(), getInput()));
  return success();
}

LogicalResult BitCastOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Type to = tensorType(getResult()).getElementType();
  Type signless = loops.builder.getIntegerType(to.getIntOrFloatBitWidth());
  auto as = [&](Value value, Type type) -> Value {
    if (value.getType() == type)
      return value;
    if (isa<IntegerType>(value.getType()) && isa<IntegerType>(type))
      return UnrealizedConversionCastOp::create(loops.builder, loops.loc, type, value).getResult(0);
    return arith::BitcastOp::create(loops.builder, loops.loc, type, value);
  };
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    Value bits = as(loops.loadElement(in[0], at), signless);
    loops.storeElement(as(bits, to), out[0], at);
  });
  return success();
}

//===----------------------------------------------------------------------===//
// coat.quantize, coat.dequantize
//===----------------------------------------------------------------------===//

// C1.
static LogicalResult checkParameters(EmitError emitError, Value input, Value scale, Value zeroPoint) {
  ArrayRef<int64_t> shape = tensorType(input).getShape();
  for (Value parameter : {scale, zeroPoint})
    if (!broadcastsTo(tensorType(parameter).getShape(), shape))
      return emitError() << "expected a scale and a zero point that broadcast to " << formatShape(shape) << ", got "
                         << parameter.getType();
  return success();
}

static bool isInteger(Type type, ArrayRef<unsigned> widths) {
  auto integer = dyn_cast<IntegerType>(type);
  return integer && llvm::is_contained(widths, integer.getWidth());
}

LogicalResult QuantizeOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkParameters(emitError, op.getInput(), op.getScale(), op.getZeroPoint()))) // C1
    return failure();
  Type input = tensorType(op.getInput()).getElementType(), scale = tensorType(op.getScale()).getElementType(),
       zeroPoint = tensorType(op.getZeroPoint()).getElementType();
  if ((isa<FloatType>(input) || input.isSignlessInteger(32)) && isa<FloatType>(scale) && isInteger(zeroPoint, {8, 16}))
    return success();
  return emitError() << "expected a floating-point scale and a zero point of 8 or 16 bits, got " << input << ", " // C2
                     << scale << " and " << zeroPoint;
}

LogicalResult DequantizeOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkParameters(emitError, op.getInput(), op.getScale(), op.getZeroPoint()))) // C1
    return failure();
  Type input = tensorType(op.getInput()).getElementType(), scale = tensorType(op.getScale()).getElementType(),
       zeroPoint = tensorType(op.getZeroPoint()).getElementType();
  if (isInteger(input, {8, 16, 32}) && isa<FloatType>(scale) && input == zeroPoint)
    return success();
  return emitError()
         << "expected integers of 8, 16 or 32 bits with a zero point of their type and a floating-point " // C2
         << "scale, got " << input << ", " << scale << " and " << zeroPoint;
}

template <typename OpTy>
static LogicalResult inferLikeInput(MLIRContext *context, std::optional<Location> location, typename OpTy::Adaptor op,
                                    Value element, SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<OpTy>(context, location, op)))
    return failure();
  types.push_back(tensorType(op.getInput()).clone(tensorType(element).getElementType()));
  return success();
}

LogicalResult QuantizeOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                           SmallVectorImpl<Type> &types) {
  return inferLikeInput<QuantizeOp>(context, location, op, op.getZeroPoint(), types);
}

LogicalResult DequantizeOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                             SmallVectorImpl<Type> &types) {
  return inferLikeInput<DequantizeOp>(context, location, op, op.getScale(), types);
}

LogicalResult QuantizeOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(builder, getLoc(), getInput()));
  return success();
}

LogicalResult DequantizeOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(builder, getLoc(), getInput()));
  return success();
}

int64_t QuantizeOp::getFlops() { return 2 * elementCount(getType()); }
int64_t DequantizeOp::getFlops() { return 2 * elementCount(getType()); }
