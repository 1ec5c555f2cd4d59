// Element-wise coat ops to linalg.generic. A file of its own because Kernels needs exactly these: once they
// are generics, upstream fusion merges a chain of them into the one epilogue of a kernel.
#include "Generic.h"
#include "coat/Dialect/Coat.h"
#include "coat/Tile/LowerToLinalg.h"

using namespace mlir;
using namespace coat;

namespace {
/// The splat constant that `value` is, or null: it goes into the body as a scalar instead of being read.
TypedAttr splatOf(Value value) {
  DenseElementsAttr dense;
  if (matchPattern(value, m_Constant(&dense)) && dense.isSplat())
    return dyn_cast<TypedAttr>(dense.getSplatValue<Attribute>());
  return {};
}

/// Sizes of a result that `inputs` broadcast to: a static size, or that of an input which has it.
SmallVector<OpFoldResult> broadcastSizes(OpBuilder &builder, Location loc, ValueRange inputs, RankedTensorType result) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim = 0; dim < result.getRank(); ++dim) {
    if (!result.isDynamicDim(dim)) {
      sizes.push_back(builder.getIndexAttr(result.getDimSize(dim)));
      continue;
    }
    for (Value input : inputs) {
      auto type = cast<RankedTensorType>(input.getType());
      int64_t own = dim - (result.getRank() - type.getRank());
      if (own >= 0 && type.isDynamicDim(own)) {
        sizes.push_back(tensor::getMixedSize(builder, loc, input, own));
        break;
      }
    }
  }
  return sizes;
}

/// %r = coat.elementwise add %a, %b   ==>   %r = linalg.generic {maps that broadcast} ins(%a, %b) {arith.addf}
/// Splat constants become scalars in the body. Does not apply when not on ranked tensors (there are none such).
struct LowerElementwise : OpRewritePattern<ElementwiseOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ElementwiseOp op, PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getResult().getType());
    SmallVector<OpFoldResult> sizes = broadcastSizes(rewriter, op.getLoc(), op.getInputs(), type);
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    SmallVector<TypedAttr> splats;
    for (Value input : op.getInputs()) {
      splats.push_back(splatOf(input));
      if (splats.back())
        continue;
      inputs.push_back(input);
      maps.push_back(broadcastMap(getContext(), cast<RankedTensorType>(input.getType()).getShape(), type.getShape()));
    }
    auto body = [&](OpBuilder &builder, Location loc, ValueRange args) {
      SmallVector<Value> scalars;
      for (TypedAttr splat : splats) {
        if (!splat) {
          scalars.push_back(args.front());
          args = args.drop_front();
          continue;
        }
        scalars.push_back(scalarConstant(builder, loc, splat));
      }
      return op.buildScalar(builder, loc, scalars);
    };
    rewriter.replaceOp(op, mapped(rewriter, op.getLoc(), sizes, type.getElementType(), inputs, maps, body));
    return success();
  }
};

/// %r = coat.cast %a   ==>   %r = linalg.generic ins(%a) {the conversion}
struct LowerCast : OpRewritePattern<CastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CastOp op, PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getResult().getType());
    AffineMap map = rewriter.getMultiDimIdentityMap(type.getRank());
    rewriter.replaceOp(op, mapped(rewriter, op.getLoc(), sizesOf(rewriter, op.getLoc(), op.getInput()),
                                  type.getElementType(), op.getInput(), map,
                                  [&](OpBuilder &builder, Location loc, ValueRange args) {
                                    return op.buildScalar(builder, loc, args[0]);
                                  }));
    return success();
  }
};

/// %r = coat.broadcast %a   ==>   %r = linalg.generic {map that broadcasts} ins(%a) {the element}
struct LowerBroadcast : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BroadcastOp op, PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getResult().getType());
    AffineMap map =
        broadcastMap(getContext(), cast<RankedTensorType>(op.getInput().getType()).getShape(), type.getShape());
    rewriter.replaceOp(op, mapped(rewriter, op.getLoc(), getMixedValues(type.getShape(), op.getSizes(), rewriter),
                                  type.getElementType(), op.getInput(), map,
                                  [](OpBuilder &, Location, ValueRange args) { return args[0]; }));
    return success();
  }
};

/// %r = coat.transpose %a   ==>   %r = linalg.generic {inverse permutation} ins(%a) {the element}
struct LowerTranspose : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getResult().getType());
    SmallVector<OpFoldResult> inputSizes = sizesOf(rewriter, op.getLoc(), op.getInput()), sizes;
    for (int64_t from : op.getPermutation())
      sizes.push_back(inputSizes[from]);
    AffineMap map = inversePermutation(AffineMap::getPermutationMap(op.getPermutation(), getContext()));
    rewriter.replaceOp(op, mapped(rewriter, op.getLoc(), sizes, type.getElementType(), op.getInput(), map,
                                  [](OpBuilder &, Location, ValueRange args) { return args[0]; }));
    return success();
  }
};
} // namespace

void coat::populateElementwiseToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerElementwise, LowerCast, LowerBroadcast, LowerTranspose>(patterns.getContext());
}
