// The one way to create ops.
//
// Every op is created from its own inferReturnTypes and verified at once with the
// diagnostics caught: their text, behind the node's name, is the user's message.
// The symbolic sizes of results come from the op's reifyResultShapes, read back
// as expressions; the IR it writes for that is erased again.
#include "Node.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

//===--- creation ---===//

/// The text of a diagnostic without the op's name: "'coat.conv' op expected ..".
static StringRef textOf(StringRef diagnostic) {
  size_t start = diagnostic.find("' op ");
  StringRef text =
      diagnostic.starts_with("'") && start != StringRef::npos ? diagnostic.drop_front(start + 5) : diagnostic;
  return text.empty() ? "expected operands that fit, got others" : text;
}

/// Inserts an op with inferred types; null after an error.
Operation *NodeImporter::insert(OperationState &state, LogicalResult inferred) {
  Operation *op = succeeded(inferred) ? builder.create(state) : nullptr;
  if (op && succeeded(op->getName().verifyInvariants(op)) && deriveDims(op))
    return op;
  if (op)
    op->erase();
  fail(textOf(diagnostic));
  return nullptr;
}

/// Inserts an op of one result whose sizes the caller knows, folded if possible; null after an error.
Value NodeImporter::insert(OperationState &state, ArrayRef<AffineExpr> shape) {
  Operation *op = builder.create(state);
  recordDims(op->getResult(0), shape);
  if (succeeded(op->getName().verifyInvariants(op)))
    return foldOrKeep(op);
  op->erase();
  fail(textOf(diagnostic));
  return {};
}

Value NodeImporter::foldOrKeep(Operation *op) {
  SmallVector<Value> folded;
  SmallVector<AffineExpr> sizes = importer.dims(op->getResult(0));
  builder.setInsertionPointAfter(op);
  if (op->getNumResults() != 1 || mlir::failed(builder.tryFold(op, folded)) || folded.empty())
    return op->getResult(0);
  recordDims(folded.front(), sizes);
  op->erase();
  return folded.front();
}

void NodeImporter::recordDims(Value value, ArrayRef<AffineExpr> shape) {
  if (!cast<RankedTensorType>(value.getType()).hasStaticShape())
    importer.setDims(value, shape);
}

bool NodeImporter::deriveDims(Operation *op) {
  auto isStatic = [](Type type) { return cast<RankedTensorType>(type).hasStaticShape(); };
  if (llvm::all_of(op->getResultTypes(), isStatic))
    return true;
  auto reify = dyn_cast<ReifyRankedShapedTypeOpInterface>(op);
  ReifiedRankedShapedTypeDims shapes;
  builder.setInsertionPointAfter(op);
  bool known = reify && succeeded(reify.reifyResultShapes(builder, shapes));
  for (auto [result, shape] : llvm::zip(op->getResults(), shapes)) {
    auto exprs = llvm::map_to_vector(shape, [&](OpFoldResult size) { return exprOf(size); });
    known &= llvm::all_of(exprs, [](AffineExpr expr) { return bool(expr); });
    if (known)
      recordDims(result, exprs);
  }
  while (op->getNextNode())
    op->getBlock()->back().erase();
  builder.setInsertionPointAfter(op);
  if (!known)
    refuse("expected sizes that are affine in the symbolic dimensions, got others; try a static shape with --dim");
  return known;
}

AffineExpr NodeImporter::exprOf(OpFoldResult size) {
  if (auto constant = getConstantIntValue(size))
    return symbols.constant(*constant);
  auto value = dyn_cast<Value>(size);
  if (AffineExpr known = importer.exprOf(value))
    return known;
  Operation *op = value ? value.getDefiningOp() : nullptr;
  if (!op)
    return {};
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    auto index = dim.getConstantIndex();
    SmallVector<AffineExpr> sizes = importer.dims(dim.getSource());
    return index && *index < int64_t(sizes.size()) ? sizes[*index] : AffineExpr();
  }
  auto operands = llvm::map_to_vector(op->getOperands(), [&](Value operand) { return exprOf(operand); });
  if (llvm::is_contained(operands, AffineExpr()))
    return {};
  auto evaluateMap = [&](AffineMap map) {
    ArrayRef<AffineExpr> all = operands;
    return llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) {
      return symbols.simplify(
          expr.replaceDimsAndSymbols(all.take_front(map.getNumDims()), all.drop_front(map.getNumDims())));
    });
  };
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
    return evaluateMap(apply.getAffineMap()).front();
  if (auto smallest = dyn_cast<affine::AffineMinOp>(op)) {
    auto results = evaluateMap(smallest.getMap());
    return llvm::accumulate(results, results.front(), [&](AffineExpr a, AffineExpr b) { return symbols.min(a, b); });
  }
  if (auto largest = dyn_cast<affine::AffineMaxOp>(op)) {
    auto results = evaluateMap(largest.getMap());
    return llvm::accumulate(results, results.front(), [&](AffineExpr a, AffineExpr b) { return symbols.max(a, b); });
  }
  if (operands.size() != 2)
    return {};
  AffineExpr a = operands[0], b = operands[1];
  return llvm::TypeSwitch<Operation *, AffineExpr>(op)
      .Case([&](arith::AddIOp) { return symbols.sum(a, b); })
      .Case([&](arith::SubIOp) { return symbols.difference(a, b); })
      .Case([&](arith::MulIOp) { return symbols.product(a, b); })
      .Case([&](arith::FloorDivSIOp) { return symbols.floorDiv(a, b); })
      .Case([&](arith::DivUIOp) { return symbols.floorDiv(a, b); })
      .Case([&](arith::CeilDivSIOp) { return symbols.ceilDiv(a, b); })
      .Case([&](arith::CeilDivUIOp) { return symbols.ceilDiv(a, b); })
      .Case<arith::MaxSIOp, arith::MaxUIOp>([&](auto) { return symbols.max(a, b); })
      .Case<arith::MinSIOp, arith::MinUIOp>([&](auto) { return symbols.min(a, b); })
      .Default([](Operation *) { return AffineExpr(); });
}

//===--- ops whose sizes the caller knows ---===//

/// The type of a tensor of these sizes.
static RankedTensorType typeOf(ArrayRef<AffineExpr> sizes, Type elementType) {
  return RankedTensorType::get(
      llvm::map_to_vector(sizes, [](AffineExpr size) { return constantOf(size).value_or(ShapedType::kDynamic); }),
      elementType);
}

/// Whether all sizes are there and not negative.
static bool areSizes(const Symbols &symbols, ArrayRef<AffineExpr> sizes) {
  return llvm::all_of(sizes, [&](AffineExpr size) {
    auto range = size ? symbols.range(size) : std::nullopt;
    return range && range->min >= 0;
  });
}

Value NodeImporter::elementwise(ElementwiseKind kind, ValueRange operands, std::optional<double> alpha,
                                std::optional<double> beta) {
  if (failed() || llvm::is_contained(operands, Value()))
    return {};
  SmallVector<AffineExpr> shape;
  for (Value operand : operands)
    shape = broadcastDims(shape, dims(operand));
  SmallVector<NamedAttribute> attributes = {attr("kind", ElementwiseKindAttr::get(context, kind))};
  if (alpha)
    attributes.push_back(attr("alpha", *alpha));
  if (beta)
    attributes.push_back(attr("beta", *beta));
  return emit<ElementwiseOp>(operands, attributes);
}

Value NodeImporter::convert(Value value, Type elementType) {
  if (failed() || !value || cast<RankedTensorType>(value.getType()).getElementType() == elementType)
    return value;
  SmallVector<AffineExpr> shape = dims(value);
  OperationState state(loc, CastOp::getOperationName(), value, typeOf(shape, elementType));
  return insert(state, shape);
}

Value NodeImporter::reduce(ReduceKind kind, Value value, ArrayRef<int64_t> axes, bool keepDims) {
  SmallVector<NamedAttribute> attributes = {attr("kind", ReduceKindAttr::get(context, kind)), attr("axes", axes)};
  if (keepDims)
    attributes.push_back(unit("keep_dims"));
  return emit<ReduceOp>(value, attributes);
}

Value NodeImporter::reshape(Value value, ArrayRef<AffineExpr> shape) {
  if (failed() || !value || ArrayRef(dims(value)) == shape)
    return value;
  SmallVector<AffineExpr> from = dims(value);
  if (!areSizes(symbols, shape) || symbols.equal(symbols.product(from), symbols.product(shape)) != true) {
    fail("expected a shape with the elements of " + print(from) + ", got " + print(shape));
    return {};
  }
  RankedTensorType type = typeOf(shape, cast<RankedTensorType>(value.getType()).getElementType());
  OperationState state(loc, ReshapeOp::getOperationName(), value, type);
  for (AffineExpr size : shape)
    if (!constantOf(size))
      state.addOperands(importer.size(size));
  return insert(state, shape);
}

Value NodeImporter::broadcast(Value value, ArrayRef<AffineExpr> shape) {
  if (failed() || !value || ArrayRef(dims(value)) == shape)
    return value;
  if (!areSizes(symbols, shape) || ArrayRef(broadcastDims(dims(value), shape)) != shape) {
    fail("expected a shape to which " + print(dims(value)) + " broadcasts, got " + print(shape));
    return {};
  }
  RankedTensorType type = typeOf(shape, cast<RankedTensorType>(value.getType()).getElementType());
  OperationState state(loc, BroadcastOp::getOperationName(), value, type);
  for (AffineExpr size : shape)
    if (!constantOf(size))
      state.addOperands(importer.size(size));
  return insert(state, shape);
}

Value NodeImporter::transpose(Value value, ArrayRef<int64_t> permutation) {
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size())))
    return value;
  return emit<TransposeOp>(value, attr("permutation", permutation));
}

Value NodeImporter::concat(ValueRange values, int64_t axis) {
  if (failed() || llvm::is_contained(values, Value()))
    return {};
  if (values.size() == 1)
    return values.front();
  SmallVector<AffineExpr> shape = dims(values.front());
  for (Value value : values.drop_front()) {
    SmallVector<AffineExpr> other = dims(value);
    if (other.size() != shape.size())
      fail("expected inputs of one rank, got " + Twine(shape.size()) + " and " + Twine(other.size()));
    for (size_t dim = 0; dim < shape.size() && !failed(); ++dim) {
      if (int64_t(dim) == axis)
        shape[dim] = symbols.sum(shape[dim], other[dim]);
      else
        requireEqual(shape[dim], other[dim], "sizes of dimension " + std::to_string(dim));
    }
  }
  if (failed())
    return {};
  // A part without elements would lie behind the end of the result.
  auto parts = llvm::filter_to_vector(values, [&](Value value) { return constantOf(dims(value)[axis]) != 0; });
  if (parts.size() < 2)
    return parts.empty() ? values.front() : parts.front();
  OperationState state(loc, tensor::ConcatOp::getOperationName(), parts,
                       typeOf(shape, cast<RankedTensorType>(values.front().getType()).getElementType()),
                       attr("dim", axis));
  return insert(state, shape);
}

Value NodeImporter::slice(Value value, ArrayRef<AffineExpr> offsets, ArrayRef<AffineExpr> shape,
                          ArrayRef<int64_t> strides) {
  if (failed() || !value || ArrayRef(dims(value)) == shape)
    return value;
  if (!areSizes(symbols, shape) || !areSizes(symbols, offsets)) {
    refuse("expected slice bounds that the symbolic dimensions' ranges decide, got others");
    return {};
  }
  SmallVector<AffineExpr> inside(offsets);
  for (auto [offset, size] : llvm::zip_equal(inside, shape))
    if (constantOf(size) == 0) // an offset at the very end is out of bounds for MLIR
      offset = number(0);
  auto folded = [&](ArrayRef<AffineExpr> exprs) {
    return llvm::map_to_vector(exprs, [&](AffineExpr expr) -> OpFoldResult {
      auto constant = constantOf(expr);
      return constant ? OpFoldResult(builder.getIndexAttr(*constant)) : OpFoldResult(importer.size(expr));
    });
  };
  SmallVector<OpFoldResult> steps =
      llvm::map_to_vector(strides, [&](int64_t stride) { return OpFoldResult(builder.getIndexAttr(stride)); });
  OperationState state(loc, tensor::ExtractSliceOp::getOperationName());
  tensor::ExtractSliceOp::build(builder, state, typeOf(shape, cast<RankedTensorType>(value.getType()).getElementType()),
                                value, folded(inside), folded(shape), steps);
  return insert(state, shape);
}

Value NodeImporter::slice(Value value, int64_t axis, AffineExpr offset, AffineExpr size) {
  if (failed() || !value)
    return {};
  SmallVector<AffineExpr> shape = dims(value), offsets(shape.size(), number(0));
  shape[axis] = size;
  offsets[axis] = offset;
  return slice(value, offsets, shape, SmallVector<int64_t>(shape.size(), 1));
}

Value NodeImporter::scalar(double value, Type elementType) {
  if (failed())
    return {};
  auto type = RankedTensorType::get({}, elementType);
  if (isa<FloatType>(elementType))
    return constant(DenseElementsAttr::get(type, mlir::Attribute(FloatAttr::get(elementType, value))));
  APInt integer(elementType.getIntOrFloatBitWidth(), uint64_t(int64_t(value)), /*isSigned=*/true,
                /*implicitTrunc=*/true);
  return constant(DenseElementsAttr::get(type, integer));
}

Value NodeImporter::constant(ElementsAttr value) {
  return arith::ConstantOp::create(builder, loc, cast<TypedAttr>(value));
}

Value NodeImporter::constant(const Known &known) {
  ModelValue value;
  value.type = RankedTensorType::get(known.shape, known.elementType);
  value.known = known;
  std::string why;
  Value result = importer.materialize(value, loc, why);
  if (!result)
    refuse(why);
  return result;
}

Value NodeImporter::positions(AffineExpr size) {
  auto range = failed() || !size ? std::nullopt : symbols.range(size);
  constexpr int64_t most = 1 << 24;
  if (!range || range->max > most) {
    refuse("expected at most " + Twine(most) + " positions, got " + print(size));
    return {};
  }
  auto numbers = llvm::to_vector(llvm::seq<int64_t>(0, range->max));
  auto type = RankedTensorType::get(range->max, IntegerType::get(context, 64));
  // A symbolic size takes the beginning of the most there may be.
  return slice(constant(DenseElementsAttr::get(type, ArrayRef(numbers))), 0, symbols.constant(0), size);
}
