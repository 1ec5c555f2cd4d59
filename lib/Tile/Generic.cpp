// Implementation of the linalg spellings of Generic.h.
#include "Generic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

SmallVector<OpFoldResult> coat::sizesOf(OpBuilder &builder, Location loc, Value value) {
  return tensor::getMixedSizes(builder, loc, value);
}

TypedAttr coat::scalarAttr(Type type, double value) {
  if (auto floatType = dyn_cast<FloatType>(type)) {
    APFloat rounded(value);
    bool losesInfo = false;
    rounded.convert(floatType.getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
    return FloatAttr::get(type, rounded);
  }
  unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  return IntegerAttr::get(type, APInt(width, static_cast<int64_t>(std::nearbyint(value)), /*isSigned=*/true,
                                      /*implicitTrunc=*/true));
}

Value coat::scalarConstant(OpBuilder &builder, Location loc, TypedAttr value) {
  auto integer = dyn_cast<IntegerAttr>(value);
  if (!integer || !integer.getType().isUnsignedInteger())
    return arith::ConstantOp::create(builder, loc, value);
  Type signless = builder.getIntegerType(integer.getType().getIntOrFloatBitWidth());
  Value bits = arith::ConstantOp::create(builder, loc, IntegerAttr::get(signless, integer.getValue()));
  return UnrealizedConversionCastOp::create(builder, loc, integer.getType(), bits).getResult(0);
}

Value coat::scalarConstant(OpBuilder &builder, Location loc, Type type, double value) {
  return scalarConstant(builder, loc, scalarAttr(type, value));
}

Value coat::filled(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes, TypedAttr fill) {
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, fill.getType());
  Value scalar = scalarConstant(builder, loc, fill);
  return linalg::FillOp::create(builder, loc, scalar, empty).getResult(0);
}

Value coat::mapped(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes, Type elementType, ValueRange inputs,
                   ArrayRef<AffineMap> maps, BodyBuilder body) {
  Value init = tensor::EmptyOp::create(builder, loc, sizes, elementType);
  return reduced(builder, loc, init, 0, inputs, maps,
                 [&](OpBuilder &b, Location l, ValueRange args) { return body(b, l, args.drop_back()); });
}

Value coat::reduced(OpBuilder &builder, Location loc, Value init, int64_t reductions, ValueRange inputs,
                    ArrayRef<AffineMap> maps, BodyBuilder body) {
  int64_t rank = cast<RankedTensorType>(init.getType()).getRank();
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(leadingDims(builder.getContext(), rank + reductions, rank));
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.append(reductions, utils::IteratorType::reduction);
  return linalg::GenericOp::create(
             builder, loc, init.getType(), inputs, init, allMaps, iterators,
             [&](OpBuilder &b, Location l, ValueRange args) { linalg::YieldOp::create(b, l, body(b, l, args)); })
      .getResult(0);
}

AffineMap coat::leadingDims(MLIRContext *context, int64_t loops, int64_t results) {
  SmallVector<AffineExpr> exprs;
  for (int64_t dim = 0; dim < results; ++dim)
    exprs.push_back(getAffineDimExpr(dim, context));
  return AffineMap::get(loops, 0, exprs, context);
}

AffineMap coat::broadcastMap(MLIRContext *context, ArrayRef<int64_t> operand, ArrayRef<int64_t> result) {
  SmallVector<AffineExpr> exprs;
  size_t shift = result.size() - operand.size();
  for (auto [dim, size] : llvm::enumerate(operand))
    exprs.push_back(size == 1 && result[dim + shift] != 1 ? getAffineConstantExpr(0, context)
                                                          : getAffineDimExpr(dim + shift, context));
  return AffineMap::get(result.size(), 0, exprs, context);
}
