// Emitter of attention for any GPU, by warp matrices: a block has 64 or 128 queries of a head and goes through the keys
// in tiles; scores never leave the registers.
//
//   S = Q K^T (of a tile of keys)     K's next tile is on its way
//   P = softmax, online
//   O = O * scale + P V               V's next tile is on its way
//
// Products of f32 without --tf32 keep its precision: each number is the sum of two of tf32, and the three products that
// matter are summed up. Does not apply to: lengths, windows, caches (coat-expand-attention makes masks of them), heads
// of more than 256.
#include "Epilogue.h"
#include "FragmentSoftmax.h"
#include "KernelFunction.h"
#include "TileLoads.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace coat;

namespace {
/// How the work is cut: `tiles` fragments of 16 queries a warp, `keys` keys at a time.
struct AttentionTile {
  static constexpr int64_t warps = 4, threads = 32 * warps;
  int64_t tiles, keys, depth, width; // depth and width: of rows in shared memory, powers of two

  int64_t queries() const { return 16 * tiles * warps; }
};

class AttentionEmitter {
public:
  AttentionEmitter(GpuBuilder &g, const AttentionShape &shape, const AttentionTile &tile, bool tf32, Epilogue &epilogue,
                   ValueRange pointers)
      : g(g), shape(shape), tile(tile), isSplit(shape.type.isF32() && !tf32), epilogue(epilogue), pointers(pointers),
        queryTile{tile.queries(), tile.depth, shape.type}, keyTile{tile.keys, tile.depth, shape.type},
        valueTile{tile.keys, tile.width, shape.type}, inner(shape.type.isF32() ? 8 : 16) {}

  void emit();
  int64_t blocks() const { return shape.heads * llvm::divideCeil(shape.queries, tile.queries()); }
  int64_t sharedBytes() const { return queryTile.bytes() + 2 * (keyTile.bytes() + valueTile.bytes()); }

private:
  /// A fragment: words, and for split products the words of what they leave of f32.
  struct Fragment {
    Values high, low;
  };
  Fragment fragmentOf(ArrayRef<Value> words);
  void multiply(const Fragment &a, const Fragment &b, MutableArrayRef<Value> sums);
  Value at(const SharedTile &shared, Value start, Value row, int64_t constant, Value chunk);
  Fragment query(int64_t i, int64_t depth);
  SmallVector<Fragment> queries();
  Values scores(Value keyStart, ArrayRef<Fragment> kept);
  void addValues(ArrayRef<Value> weights, Value valueStart, MutableArrayRef<Value> sums);
  SmallVector<Fragment> valueFragments(Value start, int64_t key, int64_t column);
  void storeSums(ArrayRef<Value> sums, ArrayRef<Value> state, FragmentSoftmax &softmax);

  int64_t scoresPerTile() const { return tile.keys / 2; }
  int64_t columnTiles() const { return llvm::divideCeil(shape.width, 16) * 2; } // of 8
  int64_t sumsPerTile() const { return columnTiles() * 4; }
  int64_t depthSteps() const { return llvm::divideCeil(shape.depth, inner); }

  GpuBuilder &g;
  const AttentionShape &shape;
  const AttentionTile &tile;
  bool isSplit;
  Epilogue &epilogue;
  ValueRange pointers;
  SharedTile queryTile, keyTile, valueTile;
  int64_t inner;
  Value head, firstQuery, warpRow;
};
} // namespace

//===----------------------------------------------------------------------===//
// Fragments
//===----------------------------------------------------------------------===//

AttentionEmitter::Fragment AttentionEmitter::fragmentOf(ArrayRef<Value> words) {
  Fragment fragment;
  fragment.high.assign(words.begin(), words.end());
  if (!shape.type.isF32())
    return fragment;
  for (Value &word : fragment.high) {
    Value exact = g.bitcast(word, g.b.getF32Type());
    word = g.toTf32(word);
    if (isSplit) {
      Value rest = arith::SubFOp::create(g.b, g.loc, exact, g.bitcast(word, g.b.getF32Type()));
      fragment.low.push_back(g.toTf32(g.bitcast(rest, g.b.getI32Type())));
    }
  }
  return fragment;
}

void AttentionEmitter::multiply(const Fragment &a, const Fragment &b, MutableArrayRef<Value> sums) {
  if (isSplit) {
    llvm::copy(g.multiply(a.low, b.high, sums, shape.type), sums.begin());
    llvm::copy(g.multiply(a.high, b.low, sums, shape.type), sums.begin());
  }
  llvm::copy(g.multiply(a.high, b.high, sums, shape.type), sums.begin());
}

Value AttentionEmitter::at(const SharedTile &shared, Value start, Value row, int64_t constant, Value chunk) {
  Value place = g.sharedAt(g.add(start, shared.placeOf(g, row, chunk)));
  return constant ? g.step(place, g.i32(constant * shared.rowBytes()), g.b.getI8Type()) : place;
}

AttentionEmitter::Fragment AttentionEmitter::query(int64_t i, int64_t depth) {
  Value row = g.add(warpRow, g.rem(g.lane, 16));
  Value chunk = g.add(g.div(g.lane, 16), depth / queryTile.perChunk());
  return fragmentOf(g.loadMatrices(at(queryTile, g.i32(0), row, 16 * i, chunk), 4, false));
}

/// All fragments of queries where registers hold them; empty: they are read once a tile of keys.
SmallVector<AttentionEmitter::Fragment> AttentionEmitter::queries() {
  SmallVector<Fragment> kept;
  if (shape.type.isF32() || depthSteps() * tile.tiles > 8)
    return kept;
  for (int64_t i = 0; i < tile.tiles; ++i)
    for (int64_t step = 0; step < depthSteps(); ++step)
      kept.push_back(query(i, step * inner));
  return kept;
}

Values AttentionEmitter::scores(Value keyStart, ArrayRef<Fragment> kept) {
  Values sums(tile.tiles * scoresPerTile(), g.f32(0));
  for (int64_t step = 0; step < depthSteps(); ++step) {
    SmallVector<Fragment> rows;
    for (int64_t i = 0; i < tile.tiles; ++i)
      rows.push_back(kept.empty() ? query(i, step * inner) : kept[i * depthSteps() + step]);
    for (int64_t key = 0; key < tile.keys; key += 16) {
      Value row = g.add(g.rem(g.lane, 8), g.mul(g.div(g.lane, 16), 8));
      Value chunk = g.add(g.rem(g.div(g.lane, 8), 2), step * inner / keyTile.perChunk());
      Values words = g.loadMatrices(at(keyTile, keyStart, row, key, chunk), 4, false);
      for (int64_t half = 0; half < 2; ++half) {
        Fragment columns = fragmentOf(ArrayRef<Value>(words).slice(2 * half, 2));
        for (int64_t i = 0; i < tile.tiles; ++i)
          multiply(rows[i], columns, MutableArrayRef<Value>(sums).slice(i * scoresPerTile() + (key / 8 + half) * 4, 4));
      }
    }
  }
  return sums;
}

/// Values of the keys `key` .. + inner: two fragments of 8 columns from `column` on.
SmallVector<AttentionEmitter::Fragment> AttentionEmitter::valueFragments(Value start, int64_t key, int64_t column) {
  if (!shape.type.isF32()) {
    Value chunk = g.add(g.div(g.lane, 16), column / valueTile.perChunk());
    Values words = g.loadMatrices(at(valueTile, start, g.rem(g.lane, 16), key, chunk), 4, true);
    return {fragmentOf(ArrayRef<Value>(words).take_front(2)), fragmentOf(ArrayRef<Value>(words).take_back(2))};
  }
  // Weights stay where scores were: a lane has keys 2 t and 2 t + 1 where an operand of tf32 has t and t + 4.
  SmallVector<Fragment> fragments;
  for (int64_t half = 0; half < 2; ++half) {
    Values words;
    for (int64_t next = 0; next < 2; ++next) {
      Value row = g.add(g.mul(g.rem(g.lane, 4), 2), next), along = g.add(g.div(g.lane, 4), column + 8 * half);
      Value place = at(valueTile, start, row, key, g.div(along, 4));
      words.push_back(g.load(g.b.getI32Type(), g.step(place, g.rem(along, 4), g.b.getI32Type()), 4));
    }
    fragments.push_back(fragmentOf(words));
  }
  return fragments;
}

void AttentionEmitter::addValues(ArrayRef<Value> weights, Value valueStart, MutableArrayRef<Value> sums) {
  for (int64_t key = 0; key < tile.keys; key += inner) {
    SmallVector<Fragment> rows;
    for (int64_t i = 0; i < tile.tiles; ++i) {
      ArrayRef<Value> w = weights.slice(i * scoresPerTile() + key / 2, inner / 2);
      if (shape.type.isF32()) {
        Type word = g.b.getI32Type();
        rows.push_back(
            fragmentOf({g.bitcast(w[0], word), g.bitcast(w[2], word), g.bitcast(w[1], word), g.bitcast(w[3], word)}));
        continue;
      }
      Values words;
      for (int64_t pair = 0; pair < 4; ++pair)
        words.push_back(g.pack(w[2 * pair], w[2 * pair + 1], shape.type));
      rows.push_back(fragmentOf(words));
    }
    for (int64_t j = 0; j < columnTiles(); j += 2)
      for (auto [half, columns] : llvm::enumerate(valueFragments(valueStart, key, 8 * j)))
        for (int64_t i = 0; i < tile.tiles; ++i)
          multiply(rows[i], columns, sums.slice(i * sumsPerTile() + (j + half) * 4, 4));
  }
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

void AttentionEmitter::storeSums(ArrayRef<Value> sums, ArrayRef<Value> state, FragmentSoftmax &softmax) {
  bool aligned = shape.width % 2 == 0;
  for (int64_t i = 0; i < tile.tiles; ++i) {
    Values inverse = softmax.inverseSums(state.slice(i * FragmentSoftmax::stateSize, FragmentSoftmax::stateSize));
    for (int64_t half = 0; half < 2; ++half) {
      Value query = g.add(g.add(g.add(firstQuery, warpRow), g.div(g.lane, 4)), 16 * i + 8 * half);
      Value inside = shape.queries % tile.queries() ? g.less(query, shape.queries) : Value();
      g.when(inside, [&] {
        Value row = g.add(g.mul(head, shape.queries), query);
        for (int64_t j = 0; j < columnTiles(); ++j)
          for (int64_t piece = 0; piece < (aligned ? 1 : 2); ++piece) {
            Value column = g.add(g.mul(g.rem(g.lane, 4), 2), 8 * j + piece);
            Values values;
            for (int64_t next = 0; next < (aligned ? 2 : 1); ++next)
              values.push_back(arith::MulFOp::create(
                  g.b, g.loc, sums[i * sumsPerTile() + 4 * j + 2 * half + piece + next], inverse[half]));
            g.when(shape.width % 16 ? g.less(column, shape.width) : Value(),
                   [&] { epilogue.store(row, column, values, aligned); });
          }
      });
    }
  }
}

void AttentionEmitter::emit() {
  int64_t queryTiles = llvm::divideCeil(shape.queries, tile.queries());
  head = g.div(g.block, queryTiles);
  Value number = g.rem(g.block, queryTiles);
  // Causal: the last queries see most keys, and begin first.
  firstQuery = g.mul(shape.causal ? g.sub(g.i32(queryTiles - 1), number) : number, tile.queries());
  warpRow = g.mul(g.warp, 16 * tile.tiles);
  int64_t perBatch = shape.headsPerBatch, sharing = perBatch / shape.keyHeads;
  // Query heads that follow each other share a key head; batches have whole numbers of both.
  Value keyHead = g.div(head, sharing);
  auto keyLoader = [&](const ProductOperand &operand, int64_t columns, int64_t size) {
    return TileLoader(g, operand, shape.type, pointers[operand.argument], keyHead, g.i32(0), columns, tile.keys, size,
                      shape.keys, tile.threads);
  };
  TileLoader queryLoader(g, shape.query, shape.type, pointers[shape.query.argument], head, firstQuery, tile.queries(),
                         tile.depth, shape.queries, shape.depth, tile.threads);
  TileLoader keyLoads = keyLoader(shape.key, tile.depth, shape.depth),
             valueLoads = keyLoader(shape.value, tile.width, shape.width);
  int64_t keyBase = queryTile.bytes(), valueBase = keyBase + 2 * keyTile.bytes();
  auto placeOf = [&](Value number, int64_t base, const SharedTile &shared) {
    return g.add(g.mul(g.rem(number, 2), shared.bytes()), base);
  };
  auto load = [&](TileLoader &loader, Value number, Value count, int64_t base, const SharedTile &shared) {
    g.when(g.less(number, count), [&] { loader.load(g.mul(number, tile.keys), placeOf(number, base, shared)); });
    g.commitCopies();
  };

  FragmentSoftmax softmax(g, shape, tile.keys, shape.mask ? pointers[shape.mask->argument] : Value());
  Value count = softmax.visibleTiles(firstQuery, tile.queries());
  queryLoader.load(g.i32(0), g.i32(0));
  load(keyLoads, g.i32(0), count, keyBase, keyTile);
  SmallVector<FragmentSoftmax::Rows> rows;
  for (int64_t i = 0; i < tile.tiles; ++i)
    rows.push_back(softmax.rowsOf(head, g.add(g.add(firstQuery, warpRow), 16 * i)));
  g.waitCopies(0);
  g.barrier();
  load(valueLoads, g.i32(0), count, valueBase, valueTile);
  SmallVector<Fragment> kept = queries();

  Values carried(tile.tiles * sumsPerTile(), g.f32(0));
  for (int64_t i = 0; i < tile.tiles; ++i)
    llvm::append_range(carried, softmax.start());
  Values results = g.loop(g.i32(0), count, carried, [&](Value number, ValueRange inside) {
    Values sums(inside.take_front(tile.tiles * sumsPerTile())), state(inside.drop_front(sums.size()));
    Value next = g.add(number, 1), firstKey = g.mul(number, tile.keys);
    g.waitCopies(1); // this tile's keys are there, its values may be on their way
    g.barrier();
    load(keyLoads, next, count, keyBase, keyTile);
    Values weights = scores(placeOf(number, keyBase, keyTile), kept);
    for (int64_t i = 0; i < tile.tiles; ++i) {
      auto part = MutableArrayRef<Value>(weights).slice(i * scoresPerTile(), scoresPerTile());
      Value first = g.add(g.add(firstQuery, warpRow), 16 * i);
      Values scales = softmax.apply(
          part, rows[i], firstKey, softmax.hides(first, firstKey),
          MutableArrayRef<Value>(state).slice(i * FragmentSoftmax::stateSize, FragmentSoftmax::stateSize));
      for (int64_t j = 0; j < sumsPerTile(); ++j) {
        Value &sum = sums[i * sumsPerTile() + j];
        sum = arith::MulFOp::create(g.b, g.loc, sum, scales[j / 2 % 2]);
      }
    }
    g.waitCopies(1); // its values
    g.barrier();
    load(valueLoads, next, count, valueBase, valueTile);
    addValues(weights, placeOf(number, valueBase, valueTile), sums);
    llvm::append_range(sums, state);
    return sums;
  });
  storeSums(ArrayRef<Value>(results).take_front(tile.tiles * sumsPerTile()),
            ArrayRef<Value>(results).drop_front(tile.tiles * sumsPerTile()), softmax);
  g.waitCopies(0); // nothing is pending but empty groups
}

static AttentionTile tileOf(const AttentionShape &shape, const GpuTarget &target) {
  int64_t bytes = shape.type.getIntOrFloatBitWidth() / 8, largest = std::max(shape.depth, shape.width);
  auto columns = [&](int64_t size) { return std::max<int64_t>(llvm::PowerOf2Ceil(size), 32 / bytes * 2); };
  AttentionTile tile = {1, 64, columns(shape.depth), columns(shape.width)};
  if (bytes == 4 || largest > 128)
    tile.keys = largest > 128 && bytes == 4 ? 16 : 32;
  else if (largest <= 64 && !shape.mask && shape.heads * llvm::divideCeil(shape.queries, 128) >= target.processors)
    tile.tiles = 2;
  return tile;
}

FailureOr<GpuKernel> coat::emitAttention(func::FuncOp kernel, const GpuTarget &target, const GpuOptions &options,
                                         gpu::GPUModuleOp into) {
  FailureOr<AttentionShape> shape = findAttention(kernel);
  if (failed(shape) || !Epilogue::covers(kernel, shape->op, Value()) || target.capability < 80 || shape->depth > 256 ||
      shape->width > 256)
    return failure();
  AttentionTile tile = tileOf(*shape, target);
  KernelFunction function(kernel, into);
  GpuBuilder g(function.builder, kernel.getLoc());
  Values pointers = function.globalPointers(g);
  Epilogue epilogue(g, kernel, shape->op, Value(), pointers);
  AttentionEmitter emitter(g, *shape, tile, options.tf32, epilogue, pointers);
  if (emitter.sharedBytes() > target.sharedPerBlock)
    return function.giveUp();
  emitter.emit();
  return function.finish(emitter.blocks(), tile.threads, emitter.sharedBytes());
}
