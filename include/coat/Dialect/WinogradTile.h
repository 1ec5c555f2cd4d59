// The sizes of Winograd's minimal filtering by filters of 3 x 3.
#ifndef COAT_DIALECT_WINOGRADTILE_H
#define COAT_DIALECT_WINOGRADTILE_H

#include <cstdint>

namespace coat {
/// `outputs` x `outputs` neighbouring results of a 3x3 convolution, computed at once. All of it is symmetric in rows
/// and columns; sizes are those of one dimension.
struct WinogradTile {
  int64_t outputs, stride;

  /// Inputs that the outputs are computed from; as many products are needed for them.
  int64_t extent() const { return (outputs - 1) * stride + 3; }
  /// Inputs between the beginnings of neighbouring tiles.
  int64_t step() const { return outputs * stride; }
  /// In both dimensions.
  int64_t products() const { return extent() * extent(); }
  /// Inputs under `tiles` tiles, and tiles that lie in `inputs` inputs.
  int64_t inputsOf(int64_t tiles) const { return (tiles - 1) * step() + extent(); }
  int64_t tilesIn(int64_t inputs) const { return inputs < extent() ? 0 : (inputs - extent()) / step() + 1; }
};

/// That of a half of a Winograd convolution, or of its adaptor.
template <typename Op> WinogradTile winogradTileOf(Op op) { return {int64_t(op.getTile()), int64_t(op.getStride())}; }
} // namespace coat

#endif
