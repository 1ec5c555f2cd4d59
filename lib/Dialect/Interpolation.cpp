// Neighbours and weights of nearest, linear and cubic interpolation, with padding; see Interpolation.h.
#include "Interpolation.h"

using namespace mlir;
using namespace coat;

Scalar coat::hold(Scalar a, Scalar low, Scalar high) {
  a = select(a >= low, a, low);
  return select(a <= high, a, high);
}

/// `x` mirrored at `low` and `high` until it lies between them.
static Scalar mirror(Scalar x, Scalar low, Scalar high) {
  Scalar range = high - low, distance = abs(x - low);
  Scalar times = floor(distance / range), rest = distance - times * range;
  Scalar isEven = floor(times / 2) * 2.0 == times;
  return hold(select(isEven, low + rest, high - rest), low, high);
}

/// A position past the edges moves to where the padding takes its elements from; zeros start anywhere outside.
static Scalar paddedPosition(Scalar x, Scalar length, PadMode padding, bool alignCorners) {
  if (padding == PadMode::constant)
    return hold(x, x.constant(-3), length + 2);
  Scalar low = x.constant(alignCorners ? 0 : -0.5), high = length - (alignCorners ? 1 : 0.5);
  Scalar moved = padding == PadMode::edge ? hold(x, x.constant(0), length - 1) : mirror(x, low, high);
  return select(low <= x && x <= high, x, moved);
}

/// The element that stands for number `index`, at most a few outside.
static Scalar paddedIndex(Scalar index, Scalar size, PadMode padding, bool alignCorners) {
  if (padding == PadMode::reflect) {
    index = select(index < 0.0, -index - (alignCorners ? 0.0 : 1.0), index);
    index = select(index >= size, size + size - index - (alignCorners ? 2.0 : 1.0), index);
  }
  return clamp(index, index.constant(0), size - 1);
}

/// Keys' kernel with a = -0.75, for neighbours -1, 0, 1, 2 of a position `f` behind neighbour 0.
static Scalars cubicWeights(Scalar f) {
  constexpr double a = -0.75;
  auto near = [](Scalar x) { return (x * (a + 2) - (a + 3)) * x * x + 1; };
  auto far = [](Scalar x) { return ((x * a - 5 * a) * x + 8 * a) * x - 4 * a; };
  Scalar g = f.constant(1) - f;
  return {far(f + 1), near(f), near(g), far(g + 1)};
}

Taps coat::tapsAt(Scalar x, Scalar size, ResizeMode mode, PadMode padding, bool alignCorners) {
  ScalarLoops &loops = *x.loops;
  if (mode == ResizeMode::nearest)
    x = {loops, math::RoundEvenOp::create(loops.builder, loops.loc, x.value)};
  x = paddedPosition(x, loops.toFloat(size, x.type()), padding, alignCorners);
  Scalar base = floor(x), fraction = x - base, first = loops.toIndex(base);
  Scalars weights = {x.constant(1)};
  if (mode == ResizeMode::linear)
    weights = {x.constant(1) - fraction, fraction};
  if (mode == ResizeMode::cubic) {
    weights = cubicWeights(fraction);
    first = first - 1;
  }
  Taps taps;
  for (auto [i, weight] : llvm::enumerate(weights)) {
    Scalar index = first + double(i), inside;
    if (padding == PadMode::constant)
      inside = index >= 0.0 && index < size;
    taps.push_back({paddedIndex(index, size, padding, alignCorners), weight, inside});
  }
  return taps;
}

SmallVector<Corner> coat::cornersOf(ArrayRef<Taps> dimensions) {
  SmallVector<Corner> corners(1);
  for (const Taps &taps : dimensions) {
    SmallVector<Corner> next;
    for (const Corner &corner : corners)
      for (const Tap &tap : taps) {
        Corner joined = corner;
        joined.indices.push_back(tap.index);
        joined.weight = corner.weight.value ? corner.weight * tap.weight : tap.weight;
        joined.inside = !corner.inside.value ? tap.inside : corner.inside && tap.inside;
        next.push_back(joined);
      }
    corners = std::move(next);
  }
  return corners;
}

Scalar coat::weighted(const Corner &corner, Scalar element) {
  if (corner.inside.value)
    element = select(corner.inside, element, element.constant(0));
  return element * corner.weight;
}
