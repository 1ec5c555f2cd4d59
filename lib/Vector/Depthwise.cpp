// Depthwise convolutions of the size of a task as register microkernels: each channel has its own filter, so vectors
// run along the channels on both sides.
//
//   for each chunk of channels
//     for each image, group of rows of outputs
//       for each tile of outputs in these rows
//         for each vector of channels
//           sums = bias; sums += window * filter; epilogue; store
//
// Rows and columns of the input that are known to be a border of zeros (coat.zeros) are left out.
#include "Microkernels.h"
#include "Product.h"

using namespace mlir;
using namespace coat;

namespace {
/// A vector of channels.
struct Channels {
  Value block, lane; // of the packed filter
  Value channel;
  Value mask; // of channels that exist; null: all
};

/// Outputs that are computed together: `rows` x `columns` from `outer`, `column` on.
struct Tile {
  SmallVector<Value> outer;
  int64_t rows;
  Value column;
  int64_t columns;
};

class DepthwiseMicrokernel {
public:
  DepthwiseMicrokernel(VectorBuilder &v, ConvOp op, ArrayRef<int64_t> reg)
      : v(v), op(op), filter(cast<RankedTensorType>(op.getFilter().getType())), destination(v, op),
        rank(cast<RankedTensorType>(op.getInput().getType()).getRank()), mostRows(rank > 3 ? reg[rank - 3] : 1),
        mostColumns(reg[rank - 2]) {
    for (int64_t dim = 0; dim < rank; ++dim)
      sizes.push_back(v.sizeOf(destination.tensor(), dim));
    findZeros();
  }

  Value emit() {
    int64_t total = int64_t(*op.getOutChannels()), perBlock = filter.getShape().back(), blocks = total / perBlock;
    int64_t chunk = std::min(blocks, chunkOfChannels() / perBlock);
    Value tensor = v.loopOver(zero(), number(blocks), chunk, destination.tensor(), [&](Value first, Value into) {
      Value end = blocks % chunk ? v.minimum(v.plus(first, chunk), v.index(blocks)) : v.plus(first, chunk);
      return overTiles({}, into, [&](const Tile &tile, Value inner) {
        return v.loopOver(getAsOpFoldResult(first), getAsOpFoldResult(end), 1, inner, [&](Value block, Value ofBlock) {
          return v.loopOver(zero(), number(perBlock), v.lanes, ofBlock, [&](Value lane, Value vector) {
            return emitTile({block, lane, v.linear(block, perBlock, lane, 0), Value()}, tile, vector);
          });
        });
      });
    });
    for (int64_t at = blocks * perBlock; at < total; at += v.lanes) {
      Channels rest{v.index(blocks), v.index(at % perBlock), v.index(at), v.mask(number(total - at))};
      tensor = overTiles({}, tensor, [&](const Tile &tile, Value inner) { return emitTile(rest, tile, inner); });
    }
    return tensor;
  }
  Operation *replaced() const { return destination.op(); }

private:
  OpFoldResult number(int64_t value) const { return v.builder.getIndexAttr(value); }
  OpFoldResult zero() const { return number(0); }
  int64_t spatial() const { return rank - 2; }
  ArrayRef<int64_t> window() const { return filter.getShape().slice(2, spatial()); }
  int64_t stride(int64_t dim) const { return conv().getStrides()[dim - 1]; }
  int64_t dilation(int64_t dim) const { return conv().getDilations()[dim - 1]; }
  ConvOp conv() const { return op; }

  /// The border of zeros of an image. The op reads it whole in its columns; in its rows it may read a task's part.
  void findZeros() {
    auto zeros = op->getAttrOfType<DenseI64ArrayAttr>("coat.zeros");
    auto slice = op.getInput().getDefiningOp<tensor::ExtractSliceOp>();
    auto image = cast<RankedTensorType>(slice ? slice.getSource().getType() : op.getInput().getType());
    if (!zeros || spatial() != 2 || image.getRank() != rank || image.isDynamicDim(1) || image.isDynamicDim(2) ||
        !llvm::all_of(op.getDilations(), [](int64_t dilation) { return dilation == 1; }))
      return;
    if (slice && slice.getType().getDimSize(2) != image.getDimSize(2))
      return;
    firstRow = zeros[0];
    endRow = image.getDimSize(1) - zeros[2];
    firstColumn = zeros[1];
    endColumn = image.getDimSize(2) - zeros[3];
    start = slice ? slice.getMixedOffsets()[1] : zero();
    knowsZeros = true;
  }

  using TileBody = llvm::function_ref<Value(const Tile &tile, Value tensor)>;

  /// Images, rows, tiles of a row.
  Value overTiles(SmallVector<Value> outer, Value tensor, TileBody body) {
    int64_t dim = outer.size();
    if (dim + 1 == spatial() && spatial() > 1)
      return coverRows(v, sizes[dim], mostRows, tensor, [&](Value row, int64_t rows, Value inner) {
        SmallVector<Value> next = outer;
        next.push_back(row);
        return overColumns(next, rows, inner, body);
      });
    if (dim == spatial())
      return overColumns(outer, 1, tensor, body);
    return v.loopOver(zero(), sizes[dim], 1, tensor, [&](Value index, Value inner) {
      SmallVector<Value> next = outer;
      next.push_back(index);
      return overTiles(next, inner, body);
    });
  }

  /// The first and the last tile of a row touch the border: where it is known they are code of their own.
  Value overColumns(ArrayRef<Value> outer, int64_t rows, Value tensor, TileBody body) {
    auto emit = [&](Value column, int64_t columns, Value inner) {
      return body({llvm::to_vector(outer), rows, column, columns}, inner);
    };
    std::optional<int64_t> width = getConstantIntValue(sizes[spatial()]);
    if (!leavesOutZeros() || !width || *width <= mostColumns)
      return coverRows(v, sizes[spatial()], mostColumns, tensor, emit);
    int64_t columns = llvm::divideCeil(*width, llvm::divideCeil(*width, mostColumns)), last = *width - columns;
    tensor = emit(v.index(0), columns, tensor);
    tensor = coverRows(
        v, number(std::max<int64_t>(0, last - columns)), mostColumns, tensor,
        [&](Value column, int64_t count, Value inner) { return emit(v.plus(column, columns), count, inner); });
    return emit(v.index(last), columns, tensor);
  }

  /// Windows up to 3x3 are unrolled, of larger ones the rows are a loop.
  bool isLarge() const { return ShapedType::getNumElements(window()) > 9; }

  /// Whether the border is left out: of a small window where a plane is so narrow that it is much of the work.
  bool leavesOutZeros() const {
    std::optional<int64_t> width = getConstantIntValue(sizes[spatial()]);
    return knowsZeros && (isLarge() || (mostRows == 1 && width && *width <= mostColumns));
  }

  /// Of a large window, channels whose rows take half of a usual first cache, in whole cache lines; no less than a pair
  /// of lines, because that is what a core fetches. The few rows of a small one come from the second cache, and all
  /// channels next to each other are what it is asked for fastest.
  int64_t chunkOfChannels() {
    constexpr int64_t halfOfCache = 16 * 1024, line = 16;
    auto input = cast<RankedTensorType>(op.getInput().getType());
    int64_t width = input.getDimSize(spatial());
    if (!isLarge())
      return llvm::alignTo(int64_t(*op.getOutChannels()), line);
    if (ShapedType::isDynamic(width))
      return 4 * line;
    int64_t windowRows = ShapedType::getNumElements(window().drop_back());
    return std::max(2 * line, halfOfCache / (windowRows * width * 4) / line * line);
  }

  Value emitTile(const Channels &at, const Tile &tile, Value tensor) {
    Value start = op.getBias() ? v.load(op.getBias(), at.channel, at.mask) : v.zero(v.builder.getF32Type());
    SmallVector<Value> sums(tile.rows * tile.columns, start);
    sums = overTaps(at, tile, {}, std::move(sums));
    for (auto [i, sum] : llvm::enumerate(sums)) {
      SmallVector<Value> point(tile.outer);
      point.back() = v.plus(point.back(), i / tile.columns); // one row where there are no rows
      point.append({v.plus(tile.column, i % tile.columns), at.channel});
      tensor = destination.store(v, sum, tensor, point, at.mask);
    }
    return tensor;
  }

  /// Over all dimensions of the window but the last two, then rows of the input.
  SmallVector<Value> overTaps(const Channels &at, const Tile &tile, SmallVector<Value> taps, SmallVector<Value> sums) {
    int64_t dim = taps.size();
    if (dim + 1 == spatial())
      return emitRow(at, tile, {{0, taps}}, std::move(sums));
    if (dim + 2 == spatial() && tile.rows > 1)
      return overInputRows(at, tile, taps, std::move(sums));
    auto next = [&](Value tap, ValueRange carried) {
      SmallVector<Value> inner = taps;
      inner.push_back(tap);
      return overTaps(at, tile, inner, llvm::to_vector(carried));
    };
    if (isLarge() || leavesOutZeros()) {
      auto [from, to] = rowsInside(tile, window()[dim]);
      return v.loop(from, to, 1, sums, next);
    }
    for (int64_t tap = 0; tap < window()[dim]; ++tap)
      sums = next(v.index(tap), sums);
    return sums;
  }

  /// The taps of the window of a row of outputs that lie within the border.
  std::pair<OpFoldResult, OpFoldResult> rowsInside(const Tile &tile, int64_t size) {
    if (!knowsZeros)
      return {zero(), number(size)};
    AffineExpr row, from;
    bindDims(v.builder.getContext(), row, from);
    AffineExpr top = row * stride(1) + from;
    auto bound = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(2, 0, exprs, v.builder.getContext()); };
    auto constant = [&](int64_t value) { return v.builder.getAffineConstantExpr(value); };
    SmallVector<OpFoldResult> operands = {getAsOpFoldResult(tile.outer.back()), start};
    return {affine::makeComposedFoldedAffineMax(v.builder, v.loc, bound({firstRow - top, constant(0)}), operands),
            affine::makeComposedFoldedAffineMin(v.builder, v.loc, bound({endRow - top, constant(size)}), operands)};
  }

  /// A row of outputs that a row of the input belongs to, and where in the window.
  struct RowUse {
    int64_t row;
    SmallVector<Value> taps; // all but the last
  };

  /// Several rows of outputs of a small window: each row of the input is used for all of them before the next one.
  SmallVector<Value> overInputRows(const Channels &at, const Tile &tile, ArrayRef<Value> taps,
                                   SmallVector<Value> sums) {
    int64_t dim = spatial() - 1, size = window()[dim - 1];
    for (int64_t position = 0; position <= (tile.rows - 1) * stride(dim) + (size - 1) * dilation(dim); ++position) {
      SmallVector<RowUse> uses;
      for (int64_t row = 0; row < tile.rows; ++row) {
        int64_t offset = position - row * stride(dim);
        if (offset < 0 || offset % dilation(dim) || offset / dilation(dim) >= size)
          continue;
        uses.push_back({row, llvm::to_vector(taps)});
        uses.back().taps.push_back(v.index(offset / dilation(dim)));
      }
      if (!uses.empty())
        sums = emitRow(at, tile, uses, std::move(sums));
    }
    return sums;
  }

  /// One row of the input: the weights it meets and the sums stay in registers, and each input is loaded once for all
  /// outputs that it belongs to.
  SmallVector<Value> emitRow(const Channels &at, const Tile &tile, ArrayRef<RowUse> uses, SmallVector<Value> sums) {
    int64_t size = window().back(), dim = spatial();
    SmallVector<SmallVector<Value>> weights;
    for (const RowUse &use : uses) {
      weights.emplace_back();
      for (int64_t tap = 0; tap < size; ++tap) {
        SmallVector<Value> indices = {v.index(0), at.block};
        indices.append(use.taps);
        indices.append({v.index(tap), v.index(0), at.lane});
        weights.back().push_back(v.load(op.getFilter(), indices));
      }
    }
    std::optional<int64_t> column = getConstantIntValue(getAsOpFoldResult(tile.column));
    for (int64_t position = 0; position <= (tile.columns - 1) * stride(dim) + (size - 1) * dilation(dim); ++position) {
      int64_t inImage = column ? *column * stride(dim) + position : firstColumn;
      if (leavesOutZeros() && (inImage < firstColumn || inImage >= endColumn))
        continue;
      Value input;
      for (auto [use, ofRow] : llvm::zip(uses, weights))
        for (int64_t output = 0; output < tile.columns; ++output) {
          int64_t offset = position - output * stride(dim), tap = offset / dilation(dim);
          if (offset < 0 || offset % dilation(dim) || tap >= size)
            continue;
          if (!input)
            input = inputAt(at, tile, use, position);
          Value &sum = sums[use.row * tile.columns + output];
          sum = v.multiplyAdd(input, ofRow[tap], sum);
        }
    }
    return sums;
  }

  Value inputAt(const Channels &at, const Tile &tile, const RowUse &use, int64_t position) {
    SmallVector<Value> indices = {tile.outer[0]};
    for (auto [i, tap] : llvm::enumerate(use.taps)) {
      bool last = i + 1 == use.taps.size();
      Value offset = v.linear(tap, dilation(i + 1), v.index(0), last ? use.row * stride(i + 1) : 0);
      indices.push_back(v.linear(tile.outer[1 + i], stride(i + 1), offset, 0));
    }
    indices.push_back(v.linear(tile.column, stride(spatial()), v.index(position), 0));
    indices.push_back(at.channel);
    return v.load(op.getInput(), indices, at.mask);
  }

  VectorBuilder &v;
  ConvOp op;
  RankedTensorType filter;
  Destination destination;
  int64_t rank, mostRows, mostColumns;
  SmallVector<OpFoldResult> sizes; // of the result
  bool knowsZeros = false;
  int64_t firstRow = 0, endRow = 0, firstColumn = 0, endColumn = 0; // of an image, without its border
  OpFoldResult start;                                               // row of the image that the op's input begins at
};
} // namespace

void coat::emitDepthwise(RewriterBase &rewriter, ConvOp op, ArrayRef<int64_t> reg, int64_t lanes) {
  rewriter.setInsertionPoint(op);
  VectorBuilder v(rewriter, op.getLoc(), lanes);
  DepthwiseMicrokernel kernel(v, op, reg);
  Value result = kernel.emit();
  rewriter.replaceOp(kernel.replaced(), result);
  if (kernel.replaced() != op)
    rewriter.eraseOp(op);
}
