// MatMul and Gemm: coat.matmul. Det, by its expansion.
#include "Products.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

Value coat::onnx::product(NodeImporter &node, Value lhs, Value rhs, bool transposeLhs, bool transposeRhs, Value bias) {
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

Value coat::onnx::matmul(NodeImporter &node, Value lhs, Value rhs) {
  if (node.failed() || !lhs || !rhs)
    return {};
  SmallVector<AffineExpr> a = node.dims(lhs), b = node.dims(rhs);
  if (a.empty() || b.empty()) {
    node.fail("expected operands of rank 1 or more, got a scalar");
    return {};
  }
  bool row = a.size() == 1, column = b.size() == 1;
  if (row)
    lhs = node.reshape(lhs, {node.number(1), a[0]});
  if (column)
    rhs = node.reshape(rhs, {b[0], node.number(1)});
  Value result = product(node, lhs, rhs);
  if (!result)
    return {};
  SmallVector<AffineExpr> shape = node.dims(result);
  if (column)
    shape.pop_back();
  if (row)
    shape.erase(shape.end() - (column ? 1 : 2));
  return node.reshape(result, shape);
}

static void importMatMul(NodeImporter &node) { node.set(0, matmul(node, node.tensor(0), node.tensor(1))); }

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

/// The determinants of [.., n, n] matrices by expansion along the rows from the last one up: a minor of k rows is a sum
/// of k products with the minors of k - 1 rows, each of which is computed once.
static void importDet(NodeImporter &node) {
  constexpr int64_t maxSize = 6;
  SmallVector<AffineExpr> shape = node.dims(0);
  int64_t rank = shape.size();
  auto size = rank >= 2 ? constantOf(shape[rank - 1]) : std::nullopt;
  Value input = node.tensor(0);
  if (node.failed())
    return;
  if (rank < 2 || shape[rank - 1] != shape[rank - 2])
    return node.fail("expected square matrices, got " + node.print(shape));
  if (!size || *size < 1 || *size > maxSize || !isa<FloatType>(node.elementType(0)))
    return node.refuse("expected floating-point matrices of 1 to " + Twine(maxSize) + " rows, got " +
                       node.print(shape));
  ArrayRef<AffineExpr> batch = ArrayRef(shape).drop_back(2);
  auto element = [&](int64_t row, int64_t column) {
    Value line = node.slice(input, rank - 2, node.number(row), node.number(1));
    return node.reshape(node.slice(line, rank - 1, node.number(column), node.number(1)), batch);
  };
  SmallVector<Value> minors(size_t(1) << *size); // by the set of columns; the last rows, as many as columns
  for (uint32_t columns = 1; columns < minors.size(); ++columns) {
    int64_t row = *size - llvm::popcount(columns), before = 0;
    for (int64_t column = 0; column < *size; ++column) {
      if (!(columns >> column & 1))
        continue;
      uint32_t rest = columns ^ (1u << column);
      Value term = element(row, column);
      if (rest != 0)
        term = node.elementwise(ElementwiseKind::mul, {term, minors[rest]});
      ElementwiseKind sign = before++ % 2 == 0 ? ElementwiseKind::add : ElementwiseKind::sub;
      minors[columns] = minors[columns] ? node.elementwise(sign, {minors[columns], term}) : term;
    }
  }
  node.set(0, minors.back());
}

ArrayRef<Handler> coat::onnx::productHandlers() {
  static const Handler rows[] = {
      {"MatMul", 1, newest, importMatMul},
      {"Gemm", 7, newest, importGemm},
      {"Det", 11, newest, importDet},
  };
  return rows;
}
