// Resize from its formula: coordinates in f64, interpolation as a sum over all neighbours.
#include "Formulas.h"

using namespace mlir;
using namespace coat;

namespace {
/// One input index along a dimension and its share in the result.
struct Tap {
  Scalar index, weight;
};

/// The taps of one dimension at one output index.
class Axis {
public:
  Axis(ScalarLoops &loops, ResizeOp op, Value input, int64_t dimension)
      : loops(loops), op(op), size(loops.dim(input, dimension)), scale(op.getScales()[dimension]),
        outputSize(op.getSizes()[dimension]) {}

  SmallVector<Tap> taps(Scalar output) {
    if (scale == 1.0)
      return {{output, one()}};
    Scalar x = coordinate(loops.toFloat(output, loops.builder.getF64Type()));
    switch (op.getMode()) {
    case ResizeMode::nearest:
      return {{inside(rounded(x)), one()}};
    case ResizeMode::linear:
      return linear(x);
    case ResizeMode::cubic:
      return cubic(x);
    }
    llvm_unreachable("unknown interpolation");
  }

private:
  Scalar one() { return loops.number(1, loops.builder.getF64Type()); }

  Scalar coordinate(Scalar x) {
    Scalar inputSize = loops.toFloat(size, x.type()), length = inputSize * scale, zero = x * 0.0;
    switch (op.getCoordinateMode()) {
    case CoordinateMode::asymmetric:
      return x / scale;
    case CoordinateMode::align_corners:
      return select(length > one(), x * (inputSize - 1.0) / (length - 1.0), zero);
    case CoordinateMode::pytorch_half_pixel:
      return select(length > one(), (x + 0.5) / scale - 0.5, zero);
    case CoordinateMode::half_pixel:
      return (x + 0.5) / scale - 0.5;
    case CoordinateMode::half_pixel_symmetric: {
      // The output size is rounded; the difference is spread over both ends.
      Scalar whole = outputSize < 0 ? floor(length) : one() * double(outputSize), adjustment = whole / length;
      Scalar offset = inputSize / 2.0 * (one() - adjustment);
      return offset + (x + 0.5) / scale - 0.5;
    }
    }
    llvm_unreachable("unknown coordinates");
  }

  Scalar rounded(Scalar x) {
    switch (op.getNearestMode()) {
    case NearestMode::round_prefer_floor:
      return ceil(x - 0.5);
    case NearestMode::round_prefer_ceil:
      return floor(x + 0.5);
    case NearestMode::floor:
      return floor(x);
    case NearestMode::ceil:
      return ceil(x);
    }
    llvm_unreachable("unknown rounding");
  }

  /// A whole-numbered coordinate as an index, clamped to the input.
  Scalar inside(Scalar x) { return clamp(loops.toIndex(x), loops.index(0), size - 1.0); }

  SmallVector<Tap> linear(Scalar x) {
    Scalar base = floor(x), fraction = x - base;
    return {{inside(base), one() - fraction}, {inside(base + 1.0), fraction}};
  }

  SmallVector<Tap> cubic(Scalar x) {
    double a = op.getCubicCoeff().convertToDouble();
    Scalar base = floor(x), t = x - base;
    // Keys' kernel at the distances 1 + t, t, 1 - t and 2 - t.
    auto near = [&](Scalar d) { return (d * (a + 2) - (a + 3)) * d * d + 1.0; };
    auto far = [&](Scalar d) { return ((d * a - 5 * a) * d + 8 * a) * d - 4 * a; };
    Scalar weights[] = {far(t + 1.0), near(t), near(one() - t), far(one() * 2.0 - t)};
    SmallVector<Tap> result;
    for (int64_t i = 0; i < 4; ++i)
      result.push_back({inside(base + (i - 1.0)), weights[i]});
    if (op.getExcludeOutside())
      excludeOutside(base, result);
    return result;
  }

  void excludeOutside(Scalar base, SmallVectorImpl<Tap> &taps) {
    Scalar sum, zero = loops.number(0, base.type()), inputSize = loops.toFloat(size, base.type());
    for (auto [i, tap] : llvm::enumerate(taps)) {
      Scalar position = base + (double(i) - 1.0);
      tap.weight = select(position >= zero && position < inputSize, tap.weight, zero);
      sum = sum.value ? sum + tap.weight : tap.weight;
    }
    for (Tap &tap : taps)
      tap.weight = tap.weight / sum;
  }

  ScalarLoops &loops;
  ResizeOp op;
  Scalar size;
  double scale;
  int64_t outputSize;
};
} // namespace

/// The sum over the product of the taps of `dimension` and those after it.
static Scalar interpolate(ScalarLoops &loops, Value input, ArrayRef<SmallVector<Tap>> taps, Scalars &index, Type type) {
  if (index.size() == taps.size())
    return loops.load(input, index);
  Scalar sum;
  ArrayRef<Tap> own = taps[index.size()];
  for (const Tap &tap : own) {
    index.push_back(tap.index);
    Scalar part = interpolate(loops, input, taps, index, type);
    index.pop_back();
    if (own.size() > 1) {
      Scalar weight = tap.weight;
      if (part.type() != weight.type())
        weight = Scalar(loops, arith::TruncFOp::create(loops.builder, loops.loc, part.type(), weight));
      part = part * weight;
    }
    sum = sum.value ? sum + part : part;
  }
  return sum;
}

LogicalResult formulas::write(ScalarLoops &loops, ResizeOp op, ResizeOp::Adaptor in, ValueRange out) {
  Type type = op.getInput().getType().getElementType();
  if (op.getMode() != ResizeMode::nearest && !isa<FloatType>(type))
    return op.emitError("expected a floating-point type to interpolate, got ") << type;
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    SmallVector<SmallVector<Tap>> taps;
    for (auto [i, index] : llvm::enumerate(at))
      taps.push_back(Axis(loops, op, in.getInput(), i).taps(index));
    Scalars index;
    loops.store(interpolate(loops, in.getInput(), taps, index, type), out[0], at);
  });
  return success();
}
