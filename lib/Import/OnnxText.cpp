// TfIdfVectorizer: how often each n-gram of a pool appears in a row of tokens.
//
// For each length n and distance d between tokens, [B, 1, W] windows are compared with the pool's [P, 1] tokens, and
// the matches are counted; a product with a table of zeros and ones moves the counts to their places in the result.
#include "OnnxText.h"
#include "OnnxTables.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

namespace {
/// The pool's n-grams of one length: `count` of them from `first` on, in the pool and in ngram_indexes.
struct Grams {
  int64_t length, first, firstIndex, count;
};
} // namespace

/// The groups of the pool; an error when they are not inside it.
static SmallVector<Grams> gramsOf(NodeImporter &node, ArrayRef<int64_t> starts, int64_t poolSize, int64_t indexes) {
  SmallVector<Grams> groups;
  int64_t seen = 0;
  for (auto [i, start] : llvm::enumerate(starts)) {
    int64_t end = i + 1 < starts.size() ? starts[i + 1] : poolSize, length = int64_t(i) + 1;
    if (start < 0 || end < start || end > poolSize || seen + (end - start) / length > indexes) {
      node.fail("attribute 'ngram_counts': expected ascending positions in the pool, one index an n-gram, got others");
      return {};
    }
    groups.push_back({length, start, seen, (end - start) / length});
    seen += groups.back().count;
  }
  return groups;
}

/// [B, P] counts of the group's n-grams whose tokens are `distance` apart; null when no window fits.
static Value countMatches(NodeImporter &node, Value tokens, ArrayRef<int64_t> pool, const Grams &grams,
                          int64_t distance) {
  Type type = node.elementType(0);
  AffineExpr width = node.symbols.sum(node.dims(tokens)[2], node.number(-(grams.length - 1) * distance));
  if (node.symbols.less(node.number(0), width) != true)
    return {};
  Value matches;
  for (int64_t position = 0; position < grams.length; ++position) {
    SmallVector<Attribute> wanted;
    for (int64_t gram = 0; gram < grams.count; ++gram)
      wanted.push_back(IntegerAttr::get(type, pool[grams.first + gram * grams.length + position]));
    Value constant = node.constant(DenseElementsAttr::get(RankedTensorType::get({grams.count, 1}, type), wanted));
    Value window = node.slice(tokens, 2, node.number(position * distance), width);
    Value equal = node.elementwise(Kind::equal, {window, constant});
    matches = matches ? node.elementwise(Kind::logical_and, {matches, equal}) : equal;
  }
  return node.reduce(ReduceKind::sum, node.convert(matches, node.builder.getF32Type()), 2, /*keepDims=*/false);
}

/// The counts, or whether there are any (IDF), times the weights.
static Value weigh(NodeImporter &node, Value counts, StringRef mode, ArrayRef<double> weights, int64_t columns) {
  Type type = node.builder.getF32Type();
  if (mode == "IDF")
    counts = node.elementwise(Kind::min, {counts, node.scalar(1, type)});
  if (mode == "TF" || weights.empty())
    return counts;
  return node.elementwise(Kind::mul, {counts, table(node, columns, weights, type)});
}

void coat::onnx::importTfIdfVectorizer(NodeImporter &node) {
  std::string mode = node.string("mode", "");
  int64_t shortest = node.integer("min_gram_length", 1), longest = node.integer("max_gram_length", 1),
          skips = node.integer("max_skip_count", 0);
  SmallVector<int64_t> starts = node.integers("ngram_counts"), indexes = node.integers("ngram_indexes"),
                       pool = node.integers("pool_int64s");
  SmallVector<double> weights = node.reals("weights");
  int64_t columns = indexes.empty() ? 0 : *llvm::max_element(indexes) + 1;
  if (node.hasAttribute("pool_strings"))
    return node.refuse("attribute 'pool_strings': expected pool_int64s, got strings");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
    return node.fail("attribute 'mode': expected TF, IDF or TFIDF, got '" + mode + "'");
  if (columns < 1 ||
      llvm::any_of(
          indexes, [](int64_t index) { return index < 0; }) ||
      columns > maxTableElements / int64_t(indexes.size()) || (!weights.empty() && int64_t(weights.size()) != columns))
    return node.fail(
        "attribute 'ngram_indexes': expected positions of a sensible size and one weight each, got others");
  if (shortest < 1 || longest < shortest || longest > 64 || skips < 0 || skips > 64)
    return node.refuse("expected n-grams of 1 to 64 tokens and 0 to 64 skips, got others");
  SmallVector<Grams> groups = gramsOf(node, starts, pool.size(), indexes.size());
  if (!node.failed() && node.rank(0) != 1 && node.rank(0) != 2)
    node.fail("expected a row of tokens or a batch of rows, got rank " + Twine(node.rank(0)));
  Value tokens = node.tensor(0);
  if (node.failed())
    return;
  SmallVector<AffineExpr> shape = node.dims(0);
  bool batched = shape.size() == 2;
  AffineExpr rows = batched ? shape[0] : node.number(1);
  tokens = node.reshape(tokens, {rows, node.number(1), shape.back()});
  Value result = node.broadcast(node.scalar(0, node.builder.getF32Type()), {rows, node.number(columns)});
  for (const Grams &grams : groups) {
    if (grams.count == 0 || grams.length < shortest || grams.length > longest)
      continue;
    std::vector<double> places(grams.count * columns, 0.0);
    for (int64_t gram = 0; gram < grams.count; ++gram)
      places[gram * columns + indexes[grams.firstIndex + gram]] = 1;
    for (int64_t distance = 1; distance <= (grams.length == 1 ? 1 : skips + 1); ++distance) {
      Value counts = countMatches(node, tokens, pool, grams, distance);
      if (!counts)
        continue;
      Value placed = table(node, {grams.count, columns}, places, node.builder.getF32Type());
      result = node.elementwise(Kind::add, {result, node.emit<MatmulOp>({counts, placed})});
    }
  }
  result = weigh(node, result, mode, weights, columns);
  node.set(0, batched ? result : node.reshape(result, node.number(columns)));
}
