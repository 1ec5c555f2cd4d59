// Attention and softmax from their formulas.
#include "Formulas.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace coat;

static Scalar infinity(Scalar like, bool negative) {
  return like.constant(negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity());
}

namespace {
/// Attention of one head of one batch.
class Head {
public:
  Head(ScalarLoops &loops, AttentionOp op, AttentionOp::Adaptor in, Scalar batch, Scalar head)
      : loops(loops), op(op), in(in), batch(batch), head(head) {
    Scalar headsAKey = loops.dim(in.getQuery(), 1) / loops.dim(in.getKey(), 1);
    keyHead = head / headsAKey;
    ownsKeyHead = head % headsAKey == 0.0;
    past = in.getPastKey() ? loops.dim(in.getPastKey(), 2) : loops.index(0);
    keys = past + loops.dim(in.getKey(), 2);
  }

  void write(Value result) {
    Type type = ScalarLoops::computeType(op.getQuery().getType().getElementType());
    OpBuilder &builder = loops.builder;
    Value keyCount = keys;
    Value scores = memref::AllocOp::create(builder, loops.loc, MemRefType::get({ShapedType::kDynamic}, type), keyCount);
    Scalar zero = loops.number(0, type);
    loops.each({loops.dim(result, 2)}, [&](const Scalars &q) {
      Scalars best = loops.accumulate({loops.upTo(keys)}, {infinity(zero, true)},
                                      [&](const Scalars &t, const Scalars &best) -> Scalars {
                                        Scalar s = score(q[0], t[0], zero);
                                        loops.store(s, scores, t);
                                        return {max(best[0], s)};
                                      });
      // A fully masked row has no maximum; 0 in its place makes all its exponentials 0.
      Scalar shift = select(best[0] == infinity(zero, true), zero, best[0]);
      Scalars sum = loops.accumulate({loops.upTo(keys)}, {zero}, [&](const Scalars &t, const Scalars &sums) -> Scalars {
        Scalar e = exp(loops.load(scores, t) - shift);
        loops.store(e, scores, t);
        return {sums[0] + e};
      });
      loops.each({loops.dim(result, 3)}, [&](const Scalars &d) {
        Scalars value =
            loops.accumulate({loops.upTo(keys)}, {zero}, [&](const Scalars &t, const Scalars &sums) -> Scalars {
              return {sums[0] + loops.load(scores, t) * joined(in.getPastValue(), in.getValue(), t[0], d[0])};
            });
        loops.store(select(sum[0] == 0.0, zero, value[0] / sum[0]), result, {batch, head, q[0], d[0]});
      });
    });
  }

  /// The past keys (or values) followed by the new ones; the first query head of each key head writes them.
  void writePresent(Value pastPart, Value newPart, Value present) {
    loops.ifTrue(ownsKeyHead, [&] {
      loops.each({keys, loops.dim(present, 3)}, [&](const Scalars &at) {
        loops.store(joined(pastPart, newPart, at[0], at[1]), present, {batch, keyHead, at[0], at[1]});
      });
    });
  }

private:
  Scalar joined(Value pastPart, Value newPart, Scalar t, Scalar d) {
    auto fromNew = [&] { return loops.load(newPart, {batch, keyHead, t - past, d}); };
    if (!pastPart)
      return fromNew();
    return loops.ifElse(t < past, [&] { return loops.load(pastPart, {batch, keyHead, t, d}); }, fromNew);
  }

  Scalar score(Scalar q, Scalar t, Scalar zero) {
    Scalars dot = loops.accumulate({loops.upTo(loops.dim(in.getQuery(), 3))}, {zero},
                                   [&](const Scalars &d, const Scalars &sums) -> Scalars {
                                     return {sums[0] + loops.load(in.getQuery(), {batch, head, q, d[0]}) *
                                                           joined(in.getPastKey(), in.getKey(), t, d[0])};
                                   });
    Scalar s = dot[0] * op.getScale().convertToDouble();
    if (double softcap = op.getSoftcap().convertToDouble(); softcap > 0)
      s = tanh(s / softcap) * softcap;
    Scalar masked = infinity(s, true);
    if (in.getMask()) {
      Scalar mask = loops.load(in.getMask(), loops.broadcastIndices(in.getMask(), {batch, head, q, t}));
      s = mask.isFloat() ? s + mask : select(mask, s, masked);
    }
    return op.getCausal() ? select(t > q + past, masked, s) : s;
  }

  ScalarLoops &loops;
  AttentionOp op;
  AttentionOp::Adaptor in;
  Scalar batch, head, keyHead, ownsKeyHead, past, keys;
};
} // namespace

LogicalResult formulas::write(ScalarLoops &loops, AttentionOp op, AttentionOp::Adaptor in, ValueRange out) {
  loops.parallel({loops.dim(out[0], 0), loops.dim(out[0], 1)}, [&](const Scalars &at) {
    Head head(loops, op, in, at[0], at[1]);
    head.write(out[0]);
    if (out.size() == 3) {
      head.writePresent(in.getPastKey(), in.getKey(), out[1]);
      head.writePresent(in.getPastValue(), in.getValue(), out[2]);
    }
  });
  return success();
}

LogicalResult formulas::write(ScalarLoops &loops, SoftmaxOp op, SoftmaxOp::Adaptor in, ValueRange out) {
  int64_t axis = op.getAxis();
  Type type = op.getInput().getType().getElementType();
  loops.eachResult(out[0], {axis}, [&](Scalars at) {
    LoopRange row = loops.upTo(loops.dim(in.getInput(), axis));
    auto element = [&](Scalar position) {
      at[axis] = position;
      return loops.load(in.getInput(), at);
    };
    Scalars best = loops.accumulate({row}, {lowest(loops, type)}, [&](const Scalars &i, const Scalars &v) -> Scalars {
      return {max(v[0], element(i[0]))};
    });
    Scalar zero = best[0].constant(0);
    Scalars sum = loops.accumulate({row}, {zero}, [&](const Scalars &i, const Scalars &v) -> Scalars {
      return {v[0] + exp(element(i[0]) - best[0])};
    });
    loops.each({row.end}, [&](const Scalars &i) {
      Scalar x = element(i[0]) - best[0];
      loops.store(op.getLog() ? x - log(sum[0]) : exp(x) / sum[0], out[0], at);
    });
  });
  return success();
}
