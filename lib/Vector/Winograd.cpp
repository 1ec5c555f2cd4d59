// The two halves of a Winograd convolution, of the size of a task.
//
//   winograd_input: for each block of 16 channels, tile, vector of the block
//     load the tile, transform it in registers, store its (m + 2)^2 values a plane apart
//   winograd_conv: for each run of output channels
//     for each of the (m + 2)^2 products             the panel of the filter is read once ..
//       for each register tile of tiles              .. while tiles stream by
//         sums of products -> scratch of the run
//     for each tile: load its products, transform them in registers, epilogue, store
//
// Why runs of channels are outermost: the scratch of a run is small enough for the caches of a core, whatever the number
// of channels, and the filter is read in the order it lies in.
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
      : v(v), op(op), destination(v, op), m(op.getTile()), channels(shapeOf(op.getInput())[3]),
        rows((shapeOf(op.getInput())[1] - 2) / m), columns((shapeOf(op.getInput())[2] - 2) / m) {}

  Value emit() {
    OpFoldResult zero = number(0);
    return v.loopOver(zero, v.sizeOf(op.getInput(), 0), 1, destination.tensor(), [&](Value image, Value tensor) {
      int64_t full = channels / block, rest = channels % block;
      tensor = v.loopOver(zero, number(full), 1, tensor, [&](Value at, Value inner) {
        return emitBlock(image, at, block, inner);
      });
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
        inner = v.loopOver(number(0), number(full), v.lanes, inner, [&](Value lane, Value vector) {
          return emitTile(image, at, row, column, lane, Value(), vector);
        });
        if (full < size)
          inner = emitTile(image, at, row, column, v.index(full), v.mask(number(size - full)), inner);
        return inner;
      });
    });
  }

  Value emitTile(Value image, Value at, Value row, Value column, Value lane, Value mask, Value tensor) {
    Value channel = v.linear(at, block, lane, 0), zero = v.index(0), tile = v.linear(row, columns, column, 0);
    SmallVector<Value> values = transformInput(v, m, [&](int64_t i, int64_t j) {
      return v.load(op.getInput(), {image, v.linear(row, m, zero, i), v.linear(column, m, zero, j), channel}, mask);
    });
    for (auto [number, value] : llvm::enumerate(values))
      tensor = v.store(value, tensor, {image, at, v.index(number), tile, lane});
    return tensor;
  }

  VectorBuilder &v;
  WinogradInputOp op;
  Destination destination;
  int64_t m, channels, rows, columns; // rows and columns of tiles
};

class WinogradConvKernel {
public:
  WinogradConvKernel(VectorBuilder &v, WinogradConvOp op, ArrayRef<int64_t> reg)
      : v(v), op(op), destination(v, op), m(op.getTile()), products((m + 2) * (m + 2)),
        tiles(shapeOf(op.getTransformed())[3]), depth(shapeOf(op.getFilter())[2]), height(op.getOutputSize()[0]),
        width(op.getOutputSize()[1]), regRows(reg[2]), regChannels(reg[3]) {}

  Value emit() {
    return v.loopOver(number(0), v.sizeOf(op.getTransformed(), 0), 1, destination.tensor(),
                      [&](Value image, Value tensor) {
                        return coverChannels(v, number(op.getOutChannels()), regChannels, tensor,
                                             [&](const ChannelRun &run, Value inner) {
                                               return emitOutput(image, run, emitProducts(image, run), inner);
                                             });
                      });
  }
  Operation *replaced() const { return destination.op(); }

private:
  OpFoldResult number(int64_t value) const { return v.builder.getIndexAttr(value); }

  //===--------------------------------------------------------------------===//
  // Products: [product, tile, channel of the run]
  //===--------------------------------------------------------------------===//

  Value emitProducts(Value image, const ChannelRun &run) {
    // An odd number of cache lines from product to product, so that those of one tile fall onto different cache sets.
    int64_t padded = tiles | 1;
    Value scratch = tensor::EmptyOp::create(v.builder, v.loc, {products, padded, run.vectors * v.lanes},
                                            v.builder.getF32Type());
    return v.loopOver(number(0), number(products), 1, scratch, [&](Value x, Value tensor) {
      return coverRows(v, number(tiles), regRows, tensor, [&](Value tile, int64_t rows, Value inner) {
        SmallVector<Value> sums = sumsOf(image, run, x, tile, rows);
        for (int64_t row = 0; row < rows; ++row)
          for (int64_t j = 0; j < run.vectors; ++j)
            inner = v.store(sums[row * run.vectors + j], inner, {x, v.plus(tile, row), v.index(j * v.lanes)});
        return inner;
      });
    });
  }

  /// Product `x` of `rows` tiles, from `tile` on, with the channels of `run`.
  SmallVector<Value> sumsOf(Value image, const ChannelRun &run, Value x, Value tile, int64_t rows) {
    int64_t vectorsOfBlock = block / v.lanes, blocks = depth / block, rest = depth % block;
    Value panelBlock = v.valueOf(affine::makeComposedFoldedAffineApply(
        v.builder, v.loc, v.builder.getAffineDimExpr(0).floorDiv(block), {getAsOpFoldResult(run.start)}));
    Value last = v.index(blocks);
    auto left = [&](int64_t row, ValueRange taps, Value k, int64_t offset) {
      Value at = taps.empty() ? last : taps.front();
      return v.loadScalar(op.getTransformed(), {image, at, x, v.plus(tile, row), v.plus(k, offset)});
    };
    auto panel = [&](int64_t j, ValueRange taps, Value k, int64_t offset) {
      Value at = taps.empty() ? last : taps.front();
      return v.load(op.getFilter(), {v.plus(panelBlock, j / vectorsOfBlock), x, v.linear(at, block, k, offset),
                                     v.index(j % vectorsOfBlock * v.lanes)});
    };
    SmallVector<Value> sums(rows * run.vectors, v.zero(v.builder.getF32Type()));
    if (blocks)
      sums = accumulate(v, {{blocks}, number(block), left, panel}, rows, run.vectors, std::move(sums));
    if (rest)
      sums = accumulate(v, {{}, number(rest), left, panel}, rows, run.vectors, std::move(sums));
    return sums;
  }

  //===--------------------------------------------------------------------===//
  // Outputs
  //===--------------------------------------------------------------------===//

  /// All tiles; those that reach over the end of the result keep fewer rows or columns.
  Value emitOutput(Value image, const ChannelRun &run, Value scratch, Value tensor) {
    return overTiles(height, tensor, [&](Value row, int64_t rows, Value inRow) {
      return overTiles(width, inRow, [&](Value column, int64_t columns, Value inner) {
        Value tile = v.linear(row, llvm::divideCeilSigned(width, m), column, 0);
        auto emitVector = [&](Value lane, Value mask, Value into) {
          return emitTile({image, v.linear(row, m, v.index(0), 0), v.linear(column, m, v.index(0), 0),
                           v.linear(run.start, 1, lane, 0)},
                          rows, columns, scratch, tile, lane, mask, into);
        };
        int64_t whole = run.lastMask ? run.vectors - 1 : run.vectors;
        inner = v.loopOver(number(0), number(whole * v.lanes), v.lanes, inner,
                           [&](Value lane, Value into) { return emitVector(lane, Value(), into); });
        return run.lastMask ? emitVector(v.index(whole * v.lanes), run.lastMask, inner) : inner;
      });
    });
  }

  /// Whole tiles of a dimension of `size` outputs, then the one that is cut off.
  Value overTiles(int64_t size, Value tensor, llvm::function_ref<Value(Value, int64_t, Value)> body) {
    int64_t whole = size / m;
    tensor = v.loopOver(number(0), number(whole), 1, tensor,
                        [&](Value tile, Value inner) { return body(tile, m, inner); });
    return size % m ? body(v.index(whole), size % m, tensor) : tensor;
  }

  /// `rows` x `columns` outputs from `point` on (image, row, column, channel).
  Value emitTile(ArrayRef<Value> point, int64_t rows, int64_t columns, Value scratch, Value tile, Value lane,
                 Value mask, Value tensor) {
    SmallVector<Value> outputs = transformOutput(v, m, [&](int64_t i, int64_t j) {
      Value product = v.load(scratch, {v.index(i * (m + 2) + j), tile, lane});
      // Every output has this product once, so the bias need not be added to each.
      if (op.getBias() && i == 1 && j == 1)
        product = arith::AddFOp::create(v.builder, v.loc, product, v.load(op.getBias(), point[3], mask));
      return product;
    });
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j)
        tensor = destination.store(v, outputs[i * m + j], tensor,
                                   {point[0], v.plus(point[1], i), v.plus(point[2], j), point[3]}, mask);
    return tensor;
  }

  VectorBuilder &v;
  WinogradConvOp op;
  Destination destination;
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
