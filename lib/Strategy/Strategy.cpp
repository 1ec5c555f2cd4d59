// The schedule of each op: into which tasks it is cut and which register tile computes them.
//
// A task should be long against the cost of starting it and there should be enough of them for the threads of a host,
// of which nothing is known here: results may not depend on their number. Between the dimensions that can be cut, the
// one goes first whose cut makes tasks share less: cutting rows makes every task read all weights, cutting channels all
// inputs.
#include "coat/Strategy/Strategy.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace coat;

namespace {
constexpr int64_t block = 16;             // channels of a packed block
constexpr int64_t assumedSize = 64;       // what a symbolic dimension counts as
constexpr double smallestTask = 2e6;      // floating-point operations of a product: about 20 us on one core
constexpr double smallestAttention = 5e5; // of attention: less is over before another thread has come
constexpr double wantedTasks = 64;
constexpr double smallestMove = 64 * 1024; // elements that a task of any other op reads and writes

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }
int64_t sizeOr(int64_t size) { return ShapedType::isDynamic(size) ? assumedSize : size; }
int64_t product(ArrayRef<int64_t> sizes) {
  int64_t result = 1;
  for (int64_t size : sizes)
    result *= sizeOr(size);
  return result;
}

/// Half of `size`, rounded up to a multiple of `step`.
int64_t half(int64_t size, int64_t step) { return llvm::alignTo(llvm::divideCeil(size, 2), step); }

/// A tile near `tile` that cuts `size` into equal parts, if there is one: unequal parts need code for unknown sizes.
int64_t evenTile(int64_t size, int64_t tile, int64_t step) {
  if (ShapedType::isDynamic(size) || tile >= size)
    return tile;
  for (int64_t difference = 0; difference <= tile / 3; difference += step)
    for (int64_t candidate : {tile + difference, tile - difference})
      if (candidate > 0 && size % candidate == 0)
        return candidate;
  return tile;
}

/// A larger tile than `tile`, but not four times as large, that cuts `size` into equal parts: code for unknown sizes
/// costs more than tasks that are fewer, and does not ask for weights ahead.
int64_t largerEvenTile(int64_t size, int64_t tile) {
  if (ShapedType::isDynamic(size) || tile >= size)
    return tile;
  for (int64_t candidate = tile; candidate <= std::min(size, 4 * tile); ++candidate)
    if (size % candidate == 0)
      return candidate;
  return tile;
}

/// A tile near `tile` whose last one, if it is smaller, still has `least` rows: fewer are computed one by one.
int64_t withoutSmallRest(int64_t size, int64_t tile, int64_t least) {
  if (ShapedType::isDynamic(size))
    return tile;
  while (tile < size && size % tile > 0 && size % tile < least)
    tile += least;
  return tile;
}

/// What a product looks like to the choice of tiles: result rows x channels, reduced over `depth`.
struct Product {
  int64_t rows, rowStep;         // rows that can be cut, and the multiple they are cut at
  int64_t channels, channelStep; // the same for channels; channelStep 0: may not be cut
  double workOfCell;             // operations of one row and channel
  double bytesOfRow;             // input read for one row
  double bytesOfChannel;         // weights read for one channel
  int64_t leastRows = 1;         // of a task: for fewer, its weights are not worth reading
  double longest = 1.25;         // times the wanted work: a task that would be cut in rows though weights outweigh
};

/// Rows and channels of one task.
std::pair<int64_t, int64_t> cutProduct(const Product &p, double repeated, const CpuTarget &target) {
  int64_t rows = p.rows, channels = p.channels;
  double total = repeated * rows * channels * p.workOfCell;
  double wanted = std::max(smallestTask, total / wantedTasks);
  auto canCutRows = [&] { return rows > p.rowStep && rows >= 2 * p.leastRows; };
  auto canCutChannels = [&] { return p.channelStep && channels > p.channelStep; };
  // Then all rows stay together as long as channels can be cut: each row uses a panel of weights that took time to
  // come.
  bool manyWeights = p.channels * p.bytesOfChannel > p.rows * p.bytesOfRow;
  while (canCutRows() || canCutChannels()) {
    bool apart = manyWeights && !canCutChannels(); // cut again, the task reads its weights twice
    bool tooLong = rows * channels * p.workOfCell > (apart ? p.longest : 1.25) * wanted;
    bool tooWide = !manyWeights && rows * p.bytesOfRow > target.l2 / 2 && rows * channels * p.workOfCell > smallestTask;
    if (!tooLong && !tooWide)
      break;
    bool weightsOutweigh = manyWeights || channels * p.bytesOfChannel > rows * p.bytesOfRow;
    if (canCutChannels() && (!canCutRows() || (weightsOutweigh && !tooWide)))
      channels = half(channels, p.channelStep);
    else if (canCutRows())
      rows = half(rows, p.rowStep);
    else
      break;
  }
  return {rows, channels};
}

ScheduleAttr makeSchedule(Operation *op, StringRef algorithm, ArrayRef<int64_t> tile, ArrayRef<int64_t> reg,
                          ArrayRef<int64_t> order, const CpuTarget &target) {
  return ScheduleAttr::get(op->getContext(), algorithm, tile, reg, order, target.vector);
}

/// Channels slowest, where the weights are what is dear to read again.
SmallVector<int64_t> channelsFirst(int64_t rank) {
  SmallVector<int64_t> order = {rank - 1};
  llvm::append_range(order, llvm::seq<int64_t>(0, rank - 1));
  return order;
}

/// result [N, O1..Ok, M]: tasks are images x rows of the first spatial dimension x output channels.
ScheduleAttr scheduleConv(ConvOp op, const CpuTarget &target) {
  auto result = typeOf(op.getResult()), input = typeOf(op.getInput()), filter = typeOf(op.getFilter());
  bool packed = op.getFilterLayout() == FilterLayout::packed;
  int64_t rank = result.getRank(), spatial = rank - 2, group = op.getGroup();
  int64_t channels = result.getShape().back(), inputChannels = input.getShape().back();
  bool depthwise = group > 1 && group == channels && inputChannels == channels;
  int64_t width = result.getDimSize(rank - 2);
  int64_t taps = product(filter.getShape().slice(2, spatial));
  int64_t depth = taps * inputChannels / group;
  // Register tiles of a narrow plane go over the ends of its rows, so it stays whole.
  int64_t height = spatial > 1 ? result.getDimSize(rank - 3) : 1;
  bool narrow = spatial == 2 && !ShapedType::isDynamic(width) && !ShapedType::isDynamic(height) && width < 8;
  int64_t narrowRows = narrow ? height : 1;
  RegisterTile reg =
      chooseRegisterTile(narrow ? width * narrowRows : width, group > 1 ? block : channels, depth, target);
  int64_t rowsAtOnce = 1;
  if (depthwise) {
    DepthwiseTile together = chooseDepthwiseTile(filter.getShape().slice(2, spatial), op.getStrides(), target);
    // A narrow plane is cut into rows that leave out the border.
    constexpr int64_t narrowRow = 8;
    bool oneRow = !ShapedType::isDynamic(width) && width <= std::max(narrowRow, together.rows * together.columns);
    rowsAtOnce = oneRow ? 1 : together.rows;
    reg = {rowsAtOnce < together.rows ? width : together.columns, block}; // one vector of channels at a time
  }
  int64_t inner = product(result.getShape().slice(2, spatial - 1)); // spatial sizes behind the first
  Product p;
  p.rows = sizeOr(result.getDimSize(1));
  p.rowStep = spatial > 1 ? std::max(narrowRows, rowsAtOnce) : 4 * reg.rows;
  p.channels = channels;
  // A cut through a group would leave the tile without one `group`; depthwise tiles must be equal for the same reason.
  bool cutsChannels = packed && (group == 1 || (depthwise && channels % (2 * block) == 0));
  p.channelStep = !cutsChannels ? 0 : depthwise ? block : reg.channels;
  // A depthwise convolution loads a vector for nearly every multiply-add.
  p.workOfCell = (depthwise ? 3.0 : 1.0) * 2 * depth * inner;
  p.bytesOfRow = 4.0 * inner * inputChannels;
  for (int64_t i : {int64_t(0), spatial - 1})
    if (i == 0 || spatial > 1) // what lies between the windows is not read
      p.bytesOfRow *= std::min(op.getStrides()[i], filter.getDimSize(2 + i));
  p.bytesOfChannel = 4.0 * depth;
  auto [rows, part] = cutProduct(p, sizeOr(result.getDimSize(0)), target);
  rows = largerEvenTile(result.getDimSize(1), evenTile(result.getDimSize(1), rows, spatial > 1 ? rowsAtOnce : 1));
  part = evenTile(channels, part, block);
  if (depthwise && channels % part)
    part = channels;
  SmallVector<int64_t> tile(rank, 0), registers(rank, 1);
  tile[0] = 1;
  tile[1] = rows == p.rows && !result.isDynamicDim(1) ? 0 : rows;
  tile[rank - 1] = part >= channels ? 0 : part;
  if (spatial > 1)
    registers[rank - 3] = rowsAtOnce;
  registers[rank - 2] = reg.rows;
  registers[rank - 1] = reg.channels;
  bool weightsOutweigh = p.channels * p.bytesOfChannel > p.rows * p.bytesOfRow;
  return makeSchedule(op, depthwise ? "depthwise" : "direct", tile, registers,
                      weightsOutweigh ? channelsFirst(rank) : SmallVector<int64_t>(), target);
}

/// result [B.., M, N]: tasks are batches x rows x columns.
ScheduleAttr scheduleMatmul(MatmulOp op, const CpuTarget &target) {
  auto result = typeOf(op.getResult()), lhs = typeOf(op.getLhs());
  int64_t rank = result.getRank();
  int64_t depth = sizeOr(lhs.getDimSize(lhs.getRank() - (op.getTransposeLhs() ? 2 : 1)));
  RegisterTile reg = chooseRegisterTile(result.getDimSize(rank - 2), sizeOr(result.getShape().back()), depth, target);
  Product p;
  p.rows = sizeOr(result.getDimSize(rank - 2));
  p.rowStep = 4 * reg.rows;
  p.channels = sizeOr(result.getShape().back());
  // Two panels of weights, where a core's own cache has room for more: 128x3072x768 takes 7 % less in tasks of all rows
  // and one panel than in tasks of half of the rows and two. A single row reads each panel once.
  bool oneFills = p.rows > 1 && 2 * reg.channels * depth * 4 > target.l2 / 2;
  p.channelStep = (oneFills ? 1 : 2) * reg.channels;
  p.longest = 4;
  // With few rows, reading the weights is the work.
  p.workOfCell = std::max(2.0 * depth, workOfByte * 4 * depth / p.rows);
  p.bytesOfRow = p.bytesOfChannel = 4.0 * depth;
  p.leastRows = 25;
  auto [rows, part] = cutProduct(p, product(result.getShape().drop_back(2)), target);
  SmallVector<int64_t> tile(rank, 1), registers(rank, 1);
  rows = largerEvenTile(result.getDimSize(rank - 2), evenTile(result.getDimSize(rank - 2), rows, 1));
  rows = withoutSmallRest(p.rows, rows, reg.rows);
  part = evenTile(result.getShape().back(), part, block);
  bool allRows = rows >= p.rows && !result.isDynamicDim(rank - 2);
  bool allColumns = part >= p.channels && !result.isDynamicDim(rank - 1);
  tile[rank - 2] = allRows ? 0 : rows;
  tile[rank - 1] = allColumns ? 0 : part;
  registers[rank - 2] = reg.rows;
  registers[rank - 1] = reg.channels;
  // What changes slowest is read from memory once. A right-hand side of its own for each batch is read once either way.
  bool shared = op.getFilterLayout() == FilterLayout::packed || typeOf(op.getRhs()).getRank() == 2;
  bool weightsOutweigh = shared && p.channels > p.rows * product(result.getShape().drop_back(2));
  return makeSchedule(op, "gemm", tile, registers, weightsOutweigh ? channelsFirst(rank) : SmallVector<int64_t>(),
                      target);
}

/// A dimension of the result that may be cut: at multiples of `step`, into equal parts only where `equal`.
struct Cut {
  int64_t dim, step = 1;
  bool equal = false;
};

/// Everything but products: the dimensions of `cuts` are cut in turn until a task is small enough.
ScheduleAttr scheduleMove(Operation *op, StringRef algorithm, ArrayRef<Cut> cuts, double workOfElement,
                          const CpuTarget &target, double smallest = smallestMove) {
  auto result = typeOf(op->getResult(0));
  SmallVector<int64_t> tile(result.getRank(), 0);
  double elements = product(result.getShape()) * workOfElement;
  double wanted = std::max(smallest, elements / wantedTasks);
  for (Cut cut : cuts) {
    int64_t extent = result.getDimSize(cut.dim), size = sizeOr(extent);
    if (elements <= 1.25 * wanted || (cut.equal && ShapedType::isDynamic(extent)))
      continue;
    double perIndex = elements / size;
    int64_t part = std::max<int64_t>(1, static_cast<int64_t>(wanted / perIndex));
    part = evenTile(extent, llvm::alignTo(part, cut.step), cut.step);
    if (cut.equal && size % part)
      part = cut.step;
    tile[cut.dim] = part < size || ShapedType::isDynamic(extent) ? part : 0;
    elements = perIndex * part;
  }
  return makeSchedule(op, algorithm, tile, {}, {}, target);
}

SmallVector<Cut> cutsOf(ArrayRef<int64_t> dims) {
  return llvm::map_to_vector(dims, [](int64_t dim) { return Cut{dim}; });
}
SmallVector<Cut> cutsBelow(int64_t end) { return cutsOf(llvm::to_vector(llvm::seq<int64_t>(0, end))); }

bool isChannelsLast(coat::DataLayout layout) { return layout == coat::DataLayout::channels_last; }

/// Windows that reach over the end of the input belong to no tile but the whole.
bool windowsAreInside(PoolOp op) {
  if (llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; }))
    return false;
  for (auto [i, kernel] : llvm::enumerate(op.getKernel())) {
    int64_t dim = i + (isChannelsLast(op.getDataLayout()) ? 1 : 2), size = typeOf(op.getInput()).getDimSize(dim);
    int64_t last = (typeOf(op.getResult()).getDimSize(dim) - 1) * op.getStrides()[i];
    if (op.getCeilMode() && (ShapedType::isDynamic(size) || last + (kernel - 1) * op.getDilations()[i] + 1 > size))
      return false;
  }
  return true;
}

/// A task is the heads that share a key head. Rows are cut where there are few of them, into tasks of several panels of
/// queries each, because every task reads all keys and values.
SmallVector<Cut> cutsOfAttention(AttentionOp op) {
  if (!op.isPlain())
    return {};
  constexpr int64_t enoughHeads = 8, fewestRows = 96;
  ArrayRef<int64_t> shape = typeOf(op.getResult()).getShape();
  int64_t heads = shape[1], keyHeads = typeOf(op.getKey()).getDimSize(1), rows = shape[2];
  bool known = !ShapedType::isDynamic(heads) && !ShapedType::isDynamic(keyHeads) && keyHeads > 0;
  SmallVector<Cut> cuts{{0}, {1, known ? heads / keyHeads : 1, /*equal=*/true}};
  if (sizeOr(shape[0]) * sizeOr(keyHeads) >= enoughHeads)
    return cuts;
  // Parts of a known number of rows as equal as whole panels allow.
  int64_t part = fewestRows;
  if (!ShapedType::isDynamic(rows))
    part = llvm::alignTo(llvm::divideCeil(rows, std::max<int64_t>(1, rows / fewestRows)), block);
  cuts.push_back({2, part});
  return cuts;
}

/// Where an op looks at other elements along a dimension, that dimension stays whole.
SmallVector<Cut> cutsOf(Operation *op) {
  auto result = typeOf(op->getResult(0));
  int64_t rank = result.getRank();
  if (auto softmax = dyn_cast<SoftmaxOp>(op)) {
    SmallVector<Cut> cuts = cutsBelow(rank);
    cuts.erase(cuts.begin() + softmax.getAxis());
    return cuts;
  }
  if (auto norm = dyn_cast<LayerNormOp>(op))
    return cutsBelow(norm.getAxis());
  if (auto norm = dyn_cast<GroupNormOp>(op)) {
    int64_t channel = isChannelsLast(norm.getDataLayout()) ? rank - 1 : 1, channels = result.getDimSize(channel);
    if (ShapedType::isDynamic(channels))
      return {{0}};
    int64_t group = channels / int64_t(norm.getGroups());
    // Whole cache lines of channels, where lines are of channels.
    bool lines = isChannelsLast(norm.getDataLayout()) && block % group == 0 && channels % block == 0;
    return {{0}, {channel, lines ? block : group, /*equal=*/true}};
  }
  if (auto lrn = dyn_cast<LRNOp>(op)) {
    SmallVector<Cut> cuts = cutsBelow(rank);
    cuts.erase(cuts.begin() + (isChannelsLast(lrn.getDataLayout()) ? rank - 1 : 1));
    return cuts;
  }
  if (auto pool = dyn_cast<PoolOp>(op); pool && !pool.getWithIndices() && !windowsAreInside(pool))
    return {};
  if (auto transposed = dyn_cast<ConvTransposeOp>(op))
    return transposed.getGroup() == 1 ? SmallVector<Cut>{{0}, {1, 1, /*equal=*/true}} : cutsBelow(1);
  if (auto concat = dyn_cast<tensor::ConcatOp>(op)) {
    SmallVector<Cut> cuts = cutsBelow(rank);
    cuts.erase(cuts.begin() + concat.getDim());
    return cuts;
  }
  if (auto attention = dyn_cast<AttentionOp>(op))
    return cutsOfAttention(attention);
  return cutsBelow(rank);
}

/// None where the products transform their input themselves; else images and blocks of channels.
ScheduleAttr scheduleWinogradInput(WinogradInputOp op, const CpuTarget &target) {
  auto conv = op->hasOneUse() ? dyn_cast<WinogradConvOp>(*op->user_begin()) : WinogradConvOp();
  if (conv && isInputTransformFused(conv, target))
    return {};
  SmallVector<Cut> cuts{{0}};
  if (typeOf(op.getInput()).getDimSize(3) % block == 0)
    cuts.push_back({1, 1, /*equal=*/true});
  return scheduleMove(op, "winograd", cuts, 1, target);
}

/// Operations a result element beyond reading and writing it.
double workOfElement(Operation *op) {
  auto cost = dyn_cast<CostOpInterface>(op);
  double elements = product(typeOf(op->getResult(0)).getShape());
  return std::max(1.0, cost && elements > 0 ? cost.getFlops() / elements : 1.0);
}
} // namespace

ScheduleAttr coat::chooseSchedule(Operation *op, const CpuTarget &target) {
  if (auto conv = dyn_cast<ConvOp>(op); conv && conv.getDataLayout() == DataLayout::channels_last)
    return scheduleConv(conv, target);
  if (auto conv = dyn_cast<WinogradConvOp>(op))
    return chooseWinogradSchedule(conv, target);
  if (auto input = dyn_cast<WinogradInputOp>(op))
    return scheduleWinogradInput(input, target);
  if (auto matmul = dyn_cast<MatmulOp>(op))
    return scheduleMatmul(matmul, target);
  if (isa<AttentionOp>(op))
    return scheduleMove(op, "flash", cutsOf(op), workOfElement(op), target, smallestAttention);
  if (isa<SoftmaxOp, LayerNormOp, GroupNormOp>(op))
    return scheduleMove(op, "rows", cutsOf(op), workOfElement(op), target);
  return scheduleMove(op, "loops", cutsOf(op), workOfElement(op), target);
}
