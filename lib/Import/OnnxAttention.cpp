// Attention, Softmax and LogSoftmax.
#include "OnnxAttention.h"
#include <cmath>

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

/// Until opset 12 the input is a matrix: dimensions before `axis` are its rows, the others its columns, and
/// the softmax runs over all columns. Later it runs along `axis`.
static void importSoftmax(NodeImporter &node, bool log) {
  bool coerced = node.opset() < 13;
  int64_t rank = node.rank(0), axis = node.integer("axis", coerced ? 1 : -1);
  if (coerced && axis == rank) // an empty matrix row is 1
    return node.refuse("attribute 'axis': expected less than the rank, got " + Twine(axis));
  axis = node.normalizeAxis(axis, rank);
  Value input = node.tensor(0);
  if (node.failed())
    return;
  SmallVector<NamedAttribute> attributes;
  if (log)
    attributes.push_back(node.unit("log"));
  SmallVector<AffineExpr> shape = node.dims(input);
  bool single = axis == rank - 1 || llvm::all_of(ArrayRef(shape).drop_front(axis + 1),
                                                 [](AffineExpr size) { return constantOf(size) == 1; });
  if (!coerced || single) {
    attributes.push_back(node.attr("axis", axis));
    return node.set(0, node.emit<SoftmaxOp>(input, attributes));
  }
  ArrayRef<AffineExpr> all = shape;
  Value matrix =
      node.reshape(input, {node.symbols.product(all.take_front(axis)), node.symbols.product(all.drop_front(axis))});
  attributes.push_back(node.attr("axis", int64_t(1)));
  node.set(0, node.reshape(node.emit<SoftmaxOp>(matrix, attributes), shape));
}

//===--- Attention ---===//

Value coat::onnx::splitHeads(NodeImporter &node, Value value, int64_t heads) {
  if (node.failed() || !value)
    return {};
  SmallVector<AffineExpr> shape = node.dims(value);
  AffineExpr depth = heads > 0 ? node.symbols.quotient(shape[2], node.number(heads)) : AffineExpr();
  auto size = constantOf(shape[2]);
  if (!depth || (size && *size % heads != 0)) {
    node.fail("expected a number of heads that divides " + node.print(shape[2]) + ", got " + Twine(heads));
    return {};
  }
  value = node.reshape(value, {shape[0], shape[1], node.number(heads), depth});
  return node.transpose(value, {0, 2, 1, 3});
}

Value coat::onnx::joinHeads(NodeImporter &node, Value value) {
  value = node.transpose(value, {0, 2, 1, 3});
  if (!value)
    return {};
  SmallVector<AffineExpr> shape = node.dims(value);
  return node.reshape(value, {shape[0], shape[1], node.symbols.product(shape[2], shape[3])});
}

/// What the inputs must be before they are read.
static void checkAttentionForm(NodeImporter &node) {
  if (node.has(4) != node.has(5))
    node.fail("expected past_key and past_value together, got one of them");
  if (node.has(4) && node.has(6))
    node.fail("expected past_key and past_value or nonpad_kv_seqlen, got both");
  bool ranks = node.rank(0) == node.rank(1) && node.rank(1) == node.rank(2) && (node.rank(0) == 3 || node.rank(0) == 4);
  if (!ranks)
    node.fail("expected query, key and value of rank 3 or 4, got " + Twine(node.rank(0)) + ", " + Twine(node.rank(1)) +
              " and " + Twine(node.rank(2)));
}

/// Query, key and value as [B, H, S, D].
static SmallVector<Value> headsOf(NodeImporter &node) {
  int64_t queryHeads = node.integer("q_num_heads", 0), keyHeads = node.integer("kv_num_heads", 0);
  if (node.failed())
    return {};
  if (node.rank(0) == 4) {
    for (auto [input, heads] : {std::pair(0u, queryHeads), {1u, keyHeads}, {2u, keyHeads}})
      if (heads != 0)
        node.requireEqual(node.dims(input)[1], node.number(heads), "numbers of heads of shape and attribute");
    return {node.tensor(0), node.tensor(1), node.tensor(2)};
  }
  if (queryHeads < 1 || keyHeads < 1)
    node.fail("attributes 'q_num_heads', 'kv_num_heads': expected both for inputs of rank 3, got none");
  return {splitHeads(node, node.tensor(0), queryHeads), splitHeads(node, node.tensor(1), keyHeads),
          splitHeads(node, node.tensor(2), keyHeads)};
}

/// The mask, for `total` keys: since opset 24 a shorter one hides the keys that it leaves out.
static Value maskOf(NodeImporter &node, ArrayRef<AffineExpr> query, AffineExpr total) {
  Value mask = node.tensor(3);
  if (node.failed())
    return {};
  SmallVector<AffineExpr> shape = node.dims(mask);
  auto keys = shape.empty() ? std::nullopt : constantOf(shape.back()), wanted = constantOf(total);
  bool isBool = node.elementType(3).isInteger(1);
  if (node.opset() >= 24 && keys && wanted && *keys < *wanted) {
    SmallVector<int64_t> low(shape.size(), 0), high(shape.size(), 0);
    high.back() = *wanted - *keys;
    mask = node.emit<PadOp>(
        mask, {node.attr("low", low), node.attr("high", high), node.attr("value", isBool ? 0.0 : -INFINITY)});
    shape.back() = total;
  }
  node.broadcastDims({query[0], query[1], query[2], total}, shape);
  if (!isBool && !isa<FloatType>(node.elementType(3)))
    node.refuse("expected a mask of bool or floating-point elements, got others");
  return isBool ? mask : node.convert(mask, node.elementType(0));
}

/// Symbolic sizes that the formula makes meet.
static void checkAttentionSizes(NodeImporter &node, ArrayRef<Value> heads) {
  SmallVector<AffineExpr> query = node.dims(heads[0]), key = node.dims(heads[1]), value = node.dims(heads[2]);
  node.requireEqual(query[0], key[0], "batch sizes of query and key");
  node.requireEqual(key[0], value[0], "batch sizes of key and value");
  node.requireEqual(query[3], key[3], "depths of query and key");
  node.requireEqual(key[2], value[2], "lengths of key and value");
}

double coat::onnx::attentionScale(NodeImporter &node, AffineExpr depth) {
  double scale = node.real("scale", 0.0);
  if (node.hasAttribute("scale"))
    return scale;
  if (!constantOf(depth))
    node.refuse("expected a static depth or attribute 'scale', got depth " + node.print(depth));
  return 1.0 / std::sqrt(double(constantOf(depth).value_or(1)));
}

Type coat::onnx::softmaxType(NodeImporter &node) {
  Type own = node.elementType(0), type = own;
  switch (int64_t precision = node.integer("softmax_precision", 0)) {
  case 0:
    break;
  case 1:
    type = node.builder.getF32Type();
    break;
  case 10:
    type = node.builder.getF16Type();
    break;
  case 11:
    type = node.builder.getF64Type();
    break;
  case 16:
    type = node.builder.getBF16Type();
    break;
  default:
    node.fail("attribute 'softmax_precision': expected 1, 10, 11 or 16, got " + Twine(precision));
  }
  // Narrow types are computed in f32 anyway.
  bool narrow = own && own.getIntOrFloatBitWidth() < 32;
  return type == own || (narrow && type.isF32()) ? Type() : type;
}

/// The attributes of coat.attention that say which keys count and what else is to be seen.
static SmallVector<NamedAttribute> attentionAttributes(NodeImporter &node) {
  SmallVector<NamedAttribute> attributes = {node.attr("softcap", node.real("softcap", 0.0))};
  if (node.integer("is_causal", 0) != 0)
    attributes.push_back(node.unit("causal"));
  for (auto [onnx, coat] : {std::pair("left_window_size", "left_window"), {"right_window_size", "right_window"}})
    if (node.opset() >= 25)
      attributes.push_back(node.attr(coat, node.integer(onnx, -1)));
  if (Type type = softmaxType(node))
    attributes.push_back(node.attr("softmax_type", TypeAttr::get(type)));
  int64_t mode = node.integer("qk_matmul_output_mode", 0);
  std::optional<ScoresKind> scores = symbolizeScoresKind(mode);
  if (!scores)
    node.fail("attribute 'qk_matmul_output_mode': expected 0 to 3, got " + Twine(mode));
  else if (node.wants(3))
    attributes.push_back(node.attr("scores", ScoresKindAttr::get(node.context, *scores)));
  return attributes;
}

static void importAttention(NodeImporter &node) {
  checkAttentionForm(node);
  SmallVector<Value> heads = headsOf(node);
  if (node.failed())
    return;
  bool past = node.has(4);
  SmallVector<AffineExpr> query = node.dims(heads[0]);
  AffineExpr total = node.dims(heads[1])[2];
  if (past)
    total = node.symbols.sum(total, node.dims(4)[2]);
  checkAttentionSizes(node, heads);
  SmallVector<NamedAttribute> attributes = attentionAttributes(node);
  attributes.push_back(node.attr("scale", attentionScale(node, query[3])));
  SmallVector<Value> operands(heads);
  if (node.has(3))
    operands.push_back(maskOf(node, query, total));
  if (past)
    operands.append({node.tensor(4), node.tensor(5)});
  if (node.has(6))
    operands.push_back(node.tensor(6));
  attributes.push_back(node.segments({1, 1, 1, node.has(3), past, past, node.has(6), /*query_offset=*/0}));
  if (past)
    attributes.push_back(node.unit("with_present"));
  Operation *op = node.create<AttentionOp>(operands, attributes);
  if (!op)
    return;
  node.set(0, node.rank(0) == 3 ? joinHeads(node, op->getResult(0)) : op->getResult(0));
  for (unsigned result : {1u, 2u}) // without a past, the present is the key or value itself
    node.set(result, past ? op->getResult(result) : heads[result]);
  if (node.wants(3))
    node.set(3, op->getResults().back());
}

ArrayRef<Handler> coat::onnx::attentionHandlers() {
  static const Handler rows[] = {
      {"Softmax", 1, newest, [](NodeImporter &node) { importSoftmax(node, /*log=*/false); }},
      {"LogSoftmax", 1, newest, [](NodeImporter &node) { importSoftmax(node, /*log=*/true); }},
      {"Attention", 23, newest, importAttention},
  };
  return rows;
}
