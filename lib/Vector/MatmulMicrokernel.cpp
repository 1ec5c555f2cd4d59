// Matrix products of the size of a task as register microkernels.
//
//   for each batch
//     for each run of columns                the panel of the rhs stays in the caches ..
//       for each tile of rows                .. while tiles stream by
//         sums = bias; sums += lhs x rhs; epilogue; store
#include "Microkernels.h"
#include "Product.h"
#include "coat/Dialect/Coat.h"

using namespace mlir;
using namespace coat;

namespace {
class MatmulMicrokernel {
public:
  MatmulMicrokernel(VectorBuilder &v, MatmulOp op, ArrayRef<int64_t> reg)
      : v(v), op(op), destination(v, op), packed(op.getFilterLayout() == FilterLayout::packed) {
    auto result = cast<RankedTensorType>(op.getResult().getType());
    rank = result.getRank();
    rows = reg[rank - 2];
    columns = reg[rank - 1];
    for (int64_t dim = 0; dim < rank; ++dim)
      sizes.push_back(v.sizeOf(destination.tensor(), dim));
    auto lhs = cast<RankedTensorType>(op.getLhs().getType());
    depth = v.sizeOf(op.getLhs(), lhs.getRank() - 1);
    std::optional<int64_t> height = getConstantIntValue(sizes[rank - 2]), known = getConstantIntValue(depth);
    if (packed && height && known)
      prefetch.emplace(v, op.getRhs(), llvm::divideCeil(*height, rows), *known);
  }

  Value emit() { return overBatch({}, destination.tensor()); }
  Operation *replaced() const { return destination.op(); }

private:
  Value overBatch(SmallVector<Value> batch, Value tensor) {
    if (int64_t(batch.size()) == rank - 2)
      return emitBatch(batch, tensor);
    return v.loopOver(v.builder.getIndexAttr(0), sizes[batch.size()], 1, tensor, [&](Value iv, Value inner) {
      SmallVector<Value> next = batch;
      next.push_back(iv);
      return overBatch(next, inner);
    });
  }

  Value emitBatch(ValueRange batch, Value tensor) {
    return coverChannels(v, sizes[rank - 1], columns, tensor, [&](const ChannelRun &run, Value inner) {
      return coverRows(v, sizes[rank - 2], rows, inner, [&](Value row, int64_t tileRows, Value tile) {
        return emitTile(batch, run, row, tileRows, tile);
      });
    });
  }

  Value quotient(Value value, int64_t divisor) {
    return v.valueOf(affine::makeComposedFoldedAffineApply(
        v.builder, v.loc, v.builder.getAffineDimExpr(0).floorDiv(divisor), {getAsOpFoldResult(value)}));
  }

  /// Leading indices of `operand`: those of the result, 0 where it broadcasts.
  SmallVector<Value> batchIndices(Value operand, ValueRange batch) {
    ArrayRef<int64_t> own = cast<RankedTensorType>(operand.getType()).getShape().drop_back(2);
    SmallVector<Value> indices;
    for (auto [size, index] : llvm::zip_equal(own, batch.take_back(own.size())))
      indices.push_back(size == 1 ? v.index(0) : index);
    return indices;
  }

  Value panelAt(ValueRange batch, const ChannelRun &run, int64_t j, Value k, int64_t offset) {
    if (!packed) {
      SmallVector<Value> indices = batchIndices(op.getRhs(), batch);
      indices.append({v.plus(k, offset), v.plus(run.start, j * v.lanes)});
      return v.load(op.getRhs(), indices, run.mask(j));
    }
    int64_t block = cast<RankedTensorType>(op.getRhs().getType()).getShape().back();
    AffineExpr d0 = v.builder.getAffineDimExpr(0);
    auto apply = [&](AffineExpr expr) {
      return v.valueOf(affine::makeComposedFoldedAffineApply(v.builder, v.loc, expr, {getAsOpFoldResult(run.start)}));
    };
    // Runs start at whole blocks, except behind the last one of an unknown extent.
    int64_t vectorsOfBlock = block / v.lanes;
    Value lane = run.vectors == 1 ? apply(d0 % block) : v.index(j % vectorsOfBlock * v.lanes);
    return v.load(op.getRhs(), {apply(d0.floorDiv(block) + j / vectorsOfBlock), v.plus(k, offset), lane});
  }

  Value emitTile(ValueRange batch, const ChannelRun &run, Value row, int64_t tileRows, Value tensor) {
    auto left = [&](int64_t r, ValueRange, Value k, int64_t offset) {
      SmallVector<Value> indices = batchIndices(op.getLhs(), batch);
      indices.append({v.plus(row, r), v.plus(k, offset)});
      return v.loadScalar(op.getLhs(), indices);
    };
    auto panel = [&](int64_t j, ValueRange, Value k, int64_t offset) { return panelAt(batch, run, j, k, offset); };
    SmallVector<Value> starts;
    for (int64_t j = 0; j < run.vectors; ++j)
      starts.push_back(op.getBias() ? v.load(op.getBias(), v.plus(run.start, j * v.lanes), run.mask(j))
                                    : v.zero(v.builder.getF32Type()));
    SmallVector<Value> sums;
    for (int64_t r = 0; r < tileRows; ++r)
      sums.append(starts);
    auto pointOf = [&](int64_t r, int64_t j) {
      SmallVector<Value> point(batch);
      point.append({v.plus(row, r), v.plus(run.start, j * v.lanes)});
      return point;
    };
    for (int64_t r = 0; r < tileRows; ++r)
      for (int64_t j = 0; j < run.vectors; j += v.vectorsOfLine())
        destination.prefetch(v, pointOf(r, j));
    Product product{{}, depth, left, panel};
    int64_t block = PanelPrefetch::block, blocks = run.vectors * v.lanes / block;
    auto ahead = [&](ValueRange, Value k) {
      Value next = v.plus(quotient(run.start, block), blocks);
      prefetch->fetch({next, k, v.index(0)}, 0, blocks, quotient(row, tileRows));
    };
    if (prefetch && prefetch->isNeededFor(run.vectors)) {
      product.ahead = ahead;
      product.aheadEvery = prefetch->stepsBetween();
    }
    sums = accumulate(v, product, tileRows, run.vectors, std::move(sums));
    for (int64_t r = 0; r < tileRows; ++r)
      for (int64_t j = 0; j < run.vectors; ++j)
        tensor = destination.store(v, sums[r * run.vectors + j], tensor, pointOf(r, j), run.mask(j));
    return tensor;
  }

  VectorBuilder &v;
  MatmulOp op;
  Destination destination;
  bool packed;
  int64_t rank, rows, columns;
  SmallVector<OpFoldResult> sizes; // of the result
  OpFoldResult depth;
  std::optional<PanelPrefetch> prefetch;
};
} // namespace

void coat::emitMicrokernel(RewriterBase &rewriter, MatmulOp op, ArrayRef<int64_t> reg, int64_t lanes) {
  rewriter.setInsertionPoint(op);
  VectorBuilder v(rewriter, op.getLoc(), lanes);
  MatmulMicrokernel kernel(v, op, reg);
  Value result = kernel.emit();
  rewriter.replaceOp(kernel.replaced(), result);
  if (kernel.replaced() != op)
    rewriter.eraseOp(op);
}
