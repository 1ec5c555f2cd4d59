// Whether a 3x3 convolution is computed by Winograd's F(m, 3), with which m, and how that is cut into tasks.
//
// F(4, 3) needs a quarter of the multiplications of the definition, F(2, 3) four ninths; in return there are transforms, and
// weights that are 4 or 16/9 times as large. All of it is counted in cycles of one core that has its data at hand, but for
// the weights, which come from memory while it computes.
#include "coat/Strategy/Strategy.h"

using namespace mlir;
using namespace coat;

namespace {
constexpr int64_t block = 16;
/// Transforming one tile of one vector of channels, in or out: measured on Zen 3 with AVX2, where a transform of F(4, 3) is
/// about 150 instructions and as many loads and stores as values.
constexpr double transformCycles(int64_t m) { return m == 4 ? 150 : 50; }
/// Storing a vector of sums and loading it again.
constexpr double sumCycles = 1;
/// What one core reads of memory that nothing has read before: 13 GB/s at 3 GHz.
constexpr double bytesOfCycle = 4.5;
/// A Winograd convolution is two kernels and more code: it has to be worth it.
constexpr double leastGain = 1.1, leastCycles = 50e3;
/// Rows of tiles that are a task until it has as many tiles as this: enough to use the filter while it is in a cache.
constexpr int64_t enoughTiles = 14;
constexpr double smallestTask = 2e6; // operations
constexpr int64_t wantedTasks = 8;

struct Shape {
  int64_t height, width, channels, outChannels;
};

double productsPerCycle(const CpuTarget &target) { return target.vector * (target.fusedMultiplyAdd ? 2.0 : 1.0); }

double directCycles(const Shape &s, const CpuTarget &target) {
  return 9.0 * s.height * s.width * s.channels * llvm::alignTo(s.outChannels, block) / productsPerCycle(target);
}

double winogradCycles(const Shape &s, int64_t m, const CpuTarget &target) {
  double products = (m + 2) * (m + 2), lanes = target.vector;
  double tiles = llvm::divideCeil(s.height, m) * llvm::divideCeil(s.width, m);
  double in = s.channels, out = llvm::alignTo(s.outChannels, block);
  double compute = products * tiles * in * out / productsPerCycle(target) + products * tiles * out / lanes * sumCycles +
                   tiles * (llvm::alignTo(s.channels, target.vector) + out) / lanes * transformCycles(m);
  return std::max(compute, products * in * out * 4 / bytesOfCycle);
}

bool allOnes(ArrayRef<int64_t> values) { return llvm::all_of(values, [](int64_t v) { return v == 1; }); }

/// Rows and columns of tiles.
struct Grid {
  int64_t m, rows, columns;
  explicit Grid(WinogradConvOp op)
      : m(op.getTile()), rows(llvm::divideCeil(op.getOutputSize()[0], m)),
        columns(llvm::divideCeil(op.getOutputSize()[1], m)) {}
};

/// Rows of tiles of a task where rows are cut: enough tiles, and equal parts of the result. All where there are no such.
int64_t rowsOfTask(WinogradConvOp op) {
  Grid grid(op);
  double workOfRow = 2.0 * (grid.m + 2) * (grid.m + 2) * grid.columns * op.getOutChannels() *
                     cast<RankedTensorType>(op.getFilter().getType()).getDimSize(2);
  for (int64_t rows = 1; rows < grid.rows; ++rows)
    if (op.getOutputSize()[0] % (rows * grid.m) == 0 && rows * grid.columns >= enoughTiles &&
        rows * workOfRow >= smallestTask)
      return rows;
  return grid.rows;
}

/// Channels of a task where channels are cut, into equal parts. Each task reads the whole transformed input, so the more
/// the better, while there are enough tasks and their products stay in the second cache.
int64_t channelsOfTask(WinogradConvOp op, RegisterTile reg, const CpuTarget &target) {
  Grid grid(op);
  int64_t channels = op.getOutChannels(), most = std::clamp<int64_t>(channels / wantedTasks, 2 * block, 4 * block);
  double tiles = grid.rows * grid.columns, products = (grid.m + 2) * (grid.m + 2);
  double workOfChannel = 2.0 * products * tiles * cast<RankedTensorType>(op.getFilter().getType()).getDimSize(2);
  int64_t best = channels;
  for (int64_t part = reg.channels; part < channels; part += reg.channels) {
    bool fits = part <= most && products * tiles * part * 4 <= target.l2 / 2;
    if (channels % part == 0 && part * workOfChannel >= smallestTask && (best == channels || fits))
      best = part;
  }
  return best;
}
} // namespace

int64_t coat::chooseWinogradTile(ConvOp op, const CpuTarget &target) {
  auto result = cast<RankedTensorType>(op.getResult().getType()), input = cast<RankedTensorType>(op.getInput().getType());
  auto filter = cast<RankedTensorType>(op.getFilter().getType());
  if (op.getDataLayout() != DataLayout::channels_last || op.getFilterLayout() != FilterLayout::plain ||
      result.getRank() != 4 || !result.getElementType().isF32() || op.getGroup() != 1 ||
      filter.getShape().drop_front(2) != ArrayRef<int64_t>{3, 3} || !allOnes(op.getStrides()) ||
      !allOnes(op.getDilations()) || llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; }) ||
      ShapedType::isDynamicShape(result.getShape().drop_front()))
    return 0;
  Shape shape{result.getDimSize(1), result.getDimSize(2), input.getDimSize(3), result.getDimSize(3)};
  double best = directCycles(shape, target) / leastGain;
  if (best < leastCycles)
    return 0;
  int64_t tile = 0;
  for (int64_t m : {2, 4})
    if (double cycles = winogradCycles(shape, m, target); cycles < best) {
      best = cycles;
      tile = m;
    }
  return tile;
}

bool coat::isInputTransformFused(WinogradConvOp op) {
  // Tasks over rows each read all weights, tasks over channels all of the transformed input.
  Grid grid(op);
  return grid.rows * grid.columns > int64_t(op.getOutChannels()) && rowsOfTask(op) < grid.rows;
}

ScheduleAttr coat::chooseWinogradSchedule(WinogradConvOp op, const CpuTarget &target) {
  Grid grid(op);
  int64_t channels = op.getOutChannels(), depth = cast<RankedTensorType>(op.getFilter().getType()).getDimSize(2);
  bool fused = isInputTransformFused(op);
  int64_t rows = fused ? rowsOfTask(op) : grid.rows;
  RegisterTile reg = chooseRegisterTile(rows * grid.columns, channels, depth, target);
  int64_t part = fused ? channels : channelsOfTask(op, reg, target);
  SmallVector<int64_t> tile = {1, fused ? rows * grid.m : 0, 0, part < channels ? part : 0};
  // Images last: they share the weights.
  SmallVector<int64_t> order = fused ? SmallVector<int64_t>() : SmallVector<int64_t>{3, 0, 1, 2};
  return ScheduleAttr::get(op.getContext(), "winograd", tile, {1, 1, reg.rows, reg.channels}, order, target.vector);
}
