// coat-emit-pools: enters tile-sized poolings in kernels; leaves loops of vectors along the channels. Windows next to
// each other share columns, so a column is combined once, for all windows of a tile that it belongs to:
//
//   for each image, row of outputs
//     for each tile of outputs in the row
//       for each vector of channels
//         m[x] = max of the column x of the input;  y[o] = max of m[o * stride] .. m[o * stride + window - 1];
//         epilogue; store
//
// Windows with a stride share little of a row, and what counts is to read a large image in the order it lies in memory,
// many rows at a time: tiles are one column of four rows of outputs, which share rows of their windows. 3x3/2 of
// 112x112x64 takes 61 us so, 66 us row by row and 70 us with eight outputs of a row at once.
//
// Left alone: windows of more than 25 elements (long straight code), types but f32, channels-first or padded ops,
// unknown numbers of channels, and sums where -ffp-model=strict keeps their order.
#include "Product.h"
#include "coat/Dialect/Coat.h"
#include "coat/Vector/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace coat {
#define GEN_PASS_DEF_EMITPOOLS
#include "coat/Vector/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

namespace {
class PoolKernel {
public:
  PoolKernel(VectorBuilder &v, PoolOp op)
      : v(v), op(op), destination(v, op), rank(cast<RankedTensorType>(op.getInput().getType()).getRank()) {
    for (int64_t dim = 0; dim < rank; ++dim)
      sizes.push_back(v.sizeOf(destination.tensor(), dim));
    rowTaps = {{}};
    for (int64_t size : op.getKernel().drop_back()) {
      SmallVector<SmallVector<int64_t>> longer;
      for (const SmallVector<int64_t> &taps : rowTaps)
        for (int64_t tap = 0; tap < size; ++tap) {
          longer.push_back(taps);
          longer.back().push_back(tap);
        }
      rowTaps = std::move(longer);
    }
  }

  Value emit() { return overOuter({}, destination.tensor()); }
  Operation *replaced() const { return destination.op(); }

private:
  /// Of an image, with a stride.
  static constexpr int64_t mostRows = 4;

  OpFoldResult zero() const { return v.builder.getIndexAttr(0); }

  /// Outputs that are computed together: `rows` x `columns` from `outer`, `column` on.
  struct Tile {
    SmallVector<Value> outer;
    int64_t rows;
    Value column;
    int64_t columns;
  };

  /// Loops over images and rows, tiles of a row, vectors of channels.
  Value overOuter(SmallVector<Value> outer, Value tensor) {
    int64_t dim = outer.size(), rowDim = 1;
    bool manyRows = rank == 4 && op.getStrides().back() > 1;
    auto next = [&](Value index) {
      SmallVector<Value> inner = outer;
      inner.push_back(index);
      return inner;
    };
    if (dim == rank - 2)
      return overColumns(outer, 1, tensor);
    if (dim == rowDim && manyRows)
      return coverRows(v, sizes[dim], mostRows, tensor,
                       [&](Value row, int64_t rows, Value inner) { return overColumns(next(row), rows, inner); });
    return v.loopOver(zero(), sizes[dim], 1, tensor,
                      [&](Value index, Value inner) { return overOuter(next(index), inner); });
  }

  Value overColumns(const SmallVector<Value> &outer, int64_t rows, Value tensor) {
    int64_t most = op.getStrides().back() > 1 ? 1 : 8;
    return coverRows(v, sizes[rank - 2], most, tensor, [&](Value column, int64_t columns, Value tile) {
      return overChannels({outer, rows, column, columns}, tile);
    });
  }

  Value overChannels(const Tile &tile, Value tensor) {
    int64_t channels = *getConstantIntValue(sizes.back()), full = channels / v.lanes * v.lanes;
    tensor = v.loopOver(zero(), v.builder.getIndexAttr(full), v.lanes, tensor,
                        [&](Value channel, Value inner) { return emitTile(tile, channel, Value(), inner); });
    if (full == channels)
      return tensor;
    return emitTile(tile, v.index(full), v.mask(v.builder.getIndexAttr(channels - full)), tensor);
  }

  Value emitTile(const Tile &tile, Value channel, Value mask, Value tensor) {
    llvm::SmallDenseMap<int64_t, Value> shared; // columns or rows of windows, by where they begin in the input
    for (int64_t row = 0; row < tile.rows; ++row)
      for (int64_t column = 0; column < tile.columns; ++column) {
        Value result;
        bool byRows = tile.rows > 1;
        int64_t dim = rank - 3 - byRows, first = (byRows ? row : column) * op.getStrides()[dim];
        for (int64_t tap = 0; tap < op.getKernel()[dim]; ++tap) {
          int64_t at = first + tap * op.getDilations()[dim];
          Value &input = shared[at];
          if (!input)
            input = byRows ? combineRow(tile, at, channel, mask)
                           : combineColumn(tile.outer, tile.column, at, channel, mask);
          result = result ? combine(result, input) : input;
        }
        SmallVector<Value> point(tile.outer);
        point.back() = v.plus(point.back(), row);
        point.append({v.plus(tile.column, column), channel});
        tensor = destination.store(v, finished(result), tensor, point, mask);
      }
    return tensor;
  }

  /// Input row `at` from the start of the first window of a tile of one column, over all columns of the window.
  Value combineRow(const Tile &tile, int64_t at, Value channel, Value mask) {
    Value result;
    for (int64_t tap = 0; tap < op.getKernel()[1]; ++tap) {
      Value row = v.linear(tile.outer[1], op.getStrides()[0], v.index(at), 0);
      Value column = v.linear(tile.column, op.getStrides()[1], v.index(tap * op.getDilations()[1]), 0);
      Value input = v.load(op.getInput(), {tile.outer[0], row, column, channel}, mask);
      result = result ? combine(result, input) : input;
    }
    return result;
  }

  /// Input column `at` from the start of the window at `column`, over all rows of the window.
  Value combineColumn(ValueRange outer, Value column, int64_t at, Value channel, Value mask) {
    Value result;
    for (ArrayRef<int64_t> taps : rowTaps) {
      SmallVector<Value> indices = {outer[0]};
      for (auto [i, tap] : llvm::enumerate(taps))
        indices.push_back(v.linear(outer[1 + i], op.getStrides()[i], v.index(tap * op.getDilations()[i]), 0));
      indices.append({v.linear(column, op.getStrides().back(), v.index(at), 0), channel});
      Value input = v.load(op.getInput(), indices, mask);
      result = result ? combine(result, input) : input;
    }
    return result;
  }

  Value combine(Value a, Value b) {
    return op.getKind() == PoolKind::max ? v.larger(a, b) : arith::AddFOp::create(v.builder, v.loc, a, b).getResult();
  }

  Value finished(Value sum) {
    if (op.getKind() != PoolKind::average)
      return sum;
    float share = 1.0f / ShapedType::getNumElements(op.getKernel());
    return arith::MulFOp::create(v.builder, v.loc, sum, v.splat(v.builder.getF32FloatAttr(share)));
  }

  VectorBuilder &v;
  PoolOp op;
  Destination destination;
  int64_t rank;
  SmallVector<OpFoldResult> sizes;           // of the result
  SmallVector<SmallVector<int64_t>> rowTaps; // all positions in the window but along its last dimension
};

bool hasMicrokernel(PoolOp op, bool orderedSums) {
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  bool isSum = op.getKind() == PoolKind::sum || op.getKind() == PoolKind::average;
  return result.getElementType().isF32() && op.getDataLayout() == coat::DataLayout::channels_last &&
         !op.getWithIndices() && !op.getCeilMode() && (op.getKind() == PoolKind::max || (isSum && !orderedSums)) &&
         ShapedType::getNumElements(op.getKernel()) <= 25 && !result.isDynamicDim(result.getRank() - 1) &&
         llvm::all_of(op.getPads(), [](int64_t pad) { return pad == 0; });
}

struct EmitPools : coat::impl::EmitPoolsBase<EmitPools> {
  using EmitPoolsBase::EmitPoolsBase;
  void runOnOperation() override {
    auto schedule = getOperation()->getAttrOfType<ScheduleAttr>("coat.schedule");
    if (!schedule)
      return;
    SmallVector<PoolOp> pools;
    getOperation().walk([&](PoolOp op) {
      if (hasMicrokernel(op, orderedSums))
        pools.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (PoolOp op : pools) {
      rewriter.setInsertionPoint(op);
      VectorBuilder v(rewriter, op.getLoc(), schedule.getVector());
      PoolKernel kernel(v, op);
      Value result = kernel.emit();
      rewriter.replaceOp(kernel.replaced(), result);
      if (kernel.replaced() != op)
        rewriter.eraseOp(op);
    }
  }
};
} // namespace
