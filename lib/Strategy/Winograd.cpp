// Whether a convolution is computed by Winograd's F(m, r), with which m, and how that is cut into tasks.
//
// F(4, 3) needs a quarter of the multiplications of the definition, F(2, 3) four ninths; with stride 2 it is nine
// sixteenths and 25/36. In return there are transforms, and weights that are 4, 16/9, 9 or 25/9 times as large. All of
// it is counted in cycles of one core that has its data at hand, but for the weights, which come from memory while it
// computes.
#include "coat/Strategy/Strategy.h"

using namespace mlir;
using namespace coat;

namespace {
constexpr int64_t block = 16;
/// Transforming one tile of one vector of channels, in or out: measured on Zen 3 with AVX2, where a transform of F(4,
/// 3) is about 150 instructions and as many loads and stores as its 36 values.
double transformCycles(const WinogradTile &tile) { return tile.products() * (tile.outputs == 4 ? 4 : 3); }
/// Storing a vector of sums and loading it again.
constexpr double sumCycles = 1;
/// What one core reads of memory that nothing has read before: 13 GB/s at 3 GHz.
constexpr double bytesOfCycle = 4.5;
/// A Winograd convolution is two kernels and more code: it has to be worth it.
constexpr double leastGain = 1.1, leastCycles = 50e3;
/// The library grows with the filters. More than F(4, 3) of stride 1 does, they may only where they stay in the last
/// cache.
constexpr double mostGrowth = 4;
constexpr double smallestTask = 2e6; // operations
constexpr double wantedTasks = 8;
/// Fewer tiles in a task fill register tiles badly, and use a panel of the filter too little to read it again.
constexpr int64_t fewestTiles = 12;

struct Shape {
  int64_t height, width, channels, outChannels, taps;
};

double productsPerCycle(const CpuTarget &target) { return target.vector * (target.fusedMultiplyAdd ? 2.0 : 1.0); }

double directCycles(const Shape &s, const CpuTarget &target) {
  return double(s.taps * s.taps) * s.height * s.width * s.channels * llvm::alignTo(s.outChannels, block) /
         productsPerCycle(target);
}

double winogradCycles(const Shape &s, const WinogradTile &tile, const CpuTarget &target) {
  double products = tile.products(), lanes = target.vector;
  double tiles = llvm::divideCeil(s.height, tile.outputs) * llvm::divideCeil(s.width, tile.outputs);
  double in = s.channels * tile.fold * tile.fold, out = llvm::alignTo(s.outChannels, block);
  double compute = products * tiles * in * out / productsPerCycle(target) + products * tiles * out / lanes * sumCycles +
                   tiles * (llvm::alignTo(int64_t(in), target.vector) + out) / lanes * transformCycles(tile);
  return std::max(compute, products * in * out * 4 / bytesOfCycle);
}

/// Whether the transformed filter is too large for what it saves.
bool growsTooMuch(const Shape &s, const WinogradTile &tile) {
  double folded = tile.fold * tile.fold, bytes = 4 * tile.products() * folded * s.channels * s.outChannels;
  return tile.products() * folded > mostGrowth * s.taps * s.taps && bytes > countedOfLastCache;
}

bool areAll(ArrayRef<int64_t> values, int64_t value) {
  return llvm::all_of(values, [&](int64_t v) { return v == value; });
}

/// What is multiplied: products of `rows` * `columns` tiles by `channels`, summed over `depth`.
struct Products {
  int64_t count, m, rows, columns, depth, channels, height;

  explicit Products(WinogradConvOp op)
      : count(winogradTileOf(op).products()), m(op.getTile()), rows(llvm::divideCeil(op.getOutputSize()[0], m)),
        columns(llvm::divideCeil(op.getOutputSize()[1], m)),
        depth(cast<RankedTensorType>(op.getFilter().getType()).getDimSize(2)), channels(op.getOutChannels()),
        height(op.getOutputSize()[0]) {}
  double work() const { return 2.0 * count * rows * columns * depth * channels; }
};

/// How a convolution becomes tasks: of so many rows of tiles and channels each. Fused: a task transforms its own input.
struct Cut {
  int64_t rows, channels;
  bool fused;

  double tasks(const Products &p) const {
    return double(llvm::divideCeil(p.rows, rows)) * llvm::divideCeil(p.channels, channels);
  }

  /// Bytes that move between a core's own caches and what is behind them: weights for each part of the rows, but a
  /// quarter of them, for they are asked for ahead of time; what a task writes and reads again as far as its caches do
  /// not hold it; an input transformed by another kernel when it is made and for each task that reads it, doubly where
  /// it leaves the last cache in between.
  double traffic(const Products &p, const CpuTarget &target) const {
    double input = 4 * p.count * p.rows * p.columns * p.depth, weights = 4 * p.count * p.depth * p.channels;
    double sums = 4 * p.count * p.rows * p.columns * p.channels, kept = (fused ? input : 0) + sums;
    double share = double(rows) / p.rows * channels / p.channels; // of what is kept, in one task
    double excess = std::max(0.0, 1 - 0.75 * target.l2 / (kept * share));
    double moved = 0.25 * weights * llvm::divideCeil(p.rows, rows) + 2 * kept * excess;
    if (fused)
      return moved;
    double lastCache = std::min<double>(target.l3, countedOfLastCache);
    return moved + input * (1 + double(llvm::divideCeil(p.channels, channels))) * (input > lastCache * 0.5 ? 2 : 1);
  }
};

/// The cut that moves least (clearly less than one of smaller tasks), of those that make enough tasks. Only equal
/// parts: the sizes of a task are known at compile time.
Cut chooseCut(WinogradConvOp op, const CpuTarget &target) {
  Products p(op);
  double wanted = std::clamp(p.work() / smallestTask, 1.0, wantedTasks);
  Cut best{p.rows, p.channels, /*fused=*/true};
  double bestTraffic = std::numeric_limits<double>::max(), mostTasks = 1;
  for (int64_t rows = 1; rows <= p.rows; ++rows) {
    if (rows < p.rows && (p.height % (rows * p.m) != 0 || rows * p.columns < fewestTiles))
      continue;
    int64_t step = chooseRegisterTile(rows * p.columns, p.channels, p.depth, target).channels;
    for (int64_t channels = std::min(step, p.channels); channels <= p.channels; channels += block) {
      if (channels < p.channels && (p.channels % channels != 0 || channels % step != 0))
        continue;
      for (bool fused : {false, true}) {
        Cut cut{rows, channels, fused};
        if (fused && channels < p.channels) // each task would transform the same input
          continue;
        double traffic = cut.traffic(p, target), tasks = std::min(cut.tasks(p), wanted);
        if (p.work() / cut.tasks(p) < smallestTask && cut.tasks(p) > 1)
          continue;
        if (tasks > mostTasks || (tasks == mostTasks && traffic < 0.85 * bestTraffic)) {
          best = cut;
          bestTraffic = traffic;
          mostTasks = tasks;
        }
      }
    }
  }
  return best;
}
} // namespace

std::optional<WinogradTile> coat::chooseWinogradTile(ConvOp op, const CpuTarget &target) {
  auto result = cast<RankedTensorType>(op.getResult().getType()),
       input = cast<RankedTensorType>(op.getInput().getType());
  auto filter = cast<RankedTensorType>(op.getFilter().getType());
  if (op.getDataLayout() != DataLayout::channels_last || op.getFilterLayout() != FilterLayout::plain ||
      result.getRank() != 4 || !result.getElementType().isF32() || op.getGroup() != 1 ||
      filter.getDimSize(2) != filter.getDimSize(3) || !areAll(op.getDilations(), 1) || !areAll(op.getPads(), 0) ||
      ShapedType::isDynamicShape(result.getShape().drop_front()))
    return {};
  int64_t stride = op.getStrides().front(), taps = filter.getDimSize(2);
  if (!areAll(op.getStrides(), stride))
    return {};
  Shape shape{result.getDimSize(1), result.getDimSize(2), input.getDimSize(3), result.getDimSize(3), taps};
  double best = directCycles(shape, target) / leastGain;
  if (best < leastCycles)
    return {};
  std::optional<WinogradTile> fastest;
  for (int64_t fold : {1, 2})
    for (int64_t outputs : {2, 4}) {
      WinogradTile tile{outputs, taps, stride, fold};
      if (!tile.isKnown() || (fold > 1 && fold * fold * shape.channels > block) || growsTooMuch(shape, tile))
        continue;
      if (double cycles = winogradCycles(shape, tile, target); cycles < best) {
        best = cycles;
        fastest = tile;
      }
    }
  return fastest;
}

bool coat::isInputTransformFused(WinogradConvOp op, const CpuTarget &target) { return chooseCut(op, target).fused; }

ScheduleAttr coat::chooseWinogradSchedule(WinogradConvOp op, const CpuTarget &target) {
  Products p(op);
  Cut cut = chooseCut(op, target);
  RegisterTile reg = chooseRegisterTile(cut.rows * p.columns, p.channels, p.depth, target);
  SmallVector<int64_t> tile = {1, cut.rows < p.rows ? cut.rows * p.m : 0, 0,
                               cut.channels < p.channels ? cut.channels : 0};
  // Channels slowest where they are cut: rows and images then share the weights.
  SmallVector<int64_t> order = tile[3] ? SmallVector<int64_t>{3, 0, 1, 2} : SmallVector<int64_t>();
  return ScheduleAttr::get(op.getContext(), "winograd", tile, {1, 1, reg.rows, reg.channels}, order, target.vector);
}
