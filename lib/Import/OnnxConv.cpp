// Conv, ConvTranspose, and the window attributes that pooling shares with them.
#include "OnnxWindow.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

//===--- windows ---===//

static AutoPad readAutoPad(NodeImporter &node) {
  std::string mode = node.string("auto_pad", "NOTSET");
  if (mode == "SAME_UPPER")
    return AutoPad::SameUpper;
  if (mode == "SAME_LOWER")
    return AutoPad::SameLower;
  if (mode == "VALID")
    return AutoPad::Valid;
  if (mode != "NOTSET" && !mode.empty())
    node.fail("attribute 'auto_pad': expected NOTSET, SAME_UPPER, SAME_LOWER or VALID, got " + mode);
  return AutoPad::NotSet;
}

/// An attribute of one integer a spatial dimension, each from `least` to 2^31.
static SmallVector<int64_t> readList(NodeImporter &node, StringRef name, size_t count, int64_t fallback,
                                     int64_t least) {
  SmallVector<int64_t> values = node.integers(name);
  if (values.empty())
    return SmallVector<int64_t>(count, fallback);
  if (values.size() != count)
    node.fail("attribute '" + name + "': expected " + Twine(count) + " integers, got " + Twine(values.size()));
  for (int64_t value : values)
    if (value < least || value > INT32_MAX)
      node.fail("attribute '" + name + "': expected integers of at least " + Twine(least) + ", got " + Twine(value));
  values.resize(count);
  return values;
}

WindowAttributes coat::onnx::readWindow(NodeImporter &node, int64_t rank, ArrayRef<int64_t> kernel) {
  WindowAttributes window;
  if (rank < 3)
    node.fail("expected an input of rank 3 to 5, got rank " + Twine(rank));
  size_t spatial = std::max<int64_t>(rank - 2, 0);
  window.autoPad = readAutoPad(node);
  window.strides = readList(node, "strides", spatial, 1, 1);
  window.dilations = readList(node, "dilations", spatial, 1, 1);
  window.pads = readList(node, "pads", 2 * spatial, 0, INT32_MIN);
  window.kernel = node.integers("kernel_shape");
  if (kernel.empty() && window.kernel.size() != spatial)
    node.fail("attribute 'kernel_shape': expected " + Twine(spatial) + " integers, got " + Twine(window.kernel.size()));
  if (!kernel.empty() && kernel.size() != spatial)
    node.fail("expected a filter of rank " + Twine(rank) + ", as the input, got rank " + Twine(kernel.size() + 2));
  if (!kernel.empty() && !window.kernel.empty() && ArrayRef(window.kernel) != kernel)
    node.fail("attribute 'kernel_shape': expected the filter's sizes, got others");
  if (!kernel.empty())
    window.kernel.assign(kernel.begin(), kernel.end());
  window.kernel.resize(spatial, 1);
  if (llvm::any_of(window.kernel, [](int64_t size) { return size < 1 || size > INT32_MAX; }))
    node.fail("expected a kernel of at least one element in each dimension, got an empty one");
  if (window.autoPad != AutoPad::NotSet)
    llvm::fill(window.pads, 0);
  return window;
}

void coat::onnx::resolveAutoPad(NodeImporter &node, WindowAttributes &window, ArrayRef<AffineExpr> spatial) {
  if (window.autoPad != AutoPad::SameUpper && window.autoPad != AutoPad::SameLower)
    return;
  for (auto [dim, expr] : llvm::enumerate(spatial)) {
    int64_t reach = (window.kernel[dim] - 1) * window.dilations[dim] + 1, stride = window.strides[dim];
    auto size = constantOf(expr);
    if (!size && stride != 1) {
      node.refuse("attribute 'auto_pad': expected static spatial sizes with strides, got a symbolic one; try --dim");
      return;
    }
    int64_t total =
        size ? std::max<int64_t>((llvm::divideCeilSigned(*size, stride) - 1) * stride + reach - *size, 0) : reach - 1;
    int64_t less = total / 2, more = total - less;
    window.pads[dim] = window.autoPad == AutoPad::SameUpper ? less : more;
    window.pads[dim + spatial.size()] = total - window.pads[dim];
  }
}

//===--- convolutions ---===//

/// Spatial sizes of a constant-shaped filter.
static SmallVector<int64_t> kernelOf(NodeImporter &node, unsigned input) {
  RankedTensorType type = node.type(input);
  if (!type || !type.hasStaticShape() || type.getRank() < 3) {
    node.fail("expected a filter of rank 3 to 5 and static shape, got another");
    return {1};
  }
  return SmallVector<int64_t>(type.getShape().drop_front(2));
}

/// The operands of a convolution: input, filter and, when there is one, bias.
static SmallVector<Value> convOperands(NodeImporter &node) {
  SmallVector<Value> operands = {node.tensor(0), node.tensor(1)};
  if (node.has(2))
    operands.push_back(node.tensor(2));
  return operands;
}

static void importConv(NodeImporter &node) {
  SmallVector<int64_t> kernel = kernelOf(node, 1);
  WindowAttributes window = readWindow(node, node.rank(0), kernel);
  int64_t group = node.integer("group", 1);
  if (node.failed())
    return;
  resolveAutoPad(node, window, ArrayRef(node.dims(0)).drop_front(2));
  node.set(0, node.emit<ConvOp>(convOperands(node),
                                {node.attr("strides", window.strides), node.attr("dilations", window.dilations),
                                 node.attr("pads", window.pads), node.attr("group", group)}));
}

/// Pads of ConvTranspose: from output_shape or auto_pad when given. They are what is cut off the full result, so that
/// a negative total becomes output padding.
static void resolveTransposedPads(NodeImporter &node, WindowAttributes &window, ArrayRef<AffineExpr> spatial,
                                  MutableArrayRef<int64_t> outputPadding, ArrayRef<int64_t> outputShape) {
  bool same = window.autoPad == AutoPad::SameUpper || window.autoPad == AutoPad::SameLower;
  if (outputShape.empty() && !same)
    return;
  for (auto [dim, expr] : llvm::enumerate(spatial)) {
    auto size = constantOf(expr);
    int64_t reach = (window.kernel[dim] - 1) * window.dilations[dim] + 1, stride = window.strides[dim], total;
    if (!outputShape.empty() && !size) {
      node.refuse("attribute 'output_shape': expected static spatial sizes, got a symbolic one; try --dim");
      return;
    }
    if (outputShape.empty())
      total = reach + outputPadding[dim] - stride; // the result has size * stride elements
    else if (llvm::MulOverflow(stride, *size - 1, total) ||
             llvm::AddOverflow(total, outputPadding[dim] + reach - outputShape[dim], total)) {
      node.fail("expected an output whose sizes fit 64 bits, got strides of " + Twine(stride) + " over " +
                Twine(*size) + " elements");
      return;
    }
    if (total < 0) {
      outputPadding[dim] -= total;
      total = 0;
    }
    int64_t less = total / 2, more = total - less;
    bool upper = window.autoPad == AutoPad::SameUpper;
    window.pads[dim] = upper ? less : more;
    window.pads[dim + spatial.size()] = upper ? more : less;
  }
}

static void importConvTranspose(NodeImporter &node) {
  SmallVector<int64_t> kernel = kernelOf(node, 1);
  WindowAttributes window = readWindow(node, node.rank(0), kernel);
  int64_t group = node.integer("group", 1);
  size_t spatial = kernel.size();
  SmallVector<int64_t> outputPadding = readList(node, "output_padding", spatial, 0, 0);
  SmallVector<int64_t> outputShape = node.integers("output_shape");
  if (outputShape.size() == spatial + 2) // old exporters give the whole shape
    outputShape.erase(outputShape.begin(), outputShape.begin() + 2);
  if (!outputShape.empty() && outputShape.size() != spatial)
    node.fail("attribute 'output_shape': expected " + Twine(spatial) + " integers, got " + Twine(outputShape.size()));
  for (int64_t size : outputShape)
    if (size < 0 || size > INT32_MAX)
      node.fail("attribute 'output_shape': expected sizes of 0 to 2147483647, got " + Twine(size));
  if (node.failed())
    return;
  resolveTransposedPads(node, window, ArrayRef(node.dims(0)).drop_front(2), outputPadding, outputShape);
  node.set(0, node.emit<ConvTransposeOp>(convOperands(node),
                                         {node.attr("strides", window.strides),
                                          node.attr("dilations", window.dilations), node.attr("pads", window.pads),
                                          node.attr("output_padding", outputPadding), node.attr("group", group)}));
}

ArrayRef<Handler> coat::onnx::convHandlers() {
  static const Handler rows[] = {
      {"Conv", 1, newest, importConv},
      {"ConvTranspose", 1, newest, importConvTranspose},
  };
  return rows;
}
