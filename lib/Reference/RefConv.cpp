// Convolution, transposed convolution and matrix product from their formulas.
#include "Formulas.h"
#include "Window.h"

using namespace mlir;
using namespace coat;

static LogicalResult expectPlain(Operation *op, FilterLayout layout) {
  if (layout == FilterLayout::plain)
    return success();
  return op->emitError("expected filter_layout plain, got ") << stringifyFilterLayout(layout);
}

/// How many results are summed side by side: a chain of additions waits for each one, several chains fill the gaps.
/// Every sum keeps the order of its formula.
static int64_t sumsTogether(int64_t results, int64_t groups) {
  for (int64_t count : {8, 4, 2})
    if (!ShapedType::isDynamic(results) && results / groups % count == 0)
      return count;
  return 1;
}

/// `count` indices from `first` on.
static Scalars following(Scalar first, int64_t count) {
  Scalars indices;
  for (int64_t i = 0; i < count; ++i)
    indices.push_back(first + i);
  return indices;
}

LogicalResult formulas::write(ScalarLoops &loops, ConvOp op, ConvOp::Adaptor in, ValueRange out) {
  if (failed(expectChannelsFirst(op)) || failed(expectPlain(op, op.getFilterLayout())))
    return failure();
  Scalar channelsInGroup = loops.dim(in.getFilter(), 1);
  Scalar resultsInGroup = loops.dim(in.getFilter(), 0) / op.getGroup();
  int64_t together = sumsTogether(op.getFilter().getType().getDimSize(0), op.getGroup());
  Type type = ScalarLoops::computeType(op.getInput().getType().getElementType());
  Scalars sizes = loops.dims(out[0]);
  loops.parallel({sizes[0], sizes[1] / together}, [&](const Scalars &task) {
    Scalars channels = following(task[1] * together, together);
    Scalar firstChannel = channels[0] / resultsInGroup * channelsInGroup;
    loops.each(ArrayRef(sizes).drop_front(2), [&](const Scalars &position) {
      auto window = Window(loops, in.getInput(), ArrayRef(loops.dims(in.getFilter())).drop_front(2), op.getStrides(),
                           op.getDilations(), op.getPads())
                        .at(position);
      SmallVector<LoopRange> ranges = window.insideInput();
      ranges.insert(ranges.begin(), loops.upTo(channelsInGroup));
      auto bias = [&](Scalar c) { return in.getBias() ? loops.load(in.getBias(), {c}) : loops.number(0, type); };
      Scalars sums(llvm::map_range(channels, bias));
      sums = loops.accumulate(ranges, sums, [&](const Scalars &taps, Scalars sums) {
        Scalars from = {task[0], firstChannel + taps[0]};
        from.append(window.positions(ArrayRef(taps).drop_front()));
        Scalar element = loops.load(in.getInput(), from);
        for (auto [sum, channel] : llvm::zip(sums, channels)) {
          Scalars weight = {channel};
          weight.append(taps);
          sum = sum + element * loops.load(in.getFilter(), weight);
        }
        return sums;
      });
      for (auto [sum, channel] : llvm::zip(sums, channels)) {
        Scalars at = {task[0], channel};
        at.append(position);
        loops.store(sum, out[0], at);
      }
    });
  });
  return success();
}

LogicalResult formulas::write(ScalarLoops &loops, ConvTransposeOp op, ConvTransposeOp::Adaptor in, ValueRange out) {
  int64_t spatial = op.getStrides().size();
  Scalar resultsInGroup = loops.dim(in.getFilter(), 1);
  Scalar channelsInGroup = loops.dim(in.getFilter(), 0) / op.getGroup();
  Scalars inputSizes = loops.dims(in.getInput()), kernel = loops.dims(in.getFilter());
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    Scalar channel = at[1];
    Scalar firstChannel = channel / resultsInGroup * channelsInGroup;
    SmallVector<LoopRange> ranges = {loops.upTo(channelsInGroup)};
    for (int64_t i = 0; i < spatial; ++i)
      ranges.push_back(loops.upTo(kernel[2 + i]));
    Type type = ScalarLoops::computeType(op.getInput().getType().getElementType());
    Scalar init = in.getBias() ? loops.load(in.getBias(), {channel}) : loops.number(0, type);
    Scalars sum = loops.accumulate(ranges, {init}, [&](const Scalars &taps, const Scalars &sums) -> Scalars {
      Scalars from = {at[0], firstChannel + taps[0]};
      Scalars weight = {firstChannel + taps[0], channel % resultsInGroup};
      // o = i*s + j*d - pad has a solution i inside the input, or this tap adds nothing.
      Scalar hits;
      for (int64_t i = 0; i < spatial; ++i) {
        Scalar scaled = at[2 + i] + op.getPads()[i] - taps[1 + i] * op.getDilations()[i];
        Scalar source = scaled / op.getStrides()[i];
        Scalar hit = scaled >= 0 && scaled % op.getStrides()[i] == 0 && source < inputSizes[2 + i];
        hits = hits.value ? hits && hit : hit;
        from.push_back(source);
        weight.push_back(taps[1 + i]);
      }
      return {loops.ifElse(
          hits, [&] { return sums[0] + loops.load(in.getInput(), from) * loops.load(in.getFilter(), weight); },
          [&] { return sums[0]; })};
    });
    loops.store(sum[0], out[0], at);
  });
  return success();
}

LogicalResult formulas::write(ScalarLoops &loops, MatmulOp op, MatmulOp::Adaptor in, ValueRange out) {
  if (failed(expectPlain(op, op.getFilterLayout())))
    return failure();
  // The indices of an operand: batch, broadcast, then its last two dimensions.
  auto indices = [&](Value operand, const Scalars &at, Scalar row, Scalar column, bool transposed) {
    Scalars full(at.begin(), at.end() - 2);
    full.push_back(row);
    full.push_back(column);
    Scalars own = loops.broadcastIndices(operand, full);
    // A matrix dimension of size 1 is no broadcast, and its index is 0 in any case.
    own[own.size() - 2] = transposed ? column : row;
    own[own.size() - 1] = transposed ? row : column;
    return own;
  };
  int64_t lhsRank = op.getLhs().getType().getRank();
  Scalar depth = loops.dim(in.getLhs(), op.getTransposeLhs() ? lhsRank - 2 : lhsRank - 1);
  auto resultType = cast<MemRefType>(out[0].getType());
  int64_t last = resultType.getRank() - 1, together = sumsTogether(resultType.getDimSize(last), 1);
  Type type = ScalarLoops::computeType(resultType.getElementType());
  loops.eachResult(out[0], {last}, [&](Scalars at) {
    loops.each({loops.dim(out[0], last) / together}, [&](const Scalars &block) {
      Scalars columns = following(block[0] * together, together);
      auto bias = [&](Scalar c) { return in.getBias() ? loops.load(in.getBias(), {c}) : loops.number(0, type); };
      Scalars sums(llvm::map_range(columns, bias));
      sums = loops.accumulate({loops.upTo(depth)}, sums, [&](const Scalars &k, Scalars sums) {
        Scalar row = at[last - 1];
        Scalar element = loops.load(in.getLhs(), indices(in.getLhs(), at, row, k[0], op.getTransposeLhs()));
        for (auto [sum, column] : llvm::zip(sums, columns))
          sum = sum + element * loops.load(in.getRhs(), indices(in.getRhs(), at, k[0], column, op.getTransposeRhs()));
        return sums;
      });
      for (auto [sum, column] : llvm::zip(sums, columns)) {
        at[last] = column;
        loops.store(sum, out[0], at);
      }
    });
  });
  return success();
}
