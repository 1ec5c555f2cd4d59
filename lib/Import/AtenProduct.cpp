// ATen: matrix products, attention, softmax, normalizations, embeddings.
#include "Aten.h"
#include "Products.h"
#include <cmath>

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

//===--- products ---===//

/// input weight^T + bias.
static void linear(AtenNode node) {
  Value x = node.tensor("input"), weight = node.tensor("weight"),
        bias = node.has("bias") ? node.tensor("bias") : Value();
  if (!x || !weight)
    return;
  SmallVector<AffineExpr> shape = node->dims(x);
  if (shape.size() == 1)
    x = node->reshape(x, {node->number(1), shape[0]});
  Value result = product(node.node, x, weight, false, /*transposeRhs=*/true, bias);
  if (!result || shape.size() > 1)
    return node->set(0, result);
  node->set(0, node->reshape(result, node->dims(result).back()));
}

static void multiply(AtenNode node) {
  StringRef other = node.has("mat2") ? "mat2" : "other";
  node->set(0, matmul(node.node, node.tensor("self"), node.tensor(other)));
}

/// beta * self + alpha * (a b).
static void addProduct(AtenNode node, StringRef a, StringRef b) {
  Value addend = node.tensor("self"), result = product(node.node, node.tensor(a), node.tensor(b));
  if (!result || !addend)
    return;
  Type type = AtenNode::elementTypeOf(result);
  for (auto [name, value] : {std::pair<StringRef, Value *>("alpha", &result), {"beta", &addend}})
    if (double factor = node.number(name, 1); factor != 1)
      *value = node->elementwise(Kind::mul, {*value, node->scalar(factor, type)});
  node->set(0, node->elementwise(Kind::add, {result, addend}));
}
static void addmm(AtenNode node) { addProduct(node, "mat1", "mat2"); }
static void baddbmm(AtenNode node) { addProduct(node, "batch1", "batch2"); }

//===--- attention and softmax ---===//

template <bool log> static void softmax(AtenNode node) {
  Value x = node.tensor("self");
  if (!x)
    return;
  x = node->convert(x, node.elementType(AtenNode::elementTypeOf(x)));
  node.ignore({"half_to_float"});
  SmallVector<NamedAttribute> attributes = {node->attr("axis", node.axis("dim", -1, AtenNode::rank(x)))};
  if (log)
    attributes.push_back(node->unit("log"));
  node->set(0, node->emit<SoftmaxOp>(x, attributes));
}

/// Query, key and value with dimensions before the last two; coat has two of them, batch and heads.
static void attention(AtenNode node) {
  Value query = node.tensor("query"), key = node.tensor("key"), value = node.tensor("value");
  node.ignore({"enable_gqa"}); // without it the numbers of heads are equal
  if (node.number("dropout_p", 0) != 0)
    node->refuse("argument 'dropout_p': expected 0, got another number");
  if (!query || !key || !value)
    return;
  int64_t rank = AtenNode::rank(query);
  SmallVector<AffineExpr> shape = node->dims(query);
  auto depth = constantOf(shape.back());
  if (rank < 2 || rank > 4 || AtenNode::rank(key) != rank || AtenNode::rank(value) != rank)
    return node->refuse("expected query, key and value of one rank from 2 to 4, got others");
  if (!node.has("scale") && !depth)
    return node->refuse("expected a static depth or argument 'scale', got depth " + node->print(shape.back()));
  auto wide = [&](Value x) {
    SmallVector<AffineExpr> dims = node->dims(x);
    dims.insert(dims.begin(), 4 - dims.size(), node->number(1));
    if (rank == 3) // the leading dimension is the batch
      std::swap(dims[0], dims[1]);
    return node->reshape(x, dims);
  };
  SmallVector<Value> operands = {wide(query), wide(key), wide(value)};
  bool hasMask = node.has("attn_mask");
  if (hasMask) {
    Value mask = node.tensor("attn_mask");
    operands.push_back(rank == 3 && mask && AtenNode::rank(mask) == 3 ? wide(mask) : mask);
  }
  double scale = node.has("scale") ? node.number("scale", 1) : 1.0 / std::sqrt(double(*depth));
  SmallVector<NamedAttribute> attributes = {node->attr("scale", scale), node->segments({1, 1, 1, hasMask, 0, 0, 0, 0})};
  if (node.flag("is_causal"))
    attributes.push_back(node->unit("causal"));
  Operation *op = node->create<AttentionOp>(operands, attributes);
  if (!op)
    return;
  shape.back() = node->dims(value).back();
  node->set(0, node->reshape(op->getResult(0), shape));
}

//===--- normalizations ---===//

/// A vector of the channels' count, ones or zeros where the argument is None.
static Value perChannel(AtenNode node, StringRef name, double fallback, AffineExpr channels, Type type) {
  if (node.has(name))
    return node->convert(node.tensor(name), type);
  return node->broadcast(node->scalar(fallback, type), channels);
}

static void batchNorm(AtenNode node) {
  node.ignore({"momentum", "cudnn_enabled"});
  if (node.flag("training"))
    return node->refuse("argument 'training': expected false, got true; try module.eval()");
  Value x = node.tensor("input");
  if (!x || AtenNode::rank(x) < 2)
    return;
  AffineExpr channels = node->dims(x)[1];
  Type type = AtenNode::elementTypeOf(x);
  node->set(0, node->emit<BatchNormOp>({x, perChannel(node, "weight", 1, channels, type),
                                        perChannel(node, "bias", 0, channels, type),
                                        perChannel(node, "running_mean", 0, channels, type),
                                        perChannel(node, "running_var", 1, channels, type)},
                                       node->attr("epsilon", node.number("eps", 1e-5))));
}

template <bool rms> static void layerNorm(AtenNode node) {
  node.ignore({"cudnn_enable"});
  for (unsigned result : {1u, 2u})
    if (result < node->numOutputs() && node->wants(result))
      return node->refuse("expected results 1 and 2 (mean, rstd) to be unused, got a use");
  Value x = node.tensor("input");
  if (!x)
    return;
  SmallVector<int64_t> normalized = node.integers("normalized_shape");
  SmallVector<AffineExpr> shape = node->dims(x);
  if (normalized.empty() || normalized.size() > shape.size())
    return node->fail("expected a normalized_shape of 1 to " + Twine(shape.size()) + " sizes, got " +
                      Twine(normalized.size()));
  for (auto [size, expr] : llvm::zip(normalized, ArrayRef(shape).take_back(normalized.size())))
    node->requireEqual(expr, node->number(size), "normalized_shape");
  SmallVector<Value> operands = {x};
  SmallVector<int32_t> segments = {1, 0, 0};
  const std::array<StringRef, 2> names = {"weight", "bias"};
  for (auto [index, name] : llvm::enumerate(names))
    if (node.has(name)) {
      operands.push_back(node->convert(node.tensor(name), AtenNode::elementTypeOf(x)));
      segments[1 + index] = 1;
    }
  // PyTorch's RMS norm without eps takes the type's.
  double epsilon = node.number("eps", rms ? 1.1920928955078125e-07 : 1e-5);
  SmallVector<NamedAttribute> attributes = {node->attr("axis", int64_t(shape.size() - normalized.size())),
                                            node->attr("epsilon", epsilon), node->segments(segments)};
  if (rms)
    attributes.push_back(node->unit("rms"));
  node->set(0, node->emit<LayerNormOp>(operands, attributes));
}

static void groupNorm(AtenNode node) {
  node.ignore({"cudnn_enabled", "N", "C", "HxW"}); // the sizes repeat the input's
  for (unsigned result : {1u, 2u})
    if (result < node->numOutputs() && node->wants(result))
      return node->refuse("expected results 1 and 2 (mean, rstd) to be unused, got a use");
  Value x = node.tensor("input");
  if (!x || AtenNode::rank(x) < 3)
    return node->refuse("expected an input of rank 3 or more, got another");
  AffineExpr channels = node->dims(x)[1];
  Type type = AtenNode::elementTypeOf(x);
  node->set(0, node->emit<GroupNormOp>(
                   {x, perChannel(node, "weight", 1, channels, type), perChannel(node, "bias", 0, channels, type)},
                   {node->attr("groups", node.integer(node.has("group") ? "group" : "num_groups", 1)),
                    node->attr("epsilon", node.number("eps", 1e-5))}));
}

static void instanceNorm(AtenNode node) {
  node.ignore({"cudnn_enabled", "momentum", "running_mean", "running_var"});
  Value x = node.tensor("input");
  auto channels = x && AtenNode::rank(x) > 2 ? constantOf(node->dims(x)[1]) : std::nullopt;
  if (!channels || !node.flag("use_input_stats"))
    return node->refuse("expected an image of a static number of channels and use_input_stats, got others");
  Type type = AtenNode::elementTypeOf(x);
  AffineExpr count = node->number(*channels);
  node->set(0, node->emit<GroupNormOp>(
                   {x, perChannel(node, "weight", 1, count, type), perChannel(node, "bias", 0, count, type)},
                   {node->attr("groups", *channels), node->attr("epsilon", node.number("eps", 1e-5))}));
}

static void embedding(AtenNode node) {
  node.ignore({"padding_idx", "scale_grad_by_freq", "sparse"});
  node->set(0, node->emit<GatherOp>({node.tensor("weight"), node.tensor("indices")}, node->attr("axis", int64_t(0))));
}

ArrayRef<Handler> coat::onnx::atenProductHandlers() {
  static const Handler rows[] = {
      {"aten.linear", 1, newest, aten<linear>},
      {"aten.matmul", 1, newest, aten<multiply>},
      {"aten.mm", 1, newest, aten<multiply>},
      {"aten.bmm", 1, newest, aten<multiply>},
      {"aten.addmm", 1, newest, aten<addmm>},
      {"aten.baddbmm", 1, newest, aten<baddbmm>},
      {"aten.softmax", 1, newest, aten<softmax<false>>},
      {"aten._softmax", 1, newest, aten<softmax<false>>},
      {"aten.log_softmax", 1, newest, aten<softmax<true>>},
      {"aten._log_softmax", 1, newest, aten<softmax<true>>},
      {"aten.scaled_dot_product_attention", 1, newest, aten<attention>},
      {"aten.batch_norm", 1, newest, aten<batchNorm>},
      {"aten._native_batch_norm_legit_no_training", 1, newest, aten<batchNorm>},
      {"aten.layer_norm", 1, newest, aten<layerNorm<false>>},
      {"aten.native_layer_norm", 1, newest, aten<layerNorm<false>>},
      {"aten.rms_norm", 1, newest, aten<layerNorm<true>>},
      {"aten.group_norm", 1, newest, aten<groupNorm>},
      {"aten.native_group_norm", 1, newest, aten<groupNorm>},
      {"aten.instance_norm", 1, newest, aten<instanceNorm>},
      {"aten.embedding", 1, newest, aten<embedding>},
  };
  return rows;
}
