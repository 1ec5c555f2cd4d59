// Transposed convolutions as ordinary ones. Every s-th element of the result, a phase, is a convolution of stride 1
// with every s-th element of the filter, so no product is by a zero, and the microkernels of convolution compute it.
//
//   %r = coat.conv_transpose %x, %w {strides = [2]}    ==>    %p = coat.pad %x
//                                                             %a = coat.conv %p, (elements 0, 2, .. of %w, reversed)
//                                                             %b = coat.conv %p, (elements 1, 3, .. of %w, reversed)
//                                                             %r = coat.reshape (tensor.concat %a, %b : [N, U, 2, M]) :
//                                                             [N, 2 * U, M]
// The convolutions write in place: concatenations and reshapes are where their results lie.
#include "ConstantBytes.h"
#include "Reshape.h"
#include "Transposes.h"
#include "coat/Dialect/Coat.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace coat;

namespace {
RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

/// One phase along one dimension: result element s*u + r sums `taps` of the filter times the input from u + `start` on.
struct Phase {
  SmallVector<int64_t> taps; // in the order of the input elements that they meet
  int64_t start, dilation;

  int64_t reach() const { return (int64_t(taps.size()) - 1) * dilation; }
};

/// All phases of one dimension.
struct Dimension {
  int64_t input, output, stride;
  SmallVector<Phase> phases;

  Dimension(ConvTransposeOp op, int64_t i)
      : input(tensorType(op.getInput()).getDimSize(2 + i)), output(tensorType(op.getResult()).getDimSize(2 + i)),
        stride(op.getStrides()[i]) {
    int64_t window = tensorType(op.getFilter()).getDimSize(2 + i), step = op.getDilations()[i];
    for (int64_t r = 0; r < stride; ++r) {
      Phase phase{{}, 0, 1};
      SmallVector<int64_t> at;
      for (int64_t j = window; j-- > 0;)
        if (int64_t shifted = r + op.getPads()[i] - j * step; shifted % stride == 0) {
          phase.taps.push_back(j);
          at.push_back(shifted / stride);
        }
      phase.start = at.empty() ? 0 : at.front();
      phase.dilation = at.size() > 1 ? at[1] - at[0] : 1;
      phases.push_back(std::move(phase));
    }
  }

  /// Result elements of each phase; the last of some may lie beyond the result.
  int64_t length() const { return llvm::divideCeil(output, stride); }
  int64_t low() const {
    int64_t least = 0;
    for (const Phase &phase : phases)
      least = std::min(least, phase.start);
    return -least;
  }
  int64_t high() const {
    int64_t most = input;
    for (const Phase &phase : phases)
      most = std::max(most, phase.start + phase.reach() + length());
    return most - input;
  }
};

class PhaseBuilder {
public:
  PhaseBuilder(OpBuilder &b, ConvTransposeOp op, ArrayRef<Dimension> dims, ArrayRef<ElementwiseOp> epilogue)
      : b(b), loc(op.getLoc()), op(op), dims(dims), epilogue(epilogue) {
    batch = tensor::getMixedSize(b, loc, op.getInput(), 0);
    channels = tensorType(op.getResult()).getDimSize(1);
  }

  /// The result, channels-last.
  Value build() {
    Value input = TransposeOp::create(b, loc, op.getInput(), toChannelsLast(dims.size() + 2));
    padded = pad(input);
    Value parts = interleave({});
    SmallVector<int64_t> shape, wanted;
    for (const Dimension &dim : dims) {
      shape.push_back(dim.length() * dim.stride);
      wanted.push_back(dim.output);
    }
    Value whole = reshape(parts, shape);
    if (shape == wanted)
      return whole;
    SmallVector<OpFoldResult> zeros(dims.size() + 2, b.getIndexAttr(0)), ones(dims.size() + 2, b.getIndexAttr(1));
    return tensor::ExtractSliceOp::create(b, loc, whole, zeros, sizesWith(wanted), ones);
  }

private:
  SmallVector<OpFoldResult> sizesWith(ArrayRef<int64_t> inner) {
    SmallVector<OpFoldResult> sizes{batch};
    for (int64_t size : inner)
      sizes.push_back(b.getIndexAttr(size));
    sizes.push_back(b.getIndexAttr(channels));
    return sizes;
  }

  /// `value` as [N, `inner`.., M].
  Value reshape(Value value, ArrayRef<int64_t> inner) { return reshapeTo(b, loc, value, sizesWith(inner)); }

  Value pad(Value input) {
    SmallVector<int64_t> low{0}, high{0};
    for (const Dimension &dim : dims) {
      low.push_back(dim.low());
      high.push_back(dim.high());
    }
    low.push_back(0);
    high.push_back(0);
    bool none =
        llvm::all_of(low, [](int64_t n) { return n == 0; }) && llvm::all_of(high, [](int64_t n) { return n == 0; });
    return none ? input : PadOp::create(b, loc, input, low, high, llvm::APFloat(0.0), PadMode::constant).getResult();
  }

  /// All phases of the dimensions behind those that `chosen` has a phase of, as [N, U1, s1, .., Uk, sk, M].
  Value interleave(SmallVector<int64_t> chosen) {
    if (chosen.size() == dims.size())
      return phase(chosen);
    int64_t at = chosen.size();
    SmallVector<Value> parts;
    for (int64_t r = 0; r < dims[at].stride; ++r) {
      SmallVector<int64_t> next = chosen;
      next.push_back(r);
      parts.push_back(interleave(next));
    }
    return parts.size() == 1 ? parts[0] : tensor::ConcatOp::create(b, loc, 2 + 2 * at, parts).getResult();
  }

  Value phase(ArrayRef<int64_t> chosen) {
    SmallVector<int64_t> dilations, shape;
    SmallVector<OpFoldResult> offsets{b.getIndexAttr(0)}, sizes{batch};
    for (auto [dim, r] : llvm::zip_equal(dims, chosen)) {
      const Phase &phase = dim.phases[r];
      dilations.push_back(phase.dilation);
      offsets.push_back(b.getIndexAttr(dim.low() + phase.start));
      sizes.push_back(b.getIndexAttr(dim.length() + phase.reach()));
      shape.append({dim.length(), 1});
    }
    offsets.push_back(b.getIndexAttr(0));
    sizes.push_back(b.getIndexAttr(tensorType(padded).getShape().back()));
    SmallVector<OpFoldResult> ones(sizes.size(), b.getIndexAttr(1));
    Value input = padded;
    if (sizes != tensor::getMixedSizes(b, loc, padded))
      input = tensor::ExtractSliceOp::create(b, loc, padded, offsets, sizes, ones);
    Value result = ConvOp::create(b, loc, input, filterOf(chosen), op.getBias(), SmallVector<int64_t>(dims.size(), 1),
                                  dilations, SmallVector<int64_t>(2 * dims.size(), 0), op.getGroup(),
                                  coat::DataLayout::channels_last, FilterLayout::plain, IntegerAttr());
    for (ElementwiseOp next : epilogue)
      result =
          ElementwiseOp::create(b, loc, next.getKind(), ValueRange{result}, next.getAlphaAttr(), next.getBetaAttr());
    return reshape(result, shape);
  }

  /// [C, M/g, K..] -> [M, C/g, taps of the phase..].
  Value filterOf(ArrayRef<int64_t> chosen) {
    auto type = tensorType(op.getFilter());
    int64_t groups = op.getGroup(), in = type.getDimSize(0) / groups, out = type.getDimSize(1);
    SmallVector<int64_t> taps{0}; // flat positions in the window
    SmallVector<int64_t> shape{out * groups, in};
    for (auto [i, r] : llvm::enumerate(chosen)) {
      SmallVector<int64_t> next;
      for (int64_t flat : taps)
        for (int64_t j : dims[i].phases[r].taps)
          next.push_back(flat * type.getDimSize(2 + i) + j);
      taps = std::move(next);
      shape.push_back(dims[i].phases[r].taps.size());
    }
    int64_t window = ShapedType::getNumElements(type.getShape().drop_front(2));
    return packedConstant(b, op.getFilter(), shape, [&](char *to, ArrayRef<char> from, int64_t size) {
      for (int64_t m = 0; m < out * groups; ++m)
        for (int64_t c = 0; c < in; ++c)
          for (int64_t tap : taps) {
            int64_t source = ((m / out * in + c) * out + m % out) * window + tap;
            std::memcpy(to, elementAt(from, source, size), size);
            to += size;
          }
    });
  }

  OpBuilder &b;
  Location loc;
  ConvTransposeOp op;
  ArrayRef<Dimension> dims;
  ArrayRef<ElementwiseOp> epilogue;
  OpFoldResult batch;
  int64_t channels;
  Value padded;
};

/// Does not apply to filters that are not constant, symbolic spatial sizes, phases that meet no element of the filter,
/// pads so wide that part of the input is not read, and so many phases that each would be too little work.
struct TransposedConvToPhases : OpRewritePattern<ConvTransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConvTransposeOp op, PatternRewriter &rewriter) const override {
    int64_t size = 0;
    RankedTensorType input = tensorType(op.getInput());
    if (!bytesOf(op.getFilter(), size) || llvm::any_of(input.getShape().drop_front(), ShapedType::isDynamic))
      return rewriter.notifyMatchFailure(op, "not known at compile time");
    constexpr int64_t mostPhases = 1024;
    int64_t count = 1;
    for (auto [stride, window] : llvm::zip(op.getStrides(), tensorType(op.getFilter()).getShape().drop_front(2))) {
      if (stride > window)
        return rewriter.notifyMatchFailure(op, "a phase without a product");
      if ((count *= stride) > mostPhases)
        return rewriter.notifyMatchFailure(op, "too many phases");
    }
    SmallVector<Dimension> dims;
    for (int64_t i = 0; i < input.getRank() - 2; ++i) {
      dims.emplace_back(op, i);
      for (const Phase &phase : dims.back().phases)
        if (phase.taps.empty())
          return rewriter.notifyMatchFailure(op, "a phase without a product");
    }
    SmallVector<ElementwiseOp> epilogue;
    Value last = op.getResult();
    while (last.hasOneUse()) {
      auto next = dyn_cast<ElementwiseOp>(*last.user_begin());
      if (!next || next.getInputs().size() != 1 || next.getResult().getType() != last.getType())
        break;
      epilogue.push_back(next);
      last = next.getResult();
    }
    Value result = PhaseBuilder(rewriter, op, dims, epilogue).build();
    Value transposed = TransposeOp::create(rewriter, op.getLoc(), result, toChannelsFirst(input.getRank()));
    rewriter.replaceAllUsesWith(last, transposed);
    for (ElementwiseOp dead : llvm::reverse(epilogue))
      rewriter.eraseOp(dead);
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

void coat::populateTransposedConvPatterns(RewritePatternSet &patterns) {
  patterns.add<TransposedConvToPhases>(patterns.getContext());
}
