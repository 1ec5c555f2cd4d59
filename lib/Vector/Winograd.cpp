// The two halves of a Winograd convolution, of the size of a task.
//
//   winograd_input: for each block of 16 channels, tile, folded row, vector of the block
//     load the tile, transform it, store its values, one a product, a plane apart
//   winograd_conv:
//     for each of the products                       its part of the input stays in the caches ..
//       for each run of output channels              .. the panel of the filter is read once ..
//         for each register tile of tiles            .. while tiles stream by
//           sums of products -> scratch
//     for each tile, vector of output channels: load its products, transform them, epilogue, store
//
// The schedule has few enough channels in a task for the scratch to stay in the caches of a core.
#include "Microkernels.h"
#include "Product.h"
#include "WinogradTransforms.h"

using namespace mlir;
using namespace coat;

static constexpr int64_t block = 16; // channels of a block

static ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

namespace {
class WinogradInputKernel {
public:
  WinogradInputKernel(VectorBuilder &v, WinogradInputOp op)
      : v(v), op(op), destination(v, op), sizes(winogradTileOf(op)), channels(shapeOf(op.getInput())[3]),
        rows(sizes.tilesIn(shapeOf(op.getInput())[1] / sizes.fold)), columns(sizes.tilesIn(shapeOf(op.getInput())[2])) {
  }

  Value emit() {
    OpFoldResult zero = number(0);
    return v.loopOver(zero, v.sizeOf(op.getInput(), 0), 1, destination.tensor(), [&](Value image, Value tensor) {
      int64_t full = channels / block, rest = channels % block;
      tensor = v.loopOver(zero, number(full), 1, tensor,
                          [&](Value at, Value inner) { return emitBlock(image, at, block, inner); });
      return rest ? emitBlock(image, v.index(full), rest, tensor) : tensor;
    });
  }

private:
  OpFoldResult number(int64_t value) const { return v.builder.getIndexAttr(value); }

  /// All tiles of `size` channels, those of block `at`.
  Value emitBlock(Value image, Value at, int64_t size, Value tensor) {
    int64_t full = size / v.lanes * v.lanes;
    return v.loopOver(number(0), number(rows), 1, tensor, [&](Value row, Value inRow) {
      return v.loopOver(number(0), number(columns), 1, inRow, [&](Value column, Value inner) {
        return v.loopOver(number(0), number(sizes.fold), 1, inner, [&](Value folded, Value ofTile) {
          ofTile = v.loopOver(number(0), number(full), v.lanes, ofTile, [&](Value lane, Value vector) {
            return emitTile({image, at, row, column, folded, lane}, vector);
          });
          if (full == size)
            return ofTile;
          // Behind the last channels there are those of the next row, written later, or nothing, in the same block.
          Value mask = v.mask(number(size - full));
          bool fits = (sizes.fold - 1) * size + full + v.lanes <= block;
          return emitTile({image, at, row, column, folded, v.index(full)}, ofTile, mask, fits ? Value() : mask);
        });
      });
    });
  }

  /// A tile, and a vector of its channels: from `lane` on of block `at` and of one of the rows that count as one.
  struct Position {
    Value image, at, row, column, folded, lane;
  };

  Value emitTile(const Position &p, Value tensor, Value loaded = {}, Value stored = {}) {
    Value channel = v.linear(p.at, block, p.lane, 0), tile = v.linear(p.row, columns, p.column, 0);
    Value lane = v.linear(p.folded, channels, p.lane, 0);
    auto load = [&](Value i, Value j) {
      Value row = v.linear(p.row, sizes.step() * sizes.fold, v.linear(i, sizes.fold, p.folded, 0), 0);
      return v.load(op.getInput(), {p.image, row, v.linear(p.column, sizes.step(), j, 0), channel}, loaded);
    };
    auto store = [&](Value value, Value i, int64_t j, Value into) {
      return v.store(value, into, {p.image, p.at, v.linear(i, sizes.extent(), v.index(0), j), tile, lane}, stored);
    };
    return transformInput(v, sizes, {load, store}, tensor);
  }

  VectorBuilder &v;
  WinogradInputOp op;
  Destination destination;
  WinogradTile sizes;
  int64_t channels, rows, columns; // rows and columns of tiles
};

class WinogradConvKernel {
public:
  WinogradConvKernel(VectorBuilder &v, WinogradConvOp op, ArrayRef<int64_t> reg)
      : v(v), op(op), destination(v, op), sizes(winogradTileOf(op)), m(sizes.outputs), products(sizes.products()),
        tiles(shapeOf(op.getTransformed())[3]), depth(shapeOf(op.getFilter())[2]), height(op.getOutputSize()[0]),
        width(op.getOutputSize()[1]), regRows(reg[2]), regChannels(reg[3]) {}

  Value emit() {
    return v.loopOver(number(0), v.sizeOf(op.getTransformed(), 0), 1, destination.tensor(),
                      [&](Value image, Value tensor) { return emitOutput(image, emitProducts(image), tensor); });
  }
  Operation *replaced() const { return destination.op(); }

private:
  OpFoldResult number(int64_t value) const { return v.builder.getIndexAttr(value); }

  //===--------------------------------------------------------------------===//
  // Products: [product, tile, channel]
  //===--------------------------------------------------------------------===//

  Value emitProducts(Value image) {
    // An odd number of tiles, so that the products of one tile do not all fall onto the same cache sets.
    int64_t channels = llvm::alignTo(op.getOutChannels(), block), padded = tiles | 1;
    Value scratch = tensor::EmptyOp::create(v.builder, v.loc, {products, padded, channels}, v.builder.getF32Type());
    return v.loopOver(number(0), number(products), 1, scratch, [&](Value x, Value tensor) {
      return coverChannels(v, number(channels), regChannels, tensor, [&](const ChannelRun &run, Value ofRun) {
        return coverRows(v, number(tiles), regRows, ofRun, [&](Value tile, int64_t rows, Value inner) {
          SmallVector<Value> sums = sumsOf(image, run, x, tile, rows);
          for (int64_t row = 0; row < rows; ++row)
            for (int64_t j = 0; j < run.vectors; ++j)
              inner =
                  v.store(sums[row * run.vectors + j], inner, {x, v.plus(tile, row), v.plus(run.start, j * v.lanes)});
          return inner;
        });
      });
    });
  }

  /// Product `x` of `rows` tiles, from `tile` on, with the channels of `run`.
  SmallVector<Value> sumsOf(Value image, const ChannelRun &run, Value x, Value tile, int64_t rows) {
    int64_t vectorsOfBlock = block / v.lanes, blocks = depth / block, rest = depth % block;
    Value panelBlock = quotient(run.start, 1, block), slice = quotient(tile, registerTiles(), tiles);
    Value aheadBlock, aheadProduct;
    std::tie(aheadBlock, aheadProduct) = behind(run, panelBlock, x);
    auto sumBlock = [&](Value at, int64_t steps, SmallVector<Value> sums) {
      auto left = [&](int64_t row, ValueRange, Value k, int64_t offset) {
        return v.loadScalar(op.getTransformed(), {image, at, x, v.plus(tile, row), v.plus(k, offset)});
      };
      auto panel = [&](int64_t j, ValueRange, Value k, int64_t offset) {
        return v.load(op.getFilter(), {v.plus(panelBlock, j / vectorsOfBlock), x, v.linear(at, block, k, offset),
                                       v.index(j % vectorsOfBlock * v.lanes)});
      };
      return accumulate(v, {{}, number(steps), left, panel}, rows, run.vectors, std::move(sums));
    };
    SmallVector<Value> sums(rows * run.vectors, v.zero(v.builder.getF32Type()));
    int64_t shares = registerTiles();
    if (shares > block)
      fetchAhead(run, aheadBlock, aheadProduct, v.index(0), slice, llvm::divideCeilSigned(depth, shares));
    sums = v.loop(number(0), number(blocks), 1, sums, [&](Value at, ValueRange carried) {
      if (shares <= block)
        fetchAhead(run, aheadBlock, aheadProduct, at, slice, llvm::divideCeilSigned(block, shares));
      return sumBlock(at, block, llvm::to_vector(carried));
    });
    return rest ? sumBlock(v.index(blocks), rest, std::move(sums)) : sums;
  }

  int64_t registerTiles() const { return llvm::divideCeilSigned(tiles, regRows); }

  /// value * factor / divisor, rounded down.
  Value quotient(Value value, int64_t factor, int64_t divisor) {
    AffineExpr expr = (v.builder.getAffineDimExpr(0) * factor).floorDiv(divisor);
    return v.valueOf(affine::makeComposedFoldedAffineApply(v.builder, v.loc, expr, {getAsOpFoldResult(value)}));
  }

  /// The panel that is used next: block of channels and product.
  std::pair<Value, Value> behind(const ChannelRun &run, Value panelBlock, Value x) {
    Value next = v.plus(panelBlock, run.vectors * v.lanes / block);
    Value isLast = arith::CmpIOp::create(v.builder, v.loc, arith::CmpIPredicate::sge, next,
                                         v.index(llvm::divideCeil(op.getOutChannels(), block)));
    return {arith::SelectOp::create(v.builder, v.loc, isLast, v.index(0), next),
            arith::SelectOp::create(v.builder, v.loc, isLast, v.plus(x, 1), x)};
  }

  /// Asks for `lines` cache lines, one an input channel, of the panels (`panelBlock`.., `x`) that are used next. Each
  /// of the register tiles asks for its slice: spread over the blocks of its reduction, or, where there are many, once.
  /// On first use memory would deliver a panel more slowly than the first register tile uses it up.
  void fetchAhead(const ChannelRun &run, Value panelBlock, Value x, Value at, Value slice, int64_t lines) {
    Value first = v.linear(at, registerTiles() * lines, v.linear(slice, lines, v.index(0), 0), 0);
    for (int64_t j = 0; j < run.vectors * v.lanes / block; ++j)
      for (int64_t line = 0; line < lines; ++line)
        v.prefetch(op.getFilter(), {v.plus(panelBlock, j), x, v.plus(first, line), v.index(0)});
  }

  //===--------------------------------------------------------------------===//
  // Outputs
  //===--------------------------------------------------------------------===//

  /// All tiles; those that reach over the end of the result keep fewer rows or columns.
  Value emitOutput(Value image, Value scratch, Value tensor) {
    return overTiles(height, tensor, [&](Value row, int64_t rows, Value inRow) {
      return overTiles(width, inRow, [&](Value column, int64_t columns, Value ofTile) {
        Value tile = v.linear(row, llvm::divideCeilSigned(width, m), column, 0);
        auto emitVector = [&](Value channel, Value mask, Value inner) {
          return emitTile({image, v.linear(row, m, v.index(0), 0), v.linear(column, m, v.index(0), 0), channel}, rows,
                          columns, scratch, tile, mask, inner);
        };
        int64_t channels = op.getOutChannels(), whole = channels / v.lanes * v.lanes;
        ofTile = v.loopOver(number(0), number(whole), v.lanes, ofTile,
                            [&](Value channel, Value inner) { return emitVector(channel, Value(), inner); });
        return whole < channels ? emitVector(v.index(whole), v.mask(number(channels - whole)), ofTile) : ofTile;
      });
    });
  }

  /// Whole tiles of a dimension of `size` outputs, then the one that is cut off.
  Value overTiles(int64_t size, Value tensor, llvm::function_ref<Value(Value, int64_t, Value)> body) {
    int64_t whole = size / m;
    tensor =
        v.loopOver(number(0), number(whole), 1, tensor, [&](Value tile, Value inner) { return body(tile, m, inner); });
    return size % m ? body(v.index(whole), size % m, tensor) : tensor;
  }

  /// `rows` x `columns` outputs from `point` on (image, row, column, channel).
  Value emitTile(ArrayRef<Value> point, int64_t rows, int64_t columns, Value scratch, Value tile, Value mask,
                 Value tensor) {
    auto load = [&](Value i, Value j) { return v.load(scratch, {v.linear(i, sizes.extent(), j, 0), tile, point[3]}); };
    auto store = [&](Value value, Value i, int64_t j, Value into) {
      return destination.store(v, value, into, {point[0], v.linear(i, 1, point[1], 0), v.plus(point[2], j), point[3]},
                               mask);
    };
    Value bias = op.getBias() ? v.load(op.getBias(), point[3], mask) : Value();
    return transformOutput(v, sizes, rows, columns, bias, {load, store}, tensor);
  }

  VectorBuilder &v;
  WinogradConvOp op;
  Destination destination;
  WinogradTile sizes;
  int64_t m, products, tiles, depth, height, width;
  int64_t regRows, regChannels;
};
} // namespace

void coat::emitMicrokernel(RewriterBase &rewriter, WinogradInputOp op, int64_t lanes) {
  rewriter.setInsertionPoint(op);
  VectorBuilder v(rewriter, op.getLoc(), lanes);
  rewriter.replaceOp(op, WinogradInputKernel(v, op).emit());
}

void coat::emitMicrokernel(RewriterBase &rewriter, WinogradConvOp op, ArrayRef<int64_t> reg, int64_t lanes) {
  rewriter.setInsertionPoint(op);
  VectorBuilder v(rewriter, op.getLoc(), lanes);
  WinogradConvKernel kernel(v, op, reg);
  Value result = kernel.emit();
  rewriter.replaceOp(kernel.replaced(), result);
  if (kernel.replaced() != op)
    rewriter.eraseOp(op);
}
