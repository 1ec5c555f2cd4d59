// Convolutions of the size of a task as register microkernels.
//
//   for each run of output channels          the panel of its filter stays in the caches ..
//     for each image, row of outputs
//       for each tile of outputs in the row  .. while tiles stream by
//         sums = bias; sums += window x filter; epilogue; store
//
// Where a panel is larger than the cache, its parts for one position of the window take its place; sums wait in scratch
// for the next part.
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

class ConvMicrokernel {
public:
  ConvMicrokernel(VectorBuilder &v, ConvOp op, ArrayRef<int64_t> reg)
      : v(v), op(op), filter(cast<RankedTensorType>(op.getFilter().getType())), destination(v, op),
        rank(cast<RankedTensorType>(op.getInput().getType()).getRank()), rows(reg[rank - 2]), channels(reg[rank - 1]) {
    groups = filter.getDimSize(0);
    depth = filter.getDimSize(filter.getRank() - 2);
    for (int64_t dim = 0; dim < rank; ++dim)
      sizes.push_back(v.sizeOf(destination.tensor(), dim));
    if (std::optional<int64_t> tiles = tilesOfPlane())
      prefetch.emplace(v, op.getFilter(), *tiles, depth);
  }

  Value emit() { return emitGroups(); }
  Operation *replaced() const { return destination.op(); }

private:
  int64_t spatial() const { return rank - 2; }
  OpFoldResult zero() const { return v.builder.getIndexAttr(0); }
  int64_t tilesOfRow() const { return llvm::divideCeil(*getConstantIntValue(sizes[rank - 2]), rows); }
  std::optional<int64_t> tilesOfPlane() const {
    std::optional<int64_t> height = spatial() == 2 ? getConstantIntValue(sizes[1]) : std::nullopt;
    std::optional<int64_t> width = getConstantIntValue(sizes[rank - 2]);
    if (!height || !width)
      return {};
    return flatHeight() ? llvm::divideCeil(*height * *width, rows) : *height * tilesOfRow();
  }
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

  /// The bias of each vector of `run`.
  SmallVector<Value> biasOf(Value group, const ChannelRun &run) {
    SmallVector<Value> bias;
    for (int64_t j = 0; j < run.vectors; ++j)
      bias.push_back(op.getBias() ? v.load(op.getBias(), channelOf(group, run, j), run.mask(j))
                                  : v.zero(v.builder.getF32Type()));
    return bias;
  }
  Value channelOf(Value group, const ChannelRun &run, int64_t j) {
    int64_t perGroup = groups == 1 ? 0 : int64_t(*op.getOutChannels()) / groups;
    return v.linear(v.linear(group, perGroup, v.index(0), 0), 1, run.start, j * v.lanes);
  }

  Value emitGroups() {
    OpFoldResult perGroup = groups == 1 ? sizes.back() : v.builder.getIndexAttr(int64_t(*op.getOutChannels()) / groups);
    return v.loopOver(zero(), v.builder.getIndexAttr(groups), 1, destination.tensor(), [&](Value group, Value tensor) {
      return coverChannels(v, perGroup, channels, tensor, [&](const ChannelRun &run, Value inner) {
        return isInParts(run) ? emitInParts(group, run, inner) : emitRun(group, run, inner);
      });
    });
  }

  Value emitRun(Value group, const ChannelRun &run, Value tensor) {
    return overTiles(tensor, [&](ArrayRef<OutputAt> outputs, Value number, Value tile) {
      SmallVector<Value> start, bias = biasOf(group, run);
      for (const OutputAt &output : outputs) {
        start.append(bias);
        for (int64_t j = 0; j < run.vectors; j += v.vectorsOfLine())
          destination.prefetch(v, resultPoint(group, run, output, j));
      }
      SmallVector<Value> sums = sumsOf(group, run, outputs, number, {}, std::move(start));
      for (auto [row, output] : llvm::enumerate(outputs))
        for (int64_t j = 0; j < run.vectors; ++j)
          tile = storeResult(group, run, output, j, sums[row * run.vectors + j], tile);
      return tile;
    });
  }

  //===--- a panel in parts ---===//

  bool isInParts(const ChannelRun &run) const {
    constexpr int64_t mostSums = 16 * 1024; // bytes: half of the first cache
    std::optional<int64_t> tiles = tilesOfPlane();
    int64_t channelBytes = 4 * v.lanes * run.vectors;
    return tiles && *tiles > 1 && getConstantIntValue(sizes[0]) == 1 && *tiles * rows * channelBytes <= mostSums &&
           ShapedType::getNumElements(window()) * depth * channelBytes > ownCache;
  }

  /// 512 to 512 channels, 3x3, from 14x14 to 7x7:
  Value emitInParts(Value group, const ChannelRun &run, Value tensor) {
    int64_t height = *getConstantIntValue(sizes[1]), width = *getConstantIntValue(sizes[2]);
    Value sums =
        tensor::EmptyOp::create(v.builder, v.loc, {height * width, v.lanes * run.vectors}, v.builder.getF32Type());
    auto point = [&](const OutputAt &at, int64_t j) -> SmallVector<Value> {
      return {v.linear(at.outer.back(), width, v.plus(at.column, at.shift), 0), v.index(j * v.lanes)};
    };
    SmallVector<Value> bias = biasOf(group, run);
    sums = v.loopOver(zero(), v.builder.getIndexAttr(height * width), 1, sums, [&](Value number, Value into) {
      for (int64_t j = 0; j < run.vectors; ++j)
        into = v.store(bias[j], into, {number, v.index(j * v.lanes)});
      return into;
    });
    sums = overTaps({}, sums, [&](ValueRange taps, Value ofPart) {
      return overTiles(ofPart, [&](ArrayRef<OutputAt> outputs, Value number, Value tile) {
        SmallVector<Value> start;
        for (const OutputAt &at : outputs)
          for (int64_t j = 0; j < run.vectors; ++j)
            start.push_back(v.load(tile, point(at, j)));
        SmallVector<Value> results = sumsOf(group, run, outputs, number, taps, std::move(start));
        for (auto [row, at] : llvm::enumerate(outputs))
          for (int64_t j = 0; j < run.vectors; ++j)
            tile = v.store(results[row * run.vectors + j], tile, point(at, j));
        return tile;
      });
    });
    return overOuter({}, tensor, rank - 2, [&](ValueRange outer, Value ofRow) {
      return v.loopOver(zero(), sizes[2], 1, ofRow, [&](Value column, Value into) {
        OutputAt at{llvm::to_vector(outer), column, 0};
        for (int64_t j = 0; j < run.vectors; ++j)
          into = storeResult(group, run, at, j, v.load(sums, point(at, j)), into);
        return into;
      });
    });
  }

  Value overTaps(SmallVector<Value> taps, Value tensor, llvm::function_ref<Value(ValueRange, Value)> body) {
    if (int64_t(taps.size()) == spatial())
      return body(taps, tensor);
    return v.loopOver(zero(), v.builder.getIndexAttr(window()[taps.size()]), 1, tensor, [&](Value tap, Value inner) {
      SmallVector<Value> next = taps;
      next.push_back(tap);
      return overTaps(next, inner, body);
    });
  }

  //===--- tiles ---===//

  /// A tile: its outputs, and its number of those that use a panel.
  using TileBody = llvm::function_ref<Value(ArrayRef<OutputAt> outputs, Value number, Value tensor)>;

  Value overTiles(Value tensor, TileBody body) {
    if (std::optional<int64_t> height = flatHeight())
      return overFlatTiles(*height, tensor, body);
    return overOuter({}, tensor, rank - 2, [&](ValueRange outer, Value row) {
      return coverRows(v, sizes[rank - 2], rows, row, [&](Value column, int64_t tileRows, Value tile) {
        SmallVector<OutputAt> outputs;
        for (int64_t at = 0; at < tileRows; ++at)
          outputs.push_back({llvm::to_vector(outer), column, at});
        Value number = prefetch ? v.linear(outer.back(), tilesOfRow(), quotient(column, tileRows), 0) : Value();
        return body(outputs, number, tile);
      });
    });
  }

  /// The rows of a plane so narrow that tiles along a row would leave multiply-adds waiting for each other; tiles of
  /// such a plane go over the ends of its rows.
  std::optional<int64_t> flatHeight() const {
    constexpr int64_t narrowPlane = 8;
    std::optional<int64_t> width = getConstantIntValue(sizes[rank - 2]);
    std::optional<int64_t> height = spatial() > 1 ? getConstantIntValue(sizes[rank - 3]) : std::nullopt;
    bool flat = width && height && *width < narrowPlane && *height > 1;
    return flat ? height : std::nullopt;
  }

  /// At positions known here where the plane is small, else a loop that divides by the width.
  Value overFlatTiles(int64_t height, Value tensor, TileBody body) {
    constexpr int64_t mostKnown = 12; // more would be long straight code, slow to analyse
    int64_t width = *getConstantIntValue(sizes[rank - 2]), total = width * height;
    auto outputsFrom = [&](ValueRange outer, Value position, int64_t count) {
      SmallVector<OutputAt> outputs;
      for (int64_t at = 0; at < count; ++at) {
        AffineExpr flat = v.builder.getAffineDimExpr(0) + at;
        outputs.push_back({llvm::to_vector(outer), apply(flat % width, position), 0});
        outputs.back().outer.push_back(apply(flat.floorDiv(width), position));
      }
      return outputs;
    };
    return overOuter({}, tensor, rank - 3, [&](ValueRange outer, Value plane) {
      auto emit = [&](Value position, int64_t count, Value tile) {
        return body(outputsFrom(outer, position, count), quotient(position, count), tile);
      };
      if (total > mostKnown)
        return coverRows(v, v.builder.getIndexAttr(total), rows, plane, emit);
      int64_t tiles = llvm::divideCeil(total, rows);
      for (int64_t tile = 0; tile < tiles; ++tile) {
        int64_t from = tile * total / tiles;
        plane = emit(v.index(from), (tile + 1) * total / tiles - from, plane);
      }
      return plane;
    });
  }

  Value apply(AffineExpr expr, Value value) {
    return v.valueOf(affine::makeComposedFoldedAffineApply(v.builder, v.loc, expr, {getAsOpFoldResult(value)}));
  }
  Value quotient(Value value, int64_t divisor) { return apply(v.builder.getAffineDimExpr(0).floorDiv(divisor), value); }

  /// `start` plus the sums of `outputs`, tile number `number`, over the window, or at its position `taps`.
  SmallVector<Value> sumsOf(Value group, const ChannelRun &run, ArrayRef<OutputAt> outputs, Value number,
                            ValueRange taps, SmallVector<Value> start) {
    int64_t block = filter.getShape().back(), vectorsOfBlock = block / v.lanes;
    // Runs start at whole blocks, except behind the last one of an unknown extent.
    Value firstBlock = quotient(run.start, block);
    auto filterIndices = [&](Value blockIndex, ValueRange taps, Value k, Value lane) {
      SmallVector<Value> indices = {group, blockIndex};
      indices.append(taps.begin(), taps.end());
      indices.append({k, lane});
      return indices;
    };
    auto left = [&](int64_t row, ValueRange taps, Value k, int64_t offset) {
      const OutputAt &at = outputs[row];
      SmallVector<Value> indices = inputIndices(at.outer, at.column, at.shift, taps);
      indices.push_back(v.linear(group, depth, k, offset));
      return v.loadScalar(op.getInput(), indices);
    };
    auto panel = [&](int64_t j, ValueRange taps, Value k, int64_t offset) {
      Value lane = run.vectors == 1 ? apply(v.builder.getAffineDimExpr(0) % block, run.start)
                                    : v.index(j % vectorsOfBlock * v.lanes);
      return v.load(op.getFilter(),
                    filterIndices(v.plus(firstBlock, j / vectorsOfBlock), taps, v.plus(k, offset), lane));
    };
    Product product{llvm::to_vector(window()), v.builder.getIndexAttr(depth), left, panel};
    int64_t blocks = run.vectors * v.lanes / PanelPrefetch::block;
    auto ahead = [&](ValueRange at, Value k) {
      SmallVector<Value> indices = filterIndices(firstBlock, at, k, v.index(0));
      // Next is the panel of the next run, or of the next tap: behind the last tap of a block lies the next block.
      Value &next = taps.empty() ? indices[1] : indices[indices.size() - 3];
      next = v.plus(next, taps.empty() ? blocks : 1);
      prefetch->fetch(indices, 1, blocks, number);
    };
    if (prefetch && prefetch->isNeededFor(run.vectors)) {
      product.ahead = ahead;
      product.aheadEvery = prefetch->stepsBetween();
    }
    constexpr int64_t mostStreams = 4;
    product.streams = tilesOfPlane() == 1 && spatial() > 1 && window().front() > 1 && window().front() <= mostStreams &&
                      comeFromMemory(op.getFilter());
    return accumulate(v, product, outputs.size(), run.vectors, std::move(start), taps);
  }

  Value storeResult(Value group, const ChannelRun &run, const OutputAt &at, int64_t j, Value sum, Value tensor) {
    return destination.store(v, sum, tensor, resultPoint(group, run, at, j), run.mask(j));
  }
  SmallVector<Value> resultPoint(Value group, const ChannelRun &run, const OutputAt &at, int64_t j) {
    SmallVector<Value> point(at.outer);
    point.append({v.plus(at.column, at.shift), channelOf(group, run, j)});
    return point;
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
  bool depthwise = op.getGroup() > 1 && cast<RankedTensorType>(op.getFilter().getType()).getDimSize(0) == 1;
  if (depthwise)
    return emitDepthwise(rewriter, op, reg, lanes);
  rewriter.setInsertionPoint(op);
  VectorBuilder v(rewriter, op.getLoc(), lanes);
  ConvMicrokernel kernel(v, op, reg);
  Value result = kernel.emit();
  rewriter.replaceOp(kernel.replaced(), result);
  if (kernel.replaced() != op)
    rewriter.eraseOp(op);
}
