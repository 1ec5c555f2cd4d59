// How products are cut into blocks on GPUs: the choice fits the hardware whatever the sizes are.
#include "Lower/NVGPU/ProductTiles.h"
#include "gtest/gtest.h"

using namespace coat;

namespace {
ProductShape shapeOf(int64_t m, int64_t n, int64_t k, int64_t bytes, bool matrices) {
  return {1, m, n, k, bytes, matrices, 16 / bytes, 16 / bytes};
}

int64_t blocksOf(const BlockTile &tile, int64_t m, int64_t n) {
  return (m + tile.m - 1) / tile.m * ((n + tile.n - 1) / tile.n);
}

TEST(ProductTiles, FitsEveryTarget) {
  for (const GpuTarget &target : gpuTargets())
    for (int64_t bytes : {2, 4})
      for (bool matrices : {true, false})
        for (int64_t m : {1, 49, 196, 12544})
          for (int64_t n : {10, 64, 2048})
            for (int64_t k : {1, 27, 147, 4608}) {
              if (bytes == 2 && !matrices)
                continue;
              BlockTile tile = chooseBlockTile(shapeOf(m, n, k, bytes, matrices), target);
              EXPECT_LE(sharedBytes(tile, bytes), target.sharedPerBlock);
              EXPECT_LE(tile.threads(), 256);
              EXPECT_GE(tile.stages, 2);
              EXPECT_EQ(tile.m % tile.warpM, 0);
              EXPECT_EQ(tile.n % tile.warpN, 0);
              EXPECT_EQ(tile.k % ((bytes == 2 ? 16 : 4) * tile.slices), 0);
            }
}

TEST(ProductTiles, LargeProductsGetLargeTiles) {
  BlockTile tile = chooseBlockTile(shapeOf(4096, 4096, 4096, 2, true), *findGpuTarget("sm_80"));
  EXPECT_EQ(tile.m, 128);
  EXPECT_EQ(tile.n, 128);
}

TEST(ProductTiles, SmallProductsGetMoreBlocks) {
  const GpuTarget &target = *findGpuTarget("sm_80");
  BlockTile tile = chooseBlockTile(shapeOf(196, 256, 2304, 2, true), target);
  EXPECT_GE(blocksOf(tile, 196, 256), target.processors / 2);
  EXPECT_GT(tile.slices, 1);
}
} // namespace
