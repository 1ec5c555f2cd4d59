// Ops of the domain com.microsoft that ONNX Runtime's transformer optimizer and exporters write for language and vision
// transformers: attention in its forms, normalization of a sum, GELUs, products with a scale.
//
// Each is written out in ops that exist. What these ops can do beyond that (packed or quantized caches, beam search,
// sinks) is refused by name.
#include "OnnxAttention.h"
#include "Products.h"
#include "coat/Dialect/SequenceOps.h"
#include <cmath>

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

//===--- element-wise and products ---===//

/// kind(X + bias), the bias being optional.
template <Kind kind> static void importBiased(NodeImporter &node) {
  Value input = node.tensor(0);
  node.set(0, node.elementwise(kind, node.has(1) ? node.elementwise(Kind::add, {input, node.tensor(1)}) : input));
}

static void importQuickGelu(NodeImporter &node) {
  double alpha = node.real("alpha", 1.702);
  Value input = node.tensor(0);
  Value scaled =
      node.failed() ? Value() : node.elementwise(Kind::mul, {input, node.scalar(alpha, node.elementType(0))});
  node.set(0, node.elementwise(Kind::mul, {input, node.elementwise(Kind::sigmoid, scaled)}));
}

static void importFusedMatMul(NodeImporter &node) {
  node.only("transBatchA", 0);
  node.only("transBatchB", 0);
  bool swapA = node.integer("transA", 0) != 0, swapB = node.integer("transB", 0) != 0;
  double alpha = node.real("alpha", 1.0);
  Value result = product(node, node.tensor(0), node.tensor(1), swapA, swapB);
  if (alpha != 1.0 && result)
    result = node.elementwise(Kind::mul, {result, node.scalar(alpha, node.elementType(0))});
  node.set(0, result);
}

//===--- normalizations ---===//

static Value layerNorm(NodeImporter &node, Value input, Value scale, Value bias, double epsilon, bool rms) {
  if (node.failed() || !input)
    return {};
  SmallVector<Value> operands = {input, scale};
  if (bias)
    operands.push_back(bias);
  SmallVector<NamedAttribute> attributes = {node.attr("axis", int64_t(node.dims(input).size()) - 1),
                                            node.attr("epsilon", epsilon), node.segments({1, 1, bias ? 1 : 0})};
  if (rms)
    attributes.push_back(node.unit("rms"));
  return node.emit<LayerNormOp>(operands, attributes);
}

/// norm(input + skip + bias); result 3 is the sum.
static void importSkipNorm(NodeImporter &node, bool rms) {
  double epsilon = node.real("epsilon", 1e-12);
  unsigned bias = rms ? 3 : 4;
  Value sum = node.elementwise(Kind::add, {node.tensor(0), node.tensor(1)});
  if (node.has(bias))
    sum = node.elementwise(Kind::add, {sum, node.tensor(bias)});
  Value beta = !rms && node.has(3) ? node.tensor(3) : Value();
  node.set(0, layerNorm(node, sum, node.tensor(2), beta, epsilon, rms));
  node.set(3, sum);
}

/// The sum of the rows that words, positions and segments pick, normalized.
static void importEmbedLayerNorm(NodeImporter &node) {
  double epsilon = node.real("epsilon", 1e-12);
  node.only("mask_index_type", 0);
  if (node.rank(0) != 2)
    node.fail("expected input_ids of rank 2, got rank " + Twine(node.rank(0)));
  if (node.failed())
    return;
  auto rows = [&](unsigned table, unsigned ids) {
    return node.emit<GatherOp>({node.tensor(table), node.tensor(ids)}, node.attr("axis", int64_t(0)));
  };
  Value positions = node.has(8) ? rows(3, 8) : node.slice(node.tensor(3), 0, node.number(0), node.dims(0)[1]);
  Value sum = node.elementwise(Kind::add, {rows(2, 0), positions});
  if (node.has(1))
    sum = node.elementwise(Kind::add, {sum, rows(4, 1)});
  node.set(0, layerNorm(node, sum, node.tensor(5), node.tensor(6), epsilon, /*rms=*/false));
  node.set(2, sum);
  // Lengths of the mask; zeros without one.
  if (node.has(7) || !node.wants(1))
    return;
  node.set(1, node.broadcast(node.scalar(0, node.builder.getI32Type()), node.dims(0)[0]));
}

//===--- attention ---===//

namespace {
/// What all forms of attention come down to.
struct Parts {
  Value query, key, value; // [B, H, S, D]
  Value mask;              // additive, or boolean
  Value past[2];           // keys and values before them
  Value lengths;           // [B]
  bool causal = false;
  int64_t leftWindow = -1;
  double scale = 0, softcap = 0;
};
} // namespace

static Operation *emitAttention(NodeImporter &node, Parts &parts) {
  if (node.failed())
    return nullptr;
  AffineExpr depth = node.dims(parts.query)[3];
  if (parts.scale == 0 && !constantOf(depth)) {
    node.refuse("expected a static depth or attribute 'scale', got depth " + node.print(depth));
    return nullptr;
  }
  if (parts.scale == 0)
    parts.scale = 1.0 / std::sqrt(double(*constantOf(depth)));
  bool past = bool(parts.past[0]);
  SmallVector<Value> operands = {parts.query, parts.key, parts.value};
  for (Value operand : {parts.mask, parts.past[0], parts.past[1], parts.lengths})
    if (operand)
      operands.push_back(operand);
  SmallVector<NamedAttribute> attributes = {
      node.attr("scale", parts.scale), node.attr("softcap", parts.softcap), node.attr("left_window", parts.leftWindow),
      node.segments({1, 1, 1, parts.mask ? 1 : 0, past, past, parts.lengths ? 1 : 0, 0})};
  if (parts.causal)
    attributes.push_back(node.unit("causal"));
  if (past)
    attributes.push_back(node.unit("with_present"));
  return node.create<AttentionOp>(operands, attributes);
}

/// 0 where `keep` is not zero, else `hidden`: [B, 1, 1 or S, T] of a mask [B, T] or [B, S, T].
static Value additiveMask(NodeImporter &node, Value keep, double hidden, Type elementType) {
  if (node.failed() || !keep)
    return {};
  SmallVector<AffineExpr> shape = node.dims(keep);
  if (shape.size() != 2 && shape.size() != 3) {
    node.refuse("expected a mask of rank 2 or 3, got rank " + Twine(shape.size()));
    return {};
  }
  shape.insert(shape.begin() + 1, 4 - shape.size(), node.number(1));
  Value bits = node.convert(node.reshape(keep, shape), node.builder.getI1Type());
  return node.elementwise(Kind::select, {bits, node.scalar(0, elementType), node.scalar(hidden, elementType)});
}

/// The mask of input `mask` (rank 1: lengths) and the bias of input `bias` into `parts`.
static void readMasks(NodeImporter &node, unsigned mask, unsigned bias, Parts &parts) {
  double hidden = node.real("mask_filter_value", -10000.0);
  Type type = node.elementType(0);
  if (node.failed())
    return;
  if (node.has(mask) && node.rank(mask) == 1) {
    // More elements than one a batch mean starts or packed sequences.
    node.requireEqual(node.dims(mask)[0], node.dims(parts.query)[0], "numbers of lengths and batches");
    parts.lengths = node.tensor(mask);
    if (parts.past[0] || parts.causal)
      node.refuse("expected a mask of rank 2 with a past or causal attention, got lengths");
  } else if (node.has(mask)) {
    parts.mask = additiveMask(node, node.tensor(mask), hidden, type);
  }
  if (node.has(bias))
    parts.mask = parts.mask ? node.elementwise(Kind::add, {parts.mask, node.tensor(bias)}) : node.tensor(bias);
}

/// x + bias[from .. from + width], heads apart; a projection that may be absent.
static Value projected(NodeImporter &node, Value value, unsigned bias, AffineExpr from, int64_t heads) {
  if (node.failed() || !value)
    return {};
  if (node.has(bias))
    value = node.elementwise(Kind::add, {value, node.slice(node.tensor(bias), 0, from, node.dims(value)[2])});
  return splitHeads(node, value, heads);
}

static void refuseInputs(NodeImporter &node, std::initializer_list<std::pair<unsigned, StringRef>> inputs) {
  for (auto [input, name] : inputs)
    if (node.has(input))
      node.refuse("expected no input " + name + ", got one");
}

static void importMultiHeadAttention(NodeImporter &node) {
  int64_t heads = node.integer("num_heads", 0);
  Parts parts;
  parts.causal = node.integer("unidirectional", 0) != 0;
  parts.scale = node.real("scale", 0.0);
  refuseInputs(node, {{8, "past_sequence_length"}, {9, "cache_indirection"}});
  if (!node.has(1) || !node.has(2) || node.rank(0) != 3)
    return node.refuse("expected query of rank 3, key and value apart, got packed ones");
  if (node.has(6) != node.has(7))
    return node.fail("expected past_key and past_value together, got one of them");
  Value query = node.tensor(0), key = node.tensor(1), value = node.tensor(2);
  if (node.failed())
    return;
  AffineExpr width = node.dims(query)[2], none = node.number(0);
  parts.query = projected(node, query, 3, none, heads);
  // Keys and values of rank 4 have been projected before: cross attention over an encoder's.
  parts.key = node.rank(1) == 4 ? key : projected(node, key, 3, width, heads);
  parts.value = node.rank(2) == 4 ? value : projected(node, value, 3, node.symbols.sum(width, width), heads);
  for (unsigned i : {0u, 1u})
    parts.past[i] = node.has(6 + i) ? node.tensor(6 + i) : Value();
  if (node.failed())
    return;
  readMasks(node, 4, 5, parts);
  Operation *op = emitAttention(node, parts);
  if (!op)
    return;
  node.set(0, joinHeads(node, op->getResult(0)));
  node.set(1, parts.past[0] ? op->getResult(1) : parts.key);
  node.set(2, parts.past[0] ? op->getResult(2) : parts.value);
}

/// One input projected to queries, keys and values here. Past and present are one tensor [2, B, H, P, D].
static void importPackedAttention(NodeImporter &node) {
  int64_t heads = node.integer("num_heads", 0);
  SmallVector<int64_t> widths = node.integers("qkv_hidden_sizes");
  Parts parts;
  parts.causal = node.integer("unidirectional", 0) != 0;
  parts.scale = node.real("scale", 0.0);
  for (StringRef name : {"do_rotary", "past_present_share_buffer", "rotary_embedding_dim"})
    node.only(name, 0);
  refuseInputs(node, {{6, "past_sequence_length"}});
  if (node.rank(0) != 3 || node.rank(1) != 2)
    return node.fail("expected input of rank 3 and weights of rank 2, got " + Twine(node.rank(0)) + " and " +
                     Twine(node.rank(1)));
  auto width = constantOf(node.dims(1)[1]);
  if (widths.empty() && width)
    widths.assign(3, *width / 3);
  if (node.failed() || !width || widths.size() != 3 || widths[0] + widths[1] + widths[2] != *width)
    return node.fail("expected weights of the widths of query, key and value together, got " +
                     node.print(node.dims(1)));
  Value bias = node.has(2) ? node.tensor(2) : Value();
  Value all = product(node, node.tensor(0), node.tensor(1), false, false, bias);
  Value past = node.has(4) ? node.tensor(4) : Value();
  if (!all || node.failed())
    return;
  int64_t from = 0;
  for (auto [target, size] : llvm::zip(std::array{&parts.query, &parts.key, &parts.value}, widths)) {
    *target = splitHeads(node, node.slice(all, 2, node.number(from), node.number(size)), heads);
    from += size;
  }
  for (int64_t i : {0, 1})
    if (past) {
      Value half = node.slice(past, 0, node.number(i), node.number(1));
      parts.past[i] = node.reshape(half, ArrayRef(node.dims(past)).drop_front());
    }
  if (node.failed())
    return;
  readMasks(node, 3, 5, parts);
  Operation *op = emitAttention(node, parts);
  if (!op)
    return;
  node.set(0, joinHeads(node, op->getResult(0)));
  if (!node.wants(1))
    return;
  SmallVector<Value> present;
  for (Value half : {past ? op->getResult(1) : parts.key, past ? op->getResult(2) : parts.value}) {
    SmallVector<AffineExpr> shape = node.dims(half);
    shape.insert(shape.begin(), node.number(1));
    present.push_back(node.reshape(half, shape));
  }
  node.set(1, node.concat(present, 0));
}

//===--- GroupQueryAttention ---===//

/// 0, 1, .. as i64.
static Value countUp(NodeImporter &node, int64_t count) {
  SmallVector<int64_t> numbers = llvm::to_vector(llvm::seq<int64_t>(0, count));
  return node.constant(
      DenseElementsAttr::get(RankedTensorType::get(count, node.builder.getI64Type()), ArrayRef(numbers)));
}

namespace {
/// With a past, present keys and values are a copy of its buffer with the new ones written behind the valid ones, which
/// is where seqlens_k says: the number of all valid keys less one. Without, they are the new ones.
class GroupQuery {
public:
  explicit GroupQuery(NodeImporter &node)
      : node(node), heads(node.integer("num_heads", 0)), keyHeads(node.integer("kv_num_heads", 0)), past(node.has(3)) {}

  void import() {
    refuseForms();
    readInputs();
    if (node.failed())
      return;
    if (node.integer("do_rotary", 0) != 0) {
      parts.query = rotated(parts.query);
      parts.key = rotated(parts.key);
    }
    node.ignore("rotary_interleaved");
    if (past) {
      parts.key = node.emit<CacheWriteOp>({node.tensor(3), parts.key, first}, node.attr("axis", int64_t(2)));
      parts.value = node.emit<CacheWriteOp>({node.tensor(4), parts.value, first}, node.attr("axis", int64_t(2)));
      parts.lengths = lengths;
    }
    readBias();
    Operation *op = emitAttention(node, parts);
    if (!op)
      return;
    node.set(0, joinHeads(node, op->getResult(0)));
    node.set(1, parts.key);
    node.set(2, parts.value);
  }

private:
  void refuseForms() {
    for (StringRef name : {"sliding_window_cache", "kv_cache_bit_width", "qk_output"})
      node.only(name, 0);
    for (StringRef name : {"k_quant_type", "v_quant_type"})
      if (std::string type = node.string(name, "NONE"); type != "NONE")
        node.refuse("attribute '" + name + "': expected NONE, got '" + type + "'");
    if (node.integer("smooth_softmax", 0) > 0)
      node.refuse("attribute 'smooth_softmax': expected 0, got 1");
    node.ignore("qk_norm_epsilon");
    refuseInputs(node,
                 {{11, "head_sink"}, {12, "k_scale"}, {13, "v_scale"}, {14, "q_norm_weight"}, {15, "k_norm_weight"}});
    parts.causal = node.integer("causal", 1) != 0;
    parts.scale = node.real("scale", 0.0);
    parts.softcap = node.real("softcap", 0.0);
    int64_t window = node.integer("local_window_size", -1);
    parts.leftWindow = window < 1 ? -1 : window - 1; // it counts the query itself
    if (node.has(3) != node.has(4))
      node.fail("expected past_key and past_value together, got one of them");
    if (heads < 1 || keyHeads < 1 || heads % keyHeads)
      node.fail("attributes 'num_heads', 'kv_num_heads': expected the second to divide the first, got " + Twine(heads) +
                " and " + Twine(keyHeads));
    if (node.rank(0) != 3 || node.has(1) != node.has(2))
      node.fail("expected a query of rank 3, and key and value both or packed into it, got others");
  }

  void readInputs() {
    Value query = node.tensor(0);
    if (node.failed())
      return;
    SmallVector<AffineExpr> shape = node.dims(0);
    steps = shape[1];
    if (node.has(1)) {
      parts.query = splitHeads(node, query, heads);
      parts.key = splitHeads(node, node.tensor(1), keyHeads);
      parts.value = splitHeads(node, node.tensor(2), keyHeads);
    } else {
      Value all = splitHeads(node, query, heads + 2 * keyHeads);
      auto part = [&](int64_t from, int64_t count) {
        return node.slice(all, 1, node.number(from), node.number(count));
      };
      parts.query = part(0, heads);
      parts.key = part(heads, keyHeads);
      parts.value = part(heads + keyHeads, keyHeads);
    }
    Type type = node.elementType(5);
    if (node.failed())
      return;
    auto count = constantOf(steps);
    if (!count)
      return node.refuse("expected a static sequence length, got " + node.print(steps) + "; try --dim");
    if (past)
      if (const Known *total = node.known(6))
        if (auto number = total->integers(); number && number->size() == 1)
          if (auto room = constantOf(node.dims(3)[2]); room && number->front() > *room)
            return node.refuse("expected a past with room for " + Twine(number->front()) + " keys, got " +
                               Twine(*room));
    Value known = node.reshape(node.tensor(5), shape[0]);
    lengths = node.elementwise(Kind::add, {known, node.scalar(1, type)});
    first = node.elementwise(Kind::add, {known, node.scalar(1 - *count, type)});
  }

  /// The rows of the caches at each query's position.
  Value rotated(Value value) {
    if (!node.has(7) || !node.has(8)) {
      node.fail("attribute 'do_rotary': expected inputs cos_cache and sin_cache, got none");
      return {};
    }
    bool interleaved = node.integer("rotary_interleaved", 0) != 0;
    SmallVector<AffineExpr> batch = {node.dims(0)[0], node.number(1)};
    Value positions;
    if (node.has(9)) {
      positions = node.tensor(9);
    } else {
      positions = countUp(node, *constantOf(steps));
      if (past)
        positions = node.elementwise(Kind::add,
                                     {node.reshape(node.convert(first, node.builder.getI64Type()), batch), positions});
      else
        positions = node.reshape(positions, {node.number(1), steps});
    }
    SmallVector<Value> caches;
    for (unsigned input : {7u, 8u}) {
      Value rows = node.emit<GatherOp>({node.tensor(input), positions}, node.attr("axis", int64_t(0)));
      if (!rows)
        return {};
      SmallVector<AffineExpr> shape = node.dims(rows);
      shape.insert(shape.begin() + 1, node.number(1));
      caches.push_back(node.reshape(rows, shape));
    }
    AffineExpr all = node.symbols.product(node.dims(caches[0])[3], node.number(2));
    return rotate(node, value, caches[0], caches[1], all, interleaved);
  }

  /// A bias may be shorter than the buffer of keys; what it leaves out is not valid anyway.
  void readBias() {
    if (!node.has(10) || node.failed())
      return;
    SmallVector<AffineExpr> shape = node.dims(10);
    auto own = constantOf(shape.back()), keys = constantOf(node.dims(parts.key)[2]);
    parts.mask = node.tensor(10);
    if (own && keys && *own < *keys) {
      SmallVector<int64_t> low(shape.size(), 0), high(shape.size(), 0);
      high.back() = *keys - *own;
      parts.mask = node.emit<PadOp>(parts.mask, {node.attr("low", low), node.attr("high", high)});
    }
  }

  NodeImporter &node;
  int64_t heads, keyHeads;
  bool past;
  Parts parts;
  AffineExpr steps;
  Value lengths, first;
};
} // namespace

//===--- RotaryEmbedding ---===//

/// Positions are [B, S], or one number, the position of the first token.
static void importRotary(NodeImporter &node) {
  node.only("is_packed_batching", 0);
  if (node.real("scale", 1.0) != 1.0)
    node.refuse("attribute 'scale': expected 1, got another");
  int64_t heads = node.integer("num_heads", 0), dim = node.integer("rotary_embedding_dim", 0);
  bool interleaved = node.integer("interleaved", 0) != 0, headsFirst = node.rank(0) == 4;
  Value input = node.tensor(0), positions = node.tensor(1);
  if (node.failed())
    return;
  SmallVector<AffineExpr> shape = node.dims(0), split = shape;
  auto half = node.rank(2) == 2 ? constantOf(node.dims(2)[1]) : std::nullopt;
  auto length = shape.size() >= 3 ? constantOf(shape[headsFirst ? 2 : 1]) : std::nullopt;
  if (!half || (shape.size() != 3 && shape.size() != 4))
    return node.fail("expected an input of rank 3 or 4 and caches of rank 2 and static width, got others");
  if (!headsFirst) {
    // Without num_heads the caches tell the size of a head.
    AffineExpr depth = heads > 0 ? node.symbols.quotient(shape[2], node.number(heads)) : node.number(2 * *half);
    AffineExpr count = depth ? node.symbols.quotient(shape[2], depth) : AffineExpr();
    if (!count)
      return node.fail("attribute 'num_heads': expected a divisor of " + node.print(shape[2]) + ", got " +
                       Twine(heads));
    split = {shape[0], shape[1], count, depth};
    input = node.reshape(input, split);
  }
  if (node.rank(1) == 1) {
    if (!length)
      return node.refuse("expected a static sequence length with one position, got a symbolic one; try --dim");
    positions = node.elementwise(Kind::add, {positions, node.convert(countUp(node, *length), node.elementType(1))});
    positions = node.reshape(positions, node.numbers({1, *length}));
  }
  SmallVector<Value> caches;
  for (unsigned cache : {2u, 3u}) {
    Value rows = node.emit<GatherOp>({node.tensor(cache), positions}, node.attr("axis", int64_t(0)));
    if (!rows)
      return;
    SmallVector<AffineExpr> wide = node.dims(rows);
    wide.insert(wide.begin() + (headsFirst ? 1 : 2), node.number(1));
    caches.push_back(node.reshape(rows, wide));
  }
  Value result =
      rotate(node, input, caches[0], caches[1], dim ? node.number(dim) : node.number(2 * *half), interleaved);
  node.set(0, node.reshape(result, shape));
}

ArrayRef<Handler> coat::onnx::contribHandlers() {
  static const Handler handlers[] = {
      {"com.microsoft.Attention", 1, newest, importPackedAttention},
      {"com.microsoft.BiasGelu", 1, newest, importBiased<Kind::gelu>},
      {"com.microsoft.EmbedLayerNormalization", 1, newest, importEmbedLayerNorm},
      {"com.microsoft.FastGelu", 1, newest, importBiased<Kind::gelu_tanh>},
      {"com.microsoft.FusedMatMul", 1, newest, importFusedMatMul},
      {"com.microsoft.Gelu", 1, newest, importBiased<Kind::gelu>},
      {"com.microsoft.GroupQueryAttention", 1, newest, [](NodeImporter &node) { GroupQuery(node).import(); }},
      {"com.microsoft.MultiHeadAttention", 1, newest, importMultiHeadAttention},
      {"com.microsoft.QuickGelu", 1, newest, importQuickGelu},
      {"com.microsoft.RotaryEmbedding", 1, newest, importRotary},
      {"com.microsoft.SkipLayerNormalization", 1, newest, [](NodeImporter &node) { importSkipNorm(node, false); }},
      {"com.microsoft.SkipSimplifiedLayerNormalization", 1, newest,
       [](NodeImporter &node) { importSkipNorm(node, true); }},
  };
  return handlers;
}
