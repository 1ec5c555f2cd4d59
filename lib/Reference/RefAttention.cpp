// Attention and softmax from their formulas.
#include "Formulas.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
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

  void write(Value result, Value scoresOut) {
    Type type = softmaxType();
    OpBuilder &builder = loops.builder;
    Value keyCount = keys;
    Value scores = memref::AllocOp::create(builder, loops.loc, MemRefType::get({ShapedType::kDynamic}, type), keyCount);
    Scalar zero = loops.number(0, type);
    std::optional<ScoresKind> shown = op.getScores();
    loops.each({loops.dim(result, 2)}, [&](const Scalars &q) {
      loops.each({keys}, [&](const Scalars &t) {
        loops.store(converted(score(q[0], t[0], ScoresKind::masked), type), scores, t);
        if (shown && *shown != ScoresKind::weights)
          loops.store(converted(score(q[0], t[0], *shown), scoresOut), scoresOut, {batch, head, q[0], t[0]});
      });
      if (op.getTopK() > 0)
        hideAllButBest(scores, infinity(zero, true));
      Scalars best = loops.accumulate(
          {loops.upTo(keys)}, {infinity(zero, true)},
          [&](const Scalars &t, const Scalars &best) -> Scalars { return {max(best[0], loops.load(scores, t))}; });
      // A fully masked row has no maximum; 0 in its place makes all its exponentials 0.
      Scalar shift = select(best[0] == infinity(zero, true), zero, best[0]);
      Scalars sum = loops.accumulate({loops.upTo(keys)}, {zero}, [&](const Scalars &t, const Scalars &sums) -> Scalars {
        Scalar e = exp(loops.load(scores, t) - shift);
        loops.store(e, scores, t);
        return {sums[0] + e};
      });
      loops.each({keys}, [&](const Scalars &t) {
        Scalar weight = select(sum[0] == 0.0, zero, loops.load(scores, t) / sum[0]);
        loops.store(weight, scores, t);
        if (shown == ScoresKind::weights)
          loops.store(converted(weight, scoresOut), scoresOut, {batch, head, q[0], t[0]});
      });
      loops.each({loops.dim(result, 3)}, [&](const Scalars &d) {
        Scalars value =
            loops.accumulate({loops.upTo(keys)}, {loops.number(0, computeType())},
                             [&](const Scalars &t, const Scalars &sums) -> Scalars {
                               Scalar weight = converted(loops.load(scores, t), computeType());
                               return {sums[0] + weight * joined(in.getPastValue(), in.getValue(), t[0], d[0])};
                             });
        loops.store(value[0], result, {batch, head, q[0], d[0]});
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

  Type computeType() { return ScalarLoops::computeType(op.getQuery().getType().getElementType()); }
  /// The type that the softmax computes in.
  Type softmaxType() { return ScalarLoops::computeType(op.getSoftmaxType().value_or(computeType())); }

  Scalar converted(Scalar value, Type type) {
    unsigned from = value.type().getIntOrFloatBitWidth(), to = type.getIntOrFloatBitWidth();
    if (from == to)
      return value;
    return {loops, from < to ? Value(arith::ExtFOp::create(loops.builder, loops.loc, type, value.value))
                             : Value(arith::TruncFOp::create(loops.builder, loops.loc, type, value.value))};
  }
  /// As stores to `memref` take it.
  Scalar converted(Scalar value, Value memref) {
    return converted(value, ScalarLoops::computeType(cast<MemRefType>(memref.getType()).getElementType()));
  }

  /// A score that top_k greater or equal but earlier ones precede becomes -inf.
  void hideAllButBest(Value scores, Scalar hidden) {
    Value copy = memref::AllocOp::create(loops.builder, loops.loc, cast<MemRefType>(scores.getType()), Value(keys));
    loops.each({keys}, [&](const Scalars &t) { loops.store(loops.load(scores, t), copy, t); });
    loops.each({keys}, [&](const Scalars &t) {
      Scalar own = loops.load(copy, t);
      Scalars before = loops.accumulate({loops.upTo(keys)}, {loops.index(0)},
                                        [&](const Scalars &u, const Scalars &count) -> Scalars {
                                          Scalar other = loops.load(copy, u);
                                          Scalar precedes = select(other == own, u[0]<t[0], other> own);
                                          return {select(precedes, count[0] + 1.0, count[0])};
                                        });
      loops.store(select(before[0] < double(op.getTopK()), own, hidden), scores, t);
    });
  }

  Scalar score(Scalar q, Scalar t, ScoresKind kind) {
    Scalar zero = loops.number(0, computeType());
    Scalars dot = loops.accumulate({loops.upTo(loops.dim(in.getQuery(), 3))}, {zero},
                                   [&](const Scalars &d, const Scalars &sums) -> Scalars {
                                     return {sums[0] + loops.load(in.getQuery(), {batch, head, q, d[0]}) *
                                                           joined(in.getPastKey(), in.getKey(), t, d[0])};
                                   });
    Scalar s = dot[0] * op.getScale().convertToDouble();
    if (kind == ScoresKind::scaled)
      return s;
    if (double softcap = op.getSoftcap().convertToDouble(); softcap > 0)
      s = tanh(s / softcap) * softcap;
    return kind == ScoresKind::capped ? s : masked(s, q, t);
  }

  Scalar masked(Scalar s, Scalar q, Scalar t) {
    Scalar hidden = infinity(s, true), position = q + past;
    if (in.getMask()) {
      Scalar mask = loops.load(in.getMask(), loops.broadcastIndices(in.getMask(), {batch, head, q, t}));
      s = mask.isFloat() ? s + mask : select(mask, s, hidden);
    }
    if (in.getLengths()) {
      Scalar length = loops.toIndex(loops.load(in.getLengths(), {batch}));
      position = q + length - loops.dim(in.getQuery(), 2);
      s = select(t < length, s, hidden);
    }
    if (op.getCausal())
      s = select(t > position, hidden, s);
    if (int64_t left = op.getLeftWindow(); left >= 0)
      s = select(t < position - left, hidden, s);
    if (int64_t right = op.getRightWindow(); right >= 0)
      s = select(t > position + right, hidden, s);
    return s;
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
    head.write(out[0], op.getScores() ? out.back() : Value());
    if (op.getWithPresent()) {
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
