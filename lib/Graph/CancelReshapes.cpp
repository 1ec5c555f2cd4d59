// An element-wise op between a reshape and its inverse; see Movement.h.
//
// Swin adds the mask of its shifted windows to scores whose batch it splits into images and windows, and merges them
// again: two reshapes that hide the sum from the recognition of attention.
#include "Match.h"
#include "Movement.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

/// The positions of the dimensions of more than one element.
static SmallVector<int64_t> wide(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> result;
  for (auto [i, size] : llvm::enumerate(shape))
    if (size != 1)
      result.push_back(i);
  return result;
}

/// The shape of an operand that broadcasts to `outer`, after `outer` is reshaped to `inner`; nullopt when the two
/// differ in more than dimensions of size 1.
static std::optional<SmallVector<int64_t>> shapeInside(ArrayRef<int64_t> operand, ArrayRef<int64_t> outer,
                                                       ArrayRef<int64_t> inner) {
  SmallVector<int64_t> from = wide(outer), to = wide(inner), result(inner.size(), 1);
  if (from.size() != to.size())
    return std::nullopt;
  int64_t missing = outer.size() - operand.size(); // dimensions that the operand lacks on the left
  for (auto [source, target] : llvm::zip_equal(from, to)) {
    if (outer[source] != inner[target])
      return std::nullopt;
    if (source >= missing)
      result[target] = operand[source - missing];
  }
  return result;
}

namespace {
/// reshape(f(reshape(x), y)) of the shape of x -> f(x, reshape(y))
/// Does not apply when the reshapes do more than insert and remove dimensions of size 1, a size is dynamic, or
/// something else reads what stands between them.
struct ElementwiseBetweenReshapes : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto compute = op.getInput().getDefiningOp<ElementwiseOp>();
    if (!compute || !compute->hasOneUse() || !tensorType(op).hasStaticShape() || !tensorType(compute).hasStaticShape())
      return failure();
    ArrayRef<int64_t> outer = tensorType(compute).getShape(), inner = tensorType(op).getShape();
    SmallVector<Value> operands;
    bool meets = false; // some operand is a reshape of the very shape that is wanted
    for (Value operand : compute.getInputs()) {
      std::optional<SmallVector<int64_t>> shape = shapeInside(tensorType(operand).getShape(), outer, inner);
      if (!shape)
        return failure();
      auto reshape = operand.getDefiningOp<ReshapeOp>();
      bool inverse = reshape && reshape->hasOneUse() && tensorType(reshape.getInput()).getShape() == inner;
      meets |= inverse;
      operands.push_back(inverse ? reshape.getInput() : Value());
    }
    if (!meets)
      return failure();
    for (auto [operand, given] : llvm::zip_equal(operands, compute.getInputs())) {
      if (operand)
        continue;
      SmallVector<int64_t> shape = *shapeInside(tensorType(given).getShape(), outer, inner);
      operand = ConstantTensor::get(given)
                    ? reshapedConstant(rewriter, op.getLoc(), given, shape)
                    : ReshapeOp::create(rewriter, op.getLoc(), tensorType(given).clone(shape), given, ValueRange());
    }
    Operation *inside = rewriter.clone(*compute);
    inside->setOperands(operands);
    inside->getResult(0).setType(op.getType());
    rewriter.replaceOp(op, inside->getResults());
    return success();
  }
};
} // namespace

void coat::graph::populateCancelReshapePatterns(RewritePatternSet &patterns) {
  patterns.add<ElementwiseBetweenReshapes>(patterns.getContext());
}
