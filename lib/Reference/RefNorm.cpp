// Normalizations from their formulas; variances in two passes.
#include "Formulas.h"

using namespace mlir;
using namespace coat;

/// The sum of `term` over a box of `extents`.
static Scalar sumOver(ScalarLoops &loops, ArrayRef<Scalar> extents, Type type,
                      llvm::function_ref<Scalar(const Scalars &)> term) {
  SmallVector<LoopRange> ranges;
  for (Scalar extent : extents)
    ranges.push_back(loops.upTo(extent));
  return loops.accumulate(ranges, {loops.number(0, type)},
                          [&](const Scalars &at, const Scalars &sums) -> Scalars { return {sums[0] + term(at)}; })[0];
}

static Scalar product(ScalarLoops &loops, ArrayRef<Scalar> extents) {
  Scalar result = loops.index(1);
  for (Scalar extent : extents)
    result = result * extent;
  return result;
}

namespace {
struct Statistics {
  Scalar mean, variance;
};
} // namespace

/// Mean and variance of `element` over a box; without `centered`, the mean is 0 and the variance the mean square.
static Statistics statistics(ScalarLoops &loops, ArrayRef<Scalar> extents, Type type, bool centered,
                             llvm::function_ref<Scalar(const Scalars &)> element) {
  Scalar count = loops.toFloat(product(loops, extents), type);
  Scalar mean = centered ? sumOver(loops, extents, type, element) / count : loops.number(0, type);
  Scalar squares = sumOver(loops, extents, type, [&](const Scalars &at) {
    Scalar distance = centered ? element(at) - mean : element(at);
    return distance * distance;
  });
  return {mean, squares / count};
}

LogicalResult formulas::write(ScalarLoops &loops, BatchNormOp op, BatchNormOp::Adaptor in, ValueRange out) {
  if (failed(expectChannelsFirst(op)))
    return failure();
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    auto ofChannel = [&](Value parameter) { return loops.load(parameter, {at[1]}); };
    Scalar deviation = sqrt(ofChannel(in.getVariance()) + op.getEpsilon().convertToDouble());
    Scalar x = loops.load(in.getInput(), at) - ofChannel(in.getMean());
    loops.store(ofChannel(in.getScale()) * x / deviation + ofChannel(in.getBias()), out[0], at);
  });
  return success();
}

LogicalResult formulas::write(ScalarLoops &loops, LayerNormOp op, LayerNormOp::Adaptor in, ValueRange out) {
  Type type = ScalarLoops::computeType(op.getInput().getType().getElementType());
  int64_t axis = op.getAxis(), rank = op.getInput().getType().getRank();
  auto whole = llvm::to_vector(llvm::seq(axis, rank));
  loops.eachResult(out[0], whole, [&](const Scalars &outer) {
    Scalars extents(ArrayRef(loops.dims(in.getInput())).drop_front(axis));
    auto position = [&](const Scalars &inner) {
      Scalars at(ArrayRef(outer).take_front(axis));
      at.append(inner);
      return at;
    };
    auto [mean, variance] = statistics(loops, extents, type, !op.getRms(), [&](const Scalars &inner) {
      return loops.load(in.getInput(), position(inner));
    });
    Scalar deviation = sqrt(variance + op.getEpsilon().convertToDouble());
    loops.each(extents, [&, mean = mean](const Scalars &inner) {
      Scalars at = position(inner);
      Scalar x = loops.load(in.getInput(), at);
      Scalar y = (op.getRms() ? x : x - mean) / deviation;
      if (in.getScale())
        y = y * loops.load(in.getScale(), loops.broadcastIndices(in.getScale(), at));
      if (in.getBias())
        y = y + loops.load(in.getBias(), loops.broadcastIndices(in.getBias(), at));
      loops.store(y, out[0], at);
    });
  });
  return success();
}

LogicalResult formulas::write(ScalarLoops &loops, GroupNormOp op, GroupNormOp::Adaptor in, ValueRange out) {
  if (failed(expectChannelsFirst(op)))
    return failure();
  Type type = ScalarLoops::computeType(op.getInput().getType().getElementType());
  Scalars sizes = loops.dims(in.getInput());
  Scalar channelsInGroup = sizes[1] / op.getGroups();
  Scalars extents(ArrayRef(sizes).drop_front(1));
  extents[0] = channelsInGroup;
  loops.parallel({sizes[0], loops.index(op.getGroups())}, [&](const Scalars &outer) {
    auto position = [&](const Scalars &inner) {
      Scalars at = {outer[0], outer[1] * channelsInGroup + inner[0]};
      at.append(inner.begin() + 1, inner.end());
      return at;
    };
    auto [mean, variance] = statistics(
        loops, extents, type, true, [&](const Scalars &inner) { return loops.load(in.getInput(), position(inner)); });
    Scalar deviation = sqrt(variance + op.getEpsilon().convertToDouble());
    loops.each(extents, [&, mean = mean](const Scalars &inner) {
      Scalars at = position(inner);
      Scalar x = (loops.load(in.getInput(), at) - mean) / deviation;
      loops.store(loops.load(in.getScale(), {at[1]}) * x + loops.load(in.getBias(), {at[1]}), out[0], at);
    });
  });
  return success();
}

LogicalResult formulas::write(ScalarLoops &loops, LRNOp op, LRNOp::Adaptor in, ValueRange out) {
  if (failed(expectChannelsFirst(op)))
    return failure();
  Type type = ScalarLoops::computeType(op.getInput().getType().getElementType());
  int64_t before = (op.getSize() - 1) / 2, after = op.getSize() - 1 - before;
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    Scalar channel = at[1];
    Scalar begin = max(channel - before, loops.index(0));
    Scalar end = min(channel + (after + 1), loops.dim(in.getInput(), 1));
    Scalars sum = loops.accumulate({{begin, end}}, {loops.number(0, type)},
                                   [&](const Scalars &c, const Scalars &sums) -> Scalars {
                                     Scalars neighbour = at;
                                     neighbour[1] = c[0];
                                     Scalar x = loops.load(in.getInput(), neighbour);
                                     return {sums[0] + x * x};
                                   });
    Scalar base = sum[0] * (op.getAlpha().convertToDouble() / op.getSize()) + op.getK().convertToDouble();
    loops.store(loops.load(in.getInput(), at) / pow(base, op.getBeta().convertToDouble()), out[0], at);
  });
  return success();
}
