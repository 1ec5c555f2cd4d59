// Attributes of sliding windows: what Conv, ConvTranspose and the pooling ops have in common.
#ifndef COAT_LIB_IMPORT_ONNXWINDOW_H
#define COAT_LIB_IMPORT_ONNXWINDOW_H

#include "Node.h"

namespace coat::onnx {

/// Where the amount of padding comes from.
enum class AutoPad { NotSet, SameUpper, SameLower, Valid };

struct WindowAttributes {
  AutoPad autoPad = AutoPad::NotSet;
  llvm::SmallVector<int64_t> kernel, strides, dilations;
  llvm::SmallVector<int64_t> pads; // all begins, then all ends
};

/// Reads auto_pad, kernel_shape, strides, dilations and pads for an input of `rank` dimensions. Strides and
/// dilations default to 1, pads to 0; `kernel` is what the filter says, empty when the op has none.
WindowAttributes readWindow(NodeImporter &node, int64_t rank, llvm::ArrayRef<int64_t> kernel);

/// Makes the pads of SAME_UPPER and SAME_LOWER explicit for an input of these spatial sizes: the output size is
/// ceil(input / stride), and an odd element goes to the end (upper) or the beginning (lower).
void resolveAutoPad(NodeImporter &node, WindowAttributes &window, llvm::ArrayRef<mlir::AffineExpr> spatial);

} // namespace coat::onnx

#endif
