// Movement of elements to linalg.generic: gather and pad. Both compute the source position from the result position and
// read it by tensor.extract.
#include "Lowerings.h"
#include "Scalars.h"

using namespace mlir;
using namespace coat;

namespace {
using Values = FailureOr<SmallVector<Value>>;

/// out[a.., i.., b..] = in[a.., indices[i..], b..]
struct LowerGather : Lowering<GatherOp> {
  using Lowering::Lowering;
  Values lower(GatherOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto input = cast<RankedTensorType>(op.getInput().getType());
    auto indices = cast<RankedTensorType>(op.getIndices().getType());
    int64_t axis = op.getAxis(), rank = op.getElementwise() ? input.getRank() : input.getRank() - 1 + indices.getRank();
    SmallVector<OpFoldResult> inputSizes = sizesOf(rewriter, loc, op.getInput());
    SmallVector<OpFoldResult> sizes = sizesOf(rewriter, loc, op.getIndices());
    AffineMap map = rewriter.getMultiDimIdentityMap(rank);
    if (!op.getElementwise()) {
      sizes.insert(sizes.begin(), inputSizes.begin(), inputSizes.begin() + axis);
      sizes.append(inputSizes.begin() + axis + 1, inputSizes.end());
      map = map.getSliceMap(axis, indices.getRank());
    }
    return SmallVector<Value>{mapped(rewriter, loc, sizes, input.getElementType(), op.getIndices(), map,
                                     [&](OpBuilder &b, Location l, ValueRange args) {
                                       Scalars s{b, l};
                                       Value extent = s.asValue(inputSizes[axis]);
                                       // Loops are a.., i.., b..; the indices' own loops give way to one position.
                                       int64_t own = op.getElementwise() ? 1 : indices.getRank();
                                       SmallVector<Value> at;
                                       for (int64_t dim = 0; dim < axis; ++dim)
                                         at.push_back(s.index(dim));
                                       at.push_back(position(s, args[0], extent));
                                       for (int64_t dim = axis + own; dim < rank; ++dim)
                                         at.push_back(s.index(dim));
                                       return tensor::ExtractOp::create(b, l, op.getInput(), at).getResult();
                                     })};
  }

  /// The index with negative ones counted from the end, kept inside the dimension.
  static Value position(Scalars s, Value index, Value extent) {
    Type type = s.builder.getIndexType();
    Value zero = s.constant(type, 0);
    index = arith::IndexCastOp::create(s.builder, s.loc, type, index);
    index = s.select(s.compare(arith::CmpIPredicate::slt, index, zero), s.add(index, extent), index);
    return s.max(s.min(index, s.sub(extent, s.constant(type, 1))), zero);
  }
};

/// A position inside the input for every result position; constant mode selects the value where there is none.
struct LowerPad : Lowering<PadOp> {
  using Lowering::Lowering;
  Values lower(PadOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getInput().getType());
    SmallVector<OpFoldResult> inputSizes = sizesOf(rewriter, loc, op.getInput()), sizes;
    for (auto [size, low, high] : llvm::zip(inputSizes, op.getLow(), op.getHigh()))
      sizes.push_back(
          affine::makeComposedFoldedAffineApply(rewriter, loc, rewriter.getAffineDimExpr(0) + low + high, {size}));
    if (op.getMode() == PadMode::constant && llvm::is_contained(type.getShape(), 0))
      return SmallVector<Value>{filled(rewriter, loc, sizes, fill(op))};
    return SmallVector<Value>{
        mapped(rewriter, loc, sizes, type.getElementType(), {}, {},
               [&](OpBuilder &b, Location l, ValueRange) { return element({b, l}, op, inputSizes); })};
  }

  static TypedAttr fill(PadOp op) {
    return scalarAttr(getElementTypeOrSelf(op.getInput()), op.getValue().convertToDouble());
  }

  static Value element(Scalars s, PadOp op, ArrayRef<OpFoldResult> inputSizes) {
    SmallVector<Value> at;
    Value inside;
    for (auto [dim, size] : llvm::enumerate(inputSizes)) {
      Value out = s.index(dim);
      if (op.getLow()[dim] == 0 && op.getHigh()[dim] == 0) {
        at.push_back(out);
        continue;
      }
      Value raw = s.sub(out, s.constant(out.getType(), static_cast<double>(op.getLow()[dim])));
      at.push_back(source(s, op.getMode(), raw, s.asValue(size)));
      Value same = s.compare(arith::CmpIPredicate::eq, raw, at.back());
      inside = inside ? s.logicalAnd(inside, same) : same;
    }
    Value x = tensor::ExtractOp::create(s.builder, s.loc, op.getInput(), at);
    if (op.getMode() != PadMode::constant || !inside)
      return x;
    return s.select(inside, x, scalarConstant(s.builder, s.loc, fill(op)));
  }

  /// The input index for `raw`, which is before 0 or beyond the end in the padding.
  static Value source(Scalars s, PadMode mode, Value raw, Value extent) {
    Type type = raw.getType();
    Value zero = s.constant(type, 0), last = s.sub(extent, s.constant(type, 1));
    switch (mode) {
    case PadMode::constant:
    case PadMode::edge:
      return s.max(s.min(raw, last), zero);
    case PadMode::reflect: {
      Value fromLow = s.max(raw, s.sub(zero, raw));
      return s.min(fromLow, s.sub(s.add(last, last), fromLow));
    }
    case PadMode::wrap: {
      Value rest = arith::RemSIOp::create(s.builder, s.loc, raw, extent);
      return s.select(s.compare(arith::CmpIPredicate::slt, rest, zero), s.add(rest, extent), rest);
    }
    }
    llvm_unreachable("all modes are handled");
  }
};
} // namespace

void coat::populateMoveToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerGather, LowerPad>(patterns.getContext());
}
