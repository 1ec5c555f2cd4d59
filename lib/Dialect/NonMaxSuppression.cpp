// NonMaxSuppression: for each batch and class the best box that is left is selected and drops those that overlap it.
// The same boxes as sorting all and comparing each with the selected ones, without a place to sort.
#include "Indices.h"
#include "coat/Dialect/IndexOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace coat;

LogicalResult NonMaxSuppressionOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType boxes = tensorType(op.getBoxes()), scores = tensorType(op.getScores());
  if (boxes.getRank() != 3 || scores.getRank() != 3 || boxes.getDimSize(2) != 4 || !boxes.getElementType().isF32() ||
      !scores.getElementType().isF32() || !sizesAgree(boxes.getDimSize(0), scores.getDimSize(0)) ||
      !sizesAgree(boxes.getDimSize(1), scores.getDimSize(2))) // C1
    return emitError() << "expected boxes f32 [B, N, 4] and scores f32 [B, C, N], got " << boxes << " and " << scores;
  auto isOne = [](Value value, Type elementType) {
    RankedTensorType type = tensorType(value);
    return type.hasStaticShape() && type.getNumElements() == 1 && type.getElementType() == elementType;
  };
  Type f32 = boxes.getElementType(), i64 = IntegerType::get(f32.getContext(), 64);
  if (!isOne(op.getMaxBoxes(), i64) || !isOne(op.getIouThreshold(), f32) || !isOne(op.getScoreThreshold(), f32)) // C2
    return emitError() << "expected one i64 and two f32 as limits, got " << op.getMaxBoxes().getType() << ", "
                       << op.getIouThreshold().getType() << " and " << op.getScoreThreshold().getType();
  if (int64_t limit = op.getLimit(); limit < 0) // C3
    return emitError() << "expected a limit of at least 0, got " << limit;
  return success();
}

LogicalResult NonMaxSuppressionOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                                    SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<NonMaxSuppressionOp>(context, location, op)))
    return failure();
  RankedTensorType scores = tensorType(op.getScores());
  bool known = !scores.isDynamicDim(0) && !scores.isDynamicDim(1);
  int64_t size = known ? scores.getDimSize(0) * scores.getDimSize(1) * op.getLimit() * 3 : ShapedType::kDynamic;
  Type i64 = IntegerType::get(context, 64);
  types.push_back(RankedTensorType::get(size, i64));
  types.push_back(RankedTensorType::get({}, i64));
  return success();
}

LogicalResult NonMaxSuppressionOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  AffineExpr size = builder.getAffineDimExpr(0) * builder.getAffineDimExpr(1) * (int64_t(getLimit()) * 3);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, getLoc(), getScores());
  shapes.push_back({applyExpr(builder, getLoc(), size, ArrayRef(sizes).take_front(2))});
  shapes.emplace_back();
  return success();
}

int64_t NonMaxSuppressionOp::getFlops() { return elementCount(getScores().getType()); }

namespace {
/// A box as its low and high ends along y and x.
struct Box {
  Scalar low[2], high[2];

  Scalar area() const { return (high[0] - low[0]) * (high[1] - low[1]); }
};
} // namespace

static Box loadBox(ScalarLoops &loops, Value boxes, Scalar batch, Scalar number, bool center) {
  Scalar at[4];
  for (int64_t i = 0; i < 4; ++i)
    at[i] = loops.load(boxes, {batch, number, loops.index(i)});
  Box box;
  for (int64_t i = 0; i < 2; ++i) {
    Scalar half = center ? at[2 + i] / 2 : Scalar();
    box.low[i] = center ? at[i] - half : min(at[i], at[2 + i]);
    box.high[i] = center ? at[i] + half : max(at[i], at[2 + i]);
  }
  return box;
}

/// Whether intersection over union is above the threshold; boxes without an area overlap nothing.
static Scalar overlap(const Box &a, const Box &b, Scalar threshold) {
  Scalar sides[2];
  for (int64_t i = 0; i < 2; ++i)
    sides[i] = min(a.high[i], b.high[i]) - max(a.low[i], b.low[i]);
  Scalar zero = threshold.constant(0), common = sides[0] * sides[1], all = a.area() + b.area() - common;
  Scalar meets =
      sides[0] > zero && sides[1] > zero && common > zero && a.area() > zero && b.area() > zero && all > zero;
  return meets && common / all > threshold;
}

LogicalResult NonMaxSuppressionOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value boxes = in[0], scores = in[1], list = out[0];
  auto one = [&](Value memref) {
    return loops.load(memref, Scalars(cast<MemRefType>(memref.getType()).getRank(), loops.index(0)));
  };
  Scalar overlapLimit = one(in[3]), least = one(in[4]), size = loops.dim(scores, 2), none = loops.index(-1);
  Scalar rounds = min(loops.index(getLimit()), min(loops.toIndex(one(in[2])), size));
  Scalar any = least == least.constant(-std::numeric_limits<double>::infinity());
  Value isLeft = loops.buffer(loops.builder.getI1Type(), size);
  Scalar yes = truth(loops, true), no = truth(loops, false);

  /// The best box that is left; the first one of several.
  auto best = [&](Scalar batch, Scalar kind) {
    Scalars found = loops.accumulate({loops.upTo(size)}, {none, least}, [&](const Scalars &box, const Scalars &so) {
      Scalar score = loops.load(scores, {batch, kind, box[0]});
      Scalar better = loops.load(isLeft, box) && either(so[0]<0.0, score> so[1]);
      return Scalars{select(better, box[0], so[0]), select(better, score, so[1])};
    });
    return found[0];
  };
  /// Selects a box as entry number `count` and drops it and all that overlap it.
  auto take = [&](Scalar batch, Scalar kind, Scalar box, Scalar count) {
    for (auto [column, number] : llvm::enumerate(Scalars{batch, kind, box}))
      loops.store(toInteger(loops, number), list, {count * 3 + column});
    Box taken = loadBox(loops, boxes, batch, box, getCenter());
    loops.each({size}, [&](const Scalars &other) {
      Scalar drops = overlap(loadBox(loops, boxes, batch, other[0], getCenter()), taken, overlapLimit);
      loops.ifTrue(drops, [&] { loops.store(no, isLeft, other); });
    });
    loops.store(no, isLeft, {box});
  };

  LoopRange batches = loops.upTo(loops.dim(scores, 0)), kinds = loops.upTo(loops.dim(scores, 1));
  Scalar total = loops.accumulate({batches, kinds}, {loops.index(0)}, [&](const Scalars &at, const Scalars &so) {
    loops.each({size}, [&](const Scalars &box) {
      Scalar score = loops.load(scores, {at[0], at[1], box[0]});
      loops.store(either(any, score > least), isLeft, box);
    });
    Scalars end = loops.accumulate({loops.upTo(rounds)}, {so[0], yes}, [&](const Scalars &, const Scalars &now) {
      // Once no box is left the rounds that remain do nothing.
      Scalar box = loops.ifElse(now[1], [&] { return best(at[0], at[1]); }, [&] { return none; });
      Scalar found = box >= 0.0;
      loops.ifTrue(found, [&] { take(at[0], at[1], box, now[0]); });
      return Scalars{select(found, now[0] + 1, now[0]), found};
    });
    return Scalars{end[0]};
  })[0];
  loops.store(toInteger(loops, total), out[1], {});
  return success();
}
