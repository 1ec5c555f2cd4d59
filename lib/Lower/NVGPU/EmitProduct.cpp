// Emitter of matrix products and convolutions for any GPU: tiles of both operands go to shared memory by cp.async
// several stages ahead, warps multiply them (tensor cores, or multiply-adds for f32), and the epilogue is computed on
// the sums.
//
//   load tiles 0 .. stages - 2
//   for each tile along k: wait for it; all threads meet; start loading the tile stages - 1 ahead; multiply
//   add up the slices; epilogue; store
//
// Does not apply to: depthwise convolutions (no reuse to speak of), packed weights, channels-first data, element types
// other than f32, f16 and bf16.
#include "KernelFunction.h"
#include "ResultTiles.h"
#include "TileProduct.h"
#include "coat/Dialect/Coat.h"

using namespace mlir;
using namespace coat;

namespace {
class ProductEmitter {
public:
  ProductEmitter(GpuBuilder &g, const Contraction &c, const BlockTile &block, bool tf32, Epilogue &epilogue,
                 ValueRange pointers)
      : g(g), c(c), block(block), tiles{c, block.m, block.n}, tf32(tf32), epilogue(epilogue), pointers(pointers) {}

  void emit();
  int64_t blocks() const { return tiles.count(); }

private:
  int64_t steps() const { return llvm::divideCeil(c.k, block.k); }

  Values mainLoop(TileProduct &product, TileLoader &left, TileLoader &right);
  Values addSlices(TileProduct &product, Values sums);

  GpuBuilder &g;
  const Contraction &c;
  const BlockTile &block;
  ResultTiles tiles;
  bool tf32;
  Epilogue &epilogue;
  ValueRange pointers;
  int64_t leftBytes = 0, rightBytes = 0;
};
} // namespace

Values ProductEmitter::mainLoop(TileProduct &product, TileLoader &left, TileLoader &right) {
  int64_t stages = block.stages, rightStart = stages * leftBytes;
  auto load = [&](Value step, Value stage) {
    Value first = g.mul(step, block.k);
    left.load(first, g.mul(stage, leftBytes));
    right.load(first, g.add(g.mul(stage, rightBytes), rightStart));
  };
  for (int64_t i = 0; i + 1 < stages; ++i) {
    if (i < steps())
      load(g.i32(i), g.i32(i));
    g.commitCopies();
  }
  auto next = [&](Value stage) { return g.select(g.equal(stage, stages - 1), g.i32(0), g.add(stage, 1)); };
  Values carried(product.sums(), g.f32(0));
  carried.push_back(g.i32(0));          // the stage that is read
  carried.push_back(g.i32(stages - 1)); // the stage that is filled
  Values results = g.loop(g.i32(0), g.i32(steps()), carried, [&](Value step, ValueRange inner) {
    Value read = inner[inner.size() - 2], fill = inner.back();
    g.waitCopies(stages - 2);
    g.barrier();
    Value ahead = g.add(step, stages - 1);
    g.when(g.less(ahead, steps()), [&] { load(ahead, fill); });
    g.commitCopies();
    Values sums = product.accumulate(Values(inner.drop_back(2)), g.mul(read, leftBytes),
                                     g.add(g.mul(read, rightBytes), rightStart));
    sums.push_back(next(read));
    sums.push_back(next(fill));
    return sums;
  });
  results.truncate(product.sums());
  return results;
}

/// Sums of the other slices go through shared memory to the warps of the first.
Values ProductEmitter::addSlices(TileProduct &product, Values sums) {
  int64_t threads = block.threads() / block.slices, perSlice = threads * product.sums();
  Type f32 = g.b.getF32Type();
  Value own = g.sub(g.thread, g.mul(product.slice(), threads));
  g.waitCopies(0);
  g.barrier();
  auto placeOf = [&](Value slice, int64_t i) {
    return g.step(g.shared, g.add(g.add(g.mul(slice, perSlice), own), i * threads), f32);
  };
  Value isFirst = g.equal(product.slice(), 0);
  g.when(g.compare(arith::CmpIPredicate::ne, product.slice(), g.i32(0)), [&] {
    for (auto [i, sum] : llvm::enumerate(sums))
      g.store(sum, placeOf(g.sub(product.slice(), g.i32(1)), i), 4);
  });
  g.barrier();
  return g.choose(
      isFirst,
      [&] {
        Values totals(sums);
        for (int64_t slice = 0; slice + 1 < block.slices; ++slice)
          for (auto [i, total] : llvm::enumerate(totals))
            total = arith::AddFOp::create(g.b, g.loc, total, g.load(f32, placeOf(g.i32(slice), i), 4));
        return totals;
      },
      [&] { return sums; });
}

void ProductEmitter::emit() {
  ResultTiles::Place place = tiles.placeOf(g, g.block);
  auto loader = [&](const ProductOperand &operand, Value first, int64_t tile, int64_t size) {
    return TileLoader(g, operand, c.type, pointers[operand.argument], place.batch, first, tile, block.k, size, c.k,
                      block.threads());
  };
  TileLoader left = loader(c.left, place.m, block.m, c.m), right = loader(c.right, place.n, block.n, c.n);
  SharedTile leftTile = TileLoader::tileOf(c.left, c.type, block.m, block.k);
  SharedTile rightTile = TileLoader::tileOf(c.right, c.type, block.n, block.k);
  leftBytes = leftTile.bytes();
  rightBytes = rightTile.bytes();
  auto product =
      createTileProduct(g, c.type, tf32, block, {leftTile, c.left.innerIsDense}, {rightTile, c.right.innerIsDense});
  Values sums = mainLoop(*product, left, right);
  auto store = [&] { storeSums(g, tiles, place, epilogue, product->rows(), sums); };
  if (block.slices > 1) {
    sums = addSlices(*product, sums);
    g.when(g.equal(product->slice(), 0), store);
    return;
  }
  store();
  // Nothing is pending but empty groups. Only here: multiplications would move behind a wait, and what they read would
  // not.
  g.waitCopies(0);
}

FailureOr<GpuKernel> coat::emitProduct(func::FuncOp kernel, const GpuTarget &target, const GpuOptions &options,
                                       gpu::GPUModuleOp into) {
  FailureOr<Contraction> c = findContraction(kernel);
  if (failed(c) || !Epilogue::covers(kernel, c->root, c->bias) || target.capability < 80)
    return failure();
  // A row or two are a reduction a column, which emitRows computes.
  if (c->type.isF32() && !options.tf32 && c->m < 4)
    return failure();
  // A depthwise convolution has one column a group.
  if (isa<ConvOp>(c->root) && c->batch > 1 && c->n < 8)
    return failure();
  bool matrices = !c->type.isF32() || options.tf32;
  ProductShape shape = {c->batch,
                        c->m,
                        c->n,
                        c->k,
                        c->type.getIntOrFloatBitWidth() / 8,
                        matrices,
                        TileLoader::unitOf(c->left, c->type),
                        TileLoader::unitOf(c->right, c->type)};
  BlockTile block = chooseBlockTile(shape, target);
  if (auto asked = kernel->getAttrOfType<DenseI64ArrayAttr>("coat.gpu_tile"); asked && asked.size() == 7)
    block = {asked[0], asked[1], asked[2], asked[3], asked[4], asked[5], asked[6]};
  KernelFunction function(kernel, into);
  GpuBuilder g(function.builder, kernel.getLoc());
  Values pointers = function.globalPointers(g);
  Epilogue epilogue(g, kernel, c->root, c->bias, pointers);
  ProductEmitter emitter(g, *c, block, options.tf32, epilogue, pointers);
  emitter.emit();
  return function.finish(emitter.blocks(), block.threads(), sharedBytes(block, shape.bytes));
}
