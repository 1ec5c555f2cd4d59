// coat-recognize-attention: enters coat on tensors with one op a node; softmax(scale * q k^T + mask) v becomes one
// coat.attention. Left alone: scores or weights that something else reads too, and softmax over another dimension.
//
// Why walk up from the last product instead of one big pattern: every exporter writes the scale and the mask in
// other places, but all of them lie on the one path softmax -> scores -> product of q and k.
#include "HardAttention.h"
#include "Match.h"
#include "coat/Graph/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Traits.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

namespace coat {
#define GEN_PASS_DEF_COATRECOGNIZEATTENTION
#include "coat/Graph/Passes.h.inc"
} // namespace coat

namespace {
/// What has been read off the way from the softmax up to q and k.
struct Parts {
  Value query, key, value;
  bool queryTransposed = false, keyTransposed = false, valueTransposed = false; // held as [.., D, S]
  SmallVector<Value> additive;                                                  // masks to be summed
  SmallVector<double> additiveScale;
  Value boolean; // true where visible
  bool booleanInverted = false;
  double scale = 1;
  bool causal = false;
  int64_t topK = 0; // keys that a query sees; 0: all
};

bool swapsLastTwo(TransposeOp op) {
  ArrayRef<int64_t> permutation = op.getPermutation();
  int64_t rank = permutation.size();
  if (rank < 2 || permutation[rank - 1] != rank - 2 || permutation[rank - 2] != rank - 1)
    return false;
  for (int64_t i = 0; i + 2 < rank; ++i)
    if (permutation[i] != i)
      return false;
  return true;
}

/// Moves scales and swaps of the last two dimensions from the way to `value` into `scale` and `transposed`.
void peelOperand(Value &value, bool &transposed, double &scale) {
  while (true) {
    WithScalar next = scaled(value);
    if (next.other != value) {
      value = next.other;
      scale *= next.scalar;
      continue;
    }
    auto transpose = value.getDefiningOp<TransposeOp>();
    if (!transpose || !swapsLastTwo(transpose))
      return;
    value = transpose.getInput();
    transposed = !transposed;
  }
}

/// The heads of [B, Hkv, S, D] repeated as reshape(broadcast(reshape(x) to [B, Hkv, 1, S, D])): x, else `value`.
/// Does not apply when other dimensions change too.
Value withoutRepeatedHeads(Value value) {
  auto merge = value.getDefiningOp<ReshapeOp>();
  auto repeat = merge ? merge.getInput().getDefiningOp<BroadcastOp>() : nullptr;
  auto split = repeat ? repeat.getInput().getDefiningOp<ReshapeOp>() : nullptr;
  if (!split || tensorType(value).getRank() != 4 || tensorType(repeat).getRank() != 5 ||
      tensorType(split).getRank() != 5 || tensorType(split.getInput()).getRank() != 4)
    return value;
  ArrayRef<int64_t> from = tensorType(split.getInput()).getShape(), one = tensorType(split).getShape(),
                    many = tensorType(repeat).getShape(), to = tensorType(value).getShape();
  if (one[2] != 1 || ShapedType::isDynamic(many[1]) || ShapedType::isDynamic(many[2]) || to[1] != many[1] * many[2])
    return value;
  for (auto [narrow, wide] : {std::pair(0, 0), {1, 1}, {2, 3}, {3, 4}})
    if (from[narrow] != one[wide] || one[wide] != many[wide])
      return value;
  return to[0] == from[0] && to[2] == from[2] && to[3] == from[3] ? split.getInput() : value;
}

/// A mask of the same effect on a row as minus infinity.
bool hides(double number) { return number <= -1e9; }

/// select(condition, 0, -inf) or its mirror image -> a boolean mask.
bool readBooleanMask(Value mask, Parts &parts) {
  ElementwiseOp select = definedBy(mask, ElementwiseKind::select);
  if (!select || parts.boolean)
    return false;
  std::optional<double> whenTrue = uniformConstant(select.getInputs()[1]);
  std::optional<double> whenFalse = uniformConstant(select.getInputs()[2]);
  if (!whenTrue || !whenFalse)
    return false;
  bool visible = *whenTrue == 0 && std::isinf(*whenFalse) && *whenFalse < 0;
  bool hidden = *whenFalse == 0 && std::isinf(*whenTrue) && *whenTrue < 0;
  if (!visible && !hidden)
    return false;
  parts.boolean = select.getInputs()[0];
  parts.booleanInverted = hidden;
  return true;
}

/// A constant mask that hides exactly t > q is causal; one of zeros is none.
bool readConstantMask(Value mask, Parts &parts) {
  std::optional<ConstantTensor> constant = ConstantTensor::get(mask);
  if (!constant || !constant->isFloat() || !constant->readable())
    return false;
  if (uniformConstant(mask) == 0.0)
    return true;
  ArrayRef<int64_t> shape = constant->type.getShape();
  if (shape.size() < 2 || constant->size() != shape[shape.size() - 2] * shape.back() ||
      shape[shape.size() - 2] != shape.back())
    return false;
  int64_t keys = shape.back();
  for (int64_t i = 0; i < constant->size(); ++i)
    if (i % keys > i / keys ? !hides(constant->number(i)) : constant->number(i) != 0)
      return false;
  parts.causal = true;
  return true;
}

void readMask(Value mask, double scale, Parts &parts) {
  if (scale > 0 && (readBooleanMask(mask, parts) || readConstantMask(mask, parts)))
    return;
  parts.additive.push_back(mask);
  parts.additiveScale.push_back(scale);
}

/// Reads scores up to the product of q and k; all of them must have one use, but for `shared` ones, whose uses the
/// caller knows.
bool readScores(Value scores, Parts &parts, bool shared = false) {
  if (!shared && !scores.hasOneUse())
    return false;
  if (auto product = scores.getDefiningOp<MatmulOp>()) {
    if (product.getBias() || product.getFilterLayout() != FilterLayout::plain)
      return false;
    parts.query = product.getLhs();
    parts.key = product.getRhs();
    parts.queryTransposed = product.getTransposeLhs();
    parts.keyTransposed = !product.getTransposeRhs();
    return true;
  }
  WithScalar next = scaled(scores);
  if (next.other != scores) {
    parts.scale *= next.scalar;
    return readScores(next.other, parts);
  }
  if (ElementwiseOp sum = definedBy(scores, ElementwiseKind::add)) {
    return eitherOrder(sum, [&](Value inner, Value mask) {
      Parts attempt = parts;
      if (inner.getType() != scores.getType() || !readScores(inner, attempt))
        return false;
      readMask(mask, parts.scale, attempt);
      parts = attempt;
      return true;
    });
  }
  // select(visible, scores, -inf) and select(hidden, -inf, scores)
  ElementwiseOp select = definedBy(scores, ElementwiseKind::select);
  if (!select || parts.boolean)
    return false;
  for (unsigned inner : {1u, 2u}) {
    std::optional<double> fill = uniformConstant(select.getInputs()[3 - inner]);
    if (!fill || !std::isinf(*fill) || *fill > 0 || select.getInputs()[inner].getType() != scores.getType())
      continue;
    parts.boolean = select.getInputs()[0];
    parts.booleanInverted = inner == 2;
    return readScores(select.getInputs()[inner], parts);
  }
  return false;
}

/// The softmax behind the weights, through select(isnan(p), 0, p); null when something else reads it.
SoftmaxOp readWeights(Value weights) {
  if (!weights.hasOneUse())
    return nullptr;
  auto softmax = weights.getDefiningOp<SoftmaxOp>();
  if (softmax)
    return softmax;
  ElementwiseOp select = definedBy(weights, ElementwiseKind::select);
  if (!select || uniformConstant(select.getInputs()[1]) != 0.0)
    return nullptr;
  Value guarded = select.getInputs()[2];
  ElementwiseOp isnan = definedBy(select.getInputs()[0], ElementwiseKind::isnan);
  if (!isnan || !isnan->hasOneUse() || isnan.getInputs()[0] != guarded || !guarded.hasNUses(2) ||
      guarded.getType() != weights.getType())
    return nullptr;
  return guarded.getDefiningOp<SoftmaxOp>();
}

/// [S, D] and [B, S, D] as [1, 1, S, D] and [B, 1, S, D].
Value asRank4(OpBuilder &builder, Location loc, Value value) {
  RankedTensorType type = tensorType(value);
  if (type.getRank() == 4)
    return value;
  SmallVector<int64_t> shape(type.getShape());
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      sizes.push_back(tensor::DimOp::create(builder, loc, value, i));
  shape.insert(shape.end() - 2, 4 - type.getRank(), 1);
  return ReshapeOp::create(builder, loc, type.clone(shape), value, sizes);
}

Value swapped(OpBuilder &builder, Location loc, Value value, bool needed) {
  if (!needed)
    return value;
  int64_t rank = tensorType(value).getRank();
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::swap(permutation[rank - 1], permutation[rank - 2]);
  return builder.createOrFold<TransposeOp>(loc, value, permutation);
}

/// The shape of `value` when its last two dimensions are swapped on demand.
SmallVector<int64_t> shapeOf(Value value, bool transposed) {
  SmallVector<int64_t> shape(tensorType(value).getShape());
  if (transposed)
    std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
  return shape;
}

/// Whether the parts meet the constraints of coat.attention (rank, batch, heads, lengths).
bool fits(const Parts &parts, int64_t rank) {
  for (Value value : {parts.query, parts.key, parts.value})
    if (tensorType(value).getRank() != rank || !isa<FloatType>(tensorType(value).getElementType()))
      return false;
  SmallVector<int64_t> query = shapeOf(parts.query, parts.queryTransposed);
  SmallVector<int64_t> key = shapeOf(parts.key, parts.keyTransposed);
  SmallVector<int64_t> value = shapeOf(parts.value, parts.valueTransposed);
  if (key[rank - 2] != value[rank - 2])
    return false;
  if (rank >= 3 && (query[0] != key[0] || query[0] != value[0]))
    return false;
  if (rank < 4)
    return true;
  return key[1] == value[1] &&
         (query[1] == key[1] || (!ShapedType::isDynamic(query[1]) && key[1] > 0 && query[1] % key[1] == 0));
}

/// Whether one mask can say what those read say: several additive ones are summed, which takes known shapes; a boolean
/// one stands alone.
bool haveOneSum(const Parts &parts) {
  if (parts.boolean)
    return parts.additive.empty();
  return parts.additive.size() <= 1 ||
         llvm::all_of(parts.additive, [](Value mask) { return tensorType(mask).hasStaticShape(); });
}

/// One mask from those read: additive ones summed, the boolean one alone.
Value buildMask(OpBuilder &builder, Location loc, const Parts &parts, int64_t rank) {
  auto rank4 = [&](Value mask) {
    return rank == 3 && tensorType(mask).getRank() == 3 ? asRank4(builder, loc, mask) : mask;
  };
  if (parts.boolean) {
    Value mask = parts.boolean;
    if (parts.booleanInverted)
      mask = unary(builder, loc, ElementwiseKind::logical_not, mask);
    return rank4(mask);
  }
  if (parts.additive.empty())
    return {};
  Value sum;
  for (auto [mask, scale] : llvm::zip_equal(parts.additive, parts.additiveScale)) {
    Value term = mask;
    if (scale != 1) {
      RankedTensorType scalar = tensorType(mask).clone(ArrayRef<int64_t>{});
      term = binary(builder, loc, ElementwiseKind::mul, mask.getType(), mask,
                    floatConstant(builder, loc, scalar, {scale}));
    }
    if (!sum) {
      sum = term;
      continue;
    }
    SmallVector<int64_t> shape;
    OpTrait::util::getBroadcastedShape(tensorType(sum).getShape(), tensorType(term).getShape(), shape);
    sum = binary(builder, loc, ElementwiseKind::add, tensorType(sum).clone(shape), sum, term);
  }
  return rank4(sum);
}

/// matmul(softmax(scale * matmul(q, k^T) + mask), v) -> attention(q, k, v)
///
/// Hard attention, {top_k}: the softmax reads the greatest scores only (TopK, put back among minus infinities), or
/// there is none and the weights are one-hot at the greatest score.
///
/// Does not apply when the scores or the weights have other users, the softmax is not over the keys (the last
/// dimension), or the shapes are not those of attention (batch sizes that broadcast, rank above 4).
struct Recognize : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatmulOp op, PatternRewriter &rewriter) const override {
    int64_t rank = tensorType(op).getRank();
    if (op.getBias() || op.getTransposeLhs() || op.getFilterLayout() != FilterLayout::plain || rank > 4)
      return failure();
    Parts parts;
    parts.value = op.getRhs();
    parts.valueTransposed = op.getTransposeRhs();
    if (!readSoftWeights(op, parts) && !readHardWeights(op, parts))
      return failure();
    double outside = 1;
    peelOperand(parts.query, parts.queryTransposed, parts.scale);
    peelOperand(parts.key, parts.keyTransposed, parts.scale);
    peelOperand(parts.value, parts.valueTransposed, outside);
    if (outside != 1) { // a scale of v belongs to the result: keep it where it is
      parts.value = op.getRhs();
      parts.valueTransposed = op.getTransposeRhs();
    }
    dropRepeatedHeads(parts);
    if (!fits(parts, rank) || !haveOneSum(parts) || !std::isfinite(parts.scale))
      return failure();
    replace(op, parts, rewriter);
    return success();
  }

  static bool readSoftWeights(MatmulOp op, Parts &parts) {
    int64_t rank = tensorType(op).getRank();
    SoftmaxOp softmax = readWeights(op.getLhs());
    if (!softmax || softmax.getLog() || static_cast<int64_t>(softmax.getAxis()) != rank - 1 ||
        tensorType(softmax).getRank() != rank)
      return false;
    if (BestKeys best = readBestScores(softmax.getInput())) {
      parts.topK = best.count;
      return readScores(best.scores, parts, /*shared=*/true);
    }
    return readScores(softmax.getInput(), parts);
  }

  /// Hidden keys would make a difference: of a row of them, one-hot weights still choose the first.
  static bool readHardWeights(MatmulOp op, Parts &parts) {
    BestKeys best = readOneHot(op.getLhs());
    if (!best || tensorType(best.scores).getRank() != tensorType(op).getRank() || !readScores(best.scores, parts))
      return false;
    parts.topK = best.count;
    return !parts.boolean && parts.additive.empty() && !parts.causal;
  }

  static void dropRepeatedHeads(Parts &parts) {
    Value key = withoutRepeatedHeads(parts.key), value = withoutRepeatedHeads(parts.value);
    if (key != parts.key && value != parts.value && !parts.queryTransposed && !parts.keyTransposed &&
        !parts.valueTransposed) {
      parts.key = key;
      parts.value = value;
    }
  }

  static void replace(MatmulOp op, const Parts &parts, PatternRewriter &rewriter) {
    Location loc = op.getLoc();
    int64_t rank = tensorType(op).getRank();
    auto operand = [&](Value value, bool transposed) {
      return asRank4(rewriter, loc, swapped(rewriter, loc, value, transposed));
    };
    Value query = operand(parts.query, parts.queryTransposed);
    Value key = operand(parts.key, parts.keyTransposed);
    Value value = operand(parts.value, parts.valueTransposed);
    Value mask = buildMask(rewriter, loc, parts, rank);
    SmallVector<int64_t> shape(tensorType(query).getShape());
    shape.back() = tensorType(value).getShape().back();
    auto attention =
        AttentionOp::create(rewriter, loc, tensorType(op).clone(shape), query, key, value, mask, Value(),
                            rewriter.getF64FloatAttr(parts.scale), parts.causal ? rewriter.getUnitAttr() : UnitAttr(),
                            rewriter.getF64FloatAttr(0.0));
    attention.setTopK(parts.topK);
    if (rank == 4) {
      rewriter.replaceOp(op, attention.getResult());
      return;
    }
    SmallVector<Value> sizes;
    for (int64_t i = 0; i < rank; ++i)
      if (tensorType(op).isDynamicDim(i))
        sizes.push_back(tensor::DimOp::create(rewriter, loc, attention.getResult(), i < rank - 2 ? i : i + 4 - rank));
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), attention.getResult(), sizes);
  }
};

/// attention(move(q * c), k, v) {scale} -> attention(move(q), k, v) {scale * c}, likewise for k, where move is any
/// number of transposes and reshapes: a scale that they were written behind, or that sank through them.
/// Does not apply when something else reads the scaled value, or c varies.
struct AbsorbScale : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    for (OpOperand *operand : {&op.getQueryMutable(), &op.getKeyMutable()}) {
      SmallVector<Operation *> movement;
      Value value = operand->get();
      while (value.hasOneUse() && isa_and_nonnull<TransposeOp, ReshapeOp>(value.getDefiningOp())) {
        movement.push_back(value.getDefiningOp());
        value = movement.back()->getOperand(0);
      }
      WithScalar factor = scaled(value);
      if (factor.other == value || !value.hasOneUse() || !std::isfinite(factor.scalar))
        continue;
      Value moved = factor.other;
      for (Operation *step : llvm::reverse(movement)) {
        Operation *copy = rewriter.clone(*step);
        copy->setOperand(0, moved);
        moved = copy->getResult(0);
      }
      rewriter.modifyOpInPlace(op, [&] {
        operand->set(moved);
        op.setScale(APFloat(op.getScaleAttr().getValueAsDouble() * factor.scalar));
      });
      return success();
    }
    return failure();
  }
};

struct RecognizeAttention : coat::impl::CoatRecognizeAttentionBase<RecognizeAttention> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<Recognize, AbsorbScale>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
