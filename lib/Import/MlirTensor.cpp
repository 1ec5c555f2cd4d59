// Upstream MLIR: constants, sizes, and the ops of the tensor dialect that move elements.
#include "Mlir.h"
#include "coat/Dialect/IndexOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

//===--- what handlers share ---===//

static Type plainElement(Type type, MLIRContext *context) {
  Type element = getElementTypeOrSelf(type);
  return element.isIndex() ? Type(IntegerType::get(context, 64)) : element;
}

Type MlirNode::declaredElement(unsigned result) const {
  return plainElement(operation()->getResult(result).getType(), node.context);
}

void coat::onnx::checkDeclared(NodeImporter &node) {
  Operation *op = node.operation();
  if (node.failed())
    return;
  for (auto [index, result] : llvm::enumerate(op->getResults())) {
    auto declared = dyn_cast<RankedTensorType>(result.getType());
    RankedTensorType computed = node.resultType(index);
    if (!declared || !computed)
      continue;
    bool fits =
        declared.getRank() == computed.getRank() && plainElement(declared, node.context) == computed.getElementType();
    for (int64_t dim = 0; fits && dim < declared.getRank(); ++dim)
      fits = declared.isDynamicDim(dim) || computed.isDynamicDim(dim) ||
             declared.getDimSize(dim) == computed.getDimSize(dim);
    if (!fits) {
      std::string text;
      llvm::raw_string_ostream(text) << "expected a result of type " << computed << ", got " << declared;
      return node.fail(text);
    }
  }
}

/// An integer or floating-point element, widened.
static Scalar scalarOf(mlir::Attribute element, const Symbols &symbols) {
  Scalar scalar;
  if (auto real = dyn_cast<FloatAttr>(element))
    scalar.number = real.getValueAsDouble();
  else
    scalar.integer = symbols.constant(cast<IntegerAttr>(element).getType().isUnsignedInteger() ||
                                              cast<IntegerAttr>(element).getType().isInteger(1)
                                          ? int64_t(cast<IntegerAttr>(element).getValue().getZExtValue())
                                          : cast<IntegerAttr>(element).getValue().getSExtValue());
  return scalar;
}

void MlirNode::setConstant(ElementsAttr attribute) {
  auto type = RankedTensorType::get(cast<ShapedType>(attribute.getType()).getShape(),
                                    plainElement(attribute.getElementType(), node.context));
  auto dense = dyn_cast<DenseElementsAttr>(attribute);
  if (!dense && !isa<DenseResourceElementsAttr>(attribute))
    return node.refuse("expected a constant that is dense, got another");
  ModelValue value;
  value.type = type;
  if (dense && isTrackable(type.getShape(), type.getElementType())) {
    Known known{type.getElementType(), llvm::to_vector(type.getShape()), {}};
    for (mlir::Attribute element : dense.getValues<mlir::Attribute>())
      known.elements.push_back(scalarOf(element, node.symbols));
    value.known = std::move(known);
  }
  if (attribute.getElementType() == type.getElementType())
    value.tensor = node.constant(ElementsAttr(attribute));
  else if (!value.known)
    return node.refuse("expected at most " + Twine(maxKnownIntegers) + " constants of type index, got more");
  node.set(0, std::move(value));
}

std::optional<double> coat::onnx::uniformValue(Value value) {
  while (Operation *op = value ? value.getDefiningOp() : nullptr) {
    if (isa<BroadcastOp, ReshapeOp, TransposeOp, CastOp>(op)) {
      value = op->getOperand(0);
      continue;
    }
    DenseElementsAttr elements;
    if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
      return std::nullopt;
    auto element = elements.getSplatValue<mlir::Attribute>();
    if (auto real = dyn_cast<FloatAttr>(element))
      return real.getValueAsDouble();
    return double(cast<IntegerAttr>(element).getValue().getSExtValue());
  }
  return std::nullopt;
}

Value coat::onnx::accumulate(NodeImporter &node, Value value, Value init) {
  if (uniformValue(init) == 0.0)
    return value;
  if (auto spread = init ? init.getDefiningOp<BroadcastOp>() : BroadcastOp()) // as it was, say a bias
    init = spread.getInput();
  return node.elementwise(ElementwiseKind::add, {value, init});
}

//===--- constants and sizes ---===//

static void importConstant(MlirNode node) {
  auto attribute = node.operation()->getAttr("value");
  if (!attribute)
    attribute = node.operation()->getAttr("values"); // tosa.const
  if (auto elements = dyn_cast_or_null<ElementsAttr>(attribute))
    return node.setConstant(elements);
  auto typed = dyn_cast_or_null<TypedAttr>(attribute);
  if (!typed || !typed.getType().isIntOrIndexOrFloat())
    return node->refuse("expected a constant number or tensor, got another");
  Type element = plainElement(typed.getType(), node->context);
  node->set(0, Known{element, {}, {scalarOf(typed, node->symbols)}});
}

/// The number that an operand of type index is.
static AffineExpr sizeOf(MlirNode node, unsigned input) {
  SmallVector<AffineExpr> sizes = node->sizes(input, "a size");
  return sizes.size() == 1 ? sizes.front() : node->number(1);
}

/// Sizes of which some are numbers and the others operands from `next` on.
static SmallVector<AffineExpr> mixedSizes(MlirNode node, ArrayRef<int64_t> numbers, unsigned &next) {
  return llvm::map_to_vector(numbers, [&](int64_t number) {
    return ShapedType::isDynamic(number) ? sizeOf(node, next++) : node->number(number);
  });
}

static void importEmpty(MlirNode node) {
  auto type = cast<RankedTensorType>(node.operation()->getResult(0).getType());
  unsigned next = 0;
  node->set(0, node->broadcast(node->scalar(0, node.declaredElement()), mixedSizes(node, type.getShape(), next)));
}

static void importDim(MlirNode node) {
  auto axis = node->integers(1, "dimension");
  SmallVector<AffineExpr> dims = node->dims(0);
  if (axis.size() != 1 || axis[0] < 0 || axis[0] >= int64_t(dims.size()))
    return node->fail("expected a dimension of the tensor, got another");
  node->set(0, Known{IntegerType::get(node->context, 64), {}, {{dims[axis[0]], 0}}});
}

static void importSame(MlirNode node) { node->forward(0, 0); }

/// What must hold of sizes, as converters write it: known to hold.
static void importAssert(MlirNode node) {
  auto truth = node->integers(0, "condition");
  if (truth.size() != 1 || truth[0] == 0)
    node->refuse("expected a condition that holds of all sizes, got another");
}

//===--- reshaping ---===//

static void importSplat(MlirNode node) {
  auto type = cast<RankedTensorType>(node.operation()->getResult(0).getType());
  unsigned next = 1;
  node->set(0, node->broadcast(node->tensor(0u), mixedSizes(node, type.getShape(), next)));
}

static void importCollapse(MlirNode node) {
  SmallVector<AffineExpr> dims = node->dims(0), shape;
  for (const ReassociationIndices &group : node.as<tensor::CollapseShapeOp>().getReassociationIndices())
    shape.push_back(node->symbols.product(llvm::map_to_vector(group, [&](int64_t dim) { return dims[dim]; })));
  node->set(0, node->reshape(node->tensor(0u), shape));
}

static void importExpand(MlirNode node) {
  auto op = node.as<tensor::ExpandShapeOp>();
  SmallVector<AffineExpr> dims = node->dims(0), shape;
  ArrayRef<int64_t> declared = op.getResultType().getShape();
  for (auto [source, group] : llvm::enumerate(op.getReassociationIndices())) {
    int64_t known = 1;
    for (int64_t dim : group)
      known *= ShapedType::isDynamic(declared[dim]) ? 1 : declared[dim];
    bool used = false;
    for (int64_t dim : group) {
      bool isSymbol = ShapedType::isDynamic(declared[dim]);
      if (isSymbol && std::exchange(used, true))
        return node->refuse(
            "expected at most one symbolic size in a group of dimensions, got more; try a static shape with --shape");
      shape.push_back(isSymbol ? node->symbols.floorDiv(dims[source], node->number(known))
                               : node->number(declared[dim]));
    }
  }
  node->set(0, node->reshape(node->tensor(0u), shape));
}

static void importReshape(MlirNode node) { node->set(0, node->reshape(node->tensor(0u), node->sizes(1, "a shape"))); }

/// tensor.from_elements: sizes, or a vector of computed scalars.
static void importElements(MlirNode node) {
  auto type = cast<RankedTensorType>(node.operation()->getResult(0).getType());
  Known known{node.declaredElement(), llvm::to_vector(type.getShape()), {}};
  SmallVector<Value> parts;
  for (unsigned input = 0; input < node->numInputs(); ++input) {
    if (const Known *element = node->known(input))
      known.elements.push_back(element->elements.front());
  }
  if (known.elements.size() == node->numInputs() && isTrackable(known.shape, known.elementType))
    return node->set(0, std::move(known));
  for (unsigned input = 0; input < node->numInputs(); ++input)
    parts.push_back(node->reshape(node->tensor(input), node->number(1)));
  node->set(0, node->reshape(node->concat(parts, 0), node->numbers(type.getShape())));
}

/// tensor.extract: a known element, or the only one.
static void importExtract(MlirNode node) {
  if (const Known *known = node->known(0)) {
    int64_t position = 0;
    for (auto [dim, size] : llvm::enumerate(known->shape))
      if (auto index = node->integers(1 + dim, "index"); index.size() == 1 && index[0] >= 0 && index[0] < size)
        position = position * size + index[0];
      else
        return node->fail("expected an index inside the tensor, got another");
    return node->set(0, known->pick({position}, {}));
  }
  node->set(0, node->reshape(node->tensor(0u), {}));
}

//===--- moving ---===//

static void importConcat(MlirNode node) {
  SmallVector<Value> parts;
  for (unsigned input = 0; input < node->numInputs(); ++input)
    parts.push_back(node->tensor(input));
  node->set(0, node->concat(parts, node.as<tensor::ConcatOp>().getDim()));
}

static void importExtractSlice(MlirNode node) {
  auto op = node.as<tensor::ExtractSliceOp>();
  unsigned next = 1;
  auto offsets = mixedSizes(node, op.getStaticOffsets(), next);
  auto sizes = mixedSizes(node, op.getStaticSizes(), next);
  if (llvm::any_of(op.getStaticStrides(), ShapedType::isDynamic))
    return node->refuse("expected constant strides, got others");
  Value slice = node->slice(node->tensor(0u), offsets, sizes, op.getStaticStrides());
  llvm::SmallBitVector dropped = op.getDroppedDims();
  SmallVector<AffineExpr> kept;
  for (auto [dim, size] : llvm::enumerate(sizes))
    if (!dropped.test(dim))
      kept.push_back(size);
  node->set(0, node->reshape(slice, kept));
}

/// `into` with `part` in place of its elements from `offsets` on: along one axis after the other, what is before and
/// behind stays.
static Value inserted(NodeImporter &node, Value part, Value into, ArrayRef<AffineExpr> offsets, int64_t axis = 0) {
  if (node.failed() || axis == int64_t(offsets.size()))
    return part;
  AffineExpr start = offsets[axis], size = node.dims(part)[axis], end = node.symbols.sum(start, size);
  Value inside = inserted(node, part, node.slice(into, axis, start, size), offsets, axis + 1);
  Value before = node.slice(into, axis, node.number(0), start);
  Value behind = node.slice(into, axis, end, node.symbols.difference(node.dims(into)[axis], end));
  return node.concat({before, inside, behind}, axis);
}

static void importInsertSlice(MlirNode node) {
  auto op = node.as<tensor::InsertSliceOp>();
  unsigned next = 2;
  auto offsets = mixedSizes(node, op.getStaticOffsets(), next);
  auto sizes = mixedSizes(node, op.getStaticSizes(), next);
  if (llvm::any_of(op.getStaticStrides(), [](int64_t stride) { return stride != 1; }))
    return node->refuse("expected strides of 1, got others");
  Value part = node->reshape(node->tensor(0u), sizes), into = node->tensor(1u);
  if (node->failed())
    return;
  auto fill = uniformValue(into);
  auto low = llvm::map_to_vector(offsets, [](AffineExpr offset) { return constantOf(offset).value_or(-1); });
  SmallVector<int64_t> high;
  for (auto [offset, size, whole] : llvm::zip(offsets, sizes, node->dims(into)))
    high.push_back(constantOf(node->symbols.difference(whole, node->symbols.sum(offset, size))).value_or(-1));
  if (!fill || llvm::is_contained(low, -1) || llvm::is_contained(high, -1))
    return node->set(0, inserted(node.node, part, into, offsets));
  auto mode = PadModeAttr::get(node->context, PadMode::constant);
  node->set(0, node->emit<PadOp>(part, {node->attr("mode", mode), node->attr("low", low), node->attr("high", high),
                                        node->attr("value", *fill)}));
}

static void importPad(MlirNode node) {
  auto op = node.as<tensor::PadOp>();
  Value value = op.getConstantPaddingValue();
  mlir::Attribute number;
  if (!value || !matchPattern(value, m_Constant(&number)))
    return node->refuse("expected padding by a constant, got another");
  unsigned next = 1;
  auto ints = [&](ArrayRef<int64_t> given) {
    return llvm::map_to_vector(mixedSizes(node, given, next),
                               [](AffineExpr size) { return constantOf(size).value_or(-1); });
  };
  SmallVector<int64_t> low = ints(op.getStaticLow()), high = ints(op.getStaticHigh());
  if (llvm::is_contained(low, -1) || llvm::is_contained(high, -1))
    return node->refuse("expected constant numbers of padded elements of at least 0, got others");
  auto real = dyn_cast<FloatAttr>(number);
  double fill = real ? real.getValueAsDouble() : double(cast<IntegerAttr>(number).getValue().getSExtValue());
  auto mode = PadModeAttr::get(node->context, PadMode::constant);
  node->set(0, node->emit<PadOp>(node->tensor(0u), {node->attr("mode", mode), node->attr("low", low),
                                                    node->attr("high", high), node->attr("value", fill)}));
}

ArrayRef<Handler> coat::onnx::mlirTensorHandlers() {
  static const Handler rows[] = {
      {"arith.constant", 1, newest, mlirOp<importConstant>},
      {"arith.index_cast", 1, newest, mlirOp<importSame>},
      {"cf.assert", 1, newest, mlirOp<importAssert>},
      {"tensor.cast", 1, newest, mlirOp<importSame>},
      {"tensor.collapse_shape", 1, newest, mlirOp<importCollapse>},
      {"tensor.concat", 1, newest, mlirOp<importConcat>},
      {"tensor.dim", 1, newest, mlirOp<importDim>},
      {"tensor.empty", 1, newest, mlirOp<importEmpty>},
      {"tensor.expand_shape", 1, newest, mlirOp<importExpand>},
      {"tensor.extract", 1, newest, mlirOp<importExtract>},
      {"tensor.extract_slice", 1, newest, mlirOp<importExtractSlice>},
      {"tensor.from_elements", 1, newest, mlirOp<importElements>},
      {"tensor.insert_slice", 1, newest, mlirOp<importInsertSlice>},
      {"tensor.pad", 1, newest, mlirOp<importPad>},
      {"tensor.reshape", 1, newest, mlirOp<importReshape>},
      {"tensor.splat", 1, newest, mlirOp<importSplat>},
      {"tosa.const", 1, newest, mlirOp<importConstant>},
      {"tosa.const_shape", 1, newest, mlirOp<importConstant>},
      {"tosa.identity", 1, newest, mlirOp<importSame>},
  };
  return rows;
}
