// Emitter of attention for sm_90a: one thread copies queries, keys and values by TMA, two warpgroups have 64 queries
// each.
//
//   S = Q K_0^T; P = softmax(S)
//   for each further tile j: start S = Q K_j^T; start O += P V_(j - 1); wait for S; P = softmax(S); wait for O; O *=
//   scale O += P V_last
//
// so that the exponentials of a tile are computed while tensor cores add up the values of the one before
// (FlashAttention-3). Weights are multiplied from registers. Does not apply to: f32, strides that are not multiples of
// 16 bytes, heads of more than 256, at most 64 queries or 128 keys; those have emitAttention.
#include "Epilogue.h"
#include "FragmentSoftmax.h"
#include "KernelFunction.h"

using namespace mlir;
using namespace coat;

namespace {
struct WarpgroupAttentionTile {
  static constexpr int64_t consumers = 2, stages = 2, queries = 64 * consumers, threads = 128 * (consumers + 1);
  int64_t keys, depthBlocks, widthBlocks, width; // blocks of 64 elements; width: of the product, a multiple of 16
};

class WarpgroupAttentionEmitter {
public:
  WarpgroupAttentionEmitter(WarpgroupBuilder &g, const AttentionShape &shape, const WarpgroupAttentionTile &tile,
                            Epilogue &epilogue, ValueRange pointers, ValueRange maps)
      : g(g), shape(shape), tile(tile), epilogue(epilogue), queryMap(maps[0]), keyMap(maps[1]), valueMap(maps[2]),
        softmax(g, shape, tile.keys, shape.mask ? pointers[shape.mask->argument] : Value()) {}

  void emit();
  int64_t blocks() const { return shape.heads * llvm::divideCeil(shape.queries, tile.queries); }
  int64_t sharedBytes() const { return barrierBase() + 8 + 32 * tile.stages; }

private:
  static constexpr int64_t rowBytes = 128; // a tile is blocks of 64 elements, each of them rows of 128 bytes
  int64_t keyBase() const { return tile.depthBlocks * tile.queries * rowBytes; }
  int64_t keyBytes() const { return tile.depthBlocks * tile.keys * rowBytes; }
  int64_t valueBase() const { return keyBase() + tile.stages * keyBytes(); }
  int64_t valueBytes() const { return tile.widthBlocks * tile.keys * rowBytes; }
  int64_t barrierBase() const { return valueBase() + tile.stages * valueBytes(); }
  Value queriesFull() { return g.i32(barrierBase()); }
  /// Barriers of a tile's stage: which of keys full, keys empty, values full, values empty.
  enum { keysFull, keysEmpty, valuesFull, valuesEmpty };
  Value barrier(int64_t which, Value number) {
    return g.add(g.mul(g.rem(number, tile.stages), 8), barrierBase() + 8 + 8 * tile.stages * which);
  }
  Value phase(Value number) { return g.rem(g.div(number, tile.stages), 2); }
  void release(int64_t which, Value number) {
    g.when(isFirst, [&] { g.arrive(barrier(which, number)); });
  }

  void produce();
  void copyBlocks(Value map, Value place, int64_t blocks, int64_t rows, Value full, Value first, Value inner);
  void consume();
  Value startScores(Value number);
  Value startValues(ArrayRef<Value> weights, Value number, Value sums);
  /// Weights of the tile, packed in pairs; appends what earlier sums are multiplied by.
  Values weightsOf(Value scores, Value number, MutableArrayRef<Value> state, Values &scales);
  void storeSums(Value sums, ArrayRef<Value> state);

  WarpgroupBuilder &g;
  const AttentionShape &shape;
  const WarpgroupAttentionTile &tile;
  Epilogue &epilogue;
  Value queryMap, keyMap, valueMap;
  FragmentSoftmax softmax;
  Value head, firstQuery, count, group, isFirst, firstRow;
  FragmentSoftmax::Rows rows;
};
} // namespace

//===----------------------------------------------------------------------===//
// The producer
//===----------------------------------------------------------------------===//

void WarpgroupAttentionEmitter::copyBlocks(Value map, Value place, int64_t blocks, int64_t rowCount, Value full,
                                           Value first, Value inner) {
  Value batch = g.div(head, shape.headsPerBatch);
  for (int64_t i = 0; i < blocks; ++i)
    g.copyBox(g.add(place, i * rowCount * rowBytes), map, full, {g.i32(64 * i), first, inner, batch});
}

void WarpgroupAttentionEmitter::produce() {
  Value inner = g.rem(head, shape.headsPerBatch), keyHead = g.div(inner, shape.headsPerBatch / shape.keyHeads);
  g.expectBytes(queriesFull(), keyBase());
  copyBlocks(queryMap, g.i32(0), tile.depthBlocks, tile.queries, queriesFull(), firstQuery, inner);
  g.loop(g.i32(0), count, {}, [&](Value number, ValueRange) {
    Value first = g.mul(number, tile.keys), stage = g.rem(number, tile.stages);
    Value parity = g.bitXor(phase(number), g.i32(1));
    auto copy = [&](int64_t empty, int64_t full, Value map, int64_t base, int64_t bytes, int64_t blocks) {
      g.wait(barrier(empty, number), parity);
      g.expectBytes(barrier(full, number), bytes);
      copyBlocks(map, g.add(g.mul(stage, bytes), base), blocks, tile.keys, barrier(full, number), first, keyHead);
    };
    copy(keysEmpty, keysFull, keyMap, keyBase(), keyBytes(), tile.depthBlocks);
    copy(valuesEmpty, valuesFull, valueMap, valueBase(), valueBytes(), tile.widthBlocks);
    return Values();
  });
}

//===----------------------------------------------------------------------===//
// The consumers
//===----------------------------------------------------------------------===//

Value WarpgroupAttentionEmitter::startScores(Value number) {
  g.wait(barrier(keysFull, number), phase(number));
  Value base = g.sharedBytes();
  Value left = g.descriptor(g.add(base, g.mul(group, 64 * rowBytes)), 16, 8 * rowBytes);
  Value keys = g.add(g.mul(g.rem(number, tile.stages), keyBytes()), keyBase());
  Value right = g.descriptor(g.add(base, keys), 16, 8 * rowBytes), scores = g.zeroSums(tile.keys);
  for (int64_t i = 0, steps = llvm::divideCeil(shape.depth, 16); i < steps; ++i) {
    int64_t block = i / 4, within = i % 4 * 32;
    scores = g.multiplyTiles(g.advance(left, block * tile.queries * rowBytes + within),
                             g.advance(right, block * tile.keys * rowBytes + within), scores, tile.keys, shape.type,
                             /*across=*/false, /*fromZero=*/i == 0);
  }
  g.commitProducts();
  return scores;
}

Value WarpgroupAttentionEmitter::startValues(ArrayRef<Value> weights, Value number, Value sums) {
  g.wait(barrier(valuesFull, number), phase(number));
  Value values = g.add(g.mul(g.rem(number, tile.stages), valueBytes()), valueBase());
  Value right = g.descriptor(g.add(g.sharedBytes(), values), tile.keys * rowBytes, 8 * rowBytes);
  for (int64_t key = 0; key < tile.keys; key += 16)
    sums = g.multiplyFragment(weights.slice(key / 4, 4), g.advance(right, key * rowBytes), sums, tile.width, shape.type,
                              /*across=*/true);
  g.commitProducts();
  return sums;
}

Values WarpgroupAttentionEmitter::weightsOf(Value scores, Value number, MutableArrayRef<Value> state, Values &scales) {
  Values values = g.unpack(scores, tile.keys), packed;
  Value firstKey = g.mul(number, tile.keys);
  // Without a branch: ptxas would wait for all products where threads may part.
  Value hides = softmax.hides(firstRow, firstKey) ? g.truth(true) : Value();
  scales = softmax.apply(values, rows, firstKey, hides, state);
  for (size_t i = 0; i < values.size(); i += 2)
    packed.push_back(g.pack(values[i], values[i + 1], shape.type));
  return packed;
}

void WarpgroupAttentionEmitter::storeSums(Value packed, ArrayRef<Value> state) {
  Values inverse = softmax.inverseSums(state), sums = g.unpack(packed, tile.width);
  bool aligned = shape.width % 2 == 0;
  int64_t length = aligned ? 2 : 1;
  for (int64_t half = 0; half < 2; ++half) {
    Value query = g.add(g.add(firstRow, g.div(g.lane, 4)), 8 * half);
    Value inside = shape.queries % tile.queries ? g.less(query, shape.queries) : Value();
    g.when(inside, [&] {
      Value row = g.add(g.mul(head, shape.queries), query);
      for (int64_t j = 0; j < tile.width / 8; ++j)
        for (int64_t piece = 0; piece < 2; piece += length) {
          Value column = g.add(g.mul(g.rem(g.lane, 4), 2), 8 * j + piece);
          Values values;
          for (int64_t next = 0; next < length; ++next)
            values.push_back(arith::MulFOp::create(g.b, g.loc, sums[4 * j + 2 * half + piece + next], inverse[half]));
          g.when(shape.width % 16 ? g.less(column, shape.width) : Value(),
                 [&] { epilogue.store(row, column, values, aligned); });
        }
    });
  }
}

void WarpgroupAttentionEmitter::consume() {
  g.wait(queriesFull(), g.i32(0));
  g.beginProducts();
  Value scores = startScores(g.i32(0));
  g.waitProducts(0);
  release(keysEmpty, g.i32(0));
  Values state = softmax.start(), scales;
  Values weights = weightsOf(scores, g.i32(0), state, scales);

  int64_t stateSize = FragmentSoftmax::stateSize;
  Values carried = {g.zeroSums(tile.width)};
  llvm::append_range(carried, state);
  llvm::append_range(carried, weights);
  Values results = g.loop(g.i32(1), count, carried, [&](Value number, ValueRange inside) {
    Values state(inside.slice(1, stateSize)), scales, weights(inside.drop_front(1 + stateSize));
    Value before = g.sub(number, g.i32(1));
    g.beginProducts();
    Value scores = startScores(number);
    Value sums = startValues(weights, before, inside.front());
    g.waitProducts(1);
    release(keysEmpty, number);
    Values next = weightsOf(scores, number, state, scales);
    g.waitProducts(0);
    release(valuesEmpty, before);
    Values scaled = g.unpack(sums, tile.width);
    for (auto [i, sum] : llvm::enumerate(scaled))
      sum = arith::MulFOp::create(g.b, g.loc, sum, scales[i / 2 % 2]);
    Values yielded = {g.repack(scaled)};
    llvm::append_range(yielded, state);
    llvm::append_range(yielded, next);
    return yielded;
  });
  g.beginProducts();
  Value sums = startValues(ArrayRef<Value>(results).drop_front(1 + stateSize), g.sub(count, g.i32(1)), results.front());
  g.waitProducts(0);
  storeSums(sums, ArrayRef<Value>(results).slice(1, stateSize));
}

void WarpgroupAttentionEmitter::emit() {
  int64_t queryTiles = llvm::divideCeil(shape.queries, tile.queries);
  head = g.div(g.block, queryTiles);
  Value number = g.rem(g.block, queryTiles);
  // Causal: the last queries see most keys, and begin first.
  firstQuery = g.mul(shape.causal ? g.sub(g.i32(queryTiles - 1), number) : number, tile.queries);
  count = g.b.createOrFold<arith::MaxSIOp>(g.loc, softmax.visibleTiles(firstQuery, tile.queries), g.i32(1));
  g.when(g.equal(g.thread, 0), [&] {
    g.initBarrier(queriesFull(), 1);
    for (int64_t stage = 0; stage < tile.stages; ++stage)
      for (int64_t which : {keysFull, keysEmpty, valuesFull, valuesEmpty})
        g.initBarrier(barrier(which, g.i32(stage)), which == keysFull || which == valuesFull ? 1 : tile.consumers);
    g.initializedBarriers();
  });
  g.barrier();
  g.choose(
      g.less(g.warp, 4),
      [&] {
        g.setRegisters(24, false);
        g.when(g.equal(g.warp, 0), [&] { g.when(g.elected(), [&] { produce(); }); });
        return Values();
      },
      [&] {
        g.setRegisters(240, true);
        group = g.sub(g.div(g.warp, 4), g.i32(1));
        isFirst = g.equal(g.rem(g.thread, 128), 0);
        firstRow = g.add(g.add(firstQuery, g.mul(group, 64)), g.mul(g.rem(g.warp, 4), 16));
        rows = softmax.rowsOf(head, firstRow);
        consume();
        return Values();
      });
}

/// Boxes of 64 elements by `rows` of a [B, H, S, D] tensor.
static FailureOr<TensorMap> mapOf(Value tensor, const ProductOperand &operand, Type type, int64_t rows) {
  FailureOr<Source> source = findSource(tensor);
  if (operand.memory != type || operand.run * type.getIntOrFloatBitWidth() != 128 || source->strides[3] != 1)
    return failure();
  TensorMap map;
  map.argument = operand.argument;
  map.type = type;
  for (int64_t dim : {3, 2, 1, 0}) {
    map.sizes.push_back(source->shape[dim]);
    if (dim < 3)
      map.strides.push_back(source->shape[dim] == 1 ? 16 : source->strides[dim] * 2);
  }
  if (llvm::any_of(map.strides, [](int64_t stride) { return stride <= 0; }))
    return failure();
  map.box = {64, rows, 1, 1};
  return map;
}

FailureOr<GpuKernel> coat::emitWarpgroupAttention(func::FuncOp kernel, const GpuTarget &target, const GpuOptions &,
                                                  gpu::GPUModuleOp into) {
  if (!target.wgmma)
    return failure();
  FailureOr<AttentionShape> shape = findAttention(kernel);
  if (failed(shape) || shape->type.isF32() || !Epilogue::covers(kernel, shape->op, Value()) || shape->depth > 256 ||
      shape->width > 256 || shape->queries <= 64 || shape->keys <= 128)
    return failure();
  int64_t largest = std::max(shape->depth, shape->width);
  WarpgroupAttentionTile tile;
  // Three tiles at least: with fewer the loop is straight code, in which ptxas keeps no products under way (C7520).
  tile.keys = largest > 128 || shape->keys <= 256 ? 64 : 128;
  tile.depthBlocks = llvm::divideCeil(shape->depth, 64);
  tile.widthBlocks = llvm::divideCeil(shape->width, 64);
  tile.width = llvm::alignTo(shape->width, 16);
  std::vector<TensorMap> maps;
  std::tuple<Value, const ProductOperand *, int64_t> operands[] = {{shape->op.getQuery(), &shape->query, tile.queries},
                                                                   {shape->op.getKey(), &shape->key, tile.keys},
                                                                   {shape->op.getValue(), &shape->value, tile.keys}};
  for (auto [tensor, operand, rows] : operands) {
    FailureOr<TensorMap> map = mapOf(tensor, *operand, shape->type, rows);
    if (failed(map))
      return failure();
    maps.push_back(*map);
  }
  KernelFunction function(kernel, into, maps);
  WarpgroupBuilder g(function.builder, kernel.getLoc());
  Values pointers = function.globalPointers(g);
  Epilogue epilogue(g, kernel, shape->op, Value(), pointers);
  WarpgroupAttentionEmitter emitter(g, *shape, tile, epilogue, pointers, function.mapArguments());
  emitter.emit();
  return function.finish(emitter.blocks(), tile.threads, emitter.sharedBytes());
}
