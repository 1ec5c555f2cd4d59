// Attention in flash form; see Attention.h. For each head, and each block of query rows:
//
//   for blocks of keys:  scores -> mask -> running maximum -> exp -> running sum; out = out * alpha + P * V
//   out / sum
//
// with the keys packed once a head into panels [T/16][D][16], so that scores are the same product as any other: one
// broadcast and two vectors a step. The values are such panels already. Keys that fit one block (ViT) need no running
// state. Blocks of keys that a causal mask hides from all rows of a block are not visited.
#include "Attention.h"
#include "Product.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace coat;

namespace {
/// Longest sequence whose scores (a few rows of them) are kept whole.
constexpr int64_t wholeKeys = 512;
/// Keys of a block otherwise.
constexpr int64_t keyBlock = 256;
/// Fewer rows than this are left to the decomposed form.
constexpr int64_t fewRows = 3;

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// What a block of query rows carries over the blocks of keys: maximum and sum of each row, and the unscaled result.
struct RowState {
  SmallVector<Value> most, sum;
  Value out;

  SmallVector<Value> values() const {
    SmallVector<Value> all(most);
    llvm::append_range(all, sum);
    all.push_back(out);
    return all;
  }
  static RowState from(ValueRange values) {
    size_t rows = values.size() / 2;
    return {values.take_front(rows), values.slice(rows, rows), values.back()};
  }
};

class FlashEmitter {
public:
  FlashEmitter(RewriterBase &rewriter, AttentionOp op, int64_t lanes)
      : v(rewriter, op.getLoc(), lanes), op(op), rewriter(rewriter), f32(rewriter.getF32Type()), panel(2 * lanes),
        keys(v.sizeOf(op.getKey(), 2)), depth(v.sizeOf(op.getQuery(), 3)), width(v.sizeOf(op.getValue(), 3)) {
    std::optional<int64_t> known = getConstantIntValue(keys);
    oneBlock = known && *known <= wholeKeys;
    blockKeys = oneBlock ? llvm::alignTo(*known, panel) : keyBlock;
  }

  void emit() {
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, op.getLoc(), op.getQuery());
    sizes[3] = width;
    Destination destination(v, op);
    int64_t shared = typeOf(op.getQuery()).getDimSize(1) / typeOf(op.getKey()).getDimSize(1);
    OpFoldResult zero = rewriter.getIndexAttr(0);
    Value out = v.loopOver(zero, sizes[0], 1, destination.tensor(), [&](Value b, Value inBatch) {
      return v.loopOver(zero, v.sizeOf(op.getKey(), 1), 1, inBatch, [&](Value keyHead, Value inHead) {
        Value panels = packKeys(b, keyHead);
        return v.loopOver(zero, rewriter.getIndexAttr(shared), 1, inHead, [&](Value member, Value inGroup) {
          Value head = v.linear(keyHead, shared, member, 0);
          return coverRows(v, sizes[2], rowsOfTile(), inGroup, [&](Value row, int64_t rows, Value into) {
            return emitRows({b, head, keyHead, row}, rows, panels, destination, into);
          });
        });
      });
    });
    rewriter.replaceOp(destination.op(), out);
    if (destination.op() != op)
      rewriter.eraseOp(op);
  }

private:
  /// Where a block of rows is.
  struct Place {
    Value batch, head, keyHead, row;
  };

  /// rows * 2 accumulators, two panel vectors and one broadcast fit the registers.
  int64_t rowsOfTile() const { return v.lanes >= 16 ? 12 : 6; }

  Value scalar(double value) { return arith::ConstantOp::create(rewriter, v.loc, rewriter.getF32FloatAttr(value)); }
  Value never() {
    return arith::ConstantOp::create(rewriter, v.loc,
                                     FloatAttr::get(f32, APFloat::getInf(APFloat::IEEEsingle(), /*Negative=*/true)));
  }
  Value exp(Value x) { return math::ExpOp::create(rewriter, v.loc, x); }
  Value isNever(Value x) { return arith::CmpFOp::create(rewriter, v.loc, arith::CmpFPredicate::OEQ, x, never()); }
  Value select(Value condition, Value a, Value b) { return arith::SelectOp::create(rewriter, v.loc, condition, a, b); }
  Value maximum(Value a, Value b) {
    return arith::MaximumFOp::create(rewriter, v.loc, a, b, arith::FastMathFlags::nnan | arith::FastMathFlags::nsz);
  }
  OpFoldResult roundedUp(OpFoldResult size, int64_t multiple) {
    return affine::makeComposedFoldedAffineApply(rewriter, v.loc,
                                                 rewriter.getAffineDimExpr(0).ceilDiv(multiple) * multiple, {size});
  }

  //===--- keys ---===//

  /// [T/panel][D][panel]; what is behind the last key repeats it and is masked later.
  Value packKeys(Value b, Value keyHead) {
    AffineExpr d0 = rewriter.getAffineDimExpr(0);
    OpFoldResult count = affine::makeComposedFoldedAffineApply(rewriter, v.loc, d0.ceilDiv(panel), {keys});
    OpFoldResult zero = rewriter.getIndexAttr(0);
    Value last = v.plus(v.valueOf(keys), -1);
    bool exact = getConstantIntValue(keys) && *getConstantIntValue(keys) % panel == 0;
    Value panels = tensor::EmptyOp::create(rewriter, v.loc,
                                           ArrayRef<OpFoldResult>{count, depth, rewriter.getIndexAttr(panel)}, f32);
    return v.loopOver(zero, count, 1, panels, [&](Value n, Value outer) {
      SmallVector<Value> rows;
      for (int64_t i = 0; i < panel; ++i) {
        Value key = v.linear(n, panel, v.index(0), i);
        rows.push_back(exact ? key : v.minimum(key, last));
      }
      OpFoldResult blocks =
          affine::makeComposedFoldedAffineApply(rewriter, v.loc, d0.floorDiv(v.lanes) * v.lanes, {depth});
      outer = v.loopOver(zero, blocks, v.lanes, outer, [&](Value d, Value inner) {
        for (int64_t half = 0; half < 2; ++half) {
          SmallVector<Value> block;
          for (int64_t i = 0; i < v.lanes; ++i)
            block.push_back(v.load(op.getKey(), {b, keyHead, rows[half * v.lanes + i], d}));
          for (auto [i, column] : llvm::enumerate(transposed(block)))
            inner = v.store(column, inner, {n, v.plus(d, i), v.index(half * v.lanes)});
        }
        return inner;
      });
      return v.loopOver(blocks, depth, 1, outer, [&](Value d, Value inner) {
        for (int64_t half = 0; half < 2; ++half) {
          SmallVector<Value> elements;
          for (int64_t i = 0; i < v.lanes; ++i)
            elements.push_back(v.loadScalar(op.getKey(), {b, keyHead, rows[half * v.lanes + i], d}));
          Value vector = vector::FromElementsOp::create(rewriter, v.loc, v.vectorOf(f32), elements);
          inner = v.store(vector, inner, {n, d, v.index(half * v.lanes)});
        }
        return inner;
      });
    });
  }

  /// A square block, rows for columns: as often as its size can be halved, row i is interleaved with row i + half.
  SmallVector<Value> transposed(SmallVector<Value> rows) {
    int64_t size = rows.size();
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < size / 2; ++i) {
      low.append({i, size + i});
      high.append({size / 2 + i, size + size / 2 + i});
    }
    for (int64_t step = 1; step < size; step *= 2) {
      SmallVector<Value> next;
      for (int64_t i = 0; i < size / 2; ++i)
        for (ArrayRef<int64_t> half : {ArrayRef<int64_t>(low), ArrayRef<int64_t>(high)})
          next.push_back(vector::ShuffleOp::create(rewriter, v.loc, rows[i], rows[i + size / 2], half));
      rows = next;
    }
    return rows;
  }

  //===--- a block of rows ---===//

  Value emitRows(const Place &at, int64_t rows, Value panels, Destination &destination, Value into) {
    OpFoldResult zero = rewriter.getIndexAttr(0);
    Value scratch = tensor::EmptyOp::create(rewriter, v.loc, ArrayRef<int64_t>{rows, blockKeys}, f32);
    RowState state;
    state.most.assign(rows, never());
    state.sum.assign(rows, scalar(0));
    if (oneBlock) {
      OpFoldResult visible = visibleKeys(at, rows);
      Value weights = emitScores(at, rows, panels, v.index(0), visible, scratch);
      SmallVector<Value> alphas;
      weights = emitExponentials(weights, visible, state, alphas);
      return emitProduct(
          at, rows, weights, v.index(0), visible, into, [&](int64_t) { return Value(); },
          [&](int64_t row, Value sums, Value tensor, ValueRange point, Value mask) {
            return destination.store(v, finished(sums, state.sum[row]), tensor, point, mask);
          },
          at.row);
    }
    // The unscaled result lives in scratch until the last block of keys is done.
    OpFoldResult visible = visibleKeys(at, rows);
    state.out = tensor::EmptyOp::create(
        rewriter, v.loc, ArrayRef<OpFoldResult>{rewriter.getIndexAttr(rows), roundedUp(width, v.lanes)}, f32);
    state.out = v.loopOver(zero, rewriter.getIndexAttr(rows), 1, state.out, [&](Value row, Value outer) {
      return v.loopOver(zero, roundedUp(width, v.lanes), v.lanes, outer,
                        [&](Value d, Value inner) { return v.store(v.zero(f32), inner, {row, d}); });
    });
    SmallVector<Value> results = v.loop(zero, visible, keyBlock, state.values(), [&](Value start, ValueRange carried) {
      RowState block = RowState::from(carried);
      Value left = v.linear(start, -1, v.valueOf(visible), 0);
      OpFoldResult count = v.minimum(left, v.index(keyBlock));
      Value weights = emitScores(at, rows, panels, start, count, scratch);
      SmallVector<Value> alphas;
      weights = emitExponentials(weights, count, block, alphas);
      block.out = emitProduct(
          at, rows, weights, start, count, block.out, [&](int64_t row) { return alphas[row]; },
          [&](int64_t, Value sums, Value tensor, ValueRange point, Value) {
            return v.store(sums, tensor, {point[2], point[3]});
          },
          v.index(0));
      return block.values();
    });
    state = RowState::from(results);
    return emitResult(at, rows, state, destination, into);
  }

  /// Keys that some row of the block may see.
  OpFoldResult visibleKeys(const Place &at, int64_t rows) {
    if (!op.getCausal())
      return keys;
    return v.minimum(v.valueOf(keys), v.plus(position(at, 0), rows));
  }
  /// Row `row` of the block in the sequence of queries.
  Value position(const Place &at, int64_t row) {
    Value offset = op.getQueryOffset() ? op.getQueryOffset() : v.index(0);
    return v.linear(at.row, 1, offset, row);
  }

  /// Scores of `count` keys from `start` on into `scratch`, masked; those behind the last key are -inf.
  Value emitScores(const Place &at, int64_t rows, Value panels, Value start, OpFoldResult count, Value scratch) {
    OpFoldResult zero = rewriter.getIndexAttr(0), padded = roundedUp(count, panel);
    AffineExpr d0 = rewriter.getAffineDimExpr(0);
    OpFoldResult full = affine::makeComposedFoldedAffineApply(rewriter, v.loc, d0.floorDiv(panel) * panel, {count});
    auto column = [&](bool tail) {
      return [&, tail](Value key, Value tensor) {
        Value from = v.linear(start, 1, key, 0); // a multiple of the panel
        Value n = v.valueOf(
            affine::makeComposedFoldedAffineApply(rewriter, v.loc, d0.floorDiv(panel), {getAsOpFoldResult(from)}));
        auto left = [&](int64_t row, ValueRange, Value k, int64_t offset) {
          return v.loadScalar(op.getQuery(), {at.batch, at.head, v.plus(at.row, row), v.plus(k, offset)});
        };
        auto right = [&](int64_t j, ValueRange, Value k, int64_t offset) {
          return v.load(panels, {n, v.plus(k, offset), v.index(j * v.lanes)});
        };
        Product product{{}, depth, left, right};
        SmallVector<Value> sums = accumulate(v, product, rows, 2, SmallVector<Value>(rows * 2, v.zero(f32)));
        for (int64_t row = 0; row < rows; ++row)
          for (int64_t j = 0; j < 2; ++j) {
            Value here = v.plus(from, j * v.lanes);
            Value score = masked(at, row, here, tail, sums[row * 2 + j]);
            tensor = v.store(score, tensor, {v.index(row), v.plus(key, j * v.lanes)});
          }
        return tensor;
      };
    };
    scratch = v.loopOver(zero, full, panel, scratch, column(false));
    return v.loopOver(full, padded, panel, scratch, column(true));
  }

  /// scale, softcap, mask, causality and the end of the keys, in that order.
  Value masked(const Place &at, int64_t row, Value key, bool tail, Value score) {
    if (double scale = op.getScale().convertToDouble(); scale != 1)
      score = arith::MulFOp::create(rewriter, v.loc, score, v.broadcast(scalar(scale)));
    if (double cap = op.getSoftcap().convertToDouble(); cap > 0) {
      Value small = arith::MulFOp::create(rewriter, v.loc, score, v.broadcast(scalar(1 / cap)));
      score = arith::MulFOp::create(rewriter, v.loc, math::TanhOp::create(rewriter, v.loc, small),
                                    v.broadcast(scalar(cap)));
    }
    Value left = v.linear(key, -1, v.valueOf(keys), 0);
    Value valid = tail ? v.mask(left) : Value();
    if (op.getMask())
      score = withMask(at, row, key, tail, score);
    if (op.getCausal()) {
      Value seen = v.linear(key, -1, position(at, row), 1);
      valid = v.mask(tail ? v.minimum(seen, left) : seen);
    }
    return valid ? select(valid, score, v.broadcast(never())) : score;
  }

  Value withMask(const Place &at, int64_t row, Value key, bool tail, Value score) {
    Value mask = op.getMask();
    ArrayRef<int64_t> shape = typeOf(mask).getShape();
    SmallVector<Value> all{at.batch, at.head, v.plus(at.row, row), key}, indices;
    for (auto [dim, size] : llvm::enumerate(shape))
      indices.push_back(size == 1 ? v.index(0) : all[4 - shape.size() + dim]);
    bool isBoolean = typeOf(mask).getElementType().isInteger(1);
    Value element;
    if (shape.back() == 1)
      element = v.broadcast(v.loadScalar(mask, indices));
    else if (isBoolean)
      element = booleans(mask, indices, tail);
    else
      element = v.load(mask, indices, tail ? v.mask(v.linear(key, -1, v.valueOf(keys), 0)) : Value());
    if (isBoolean)
      return select(element, score, v.broadcast(never()));
    return arith::AddFOp::create(rewriter, v.loc, score, element);
  }

  /// Booleans are bytes in memory and bits in a vector, so they are read one by one.
  Value booleans(Value mask, SmallVector<Value> indices, bool tail) {
    Value first = indices.back(), last = v.plus(v.valueOf(keys), -1);
    SmallVector<Value> elements;
    for (int64_t lane = 0; lane < v.lanes; ++lane) {
      Value key = v.plus(first, lane);
      indices.back() = tail ? v.minimum(key, last) : key;
      elements.push_back(v.loadScalar(mask, indices));
    }
    return vector::FromElementsOp::create(rewriter, v.loc, v.vectorOf(rewriter.getI1Type()), elements);
  }

  /// Scores become exp(score - maximum); `state` is brought up to date. Where there was a block before, `alphas` (a
  /// vector of equal lanes a row) are what its sums count from now on.
  Value emitExponentials(Value scores, OpFoldResult count, RowState &state, SmallVectorImpl<Value> &alphas) {
    OpFoldResult zero = rewriter.getIndexAttr(0), padded = roundedUp(count, panel);
    for (size_t row = 0; row < state.most.size(); ++row) {
      auto point = [&](Value key, int64_t j) { return SmallVector<Value>{v.index(row), v.plus(key, j * v.lanes)}; };
      SmallVector<Value> start(2, v.broadcast(never()));
      SmallVector<Value> most = v.loop(zero, padded, panel, start, [&](Value key, ValueRange carried) {
        return SmallVector<Value>{maximum(v.load(scores, point(key, 0)), carried[0]),
                                  maximum(v.load(scores, point(key, 1)), carried[1])};
      });
      Value blockMost =
          vector::ReductionOp::create(rewriter, v.loc, vector::CombiningKind::MAXIMUMF, maximum(most[0], most[1]),
                                      arith::FastMathFlags::nnan | arith::FastMathFlags::nsz);
      Value rowMost = oneBlock ? blockMost : maximum(blockMost, state.most[row]);
      // A row without any key so far: every exponential is of -inf, not of NaN.
      Value base = select(isNever(rowMost), scalar(0), rowMost), bases = v.broadcast(base);
      SmallVector<Value> carried{v.zero(f32), v.zero(f32), scores};
      carried = v.loop(zero, padded, panel, carried, [&](Value key, ValueRange inner) {
        SmallVector<Value> next;
        Value tensor = inner[2];
        for (int64_t j = 0; j < 2; ++j) {
          Value weight = exp(arith::SubFOp::create(rewriter, v.loc, v.load(tensor, point(key, j)), bases));
          next.push_back(arith::AddFOp::create(rewriter, v.loc, inner[j], weight));
          tensor = v.store(weight, tensor, point(key, j));
        }
        next.push_back(tensor);
        return next;
      });
      scores = carried[2];
      Value lanesSum = arith::AddFOp::create(rewriter, v.loc, carried[0], carried[1]);
      Value sum = vector::ReductionOp::create(rewriter, v.loc, vector::CombiningKind::ADD, lanesSum,
                                              arith::FastMathFlags::reassoc);
      if (!oneBlock) {
        Value shift = arith::SubFOp::create(rewriter, v.loc, state.most[row], base);
        alphas.push_back(exp(v.broadcast(shift)));
        Value alpha = vector::ExtractOp::create(rewriter, v.loc, alphas.back(), int64_t{0});
        Value before = arith::MulFOp::create(rewriter, v.loc, state.sum[row], alpha);
        sum = arith::AddFOp::create(rewriter, v.loc, before, sum);
      }
      state.most[row] = rowMost;
      state.sum[row] = sum;
    }
    return scores;
  }

  /// weights x values for `count` keys from `start` on. Sums begin with `into` times `alpha(row)`, or zero where that
  /// is null; `store` gets the row, the sums and where they belong (rows counted from `firstRow`).
  Value emitProduct(const Place &at, int64_t rows, Value weights, Value start, OpFoldResult count, Value into,
                    llvm::function_ref<Value(int64_t)> alpha,
                    llvm::function_ref<Value(int64_t, Value, Value, ValueRange, Value)> store, Value firstRow) {
    return coverChannels(v, width, panel, into, [&](const ChannelRun &run, Value tensor) {
      auto channel = [&](int64_t j) { return v.plus(run.start, j * v.lanes); };
      auto left = [&](int64_t row, ValueRange, Value k, int64_t offset) {
        return v.loadScalar(weights, {v.index(row), v.plus(k, offset)});
      };
      auto right = [&](int64_t j, ValueRange, Value k, int64_t offset) {
        return v.load(op.getValue(), {at.batch, at.keyHead, v.linear(start, 1, k, offset), channel(j)}, run.mask(j));
      };
      Product product{{}, count, left, right};
      SmallVector<Value> sums;
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t j = 0; j < run.vectors; ++j) {
          Value factor = alpha(row);
          sums.push_back(
              factor ? arith::MulFOp::create(rewriter, v.loc, factor, v.load(tensor, {v.index(row), channel(j)}))
                           .getResult()
                     : v.zero(f32));
        }
      sums = accumulate(v, product, rows, run.vectors, sums);
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t j = 0; j < run.vectors; ++j) {
          SmallVector<Value> point{at.batch, at.head, v.plus(firstRow, row), channel(j)};
          tensor = store(row, sums[row * run.vectors + j], tensor, point, run.mask(j));
        }
      return tensor;
    });
  }

  /// sums / sum, zeros where no key was seen.
  Value finished(Value sums, Value sum) {
    Value none = arith::CmpFOp::create(rewriter, v.loc, arith::CmpFPredicate::OEQ, sum, scalar(0));
    Value factor = select(none, scalar(0), arith::DivFOp::create(rewriter, v.loc, scalar(1), sum));
    return arith::MulFOp::create(rewriter, v.loc, sums, v.broadcast(factor));
  }

  Value emitResult(const Place &at, int64_t rows, const RowState &state, Destination &destination, Value into) {
    return coverChannels(v, width, panel, into, [&](const ChannelRun &run, Value tensor) {
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t j = 0; j < run.vectors; ++j) {
          Value channel = v.plus(run.start, j * v.lanes);
          Value sums = v.load(state.out, {v.index(row), channel});
          tensor = destination.store(v, finished(sums, state.sum[row]), tensor,
                                     {at.batch, at.head, v.plus(at.row, row), channel}, run.mask(j));
        }
      return tensor;
    });
  }

  VectorBuilder v;
  AttentionOp op;
  RewriterBase &rewriter;
  Type f32;
  int64_t panel, blockKeys;
  bool oneBlock;
  OpFoldResult keys, depth, width; // T, D, Dv
};
} // namespace

bool coat::hasFlashForm(AttentionOp op) {
  RankedTensorType query = typeOf(op.getQuery()), key = typeOf(op.getKey());
  bool headsKnown = !query.isDynamicDim(1) && !key.isDynamicDim(1);
  bool sameHeads = query.getDimSize(1) == key.getDimSize(1);
  bool manyRows = query.isDynamicDim(2) || query.getDimSize(2) > fewRows;
  return query.getElementType().isF32() && !op.getPastKey() && !op.getWithPresent() && manyRows &&
         (headsKnown || sameHeads) &&
         (!op.getMask() || typeOf(op.getMask()).getElementType().isF32() ||
          typeOf(op.getMask()).getElementType().isInteger(1));
}

void coat::emitFlash(RewriterBase &rewriter, AttentionOp op, int64_t lanes) {
  rewriter.setInsertionPoint(op);
  FlashEmitter(rewriter, op, lanes).emit();
}
