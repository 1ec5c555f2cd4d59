// See FragmentSoftmax.h.
#include "FragmentSoftmax.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace coat;

static constexpr double log2e = 1.4426950408889634;

FragmentSoftmax::FragmentSoftmax(GpuBuilder &g, const AttentionShape &shape, int64_t tileKeys, Value mask)
    : g(g), shape(shape), tileKeys(tileKeys), mask(mask) {
  // Where nothing is added to scores, the scale becomes part of the exponential.
  bool isPlain = !shape.mask && shape.softcap == 0 && shape.scale > 0;
  octaves = g.f32(isPlain ? shape.scale * log2e : 1);
  never = g.f32(-std::numeric_limits<float>::infinity());
}

Value FragmentSoftmax::multiply(Value a, Value b) { return arith::MulFOp::create(g.b, g.loc, a, b); }

FragmentSoftmax::Rows FragmentSoftmax::rowsOf(Value head, Value firstQuery) {
  Rows rows;
  for (int64_t half = 0; half < 2; ++half) {
    Value query = g.add(g.add(firstQuery, g.div(g.lane, 4)), 8 * half);
    rows.end[half] = g.i32(shape.keys);
    if (shape.causal)
      rows.end[half] = g.smaller(rows.end[half], g.add(query, shape.offset + 1));
    if (!shape.mask)
      continue;
    // Rows behind the last query read the last one's.
    if (shape.queries % 128)
      query = g.smaller(query, g.i32(shape.queries - 1));
    ArrayRef<int64_t> strides = shape.mask->strides;
    Value batch = g.div(head, shape.headsPerBatch), inner = g.rem(head, shape.headsPerBatch);
    Value place = g.add(g.add(g.mul(batch, strides[0]), g.mul(inner, strides[1])), g.mul(query, strides[2]));
    Type type = shape.mask->memory.isInteger(1) ? g.b.getI8Type() : shape.mask->memory;
    rows.mask[half] = g.step(mask, place, type);
  }
  return rows;
}

Values FragmentSoftmax::start() { return {never, never, g.f32(0), g.f32(0)}; }

Value FragmentSoftmax::hides(Value firstQuery, Value firstKey) {
  Value last = g.add(firstKey, tileKeys - 1), hidden;
  auto greater = [&](Value a, Value b) { return g.compare(arith::CmpIPredicate::sgt, a, b); };
  if (shape.keys % tileKeys)
    hidden = greater(last, g.i32(shape.keys - 1));
  if (!shape.causal)
    return hidden;
  Value later = greater(last, g.add(firstQuery, shape.offset));
  return hidden ? arith::OrIOp::create(g.b, g.loc, hidden, later).getResult() : later;
}

Value FragmentSoftmax::visibleTiles(Value firstQuery, int64_t count) {
  Value all = g.i32(llvm::divideCeil(shape.keys, tileKeys));
  if (!shape.causal)
    return all;
  // The last query sees the keys up to its own position.
  Value keys = g.b.createOrFold<arith::MaxSIOp>(g.loc, g.add(firstQuery, count + shape.offset), g.i32(0));
  return g.smaller(all, g.div(g.add(keys, tileKeys - 1), tileKeys));
}

Value FragmentSoftmax::overRow(Value value, llvm::function_ref<Value(Value, Value)> combine) {
  for (int64_t distance : {1, 2}) // four lanes share a row
    value = combine(value, g.shuffleXor(value, distance));
  return value;
}

/// The mask's elements of a fragment, in octaves.
Values FragmentSoftmax::maskOf(const Rows &rows, Value firstKey) {
  bool isTruth = shape.mask->memory.isInteger(1);
  Type type = isTruth ? g.b.getI8Type() : shape.mask->memory;
  int64_t stride = shape.mask->strides[3], bytes = type.getIntOrFloatBitWidth() / 8;
  bool inPairs = stride == 1 && shape.keys % 2 == 0 && shape.mask->offset % 2 == 0 &&
                 llvm::all_of(ArrayRef<int64_t>(shape.mask->strides).drop_back(), [](int64_t s) { return s % 2 == 0; });
  Values values(tileKeys / 2);
  for (int64_t j = 0; j < tileKeys / 8; ++j)
    for (int64_t half = 0; half < 2; ++half) {
      Value key = g.add(g.add(firstKey, g.mul(g.rem(g.lane, 4), 2)), 8 * j);
      Value raw[2];
      if (inPairs) {
        if (shape.keys % tileKeys)
          key = g.smaller(key, g.i32(shape.keys - 2));
        Value pair = g.load(VectorType::get(2, type), g.step(rows.mask[half], key, type), 2 * bytes);
        for (int64_t i = 0; i < 2; ++i)
          raw[i] = vector::ExtractOp::create(g.b, g.loc, pair, i);
      } else {
        for (int64_t i = 0; i < 2; ++i) {
          Value one = g.add(key, i);
          if (shape.keys % tileKeys)
            one = g.smaller(one, g.i32(shape.keys - 1));
          raw[i] = g.load(type, g.step(rows.mask[half], g.mul(one, stride), type), bytes);
        }
      }
      for (int64_t i = 0; i < 2; ++i) {
        Value &value = values[4 * j + 2 * half + i];
        if (isTruth) {
          value = g.select(g.compare(arith::CmpIPredicate::ne, raw[i], g.zero(type)), g.f32(0), never);
          continue;
        }
        value = type.isF32() ? raw[i] : arith::ExtFOp::create(g.b, g.loc, g.b.getF32Type(), raw[i]).getResult();
        value = multiply(value, g.f32(log2e));
      }
    }
  return values;
}

void FragmentSoftmax::addMask(MutableArrayRef<Value> scores, const Rows &rows, Value firstKey) {
  if (shape.softcap != 0) {
    for (Value &score : scores) {
      Value capped = math::TanhOp::create(g.b, g.loc, multiply(score, g.f32(shape.scale / shape.softcap)));
      score = multiply(capped, g.f32(shape.softcap * log2e));
    }
  } else {
    for (Value &score : scores)
      score = multiply(score, g.f32(shape.scale * log2e));
  }
  if (shape.mask)
    for (auto [score, term] : llvm::zip(scores, maskOf(rows, firstKey)))
      score = arith::AddFOp::create(g.b, g.loc, score, term);
}

Values FragmentSoftmax::apply(MutableArrayRef<Value> scores, const Rows &rows, Value firstKey, Value hides,
                              MutableArrayRef<Value> state) {
  if (shape.mask || shape.softcap != 0 || shape.scale <= 0)
    addMask(scores, rows, firstKey);
  if (hides) {
    Values shown = g.choose(
        hides,
        [&] {
          Values result(scores);
          for (auto [i, score] : llvm::enumerate(result)) {
            Value key = g.add(g.add(firstKey, g.mul(g.rem(g.lane, 4), 2)), 8 * (i / 4) + i % 2);
            score = g.select(g.compare(arith::CmpIPredicate::slt, key, rows.end[i / 2 % 2]), score, never);
          }
          return result;
        },
        [&] { return Values(scores); });
    llvm::copy(shown, scores.begin());
  }
  auto larger = [&](Value a, Value b) -> Value { return arith::MaxNumFOp::create(g.b, g.loc, a, b); };
  Values scales;
  for (int64_t half = 0; half < 2; ++half) {
    Value greatest = state[half];
    for (auto [i, score] : llvm::enumerate(scores))
      if (int64_t(i) / 2 % 2 == half)
        greatest = larger(greatest, score);
    greatest = overRow(greatest, larger);
    // A row that has seen nothing yet: its weights are 2^-inf.
    Value isNever = arith::CmpFOp::create(g.b, g.loc, arith::CmpFPredicate::OEQ, greatest, never);
    Value base = arith::NegFOp::create(g.b, g.loc, multiply(g.select(isNever, g.f32(0), greatest), octaves));
    auto weight = [&](Value score) { return g.exp2(math::FmaOp::create(g.b, g.loc, score, octaves, base)); };
    scales.push_back(weight(state[half]));
    Value sum = multiply(state[2 + half], scales.back());
    for (auto [i, score] : llvm::enumerate(scores))
      if (int64_t(i) / 2 % 2 == half) {
        score = weight(score);
        sum = arith::AddFOp::create(g.b, g.loc, sum, score);
      }
    state[half] = greatest;
    state[2 + half] = sum;
  }
  return scales;
}

Values FragmentSoftmax::inverseSums(ArrayRef<Value> state) {
  Values inverse;
  for (int64_t half = 0; half < 2; ++half) {
    Value sum =
        overRow(state[2 + half], [&](Value a, Value b) -> Value { return arith::AddFOp::create(g.b, g.loc, a, b); });
    Value isEmpty = arith::CmpFOp::create(g.b, g.loc, arith::CmpFPredicate::OEQ, sum, g.f32(0));
    inverse.push_back(g.select(isEmpty, g.f32(0), arith::DivFOp::create(g.b, g.loc, g.f32(1), sum)));
  }
  return inverse;
}
