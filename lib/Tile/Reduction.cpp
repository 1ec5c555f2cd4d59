// Implementation of Reduction.h.
#include "Reduction.h"

using namespace mlir;
using namespace coat;

AffineMap Reduction::inputMap(MLIRContext *context, int64_t rank) const {
  SmallVector<AffineExpr> exprs;
  int64_t kept = 0, reduced = resultRank(rank);
  for (int64_t dim = 0; dim < rank; ++dim) {
    bool gone = reduces(dim);
    exprs.push_back(getAffineDimExpr(gone ? reduced++ : kept, context));
    kept += !gone || keepDims;
  }
  return AffineMap::get(reduced, 0, exprs, context);
}

AffineMap Reduction::resultMap(MLIRContext *context, int64_t rank) const {
  SmallVector<AffineExpr> exprs;
  for (int64_t dim = 0; dim < rank; ++dim) {
    if (!reduces(dim))
      exprs.push_back(getAffineDimExpr(dim, context));
    else if (keepDims)
      exprs.push_back(getAffineConstantExpr(0, context));
  }
  return AffineMap::get(rank, 0, exprs, context);
}

SmallVector<OpFoldResult> Reduction::resultSizes(OpBuilder &builder, ArrayRef<OpFoldResult> sizes) const {
  SmallVector<OpFoldResult> result;
  for (auto [dim, size] : llvm::enumerate(sizes)) {
    if (!reduces(dim))
      result.push_back(size);
    else if (keepDims)
      result.push_back(builder.getIndexAttr(1));
  }
  return result;
}

Value Reduction::count(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes, Type type) const {
  int64_t known = 1;
  Value symbolic;
  for (int64_t axis : axes) {
    if (std::optional<int64_t> size = getConstantIntValue(sizes[axis])) {
      known *= *size;
      continue;
    }
    Value size = cast<Value>(sizes[axis]);
    symbolic = symbolic ? arith::MulIOp::create(builder, loc, symbolic, size).getResult() : size;
  }
  Value constant = scalarConstant(builder, loc, type, static_cast<double>(known));
  if (!symbolic)
    return constant;
  symbolic = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), symbolic);
  if (!isa<FloatType>(type))
    return arith::MulIOp::create(builder, loc, arith::TruncIOp::create(builder, loc, type, symbolic), constant);
  return arith::MulFOp::create(builder, loc, arith::SIToFPOp::create(builder, loc, type, symbolic), constant);
}

Value Reduction::apply(OpBuilder &builder, Location loc, Value input, ValueRange perResult, TypedAttr init,
                       BodyBuilder body) const {
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank(), kept = resultRank(rank);
  Value start = filled(builder, loc, resultSizes(builder, sizesOf(builder, loc, input)), init);
  AffineMap identity = leadingDims(builder.getContext(), kept + axes.size(), kept);
  SmallVector<Value> inputs{input};
  SmallVector<AffineMap> maps{inputMap(builder.getContext(), rank)};
  llvm::append_range(inputs, perResult);
  maps.append(perResult.size(), identity);
  return reduced(builder, loc, start, axes.size(), inputs, maps, body);
}
