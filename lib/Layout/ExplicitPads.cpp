// coat-explicit-pads: enters channels-last ops; leaves convolutions and poolings with zero pads and
// windows that tile their (padded) input exactly. Left alone: pooling with indices, which count in
// the unpadded input, and channels-first ops.
//
// Why before Kernels: a padded buffer whose interior the producer writes costs one border fill,
// where a padding check in the microkernel would cost every inner loop.
#include "coat/Dialect/Coat.h"
#include "coat/Layout/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include <limits>

using namespace mlir;
using namespace coat;

namespace coat {
#define GEN_PASS_DEF_COATEXPLICITPADS
#include "coat/Layout/Passes.h.inc"
} // namespace coat

namespace {
bool anyNonZero(ArrayRef<int64_t> values) {
  return llvm::any_of(values, [](int64_t v) { return v != 0; });
}

/// coat.pad of the spatial dimensions of a channels-last value.
Value padSpatial(OpBuilder &b, Location loc, Value input, ArrayRef<int64_t> begin, ArrayRef<int64_t> end,
                 double value) {
  SmallVector<int64_t> low = {0}, high = {0};
  llvm::append_range(low, begin);
  llvm::append_range(high, end);
  low.push_back(0);
  high.push_back(0);
  return PadOp::create(b, loc, input, low, high, llvm::APFloat(value), PadMode::constant);
}

/// conv(x) {pads} -> conv(pad(x)), a depthwise one with coat.zeros = pads, by which its microkernel knows what it need
/// not multiply. Does not apply without pads.
struct PadConv : OpRewritePattern<ConvOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConvOp op, PatternRewriter &rewriter) const override {
    ArrayRef<int64_t> pads = op.getPads();
    if (op.getDataLayout() != coat::DataLayout::channels_last || !anyNonZero(pads))
      return failure();
    size_t k = pads.size() / 2;
    Value padded = padSpatial(rewriter, op.getLoc(), op.getInput(), pads.take_front(k), pads.drop_front(k), 0.0);
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(padded);
      if (op.getGroup() > 1)
        op->setAttr("coat.zeros", rewriter.getDenseI64ArrayAttr(pads));
      op.setPads(SmallVector<int64_t>(2 * k, 0));
    });
    return success();
  }
};

/// pool(x) {pads, ceil_mode} -> pool(pad(x)), and for an average over windows that overhang,
/// sum-pool(pad(x)) * (1 / number of elements that count).
struct PadPool : OpRewritePattern<PoolOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PoolOp op, PatternRewriter &rewriter) const override {
    if (op.getDataLayout() != coat::DataLayout::channels_last || (!anyNonZero(op.getPads()) && !op.getCeilMode()))
      return failure();
    auto in = cast<RankedTensorType>(op.getInput().getType()), out = cast<RankedTensorType>(op.getResult().getType());
    size_t k = op.getKernel().size();
    SmallVector<int64_t> begin(op.getPads().take_front(k)), end(op.getPads().drop_front(k));
    for (size_t i = 0; i < k; ++i) {
      int64_t size = in.getDimSize(1 + i);
      if (ShapedType::isDynamic(size)) {
        if (op.getCeilMode() || op.getKind() == PoolKind::average)
          return rewriter.notifyMatchFailure(op, "symbolic spatial size");
        continue;
      }
      // What the last window reads; with ceil_mode it may lie beyond the pad.
      int64_t reach =
          (out.getDimSize(1 + i) - 1) * op.getStrides()[i] + (op.getKernel()[i] - 1) * op.getDilations()[i] + 1;
      end[i] = std::max<int64_t>(reach - size - begin[i], 0);
    }
    double value = 0;
    if (op.getKind() == PoolKind::max)
      value = isa<FloatType>(in.getElementType()) ? -std::numeric_limits<double>::infinity()
                                                  : minimumOf(in.getElementType());
    Value padded = padSpatial(rewriter, op.getLoc(), op.getInput(), begin, end, value);
    PoolKind kind = op.getKind() == PoolKind::average ? PoolKind::sum : op.getKind();
    auto pool = PoolOp::create(rewriter, op.getLoc(), TypeRange{op.getResult().getType()}, padded, kind, op.getKernel(),
                               op.getStrides(), op.getDilations(), SmallVector<int64_t>(2 * k, 0), /*ceil_mode=*/false,
                               /*count_include_pad=*/false, op.getP(), op.getStorageOrder(), /*with_indices=*/false,
                               coat::DataLayout::channels_last);
    Value result = pool.getResult();
    if (op.getKind() == PoolKind::average) {
      Value counts = reciprocalCounts(rewriter, op);
      result = ElementwiseOp::create(rewriter, op.getLoc(), ElementwiseKind::mul, ValueRange{result, counts}, nullptr,
                                     nullptr);
    }
    rewriter.replaceOp(op, result);
    return success();
  }

  static double minimumOf(Type type) {
    if (type.isUnsignedInteger() || type.isInteger(1))
      return 0;
    return -std::ldexp(1.0, type.getIntOrFloatBitWidth() - 1);
  }

  /// 1 / (elements of each window that count), as [1, O1, .., Ok, 1].
  static Value reciprocalCounts(OpBuilder &b, PoolOp op) {
    auto in = cast<RankedTensorType>(op.getInput().getType()), out = cast<RankedTensorType>(op.getResult().getType());
    size_t k = op.getKernel().size();
    SmallVector<SmallVector<double>> counts(k);
    for (size_t i = 0; i < k; ++i) {
      int64_t size = in.getDimSize(1 + i), pad = op.getPads()[i], padEnd = op.getPads()[k + i];
      int64_t low = op.getCountIncludePad() ? -pad : 0, high = op.getCountIncludePad() ? size + padEnd : size;
      for (int64_t o = 0; o < out.getDimSize(1 + i); ++o) {
        int64_t count = 0;
        for (int64_t j = 0; j < op.getKernel()[i]; ++j) {
          int64_t at = o * op.getStrides()[i] + j * op.getDilations()[i] - pad;
          count += at >= low && at < high;
        }
        counts[i].push_back(count);
      }
    }
    SmallVector<int64_t> shape(out.getShape());
    shape.front() = shape.back() = 1;
    SmallVector<double> values = {1.0};
    for (ArrayRef<double> dim : counts) {
      SmallVector<double> next;
      for (double v : values)
        for (double c : dim)
          next.push_back(v * c);
      values = std::move(next);
    }
    auto type = RankedTensorType::get(shape, out.getElementType());
    SmallVector<Attribute> elements;
    for (double v : values)
      elements.push_back(b.getFloatAttr(out.getElementType(), 1.0 / v));
    return arith::ConstantOp::create(b, op.getLoc(), DenseElementsAttr::get(type, elements));
  }
};

struct ExplicitPads : coat::impl::CoatExplicitPadsBase<ExplicitPads> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<PadConv, PadPool>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    WalkResult left = getOperation()->walk([](PoolOp op) {
      if (op.getDataLayout() != coat::DataLayout::channels_last || !(op.getCeilMode() || anyNonZero(op.getPads())))
        return WalkResult::advance();
      op.emitError("expected static spatial dimensions for average pooling with pads or ceil_mode, got ")
          << op.getInput().getType();
      return WalkResult::interrupt();
    });
    if (left.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
