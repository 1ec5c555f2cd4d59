// coat-integers-in-floats: enters convolutions, matrix products and sums of i32; leaves those on f32 whose sums
// provably stay below 2^24, where every integer is an f32 and every rounding exact, in any order. Sums that may become
// larger are cut into parts that do not. Left alone: products of unknown integers over many elements.
//
// Why: f32 multiply-adds take eight products an instruction on AVX2, as many as the widening multiply-adds of i16 with
// their separate additions do, so the microkernels of f32 serve quantized models, too, on every ISA.
//
//   %0 = coat.cast %x : ui8 to i32; %1 = coat.conv %0, %w : i32
//   ==>  %0 = coat.cast %x : ui8 to f32; %1 = coat.conv %0, %w2 : f32; %2 = coat.cast %1 : f32 to i32
#include "Constants.h"
#include "coat/Dialect/Coat.h"
#include "coat/Graph/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

namespace coat {
#define GEN_PASS_DEF_COATINTEGERSINFLOATS
#include "coat/Graph/Passes.h.inc"
} // namespace coat

namespace {
constexpr double exact = 1 << 24; // f32 holds every integer up to here

struct Range {
  double low, high;
};

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// What an element of integer tensor `value` may be.
Range rangeOf(Value value) {
  if (std::optional<ConstantTensor> constant = ConstantTensor::get(value); constant && constant->readable()) {
    Range range{0, 0};
    for (int64_t i = 0, e = constant->splat ? 1 : constant->size(); i < e; ++i) {
      double number = constant->number(i);
      range = {i ? std::min(range.low, number) : number, i ? std::max(range.high, number) : number};
    }
    return range;
  }
  if (auto cast = value.getDefiningOp<CastOp>())
    if (isa<IntegerType>(typeOf(cast.getInput()).getElementType()) &&
        typeOf(cast.getInput()).getElementTypeBitWidth() < typeOf(value).getElementTypeBitWidth())
      return rangeOf(cast.getInput());
  if (auto op = value.getDefiningOp<ElementwiseOp>();
      op && (op.getKind() == ElementwiseKind::sub || op.getKind() == ElementwiseKind::add)) {
    Range a = rangeOf(op.getInputs()[0]), b = rangeOf(op.getInputs()[1]);
    Range result = op.getKind() == ElementwiseKind::sub ? Range{a.low - b.high, a.high - b.low}
                                                        : Range{a.low + b.low, a.high + b.high};
    if (std::max(-result.low, result.high) < 2147483648.0)
      return result;
  }
  auto type = dyn_cast<IntegerType>(typeOf(value).getElementType());
  double span = std::ldexp(1.0, type ? type.getWidth() : 64);
  return type && (type.isUnsigned() || type.getWidth() == 1) ? Range{0, span - 1} : Range{-span / 2, span / 2 - 1};
}

double magnitude(Range range) { return std::max(-range.low, range.high); }

/// `value` less a cast of the whole numbers of an f32 tensor, which all fit, to the integers that `value` are.
Value wholeFloats(Value value) {
  auto cast = value.getDefiningOp<CastOp>();
  if (!cast || !typeOf(cast.getInput()).getElementType().isF32())
    return {};
  auto clip = cast.getInput().getDefiningOp<ElementwiseOp>();
  if (!clip || clip.getKind() != ElementwiseKind::clip || !clip.getAlpha() || !clip.getBeta())
    return {};
  auto integer = dyn_cast<IntegerType>(typeOf(value).getElementType());
  double low = clip.getAlpha()->convertToDouble(), high = clip.getBeta()->convertToDouble();
  double least = integer.isUnsigned() ? 0 : -std::ldexp(1.0, integer.getWidth() - 1);
  double most = std::ldexp(1.0, integer.getWidth() - !integer.isUnsigned()) - 1;
  if (integer.getWidth() > 16 || low < least || high > most || low != std::floor(low) || high != std::floor(high))
    return {};
  Value inside = clip.getInputs()[0];
  if (auto sum = inside.getDefiningOp<ElementwiseOp>(); sum && sum.getKind() == ElementwiseKind::add) {
    std::optional<ConstantTensor> shift = ConstantTensor::get(sum.getInputs()[1]);
    for (int64_t i = 0, e = shift && shift->readable() ? shift->size() : 0; i < e; ++i)
      if (shift->number(i) != std::floor(shift->number(i)))
        return {};
    if (!shift || !shift->readable())
      return {};
    inside = sum.getInputs()[0];
  }
  auto round = inside.getDefiningOp<ElementwiseOp>();
  return round && round.getKind() == ElementwiseKind::round ? cast.getInput() : Value();
}

class InFloats {
public:
  explicit InFloats(Operation *op) : b(op), loc(op->getLoc()) {}

  /// The integers of `value`, all below 2^24, as f32.
  Value of(Value value) {
    if (Value floats = wholeFloats(value))
      return floats;
    if (auto cast = value.getDefiningOp<CastOp>())
      if (auto from = dyn_cast<IntegerType>(typeOf(cast.getInput()).getElementType());
          from && from.getWidth() < typeOf(value).getElementTypeBitWidth())
        return of(cast.getInput());
    if (auto op = value.getDefiningOp<ElementwiseOp>();
        op && (op.getKind() == ElementwiseKind::sub || op.getKind() == ElementwiseKind::add) &&
        llvm::all_of(op.getInputs(), [](Value input) { return magnitude(rangeOf(input)) <= exact; }))
      return ElementwiseOp::create(b, loc, op.getKind(), ValueRange{of(op.getInputs()[0]), of(op.getInputs()[1])},
                                   FloatAttr(), FloatAttr());
    return CastOp::create(b, loc, typeOf(value).clone(b.getF32Type()), value);
  }

  Value part(Value value, int64_t dim, int64_t from, int64_t size) {
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, value), offsets(sizes.size(), b.getIndexAttr(0)),
                              steps(sizes.size(), b.getIndexAttr(1));
    offsets[dim] = b.getIndexAttr(from);
    sizes[dim] = b.getIndexAttr(size);
    return tensor::ExtractSliceOp::create(b, loc, value, offsets, sizes, steps);
  }

  OpBuilder b;
  Location loc;
};

/// A product of `op` summed over dimension `left` of its first operand and `right` of its second, which is constant in
/// the best case; `rest` further factors are summed for each step, and `out` is the second operand's dimension that the
/// result keeps.
struct Contraction {
  Operation *op;
  int64_t left, right, out;
  bool mayCut;
};

/// The largest magnitude of any partial sum over the steps from `from` on, `size` of them.
double largestSum(Contraction c, Range lhs, int64_t from, int64_t size) {
  RankedTensorType type = typeOf(c.op->getOperand(1));
  std::optional<ConstantTensor> constant = ConstantTensor::get(c.op->getOperand(1));
  if (!type.hasStaticShape())
    return std::numeric_limits<double>::infinity();
  SmallVector<int64_t> strides = rowMajorStrides(type.getShape());
  if (!constant || !constant->readable() || constant->splat) {
    double products = size;
    for (int64_t dim = isa<ConvOp>(c.op) ? 2 : type.getRank(); dim < type.getRank(); ++dim)
      products *= type.getDimSize(dim);
    return products * magnitude(lhs) * magnitude(rangeOf(c.op->getOperand(1)));
  }
  // Every partial sum lies between that of the negative and that of the positive terms.
  int64_t outs = type.getDimSize(c.out);
  SmallVector<double> lowest(outs, 0), highest(outs, 0);
  for (int64_t i = 0, e = constant->size(); i < e; ++i) {
    int64_t step = i / strides[c.right] % type.getDimSize(c.right), out = i / strides[c.out] % outs;
    if (step < from || step >= from + size)
      continue;
    double weight = constant->number(i), a = weight * lhs.low, z = weight * lhs.high;
    lowest[out] += std::min({a, z, 0.0});
    highest[out] += std::max({a, z, 0.0});
  }
  double most = 0;
  for (auto [low, high] : llvm::zip_equal(lowest, highest))
    most = std::max({most, -low, high});
  return most;
}

struct IntegersInFloats : coat::impl::CoatIntegersInFloatsBase<IntegersInFloats> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops) {
      if (op->getNumResults() != 1 || !isa<RankedTensorType>(op->getResult(0).getType()))
        continue;
      if (auto pool = dyn_cast<GlobalPoolOp>(op))
        rewrite(pool);
      else if (auto cast = dyn_cast<CastOp>(op))
        rewrite(cast);
      else if (isa<ConvOp, MatmulOp>(op) && typeOf(op->getResult(0)).getElementType().isSignlessInteger(32) &&
               op->getNumOperands() == 2)
        rewrite(contractionOf(op));
    }
  }

  static Contraction contractionOf(Operation *op) {
    if (auto conv = dyn_cast<ConvOp>(op)) // of one group: C is summed, M stays
      return {op, 1, 1, 0, conv.getGroup() == 1 && conv.getDataLayout() == coat::DataLayout::channels_first};
    auto matmul = cast<MatmulOp>(op);
    int64_t left = typeOf(matmul.getLhs()).getRank(), right = typeOf(matmul.getRhs()).getRank();
    return {op, left - (matmul.getTransposeLhs() ? 2 : 1), right - (matmul.getTransposeRhs() ? 1 : 2),
            right - (matmul.getTransposeRhs() ? 2 : 1), true};
  }

  /// The fewest equal parts of the summed dimension whose sums are exact; 0 where there are none worth it.
  static int64_t partsOf(Contraction c) {
    constexpr int64_t mostParts = 16;
    RankedTensorType type = typeOf(c.op->getOperand(1));
    Range lhs = rangeOf(c.op->getOperand(0));
    int64_t size = type.getDimSize(c.right);
    if (magnitude(lhs) > exact || magnitude(rangeOf(c.op->getOperand(1))) > exact || ShapedType::isDynamic(size))
      return 0;
    for (int64_t parts = 1; parts <= (c.mayCut ? mostParts : 1); ++parts) {
      int64_t step = llvm::divideCeil(size, parts);
      bool fits = true;
      for (int64_t from = 0; from < size && fits; from += step)
        fits = largestSum(c, lhs, from, std::min(step, size - from)) <= exact;
      if (fits)
        return parts;
    }
    return 0;
  }

  static void rewrite(Contraction c) {
    int64_t parts = partsOf(c);
    if (!parts)
      return;
    InFloats f(c.op);
    RankedTensorType result = typeOf(c.op->getResult(0));
    Value lhs = f.of(c.op->getOperand(0)), rhs = f.of(c.op->getOperand(1)), sum;
    int64_t size = typeOf(rhs).getDimSize(c.right), step = llvm::divideCeil(size, parts);
    for (int64_t from = 0; from < size; from += step) {
      int64_t width = std::min(step, size - from);
      Operation *clone = f.b.clone(*c.op);
      clone->setOperands(
          {parts == 1 ? lhs : f.part(lhs, c.left, from, width), parts == 1 ? rhs : f.part(rhs, c.right, from, width)});
      clone->moveBefore(c.op);
      f.b.setInsertionPoint(c.op);
      clone->getResult(0).setType(result.clone(f.b.getF32Type()));
      Value integers = CastOp::create(f.b, f.loc, result, clone->getResult(0));
      sum = sum ? ElementwiseOp::create(f.b, f.loc, ElementwiseKind::add, ValueRange{sum, integers}, FloatAttr(),
                                        FloatAttr())
                      .getResult()
                : integers;
    }
    c.op->getResult(0).replaceAllUsesWith(sum);
    c.op->erase();
  }

  static void rewrite(GlobalPoolOp op) {
    RankedTensorType type = typeOf(op.getInput()), result = typeOf(op.getResult());
    if (op.getKind() != PoolKind::sum || !type.getElementType().isSignlessInteger(32) || !type.hasStaticShape())
      return;
    double terms = type.getNumElements() / result.getNumElements();
    if (terms * magnitude(rangeOf(op.getInput())) > exact)
      return;
    InFloats f(op);
    auto clone = cast<GlobalPoolOp>(f.b.clone(*op));
    clone.getInputMutable().assign(f.of(op.getInput()));
    clone->moveBefore(op);
    f.b.setInsertionPoint(op);
    clone.getResult().setType(result.clone(f.b.getF32Type()));
    op.getResult().replaceAllUsesWith(CastOp::create(f.b, f.loc, result, clone.getResult()));
    op.erase();
  }

  /// cast to f32 of small integers that are whole f32 numbers before: those.
  static void rewrite(CastOp op) {
    if (!typeOf(op.getResult()).getElementType().isF32())
      return;
    Value input = op.getInput();
    if (auto widened = input.getDefiningOp<CastOp>();
        widened && isa<IntegerType>(typeOf(input).getElementType()) &&
        isa<IntegerType>(typeOf(widened.getInput()).getElementType()) &&
        typeOf(widened.getInput()).getElementTypeBitWidth() < typeOf(input).getElementTypeBitWidth())
      input = widened.getInput();
    if (!isa<IntegerType>(typeOf(input).getElementType()))
      return;
    if (Value floats = wholeFloats(input)) {
      op.getResult().replaceAllUsesWith(floats);
      op.erase();
    }
  }
};
} // namespace
