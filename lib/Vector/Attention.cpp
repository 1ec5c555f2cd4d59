// Attention in flash form; see Attention.h. For each head, and each panel of queries (one a lane, see
// AttentionScores.h):
//
//   for blocks of keys:  scores -> weights -> running sum; out = out * factor + weights * V
//   out / sum
//
// Where factors come from and when they are not 1: AttentionWeights.h.
// Keys that fit one block (ViT) need no running state. Longer sequences go block by block of keys, and within one over
// several panels of queries, whose state waits in scratch: keys and values then come from memory once for all of them.
// Blocks of keys that a causal mask hides from a panel are not visited.
//
// Where a vector of scores (8 keys x queries, 64 channels) spends its 72 cycles on Zen 3: 64 are the multiply-adds of
// both products, 3 the weight's exponential, 3 the beginnings and ends of register tiles, 2 the rest. Tried, and no
// faster: values packed for the second product; 4 or 16 panels a block, blocks of 60 to 480 keys; tiles of 4 or 5 keys,
// of 3 rows by 4 vectors; weights in a pass of their own behind the scores, or between the steps of the next tile's
// products.
#include "Attention.h"
#include "AttentionWeights.h"
#include "Product.h"

using namespace mlir;
using namespace coat;

namespace {
/// Longest sequence of keys whose scores are kept whole: with the queries of a panel they take most of the L1 cache.
constexpr int64_t wholeKeys = 320;
/// Keys of a block otherwise: whole register tiles of keys, and whole steps of the product with the values.
constexpr int64_t keyBlock = 240;
/// Panels of queries that share a block of keys.
constexpr int64_t panelsOfBlock = 4;
/// Fewer rows than this are left to the decomposed form.
constexpr int64_t fewRows = 3;

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

class FlashEmitter {
public:
  FlashEmitter(RewriterBase &rewriter, AttentionOp op, int64_t lanes)
      : s(rewriter, op, lanes), softmax(s), v(s.v), op(op), rewriter(rewriter), f32(rewriter.getF32Type()) {}

  void emit() {
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, op.getLoc(), op.getQuery());
    Destination destination(v, op);
    std::optional<int64_t> known = getConstantIntValue(s.keys);
    OpFoldResult zero = rewriter.getIndexAttr(0);
    planPanels();
    Value out = v.loopOver(zero, sizes[0], 1, destination.tensor(), [&](Value b, Value inBatch) {
      return v.loopOver(zero, sizes[1], 1, inBatch, [&](Value head, Value inHead) {
        AttentionPanel at{b, head, keyHeadOf(head), Value(), OpFoldResult()};
        return known && *known <= wholeKeys ? overPanels(at, *known, destination, inHead)
                                            : overBlocks(at, destination, inHead);
      });
    });
    rewriter.replaceOp(destination.op(), out);
    if (destination.op() != op)
      rewriter.eraseOp(op);
  }

private:
  /// What panels carry over the blocks of keys: base and sum of each query, and the unscaled result.
  struct State {
    Value base, sum, out;
    SmallVector<Value> values() const { return {base, sum, out}; }
    static State from(ValueRange values) { return {values[0], values[1], values[2]}; }
  };

  //===--- panels ---===//

  /// Known rows are cut into panels as equal as possible, the last of which is moved back over the one before and
  /// computes the same again; unknown ones into full panels and what remains.
  void planPanels() {
    std::optional<int64_t> rows = getConstantIntValue(s.rows);
    int64_t most = s.queries();
    panelRows = rows ? llvm::divideCeil(*rows, llvm::divideCeil(*rows, most)) : most;
    panelCount = affine::makeComposedFoldedAffineApply(rewriter, v.loc, rewriter.getAffineDimExpr(0).ceilDiv(panelRows),
                                                       {s.rows});
  }
  AttentionPanel panel(AttentionPanel at, Value number) {
    at.row = v.linear(number, panelRows, v.index(0), 0);
    at.rows = rewriter.getIndexAttr(panelRows);
    if (std::optional<int64_t> rows = getConstantIntValue(s.rows))
      at.row = *rows % panelRows ? v.minimum(at.row, v.index(*rows - panelRows)) : at.row;
    else
      at.rows = v.minimum(v.linear(at.row, -1, v.valueOf(s.rows), 0), v.index(panelRows));
    return at;
  }
  Value keyHeadOf(Value head) {
    int64_t heads = typeOf(op.getQuery()).getDimSize(1), keyHeads = typeOf(op.getKey()).getDimSize(1);
    if (heads == keyHeads)
      return head;
    AffineExpr group = rewriter.getAffineDimExpr(0).floorDiv(heads / keyHeads);
    return v.valueOf(affine::makeComposedFoldedAffineApply(rewriter, v.loc, group, {getAsOpFoldResult(head)}));
  }
  Value empty(ArrayRef<OpFoldResult> sizes) { return tensor::EmptyOp::create(rewriter, v.loc, sizes, f32); }
  Value empty(int64_t rows, OpFoldResult second, int64_t columns) {
    return empty({rewriter.getIndexAttr(rows), second, rewriter.getIndexAttr(columns)});
  }
  /// Channels of an unscaled result: whole vectors.
  OpFoldResult roundedWidth() {
    AffineExpr d0 = rewriter.getAffineDimExpr(0);
    return affine::makeComposedFoldedAffineApply(rewriter, v.loc, d0.ceilDiv(v.lanes) * v.lanes, {s.width});
  }
  Value buffer(int64_t keys) {
    return empty({rewriter.getIndexAttr(s.bufferKeys(keys)), rewriter.getIndexAttr(s.queries())});
  }

  //===--- all keys at once ---===//

  Value overPanels(const AttentionPanel &head, int64_t keys, Destination &destination, Value into) {
    return v.loopOver(rewriter.getIndexAttr(0), panelCount, 1, into, [&](Value number, Value tensor) {
      AttentionPanel at = panel(head, number);
      Value zero = v.index(0);
      Value packed = s.packQueries(at, empty(1, s.depth, s.queries()), zero);
      OpFoldResult visible = s.visibleKeys(at);
      AttentionWeights weights =
          softmax.emit(at, packed, zero, zero, visible, buffer(keys), softmax.firstBase(at, packed, zero));
      if (!getConstantIntValue(at.rows))
        return throughScratch(at, weights, visible, destination, tensor);
      Value inverse = empty({rewriter.getIndexAttr(s.queries())});
      for (int64_t j = 0; j < s.vectors; ++j)
        inverse = v.store(softmax.inverseOf(weights.sums[j], weights.base[j]), inverse, {v.index(j * v.lanes)});
      return overTiles(at, tensor, [&](Value row, int64_t rows, const ChannelRun &run, Value inner) {
        SmallVector<Value> results = productTile(at, weights.buffer, zero, visible, row, rows, run,
                                                 SmallVector<Value>(rows * run.vectors, v.zero(f32)));
        for (int64_t r = 0; r < rows; ++r) {
          Value factor = v.broadcast(v.loadScalar(inverse, {v.plus(row, r)}));
          for (int64_t j = 0; j < run.vectors; ++j)
            inner = storeResult(at, v.plus(row, r), run, j,
                                arith::MulFOp::create(rewriter, v.loc, results[r * run.vectors + j], factor),
                                destination, inner);
        }
        return inner;
      });
    });
  }

  /// For an unknown number of rows: all rows of the panel in scratch, from where the valid ones are stored.
  Value throughScratch(const AttentionPanel &at, const AttentionWeights &weights, OpFoldResult visible,
                       Destination &destination, Value into) {
    Value zero = v.index(0);
    OpFoldResult one = rewriter.getIndexAttr(1), lanes = rewriter.getIndexAttr(s.queries());
    State state{empty({one, lanes}), empty({one, lanes}),
                empty({one, rewriter.getIndexAttr(panelRows), roundedWidth()})};
    for (int64_t j = 0; j < s.vectors; ++j) {
      SmallVector<Value> point{zero, v.index(j * v.lanes)};
      state.base = v.store(weights.base[j], state.base, point);
      state.sum = v.store(weights.sums[j], state.sum, point);
    }
    AttentionPanel whole = at;
    whole.rows = rewriter.getIndexAttr(panelRows);
    state.out = overTiles(whole, state.out, [&](Value row, int64_t rows, const ChannelRun &run, Value out) {
      SmallVector<Value> results = productTile(at, weights.buffer, zero, visible, row, rows, run,
                                               SmallVector<Value>(rows * run.vectors, v.zero(f32)));
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t j = 0; j < run.vectors; ++j)
          out = v.store(results[r * run.vectors + j], out, {zero, v.plus(row, r), v.plus(run.start, j * v.lanes)});
      return out;
    });
    return finish(at, zero, state, destination, into);
  }

  //===--- block by block ---===//

  Value overBlocks(const AttentionPanel &head, Destination &destination, Value into) {
    OpFoldResult zero = rewriter.getIndexAttr(0);
    return v.loopOver(zero, panelCount, panelsOfBlock, into, [&](Value first, Value tensor) {
      OpFoldResult count = v.minimum(v.linear(first, -1, v.valueOf(panelCount), 0), v.index(panelsOfBlock));
      auto at = [&](Value member) { return panel(head, v.linear(first, 1, member, 0)); };
      SmallVector<Value> start{
          empty(panelsOfBlock, s.depth, s.queries()),
          empty({rewriter.getIndexAttr(panelsOfBlock), rewriter.getIndexAttr(s.queries())}),
          empty({rewriter.getIndexAttr(panelsOfBlock), rewriter.getIndexAttr(s.queries())}),
          empty({rewriter.getIndexAttr(panelsOfBlock), rewriter.getIndexAttr(panelRows), roundedWidth()})};
      start = v.loop(zero, count, 1, start, [&](Value member, ValueRange carried) {
        Value packed = s.packQueries(at(member), carried[0], member);
        State state = fresh(at(member), packed, member, State::from(carried.drop_front()));
        SmallVector<Value> next{packed};
        llvm::append_range(next, state.values());
        return next;
      });
      Value packed = start.front();
      OpFoldResult visible = s.visibleKeys(at(v.plus(v.valueOf(count), -1)));
      SmallVector<Value> done =
          v.loop(zero, visible, keyBlock, ArrayRef(start).drop_front(), [&](Value key, ValueRange outer) {
            return v.loop(zero, count, 1, outer, [&](Value member, ValueRange inner) {
              return oneBlock(at(member), packed, member, key, State::from(inner)).values();
            });
          });
      State state = State::from(done);
      return v.loopOver(zero, count, 1, tensor, [&](Value member, Value inner) {
        return finish(at(member), member, state, destination, inner);
      });
    });
  }

  State fresh(const AttentionPanel &at, Value packed, Value member, State state) {
    OpFoldResult zero = rewriter.getIndexAttr(0);
    for (auto [j, base] : llvm::enumerate(softmax.firstBase(at, packed, member))) {
      SmallVector<Value> point{member, v.index(j * v.lanes)};
      state.base = v.store(base, state.base, point);
      state.sum = v.store(v.zero(f32), state.sum, point);
    }
    state.out = v.loopOver(zero, rewriter.getIndexAttr(panelRows), 1, state.out, [&](Value row, Value outer) {
      return v.loopOver(zero, roundedWidth(), v.lanes, outer,
                        [&](Value d, Value inner) { return v.store(v.zero(f32), inner, {member, row, d}); });
    });
    return state;
  }

  /// One block of keys for one panel.
  State oneBlock(const AttentionPanel &at, Value packed, Value member, Value key, State state) {
    Value left = v.linear(key, -1, v.valueOf(s.visibleKeys(at)), 0);
    OpFoldResult count = v.minimum(left, v.index(keyBlock));
    SmallVector<Value> before;
    for (int64_t j = 0; j < s.vectors; ++j)
      before.push_back(v.load(state.base, {member, v.index(j * v.lanes)}));
    AttentionWeights weights = softmax.emit(at, packed, member, key, count, buffer(keyBlock), before);
    Value factors = empty({rewriter.getIndexAttr(s.queries())});
    for (int64_t j = 0; j < s.vectors; ++j) {
      SmallVector<Value> point{member, v.index(j * v.lanes)};
      factors = v.store(weights.factor[j], factors, {v.index(j * v.lanes)});
      Value scaled = arith::MulFOp::create(rewriter, v.loc, v.load(state.sum, point), weights.factor[j]);
      state.sum = v.store(arith::AddFOp::create(rewriter, v.loc, scaled, weights.sums[j]), state.sum, point);
      state.base = v.store(weights.base[j], state.base, point);
    }
    // All rows of the panel: a tile that overlaps the one before would add to its results again.
    AttentionPanel whole = at;
    whole.rows = rewriter.getIndexAttr(panelRows);
    state.out = overTiles(whole, state.out, [&](Value row, int64_t rows, const ChannelRun &run, Value out) {
      auto point = [&](int64_t r, int64_t j) {
        return SmallVector<Value>{member, v.plus(row, r), v.plus(run.start, j * v.lanes)};
      };
      SmallVector<Value> start;
      for (int64_t r = 0; r < rows; ++r) {
        Value factor = v.broadcast(v.loadScalar(factors, {v.plus(row, r)}));
        for (int64_t j = 0; j < run.vectors; ++j)
          start.push_back(arith::MulFOp::create(rewriter, v.loc, factor, v.load(out, point(r, j))));
      }
      SmallVector<Value> results = productTile(at, weights.buffer, key, count, row, rows, run, start);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t j = 0; j < run.vectors; ++j)
          out = v.store(results[r * run.vectors + j], out, point(r, j));
      return out;
    });
    return state;
  }

  /// out / sum, to where the op's result goes.
  Value finish(const AttentionPanel &at, Value member, const State &state, Destination &destination, Value into) {
    Value inverse = empty({rewriter.getIndexAttr(s.queries())});
    for (int64_t j = 0; j < s.vectors; ++j) {
      SmallVector<Value> point{member, v.index(j * v.lanes)};
      inverse = v.store(softmax.inverseOf(v.load(state.sum, point), v.load(state.base, point)), inverse,
                        {v.index(j * v.lanes)});
    }
    return v.loopOver(rewriter.getIndexAttr(0), at.rows, 1, into, [&](Value row, Value outer) {
      Value factor = v.broadcast(v.loadScalar(inverse, {row}));
      return coverChannels(v, s.width, 2 * v.lanes, outer, [&](const ChannelRun &run, Value inner) {
        for (int64_t j = 0; j < run.vectors; ++j) {
          Value sums = v.load(state.out, {member, row, v.plus(run.start, j * v.lanes)});
          inner =
              storeResult(at, row, run, j, arith::MulFOp::create(rewriter, v.loc, sums, factor), destination, inner);
        }
        return inner;
      });
    });
  }

  //===--- product with the values ---===//

  /// Calls `tile(row of the panel, rows, channels, tensor)`: runs of channels outside, so that the values of a run stay
  /// in the cache for all rows of the panel.
  Value overTiles(const AttentionPanel &at, Value tensor,
                  llvm::function_ref<Value(Value, int64_t, const ChannelRun &, Value)> tile) {
    int64_t rows = v.lanes >= 16 ? 12 : v.lanes == 4 ? 4 : 6; // see AttentionScores::tileKeys
    return coverChannels(v, s.width, 2 * v.lanes, tensor, [&](const ChannelRun &run, Value outer) {
      return coverRows(v, at.rows, rows, outer,
                       [&](Value row, int64_t count, Value inner) { return tile(row, count, run, inner); });
    });
  }

  /// start + weights x values for `count` keys from `key` on.
  SmallVector<Value> productTile(const AttentionPanel &at, Value weights, Value key, OpFoldResult count, Value row,
                                 int64_t rows, const ChannelRun &run, SmallVector<Value> start) {
    auto left = [&](int64_t r, ValueRange, Value k, int64_t offset) {
      return v.loadScalar(weights, {v.plus(k, offset), v.plus(row, r)});
    };
    auto right = [&](int64_t j, ValueRange, Value k, int64_t offset) {
      return v.load(op.getValue(), {at.batch, at.keyHead, v.linear(key, 1, k, offset), v.plus(run.start, j * v.lanes)},
                    run.mask(j));
    };
    return accumulate(v, Product{{}, count, left, right}, rows, run.vectors, std::move(start));
  }

  Value storeResult(const AttentionPanel &at, Value row, const ChannelRun &run, int64_t j, Value result,
                    Destination &destination, Value into) {
    SmallVector<Value> point{at.batch, at.head, v.linear(at.row, 1, row, 0), v.plus(run.start, j * v.lanes)};
    return destination.store(v, result, into, point, run.mask(j));
  }

  AttentionScores s;
  AttentionSoftmax softmax;
  VectorBuilder &v;
  AttentionOp op;
  RewriterBase &rewriter;
  Type f32;
  int64_t panelRows;
  OpFoldResult panelCount;
};
} // namespace

bool coat::hasFlashForm(AttentionOp op) {
  RankedTensorType query = typeOf(op.getQuery()), key = typeOf(op.getKey());
  bool headsKnown = !query.isDynamicDim(1) && !key.isDynamicDim(1);
  bool sameHeads = query.getDimSize(1) == key.getDimSize(1);
  bool manyRows = query.isDynamicDim(2) || query.getDimSize(2) > fewRows;
  return query.getElementType().isF32() && op.isPlain() && manyRows && (headsKnown || sameHeads) &&
         (!op.getMask() || typeOf(op.getMask()).getElementType().isF32() ||
          typeOf(op.getMask()).getElementType().isInteger(1));
}

void coat::emitFlash(RewriterBase &rewriter, AttentionOp op, int64_t lanes) {
  rewriter.setInsertionPoint(op);
  FlashEmitter(rewriter, op, lanes).emit();
}
