// Pooling of regions of interest: roi_align, max_roi_pool.
#include "Interpolation.h"
#include "Shapes.h"
#include "coat/Dialect/SamplingOps.h"

using namespace mlir;
using namespace coat;

/// What the two have in common: an image, `columns` numbers a region, two sizes of the result.
static LogicalResult checkRegions(EmitError emitError, Value image, Value regions, int64_t columns,
                                  ArrayRef<int64_t> size) {
  RankedTensorType input = tensorType(image), rois = tensorType(regions);
  if (input.getRank() != 4 || llvm::is_contained(input.getShape(), 0))
    return emitError() << "expected an input of rank 4 that is not empty, got " << input;
  if (rois.getRank() != 2 || rois.getDimSize(1) != columns)
    return emitError() << "expected rois of " << columns << " columns, got " << rois;
  if (failed(checkFloat(emitError, input)) || failed(checkElementTypes(emitError, {image, regions})))
    return failure();
  return checkEntries(emitError, "size", size, 2, 1);
}

static RankedTensorType regionsType(Value image, Value regions, ArrayRef<int64_t> size) {
  RankedTensorType input = tensorType(image);
  return RankedTensorType::get({tensorType(regions).getDimSize(0), input.getDimSize(1), size[0], size[1]},
                               input.getElementType());
}

static SmallVector<OpFoldResult> reifyRegions(OpBuilder &builder, Operation *op, Value image, Value regions) {
  return reifySizes(builder, op->getLoc(), op->getResult(0).getType(), [&](int64_t dim) {
    return tensor::getMixedSize(builder, op->getLoc(), dim ? image : regions, dim);
  });
}

//===----------------------------------------------------------------------===//
// coat.roi_align
//===----------------------------------------------------------------------===//

LogicalResult RoiAlignOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkRegions(emitError, op.getInput(), op.getRois(), 4, op.getSize()))) // C1, C2, C5
    return failure();
  RankedTensorType rois = tensorType(op.getRois()), batch = tensorType(op.getBatch());
  if (!isIndexElement(batch.getElementType()) || batch.getRank() != 1 ||
      !sizesAgree(batch.getDimSize(0), rois.getDimSize(0))) // C3
    return emitError() << "expected i32 or i64 batch indices, one a region, got " << batch << " for " << rois;
  if (op.getKind() != PoolKind::average && op.getKind() != PoolKind::max) // C4
    return emitError() << "expected kind average or max, got " << stringifyPoolKind(op.getKind());
  if (int64_t(op.getSamples()) < 0) // C5
    return emitError() << "expected samples of at least 0, got " << int64_t(op.getSamples());
  return success();
}

LogicalResult RoiAlignOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                           SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<RoiAlignOp>(context, location, op)))
    return failure();
  types.push_back(regionsType(op.getInput(), op.getRois(), op.getSize()));
  return success();
}

LogicalResult RoiAlignOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyRegions(builder, *this, getInput(), getRois()));
  return success();
}

int64_t RoiAlignOp::getFlops() {
  int64_t samples = std::max<int64_t>(getSamples(), 2); // of a region about twice as large as its result
  return elementCount(getType()) * samples * samples * 8;
}

namespace {
/// The samples of one part of a region along one dimension.
struct Samples {
  Scalar first, step; // position of sample i: first + (i + 0.5) * step
  Scalar count;
};
} // namespace

/// Part `part` of the `parts` from `begin` to `end`; `fixed` samples, or for 0 as many as it has elements.
static Samples samplesOf(ScalarLoops &loops, Scalar begin, Scalar end, Scalar part, int64_t parts, int64_t fixed,
                         bool atLeastOne) {
  Scalar extent = end - begin;
  if (atLeastOne)
    extent = max(extent, extent.constant(1));
  Scalar share = extent / double(parts);
  // No image has more elements along a dimension than this.
  Scalar count =
      fixed > 0 ? loops.index(fixed) : loops.toIndex(ceil(hold(share, share.constant(0), share.constant(1 << 20))));
  return {begin + loops.toFloat(part, begin.type()) * share, share / loops.toFloat(count, begin.type()), count};
}

LogicalResult RoiAlignOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], rois = in[1], batch = in[2];
  Scalars sizes = loops.dims(input);
  bool isMax = getKind() == PoolKind::max;
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    Scalar image = clamp(loops.toIndex(loops.load(batch, {at[0]})), loops.index(0), sizes[0] - 1);
    auto edge = [&](int64_t column) {
      Scalar value = loops.load(rois, {at[0], loops.index(column)}) * getScale().convertToDouble();
      return getHalfPixel() ? value - 0.5 : value;
    };
    SmallVector<Samples> samples;
    for (int64_t i : {0, 1}) // rows, columns
      samples.push_back(
          samplesOf(loops, edge(1 - i), edge(3 - i), at[2 + i], getSize()[i], getSamples(), !getHalfPixel()));
    Scalar zero = samples[0].first.constant(0), lowest = zero.constant(-INFINITY);
    auto one = [&](const Scalars &sample, const Scalars &values) -> Scalars {
      SmallVector<Taps> taps;
      Scalar inside;
      for (int64_t i : {0, 1}) {
        Scalar x = samples[i].first + (loops.toFloat(sample[i], zero.type()) + 0.5) * samples[i].step;
        Scalar isNear = x.constant(-1) <= x && x <= loops.toFloat(sizes[2 + i], x.type());
        inside = inside.value ? inside && isNear : isNear;
        taps.push_back(tapsAt(hold(x, zero, loops.toFloat(sizes[2 + i] - 1, x.type())), sizes[2 + i],
                              ResizeMode::linear, PadMode::edge, /*alignCorners=*/true));
      }
      Scalar total;
      for (const Corner &corner : cornersOf(taps)) {
        Scalar term = weighted(corner, loops.load(input, {image, at[1], corner.indices[0], corner.indices[1]}));
        total = !total.value ? term : isMax ? max(total, term) : total + term;
      }
      total = select(inside, total, zero);
      return {isMax ? max(values[0], total) : values[0] + total};
    };
    Scalar rows = samples[0].count, columns = samples[1].count;
    Scalar result = loops.accumulate({loops.upTo(rows), loops.upTo(columns)}, {isMax ? lowest : zero}, one)[0];
    Scalar count = rows * columns;
    result =
        isMax ? select(count >= 1.0, result, zero) : result / loops.toFloat(max(count, count.constant(1)), zero.type());
    loops.store(result, out[0], at);
  });
  return success();
}

//===----------------------------------------------------------------------===//
// coat.max_roi_pool
//===----------------------------------------------------------------------===//

LogicalResult MaxRoiPoolOp::checkConstraints(Adaptor op, EmitError emitError) {
  return checkRegions(emitError, op.getInput(), op.getRois(), 5, op.getSize()); // C1, C2, C3
}

LogicalResult MaxRoiPoolOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                             SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<MaxRoiPoolOp>(context, location, op)))
    return failure();
  types.push_back(regionsType(op.getInput(), op.getRois(), op.getSize()));
  return success();
}

LogicalResult MaxRoiPoolOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyRegions(builder, *this, getInput(), getRois()));
  return success();
}

int64_t MaxRoiPoolOp::getFlops() { return elementCount(getType()) * 4; } // parts of about 2 x 2 elements

/// Part `part` of the `parts` of a region from element `begin` to `end`, cut at the image's edges.
static LoopRange partOf(ScalarLoops &loops, Scalar begin, Scalar end, Scalar part, int64_t parts, Scalar size) {
  Scalar limit = begin.constant(1 << 30);
  auto rounded = [&](Scalar x) { return hold(select(x >= 0.0, floor(x + 0.5), ceil(x - 0.5)), -limit, limit); };
  begin = rounded(begin);
  Scalar length = rounded(end) - begin + 1;
  Scalar share = max(length, length.constant(1)) / double(parts), number = loops.toFloat(part, share.type());
  auto element = [&](Scalar x) { return clamp(loops.toIndex(x) + loops.toIndex(begin), loops.index(0), size); };
  return {element(floor(number * share)), element(ceil((number + 1) * share))};
}

LogicalResult MaxRoiPoolOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], rois = in[1];
  Scalars sizes = loops.dims(input);
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    auto column = [&](int64_t i) { return loops.load(rois, {at[0], loops.index(i)}); };
    auto edge = [&](int64_t i) { return column(i) * getScale().convertToDouble(); };
    Scalar zero = column(0).constant(0), lastImage = loops.toFloat(sizes[0] - 1, zero.type());
    Scalar image = loops.toIndex(hold(column(0), zero, lastImage));
    SmallVector<LoopRange> part;
    for (int64_t i : {0, 1}) // rows, columns
      part.push_back(partOf(loops, edge(2 - i), edge(4 - i), at[2 + i], getSize()[i], sizes[2 + i]));
    auto one = [&](const Scalars &position, const Scalars &values) -> Scalars {
      return {max(values[0], loops.load(input, {image, at[1], position[0], position[1]}))};
    };
    Scalar result = loops.accumulate(part, {zero.constant(-INFINITY)}, one)[0];
    Scalar isThere = part[0].begin < part[0].end && part[1].begin < part[1].end;
    loops.store(select(isThere, result, zero), out[0], at);
  });
  return success();
}
