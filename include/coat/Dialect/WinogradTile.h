// The sizes of Winograd's minimal filtering.
#ifndef COAT_DIALECT_WINOGRADTILE_H
#define COAT_DIALECT_WINOGRADTILE_H

#include <cstdint>

namespace coat {
/// `outputs` x `outputs` neighbouring results of a convolution by `taps` x `taps`, computed at once. `fold` x `fold`
/// neighbouring pixels may count as the channels of one, by which taps and stride become so much smaller. All of it is
/// symmetric in rows and columns; sizes are those of one dimension, in folded pixels.
struct WinogradTile {
  int64_t outputs, taps = 3, stride = 1, fold = 1;

  /// Of n products the first n - 1 interpolate at these, the last one at infinity. From the second on, neighbours are
  /// pairs p and -p.
  static constexpr double points[] = {0, 1, -1, 2, -2, .5};

  int64_t foldedTaps() const { return (taps + fold - 1) / fold; }
  int64_t foldedStride() const { return stride / fold; }
  /// Inputs that the outputs are computed from; as many products are needed for them.
  int64_t extent() const { return (outputs - 1) * foldedStride() + foldedTaps(); }
  /// Inputs between the beginnings of neighbouring tiles.
  int64_t step() const { return outputs * foldedStride(); }
  /// In both dimensions.
  int64_t products() const { return extent() * extent(); }
  /// Inputs under `tiles` tiles, and tiles that lie in `inputs` inputs.
  int64_t inputsOf(int64_t tiles) const { return (tiles - 1) * step() + extent(); }
  int64_t tilesIn(int64_t inputs) const { return inputs < extent() ? 0 : (inputs - extent()) / step() + 1; }

  /// Whether there are matrices for it: F(2, 3), F(4, 3), F(2, 5) and F(4, 4), which may be what folding leaves of a
  /// stride of 2, and of stride 2 itself F(2, 3) and F(4, 3).
  bool isKnown() const {
    if ((outputs != 2 && outputs != 4) || taps < 1 || taps > 10 || stride < 1 || stride > 2 || fold < 1 ||
        fold > stride)
      return false;
    return foldedTaps() == 3 || (foldedStride() == 1 && foldedTaps() == (outputs == 2 ? 5 : 4));
  }
};

/// That of a half of a Winograd convolution, or of its adaptor.
template <typename Op> WinogradTile winogradTileOf(Op op) {
  return {int64_t(op.getTile()), int64_t(op.getTaps()), int64_t(op.getStride()), int64_t(op.getFold())};
}
} // namespace coat

#endif
