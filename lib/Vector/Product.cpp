// See Product.h.
#include "Product.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace coat;

// Steps in the body of a reduction. In a window it begins and ends so often that it shows: 3x3/2 of 56x56x128
// takes 2.50 ms with bodies of 4, 2.38 with 8 and 2.36 with 16. Elsewhere 8 are no faster, and 16 take three times as
// long to compile.
static constexpr int64_t unroll = 4, unrollInWindow = 8;
static constexpr int64_t block = 16;

/// Steps `k` .. `k + steps` of the reduction, in the order that keeps the fewest values alive.
static SmallVector<Value> steps(VectorBuilder &v, const Product &product, int64_t rows, int64_t vectors,
                                ValueRange taps, Value k, int64_t count, SmallVector<Value> sums) {
  for (int64_t step = 0; step < count; ++step) {
    SmallVector<Value> lefts, panels;
    auto left = [&](int64_t row) { return v.broadcast(product.left(row, taps, k, step)); };
    if (vectors <= rows) {
      for (int64_t j = 0; j < vectors; ++j)
        panels.push_back(product.panel(j, taps, k, step));
      for (int64_t row = 0; row < rows; ++row) {
        Value factor = left(row);
        for (int64_t j = 0; j < vectors; ++j)
          sums[row * vectors + j] = v.multiplyAdd(factor, panels[j], sums[row * vectors + j]);
      }
      continue;
    }
    for (int64_t row = 0; row < rows; ++row)
      lefts.push_back(left(row));
    for (int64_t j = 0; j < vectors; ++j) {
      Value factor = product.panel(j, taps, k, step);
      for (int64_t row = 0; row < rows; ++row)
        sums[row * vectors + j] = v.multiplyAdd(lefts[row], factor, sums[row * vectors + j]);
    }
  }
  return sums;
}

/// The whole reduction over depth at one window position.
static SmallVector<Value> reduceDepth(VectorBuilder &v, const Product &product, int64_t rows, int64_t vectors,
                                      ValueRange taps, SmallVector<Value> sums) {
  auto run = [&](OpFoldResult lower, OpFoldResult upper, int64_t count, SmallVector<Value> carried) {
    return v.loop(lower, upper, count, carried, [&](Value k, ValueRange inner) {
      return steps(v, product, rows, vectors, taps, k, count, llvm::to_vector(inner));
    });
  };
  auto number = [&](int64_t value) -> OpFoldResult { return v.builder.getIndexAttr(value); };
  std::optional<int64_t> depth = getConstantIntValue(product.depth);
  if (!depth) {
    AffineExpr d0 = v.builder.getAffineDimExpr(0);
    OpFoldResult full =
        affine::makeComposedFoldedAffineApply(v.builder, v.loc, d0.floorDiv(unroll) * unroll, {product.depth});
    return run(full, product.depth, 1, run(number(0), full, unroll, sums));
  }
  int64_t body = ShapedType::getNumElements(product.taps) > 1 && *depth >= 4 * unrollInWindow ? unrollInWindow : unroll;
  int64_t full = *depth / body * body, rest = *depth - full, fetched = 0;
  if (product.ahead) {
    fetched = full / product.aheadEvery * product.aheadEvery;
    sums = v.loop(number(0), number(fetched), product.aheadEvery, sums, [&](Value k, ValueRange inner) {
      product.ahead(taps, k);
      if (product.aheadEvery == body)
        return steps(v, product, rows, vectors, taps, k, body, llvm::to_vector(inner));
      return run(getAsOpFoldResult(k), getAsOpFoldResult(v.plus(k, product.aheadEvery)), body, llvm::to_vector(inner));
    });
  }
  sums = run(number(fetched), number(full), body, sums);
  return rest ? steps(v, product, rows, vectors, taps, v.index(full), rest, sums) : sums;
}

/// Loops over the window, from tap dimension taps.size() on.
static SmallVector<Value> reduceTaps(VectorBuilder &v, const Product &product, int64_t rows, int64_t vectors,
                                     SmallVector<Value> taps, SmallVector<Value> sums) {
  if (taps.size() == product.taps.size())
    return reduceDepth(v, product, rows, vectors, taps, sums);
  OpFoldResult zero = v.builder.getIndexAttr(0), size = v.builder.getIndexAttr(product.taps[taps.size()]);
  return v.loop(zero, size, 1, sums, [&](Value tap, ValueRange carried) {
    SmallVector<Value> inner = taps;
    inner.push_back(tap);
    return reduceTaps(v, product, rows, vectors, inner, llvm::to_vector(carried));
  });
}

/// Loops over all dimensions of the window but the first, from number taps.size() on, then over depth, then the first.
static SmallVector<Value> reduceStreams(VectorBuilder &v, const Product &product, int64_t rows, int64_t vectors,
                                        SmallVector<Value> taps, SmallVector<Value> sums) {
  bool inDepth = taps.size() == product.taps.size();
  OpFoldResult zero = v.builder.getIndexAttr(0);
  OpFoldResult size = inDepth ? product.depth : v.builder.getIndexAttr(product.taps[taps.size()]);
  return v.loop(zero, size, inDepth ? unroll : 1, sums, [&](Value index, ValueRange carried) {
    SmallVector<Value> next = taps, inner(carried);
    if (!inDepth) {
      next.push_back(index);
      return reduceStreams(v, product, rows, vectors, next, inner);
    }
    for (int64_t first = 0; first < product.taps[0]; ++first) {
      next[0] = v.index(first);
      inner = steps(v, product, rows, vectors, next, index, unroll, inner);
    }
    return inner;
  });
}

SmallVector<Value> coat::accumulate(VectorBuilder &v, const Product &product, int64_t rows, int64_t vectors,
                                    SmallVector<Value> start, ValueRange taps) {
  std::optional<int64_t> depth = getConstantIntValue(product.depth);
  if (product.streams && depth && *depth % unroll == 0)
    return reduceStreams(v, product, rows, vectors, {Value()}, std::move(start));
  return reduceTaps(v, product, rows, vectors, taps, std::move(start));
}

bool coat::comeFromMemory(Value weights) {
  auto slice = weights.getDefiningOp<tensor::ExtractSliceOp>(); // a task's part
  auto type = cast<RankedTensorType>(slice ? slice.getSource().getType() : weights.getType());
  return type.hasStaticShape() && type.getNumElements() * 4 > ownCache;
}

PanelPrefetch::PanelPrefetch(VectorBuilder &v, Value weights, int64_t tiles, int64_t depth)
    : v(v), weights(weights), tiles(tiles),
      every(std::clamp(tiles, unrollInWindow, std::max(unrollInWindow, depth)) / unrollInWindow * unrollInWindow) {
  needed = tiles > 1 && tiles <= 2 * depth && depth >= unrollInWindow && comeFromMemory(weights);
}

void PanelPrefetch::fetch(SmallVector<Value> indices, int64_t blockDim, int64_t blocks, Value tile) {
  // Behind the last panel there may be nothing, which a prefetch does not mind, or the first panel of the next task.
  int64_t each = llvm::divideCeil(every, tiles);
  Value block = indices[blockDim], k = indices[indices.size() - 2];
  for (int64_t j = 0; j < blocks; ++j)
    for (int64_t i = 0; i < each; ++i) {
      indices[blockDim] = v.plus(block, j);
      indices[indices.size() - 2] = v.linear(tile, each, k, i);
      v.prefetch(weights, indices);
    }
}

Value coat::coverRows(VectorBuilder &v, OpFoldResult extent, int64_t most, Value tensor,
                      llvm::function_ref<Value(Value, int64_t, Value)> tile) {
  OpFoldResult zero = v.builder.getIndexAttr(0);
  if (std::optional<int64_t> size = getConstantIntValue(extent)) {
    if (*size == 0)
      return tensor;
    int64_t tiles = llvm::divideCeil(*size, most), narrow = *size / tiles, wide = *size % tiles;
    int64_t switchAt = wide * (narrow + 1);
    auto run = [&](int64_t from, int64_t to, int64_t rows, Value into) {
      return v.loopOver(v.builder.getIndexAttr(from), v.builder.getIndexAttr(to), rows, into,
                        [&](Value row, Value inner) { return tile(row, rows, inner); });
    };
    return run(switchAt, *size, narrow, run(0, switchAt, narrow + 1, tensor));
  }
  auto rowByRow = [&] {
    return v.loopOver(zero, extent, 1, tensor, [&](Value row, Value inner) { return tile(row, 1, inner); });
  };
  if (most == 1)
    return rowByRow();
  Value size = v.valueOf(extent), full = v.index(most);
  Value fits = arith::CmpIOp::create(v.builder, v.loc, arith::CmpIPredicate::sge, size, full);
  return v.ifThenElse(
      fits,
      [&] {
        Value last = v.plus(size, -most);
        return v.loopOver(zero, extent, most, tensor,
                          [&](Value row, Value inner) { return tile(v.minimum(row, last), most, inner); });
      },
      rowByRow);
}

Value coat::coverChannels(VectorBuilder &v, OpFoldResult extent, int64_t most, Value tensor,
                          llvm::function_ref<Value(const ChannelRun &, Value)> body) {
  OpFoldResult zero = v.builder.getIndexAttr(0);
  auto whole = [&](OpFoldResult from, OpFoldResult to, int64_t channels, Value into) {
    return v.loopOver(from, to, channels, into,
                      [&](Value start, Value inner) { return body({start, channels / v.lanes, Value()}, inner); });
  };
  if (std::optional<int64_t> size = getConstantIntValue(extent)) {
    int64_t atMost = *size / most * most, atBlock = *size / block * block, tail = *size - atBlock;
    auto attr = [&](int64_t value) { return v.builder.getIndexAttr(value); };
    tensor = whole(zero, attr(atMost), most, tensor);
    if (atMost < atBlock)
      tensor = whole(attr(atMost), attr(atBlock), atBlock - atMost, tensor);
    if (!tail)
      return tensor;
    int64_t vectors = llvm::divideCeil(tail, v.lanes);
    return body({v.index(atBlock), vectors, v.mask(attr(tail - (vectors - 1) * v.lanes))}, tensor);
  }
  // Vector by vector behind the last full block: how many remain is not known.
  auto roundedDown = [&](int64_t step) {
    AffineExpr d0 = v.builder.getAffineDimExpr(0);
    return affine::makeComposedFoldedAffineApply(v.builder, v.loc, d0.floorDiv(step) * step, {extent});
  };
  OpFoldResult atMost = roundedDown(most), atBlock = roundedDown(block);
  tensor = whole(zero, atMost, most, tensor);
  if (most > block)
    tensor = whole(atMost, atBlock, block, tensor);
  return v.loopOver(atBlock, extent, v.lanes, tensor, [&](Value start, Value inner) {
    Value left = v.linear(start, -1, v.valueOf(extent), 0);
    return body({start, 1, v.mask(left)}, inner);
  });
}

Destination::Destination(VectorBuilder &v, Operation *product) : product(product), last(product) {
  Value result = product->getResult(0);
  auto epilogue = result.hasOneUse() ? dyn_cast<linalg::GenericOp>(*result.user_begin()) : linalg::GenericOp();
  // Where the epilogue reads the product twice the generic has one operand for it, or is left alone.
  if (epilogue && isElementwiseOnVectors(epilogue)) {
    OpOperand &use = *result.use_begin();
    if (epilogue.isDpsInput(&use) && epilogue.getMatchingIndexingMap(&use).isIdentity()) {
      last = epilogue;
      target = epilogue.getDpsInits()[0];
      v.builder.setInsertionPoint(epilogue);
      return;
    }
  }
  auto type = cast<RankedTensorType>(result.getType());
  auto insertion = result.hasOneUse() ? dyn_cast<tensor::ParallelInsertSliceOp>(*result.user_begin())
                                      : tensor::ParallelInsertSliceOp();
  if (insertion) {
    // The very place that the result is inserted into: nothing is left to copy.
    target = tensor::ExtractSliceOp::create(v.builder, v.loc, type, insertion.getDest(), insertion.getMixedOffsets(),
                                            insertion.getMixedSizes(), insertion.getMixedStrides());
    return;
  }
  SmallVector<OpFoldResult> sizes = getAsIndexOpFoldResult(v.builder.getContext(), type.getShape());
  ReifiedRankedShapedTypeDims shapes;
  if (!type.hasStaticShape() && succeeded(reifyResultShapes(v.builder, product, shapes)))
    sizes = shapes.front();
  target = tensor::EmptyOp::create(v.builder, v.loc, sizes, type.getElementType());
}

void Destination::prefetch(VectorBuilder &v, ValueRange point) const {
  auto epilogue = dyn_cast<linalg::GenericOp>(last);
  if (!epilogue)
    return;
  for (OpOperand *operand : epilogue.getDpsInputOperands())
    if (operand->get() != product->getResult(0) && epilogue.getMatchingIndexingMap(operand).isIdentity() &&
        isa<RankedTensorType>(operand->get().getType()))
      v.prefetch(operand->get(), point, /*intoFirst=*/true);
}

Value Destination::store(VectorBuilder &v, Value sums, Value tensor, ValueRange point, Value mask) {
  if (last != product)
    sums = elementwiseAt(v, cast<linalg::GenericOp>(last), point, mask, {{product->getResult(0), sums}});
  return v.store(sums, tensor, point, mask);
}
