// How a product is cut into blocks and warps: a pure function of its sizes and of the target.
#ifndef COAT_LIB_LOWER_NVGPU_PRODUCTTILES_H
#define COAT_LIB_LOWER_NVGPU_PRODUCTTILES_H

#include "coat/Target/Gpu.h"

namespace coat {
struct BlockTile {
  int64_t m, n, k;      // of a block, and its step along k
  int64_t warpM, warpN; // of a warp
  int64_t slices = 1;   // parts of each step along k that different warps sum up
  int64_t stages = 2;   // tiles in shared memory

  int64_t warpsM() const { return m / warpM; }
  int64_t warpsN() const { return n / warpN; }
  int64_t threads() const { return 32 * warpsM() * warpsN() * slices; }
};

/// What is multiplied, as far as the choice of tiles needs it.
struct ProductShape {
  int64_t batch, m, n, k;
  int64_t bytes;               // of an element
  bool matrices;               // by tensor cores, else by multiply-adds
  int64_t leftUnit, rightUnit; // elements that one copy moves
};

/// The tile with the shortest expected time.
BlockTile chooseBlockTile(const ProductShape &shape, const GpuTarget &target);

/// Bytes of shared memory of a block.
int64_t sharedBytes(const BlockTile &tile, int64_t elementBytes);
} // namespace coat

#endif
