// Pooling from its formula, over windows and over all spatial dimensions.
#include "Formulas.h"
#include "Window.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace coat;

/// The start of an accumulation of this kind.
static Scalar initial(ScalarLoops &loops, PoolKind kind, Type elementType) {
  return kind == PoolKind::max ? formulas::lowest(loops, elementType)
                               : loops.number(0, ScalarLoops::computeType(elementType));
}

/// One more element.
static Scalar accumulate(PoolKind kind, int64_t p, Scalar sum, Scalar element) {
  switch (kind) {
  case PoolKind::max:
    return max(sum, element);
  case PoolKind::lp:
    return sum + (p == 1 ? abs(element) : p == 2 ? element * element : pow(abs(element), p));
  case PoolKind::average:
  case PoolKind::sum:
    return sum + element;
  }
  llvm_unreachable("unknown kind of pooling");
}

/// What is left to do when all elements are in; `count` is called for a mean only.
static Scalar finish(PoolKind kind, int64_t p, Scalar sum, llvm::function_ref<Scalar()> count) {
  if (kind == PoolKind::average) {
    ScalarLoops &loops = *sum.loops;
    Scalar divisor = count();
    if (sum.isFloat())
      return sum / loops.toFloat(divisor, sum.type());
    return sum / Scalar(loops, arith::IndexCastOp::create(loops.builder, loops.loc, sum.type(), divisor));
  }
  return kind == PoolKind::lp && p != 1 ? pow(sum, 1.0 / p) : sum;
}

/// The flat index of an input element over N, C, D1..Dk; column-major in the last two dimensions for storage_order 1.
static Scalar flatIndex(ScalarLoops &loops, PoolOp op, Value input, Scalars at) {
  Scalars sizes = loops.dims(input);
  if (op.getStorageOrder() == 1 && op.getKernel().size() >= 2) {
    std::swap(sizes[sizes.size() - 1], sizes[sizes.size() - 2]);
    std::swap(at[at.size() - 1], at[at.size() - 2]);
  }
  Scalar flat = at[0];
  for (size_t i = 1; i < at.size(); ++i)
    flat = flat * sizes[i] + at[i];
  return flat;
}

static Scalars inputPosition(const Scalars &at, Window &window, ArrayRef<Scalar> taps) {
  Scalars position = {at[0], at[1]};
  position.append(window.positions(taps));
  return position;
}

/// The maximum and where it is: the first one where several are equal.
static void writeMaxWithIndex(ScalarLoops &loops, PoolOp op, Value input, ValueRange out, const Scalars &at,
                              Window &window) {
  Scalars init = {formulas::lowest(loops, op.getInput().getType().getElementType()), loops.index(-1)};
  auto best = loops.accumulate(window.insideInput(), init, [&](const Scalars &taps, const Scalars &best) -> Scalars {
    Scalars position = inputPosition(at, window, taps);
    Scalar element = loops.load(input, position);
    // The first element is always taken, so that a window of -inf has an index, too.
    Scalar none = best[1] < 0.0;
    Scalar better = select(element > best[0], element > best[0], none);
    return {select(better, element, best[0]), select(better, flatIndex(loops, op, input, position), best[1])};
  });
  loops.store(best[0], out[0], at);
  Type indexType = cast<MemRefType>(out[1].getType()).getElementType();
  loops.store({loops, arith::IndexCastOp::create(loops.builder, loops.loc, indexType, best[1])}, out[1], at);
}

LogicalResult formulas::write(ScalarLoops &loops, PoolOp op, PoolOp::Adaptor in, ValueRange out) {
  if (failed(expectChannelsFirst(op)))
    return failure();
  PoolKind kind = op.getKind();
  int64_t p = op.getP();
  Scalars kernel;
  for (int64_t size : op.getKernel())
    kernel.push_back(loops.index(size));
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    Window window(loops, in.getInput(), kernel, op.getStrides(), op.getDilations(), op.getPads());
    window.at(ArrayRef(at).drop_front(2));
    if (op.getWithIndices())
      return writeMaxWithIndex(loops, op, in.getInput(), out, at, window);
    Scalars init = {initial(loops, kind, op.getInput().getType().getElementType())};
    auto sum = loops.accumulate(window.insideInput(), init, [&](const Scalars &taps, const Scalars &sums) -> Scalars {
      Scalar element = loops.load(in.getInput(), inputPosition(at, window, taps));
      return {accumulate(kind, p, sums[0], element)};
    });
    auto count = [&] {
      Scalar product = loops.index(1);
      for (LoopRange range : op.getCountIncludePad() ? window.insidePadded() : window.insideInput())
        product = product * (range.end - range.begin);
      return product;
    };
    loops.store(finish(kind, p, sum[0], count), out[0], at);
  });
  return success();
}

LogicalResult formulas::write(ScalarLoops &loops, GlobalPoolOp op, GlobalPoolOp::Adaptor in, ValueRange out) {
  if (failed(expectChannelsFirst(op)))
    return failure();
  PoolKind kind = op.getKind();
  int64_t p = op.getP();
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    Scalars sizes(ArrayRef(loops.dims(in.getInput())).drop_front(2));
    SmallVector<LoopRange> ranges;
    for (Scalar size : sizes)
      ranges.push_back(loops.upTo(size));
    Scalars init = {initial(loops, kind, op.getInput().getType().getElementType())};
    auto sum = loops.accumulate(ranges, init, [&](const Scalars &position, const Scalars &sums) -> Scalars {
      Scalars from = {at[0], at[1]};
      from.append(position);
      return {accumulate(kind, p, sums[0], loops.load(in.getInput(), from))};
    });
    auto count = [&] {
      Scalar product = loops.index(1);
      for (Scalar size : sizes)
        product = product * size;
      return product;
    };
    loops.store(finish(kind, p, sum[0], count), out[0], at);
  });
  return success();
}
