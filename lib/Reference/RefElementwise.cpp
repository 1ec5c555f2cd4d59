// Element-wise ops, casts and reductions. The scalar formulas of the first two are those of the op itself.
#include "Formulas.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace coat;

static Scalar extreme(ScalarLoops &loops, Type elementType, bool greatest) {
  Type type = ScalarLoops::computeType(elementType);
  if (isa<FloatType>(type)) {
    double infinity = std::numeric_limits<double>::infinity();
    return loops.number(greatest ? infinity : -infinity, type);
  }
  unsigned width = type.getIntOrFloatBitWidth();
  bool isUnsigned = elementType.isUnsignedInteger() || width == 1;
  APInt value = greatest ? (isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width))
                         : (isUnsigned ? APInt::getMinValue(width) : APInt::getSignedMinValue(width));
  auto constant = arith::ConstantOp::create(loops.builder, loops.loc, loops.builder.getIntegerAttr(type, value));
  return {loops, constant, elementType.isUnsignedInteger()};
}

Scalar formulas::lowest(ScalarLoops &loops, Type elementType) { return extreme(loops, elementType, false); }
Scalar formulas::highest(ScalarLoops &loops, Type elementType) { return extreme(loops, elementType, true); }

LogicalResult formulas::write(ScalarLoops &loops, ElementwiseOp op, ElementwiseOp::Adaptor in, ValueRange out) {
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    SmallVector<Value> arguments;
    for (Value input : in.getInputs())
      arguments.push_back(loops.loadElement(input, loops.broadcastIndices(input, at)));
    loops.storeElement(op.buildScalar(loops.builder, loops.loc, arguments), out[0], at);
  });
  return success();
}

LogicalResult formulas::write(ScalarLoops &loops, CastOp op, CastOp::Adaptor in, ValueRange out) {
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    Value element = loops.loadElement(in.getInput(), at);
    loops.storeElement(op.buildScalar(loops.builder, loops.loc, element), out[0], at);
  });
  return success();
}

/// One more element of a reduction; `shift` is the maximum for log_sum_exp.
static Scalar accumulate(ReduceKind kind, Scalar sum, Scalar x, Scalar shift) {
  switch (kind) {
  case ReduceKind::sum:
  case ReduceKind::mean:
  case ReduceKind::log_sum:
    return sum + x;
  case ReduceKind::max:
    return max(sum, x);
  case ReduceKind::min:
    return min(sum, x);
  case ReduceKind::prod:
    return sum * x;
  case ReduceKind::l1:
    return sum + abs(x);
  case ReduceKind::l2:
  case ReduceKind::sum_square:
    return sum + x * x;
  case ReduceKind::log_sum_exp:
    return sum + exp(x - shift);
  }
  llvm_unreachable("unknown reduction");
}

static Scalar initial(ScalarLoops &loops, ReduceKind kind, Type elementType) {
  if (kind == ReduceKind::max)
    return formulas::lowest(loops, elementType);
  if (kind == ReduceKind::min)
    return formulas::highest(loops, elementType);
  return loops.number(kind == ReduceKind::prod ? 1 : 0, ScalarLoops::computeType(elementType));
}

static Scalar finish(ReduceKind kind, Scalar sum, Scalar count, Scalar shift) {
  switch (kind) {
  case ReduceKind::mean:
    return sum / count.loops->toFloat(count, sum.type());
  case ReduceKind::l2:
    return sqrt(sum);
  case ReduceKind::log_sum:
    return log(sum);
  case ReduceKind::log_sum_exp:
    return log(sum) + shift;
  default:
    return sum;
  }
}

LogicalResult formulas::write(ScalarLoops &loops, ReduceOp op, ReduceOp::Adaptor in, ValueRange out) {
  ReduceKind kind = op.getKind();
  Type type = op.getInput().getType().getElementType();
  ArrayRef<int64_t> axes = op.getAxes();
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    // The input's index: the reduced ones from the inner loops, the others from the result.
    auto position = [&](const Scalars &reduced) {
      Scalars from;
      size_t nextReduced = 0, nextKept = 0;
      for (int64_t i = 0; i < op.getInput().getType().getRank(); ++i) {
        bool isReduced = llvm::is_contained(axes, i);
        from.push_back(isReduced ? reduced[nextReduced++] : at[nextKept]);
        nextKept += !isReduced || op.getKeepDims();
      }
      return from;
    };
    Scalar count = loops.index(1);
    SmallVector<LoopRange> ranges;
    for (int64_t axis : axes) {
      ranges.push_back(loops.upTo(loops.dim(in.getInput(), axis)));
      count = count * ranges.back().end;
    }
    auto reduce = [&](ReduceKind how, Scalar shift) {
      return loops.accumulate(ranges, {initial(loops, how, type)}, [&](const Scalars &i, const Scalars &v) -> Scalars {
        return {accumulate(how, v[0], loops.load(in.getInput(), position(i)), shift)};
      })[0];
    };
    Scalar shift;
    if (kind == ReduceKind::log_sum_exp) {
      // exp must not overflow; where the maximum itself is infinite there is nothing to shift.
      Scalar best = reduce(ReduceKind::max, {});
      shift = select(abs(best) == highest(loops, type), best.constant(0), best);
    }
    loops.store(finish(kind, reduce(kind, shift), count, shift), out[0], at);
  });
  return success();
}

LogicalResult formulas::write(ScalarLoops &loops, ArgReduceOp op, ArgReduceOp::Adaptor in, ValueRange out) {
  bool isMax = op.getKind() == ReduceKind::max;
  int64_t axis = op.getAxis();
  Type type = op.getInput().getType().getElementType();
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    auto element = [&](Scalar i) {
      Scalars from = at;
      if (op.getKeepDims())
        from[axis] = i;
      else
        from.insert(from.begin() + axis, i);
      return loops.load(in.getInput(), from);
    };
    Scalars init = {initial(loops, op.getKind(), type), loops.index(0)};
    LoopRange row = loops.upTo(loops.dim(in.getInput(), axis));
    Scalars best = loops.accumulate({row}, init, [&](const Scalars &i, const Scalars &best) -> Scalars {
      Scalar x = element(i[0]);
      Scalar better = op.getSelectLast() ? (isMax ? x >= best[0] : x <= best[0]) : (isMax ? x > best[0] : x < best[0]);
      return {select(better, x, best[0]), select(better, i[0], best[1])};
    });
    Type indexType = cast<MemRefType>(out[0].getType()).getElementType();
    loops.store({loops, arith::IndexCastOp::create(loops.builder, loops.loc, indexType, best[1])}, out[0], at);
  });
  return success();
}
