// Emitter of matrix products and convolutions for sm_90a: one thread keeps shared memory filled by TMA, warpgroups
// multiply from there, and each block goes on with another tile when one is done.
//
//   producer: for each tile, for each step along k: wait until the stage is empty; start two copies into it
//   consumers: wait until it is full; multiply; say that the stage before is empty; behind the last step: epilogue
//
// A convolution's left operand is copied by im2col maps: a box is so many positions of the window's corner, times 64
// channels at one tap. A step along k is one tap's 64 channels; channels behind the last are zero in both operands.
//
// Does not apply to: operands that are converted on the way, strides that are not multiples of 16 bytes, a left operand
// that is dense along m, right operands of tf32 that are dense along n, groups whose channels do not fill 64.
#include "KernelFunction.h"
#include "ResultTiles.h"
#include "coat/Dialect/Coat.h"

using namespace mlir;
using namespace coat;

namespace {
/// How operands are copied; coordinates are made from the step's tap, its first channel, the tile's first row and the
/// batch.
struct TensorCopies {
  TensorMap left, right;
  int64_t taps = 1, channels;                                       // k is taps x channels
  SmallVector<int64_t> window, positions, steps, dilations, before; // of a convolution's spatial dimensions
  bool leftHasBatch = false, rightHasBatch = false;
  bool across = false;   // right's dense dimension is n
  int64_t batchLeft = 0; // channels of the left operand between batches (groups of a convolution)
};

struct WarpgroupTile {
  int64_t consumers, n, stages; // 64 rows a consumer

  int64_t m() const { return 64 * consumers; }
  int64_t threads() const { return 128 * (consumers + 1); }
};

class WarpgroupEmitter {
public:
  WarpgroupEmitter(WarpgroupBuilder &g, const Contraction &c, const TensorCopies &copies, const WarpgroupTile &tile,
                   int64_t blocks, Epilogue &epilogue, ValueRange maps)
      : g(g), c(c), copies(copies), tile(tile), tiles{c, tile.m(), tile.n}, blocks(blocks), epilogue(epilogue),
        leftMap(maps[0]), rightMap(maps[1]) {}

  void emit();
  int64_t sharedBytes() const { return barriers() + 16 * tile.stages; }

private:
  static constexpr int64_t rowBytes = 128; // of a tile in shared memory
  int64_t elementBytes() const { return c.type.getIntOrFloatBitWidth() / 8; }
  int64_t perStep() const { return rowBytes / elementBytes(); }
  int64_t steps() const { return copies.taps * llvm::divideCeil(copies.channels, perStep()); }
  int64_t leftBytes() const { return tile.m() * rowBytes; }
  int64_t rightBytes() const { return tile.n * rowBytes; }
  int64_t barriers() const { return tile.stages * (leftBytes() + rightBytes()); }
  Value full(Value stage) { return g.add(g.mul(stage, 8), barriers()); }
  Value empty(Value stage) { return g.add(g.mul(stage, 8), barriers() + 8 * tile.stages); }

  /// A place in the ring of stages, and whether it has been gone round an odd number of times.
  struct Ring {
    Value stage, phase;
  };
  Ring next(Ring ring);
  Values forEachTile(ValueRange carried, llvm::function_ref<Values(ResultTiles::Place, ValueRange)> body);

  void produce();
  void copyStep(const ResultTiles::Place &place, ArrayRef<Value> corner, Value step, Value stage);
  void consume();
  Value multiplyStage(Value sums, Value group, Value stage);
  SmallVector<SumRow> rows(Value group);

  WarpgroupBuilder &g;
  const Contraction &c;
  const TensorCopies &copies;
  const WarpgroupTile &tile;
  ResultTiles tiles;
  int64_t blocks;
  Epilogue &epilogue;
  Value leftMap, rightMap;
};
} // namespace

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

WarpgroupEmitter::Ring WarpgroupEmitter::next(Ring ring) {
  Value isLast = g.equal(ring.stage, tile.stages - 1);
  return {g.select(isLast, g.i32(0), g.add(ring.stage, 1)),
          g.select(isLast, g.bitXor(ring.phase, g.i32(1)), ring.phase)};
}

Values WarpgroupEmitter::forEachTile(ValueRange carried,
                                     llvm::function_ref<Values(ResultTiles::Place, ValueRange)> body) {
  if (blocks == tiles.count())
    return body(tiles.placeOf(g, g.block), carried);
  // Tiles block, block + blocks, ..
  Value rounds = g.div(g.sub(g.i32(tiles.count() - 1 + blocks), g.block), blocks);
  return g.loop(g.i32(0), rounds, carried, [&](Value round, ValueRange inner) {
    return body(tiles.placeOf(g, g.add(g.mul(round, blocks), g.block)), inner);
  });
}

void WarpgroupEmitter::copyStep(const ResultTiles::Place &place, ArrayRef<Value> corner, Value step, Value stage) {
  int64_t perTap = llvm::divideCeil(copies.channels, perStep());
  Value tap = g.div(step, perTap), channel = g.mul(g.rem(step, perTap), perStep());
  Value barrier = full(stage), left = g.mul(stage, leftBytes());
  Value right = g.add(g.mul(stage, rightBytes()), tile.stages * leftBytes());
  g.expectBytes(barrier, leftBytes() + rightBytes());
  if (copies.left.im2col) {
    Values coordinates = {g.add(channel, g.mul(place.batch, copies.batchLeft))}, offsets;
    llvm::append_range(coordinates, corner);
    Value rest = tap;
    for (int64_t i = copies.window.size() - 1; i >= 0; --i) {
      offsets.push_back(g.mul(i ? g.rem(rest, copies.window[i]) : rest, copies.dilations[i]));
      rest = g.div(rest, copies.window[i]);
    }
    g.copyBox(left, leftMap, barrier, coordinates, offsets);
  } else {
    Values coordinates = {channel, place.m};
    if (copies.leftHasBatch)
      coordinates.push_back(place.batch);
    g.copyBox(left, leftMap, barrier, coordinates);
  }
  if (copies.across) {
    for (int64_t n = 0; n < tile.n; n += perStep()) {
      Values coordinates = {g.add(place.n, n), channel};
      if (copies.rightHasBatch)
        coordinates.push_back(place.batch);
      g.copyBox(g.add(right, n * perStep() * elementBytes()), rightMap, barrier, coordinates);
    }
    return;
  }
  Values coordinates = {channel};
  if (copies.taps > 1)
    coordinates.push_back(tap);
  coordinates.push_back(c.batchColumns ? g.add(place.n, g.mul(place.batch, c.batchColumns)) : place.n);
  if (copies.rightHasBatch)
    coordinates.push_back(place.batch);
  g.copyBox(right, rightMap, barrier, coordinates);
}

void WarpgroupEmitter::produce() {
  forEachTile({g.i32(0), g.i32(1)}, [&](ResultTiles::Place place, ValueRange ring) {
    // The window's corner at the tile's first row, innermost dimension first, and its image.
    Values corner;
    if (copies.left.im2col) {
      Value rest = place.m;
      for (int64_t i = copies.positions.size() - 1; i >= 0; --i) {
        Value position = g.rem(rest, copies.positions[i]);
        corner.push_back(g.add(g.mul(position, copies.steps[i]), -copies.before[i]));
        rest = g.div(rest, copies.positions[i]);
      }
      corner.push_back(rest);
    }
    return g.loop(g.i32(0), g.i32(steps()), ring, [&](Value step, ValueRange inner) {
      Ring now = {inner[0], inner[1]};
      g.wait(empty(now.stage), now.phase);
      copyStep(place, corner, step, now.stage);
      Ring then = next(now);
      return Values{then.stage, then.phase};
    });
  });
}

Value WarpgroupEmitter::multiplyStage(Value sums, Value group, Value stage) {
  Value base = g.sharedBytes();
  Value left =
      g.descriptor(g.add(g.add(base, g.mul(group, 64 * rowBytes)), g.mul(stage, leftBytes())), 16, 8 * rowBytes);
  Value rightStart = g.add(g.add(base, tile.stages * leftBytes()), g.mul(stage, rightBytes()));
  int64_t inner = 32 / elementBytes();
  Value right = g.descriptor(rightStart, copies.across ? perStep() * rowBytes : 16, 8 * rowBytes);
  g.beginProducts();
  for (int64_t k = 0; k < perStep(); k += inner)
    sums = g.multiplyTiles(g.advance(left, k * elementBytes()),
                           g.advance(right, copies.across ? k * rowBytes : k * elementBytes()), sums, tile.n, c.type,
                           copies.across);
  g.commitProducts();
  return sums;
}

// Warp w of a warpgroup has rows 16 w .. + 16 of its 64.
SmallVector<SumRow> WarpgroupEmitter::rows(Value group) {
  SmallVector<SumRow> rows;
  Value row = g.add(g.add(g.mul(group, 64), g.mul(g.rem(g.warp, 4), 16)), g.div(g.lane, 4));
  Value column = g.mul(g.rem(g.lane, 4), 2);
  for (int64_t half = 0; half < 2; ++half) {
    rows.push_back({g.add(row, 8 * half), {}});
    for (int64_t j = 0; j < tile.n / 8; ++j)
      rows.back().runs.push_back({g.add(column, 8 * j), {4 * j + 2 * half, 4 * j + 2 * half + 1}});
  }
  return rows;
}

void WarpgroupEmitter::consume() {
  Value group = g.sub(g.div(g.warp, 4), g.i32(1));
  Value isFirst = g.equal(g.rem(g.thread, 128), 0);
  auto release = [&](Value stage, Value condition) {
    g.when(g.both(isFirst, condition), [&] { g.arrive(empty(stage)); });
  };
  forEachTile({g.i32(0), g.i32(0)}, [&](ResultTiles::Place place, ValueRange ring) {
    Value start = g.zeroSums(tile.n);
    Values carried = {start, ring[0], ring[1], g.i32(0)};
    Values results = g.loop(g.i32(0), g.i32(steps()), carried, [&](Value step, ValueRange inner) {
      Ring now = {inner[1], inner[2]};
      g.wait(full(now.stage), now.phase);
      Value sums = multiplyStage(inner[0], group, now.stage);
      g.waitProducts(1); // the products of the step before are done
      release(inner[3], g.compare(arith::CmpIPredicate::ne, step, g.i32(0)));
      Ring then = next(now);
      return Values{sums, then.stage, then.phase, now.stage};
    });
    g.waitProducts(0);
    release(results[3], Value());
    storeSums(g, tiles, place, epilogue, rows(group), g.unpack(results[0], tile.n));
    return Values{results[1], results[2]};
  });
}

void WarpgroupEmitter::emit() {
  g.when(g.equal(g.thread, 0), [&] {
    for (int64_t i = 0; i < tile.stages; ++i) {
      g.initBarrier(full(g.i32(i)), 1);
      g.initBarrier(empty(g.i32(i)), tile.consumers);
    }
    g.initializedBarriers();
  });
  g.barrier();
  bool setsRegisters = tile.consumers == 2;
  g.choose(
      g.less(g.warp, 4),
      [&] {
        if (setsRegisters)
          g.setRegisters(40, false);
        g.when(g.equal(g.warp, 0), [&] { g.when(g.elected(), [&] { produce(); }); });
        return Values();
      },
      [&] {
        if (setsRegisters)
          g.setRegisters(232, true);
        consume();
        return Values();
      });
}

//===----------------------------------------------------------------------===//
// Maps
//===----------------------------------------------------------------------===//

static bool isAligned(const ProductOperand &operand, Type type) {
  return operand.memory == type && operand.run * type.getIntOrFloatBitWidth() == 128;
}

/// Three channels may be read together with their neighbours in 16 bytes, and yet be no step of a map.
static bool canStep(const TensorMap &map) {
  return llvm::all_of(map.strides, [](int64_t bytes) { return bytes % 16 == 0; });
}

/// An operand that is a matrix, or as many as there are batches: two or three dimensions.
static LogicalResult mapOfMatrix(const ProductOperand &operand, int64_t batch, TensorMap &map, bool &hasBatch) {
  if (operand.outer.size() != 1 || operand.inner.size() != 1 || operand.batch.size() != 1 || !operand.windows.empty() ||
      operand.offset)
    return failure();
  const Digit &dense = operand.innerIsDense ? operand.inner[0] : operand.outer[0];
  const Digit &other = operand.innerIsDense ? operand.outer[0] : operand.inner[0];
  int64_t bytes = operand.memory.getIntOrFloatBitWidth() / 8;
  if (dense.stride != 1 || other.stride <= 0)
    return failure();
  map.argument = operand.argument;
  map.sizes = {dense.size, other.size};
  map.strides = {other.stride * bytes};
  hasBatch = batch > 1 && operand.batch[0].stride != 0;
  if (hasBatch) {
    map.sizes.push_back(batch);
    map.strides.push_back(operand.batch[0].stride * bytes);
  }
  return success();
}

static FailureOr<TensorCopies> copiesOf(const Contraction &c) {
  TensorCopies copies;
  copies.channels = c.k;
  copies.across = !c.right.innerIsDense;
  if (!c.left.innerIsDense || (copies.across && c.type.isF32()) ||
      failed(mapOfMatrix(c.left, c.batch, copies.left, copies.leftHasBatch)) ||
      failed(mapOfMatrix(c.right, c.batch, copies.right, copies.rightHasBatch)))
    return failure();
  return copies;
}

/// What the hardware has bits for: corners of windows and offsets in them, by number of spatial dimensions.
static bool fits(int64_t dims, int64_t lower, int64_t upper, int64_t offset, int64_t step) {
  int64_t corner = dims == 1 ? 1 << 15 : dims == 2 ? 1 << 7 : 1 << 4;
  return lower >= -corner && upper >= -corner && upper < corner && offset < 2 * corner && step <= 8;
}

static FailureOr<TensorCopies> copiesOf(const Contraction &c, ConvOp op) {
  FailureOr<Source> input = findSource(op.getInput());
  int64_t dims = input->shape.size() - 2, bytes = c.type.getIntOrFloatBitWidth() / 8, step = 128 / bytes;
  if (op.getDataLayout() != coat::DataLayout::channels_last || input->strides.back() != 1 || dims > 3)
    return failure();
  TensorCopies copies;
  copies.channels = input->shape.back() / op.getGroup();
  if (c.batch > 1 && copies.channels % step)
    return failure();
  copies.batchLeft = c.batch > 1 ? copies.channels : 0;
  TensorMap &left = copies.left;
  left.im2col = true;
  left.argument = c.left.argument;
  left.sizes = {input->shape.back()};
  left.elementStrides = {1};
  FailureOr<Source> filter = findSource(op.getFilter());
  int64_t filterStride = copies.channels; // taps follow each other, channels innermost
  for (int64_t i = dims - 1; i >= 0; --i) {
    int64_t taps = filter->shape[2 + i], dilation = op.getDilations()[i];
    int64_t lower = -op.getPads()[i], upper = op.getPads()[dims + i] - (taps - 1) * dilation;
    if (!fits(dims, lower, upper, (taps - 1) * dilation, op.getStrides()[i]))
      return failure();
    if (taps > 1 && filter->strides[2 + i] != filterStride)
      return failure();
    filterStride *= taps;
    left.sizes.push_back(input->shape[1 + i]);
    left.strides.push_back(input->strides[1 + i] * bytes);
    left.lower.push_back(lower);
    left.upper.push_back(upper);
    left.elementStrides.push_back(op.getStrides()[i]);
    copies.taps *= taps;
  }
  left.sizes.push_back(input->shape[0]);
  left.strides.push_back(input->strides[0] * bytes);
  left.elementStrides.push_back(1);
  for (int64_t i = 0; i < dims; ++i) {
    copies.window.push_back(filter->shape[2 + i]);
    copies.positions.push_back(cast<RankedTensorType>(op.getResult().getType()).getShape()[1 + i]);
    copies.steps.push_back(op.getStrides()[i]);
    copies.dilations.push_back(op.getDilations()[i]);
    copies.before.push_back(op.getPads()[i]);
  }
  if (filter->strides[1] != 1 && copies.channels > 1)
    return failure();
  TensorMap &right = copies.right;
  right.argument = c.right.argument;
  right.sizes = {copies.channels};
  if (copies.taps > 1) {
    right.sizes.push_back(copies.taps);
    right.strides.push_back(copies.channels * bytes);
  }
  right.sizes.push_back(filter->shape[0]);
  right.strides.push_back(filter->strides[0] * bytes);
  return copies;
}

static int64_t stagesOf(int64_t m, int64_t n, const GpuTarget &target) {
  return std::min<int64_t>(8, (target.sharedPerBlock - 1024) / ((m + n) * 128 + 16));
}

/// Fewest rounds of blocks, then the largest tile: a tile's time is that of its products or, small ones, of its copies.
static WarpgroupTile tileOf(const Contraction &c, const GpuTarget &target) {
  WarpgroupTile best = {};
  double least = 0;
  for (int64_t consumers : {2, 1})
    for (int64_t n : {256, 128, 64, 32}) {
      bool isAcross = !c.right.innerIsDense; // copied in boxes of 128 bytes of n
      if ((n > 32 && n / 2 >= c.n) || (n == 32 && isAcross))
        continue;
      int64_t m = 64 * consumers;
      double tiles = double(llvm::divideCeil(c.m, m)) * llvm::divideCeil(c.n, n) * c.batch;
      double rounds = std::ceil(tiles / target.processors);
      // Per step of 64 along k, in clocks: products at 4096 a clock, copies at 48 bytes a clock, and the latency of a
      // step.
      double step = std::max({double(m) * n * 64 / 4096, double(m + n) * 128 / 48, 90.0});
      double time = rounds * (step * llvm::divideCeil(c.k, 64) + m * n * 0.06 + 600);
      if (!best.n || time < least) {
        best = {consumers, n, stagesOf(m, n, target)};
        least = time;
      }
    }
  return best;
}

FailureOr<GpuKernel> coat::emitWarpgroupProduct(func::FuncOp kernel, const GpuTarget &target, const GpuOptions &options,
                                                gpu::GPUModuleOp into) {
  if (!target.wgmma)
    return failure();
  FailureOr<Contraction> c = findContraction(kernel);
  if (failed(c) || !Epilogue::covers(kernel, c->root, c->bias) || (c->type.isF32() && !options.tf32) || c->m < 64 ||
      c->n < 16 || !isAligned(c->left, c->type) || !isAligned(c->right, c->type))
    return failure();
  auto conv = dyn_cast<ConvOp>(c->root);
  FailureOr<TensorCopies> copies = copiesOf(*c);
  if (failed(copies) && conv)
    copies = copiesOf(*c, conv);
  if (failed(copies) || !canStep(copies->left) || !canStep(copies->right))
    return failure();
  WarpgroupTile tile = tileOf(*c, target);
  if (auto asked = kernel->getAttrOfType<DenseI64ArrayAttr>("coat.gpu_tile"); asked && asked.size() == 3)
    tile = {asked[0], asked[1], asked[2]};
  int64_t step = 128 / (c->type.getIntOrFloatBitWidth() / 8);
  TensorMap &left = copies->left, &right = copies->right;
  left.type = right.type = c->type;
  left.tf32 = right.tf32 = c->type.isF32();
  if (left.im2col) {
    left.channels = step;
    left.pixels = tile.m();
  } else {
    left.box = {step, tile.m()};
  }
  right.box = {step};
  if (copies->taps > 1)
    right.box.push_back(1);
  right.box.push_back(copies->across ? step : tile.n);
  for (TensorMap *map : {&left, &right})
    while (!map->im2col && map->box.size() < map->sizes.size())
      map->box.push_back(1);

  KernelFunction function(kernel, into, {left, right});
  WarpgroupBuilder g(function.builder, kernel.getLoc());
  Epilogue epilogue(g, kernel, c->root, c->bias, function.globalPointers(g));
  int64_t count = ResultTiles{*c, tile.m(), tile.n}.count(), blocks = std::min(count, target.processors);
  WarpgroupEmitter emitter(g, *c, *copies, tile, blocks, epilogue, function.mapArguments());
  emitter.emit();
  return function.finish(blocks, tile.threads(), emitter.sharedBytes());
}
