// Einsum: any equation, two operands at a time from left to right.
//
// Each dimension has a label, a letter; those of an ellipsis are numbered from the back, as they broadcast, so that all
// later code sees labels only. A label that is repeated in an operand is its diagonal. Two operands whose labels meet
// in a sum are one batched matrix product, others an element-wise one.
#include "Node.h"
#include "llvm/ADT/StringExtras.h"
#include <map>

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

namespace {
/// A tensor with a label for each dimension.
struct Labelled {
  Value value;
  std::string labels;
};

class Einsum {
public:
  explicit Einsum(NodeImporter &node) : node(node) {}
  void run();

private:
  bool parse(StringRef equation);
  /// The labels of a term for a tensor of `rank` dimensions; none after an error. Ellipses count from '0' at the back.
  std::optional<std::string> labelsOf(StringRef term, int64_t rank);
  /// The operand without repeated labels, and without dimensions of size 1 that broadcast.
  Labelled prepare(Value value, std::string labels);
  /// Sums what is not in `needed`.
  Labelled sumOthers(Labelled operand, StringRef needed);
  Labelled contract(Labelled lhs, Labelled rhs, StringRef needed);
  Labelled multiply(const Labelled &lhs, const Labelled &rhs, const std::string &labels);
  /// The value with its dimensions in this order, those it lacks of size 1.
  Value ordered(const Labelled &operand, StringRef labels);
  /// The value with its labels in this order, each group one dimension.
  Value grouped(const Labelled &operand, ArrayRef<std::string> groups);
  SmallVector<AffineExpr> sizesOf(StringRef labels) {
    return llvm::map_to_vector(labels, [&](char label) { return sizes[label]; });
  }

  NodeImporter &node;
  SmallVector<std::string> terms; // of the operands
  std::string result;
  std::map<char, AffineExpr> sizes;
};
} // namespace

static bool contains(StringRef labels, char label) { return labels.contains(label); }

static std::string filtered(StringRef labels, llvm::function_ref<bool(char)> keep) {
  std::string kept;
  llvm::copy_if(labels, std::back_inserter(kept), keep);
  return kept;
}

std::optional<std::string> Einsum::labelsOf(StringRef term, int64_t rank) {
  auto [before, after] = term.split("...");
  bool ellipsis = term.contains("...");
  int64_t letters = before.size() + after.size(), rest = rank - letters;
  if (!llvm::all_of(before, llvm::isAlpha) || !llvm::all_of(after, llvm::isAlpha)) {
    node.fail("attribute 'equation': expected letters and at most one ellipsis a term, got '" + term + "'");
    return std::nullopt;
  }
  if (rest < 0 || (rest > 0 && !ellipsis)) {
    node.fail("attribute 'equation': expected " + Twine(letters) + " dimensions for '" + term + "', got " +
              Twine(rank));
    return std::nullopt;
  }
  if (rest > 10) {
    node.refuse("attribute 'equation': expected at most 10 dimensions in an ellipsis, got " + Twine(rest));
    return std::nullopt;
  }
  std::string labels = before.str();
  while (rest > 0)
    labels += char('0' + --rest);
  return labels + after.str();
}

bool Einsum::parse(StringRef equation) {
  std::string text = filtered(equation, [](char c) { return c != ' '; });
  auto [inputs, output] = StringRef(text).split("->");
  SmallVector<StringRef> parts;
  inputs.split(parts, ',');
  if (parts.size() != node.numInputs()) {
    node.fail("attribute 'equation': expected " + Twine(node.numInputs()) + " terms, got '" + equation + "'");
    return false;
  }
  std::string all, broadcast;
  for (auto [index, part] : llvm::enumerate(parts)) {
    auto labels = labelsOf(part, node.rank(index));
    if (!labels || node.failed())
      return false;
    std::string digits = filtered(*labels, llvm::isDigit);
    broadcast = digits.size() > broadcast.size() ? digits : broadcast;
    terms.push_back(*labels);
    all += *labels;
  }
  if (StringRef(text).contains("->")) {
    auto labels = labelsOf(output, output.contains("...") ? output.size() - 3 + broadcast.size() : output.size());
    if (!labels)
      return false;
    result = *labels;
  } else { // what appears once, in alphabetical order
    result = broadcast;
    llvm::sort(all);
    result += filtered(all, [&](char label) { return llvm::isAlpha(label) && llvm::count(all, label) == 1; });
  }
  for (char label : result)
    if (!contains(all, label) || llvm::count(result, label) != 1) {
      node.fail("attribute 'equation': expected a result of input labels, each once, got '" + equation + "'");
      return false;
    }
  if (!broadcast.empty() && !contains(result, '0'))
    node.fail("attribute 'equation': expected the ellipsis in the result, got '" + equation + "'");
  return !node.failed();
}

Labelled Einsum::prepare(Value value, std::string labels) {
  // Dimensions of size 1 in an ellipsis go; ordered() brings them back.
  SmallVector<AffineExpr> dims = node.dims(value), kept;
  std::string left;
  for (auto [label, dim] : llvm::zip(labels, dims)) {
    AffineExpr &size = sizes.try_emplace(label, dim).first->second;
    if (llvm::isDigit(label) && constantOf(size) == 1)
      size = dim;
    if (llvm::isDigit(label) && constantOf(dim) == 1)
      continue;
    if (!node.requireEqual(size, dim, "sizes of a label"))
      return {};
    left += label;
    kept.push_back(dim);
  }
  value = node.reshape(value, kept);
  // A diagonal: of [.., n, n] as [.., n * n], every (n + 1)-th element.
  for (size_t i = 0; i < left.size() && !node.failed(); ++i)
    for (size_t j = left.find(left[i], i + 1); j != std::string::npos; j = left.find(left[i], i + 1)) {
      auto n = constantOf(sizes[left[i]]);
      if (!n) {
        node.refuse("attribute 'equation': expected a static size of a repeated label, got '" + Twine(left[i]) + "'");
        return {};
      }
      SmallVector<int64_t> order;
      for (size_t k = 0; k < left.size(); ++k)
        if (k != i && k != j)
          order.push_back(k);
      order.append({int64_t(i), int64_t(j)});
      char label = left[i];
      left.erase(j, 1);
      left.erase(i, 1);
      left += label;
      SmallVector<AffineExpr> shape = sizesOf(left), offsets(left.size(), node.number(0)), flat = shape;
      SmallVector<int64_t> strides(left.size(), 1);
      flat.back() = node.number(*n * *n);
      strides.back() = *n > 1 ? *n + 1 : 1;
      value = node.slice(node.reshape(node.transpose(value, order), flat), offsets, shape, strides);
      if (i >= left.size())
        break;
    }
  return {value, left};
}

Labelled Einsum::sumOthers(Labelled operand, StringRef needed) {
  SmallVector<int64_t> axes;
  for (auto [position, label] : llvm::enumerate(operand.labels))
    if (!contains(needed, label))
      axes.push_back(position);
  if (axes.empty())
    return operand;
  return {node.reduce(ReduceKind::sum, operand.value, axes, /*keepDims=*/false),
          filtered(operand.labels, [&](char label) { return contains(needed, label); })};
}

Value Einsum::ordered(const Labelled &operand, StringRef labels) {
  std::string there = filtered(labels, [&](char label) { return contains(operand.labels, label); });
  Value value = grouped(operand, llvm::map_to_vector(there, [](char label) { return std::string(1, label); }));
  return node.reshape(value, llvm::map_to_vector(labels, [&](char label) {
                        return contains(operand.labels, label) ? sizes[label] : node.number(1);
                      }));
}

Value Einsum::grouped(const Labelled &operand, ArrayRef<std::string> groups) {
  auto permutation =
      llvm::map_to_vector(llvm::join(groups, ""), [&](char label) { return int64_t(operand.labels.find(label)); });
  return node.reshape(
      node.transpose(operand.value, permutation),
      llvm::map_to_vector(groups, [&](const std::string &group) { return node.symbols.product(sizesOf(group)); }));
}

Labelled Einsum::multiply(const Labelled &lhs, const Labelled &rhs, const std::string &labels) {
  return {node.elementwise(ElementwiseKind::mul, {ordered(lhs, labels), ordered(rhs, labels)}), labels};
}

Labelled Einsum::contract(Labelled lhs, Labelled rhs, StringRef needed) {
  lhs = sumOthers(lhs, needed.str() + rhs.labels);
  rhs = sumOthers(rhs, needed.str() + lhs.labels);
  std::string batch, rows, columns, summed;
  for (char label : lhs.labels)
    (contains(rhs.labels, label) ? contains(needed, label) ? batch : summed : rows) += label;
  columns = filtered(rhs.labels, [&](char label) { return !contains(lhs.labels, label); });
  if (summed.empty() || (rows.empty() && columns.empty()))
    return sumOthers(multiply(lhs, rhs, batch + rows + columns + summed), needed);
  Value product = node.emit<MatmulOp>({grouped(lhs, {batch, rows, summed}), grouped(rhs, {batch, summed, columns})});
  std::string labels = batch + rows + columns;
  return {node.reshape(product, sizesOf(labels)), labels};
}

void Einsum::run() {
  if (!parse(node.string("equation", "")))
    return;
  SmallVector<Labelled> operands;
  for (auto [index, labels] : llvm::enumerate(terms))
    operands.push_back(prepare(node.tensor(index), labels));
  if (node.failed())
    return;
  Labelled total = operands.front();
  for (size_t next = 1; next < operands.size() && !node.failed(); ++next) {
    std::string needed = result;
    for (const Labelled &later : ArrayRef(operands).drop_front(next + 1))
      needed += later.labels;
    total = contract(total, operands[next], needed);
  }
  node.set(0, ordered(sumOthers(total, result), result));
}

ArrayRef<Handler> coat::onnx::einsumHandlers() {
  static const Handler rows[] = {{"Einsum", 12, newest, [](NodeImporter &node) { Einsum(node).run(); }}};
  return rows;
}
