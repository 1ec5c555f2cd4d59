// Ops around attention: RotaryEmbedding, TensorScatter, LinearAttention, CausalConvWithState, FlexAttention.
#include "OnnxAttention.h"
#include "Products.h"
#include "coat/Dialect/SequenceOps.h"
#include <cmath>

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

//===--- RotaryEmbedding ---===//

/// x1, x2 -> x1 cos - x2 sin, x1 sin + x2 cos.
Value coat::onnx::rotate(NodeImporter &node, Value input, Value cos, Value sin, AffineExpr rotated, bool interleaved) {
  if (node.failed() || !input || !cos || !sin)
    return {};
  SmallVector<AffineExpr> shape = node.dims(input), part = shape, zero(4, node.number(0));
  AffineExpr half = node.dims(cos).back();
  if (node.symbols.equal(node.symbols.product(half, node.number(2)), rotated) != true)
    node.fail("expected caches of half of " + node.print(rotated) + " elements, got " + node.print(half));
  part.back() = half;
  auto pick = [&](unsigned which) {
    SmallVector<AffineExpr> offsets = zero;
    if (which)
      offsets.back() = interleaved ? node.number(1) : half;
    return node.slice(input, offsets, part, {1, 1, 1, interleaved ? 2 : 1});
  };
  auto combined = [&](Kind kind, Value a, Value x, Value b, Value y) {
    return node.elementwise(kind, {node.elementwise(Kind::mul, {a, x}), node.elementwise(Kind::mul, {b, y})});
  };
  Value first = pick(0), second = pick(1);
  Value real = combined(Kind::sub, cos, first, sin, second), imaginary = combined(Kind::add, sin, first, cos, second);
  Value result;
  if (interleaved) {
    SmallVector<AffineExpr> apart = part, together = shape;
    apart.push_back(node.number(1));
    together.back() = rotated;
    result = node.reshape(node.concat({node.reshape(real, apart), node.reshape(imaginary, apart)}, 4), together);
  } else {
    result = node.concat({real, imaginary}, 3);
  }
  AffineExpr rest = node.symbols.difference(shape.back(), rotated);
  return constantOf(rest) == 0 ? result : node.concat({result, node.slice(input, 3, rotated, rest)}, 3);
}

/// A cache [max, R/2] at the positions [B, S], or [B, S, R/2] as it is, with one head added.
static Value cacheRows(NodeImporter &node, unsigned input, bool headsFirst) {
  bool positions = node.has(3);
  if (node.rank(input) != (positions ? 2 : 3))
    node.fail("expected caches of rank " + Twine(positions ? 2 : 3) + ", got " + Twine(node.rank(input)));
  Value rows = node.tensor(input);
  if (positions)
    rows = node.emit<GatherOp>({rows, node.tensor(3)}, node.attr("axis", int64_t(0)));
  if (!rows)
    return {};
  SmallVector<AffineExpr> shape = node.dims(rows);
  if (shape.size() != 3) {
    node.fail("expected position_ids of rank 2, got another rank");
    return {};
  }
  shape.insert(shape.begin() + (headsFirst ? 1 : 2), node.number(1));
  return node.reshape(rows, shape);
}

static void importRotaryEmbedding(NodeImporter &node) {
  int64_t heads = node.integer("num_heads", 0), dim = node.integer("rotary_embedding_dim", 0);
  bool interleaved = node.integer("interleaved", 0) != 0, headsFirst = node.rank(0) == 4;
  if (node.rank(0) != 3 && node.rank(0) != 4)
    return node.fail("expected an input of rank 3 or 4, got " + Twine(node.rank(0)));
  Value input = node.tensor(0);
  if (node.failed())
    return;
  SmallVector<AffineExpr> shape = node.dims(0), split = shape;
  if (!headsFirst) {
    AffineExpr depth = heads > 0 ? node.symbols.quotient(shape[2], node.number(heads)) : AffineExpr();
    if (!depth)
      return node.fail("attribute 'num_heads': expected a divisor of " + node.print(shape[2]) + ", got " +
                       Twine(heads));
    split = {shape[0], shape[1], node.number(heads), depth};
    input = node.reshape(input, split);
  }
  Value cos = cacheRows(node, 1, headsFirst), sin = cacheRows(node, 2, headsFirst);
  Value result = rotate(node, input, cos, sin, dim ? node.number(dim) : split.back(), interleaved);
  node.set(0, node.reshape(result, shape));
}

//===--- TensorScatter ---===//

static void importTensorScatter(NodeImporter &node) {
  std::string mode = node.string("mode", "linear");
  if (mode != "linear" && mode != "circular")
    node.fail("attribute 'mode': expected linear or circular, got '" + mode + "'");
  int64_t axis = node.normalizeAxis(node.integer("axis", -2), node.rank(0));
  SmallVector<Value> operands = {node.tensor(0), node.tensor(1)};
  if (node.has(2))
    operands.push_back(node.tensor(2));
  SmallVector<NamedAttribute> attributes = {node.attr("axis", axis)};
  if (mode == "circular")
    attributes.push_back(node.unit("circular"));
  node.set(0, node.emit<CacheWriteOp>(operands, attributes));
}

//===--- LinearAttention ---===//

static void importLinearAttention(NodeImporter &node) {
  node.ignore("chunk_size"); // a hint
  std::string rule = node.string("update_rule", "gated_delta");
  bool gated = rule == "gated" || rule == "gated_delta", delta = rule == "delta" || rule == "gated_delta";
  if (!gated && !delta && rule != "linear")
    node.fail("attribute 'update_rule': expected linear, gated, delta or gated_delta, got '" + rule + "'");
  for (auto [input, name, wanted] : {std::tuple(4u, "decay", gated), {5u, "beta", delta}})
    if (node.has(input) != wanted)
      node.fail("attribute 'update_rule': expected " + Twine(wanted ? "" : "no ") + "input " + name + " for '" + rule +
                "', got " + (wanted ? "none" : "one"));
  int64_t heads = node.integer("q_num_heads", 0), keyHeads = node.integer("kv_num_heads", 0);
  if (heads < 1 || keyHeads < 1)
    node.fail("attributes 'q_num_heads', 'kv_num_heads': expected both to be positive, got others");
  double scale = node.real("scale", 0.0);
  SmallVector<Value> operands = {node.tensor(0), node.tensor(1), node.tensor(2)};
  if (node.failed())
    return;
  auto width = node.rank(0) == 3 ? constantOf(node.dims(0)[2]) : std::nullopt;
  if (scale == 0.0 && !width)
    return node.refuse("expected a query of rank 3 and static depth or attribute 'scale', got others");
  if (scale == 0.0)
    scale = 1.0 / std::sqrt(double(*width) / double(heads));
  for (unsigned input : {3u, 4u, 5u})
    if (node.has(input))
      operands.push_back(node.tensor(input));
  Operation *op = node.create<LinearAttentionOp>(
      operands, {node.attr("q_heads", heads), node.attr("kv_heads", keyHeads), node.attr("scale", scale),
                 node.segments({1, 1, 1, node.has(3), node.has(4), node.has(5)})});
  for (unsigned result : {0u, 1u})
    node.set(result, op ? op->getResult(result) : Value());
}

//===--- CausalConvWithState ---===//

static void importCausalConv(NodeImporter &node) {
  std::string activation = node.string("activation", "none");
  if (activation != "none" && activation != "silu" && activation != "swish")
    node.fail("attribute 'activation': expected none, silu or swish, got '" + activation + "'");
  if (node.rank(0) != 3 || node.rank(1) != 3)
    node.fail("expected input and weight of rank 3, got " + Twine(node.rank(0)) + " and " + Twine(node.rank(1)));
  Value input = node.tensor(0);
  if (node.failed())
    return;
  SmallVector<AffineExpr> shape = node.dims(0);
  auto channels = constantOf(shape[1]), taps = constantOf(node.dims(1)[2]);
  if (!channels || !taps || *taps < 1)
    return node.refuse("expected static numbers of channels and taps, got others");
  Value whole = node.has(3) ? node.concat({node.tensor(3), input}, 2)
                            : node.emit<PadOp>(input, {node.attr("low", ArrayRef<int64_t>{0, 0, *taps - 1}),
                                                       node.attr("high", ArrayRef<int64_t>{0, 0, 0})});
  if (node.has(3))
    node.requireEqual(node.dims(3)[2], node.number(*taps - 1), "length of past_state and number of taps less 1");
  SmallVector<Value> operands = {whole, node.tensor(1)};
  if (node.has(2))
    operands.push_back(node.tensor(2));
  Value result = node.emit<ConvOp>(
      operands, {node.attr("strides", ArrayRef<int64_t>{1}), node.attr("dilations", ArrayRef<int64_t>{1}),
                 node.attr("pads", ArrayRef<int64_t>{0, 0}), node.attr("group", *channels)});
  node.set(0, activation == "none" ? result : node.elementwise(Kind::silu, result));
  node.set(1, node.slice(whole, 2, shape[2], node.number(*taps - 1)));
}

//===--- FlexAttention ---===//

/// The graph `name` in place, of one tensor that keeps its shape; `value` itself without such an attribute.
static Value modified(NodeImporter &node, StringRef name, Value value) {
  if (!value || !node.hasAttribute(name))
    return value;
  Graph *graph = node.graph(name);
  ModelValue input;
  input.tensor = value;
  input.type = cast<RankedTensorType>(value.getType());
  SmallVector<ModelValue> results = graph ? node.importGraph(*graph, {input}) : SmallVector<ModelValue>();
  if (node.failed())
    return {};
  if (results.size() != 1 || !results[0].type || results[0].type != input.type) {
    node.fail("attribute '" + name + "': expected one output of the input's shape and type, got others");
    return {};
  }
  return node.tensor(results[0]);
}

/// [B, H, S, D] as [B, groups, H / groups, S, D].
static Value grouped(NodeImporter &node, Value value, AffineExpr groups) {
  if (!value)
    return {};
  SmallVector<AffineExpr> shape = node.dims(value);
  AffineExpr each = node.symbols.quotient(shape[1], groups);
  if (!each) {
    node.fail("expected a number of key heads that divides " + node.print(shape[1]) + ", got " + node.print(groups));
    return {};
  }
  return node.reshape(value, {shape[0], groups, each, shape[2], shape[3]});
}

static Value ungrouped(NodeImporter &node, Value value) {
  if (!value)
    return {};
  SmallVector<AffineExpr> shape = node.dims(value);
  return node.reshape(value, {shape[0], node.symbols.product(shape[1], shape[2]), shape[3], shape[4]});
}

static void importFlexAttention(NodeImporter &node) {
  for (unsigned input : {0u, 1u, 2u})
    if (node.rank(input) != 4)
      return node.fail("expected query, key and value of rank 4, got rank " + Twine(node.rank(input)));
  SmallVector<Value> inputs = {node.tensor(0), node.tensor(1), node.tensor(2)};
  if (node.failed())
    return;
  double scale = attentionScale(node, node.dims(0)[3]);
  Type type = softmaxType(node), own = node.elementType(0);
  if (!node.hasAttribute("score_mod") && !node.hasAttribute("prob_mod")) {
    SmallVector<NamedAttribute> attributes = {node.attr("scale", scale), node.segments({1, 1, 1, 0, 0, 0, 0, 0})};
    if (type)
      attributes.push_back(node.attr("softmax_type", TypeAttr::get(type)));
    return node.set(0, node.emit<AttentionOp>(inputs, attributes));
  }
  Type narrow = own.getIntOrFloatBitWidth() < 32 ? node.builder.getF32Type() : own;
  Type compute = type ? type : narrow;
  AffineExpr keyHeads = node.dims(1)[1];
  bool groups = node.symbols.equal(node.dims(0)[1], keyHeads) != true;
  auto operand = [&](unsigned input, Type as) {
    Value value = node.convert(inputs[input], as);
    return groups ? grouped(node, value, keyHeads) : value;
  };
  Value scores = product(node, operand(0, narrow), operand(1, narrow), false, /*transposeRhs=*/true);
  scores = node.elementwise(Kind::mul, {scores, node.scalar(scale, narrow)});
  scores = modified(node, "score_mod", node.convert(groups ? ungrouped(node, scores) : scores, compute));
  Value weights = modified(node, "prob_mod", node.emit<SoftmaxOp>(scores, node.attr("axis", int64_t(3))));
  Value result = product(node, groups ? grouped(node, weights, keyHeads) : weights, operand(2, compute));
  node.set(0, node.convert(groups ? ungrouped(node, result) : result, own));
}

ArrayRef<Handler> coat::onnx::sequenceHandlers() {
  static constexpr Handler handlers[] = {
      {"RotaryEmbedding", 23, newest, importRotaryEmbedding},
      {"TensorScatter", 24, newest, importTensorScatter},
      {"LinearAttention", 27, newest, importLinearAttention},
      {"CausalConvWithState", 27, newest, importCausalConv},
      {"ai.onnx.preview.FlexAttention", 1, newest, importFlexAttention},
  };
  return handlers;
}
