// ATen: convolutions, pooling, resizing.
#include "Aten.h"
#include "OnnxResize.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

/// Operands with the batch dimension that PyTorch lets one leave out.
static Value batched(AtenNode node, Value x, int64_t rank) {
  if (!x || AtenNode::rank(x) == rank)
    return x;
  if (AtenNode::rank(x) != rank - 1) {
    node->fail("expected an input of rank " + Twine(rank - 1) + " or " + Twine(rank) + ", got rank " +
               Twine(AtenNode::rank(x)));
    return {};
  }
  SmallVector<AffineExpr> shape = node->dims(x);
  shape.insert(shape.begin(), node->number(1));
  return node->reshape(x, shape);
}

static Value unbatched(AtenNode node, Value result, Value input) {
  if (!result || !input || AtenNode::rank(result) == AtenNode::rank(input))
    return result;
  SmallVector<AffineExpr> shape = node->dims(result);
  shape.erase(shape.begin());
  return node->reshape(result, shape);
}

/// Begins and ends of a padding that is the same at both.
static SmallVector<int64_t> bothEnds(ArrayRef<int64_t> padding) {
  SmallVector<int64_t> pads(padding);
  llvm::append_range(pads, padding);
  return pads;
}

/// Padding given as "same" or "valid", or as numbers.
static SmallVector<int64_t> padsOf(AtenNode node, ArrayRef<int64_t> kernel, ArrayRef<int64_t> dilations) {
  const AttributeData *argument = node->argument("padding");
  if (!argument || argument->kind != AttributeData::String)
    return bothEnds(node.integers("padding", kernel.size(), 0));
  if (argument->s != "same" && argument->s != "valid")
    node->refuse("argument 'padding': expected same or valid, got '" + argument->s + "'");
  SmallVector<int64_t> pads(2 * kernel.size(), 0);
  for (size_t i = 0; i < kernel.size() && argument->s == "same"; ++i) {
    int64_t total = (kernel[i] - 1) * dilations[i];
    pads[i] = total / 2;
    pads[kernel.size() + i] = total - total / 2;
  }
  return pads;
}

static void convolve(AtenNode node, bool isTransposed) {
  Value input = node.tensor("input"), filter = node.tensor("weight");
  if (!input || !filter)
    return;
  auto type = cast<RankedTensorType>(filter.getType());
  if (!type.hasStaticShape() || type.getRank() < 3)
    return node->refuse("expected a filter of rank 3 to 5 and static shape, got another");
  ArrayRef<int64_t> kernel = type.getShape().drop_front(2);
  size_t spatial = kernel.size();
  SmallVector<int64_t> strides = node.integers("stride", spatial, 1), dilations = node.integers("dilation", spatial, 1);
  SmallVector<NamedAttribute> attributes = {node->attr("strides", strides), node->attr("dilations", dilations),
                                            node->attr("pads", padsOf(node, kernel, dilations)),
                                            node->attr("group", node.integer("groups", 1))};
  SmallVector<int64_t> outputPadding = node.integers("output_padding", spatial, 0);
  SmallVector<Value> operands = {batched(node, input, type.getRank()), filter};
  if (node.has("bias"))
    operands.push_back(node.tensor("bias"));
  Value result;
  if (isTransposed) {
    attributes.push_back(node->attr("output_padding", outputPadding));
    result = node->emit<ConvTransposeOp>(operands, attributes);
  } else {
    result = node->emit<ConvOp>(operands, attributes);
  }
  node->set(0, unbatched(node, result, input));
}
static void conv(AtenNode node) { convolve(node, false); }
static void convTranspose(AtenNode node) { convolve(node, true); }
static void convolution(AtenNode node) { convolve(node, node.flag("transposed")); }

/// The window of a pooling op of `spatial` dimensions; no stride means the kernel's size.
static SmallVector<NamedAttribute> windowOf(AtenNode node, PoolKind kind, size_t spatial) {
  SmallVector<int64_t> kernel = node.integers("kernel_size", spatial, 1);
  SmallVector<int64_t> strides = node.integers("stride").empty() ? kernel : node.integers("stride", spatial, 1);
  SmallVector<NamedAttribute> attributes = {node->attr("kind", PoolKindAttr::get(node->context, kind)),
                                            node->attr("kernel", kernel), node->attr("strides", strides),
                                            node->attr("dilations", node.integers("dilation", spatial, 1)),
                                            node->attr("pads", bothEnds(node.integers("padding", spatial, 0)))};
  if (node.flag("ceil_mode"))
    attributes.push_back(node->unit("ceil_mode"));
  return attributes;
}

template <int spatial> static void maxPool(AtenNode node) {
  if (node->numOutputs() > 1 && node->wants(1))
    return node->refuse("expected result 1 (indices) to be unused, got a use of it");
  Value input = node.tensor("self");
  auto attributes = windowOf(node, PoolKind::max, spatial);
  node->set(0, unbatched(node, node->emit<PoolOp>(batched(node, input, spatial + 2), attributes), input));
}

template <int spatial> static void averagePool(AtenNode node) {
  if (node.has("divisor_override"))
    return node->refuse("argument 'divisor_override': expected none, got one");
  Value input = node.tensor("self");
  auto attributes = windowOf(node, PoolKind::average, spatial);
  if (node.flag("count_include_pad", true))
    attributes.push_back(node->unit("count_include_pad"));
  node->set(0, unbatched(node, node->emit<PoolOp>(batched(node, input, spatial + 2), attributes), input));
}

/// Pooling to a given size: all of the image, or windows of one size that divide it.
template <int spatial, PoolKind kind> static void adaptivePool(AtenNode node) {
  if (node->numOutputs() > 1 && node->wants(1))
    return node->refuse("expected result 1 (indices) to be unused, got a use of it");
  Value input = node.tensor("self"), x = batched(node, input, spatial + 2);
  SmallVector<int64_t> wanted = node.integers("output_size", spatial, 1), window;
  if (!x)
    return;
  NamedAttribute kindAttr = node->attr("kind", PoolKindAttr::get(node->context, kind));
  if (llvm::all_of(wanted, [](int64_t size) { return size == 1; }))
    return node->set(0, unbatched(node, node->emit<GlobalPoolOp>(x, kindAttr), input));
  for (auto [size, target] : llvm::zip(ArrayRef(node->dims(x)).drop_front(2), wanted)) {
    auto extent = constantOf(size);
    if (!extent || target < 1 || *extent % target)
      return node->refuse("argument 'output_size': expected sizes that divide the image's, got " + Twine(target));
    window.push_back(*extent / target);
  }
  SmallVector<int64_t> ones(spatial, 1), zeros(2 * spatial, 0);
  node->set(0, unbatched(node,
                         node->emit<PoolOp>(x, {kindAttr, node->attr("kernel", window), node->attr("strides", window),
                                                node->attr("dilations", ones), node->attr("pads", zeros)}),
                         input));
}

/// upsample_*: to given sizes, or by factors.
static void resize(AtenNode node, ResizeMode mode, NearestMode rounding) {
  Value x = node.tensor(node.has("self") ? "self" : "input");
  if (!x)
    return;
  int64_t rank = AtenNode::rank(x), spatial = rank - 2;
  SmallVector<int64_t> sizes(rank, -1);
  SmallVector<double> scales(rank, 1.0);
  SmallVector<int64_t> wanted = node.integers("output_size");
  SmallVector<double> factors;
  if (const AttributeData *list = node->argument("scale_factors"); list && list->kind == AttributeData::Floats)
    factors = llvm::to_vector(list->floats);
  node.ignore({"scales", "scales_h", "scales_w", "scales_d"}); // with a size they only repeat it
  for (auto [axis, size] : llvm::enumerate(node->dims(x))) {
    auto extent = constantOf(size);
    if (extent)
      sizes[axis] = *extent;
    if (axis < 2)
      continue;
    if (!extent || (wanted.empty() ? factors.size() : wanted.size()) != size_t(spatial))
      return node->refuse("expected static sizes and a size or factor for each dimension, got others");
    sizes[axis] =
        resizedSize(node.node, wanted.empty() ? double(*extent) * factors[axis - 2] : double(wanted[axis - 2]));
    scales[axis] = wanted.empty() ? factors[axis - 2] : double(sizes[axis]) / *extent;
  }
  CoordinateMode coordinates = mode == ResizeMode::nearest  ? CoordinateMode::asymmetric
                               : node.flag("align_corners") ? CoordinateMode::align_corners
                                                            : CoordinateMode::half_pixel;
  node->set(0, node->emit<ResizeOp>(
                   x, {node->attr("scales", node->builder.getDenseF64ArrayAttr(scales)), node->attr("sizes", sizes),
                       node->attr("mode", ResizeModeAttr::get(node->context, mode)),
                       node->attr("coordinate_mode", CoordinateModeAttr::get(node->context, coordinates)),
                       node->attr("nearest_mode", NearestModeAttr::get(node->context, rounding))}));
}
static void nearest(AtenNode node) { resize(node, ResizeMode::nearest, NearestMode::floor); }
static void linear(AtenNode node) { resize(node, ResizeMode::linear, NearestMode::floor); }
static void cubic(AtenNode node) { resize(node, ResizeMode::cubic, NearestMode::floor); }

ArrayRef<Handler> coat::onnx::atenConvHandlers() {
  static const Handler rows[] = {
      {"aten.conv1d", 1, newest, aten<conv>},
      {"aten.conv2d", 1, newest, aten<conv>},
      {"aten.conv3d", 1, newest, aten<conv>},
      {"aten.conv_transpose1d", 1, newest, aten<convTranspose>},
      {"aten.conv_transpose2d", 1, newest, aten<convTranspose>},
      {"aten.conv_transpose3d", 1, newest, aten<convTranspose>},
      {"aten.convolution", 1, newest, aten<convolution>},
      {"aten.max_pool1d", 1, newest, aten<maxPool<1>>},
      {"aten.max_pool2d", 1, newest, aten<maxPool<2>>},
      {"aten.max_pool3d", 1, newest, aten<maxPool<3>>},
      {"aten.max_pool2d_with_indices", 1, newest, aten<maxPool<2>>},
      {"aten.max_pool3d_with_indices", 1, newest, aten<maxPool<3>>},
      {"aten.avg_pool1d", 1, newest, aten<averagePool<1>>},
      {"aten.avg_pool2d", 1, newest, aten<averagePool<2>>},
      {"aten.avg_pool3d", 1, newest, aten<averagePool<3>>},
      {"aten.adaptive_avg_pool1d", 1, newest, aten<adaptivePool<1, PoolKind::average>>},
      {"aten.adaptive_avg_pool2d", 1, newest, aten<adaptivePool<2, PoolKind::average>>},
      {"aten.adaptive_avg_pool3d", 1, newest, aten<adaptivePool<3, PoolKind::average>>},
      {"aten._adaptive_avg_pool2d", 1, newest, aten<adaptivePool<2, PoolKind::average>>},
      {"aten._adaptive_avg_pool3d", 1, newest, aten<adaptivePool<3, PoolKind::average>>},
      {"aten.adaptive_max_pool2d", 1, newest, aten<adaptivePool<2, PoolKind::max>>},
      {"aten.upsample_nearest1d", 1, newest, aten<nearest>},
      {"aten.upsample_nearest2d", 1, newest, aten<nearest>},
      {"aten.upsample_nearest3d", 1, newest, aten<nearest>},
      {"aten.upsample_linear1d", 1, newest, aten<linear>},
      {"aten.upsample_bilinear2d", 1, newest, aten<linear>},
      {"aten.upsample_trilinear3d", 1, newest, aten<linear>},
      {"aten.upsample_bicubic2d", 1, newest, aten<cubic>},
  };
  return rows;
}
