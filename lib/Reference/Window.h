// The window of a convolution or pooling at one output position, and its parts inside the input.
#ifndef COAT_LIB_REFERENCE_WINDOW_H
#define COAT_LIB_REFERENCE_WINDOW_H

#include "coat/Dialect/ScalarLoops.h"

namespace coat {

/// Tap i at output position o reads input position o * stride + i * dilation - pad; spatial dimensions only. Taps are
/// cut by their loop bounds, so that loops need no test.
class Window {
public:
  /// `input` has its spatial dimensions from 2 on; `kernel` is its number of taps a dimension.
  Window(ScalarLoops &loops, mlir::Value input, mlir::ArrayRef<Scalar> kernel, mlir::ArrayRef<int64_t> strides,
         mlir::ArrayRef<int64_t> dilations, mlir::ArrayRef<int64_t> pads)
      : loops(loops), input(input), kernel(kernel.begin(), kernel.end()), strides(strides), dilations(dilations),
        pads(pads) {}

  /// The window of this output position.
  Window &at(mlir::ArrayRef<Scalar> output) {
    firsts.clear();
    for (auto [i, o] : llvm::enumerate(output))
      firsts.push_back(o * strides[i] - pads[i]);
    return *this;
  }

  /// The taps that read the input itself.
  mlir::SmallVector<LoopRange> insideInput() { return taps(/*padded=*/false); }
  /// The taps that read the input or its padding: with ceil_mode a window may reach beyond both.
  mlir::SmallVector<LoopRange> insidePadded() { return taps(/*padded=*/true); }

  Scalars positions(mlir::ArrayRef<Scalar> tap) {
    Scalars result;
    for (auto [i, t] : llvm::enumerate(tap))
      result.push_back(firsts[i] + t * dilations[i]);
    return result;
  }

private:
  mlir::SmallVector<LoopRange> taps(bool padded) {
    mlir::SmallVector<LoopRange> ranges;
    Scalar zero = loops.index(0);
    for (size_t i = 0; i < kernel.size(); ++i) {
      Scalar begin = zero, end = loops.dim(input, 2 + i) - firsts[i];
      if (padded)
        end = end + pads[kernel.size() + i];
      else
        begin = roundedUp(-firsts[i], dilations[i]);
      ranges.push_back({begin, min(kernel[i], roundedUp(end, dilations[i]))});
    }
    return ranges;
  }

  /// max(0, value) / divisor, rounded up.
  Scalar roundedUp(Scalar value, int64_t divisor) {
    Scalar positive = max(value, loops.index(0));
    return divisor == 1 ? positive : (positive + (divisor - 1)) / divisor;
  }

  ScalarLoops &loops;
  mlir::Value input;
  Scalars kernel, firsts;
  mlir::ArrayRef<int64_t> strides, dilations, pads;
};

} // namespace coat

#endif
