// Attention, Softmax and LogSoftmax.
#include "Node.h"
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

/// [B, S, H*D] -> [B, H, S, D].
static Value splitHeads(NodeImporter &node, unsigned input, int64_t heads) {
  Value value = node.tensor(input);
  if (node.failed())
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

/// [B, H, S, D] -> [B, S, H*D].
static Value joinHeads(NodeImporter &node, Value value) {
  value = node.transpose(value, {0, 2, 1, 3});
  if (!value)
    return {};
  SmallVector<AffineExpr> shape = node.dims(value);
  return node.reshape(value, {shape[0], shape[1], node.symbols.product(shape[2], shape[3])});
}

/// What the handler must refuse by name.
static void checkAttentionForm(NodeImporter &node) {
  if (node.has(6))
    node.refuse("expected no input nonpad_kv_seqlen, got one");
  node.ignore("qk_matmul_output_mode"); // of a result that is refused when used
  int64_t precision = node.integer("softmax_precision", 1);
  if (precision != 1)
    node.refuse("attribute 'softmax_precision': expected float, got " + dataTypeName(precision));
  if (node.has(4) != node.has(5))
    node.fail("expected past_key and past_value together, got one of them");
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
  if (node.rank(0) == 4)
    return {node.tensor(0), node.tensor(1), node.tensor(2)};
  if (queryHeads < 1 || keyHeads < 1)
    node.fail("attributes 'q_num_heads', 'kv_num_heads': expected both for inputs of rank 3, got none");
  return {splitHeads(node, 0, queryHeads), splitHeads(node, 1, keyHeads), splitHeads(node, 2, keyHeads)};
}

/// Symbolic sizes that the formula makes meet.
static void checkAttentionSizes(NodeImporter &node, ArrayRef<Value> heads, AffineExpr total) {
  SmallVector<AffineExpr> query = node.dims(heads[0]), key = node.dims(heads[1]), value = node.dims(heads[2]);
  node.requireEqual(query[0], key[0], "batch sizes of query and key");
  node.requireEqual(key[0], value[0], "batch sizes of key and value");
  node.requireEqual(query[3], key[3], "depths of query and key");
  node.requireEqual(key[2], value[2], "lengths of key and value");
  if (!node.has(3))
    return;
  SmallVector<AffineExpr> mask = node.dims(3), scores = {query[0], query[1], query[2], total};
  if (!mask.empty() && constantOf(mask.back()) && constantOf(total) && *constantOf(mask.back()) < *constantOf(total) &&
      constantOf(mask.back()) != 1)
    node.refuse("expected a mask of " + node.print(total) + " keys, got " + node.print(mask.back()));
  node.broadcastDims(scores, mask);
}

static void importAttention(NodeImporter &node) {
  checkAttentionForm(node);
  SmallVector<Value> heads = headsOf(node);
  if (node.failed())
    return;
  bool past = node.has(4);
  AffineExpr total = node.dims(heads[1])[2], depth = node.dims(heads[0])[3];
  if (past)
    total = node.symbols.sum(total, node.dims(4)[2]);
  checkAttentionSizes(node, heads, total);
  double scale = node.real("scale", 0.0);
  if (!node.hasAttribute("scale") && !constantOf(depth))
    node.refuse("expected a static depth or attribute 'scale', got depth " + node.print(depth));
  if (node.failed())
    return;
  if (!node.hasAttribute("scale"))
    scale = 1.0 / std::sqrt(double(*constantOf(depth)));
  SmallVector<Value> operands(heads);
  if (node.has(3))
    operands.push_back(node.tensor(3));
  if (past)
    operands.append({node.tensor(4), node.tensor(5)});
  SmallVector<NamedAttribute> attributes = {node.attr("scale", scale), node.attr("softcap", node.real("softcap", 0.0)),
                                            node.segments({1, 1, 1, node.has(3), past, past, /*query_offset=*/0})};
  if (node.integer("is_causal", 0) != 0)
    attributes.push_back(node.unit("causal"));
  if (past)
    attributes.push_back(node.unit("with_present"));
  Operation *op = node.create<AttentionOp>(operands, attributes);
  if (!op)
    return;
  node.set(0, node.rank(0) == 3 ? joinHeads(node, op->getResult(0)) : op->getResult(0));
  for (unsigned result : {1u, 2u}) // without a past, the present is the key or value itself
    node.set(result, past ? op->getResult(result) : heads[result]);
}

ArrayRef<Handler> coat::onnx::attentionHandlers() {
  static const Handler rows[] = {
      {"Softmax", 1, newest, [](NodeImporter &node) { importSoftmax(node, /*log=*/false); }},
      {"LogSoftmax", 1, newest, [](NodeImporter &node) { importSoftmax(node, /*log=*/true); }},
      {"Attention", 23, newest, importAttention},
  };
  return rows;
}
