// See AttentionScores.h.
#include "AttentionScores.h"
#include "Product.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace coat;

static constexpr double log2e = 1.44269504088896340736;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

AttentionScores::AttentionScores(OpBuilder &builder, AttentionOp op, int64_t lanes)
    : v(builder, op.getLoc(), lanes), op(op), vectors(2), rows(v.sizeOf(op.getQuery(), 2)),
      keys(v.sizeOf(op.getKey(), 2)), depth(v.sizeOf(op.getQuery(), 3)), width(v.sizeOf(op.getValue(), 3)) {
  if (std::optional<int64_t> known = getConstantIntValue(rows); known && *known <= lanes)
    vectors = 1;
}

/// Keys x vectors accumulators, the vectors of queries and one broadcast fit the registers (of four lanes, a product as
/// well: they are a target without fused multiply-adds).
int64_t AttentionScores::tileKeys() const { return vectors == 1 ? 8 : v.lanes >= 16 ? 12 : v.lanes == 4 ? 5 : 6; }

int64_t AttentionScores::bufferKeys(int64_t keys) const {
  return llvm::alignTo(std::max(llvm::alignTo(keys, tileKeys()), llvm::alignTo(keys, v.lanes)), 4);
}

Value AttentionScores::scalar(double value) {
  return arith::ConstantOp::create(v.builder, v.loc, v.builder.getF32FloatAttr(value));
}

Value AttentionScores::never() {
  auto lowest = APFloat::getInf(APFloat::IEEEsingle(), /*Negative=*/true);
  return v.splat(FloatAttr::get(v.builder.getF32Type(), lowest));
}

//===----------------------------------------------------------------------===//
// Queries
//===----------------------------------------------------------------------===//

/// The row of each lane.
SmallVector<Value> AttentionScores::laneRows(const AttentionPanel &at) {
  std::optional<int64_t> known = getConstantIntValue(at.rows);
  SmallVector<Value> result;
  Value last = known ? Value() : v.plus(v.valueOf(at.rows), -1);
  for (int64_t i = 0; i < queries(); ++i) {
    Value lane = known ? v.index(std::min(i, *known - 1)) : v.minimum(v.index(i), last);
    result.push_back(v.linear(at.row, 1, lane, 0));
  }
  return result;
}

Value AttentionScores::packQueries(const AttentionPanel &at, Value packed, Value index) {
  AffineExpr d0 = v.builder.getAffineDimExpr(0);
  OpFoldResult zero = v.builder.getIndexAttr(0);
  OpFoldResult blocks =
      affine::makeComposedFoldedAffineApply(v.builder, v.loc, d0.floorDiv(v.lanes) * v.lanes, {depth});
  double scale = op.getScale().convertToDouble();
  if (op.getSoftcap().convertToDouble() <= 0)
    scale *= log2e;
  SmallVector<Value> rows = laneRows(at);
  auto put = [&](Value vector, Value tensor, Value d, int64_t j) {
    if (scale != 1)
      vector = arith::MulFOp::create(v.builder, v.loc, vector, v.broadcast(scalar(scale)));
    return v.store(vector, tensor, {index, d, v.index(j * v.lanes)});
  };
  // A vector of lanes after the other: the addresses of more rows would not fit the registers.
  for (int64_t j = 0; j < vectors; ++j)
    packed = v.loopOver(zero, blocks, v.lanes, packed, [&](Value d, Value inner) {
      SmallVector<Value> block;
      for (int64_t i = 0; i < v.lanes; ++i)
        block.push_back(v.load(op.getQuery(), {at.batch, at.head, rows[j * v.lanes + i], d}));
      for (auto [i, column] : llvm::enumerate(transposed(block)))
        inner = put(column, inner, v.plus(d, i), j);
      return inner;
    });
  return v.loopOver(blocks, depth, 1, packed, [&](Value d, Value inner) {
    for (int64_t j = 0; j < vectors; ++j) {
      SmallVector<Value> elements;
      for (int64_t i = 0; i < v.lanes; ++i)
        elements.push_back(v.loadScalar(op.getQuery(), {at.batch, at.head, rows[j * v.lanes + i], d}));
      inner = put(vector::FromElementsOp::create(v.builder, v.loc, v.vectorOf(v.builder.getF32Type()), elements), inner,
                  d, j);
    }
    return inner;
  });
}

/// A square block, rows for columns: as often as its size can be halved, row i is interleaved with row i + half.
SmallVector<Value> AttentionScores::transposed(SmallVector<Value> rows) {
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
        next.push_back(vector::ShuffleOp::create(v.builder, v.loc, rows[i], rows[i + size / 2], half));
    rows = next;
  }
  return rows;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// Lane `lane` of the panel in the sequence of queries.
Value AttentionScores::queryPosition(const AttentionPanel &at, int64_t lane) {
  Value offset = op.getQueryOffset() ? op.getQueryOffset() : v.index(0);
  return v.linear(at.row, 1, offset, lane);
}

OpFoldResult AttentionScores::visibleKeys(const AttentionPanel &at) {
  if (!op.getCausal())
    return keys;
  Value end = v.linear(v.valueOf(at.rows), 1, queryPosition(at, 0), 0);
  return v.minimum(v.valueOf(keys), end);
}

SmallVector<Value> AttentionScores::emit(const AttentionPanel &at, Value packed, Value index, Value start,
                                         OpFoldResult count, ArrayRef<Value> from, SmallVector<Value> carried,
                                         TileBody body) {
  if (op.getMask() && maskVariesByQuery())
    carried.back() = transposeMask(at, start, count, carried.back());
  int64_t tile = tileKeys();
  OpFoldResult zero = v.builder.getIndexAttr(0);
  auto run = [&](OpFoldResult lower, OpFoldResult upper, int64_t step, bool guarded) {
    carried = v.loop(lower, upper, step, carried, [&](Value first, ValueRange inner) {
      SmallVector<Value> sums;
      for (int64_t row = 0; row < step; ++row)
        llvm::append_range(sums, from);
      SmallVector<Value> scores = products(at, packed, index, start, first, step, guarded, sums);
      for (auto [i, score] : llvm::enumerate(scores)) {
        Value local = v.plus(first, i / vectors), key = v.linear(start, 1, first, i / vectors);
        score = adjusted(at, key, local, i % vectors, guarded, score, inner.back());
      }
      return body(first, scores, inner);
    });
  };
  if (std::optional<int64_t> known = getConstantIntValue(count); known && !op.getCausal()) {
    // Tiles as equal as possible: a tile of a key or two takes nearly as long as one of four.
    int64_t tiles = llvm::divideCeil(*known, tile), narrow = *known / tiles, wide = *known % tiles;
    OpFoldResult switchAt = v.builder.getIndexAttr(wide * (narrow + 1));
    run(zero, switchAt, narrow + 1, false);
    run(switchAt, count, narrow, false);
    return carried;
  }
  // Keys that all queries see need no guard. Behind them are whole tiles, too: their rows are in the buffer.
  AffineExpr d0 = v.builder.getAffineDimExpr(0);
  OpFoldResult open = count;
  if (op.getCausal())
    open = v.minimum(v.valueOf(count), v.linear(start, -1, queryPosition(at, 0), 1));
  OpFoldResult full = affine::makeComposedFoldedAffineApply(v.builder, v.loc, d0.floorDiv(tile) * tile, {open});
  if (op.getCausal())
    full = affine::makeComposedFoldedAffineMax(
        v.builder, v.loc, AffineMap::get(1, 0, {d0, v.builder.getAffineConstantExpr(0)}, v.builder.getContext()),
        {full});
  run(zero, full, tile, false);
  run(full, count, tile, true);
  return carried;
}

SmallVector<Value> AttentionScores::products(const AttentionPanel &at, Value packed, Value index, Value start,
                                             Value first, int64_t count, bool guarded, SmallVector<Value> sums) {
  SmallVector<Value> places;
  for (int64_t i = 0; i < count; ++i) {
    Value key = v.linear(start, 1, first, i);
    places.push_back(guarded ? v.minimum(key, v.plus(v.valueOf(keys), -1)) : key);
  }
  auto left = [&](int64_t row, ValueRange, Value k, int64_t offset) {
    return v.loadScalar(op.getKey(), {at.batch, at.keyHead, places[row], v.plus(k, offset)});
  };
  auto right = [&](int64_t j, ValueRange, Value k, int64_t offset) {
    return v.load(packed, {index, v.plus(k, offset), v.index(j * v.lanes)});
  };
  return accumulate(v, Product{{}, depth, left, right}, count, vectors, std::move(sums));
}

/// softcap, mask, causality and the end of the keys, in that order.
Value AttentionScores::adjusted(const AttentionPanel &at, Value key, Value local, int64_t j, bool guarded, Value score,
                                Value scores) {
  if (double cap = op.getSoftcap().convertToDouble(); cap > 0) {
    Value small = arith::MulFOp::create(v.builder, v.loc, score, v.broadcast(scalar(1 / cap)));
    score = arith::MulFOp::create(v.builder, v.loc, math::TanhOp::create(v.builder, v.loc, small),
                                  v.broadcast(scalar(cap * log2e)));
  }
  if (op.getMask()) {
    Value existing = guarded ? v.minimum(key, v.plus(v.valueOf(keys), -1)) : key;
    Value addend =
        maskVariesByQuery() ? v.load(scores, {local, v.index(j * v.lanes)}) : v.broadcast(maskAt(at, at.row, existing));
    score = arith::AddFOp::create(v.builder, v.loc, score, addend);
  }
  if (!guarded)
    return score;
  if (op.getCausal()) {
    // Lanes before the key's own position do not see it.
    Value before = v.linear(queryPosition(at, 0), -1, key, -j * v.lanes);
    Value hidden = v.mask(before); // null: all lanes
    score = hidden ? arith::SelectOp::create(v.builder, v.loc, hidden, never(), score).getResult() : never();
  }
  Value exists = arith::CmpIOp::create(v.builder, v.loc, arith::CmpIPredicate::slt, key, v.valueOf(keys));
  return arith::SelectOp::create(v.builder, v.loc, exists, score, never());
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

bool AttentionScores::maskVariesByQuery() {
  ArrayRef<int64_t> shape = typeOf(op.getMask()).getShape();
  return shape.size() > 1 && shape[shape.size() - 2] != 1;
}

SmallVector<Value> AttentionScores::maskIndices(const AttentionPanel &at, Value row, Value key) {
  ArrayRef<int64_t> shape = typeOf(op.getMask()).getShape();
  SmallVector<Value> all{at.batch, at.head, row, key}, indices;
  for (auto [dim, size] : llvm::enumerate(shape))
    indices.push_back(size == 1 ? v.index(0) : all[4 - shape.size() + dim]);
  return indices;
}

/// What elements of the mask, one or a vector of them, add to their scores.
Value AttentionScores::addendOf(Value elements) {
  bool one = !isa<VectorType>(elements.getType());
  auto number = [&](double value) { return one ? scalar(value) : v.broadcast(scalar(value)); };
  if (!getElementTypeOrSelf(elements.getType()).isInteger(1))
    return arith::MulFOp::create(v.builder, v.loc, elements, number(log2e));
  Value hidden = one ? vector::ExtractOp::create(v.builder, v.loc, never(), int64_t{0}).getResult() : never();
  return arith::SelectOp::create(v.builder, v.loc, elements, number(0), hidden);
}

Value AttentionScores::maskAt(const AttentionPanel &at, Value row, Value key) {
  return addendOf(v.loadScalar(op.getMask(), maskIndices(at, row, key)));
}

/// The addends of the panel and the block of keys, where the scores themselves will be: blocks as vectors along keys,
/// which are turned; what remains one by one.
Value AttentionScores::transposeMask(const AttentionPanel &at, Value start, OpFoldResult count, Value scores) {
  OpFoldResult zero = v.builder.getIndexAttr(0), blocks = zero;
  if (typeOf(op.getMask()).getShape().back() != 1) {
    AffineExpr d0 = v.builder.getAffineDimExpr(0);
    blocks = affine::makeComposedFoldedAffineApply(v.builder, v.loc, d0.floorDiv(v.lanes) * v.lanes, {count});
    SmallVector<Value> rows = laneRows(at);
    for (int64_t j = 0; j < vectors; ++j)
      scores = v.loopOver(zero, blocks, v.lanes, scores, [&](Value local, Value inner) {
        Value key = v.linear(start, 1, local, 0);
        SmallVector<Value> block;
        for (int64_t i = 0; i < v.lanes; ++i)
          block.push_back(addendOf(v.load(op.getMask(), maskIndices(at, rows[j * v.lanes + i], key))));
        for (auto [i, column] : llvm::enumerate(transposed(block)))
          inner = v.store(column, inner, {v.plus(local, i), v.index(j * v.lanes)});
        return inner;
      });
  }
  return v.loopOver(blocks, count, 1, scores, [&](Value local, Value outer) {
    Value key = v.linear(start, 1, local, 0);
    return v.loopOver(zero, at.rows, 1, outer, [&](Value lane, Value inner) -> Value {
      Value addend = maskAt(at, v.linear(at.row, 1, lane, 0), key);
      return tensor::InsertOp::create(v.builder, v.loc, addend, inner, ValueRange{local, lane});
    });
  });
}
