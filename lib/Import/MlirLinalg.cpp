// linalg ops by what their body and indexing maps say, named and generic ones alike: element-wise functions, products
// and reductions. Convolutions and pooling are read by name in MlirWindow.cpp.
//
// The body is written on whole tensors: an operand becomes a tensor over all loops, of size 1 along those that its map
// does not name, and every scalar op an element-wise one; broadcasting does the rest.
#include "Mlir.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

namespace {
/// A value and the loops that its dimensions are, in its own order.
struct Ordered {
  Value value;
  SmallVector<int64_t> loops;
};

class Structured {
public:
  explicit Structured(MlirNode node) : node(node.node), op(node.as<linalg::LinalgOp>()) {}
  void run();

private:
  void refuse(const Twine &message) { node.refuse(message); }
  bool findSizes();
  /// An operand over all loops.
  Value spread(Value value, AffineMap map);
  /// A scalar of the body over all loops.
  Value evaluate(Value scalar);
  bool isReduction(int64_t loop) const { return iterators[loop] == utils::IteratorType::reduction; }
  bool has(Value value, int64_t loop) { return value && constantOf(node.dims(value)[loop]) != 1; }
  /// A value over all loops as it was before, or itself.
  Ordered original(Value value);
  /// A value with each group of loops one dimension.
  Value grouped(const Ordered &value, ArrayRef<SmallVector<int64_t>> groups);
  /// The sum over the reduced loops of lhs * rhs, those loops of size 1.
  Value contract(Value lhs, Value rhs);
  Value reduced(OpOperand &init, Value yielded);
  /// A value over all loops in the order of a result.
  Value ordered(Value value, AffineMap map);

  NodeImporter &node;
  linalg::LinalgOp op;
  SmallVector<utils::IteratorType> iterators;
  SmallVector<AffineExpr> sizes; // of the loops
  llvm::DenseMap<Value, Value> values;
  llvm::DenseMap<Value, Ordered> originals; // of what spread() made
};
} // namespace

bool Structured::findSizes() {
  iterators = op.getIteratorTypesArray();
  sizes.assign(op.getNumLoops(), AffineExpr());
  for (OpOperand &operand : op->getOpOperands()) {
    SmallVector<AffineExpr> dims = node.dims(operand.getOperandNumber());
    for (auto [expr, size] : llvm::zip(op.getMatchingIndexingMap(&operand).getResults(), dims)) {
      auto loop = dyn_cast<AffineDimExpr>(expr);
      if (!loop)
        continue;
      AffineExpr &known = sizes[loop.getPosition()];
      if (!known)
        known = size;
      else if (!node.requireEqual(known, size, "sizes of a loop"))
        return false;
    }
  }
  if (llvm::is_contained(sizes, AffineExpr()))
    refuse("expected indexing maps that name each loop, got others");
  return !node.failed();
}

Value Structured::spread(Value value, AffineMap map) {
  if (!value)
    return {};
  SmallVector<std::pair<int64_t, int64_t>> loops; // loop, dimension
  SmallVector<int64_t> constants;
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    if (auto loop = dyn_cast<AffineDimExpr>(expr)) {
      loops.push_back({loop.getPosition(), dim});
    } else if (auto number = dyn_cast<AffineConstantExpr>(expr)) {
      value = node.slice(value, dim, node.number(number.getValue()), node.number(1));
      constants.push_back(dim);
    } else {
      refuse("expected indexing maps of loops and numbers, got " + [&] {
        std::string text;
        llvm::raw_string_ostream(text) << map;
        return text;
      }());
      return {};
    }
  }
  if (!value)
    return {};
  llvm::sort(loops);
  SmallVector<int64_t> permutation = llvm::map_to_vector(loops, [](auto pair) { return pair.second; });
  permutation.append(constants);
  SmallVector<AffineExpr> shape(sizes.size(), node.number(1));
  for (auto [index, pair] : llvm::enumerate(loops)) {
    if (index && loops[index - 1].first == pair.first) {
      refuse("expected indexing maps that name a loop once, got a diagonal");
      return {};
    }
    shape[pair.first] = node.dims(value)[pair.second];
  }
  Value result = node.reshape(node.transpose(value, permutation), shape);
  if (result && constants.empty()) {
    Ordered original{value, SmallVector<int64_t>(loops.size())};
    for (auto [loop, dim] : loops)
      original.loops[dim] = loop;
    originals[result] = std::move(original);
  }
  return result;
}

Value Structured::evaluate(Value scalar) {
  if (auto found = values.find(scalar); found != values.end())
    return found->second;
  Value result;
  Operation *def = scalar.getDefiningOp();
  if (auto argument = dyn_cast<BlockArgument>(scalar); argument && argument.getOwner() == op.getBlock()) {
    OpOperand &operand = *op.getMatchingOpOperand(argument);
    result = spread(node.tensor(operand.getOperandNumber()), op.getMatchingIndexingMap(&operand));
  } else if (auto constant = def ? dyn_cast<arith::ConstantOp>(def) : arith::ConstantOp()) {
    auto real = dyn_cast<FloatAttr>(constant.getValue());
    auto integer = dyn_cast<IntegerAttr>(constant.getValue());
    Type type = scalar.getType().isIndex() ? Type(IntegerType::get(node.context, 64)) : scalar.getType();
    if (real || integer)
      result = node.scalar(real ? real.getValueAsDouble() : double(integer.getValue().getSExtValue()), type);
    else
      refuse("expected constant numbers, got another constant");
  } else if (auto index = def ? dyn_cast<linalg::IndexOp>(def) : linalg::IndexOp()) {
    SmallVector<AffineExpr> shape(sizes.size(), node.number(1));
    shape[index.getDim()] = sizes[index.getDim()];
    result = node.reshape(node.positions(sizes[index.getDim()]), shape);
  } else if (!def || def->getBlock() != op.getBlock()) {
    refuse("expected a body that computes from its arguments, got a value from outside");
  } else if (def->getNumRegions() || def->getNumResults() != 1) {
    refuse("expected an operator that coat compiles, got " + def->getName().getStringRef());
  } else {
    auto operands = llvm::map_to_vector(def->getOperands(), [&](Value operand) { return evaluate(operand); });
    result = node.failed() ? Value() : emitScalarOp(node, def, operands);
  }
  return values[scalar] = result;
}

Ordered Structured::original(Value value) {
  auto found = originals.find(value);
  return found != originals.end() ? found->second
                                  : Ordered{value, llvm::to_vector(llvm::seq<int64_t>(0, sizes.size()))};
}

Value Structured::grouped(const Ordered &value, ArrayRef<SmallVector<int64_t>> groups) {
  SmallVector<int64_t> permutation;
  SmallVector<AffineExpr> shape;
  for (const auto &group : groups) {
    for (int64_t loop : group)
      permutation.push_back(llvm::find(value.loops, loop) - value.loops.begin());
    shape.push_back(node.symbols.product(llvm::map_to_vector(group, [&](int64_t loop) { return sizes[loop]; })));
  }
  for (int64_t dim = 0; dim < int64_t(value.loops.size()); ++dim)
    if (!llvm::is_contained(permutation, dim))
      permutation.push_back(dim); // of size 1
  return node.reshape(node.transpose(value.value, permutation), shape);
}

static SmallVector<int64_t> joined(ArrayRef<SmallVector<int64_t>> groups) {
  SmallVector<int64_t> loops;
  for (const auto &group : groups)
    loops.append(group);
  return loops;
}

Value Structured::contract(Value lhs, Value rhs) {
  SmallVector<int64_t> batch, rows, columns, summed, left, right;
  for (int64_t loop = 0; loop < int64_t(sizes.size()); ++loop) {
    bool inLhs = has(lhs, loop), inRhs = has(rhs, loop);
    if (inLhs && inRhs)
      (isReduction(loop) ? summed : batch).push_back(loop);
    else if (inLhs)
      (isReduction(loop) ? left : rows).push_back(loop);
    else if (inRhs)
      (isReduction(loop) ? right : columns).push_back(loop);
  }
  if (!left.empty())
    lhs = node.reduce(ReduceKind::sum, lhs, left);
  if (!right.empty())
    rhs = node.reduce(ReduceKind::sum, rhs, right);
  if (summed.empty() || (rows.empty() && columns.empty())) {
    Value product = node.elementwise(Kind::mul, {lhs, rhs});
    return summed.empty() ? product : node.reduce(ReduceKind::sum, product, summed);
  }
  SmallVector<SmallVector<int64_t>> left3 = {batch, rows, summed}, right3 = {batch, summed, columns};
  Ordered before = original(rhs);
  bool transposed = before.loops == joined({batch, columns, summed});
  if (transposed)
    std::swap(right3[1], right3[2]);
  if (batch.empty()) {
    left3.erase(left3.begin());
    right3.erase(right3.begin());
  }
  SmallVector<NamedAttribute> attributes;
  if (transposed)
    attributes.push_back(node.unit("transpose_rhs"));
  Value product = node.emit<MatmulOp>({grouped(original(lhs), left3), grouped(before, right3)}, attributes);
  if (!product)
    return {};
  SmallVector<int64_t> order = joined({batch, rows, columns});
  Value apart = node.reshape(product, llvm::map_to_vector(order, [&](int64_t loop) { return sizes[loop]; }));
  SmallVector<int64_t> sorted = order, permutation;
  llvm::sort(sorted);
  SmallVector<AffineExpr> shape(sizes.size(), node.number(1));
  for (int64_t loop : sorted) {
    permutation.push_back(llvm::find(order, loop) - order.begin());
    shape[loop] = sizes[loop];
  }
  return node.reshape(node.transpose(apart, permutation), shape);
}

Value Structured::ordered(Value value, AffineMap map) {
  if (!value)
    return {};
  SmallVector<int64_t> permutation;
  for (AffineExpr expr : map.getResults()) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    if (!loop || llvm::is_contained(permutation, loop.getPosition())) {
      refuse("expected results that name each parallel loop once, got others");
      return {};
    }
    permutation.push_back(loop.getPosition());
  }
  auto shape = llvm::map_to_vector(permutation, [&](int64_t loop) { return sizes[loop]; });
  for (int64_t loop = 0; loop < int64_t(sizes.size()); ++loop)
    if (!llvm::is_contained(permutation, loop)) {
      if (!isReduction(loop)) {
        refuse("expected results that name each parallel loop once, got others");
        return {};
      }
      permutation.push_back(loop); // of size 1
    }
  SmallVector<AffineExpr> full = sizes;
  for (int64_t loop = 0; loop < int64_t(sizes.size()); ++loop)
    if (isReduction(loop))
      full[loop] = node.number(1);
  return node.reshape(node.transpose(node.broadcast(value, full), permutation), shape);
}

/// The reduction of `combiner` and what it starts from.
static std::optional<std::tuple<ReduceKind, Kind, double>> reductionOf(Operation *combiner) {
  using Result = std::optional<std::tuple<ReduceKind, Kind, double>>;
  double infinity = std::numeric_limits<double>::infinity();
  Type type = combiner->getResult(0).getType();
  double least = isa<FloatType>(type) ? -infinity : -std::ldexp(1.0, int(type.getIntOrFloatBitWidth()) - 1);
  double most = isa<FloatType>(type) ? infinity : -least - 1;
  return llvm::TypeSwitch<Operation *, Result>(combiner)
      .Case<arith::AddFOp, arith::AddIOp>([](auto) { return std::tuple(ReduceKind::sum, Kind::add, 0.0); })
      .Case<arith::MulFOp, arith::MulIOp>([](auto) { return std::tuple(ReduceKind::prod, Kind::mul, 1.0); })
      .Case<arith::MaximumFOp, arith::MaxNumFOp, arith::MaxSIOp>(
          [&](auto) { return std::tuple(ReduceKind::max, Kind::max, least); })
      .Case<arith::MinimumFOp, arith::MinNumFOp, arith::MinSIOp>(
          [&](auto) { return std::tuple(ReduceKind::min, Kind::min, most); })
      .Default([](Operation *) { return std::nullopt; });
}

/// init combined with x by an op such as addf, x being anything that reads no accumulator.
Value Structured::reduced(OpOperand &init, Value yielded) {
  Value accumulator = op.getMatchingBlockArgument(&init);
  Operation *combiner = yielded.getDefiningOp();
  auto kind = combiner ? reductionOf(combiner) : std::nullopt;
  if (!kind || !accumulator.hasOneUse() || !llvm::is_contained(combiner->getOperands(), accumulator)) {
    refuse("expected a reduction by one op of its result and an element (addf, mulf, maximumf ..), got another");
    return {};
  }
  Value element = combiner->getOperand(combiner->getOperand(0) == accumulator);
  auto [reduceKind, elementwiseKind, start] = *kind;
  Operation *product = element.getDefiningOp();
  Value result;
  if (reduceKind == ReduceKind::sum && product && isa<arith::MulFOp, arith::MulIOp>(product)) {
    Value lhs = evaluate(product->getOperand(0)), rhs = evaluate(product->getOperand(1));
    auto hasAllLoops = [&](Value value) { return value && MlirNode::rankOf(value) == int64_t(sizes.size()); };
    if (hasAllLoops(lhs) && hasAllLoops(rhs))
      result = contract(lhs, rhs);
  }
  if (!result && !node.failed()) {
    SmallVector<int64_t> axes;
    SmallVector<AffineExpr> shape(sizes.size(), node.number(1));
    for (int64_t loop = 0; loop < int64_t(sizes.size()); ++loop)
      if (isReduction(loop)) {
        axes.push_back(loop);
        shape[loop] = sizes[loop];
      }
    // A term that does not depend on a reduced loop counts once for each of its steps.
    Value value = evaluate(element);
    if (!value)
      return {};
    value = node.broadcast(value, node.broadcastDims(node.dims(value), shape));
    result = node.reduce(reduceKind, value, axes);
  }
  result = ordered(result, op.getMatchingIndexingMap(&init));
  Value initial = node.tensor(init.getOperandNumber());
  if (!initial || uniformValue(initial) == start)
    return result;
  return elementwiseKind == Kind::add ? accumulate(node, result, initial)
                                      : node.elementwise(elementwiseKind, {initial, result});
}

void Structured::run() {
  if (!op.hasPureTensorSemantics())
    return refuse("expected tensors, got buffers");
  if (!findSizes())
    return;
  auto yield = cast<linalg::YieldOp>(op.getBlock()->getTerminator());
  for (auto [index, init] : llvm::enumerate(op.getDpsInitsMutable())) {
    Value yielded = yield.getOperand(index);
    Value result = op.getNumReductionLoops() ? reduced(init, yielded)
                                             : ordered(evaluate(yielded), op.getMatchingIndexingMap(&init));
    node.set(index, result);
  }
}

static void importStructured(MlirNode node) { Structured(node).run(); }

static void importSoftmax(MlirNode node) {
  auto axis = int64_t(node.as<linalg::SoftmaxOp>().getDimension());
  node->set(0, node->emit<SoftmaxOp>(node->tensor(0u), node->attr("axis", axis)));
}

ArrayRef<Handler> coat::onnx::mlirLinalgHandlers() {
#define ROW(op)                                                                                                        \
  {                                                                                                                    \
    "linalg." op, 1, newest, mlirOp<importStructured>                                                                  \
  }
  static const Handler rows[] = {
      ROW("abs"),
      ROW("add"),
      ROW("batch_matmul"),
      ROW("batch_matvec"),
      ROW("batch_mmt4d"),
      ROW("batch_reduce_matmul"),
      ROW("batch_vecmat"),
      ROW("broadcast"),
      ROW("ceil"),
      ROW("contract"),
      ROW("copy"),
      ROW("div"),
      ROW("dot"),
      ROW("elementwise"),
      ROW("erf"),
      ROW("exp"),
      ROW("fill"),
      ROW("floor"),
      ROW("generic"),
      ROW("log"),
      ROW("map"),
      ROW("matmul"),
      ROW("matvec"),
      ROW("max"),
      ROW("min"),
      ROW("mmt4d"),
      ROW("mul"),
      ROW("negf"),
      ROW("powf"),
      ROW("quantized_batch_matmul"),
      ROW("quantized_matmul"),
      ROW("reciprocal"),
      ROW("reduce"),
      ROW("round"),
      ROW("rsqrt"),
      ROW("select"),
      ROW("sqrt"),
      ROW("square"),
      ROW("sub"),
      ROW("tanh"),
      ROW("transpose"),
      ROW("vecmat"),
      {"linalg.softmax", 1, newest, mlirOp<importSoftmax>},
  };
#undef ROW
  return rows;
}
