// See ProductTiles.h. The model counts, for one multiprocessor, the time of multiplications, of copies from L2 and of
// the instructions that start copies, and how many warps are there to hide latency.
#include "ProductTiles.h"

#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <limits>

using namespace coat;
using llvm::divideCeil;

// m, n, k, warpM, warpN, slices. k in units of 32 bytes of an element of 16 bits: see withStep.
static const BlockTile matrixTiles[] = {{128, 128, 0, 64, 64, 1}, {128, 64, 0, 64, 32, 1}, {64, 128, 0, 32, 64, 1},
                                        {64, 64, 0, 32, 32, 1},   {64, 64, 0, 32, 32, 2},  {64, 32, 0, 32, 16, 1},
                                        {64, 32, 0, 32, 16, 2},   {32, 64, 0, 16, 32, 1},  {32, 64, 0, 16, 32, 2},
                                        {32, 32, 0, 16, 16, 1},   {32, 32, 0, 16, 32, 4},  {16, 64, 0, 16, 16, 1},
                                        {16, 64, 0, 16, 32, 4},   {16, 32, 0, 16, 16, 4},  {16, 128, 0, 16, 32, 1}};
static const BlockTile scalarTiles[] = {{128, 128, 0, 32, 64, 1}, {128, 64, 0, 32, 32, 1}, {64, 128, 0, 32, 32, 1},
                                        {64, 64, 0, 32, 32, 1},   {64, 64, 0, 32, 32, 2},  {32, 64, 0, 16, 32, 1},
                                        {32, 64, 0, 16, 32, 2},   {32, 32, 0, 16, 32, 2},  {32, 32, 0, 16, 32, 4},
                                        {16, 64, 0, 16, 32, 4}};

int64_t coat::sharedBytes(const BlockTile &tile, int64_t elementBytes) {
  int64_t stages = tile.stages * (tile.m + tile.n) * tile.k * elementBytes;
  int64_t sums = (tile.slices - 1) * tile.m * tile.n * 4;
  return std::max(stages, sums);
}

/// With the step along k: rows of 128 bytes where the product is deep enough and four stages of them are not too much.
static BlockTile withStep(BlockTile tile, const ProductShape &shape, const GpuTarget &target) {
  int64_t wide = 128 / shape.bytes, least = 16 * tile.slices;
  tile.k = wide;
  while (tile.k > least && tile.k / 2 >= shape.k)
    tile.k /= 2;
  if (tile.m * tile.n >= 128 * 128 && tile.k == wide)
    tile.k /= 2;
  int64_t most = std::min(target.sharedPerBlock, target.sharedPerProcessor / 2 - 1024);
  for (tile.stages = 4; tile.stages > 2 && sharedBytes(tile, shape.bytes) > most; --tile.stages)
    ;
  return tile;
}

static double timeOf(const BlockTile &tile, const ProductShape &shape, const GpuTarget &target) {
  int64_t blocks = divideCeil(shape.m, tile.m) * divideCeil(shape.n, tile.n) * shape.batch;
  double waves = divideCeil(blocks, target.processors);
  // Per clock of about 1.5 GHz and multiprocessor.
  double peak = shape.matrices ? target.f16 * (shape.bytes == 2 ? 1.0 : 0.5) : target.f32;
  double multiplies = peak * 1e3 / 2 / 1.5 / target.processors, copied = 40, issued = 64;
  // Chains of multiplications that do not wait for each other, per quarter of a multiprocessor; four hide their
  // latency.
  double fragments = shape.matrices ? tile.warpM / 16 * (tile.warpN / 8) : tile.warpM * tile.warpN / 32 / 4;
  double warps = std::max(1.0, tile.threads() / 128.0) * std::min(waves, 2.0);
  double busy = std::min(1.0, fragments * warps / 4);
  // Operands of a warp come from shared memory once for all of its sums.
  double read = (double(tile.m) * tile.warpsN() + double(tile.n) * tile.warpsM()) * tile.k * shape.bytes / 128;
  double products = double(tile.m) * tile.n * tile.k / multiplies / busy;
  double bytes = double(tile.m + tile.n) * tile.k * shape.bytes / copied;
  double copies = (double(tile.m) * tile.k / shape.leftUnit + double(tile.n) * tile.k / shape.rightUnit) * 12 / issued;
  double step = std::max({products, bytes, copies, read, 120.0 / std::min(waves, 2.0)});
  return waves * (divideCeil(shape.k, tile.k) * step + tile.m * tile.n * 0.1 + 1000);
}

BlockTile coat::chooseBlockTile(const ProductShape &shape, const GpuTarget &target) {
  llvm::ArrayRef<BlockTile> tiles =
      shape.matrices ? llvm::ArrayRef<BlockTile>(matrixTiles) : llvm::ArrayRef<BlockTile>(scalarTiles);
  BlockTile best = tiles.front();
  double least = std::numeric_limits<double>::infinity();
  for (BlockTile tile : tiles) {
    tile = withStep(tile, shape, target);
    bool isOneStep = tile.k >= shape.k;
    // What straight code loads for many sums does not fit into registers.
    if (isOneStep && (tile.slices > 1 || (!shape.matrices && tile.m * tile.n > 64 * 64)))
      continue;
    // Few copies a thread: each of them keeps addresses in registers.
    int64_t copies = std::max(tile.m * tile.k / shape.leftUnit, tile.n * tile.k / shape.rightUnit) / tile.threads();
    if (copies > 16 && tile.m * tile.n > 64 * 64)
      continue;
    if (double time = timeOf(tile, shape, target); time < least) {
      least = time;
      best = tile;
    }
  }
  return best;
}
