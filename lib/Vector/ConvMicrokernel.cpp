// Convolutions of the size of a task as register microkernels.
//
//   for each run of output channels          the panel of its filter stays in the first cache ..
//     for each image, row of outputs
//       for each tile of outputs in the row  .. while tiles stream by
//         sums = bias; sums += window x filter; epilogue; store
#include "Microkernels.h"
#include "Product.h"
#include "coat/Dialect/Coat.h"

using namespace mlir;
using namespace coat;

namespace {
/// One output of a tile: its indices but the channel. The column is `column` + `shift`.
struct OutputAt {
  SmallVector<Value> outer;
  Value column;
  int64_t shift;
};

/// A vector of channels, each with its own filter.
struct DepthwiseVector {
  Value block, lane; // of the packed filter
  Value mask;        // of channels that exist; null: all
};

class ConvMicrokernel {
public:
  ConvMicrokernel(VectorBuilder &v, ConvOp op, ArrayRef<int64_t> reg)
      : v(v), op(op), filter(cast<RankedTensorType>(op.getFilter().getType())), destination(v, op),
        rank(cast<RankedTensorType>(op.getInput().getType()).getRank()), rows(reg[rank - 2]), channels(reg[rank - 1]) {
    groups = filter.getDimSize(0);
    depth = filter.getDimSize(filter.getRank() - 2);
    for (int64_t dim = 0; dim < rank; ++dim)
      sizes.push_back(v.sizeOf(destination.tensor(), dim));
    std::optional<int64_t> height = spatial() == 2 ? getConstantIntValue(sizes[1]) : std::nullopt;
    if (height && getConstantIntValue(sizes[2]))
      prefetch.emplace(v, op.getFilter(), *height * tilesOfRow());
  }

  Value emit() { return isDepthwise() ? emitDepthwise() : emitGroups(); }
  Operation *replaced() const { return destination.op(); }

private:
  bool isDepthwise() { return groups == 1 && op.getGroup() > 1; }
  int64_t spatial() const { return rank - 2; }
  OpFoldResult zero() const { return v.builder.getIndexAttr(0); }
  int64_t tilesOfRow() const { return llvm::divideCeil(*getConstantIntValue(sizes[rank - 2]), rows); }
  ArrayRef<int64_t> window() const { return filter.getShape().slice(2, spatial()); }

  /// Loops over the first `dims` dimensions, images and rows; `body` gets their indices.
  Value overOuter(SmallVector<Value> outer, Value tensor, int64_t dims,
                  llvm::function_ref<Value(ValueRange, Value)> body) {
    int64_t dim = outer.size();
    if (dim == dims)
      return body(outer, tensor);
    return v.loopOver(zero(), sizes[dim], 1, tensor, [&](Value iv, Value inner) {
      SmallVector<Value> next = outer;
      next.push_back(iv);
      return overOuter(next, inner, dims, body);
    });
  }

  /// Input indices of output (`outer`, `column` + `row`) at window position `taps`, less the channel.
  SmallVector<Value> inputIndices(ValueRange outer, Value column, int64_t row, ValueRange taps) {
    SmallVector<Value> indices = {outer[0]};
    for (int64_t i = 0; i < spatial(); ++i) {
      bool last = i + 1 == spatial();
      int64_t stride = op.getStrides()[i], dilation = op.getDilations()[i];
      Value offset = v.linear(taps[i], dilation, v.index(0), last ? row * stride : 0);
      indices.push_back(v.linear(last ? column : outer[1 + i], stride, offset, 0));
    }
    return indices;
  }

  SmallVector<Value> outputPoint(ValueRange outer, Value column, int64_t row, Value channel) {
    SmallVector<Value> point(outer);
    point.push_back(v.plus(column, row));
    point.push_back(channel);
    return point;
  }

  SmallVector<Value> startOf(int64_t tileRows, const ChannelRun &run, Value firstChannel) {
    SmallVector<Value> starts;
    for (int64_t j = 0; j < run.vectors; ++j)
      starts.push_back(op.getBias()
                           ? v.load(op.getBias(), v.linear(firstChannel, 1, run.start, j * v.lanes), run.mask(j))
                           : v.zero(v.builder.getF32Type()));
    SmallVector<Value> sums;
    for (int64_t row = 0; row < tileRows; ++row)
      sums.append(starts);
    return sums;
  }

  Value emitGroups() {
    OpFoldResult perGroup = groups == 1 ? sizes.back() : v.builder.getIndexAttr(int64_t(*op.getOutChannels()) / groups);
    return v.loopOver(zero(), v.builder.getIndexAttr(groups), 1, destination.tensor(), [&](Value group, Value tensor) {
      return coverChannels(v, perGroup, channels, tensor, [&](const ChannelRun &run, Value inner) {
        if (std::optional<int64_t> height = flatHeight())
          return overFlatTiles(*height, group, run, inner);
        return overRowTiles(inner, [&](ValueRange outer, Value column, int64_t tileRows, Value tile) {
          SmallVector<OutputAt> outputs;
          for (int64_t row = 0; row < tileRows; ++row)
            outputs.push_back({llvm::to_vector(outer), column, row});
          return emitTile(group, run, outputs, tile);
        });
      });
    });
  }

  /// The rows of a plane so narrow that tiles along a row would leave multiply-adds waiting for each other; tiles of
  /// such a plane go over the ends of its rows, at positions known here.
  std::optional<int64_t> flatHeight() {
    constexpr int64_t narrow = 8, mostOutputs = 12; // more would be long straight code, slow to analyse
    std::optional<int64_t> width = getConstantIntValue(sizes[rank - 2]);
    std::optional<int64_t> height = spatial() > 1 ? getConstantIntValue(sizes[rank - 3]) : std::nullopt;
    bool flat = width && height && *width < narrow && *height > 1 && *width * *height <= mostOutputs;
    return flat ? height : std::nullopt;
  }

  Value overFlatTiles(int64_t height, Value group, const ChannelRun &run, Value tensor) {
    int64_t width = *getConstantIntValue(sizes[rank - 2]), total = width * height,
            tiles = llvm::divideCeil(total, rows);
    return overOuter({}, tensor, rank - 3, [&](ValueRange outer, Value plane) {
      for (int64_t tile = 0; tile < tiles; ++tile) {
        SmallVector<OutputAt> outputs;
        for (int64_t at = tile * total / tiles; at < (tile + 1) * total / tiles; ++at) {
          outputs.push_back({llvm::to_vector(outer), v.index(at % width), 0});
          outputs.back().outer.push_back(v.index(at / width));
        }
        plane = emitTile(group, run, outputs, plane);
      }
      return plane;
    });
  }

  Value emitTile(Value group, const ChannelRun &run, ArrayRef<OutputAt> outputs, Value tensor) {
    int64_t vectorsOfBlock = filter.getShape().back() / v.lanes, tileRows = outputs.size();
    int64_t perGroup = groups == 1 ? 0 : int64_t(*op.getOutChannels()) / groups;
    auto left = [&](int64_t row, ValueRange taps, Value k, int64_t offset) {
      const OutputAt &at = outputs[row];
      SmallVector<Value> indices = inputIndices(at.outer, at.column, at.shift, taps);
      indices.push_back(v.linear(group, depth, k, offset));
      return v.loadScalar(op.getInput(), indices);
    };
    auto panel = [&](int64_t j, ValueRange taps, Value k, int64_t offset) {
      // Runs start at whole blocks, except behind the last one of an unknown extent.
      AffineExpr d0 = v.builder.getAffineDimExpr(0);
      int64_t block = filter.getShape().back();
      auto apply = [&](AffineExpr expr) {
        return v.valueOf(affine::makeComposedFoldedAffineApply(v.builder, v.loc, expr, {getAsOpFoldResult(run.start)}));
      };
      Value blockIndex = apply(d0.floorDiv(block) + j / vectorsOfBlock);
      Value lane = run.vectors == 1 ? apply(d0 % block) : v.index(j % vectorsOfBlock * v.lanes);
      SmallVector<Value> indices = {group, blockIndex};
      indices.append(taps.begin(), taps.end());
      indices.append({v.plus(k, offset), lane});
      return v.load(op.getFilter(), indices);
    };
    Product product{llvm::to_vector(window()), v.builder.getIndexAttr(depth), left, panel};
    auto ahead = [&](ValueRange taps, Value k, int64_t steps) {
      auto quotient = [&](OpFoldResult value, int64_t divisor) {
        return v.valueOf(affine::makeComposedFoldedAffineApply(
            v.builder, v.loc, v.builder.getAffineDimExpr(0).floorDiv(divisor), {value}));
      };
      SmallVector<Value> indices = {group, quotient(run.start, PanelPrefetch::block)};
      indices.append(taps.begin(), taps.end());
      indices.append({k, v.index(0)});
      Value tile =
          v.linear(outputs[0].outer.back(), tilesOfRow(), quotient(getAsOpFoldResult(outputs[0].column), rows), 0);
      prefetch->fetch(indices, 1, run.vectors * v.lanes / PanelPrefetch::block, tile, steps);
    };
    if (prefetch && prefetch->isNeededFor(run.vectors))
      product.ahead = ahead;
    Value firstChannel = v.linear(group, perGroup, v.index(0), 0);
    SmallVector<Value> sums = accumulate(v, product, tileRows, run.vectors, startOf(tileRows, run, firstChannel));
    for (int64_t row = 0; row < tileRows; ++row)
      for (int64_t j = 0; j < run.vectors; ++j) {
        Value channel = v.linear(firstChannel, 1, run.start, j * v.lanes);
        tensor = destination.store(v, sums[row * run.vectors + j], tensor,
                                   outputPoint(outputs[row].outer, outputs[row].column, outputs[row].shift, channel),
                                   run.mask(j));
      }
    return tensor;
  }

  /// One filter a channel: vectors along channels on both sides. Channels are innermost, because rows are contiguous in
  /// them, but in chunks: the rows of a window are then still in the first cache when the next row of outputs reads
  /// them again.
  Value emitDepthwise() {
    int64_t total = int64_t(*op.getOutChannels()), perBlock = filter.getShape().back(), blocks = total / perBlock;
    int64_t chunk = std::min(blocks, depthwiseChunk() / perBlock);
    Value tensor =
        v.loopOver(zero(), v.builder.getIndexAttr(blocks), chunk, destination.tensor(), [&](Value first, Value into) {
          Value end = blocks % chunk ? v.minimum(v.plus(first, chunk), v.index(blocks)) : v.plus(first, chunk);
          return overRowTiles(into, [&](ValueRange outer, Value column, int64_t tileRows, Value tile) {
            return v.loopOver(getAsOpFoldResult(first), getAsOpFoldResult(end), 1, tile, [&](Value block, Value inner) {
              return v.loopOver(zero(), v.builder.getIndexAttr(perBlock), v.lanes, inner,
                                [&](Value lane, Value vector) {
                                  return emitDepthwiseTile({block, lane, Value()}, outer, column, tileRows, vector);
                                });
            });
          });
        });
    for (int64_t at = blocks * perBlock; at < total; at += v.lanes) {
      DepthwiseVector rest{v.index(blocks), v.index(at % perBlock), v.mask(v.builder.getIndexAttr(total - at))};
      tensor = overRowTiles(tensor, [&](ValueRange outer, Value column, int64_t tileRows, Value tile) {
        return emitDepthwiseTile(rest, outer, column, tileRows, tile);
      });
    }
    return tensor;
  }

  Value overRowTiles(Value tensor, llvm::function_ref<Value(ValueRange, Value, int64_t, Value)> body) {
    return overOuter({}, tensor, rank - 2, [&](ValueRange outer, Value row) {
      return coverRows(v, sizes[rank - 2], rows, row,
                       [&](Value column, int64_t tileRows, Value tile) { return body(outer, column, tileRows, tile); });
    });
  }

  /// Channels whose window rows take half of a usual first cache, in whole cache lines; no less than a pair of lines,
  /// because that is what a core fetches.
  int64_t depthwiseChunk() {
    constexpr int64_t halfOfCache = 16 * 1024, line = 16;
    int64_t width = cast<RankedTensorType>(op.getInput().getType()).getDimSize(rank - 2);
    if (ShapedType::isDynamic(width))
      return 4 * line;
    int64_t windowRows = ShapedType::getNumElements(window().drop_back());
    return std::max(2 * line, halfOfCache / (windowRows * width * 4) / line * line);
  }

  Value emitDepthwiseTile(const DepthwiseVector &at, ValueRange outer, Value column, int64_t tileRows, Value tensor) {
    Value channel = v.linear(at.block, filter.getShape().back(), at.lane, 0);
    Value start = op.getBias() ? v.load(op.getBias(), channel, at.mask) : v.zero(v.builder.getF32Type());
    SmallVector<Value> sums(tileRows, start);
    sums = depthwiseTaps(at, channel, outer, column, {}, std::move(sums));
    for (int64_t row = 0; row < tileRows; ++row)
      tensor = destination.store(v, sums[row], tensor, outputPoint(outer, column, row, channel), at.mask);
    return tensor;
  }

  /// Rows of windows up to 3x3 are unrolled, those of larger ones are a loop.
  SmallVector<Value> depthwiseTaps(const DepthwiseVector &at, Value channel, ValueRange outer, Value column,
                                   SmallVector<Value> taps, SmallVector<Value> sums) {
    int64_t dim = taps.size();
    if (dim + 1 == spatial())
      return depthwiseRow(at, channel, outer, column, taps, std::move(sums));
    auto next = [&](Value tap, ValueRange carried) {
      SmallVector<Value> inner = taps;
      inner.push_back(tap);
      return depthwiseTaps(at, channel, outer, column, inner, llvm::to_vector(carried));
    };
    if (ShapedType::getNumElements(window()) > 9)
      return v.loop(zero(), v.builder.getIndexAttr(window()[dim]), 1, sums, next);
    for (int64_t tap = 0; tap < window()[dim]; ++tap)
      sums = next(v.index(tap), sums);
    return sums;
  }

  /// One row of the window at all outputs: its weights and the sums stay in registers, and each input is loaded once
  /// for all outputs that it belongs to.
  SmallVector<Value> depthwiseRow(const DepthwiseVector &at, Value channel, ValueRange outer, Value column,
                                  ValueRange taps, SmallVector<Value> sums) {
    int64_t size = window().back(), stride = op.getStrides().back(), dilation = op.getDilations().back();
    auto tapsWith = [&](int64_t tap) {
      SmallVector<Value> all(taps);
      all.push_back(v.index(tap));
      return all;
    };
    SmallVector<Value> weights;
    for (int64_t tap = 0; tap < size; ++tap) {
      SmallVector<Value> indices = {v.index(0), at.block};
      indices.append(tapsWith(tap));
      indices.append({v.index(0), at.lane});
      weights.push_back(v.load(op.getFilter(), indices));
    }
    int64_t outputs = sums.size();
    for (int64_t position = 0; position <= (outputs - 1) * stride + (size - 1) * dilation; ++position) {
      Value input;
      for (int64_t row = 0; row < outputs; ++row) {
        int64_t offset = position - row * stride, tap = offset / dilation;
        if (offset < 0 || offset % dilation || tap >= size)
          continue;
        if (!input) {
          SmallVector<Value> point = inputIndices(outer, column, row, tapsWith(tap));
          point.push_back(channel);
          input = v.load(op.getInput(), point, at.mask);
        }
        sums[row] = v.multiplyAdd(input, weights[tap], sums[row]);
      }
    }
    return sums;
  }

  VectorBuilder &v;
  ConvOp op;
  RankedTensorType filter;
  Destination destination;
  int64_t rank, rows, channels, groups, depth;
  SmallVector<OpFoldResult> sizes; // of the result
  std::optional<PanelPrefetch> prefetch;
};
} // namespace

void coat::emitMicrokernel(RewriterBase &rewriter, ConvOp op, ArrayRef<int64_t> reg, int64_t lanes) {
  rewriter.setInsertionPoint(op);
  VectorBuilder v(rewriter, op.getLoc(), lanes);
  ConvMicrokernel kernel(v, op, reg);
  Value result = kernel.emit();
  rewriter.replaceOp(kernel.replaced(), result);
  if (kernel.replaced() != op)
    rewriter.eraseOp(op);
}
