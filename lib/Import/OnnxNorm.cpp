// Normalizations: batch, layer, RMS, group, instance, local response, Lp, mean and variance.
#include "Node.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

/// The population variance over `axes`, kept with size 1; `centered` is the input minus its mean there.
static Value varianceOf(NodeImporter &node, Value centered, ArrayRef<int64_t> axes) {
  return node.reduce(ReduceKind::mean, node.elementwise(ElementwiseKind::mul, {centered, centered}), axes);
}

/// Statistics of training mode: of all dimensions but the channels', as vectors. Sets the running ones, which are
/// given * momentum + new * (1 - momentum).
static SmallVector<Value> trainStatistics(NodeImporter &node, Value input, double momentum) {
  using Kind = ElementwiseKind;
  SmallVector<int64_t> axes = {0};
  llvm::append_range(axes, llvm::seq<int64_t>(2, node.rank(0)));
  Value mean = node.reduce(ReduceKind::mean, input, axes);
  Value variance = varianceOf(node, node.elementwise(Kind::sub, {input, mean}), axes);
  SmallVector<Value> statistics;
  for (auto [index, value] : llvm::enumerate(SmallVector<Value>{mean, variance})) {
    if (node.failed())
      return {Value(), Value()};
    statistics.push_back(node.reshape(value, node.dims(value)[1]));
    Type type = node.elementType(3 + index);
    auto weighted = [&](Value part, double weight) {
      return node.elementwise(Kind::mul, {node.convert(part, type), node.scalar(weight, type)});
    };
    if (node.wants(1 + index))
      node.set(1 + index, node.elementwise(Kind::add, {weighted(node.tensor(3 + index), momentum),
                                                       weighted(statistics.back(), 1 - momentum)}));
  }
  return statistics;
}

/// Before opset 14 the other results are running statistics of training, and asking for them means training.
static void importBatchNorm(NodeImporter &node) {
  double momentum = node.real("momentum", 0.9);
  bool training = node.opset() >= 14 && node.integer("training_mode", 0) != 0;
  if (node.opset() < 9)
    node.only("spatial", 1);
  double epsilon = node.real("epsilon", 1e-5);
  if (node.rank(0) < 2)
    node.fail("expected an input of rank 2 or more, got rank " + Twine(node.rank(0)));
  Value input = node.tensor(0);
  Type type = node.elementType(0);
  SmallVector<Value> operands = {input};
  for (unsigned i = 1; i <= 4 && !node.failed(); ++i)
    operands.push_back(node.convert(node.tensor(i), type));
  if (training && !node.failed())
    llvm::copy(trainStatistics(node, input, momentum), operands.begin() + 3);
  node.set(0, node.emit<BatchNormOp>(operands, node.attr("epsilon", epsilon)));
}

/// Results 1 and 2 of LayerNormalization: the mean and 1 / sqrt(variance + epsilon), from their formulas.
static void setStatistics(NodeImporter &node, Value input, int64_t axis, double epsilon) {
  if (node.failed() || (!node.wants(1) && !node.wants(2)))
    return;
  using Kind = ElementwiseKind;
  auto axes = llvm::to_vector(llvm::seq<int64_t>(axis, node.rank(0)));
  Value average = node.reduce(ReduceKind::mean, input, axes);
  Value variance = varianceOf(node, node.elementwise(Kind::sub, {input, average}), axes);
  Value shifted = node.elementwise(Kind::add, {variance, node.scalar(epsilon, node.elementType(0))});
  node.set(1, average);
  node.set(2, node.elementwise(Kind::reciprocal, node.elementwise(Kind::sqrt, shifted)));
}

/// stash_type = 1 asks for statistics in f32, which is what coat computes in for inputs up to 32 bits.
static void importLayerNorm(NodeImporter &node, bool rms) {
  int64_t axis = node.normalizeAxis(node.integer("axis", -1), node.rank(0));
  node.only("stash_type", 1);
  Value input = node.tensor(0);
  SmallVector<Value> operands = {input};
  SmallVector<int32_t> segments = {1, 0, 0};
  for (unsigned i = 1; i <= (rms ? 1u : 2u) && !node.failed(); ++i) {
    if (!node.has(i))
      continue;
    operands.push_back(node.convert(node.tensor(i), node.elementType(0)));
    segments[i] = 1;
  }
  double epsilon = node.real("epsilon", 1e-5);
  SmallVector<NamedAttribute> attributes = {node.attr("axis", axis), node.attr("epsilon", epsilon),
                                            node.segments(segments)};
  if (rms)
    attributes.push_back(node.unit("rms"));
  else
    setStatistics(node, input, axis, epsilon);
  node.set(0, node.emit<LayerNormOp>(operands, attributes));
}

/// Until opset 20 scale and bias have one element a group; from 21 one a channel.
static Value perChannel(NodeImporter &node, unsigned input, int64_t groups, int64_t channels) {
  Value value = node.tensor(input);
  if (node.opset() >= 21 || node.failed() || groups == channels || groups < 1 || channels % groups != 0)
    return value;
  if (node.rank(input) != 1 || node.type(input).getDimSize(0) != groups) {
    node.fail("expected " + Twine(groups) + " elements of scale and bias, one a group, got another shape");
    return {};
  }
  if (const Known *known = node.known(input); known && channels <= maxKnownFloats) {
    SmallVector<int64_t> positions;
    for (int64_t channel = 0; channel < channels; ++channel)
      positions.push_back(channel / (channels / groups));
    return node.constant(known->pick(positions, channels));
  }
  value = node.reshape(value, node.numbers({groups, 1}));
  value = node.broadcast(value, node.numbers({groups, channels / groups}));
  return node.reshape(value, node.numbers(channels));
}

static int64_t channelsOf(NodeImporter &node) {
  RankedTensorType type = node.type(0);
  if (type && type.getRank() >= 3 && !type.isDynamicDim(1))
    return type.getDimSize(1);
  node.fail("expected an input of rank 3 or more with a static number of channels, got another");
  return 1;
}

static void importGroupNorm(NodeImporter &node) {
  int64_t groups = node.integer("num_groups", 0), channels = channelsOf(node);
  if (node.opset() >= 21)
    node.only("stash_type", 1);
  Value input = node.tensor(0), scale = perChannel(node, 1, groups, channels),
        bias = perChannel(node, 2, groups, channels);
  node.set(0, node.emit<GroupNormOp>({input, scale, bias},
                                     {node.attr("groups", groups), node.attr("epsilon", node.real("epsilon", 1e-5))}));
}

static void importInstanceNorm(NodeImporter &node) {
  int64_t channels = channelsOf(node);
  node.set(0,
           node.emit<GroupNormOp>({node.tensor(0), node.tensor(1), node.tensor(2)},
                                  {node.attr("groups", channels), node.attr("epsilon", node.real("epsilon", 1e-5))}));
}

static void importLRN(NodeImporter &node) {
  if (!node.hasAttribute("size"))
    node.fail("expected attribute 'size', got none");
  node.set(0,
           node.emit<LRNOp>(node.tensor(0),
                            {node.attr("size", node.integer("size", 1)), node.attr("alpha", node.real("alpha", 1e-4)),
                             node.attr("beta", node.real("beta", 0.75)), node.attr("k", node.real("bias", 1.0))}));
}

/// x / norm(x) along one dimension; zeros stay zeros.
static void importLpNorm(NodeImporter &node) {
  int64_t axis = node.normalizeAxis(node.integer("axis", -1), node.rank(0)), p = node.integer("p", 2);
  if (p != 1 && p != 2)
    node.fail("attribute 'p': expected 1 or 2, got " + Twine(p));
  Value input = node.tensor(0);
  ReduceKind kind = p == 1 ? ReduceKind::l1 : ReduceKind::l2;
  Value norm = node.reduce(kind, input, axis);
  if (!norm)
    return;
  Value zero = node.scalar(0, node.elementType(0)), one = node.scalar(1, node.elementType(0));
  norm = node.elementwise(ElementwiseKind::select, {node.elementwise(ElementwiseKind::equal, {norm, zero}), one, norm});
  node.set(0, node.elementwise(ElementwiseKind::div, {input, norm}));
}

/// (x - mean) / (sqrt(variance) + 1e-9) over some dimensions.
static void importMeanVariance(NodeImporter &node) {
  using Kind = ElementwiseKind;
  SmallVector<int64_t> axes = node.hasAttribute("axes") ? node.integers("axes") : SmallVector<int64_t>{0, 2, 3};
  axes = node.normalizeAxes(axes, node.rank(0));
  llvm::sort(axes);
  Value input = node.tensor(0);
  Value centered = node.elementwise(Kind::sub, {input, node.reduce(ReduceKind::mean, input, axes)});
  Value deviation = node.elementwise(Kind::sqrt, varianceOf(node, centered, axes));
  if (deviation)
    deviation = node.elementwise(Kind::add, {deviation, node.scalar(1e-9, node.elementType(0))});
  node.set(0, node.elementwise(Kind::div, {centered, deviation}));
}

ArrayRef<Handler> coat::onnx::normHandlers() {
  static const Handler rows[] = {
      {"BatchNormalization", 7, newest, importBatchNorm},
      {"LayerNormalization", 17, newest, [](NodeImporter &node) { importLayerNorm(node, /*rms=*/false); }},
      {"RMSNormalization", 23, newest, [](NodeImporter &node) { importLayerNorm(node, /*rms=*/true); }},
      // What ONNX Runtime called it before.
      {"SimplifiedLayerNormalization", 1, newest, [](NodeImporter &node) { importLayerNorm(node, /*rms=*/true); }},
      {"GroupNormalization", 18, newest, importGroupNorm},
      {"InstanceNormalization", 6, newest, importInstanceNorm},
      {"LRN", 1, newest, importLRN},
      {"LpNormalization", 1, newest, importLpNorm},
      {"MeanVarianceNormalization", 9, newest, importMeanVariance},
  };
  return rows;
}
