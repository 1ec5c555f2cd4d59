// Interpolation to one generic over the result, whose body computes the source coordinates and reads the taps by
// tensor.extract. With channels last, the coordinates are the same for a whole row of channels and the reads are
// contiguous, which is what the vectorizer looks for. Coordinates are f64: nearest-neighbour ties must fall as
// the formula says.
#include "Lowerings.h"
#include "Scalars.h"

using namespace mlir;
using namespace coat;

namespace {
/// The source positions that one dimension of a result element reads, with their weights (no weight: one).
struct Taps {
  SmallVector<Value> positions, weights;
};

struct Interpolation {
  ResizeOp op;
  Scalars s;
  Type f64 = s.builder.getF64Type(), i64 = s.builder.getI64Type();

  Value number(double value) { return s.constant(f64, value); }
  Value toFloat(Value index) {
    return arith::SIToFPOp::create(s.builder, s.loc, f64, arith::IndexCastOp::create(s.builder, s.loc, i64, index));
  }
  Value toIndex(Value coordinate) {
    Value integer = arith::FPToSIOp::create(s.builder, s.loc, i64, coordinate);
    return arith::IndexCastOp::create(s.builder, s.loc, s.builder.getIndexType(), integer);
  }
  Value floor(Value x) { return math::FloorOp::create(s.builder, s.loc, x); }
  Value ceil(Value x) { return math::CeilOp::create(s.builder, s.loc, x); }

  /// The coordinate in the input that belongs to index `out` of a dimension.
  Value coordinate(int64_t dim, Value out, Value extent) {
    double scale = op.getScales()[dim];
    Value x = toFloat(out), one = number(1);
    // The length that the scale asks for, a fraction; the result has the whole elements of it.
    auto length = [&] { return s.mul(toFloat(extent), number(scale)); };
    auto size = [&] {
      return op.getSizes()[dim] < 0 ? floor(length()) : number(static_cast<double>(op.getSizes()[dim]));
    };
    auto ifLonger = [&](Value value) {
      return s.select(s.compare(arith::CmpFPredicate::OGT, length(), one), value, number(0));
    };
    // (x + .5) / s - .5
    auto halfPixel = [&] { return s.sub(s.div(s.add(x, number(0.5)), number(scale)), number(0.5)); };
    switch (op.getCoordinateMode()) {
    case CoordinateMode::asymmetric:
      return s.div(x, number(scale));
    case CoordinateMode::align_corners:
      return ifLonger(s.div(s.mul(x, s.sub(toFloat(extent), one)), s.sub(length(), one)));
    case CoordinateMode::pytorch_half_pixel:
      return ifLonger(halfPixel());
    case CoordinateMode::half_pixel:
      return halfPixel();
    case CoordinateMode::half_pixel_symmetric: {
      Value in = toFloat(extent);
      Value adjustment = s.div(size(), length());
      Value offset = s.mul(s.mul(in, number(0.5)), s.sub(one, adjustment));
      return s.add(offset, halfPixel());
    }
    }
    llvm_unreachable("all modes are handled");
  }

  Value rounded(Value x) {
    switch (op.getNearestMode()) {
    case NearestMode::floor:
      return floor(x);
    case NearestMode::ceil:
      return ceil(x);
    case NearestMode::round_prefer_floor:
      return ceil(s.sub(x, number(0.5)));
    case NearestMode::round_prefer_ceil:
      return floor(s.add(x, number(0.5)));
    }
    llvm_unreachable("all modes are handled");
  }

  Value clamp(Value position, Value extent) {
    Value zero = s.constant(s.builder.getIndexType(), 0), one = s.constant(s.builder.getIndexType(), 1);
    return s.max(s.min(position, s.sub(extent, one)), zero);
  }

  Taps taps(int64_t dim, Value out, Value extent, bool same) {
    if (same)
      return {{out}, {}};
    Value x = coordinate(dim, out, extent);
    if (op.getMode() == ResizeMode::nearest)
      return {{clamp(toIndex(rounded(x)), extent)}, {}};
    Value base = floor(x), fraction = s.sub(x, base), first = toIndex(base);
    SmallVector<Value> weights = op.getMode() == ResizeMode::linear
                                     ? SmallVector<Value>{s.sub(number(1), fraction), fraction}
                                     : cubicWeights(fraction);
    int64_t before = op.getMode() == ResizeMode::linear ? 0 : -1;
    Taps result;
    Value sum;
    for (auto [i, weight] : llvm::enumerate(weights)) {
      Value at = s.add(first, s.constant(s.builder.getIndexType(), static_cast<double>(before) + i));
      Value inside = clamp(at, extent);
      result.positions.push_back(inside);
      if (op.getExcludeOutside()) {
        weight = s.select(s.compare(arith::CmpIPredicate::eq, at, inside), weight, number(0));
        sum = sum ? s.add(sum, weight) : weight;
      }
      result.weights.push_back(weight);
    }
    for (Value &weight : result.weights)
      weight = arith::TruncFOp::create(s.builder, s.loc, s.builder.getF32Type(), sum ? s.div(weight, sum) : weight);
    return result;
  }

  /// Weights of the taps at -1, 0, 1, 2 around a coordinate `t` beyond an element (Keys, 1981).
  SmallVector<Value> cubicWeights(Value t) {
    double a = op.getCubicCoeff().convertToDouble();
    auto polynomial = [&](Value x, ArrayRef<double> coefficients) {
      Value value = number(coefficients.front());
      for (double coefficient : coefficients.drop_front())
        value = s.add(s.mul(value, x), number(coefficient));
      return value;
    };
    SmallVector<double> near{a + 2, -(a + 3), 0, 1}, far{a, -5 * a, 8 * a, -4 * a};
    Value u = s.sub(number(1), t);
    return {polynomial(s.add(t, number(1)), far), polynomial(t, near), polynomial(u, near),
            polynomial(s.add(u, number(1)), far)};
  }

  /// Sum over the taps of dimensions `dim` and up; `at` holds the positions of the ones before.
  Value interpolate(ArrayRef<Taps> taps, size_t dim, SmallVectorImpl<Value> &at, Value input, Type compute) {
    if (dim == taps.size()) {
      Value x = tensor::ExtractOp::create(s.builder, s.loc, input, at);
      if (compute == x.getType() || isa<FloatType>(x.getType()))
        return s.convert(x, compute);
      return arith::SIToFPOp::create(s.builder, s.loc, compute, x);
    }
    Value sum;
    for (auto [i, position] : llvm::enumerate(taps[dim].positions)) {
      at.push_back(position);
      Value value = interpolate(taps, dim + 1, at, input, compute);
      at.pop_back();
      if (!taps[dim].weights.empty())
        value = s.mul(value, taps[dim].weights[i]);
      sum = sum ? s.add(sum, value) : value;
    }
    return sum;
  }
};

struct LowerResize : Lowering<ResizeOp> {
  using Lowering::Lowering;
  FailureOr<SmallVector<Value>> lower(ResizeOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto input = cast<RankedTensorType>(op.getInput().getType()),
         result = cast<RankedTensorType>(op.getResult().getType());
    Type element = input.getElementType();
    Type compute = op.getMode() == ResizeMode::nearest ? element : Type(rewriter.getF32Type());
    ReifiedRankedShapedTypeDims resultSizes; // for a symbolic size, that of the input times the scale
    if (failed(op.reifyResultShapes(rewriter, resultSizes)))
      return rewriter.notifyMatchFailure(op, "sizes are not known");
    SmallVector<OpFoldResult> inputSizes = sizesOf(rewriter, loc, op.getInput()), sizes;
    SmallVector<bool> same;
    for (int64_t dim = 0; dim < input.getRank(); ++dim) {
      bool kept =
          op.getScales()[dim] == 1 && (input.isDynamicDim(dim) || input.getDimSize(dim) == result.getDimSize(dim));
      same.push_back(kept);
      sizes.push_back(kept ? inputSizes[dim] : resultSizes.front()[dim]);
    }
    return SmallVector<Value>{mapped(rewriter, loc, sizes, element, {}, {}, [&](OpBuilder &b, Location l, ValueRange) {
      Interpolation from{op, {b, l}};
      SmallVector<Taps> taps;
      for (int64_t dim = 0; dim < input.getRank(); ++dim)
        taps.push_back(from.taps(dim, from.s.index(dim), from.s.asValue(inputSizes[dim]), same[dim]));
      SmallVector<Value> at;
      Value x = from.interpolate(taps, 0, at, op.getInput(), compute);
      if (x.getType() != element && !isa<FloatType>(element))
        return arith::FPToSIOp::create(b, l, element, x).getResult();
      return from.s.convert(x, element);
    })};
  }
};
} // namespace

void coat::populateResizeToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerResize>(patterns.getContext());
}
