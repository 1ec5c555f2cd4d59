// Attention and softmax.
#include "Shapes.h"

using namespace mlir;
using namespace coat;

//===----------------------------------------------------------------------===//
// coat.attention
//===----------------------------------------------------------------------===//

// The sum of two sizes, `?` where one is.
static int64_t addSizes(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) ? ShapedType::kDynamic : a + b;
}

// T = P + Skv, the number of keys a query sees.
static int64_t keyCount(AttentionOp::Adaptor op) {
  int64_t past = op.getPastKey() ? tensorType(op.getPastKey()).getDimSize(2) : 0;
  return addSizes(past, tensorType(op.getKey()).getDimSize(2));
}

// C1, C2, C3: query, key and value among each other.
static LogicalResult checkHeads(AttentionOp::Adaptor op, EmitError emitError) {
  RankedTensorType query = tensorType(op.getQuery()), key = tensorType(op.getKey()), value = tensorType(op.getValue());
  for (RankedTensorType type : {query, key, value})
    if (type.getRank() != 4 || !sizesAgree(type.getDimSize(0), query.getDimSize(0))) // C1
      return emitError() << "expected query, key and value of rank 4 and one batch size, got " << query << ", " << key
                         << " and " << value;
  if (!sizesAgree(key.getDimSize(1), value.getDimSize(1)) || !sizesAgree(key.getDimSize(2), value.getDimSize(2))) // C2
    return emitError() << "expected key and value of the same heads and length, got " << key << " and " << value;
  if (!sizesAgree(query.getDimSize(3), key.getDimSize(3))) // C2
    return emitError() << "expected a key of head size " << formatShape({query.getDimSize(3)}) << ", got " << key;
  int64_t heads = query.getDimSize(1), keyHeads = key.getDimSize(1);
  bool known = !ShapedType::isDynamic(heads) && !ShapedType::isDynamic(keyHeads);
  if (known && (keyHeads == 0 || heads % keyHeads != 0)) // C3
    return emitError() << "expected a number of key heads that divides " << heads << ", got " << keyHeads;
  return success();
}

// C5: the cache.
static LogicalResult checkPast(AttentionOp::Adaptor op, EmitError emitError) {
  if (!op.getPastKey() != !op.getPastValue() || (op.getPastKey() && !op.getWithPresent()))
    return emitError() << "expected past_key, past_value and with_present together, got only some of them";
  if (!op.getPastKey())
    return success();
  for (auto [past, fresh] : {std::pair(op.getPastKey(), op.getKey()), std::pair(op.getPastValue(), op.getValue())}) {
    SmallVector<int64_t> expected(tensorType(fresh).getShape());
    RankedTensorType type = tensorType(past);
    if (type.getRank() == 4)
      expected[2] = type.getDimSize(2);
    if (type.getRank() != 4 || type.getElementType() != tensorType(fresh).getElementType() ||
        !llvm::all_of(llvm::zip(expected, type.getShape()),
                      [](auto pair) { return sizesAgree(std::get<0>(pair), std::get<1>(pair)); }))
      return emitError() << "expected a past that continues " << fresh.getType() << ", got " << type;
  }
  int64_t keys = tensorType(op.getPastKey()).getDimSize(2), values = tensorType(op.getPastValue()).getDimSize(2);
  if (!sizesAgree(keys, values))
    return emitError() << "expected a past of " << keys << " values, as there are keys, got " << values;
  return success();
}

// C8, C9: which keys count.
static LogicalResult checkChoice(AttentionOp::Adaptor op, EmitError emitError) {
  if (op.getLengths()) { // C8
    RankedTensorType lengths = tensorType(op.getLengths());
    int64_t batches = tensorType(op.getQuery()).getDimSize(0);
    bool isIndex = lengths.getElementType().isSignlessInteger(32) || lengths.getElementType().isSignlessInteger(64);
    if (!isIndex || lengths.getRank() != 1 || !sizesAgree(lengths.getDimSize(0), batches))
      return emitError() << "expected lengths of " << formatShape({batches}) << " elements of i32 or i64, got "
                         << lengths;
    if (op.getPastKey())
      return emitError() << "expected lengths or past_key, got both";
  }
  for (int64_t window : {int64_t(op.getLeftWindow()), int64_t(op.getRightWindow())})
    if (window < -1) // C9
      return emitError() << "expected windows of at least -1, got " << window;
  if (int64_t(op.getTopK()) < 0) // C9
    return emitError() << "expected top_k of at least 0, got " << int64_t(op.getTopK());
  if (std::optional<Type> type = op.getSoftmaxType(); type && !isa<FloatType>(*type)) // C9
    return emitError() << "expected a floating-point softmax_type, got " << *type;
  return success();
}

LogicalResult AttentionOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkHeads(op, emitError)) ||                                                 // C1, C2, C3
      failed(checkElementTypes(emitError, {op.getQuery(), op.getKey(), op.getValue()})) || // C7
      failed(checkFloat(emitError, tensorType(op.getQuery()))) ||                          // C7
      failed(checkPast(op, emitError)) ||                                                  // C5
      failed(checkChoice(op, emitError)))                                                  // C8, C9
    return failure();
  RankedTensorType query = tensorType(op.getQuery());
  if (op.getMask()) { // C4
    RankedTensorType mask = tensorType(op.getMask());
    SmallVector<int64_t> scores = {query.getDimSize(0), query.getDimSize(1), query.getDimSize(2), keyCount(op)};
    if (!broadcastsTo(mask.getShape(), scores))
      return emitError() << "expected a mask that broadcasts to " << formatShape(scores) << ", got "
                         << formatShape(mask.getShape());
    if (!mask.getElementType().isInteger(1) && mask.getElementType() != query.getElementType())
      return emitError() << "expected a mask of element type i1 or " << query.getElementType() << ", got "
                         << mask.getElementType();
  }
  double softcap = op.getSoftcap().convertToDouble();
  if (!(softcap >= 0)) // C6
    return emitError() << "expected a softcap of at least 0, got " << softcap;
  if (!op.getScale().isFinite()) // C6
    return emitError() << "expected a finite scale, got " << op.getScale().convertToDouble();
  return success();
}

LogicalResult AttentionOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<AttentionOp>(context, location, op)))
    return failure();
  RankedTensorType query = tensorType(op.getQuery()), key = tensorType(op.getKey()), value = tensorType(op.getValue());
  SmallVector<int64_t> shape(query.getShape());
  shape[3] = value.getDimSize(3);
  types.push_back(query.clone(shape));
  if (op.getWithPresent())
    for (RankedTensorType fresh : {key, value}) {
      SmallVector<int64_t> present(fresh.getShape());
      present[2] = keyCount(op);
      types.push_back(fresh.clone(present));
    }
  if (op.getScores()) {
    shape[3] = keyCount(op);
    types.push_back(query.clone(shape));
  }
  return success();
}

LogicalResult AttentionOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  Location loc = getLoc();
  shapes.push_back(reifySizes(builder, loc, getResult().getType(), [&](int64_t dim) {
    return tensor::getMixedSize(builder, loc, dim == 3 ? getValue() : getQuery(), dim);
  }));
  auto reifyKeys = [&](Value fresh, Value past) {
    OpFoldResult size = tensor::getMixedSize(builder, loc, fresh, 2);
    AffineExpr sum = builder.getAffineDimExpr(0) + builder.getAffineDimExpr(1);
    return past ? applyExpr(builder, loc, sum, {tensor::getMixedSize(builder, loc, past, 2), size}) : size;
  };
  auto reifyPresent = [&](Value fresh, Value past, Value present) {
    return reifySizes(builder, loc, present.getType(), [&](int64_t dim) {
      return dim == 2 ? reifyKeys(fresh, past) : tensor::getMixedSize(builder, loc, fresh, dim);
    });
  };
  if (getWithPresent()) {
    shapes.push_back(reifyPresent(getKey(), getPastKey(), getPresentKey()));
    shapes.push_back(reifyPresent(getValue(), getPastValue(), getPresentValue()));
  }
  if (getScores())
    shapes.push_back(reifySizes(builder, loc, getScoresResult().getType(), [&](int64_t dim) {
      return dim == 3 ? reifyKeys(getKey(), getPastKey()) : tensor::getMixedSize(builder, loc, getQuery(), dim);
    }));
  return success();
}

int64_t AttentionOp::getFlops() {
  auto known = [](int64_t size) { return ShapedType::isDynamic(size) ? 1 : size; };
  RankedTensorType query = tensorType(getQuery());
  int64_t scores = known(query.getDimSize(0)) * known(query.getDimSize(1)) * known(query.getDimSize(2)) *
                   known(keyCount(Adaptor(*this)));
  int64_t depth = known(query.getDimSize(3)) + known(tensorType(getValue()).getDimSize(3));
  return scores * (2 * depth + 5); // two products, and scale, maximum, subtraction, exponential and sum
}

//===----------------------------------------------------------------------===//
// coat.softmax
//===----------------------------------------------------------------------===//

LogicalResult SoftmaxOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkAxis(emitError, op.getAxis(), tensorType(op.getInput()).getRank()))) // C1
    return failure();
  return checkFloat(emitError, tensorType(op.getInput())); // C2
}

LogicalResult SoftmaxOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                          SmallVectorImpl<Type> &types) {
  types.push_back(op.getInput().getType());
  return checkedInference<SoftmaxOp>(context, location, op);
}

LogicalResult SoftmaxOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(builder, getLoc(), getInput()));
  return success();
}

int64_t SoftmaxOp::getFlops() { return 5 * elementCount(getType()); }
