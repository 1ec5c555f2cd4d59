// TOSA: convolutions, products and pooling. Channels come last: transposes stand around the op, which Graph takes for a
// channels-last model.
#include "Mlir.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

/// Operand `input` as numbers of `element` less its zero point, operand `zero`.
static Value centered(MlirNode node, unsigned input, unsigned zero, Type element) {
  Value value = node->convert(node->tensor(input), element);
  auto point = uniformValue(node->tensor(zero));
  if (!point) {
    node->refuse("expected a constant zero point, got a value computed at run time");
    return {};
  }
  return *point == 0 ? value : node->elementwise(ElementwiseKind::sub, {value, node->scalar(*point, element)});
}

/// From the last dimension to the second, and back.
static Value channelsFirst(MlirNode node, Value value) {
  if (!value)
    return {};
  int64_t rank = MlirNode::rankOf(value);
  SmallVector<int64_t> permutation = {0, rank - 1};
  llvm::append_range(permutation, llvm::seq<int64_t>(1, rank - 1));
  return node->transpose(value, permutation);
}
static Value channelsLast(MlirNode node, Value value) {
  if (!value)
    return {};
  int64_t rank = MlirNode::rankOf(value);
  SmallVector<int64_t> permutation = {0};
  llvm::append_range(permutation, llvm::seq<int64_t>(2, rank));
  permutation.push_back(1);
  return node->transpose(value, permutation);
}

/// [top, bottom, left, right] as all begins, then all ends.
static SmallVector<int64_t> beginsThenEnds(ArrayRef<int64_t> pads) {
  SmallVector<int64_t> result;
  for (size_t i = 0; i < pads.size(); i += 2)
    result.push_back(pads[i]);
  for (size_t i = 1; i < pads.size(); i += 2)
    result.push_back(pads[i]);
  return result;
}

/// A bias of one element stands for all channels.
static Value biasOf(MlirNode node, Value filter, int64_t channelDim) {
  Value bias = node->convert(node->tensor(2u), node.declaredElement());
  if (!bias || !filter)
    return {};
  return node->broadcast(bias, node->dims(filter)[channelDim]);
}

template <typename OpTy> static void importConv(MlirNode node) {
  constexpr bool depthwise = std::is_same_v<OpTy, tosa::DepthwiseConv2DOp>;
  auto op = node.as<OpTy>();
  Type element = node.declaredElement();
  Value x = channelsFirst(node, centered(node, 0, 3, element)), w = centered(node, 1, 4, element);
  if (!x || !w)
    return;
  int64_t groups = 1;
  if constexpr (depthwise) { // [KH, KW, C, M] to [C * M, 1, KH, KW]
    SmallVector<AffineExpr> dims = node->dims(w);
    groups = constantOf(dims[2]).value_or(0);
    w = node->reshape(node->transpose(w, {2, 3, 0, 1}),
                      {node->symbols.product({dims[2], dims[3]}), node->number(1), dims[0], dims[1]});
  } else {
    w = channelsFirst(node, w);
  }
  Value bias = biasOf(node, w, 0);
  Value result = node->emit<ConvOp>({x, w, bias},
                                    {node->attr("strides", op.getStride()), node->attr("dilations", op.getDilation()),
                                     node->attr("pads", beginsThenEnds(op.getPad())), node->attr("group", groups)});
  node->set(0, channelsLast(node, result));
}

static void importTransposeConv(MlirNode node) {
  auto op = node.as<tosa::TransposeConv2DOp>();
  Type element = node.declaredElement();
  Value x = channelsFirst(node, centered(node, 0, 3, element)), w = centered(node, 1, 4, element);
  if (!x || !w)
    return;
  w = node->transpose(w, {3, 0, 1, 2});
  // out_pad adds zeros to the result where it is positive, and takes away where it is not.
  SmallVector<int64_t> given = beginsThenEnds(op.getOutPad());
  auto pads = llvm::map_to_vector(given, [](int64_t pad) { return std::max<int64_t>(-pad, 0); });
  for (int64_t &pad : given)
    pad = std::max<int64_t>(pad, 0);
  Value bias = biasOf(node, w, 1);
  Value result = node->emit<ConvTransposeOp>(
      {x, w}, {node->attr("strides", op.getStride()), node->attr("dilations", ArrayRef<int64_t>{1, 1}),
               node->attr("pads", pads), node->attr("output_padding", ArrayRef<int64_t>{0, 0})});
  if (llvm::any_of(given, [](int64_t pad) { return pad > 0; }))
    result = node->emit<PadOp>(result, {node->attr("mode", PadModeAttr::get(node->context, PadMode::constant)),
                                        node->attr("low", ArrayRef<int64_t>{0, 0, given[0], given[1]}),
                                        node->attr("high", ArrayRef<int64_t>{0, 0, given[2], given[3]})});
  if (result && bias)
    result = node->elementwise(ElementwiseKind::add,
                               {result, node->reshape(bias, {node->dims(bias)[0], node->number(1), node->number(1)})});
  node->set(0, channelsLast(node, result));
}

static void importMatmul(MlirNode node) {
  Type element = node.declaredElement();
  node->set(0, node->emit<MatmulOp>({centered(node, 0, 2, element), centered(node, 1, 3, element)}));
}

template <typename OpTy> static void importPool(MlirNode node) {
  constexpr bool average = std::is_same_v<OpTy, tosa::AvgPool2dOp>;
  auto op = node.as<OpTy>();
  if constexpr (average) {
    if (!isa<FloatType>(node.declaredElement()))
      return node->refuse("expected floating-point elements, got integers");
  } else if (op.getNanMode() != tosa::NanPropagationMode::PROPAGATE) {
    return node->refuse("attribute 'nan_mode': expected PROPAGATE, got IGNORE");
  }
  auto kind = PoolKindAttr::get(node->context, average ? PoolKind::average : PoolKind::max);
  Value result = node->emit<PoolOp>(
      channelsFirst(node, node->tensor(0u)),
      {node->attr("kind", kind), node->attr("kernel", op.getKernel()), node->attr("strides", op.getStride()),
       node->attr("dilations", ArrayRef<int64_t>{1, 1}), node->attr("pads", beginsThenEnds(op.getPad()))});
  node->set(0, channelsLast(node, result));
}

ArrayRef<Handler> coat::onnx::tosaConvHandlers() {
  static const Handler rows[] = {
      {"tosa.conv2d", 1, newest, mlirOp<importConv<tosa::Conv2DOp>>},
      {"tosa.conv3d", 1, newest, mlirOp<importConv<tosa::Conv3DOp>>},
      {"tosa.depthwise_conv2d", 1, newest, mlirOp<importConv<tosa::DepthwiseConv2DOp>>},
      {"tosa.transpose_conv2d", 1, newest, mlirOp<importTransposeConv>},
      {"tosa.matmul", 1, newest, mlirOp<importMatmul>},
      {"tosa.avg_pool2d", 1, newest, mlirOp<importPool<tosa::AvgPool2dOp>>},
      {"tosa.max_pool2d", 1, newest, mlirOp<importPool<tosa::MaxPool2dOp>>},
  };
  return rows;
}
