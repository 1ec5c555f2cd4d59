// Losses: NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss, from element-wise ops, gathers and sums.
#include "Node.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

/// The loss of each sample and its weight; no weight stands for 1.
namespace {
struct Samples {
  Value loss, weight;
};
} // namespace

/// -logProb[n, target[n, d..], d..] * weight[target[n, d..]], of shape [N, d..]; zero where the target is ignored.
static Samples samplesOf(NodeImporter &node, Value logProb) {
  Value target = node.tensor(1);
  if (node.failed() || !logProb)
    return {};
  SmallVector<AffineExpr> shape = node.dims(logProb), targets = node.dims(target);
  if (shape.size() < 2 || targets.size() + 1 != shape.size()) {
    node.fail("expected scores of rank 2 or more and targets of one less, got ranks " + Twine(shape.size()) + " and " +
              Twine(targets.size()));
    return {};
  }
  node.requireEqual(shape[0], targets[0], "batch sizes of scores and targets");
  for (size_t dim = 2; dim < shape.size(); ++dim)
    node.requireEqual(shape[dim], targets[dim - 1], "sizes of scores and targets");
  Type type = node.elementType(0), indexType = node.elementType(1);
  SmallVector<AffineExpr> column = targets;
  column.insert(column.begin() + 1, node.number(1));
  Value picked = node.emit<GatherOp>({logProb, node.reshape(target, column)},
                                     {node.attr("axis", int64_t(1)), node.unit("elementwise")});
  Samples samples{node.elementwise(Kind::neg, node.reshape(picked, targets)), {}};
  if (node.has(2)) {
    samples.weight = node.emit<GatherOp>({node.tensor(2), target}, node.attr("axis", int64_t(0)));
    samples.loss = node.elementwise(Kind::mul, {samples.loss, samples.weight});
  }
  if (node.hasAttribute("ignore_index") && !node.failed()) {
    Value ignored = node.scalar(double(node.integer("ignore_index", 0)), indexType), zero = node.scalar(0, type);
    ignored = node.elementwise(Kind::equal, {target, ignored});
    samples.loss = node.elementwise(Kind::select, {ignored, zero, samples.loss});
    Value weight = samples.weight ? samples.weight : node.scalar(1, type);
    samples.weight = node.elementwise(Kind::select, {ignored, zero, weight});
  }
  return samples;
}

/// The loss, reduced as the attribute says; a mean is weighted.
static void setLoss(NodeImporter &node, Value logProb) {
  std::string reduction = node.string("reduction", "mean");
  if (reduction != "mean" && reduction != "sum" && reduction != "none")
    node.fail("attribute 'reduction': expected mean, sum or none, got '" + reduction + "'");
  Samples samples = samplesOf(node, logProb);
  if (node.failed() || reduction == "none")
    return node.set(0, samples.loss);
  auto axes = llvm::to_vector(llvm::seq<int64_t>(0, node.rank(1)));
  if (reduction == "mean" && !samples.weight)
    return node.set(0, node.reduce(ReduceKind::mean, samples.loss, axes, /*keepDims=*/false));
  Value total = node.reduce(ReduceKind::sum, samples.loss, axes, /*keepDims=*/false);
  if (reduction == "mean")
    total = node.elementwise(Kind::div, {total, node.reduce(ReduceKind::sum, samples.weight, axes, false)});
  node.set(0, total);
}

static void importNegativeLogLikelihood(NodeImporter &node) { setLoss(node, node.tensor(0)); }

static void importSoftmaxCrossEntropy(NodeImporter &node) {
  Value logProb = node.emit<SoftmaxOp>(node.tensor(0), {node.attr("axis", int64_t(1)), node.unit("log")});
  setLoss(node, logProb);
  node.set(1, logProb);
}

ArrayRef<Handler> coat::onnx::lossHandlers() {
  static const Handler rows[] = {
      {"NegativeLogLikelihoodLoss", 12, newest, importNegativeLogLikelihood},
      {"SoftmaxCrossEntropyLoss", 12, newest, importSoftmaxCrossEntropy},
  };
  return rows;
}
