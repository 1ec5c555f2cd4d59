// See Elementwise.h.
#include "Elementwise.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace coat;

/// Booleans too, which are bytes in memory: coat-lower-bools.
static bool isVectorElement(Type type) {
  return type.isIntOrIndexOrFloat() && (type.isIndex() || type.isInteger(1) || type.getIntOrFloatBitWidth() >= 8);
}

/// Whether an operand is contiguous or constant along loop `last`.
static bool isReadableAlong(AffineMap map, unsigned last) {
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    if (!isa<AffineDimExpr, AffineConstantExpr>(expr))
      return false;
    if (expr.isFunctionOfDim(last) && i + 1 != map.getNumResults())
      return false;
  }
  return true;
}

static bool takesVectors(Operation &op) {
  if (isa<linalg::YieldOp>(op))
    return true;
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return constant.getType().isIntOrIndexOrFloat();
  return op.getNumResults() == 1 && OpTrait::hasElementwiseMappableTraits(&op);
}

bool coat::isElementwiseOnVectors(linalg::GenericOp op) {
  if (op.getNumReductionLoops() || op.getNumDpsInits() != 1 || op.getNumResults() != 1 || op.getNumLoops() == 0)
    return false;
  auto maps = op.getIndexingMapsArray();
  if (!maps.back().isIdentity())
    return false;
  for (OpOperand &operand : op->getOpOperands()) {
    if (op.getMatchingBlockArgument(&operand).use_empty() && op.isDpsInput(&operand))
      continue;
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (type && !isVectorElement(type.getElementType()))
      return false;
    if (!isReadableAlong(maps[operand.getOperandNumber()], op.getNumLoops() - 1))
      return false;
  }
  return llvm::all_of(*op.getBody(), takesVectors);
}

/// The operand at `point`, as a vector along the last loop.
static Value operandAt(VectorBuilder &v, Value operand, AffineMap map, ValueRange point, Value mask) {
  if (!isa<RankedTensorType>(operand.getType()))
    return v.broadcast(operand);
  SmallVector<Value> indices;
  for (AffineExpr expr : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      indices.push_back(point[dim.getPosition()]);
    else
      indices.push_back(v.index(cast<AffineConstantExpr>(expr).getValue()));
  }
  if (!map.isFunctionOfDim(point.size() - 1))
    return v.broadcast(v.loadScalar(operand, indices));
  return v.load(operand, indices, mask);
}

Value coat::elementwiseAt(VectorBuilder &v, linalg::GenericOp op, ValueRange point, Value mask,
                          const llvm::SmallDenseMap<Value, Value> &known) {
  auto maps = op.getIndexingMapsArray();
  IRMapping map;
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (argument.use_empty())
      continue;
    Value vector = known.lookup(operand.get());
    map.map(argument, vector ? vector : operandAt(v, operand.get(), maps[operand.getOperandNumber()], point, mask));
  }
  auto vectorOf = [&](Value scalar) {
    if (!map.contains(scalar))
      map.map(scalar, v.broadcast(scalar));
    return map.lookup(scalar);
  };
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (auto constant = dyn_cast<arith::ConstantOp>(inner)) {
      map.map(constant.getResult(), v.splat(cast<TypedAttr>(constant.getValue())));
      continue;
    }
    for (Value operand : inner.getOperands())
      vectorOf(operand);
    Operation *clone = v.builder.clone(inner, map);
    clone->getResult(0).setType(v.vectorOf(inner.getResult(0).getType()));
  }
  return vectorOf(op.getBody()->getTerminator()->getOperand(0));
}
