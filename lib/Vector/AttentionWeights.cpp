// See AttentionWeights.h.
#include "AttentionWeights.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace coat;

/// The sum of a block's weights, in octaves, from where on the block is done again: weights times values are far from
/// overflow.
static constexpr double mostOctaves = 32;
/// Exponentials computed side by side: one alone is a chain of 11 operations, more do not fit the registers.
static constexpr size_t together = 4;
/// Fewer keys are not worth looking for a first base.
static constexpr int64_t fewKeys = 64;

SmallVector<Value> AttentionWeights::values() const {
  SmallVector<Value> all{buffer};
  for (const SmallVector<Value> &part : {base, sums, factor})
    llvm::append_range(all, part);
  return all;
}

AttentionWeights AttentionWeights::from(ValueRange values) const {
  size_t n = base.size();
  auto part = [&](size_t i) { return llvm::to_vector(values.slice(1 + i * n, n)); };
  return {values.front(), part(0), part(1), part(2)};
}

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

/// Arguments are bounded and a NaN stays one: the short polynomial will do.
Value AttentionSoftmax::exp2(Value x) { return math::Exp2Op::create(v.builder, v.loc, x, arith::FastMathFlags::afn); }

/// Vectors side by side are one value of two dimensions, so that the operations of one come between those of the
/// others.
SmallVector<Value> AttentionSoftmax::exp2(ArrayRef<Value> x) {
  auto type = VectorType::get({int64_t(x.size()), v.lanes}, v.builder.getF32Type());
  Value all = arith::ConstantOp::create(v.builder, v.loc, v.builder.getZeroAttr(type));
  for (auto [i, one] : llvm::enumerate(x))
    all = vector::InsertOp::create(v.builder, v.loc, one, all, int64_t(i));
  all = exp2(all);
  return llvm::map_to_vector(llvm::seq<int64_t>(0, x.size()),
                             [&](int64_t i) { return Value(vector::ExtractOp::create(v.builder, v.loc, all, i)); });
}

Value AttentionSoftmax::isNever(Value x) {
  return arith::CmpFOp::create(v.builder, v.loc, arith::CmpFPredicate::OEQ, x, s.never());
}

/// Where no key was seen exponentials are of -inf, not of NaN.
Value AttentionSoftmax::subtracted(Value base) {
  return arith::SelectOp::create(v.builder, v.loc, isNever(base), v.zero(v.builder.getF32Type()), base);
}

Value AttentionSoftmax::inverseOf(Value sum, Value base) {
  Value one = v.splat(v.builder.getF32FloatAttr(1));
  return arith::SelectOp::create(v.builder, v.loc, isNever(base), v.zero(v.builder.getF32Type()),
                                 arith::DivFOp::create(v.builder, v.loc, one, sum));
}

/// Whether scores are what the products are: then sums of products may begin at the base.
bool AttentionSoftmax::isPlain() {
  std::optional<int64_t> keys = getConstantIntValue(s.keys);
  return !s.op.getMask() && s.op.getSoftcap().convertToDouble() <= 0 && (!keys || *keys >= fewKeys);
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

SmallVector<Value> AttentionSoftmax::firstBase(const AttentionPanel &at, Value packed, Value index) {
  SmallVector<Value> none(s.vectors, s.never());
  if (!isPlain())
    return none;
  // All queries see the first key.
  int64_t few = s.op.getCausal() ? 1 : 4;
  Value zero = v.index(0);
  return v.loop(v.builder.getIndexAttr(0), v.minimum(v.valueOf(s.keys), v.index(1)), 1, none,
                [&](Value first, ValueRange carried) {
                  SmallVector<Value> most(carried);
                  SmallVector<Value> start(few * s.vectors, v.zero(v.builder.getF32Type()));
                  for (auto [i, score] : llvm::enumerate(s.products(at, packed, index, zero, first, few, true, start)))
                    most[i % s.vectors] = v.larger(most[i % s.vectors], score);
                  return most;
                });
}

AttentionWeights AttentionSoftmax::emit(const AttentionPanel &at, Value packed, Value index, Value start,
                                        OpFoldResult count, Value buffer, ArrayRef<Value> base) {
  if (!isPlain())
    return fromLargest(at, packed, index, start, count, buffer, base);
  Value mayStay;
  AttentionWeights weights = fromBase(at, packed, index, start, count, buffer, base, mayStay);
  SmallVector<Value> chosen = v.choose(
      mayStay, [&] { return weights.values(); },
      [&] { return fromLargest(at, packed, index, start, count, weights.buffer, base).values(); });
  return weights.from(chosen);
}

/// Weights in the registers that the scores were summed in. `mayStay`: no score was too far above the base, or a NaN.
/// That shows in the sum alone, because exponents are held at the bound: the largest exponent as a value of its own,
/// which loops would carry, takes 1 % longer.
AttentionWeights AttentionSoftmax::fromBase(const AttentionPanel &at, Value packed, Value index, Value start,
                                            OpFoldResult count, Value buffer, ArrayRef<Value> base, Value &mayStay) {
  Type f32 = v.builder.getF32Type();
  SmallVector<Value> from;
  for (Value one : base)
    from.push_back(arith::SubFOp::create(v.builder, v.loc, v.zero(f32), one));
  SmallVector<Value> carried(s.vectors, v.zero(f32)); // sums
  carried.push_back(buffer);
  Value bound = v.splat(v.builder.getF32FloatAttr(mostOctaves));
  carried = s.emit(at, packed, index, start, count, from, carried,
                   [&](Value first, ArrayRef<Value> scores, ValueRange inner) {
                     SmallVector<Value> next(inner);
                     SmallVector<Value> all = llvm::map_to_vector(scores, [&](Value x) { return v.smaller(bound, x); });
                     ArrayRef<Value> exponents = all;
                     for (size_t i = 0; i < exponents.size(); i += together)
                       for (auto [j, weight] : llvm::enumerate(exp2(exponents.slice(i).take_front(together)))) {
                         int64_t row = (i + j) / s.vectors, column = (i + j) % s.vectors;
                         next[column] = arith::AddFOp::create(v.builder, v.loc, next[column], weight);
                         next.back() = v.store(weight, next.back(), {v.plus(first, row), v.index(column * v.lanes)});
                       }
                     return next;
                   });
  buffer = carried.pop_back_val();
  Value most = v.splat(v.builder.getF32FloatAttr(std::exp2(mostOctaves)));
  for (Value sum : carried) {
    Value lanes = arith::CmpFOp::create(v.builder, v.loc, arith::CmpFPredicate::OLT, sum, most);
    Value all = vector::ReductionOp::create(v.builder, v.loc, vector::CombiningKind::AND, lanes);
    mayStay = mayStay ? Value(arith::AndIOp::create(v.builder, v.loc, mayStay, all)) : all;
  }
  return {buffer, llvm::to_vector(base), carried, SmallVector<Value>(s.vectors, v.splat(v.builder.getF32FloatAttr(1)))};
}

/// All scores first, then what they are less than the largest that was seen so far.
AttentionWeights AttentionSoftmax::fromLargest(const AttentionPanel &at, Value packed, Value index, Value start,
                                               OpFoldResult count, Value buffer, ArrayRef<Value> base) {
  Type f32 = v.builder.getF32Type();
  SmallVector<Value> carried(base);
  carried.push_back(buffer);
  carried = s.emit(at, packed, index, start, count, SmallVector<Value>(s.vectors, v.zero(f32)), carried,
                   [&](Value first, ArrayRef<Value> scores, ValueRange inner) {
                     SmallVector<Value> next(inner);
                     for (auto [i, score] : llvm::enumerate(scores)) {
                       int64_t row = i / s.vectors, column = i % s.vectors;
                       next[column] = v.larger(next[column], score);
                       next.back() = v.store(score, next.back(), {v.plus(first, row), v.index(column * v.lanes)});
                     }
                     return next;
                   });
  buffer = carried.pop_back_val();
  AttentionWeights weights{Value(), carried, {}, {}};
  SmallVector<Value> less = llvm::map_to_vector(weights.base, [&](Value one) { return subtracted(one); });
  SmallVector<Value> sums(s.vectors, v.zero(f32));
  sums.push_back(buffer);
  sums = v.loop(v.builder.getIndexAttr(0), count, 1, sums, [&](Value key, ValueRange inner) {
    SmallVector<Value> next(inner), exponents;
    auto point = [&](int64_t j) { return SmallVector<Value>{key, v.index(j * v.lanes)}; };
    for (int64_t j = 0; j < s.vectors; ++j)
      exponents.push_back(arith::SubFOp::create(v.builder, v.loc, v.load(inner.back(), point(j)), less[j]));
    for (auto [j, weight] : llvm::enumerate(exp2(exponents))) {
      next[j] = arith::AddFOp::create(v.builder, v.loc, next[j], weight);
      next.back() = v.store(weight, next.back(), point(j));
    }
    return next;
  });
  weights.buffer = sums.pop_back_val();
  weights.sums = sums;
  for (int64_t j = 0; j < s.vectors; ++j)
    weights.factor.push_back(exp2(Value(arith::SubFOp::create(v.builder, v.loc, base[j], less[j]))));
  return weights;
}
