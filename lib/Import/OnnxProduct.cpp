// MatMul, Gemm and Einsum: all of them coat.matmul.
#include "Node.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

/// A matrix product whose operands' symbolic sizes were proved to agree.
static Value product(NodeImporter &node, Value lhs, Value rhs, bool transposeLhs = false, bool transposeRhs = false,
                     Value bias = {}) {
  if (node.failed() || !lhs || !rhs)
    return {};
  SmallVector<AffineExpr> a = node.dims(lhs), b = node.dims(rhs);
  if (a.size() < 2 || b.size() < 2) {
    node.fail("expected operands of rank 2 or more, got ranks " + Twine(a.size()) + " and " + Twine(b.size()));
    return {};
  }
  node.requireEqual(a[a.size() - (transposeLhs ? 2 : 1)], b[b.size() - (transposeRhs ? 1 : 2)],
                    "sizes of the summed dimension");
  node.broadcastDims(ArrayRef(a).drop_back(2), ArrayRef(b).drop_back(2));
  SmallVector<Value> operands = {lhs, rhs};
  if (bias)
    operands.push_back(bias);
  SmallVector<NamedAttribute> attributes;
  if (transposeLhs)
    attributes.push_back(node.unit("transpose_lhs"));
  if (transposeRhs)
    attributes.push_back(node.unit("transpose_rhs"));
  return node.emit<MatmulOp>(operands, attributes);
}

/// A vector is a row on the left and a column on the right; its dimension disappears from the result.
static void importMatMul(NodeImporter &node) {
  Value lhs = node.tensor(0), rhs = node.tensor(1);
  if (node.failed())
    return;
  SmallVector<AffineExpr> a = node.dims(lhs), b = node.dims(rhs);
  if (a.empty() || b.empty())
    return node.fail("expected operands of rank 1 or more, got a scalar");
  bool row = a.size() == 1, column = b.size() == 1;
  if (row)
    lhs = node.reshape(lhs, {node.number(1), a[0]});
  if (column)
    rhs = node.reshape(rhs, {b[0], node.number(1)});
  Value result = product(node, lhs, rhs);
  if (!result)
    return;
  SmallVector<AffineExpr> shape = node.dims(result);
  if (column)
    shape.pop_back();
  if (row)
    shape.erase(shape.end() - (column ? 1 : 2));
  node.set(0, node.reshape(result, shape));
}

/// The addend of Gemm as a bias of n elements, if it is one.
static Value biasOf(NodeImporter &node, unsigned input, AffineExpr columns) {
  SmallVector<AffineExpr> shape = node.dims(input);
  bool row = shape.size() == 2 && constantOf(shape[0]) == 1;
  if (shape.empty() || shape.back() != columns || (shape.size() != 1 && !row))
    return {};
  return node.reshape(node.tensor(input), columns);
}

/// alpha * A' * B' + beta * C, where ' transposes if asked.
static void importGemm(NodeImporter &node) {
  double alpha = node.real("alpha", 1.0), beta = node.real("beta", 1.0);
  bool transposeLhs = node.integer("transA", 0) != 0, transposeRhs = node.integer("transB", 0) != 0;
  Value lhs = node.tensor(0), rhs = node.tensor(1);
  if (node.rank(0) != 2 || node.rank(1) != 2)
    node.fail("expected matrices, got ranks " + Twine(node.rank(0)) + " and " + Twine(node.rank(1)));
  if (node.failed())
    return;
  Type type = node.elementType(0);
  if ((alpha != 1.0 || beta != 1.0) && !isa<FloatType>(type))
    return node.refuse("attributes 'alpha', 'beta': expected 1 for integers, got others");
  bool addend = node.has(2) && beta != 0.0;
  Value bias = addend && alpha == 1.0 && beta == 1.0 ? biasOf(node, 2, node.dims(rhs)[transposeRhs ? 0 : 1]) : Value();
  Value result = product(node, lhs, rhs, transposeLhs, transposeRhs, bias);
  if (alpha != 1.0)
    result = node.elementwise(ElementwiseKind::mul, {result, node.scalar(alpha, type)});
  if (addend && !bias) {
    Value term = node.tensor(2);
    if (beta != 1.0)
      term = node.elementwise(ElementwiseKind::mul, {term, node.scalar(beta, type)});
    SmallVector<AffineExpr> shape = result ? node.dims(result) : SmallVector<AffineExpr>();
    result = node.elementwise(ElementwiseKind::add, {result, term});
    if (result && node.dims(result) != shape)
      return node.fail("expected an addend that broadcasts to " + node.print(shape) + ", got a larger one");
  }
  node.set(0, result);
}

//===--- Einsum ---===//

namespace {
/// Two operands with labels: summed labels of one operand first, then a batched product of what is left.
class Einsum {
public:
  explicit Einsum(NodeImporter &node) : node(node) {}
  void run();

private:
  bool parse(StringRef equation);
  bool bindSizes();
  /// Sums the labels of operand `index` that appear nowhere else.
  Value reduceOwn(unsigned index);
  /// The operand with its labels in this order, each group one dimension.
  Value grouped(unsigned index, Value value, ArrayRef<std::string> groups);
  SmallVector<AffineExpr> sizesOf(StringRef labels) {
    return llvm::map_to_vector(labels, [&](char label) { return sizes[label]; });
  }

  NodeImporter &node;
  SmallVector<std::string> terms; // labels of each operand
  std::string result;
  std::map<char, AffineExpr> sizes;
};
} // namespace

bool Einsum::parse(StringRef equation) {
  std::string text;
  for (char c : equation)
    if (c != ' ')
      text += c;
  auto [inputs, output] = StringRef(text).split("->");
  SmallVector<StringRef> parts;
  inputs.split(parts, ',');
  bool explicitResult = StringRef(text).contains("->");
  std::string all = inputs.str();
  for (StringRef part : parts) {
    terms.push_back(part.str());
    for (char label : part)
      if (!llvm::isAlpha(label) || part.count(label) != 1) {
        node.refuse("attribute 'equation': expected letters, each once an operand, got '" + equation + "'");
        return false;
      }
  }
  llvm::sort(all);
  for (char label : all) // without ->: the labels that appear once, in alphabetical order
    if (!explicitResult && llvm::isAlpha(label) && llvm::count(all, label) == 1)
      result += label;
  if (explicitResult)
    result = output.str();
  for (char label : result)
    if (!llvm::isAlpha(label) || !inputs.contains(label) || llvm::count(result, label) != 1) {
      node.refuse("attribute 'equation': expected a result of input labels, each once, got '" + equation + "'");
      return false;
    }
  if (terms.size() != node.numInputs() || terms.size() > 2) {
    node.refuse("attribute 'equation': expected one or two operands, got " + Twine(node.numInputs()) + " and '" +
                equation + "'");
    return false;
  }
  return true;
}

bool Einsum::bindSizes() {
  for (auto [index, labels] : llvm::enumerate(terms)) {
    SmallVector<AffineExpr> dims = node.dims(index);
    if (dims.size() != labels.size()) {
      node.fail("attribute 'equation': expected " + Twine(labels.size()) + " dimensions of operand " + Twine(index) +
                ", got " + Twine(dims.size()));
      return false;
    }
    for (auto [label, dim] : llvm::zip(labels, dims))
      if (!node.requireEqual(sizes.try_emplace(label, dim).first->second, dim, "sizes of a label"))
        return false;
  }
  return true;
}

Value Einsum::reduceOwn(unsigned index) {
  std::string elsewhere = result + (terms.size() == 2 ? terms[1 - index] : ""), kept;
  SmallVector<int64_t> axes;
  for (auto [position, label] : llvm::enumerate(terms[index])) {
    if (StringRef(elsewhere).contains(label))
      kept += label;
    else
      axes.push_back(position);
  }
  terms[index] = kept;
  Value value = node.tensor(index);
  if (axes.empty())
    return value;
  return node.emit<ReduceOp>(
      value, {node.attr("kind", ReduceKindAttr::get(node.context, ReduceKind::sum)), node.attr("axes", axes)});
}

/// The permutation that brings `from` into the order of `to`.
static SmallVector<int64_t> permutationTo(StringRef from, StringRef to) {
  return llvm::map_to_vector(to, [&](char label) { return int64_t(from.find(label)); });
}

Value Einsum::grouped(unsigned index, Value value, ArrayRef<std::string> groups) {
  value = node.transpose(value, permutationTo(terms[index], llvm::join(groups, "")));
  return node.reshape(value, llvm::map_to_vector(groups, [&](const std::string &group) {
                        return node.symbols.product(sizesOf(group));
                      }));
}

void Einsum::run() {
  if (!parse(node.string("equation", "")) || !bindSizes())
    return;
  Value lhs = reduceOwn(0);
  if (terms.size() == 1)
    return node.set(0, node.transpose(lhs, permutationTo(terms[0], result)));
  Value rhs = reduceOwn(1);
  std::string batch, rows, columns, summed;
  for (char label : terms[0])
    (StringRef(terms[1]).contains(label) ? StringRef(result).contains(label) ? batch : summed : rows) += label;
  for (char label : terms[1])
    if (!StringRef(terms[0]).contains(label))
      columns += label;
  Value out = product(node, grouped(0, lhs, {batch, rows, summed}), grouped(1, rhs, {batch, summed, columns}));
  out = node.reshape(out, sizesOf(batch + rows + columns));
  node.set(0, node.transpose(out, permutationTo(batch + rows + columns, result)));
}

ArrayRef<Handler> coat::onnx::productHandlers() {
  static const Handler rows[] = {
      {"MatMul", 1, newest, importMatMul},
      {"Gemm", 7, newest, importGemm},
      {"Einsum", 12, newest, [](NodeImporter &node) { Einsum(node).run(); }},
  };
  return rows;
}
