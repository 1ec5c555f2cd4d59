// How an op is computed on a CPU: a pure function that rewrites nothing.
#ifndef COAT_STRATEGY_STRATEGY_H
#define COAT_STRATEGY_STRATEGY_H

#include "coat/Dialect/Coat.h"
#include "coat/Target/Cpu.h"

namespace coat {
/// The schedule of `op` (a coat op after Layout, tensor.extract_slice or tensor.concat) on `target`. Its tile has one
/// entry a dimension of the op's (first) result. Null for an op that the kernel of its user computes.
ScheduleAttr chooseSchedule(mlir::Operation *op, const CpuTarget &target);

/// Rows and channels of a register tile for products of `rows` rows (dynamic: any number) by `channels`, summed over
/// `depth`.
struct RegisterTile {
  int64_t rows, channels;
};
RegisterTile chooseRegisterTile(int64_t rows, int64_t channels, int64_t depth, const CpuTarget &target);

/// Rows and columns of outputs that a depthwise convolution computes at once: their sums and the weights of a row of
/// the window stay in registers.
struct DepthwiseTile {
  int64_t rows, columns;
};
DepthwiseTile chooseDepthwiseTile(llvm::ArrayRef<int64_t> window, llvm::ArrayRef<int64_t> strides,
                                  const CpuTarget &target);

/// The tile of Winograd's F(m x m, r x r) that computes `conv` (channels-last, pads explicit) fastest; none: the
/// definition does, or `conv` is not such a convolution.
std::optional<WinogradTile> chooseWinogradTile(ConvOp conv, const CpuTarget &target);

/// Whether tasks of `conv` transform their own input: rows of tiles do, where channels share the whole input,
/// transformed by a kernel before them.
bool isInputTransformFused(WinogradConvOp conv, const CpuTarget &target);
ScheduleAttr chooseWinogradSchedule(WinogradConvOp conv, const CpuTarget &target);
} // namespace coat

#endif
