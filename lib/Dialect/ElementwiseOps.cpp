// Element-wise ops, casts and reductions: types, sizes and folders. Their formulas are in ScalarFormulas.cpp.
#include "Shapes.h"
#include "mlir/Dialect/Traits.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace coat;

static bool isLogical(ElementwiseKind kind) {
  return kind == ElementwiseKind::logical_not ||
         (kind >= ElementwiseKind::logical_and && kind <= ElementwiseKind::logical_xor);
}

static bool givesTruth(ElementwiseKind kind) {
  return isLogical(kind) || kind == ElementwiseKind::isnan || kind == ElementwiseKind::isinf ||
         (kind >= ElementwiseKind::equal && kind <= ElementwiseKind::greater_equal);
}

// Kinds that only integers have.
static bool isBitwise(ElementwiseKind kind) {
  return kind == ElementwiseKind::bitwise_not ||
         (kind >= ElementwiseKind::bitwise_and && kind <= ElementwiseKind::shift_right);
}

// Kinds that integers have too.
static bool takesIntegers(ElementwiseKind kind) {
  switch (kind) {
  case ElementwiseKind::abs:
  case ElementwiseKind::neg:
  case ElementwiseKind::sign:
  case ElementwiseKind::relu:
  case ElementwiseKind::clip:
  case ElementwiseKind::bitwise_not:
    return true;
  default:
    return kind >= ElementwiseKind::add;
  }
}

// Broadcast of all operands; fails where they do not agree.
static LogicalResult broadcastShape(ValueRange inputs, SmallVectorImpl<int64_t> &shape) {
  for (Value input : inputs) {
    SmallVector<int64_t> next;
    if (!OpTrait::util::getBroadcastedShape(shape, tensorType(input).getShape(), next))
      return failure();
    shape.assign(next);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// coat.elementwise
//===----------------------------------------------------------------------===//

static LogicalResult checkElementwiseTypes(ElementwiseOp::Adaptor op, EmitError emitError) {
  ElementwiseKind kind = op.getKind();
  SmallVector<Value> inputs(op.getInputs());
  if (kind == ElementwiseKind::select) {
    Type condition = tensorType(inputs.front()).getElementType();
    if (!condition.isInteger(1)) // C3
      return emitError() << "expected a condition of element type i1, got " << condition;
    inputs.erase(inputs.begin());
  }
  if (failed(checkElementTypes(emitError, inputs))) // C3
    return failure();
  Type type = tensorType(inputs.front()).getElementType();
  bool isTruth = type.isInteger(1);
  if (isLogical(kind) && !isTruth) // C4
    return emitError() << "expected operands of element type i1 for " << stringifyElementwiseKind(kind) << ", got "
                       << type;
  bool truthAllowed = isLogical(kind) || kind == ElementwiseKind::equal || kind == ElementwiseKind::select;
  if ((isTruth && !truthAllowed) || (!isa<FloatType>(type) && !isTruth && !takesIntegers(kind)) ||
      (isa<FloatType>(type) && isBitwise(kind)) || !type.isIntOrFloat()) // C4
    return emitError() << "expected operands of "
                       << (isBitwise(kind)       ? "an integer"
                           : takesIntegers(kind) ? "a numeric"
                                                 : "a floating-point")
                       << " element type for " << stringifyElementwiseKind(kind) << ", got " << type;
  return success();
}

LogicalResult ElementwiseOp::checkConstraints(Adaptor op, EmitError emitError) {
  int64_t arity = elementwiseArity(op.getKind());
  if (int64_t(op.getInputs().size()) != arity) // C1
    return emitError() << "expected " << arity << " operands for " << stringifyElementwiseKind(op.getKind()) << ", got "
                       << op.getInputs().size();
  SmallVector<int64_t> shape;
  if (failed(broadcastShape(op.getInputs(), shape))) { // C2
    SmallVector<std::string> shapes;
    for (Value input : op.getInputs())
      shapes.push_back(formatShape(tensorType(input).getShape()));
    return emitError() << "expected shapes that broadcast, got " << llvm::join(shapes, " and ");
  }
  return checkElementwiseTypes(op, emitError); // C3, C4
}

LogicalResult ElementwiseOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                              SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<ElementwiseOp>(context, location, op)))
    return failure();
  SmallVector<int64_t> shape;
  (void)broadcastShape(op.getInputs(), shape);
  Type elementType =
      givesTruth(op.getKind()) ? IntegerType::get(context, 1) : tensorType(op.getInputs().back()).getElementType();
  types.push_back(RankedTensorType::get(shape, elementType));
  return success();
}

LogicalResult ElementwiseOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyBroadcast(builder, getLoc(), getType(), getInputs()));
  return success();
}

int64_t ElementwiseOp::getFlops() { return elementCount(getType()); }

// Evaluates the ops of `block`, a scalar formula that ends in `result`, on constant arguments; null where an op does
// not fold. Running the formula itself keeps constant folding and generated code from drifting apart.
static Attribute evaluate(Block &block, Value result, ArrayRef<Attribute> args) {
  DenseMap<Value, Attribute> values;
  for (auto [arg, value] : llvm::zip(block.getArguments(), args))
    values[arg] = value;
  for (Operation &op : block) {
    SmallVector<Attribute> operands;
    for (Value operand : op.getOperands())
      operands.push_back(values.lookup(operand));
    if (isa<UnrealizedConversionCastOp>(op)) { // another sign
      auto integer = dyn_cast_or_null<IntegerAttr>(operands.front());
      values[op.getResult(0)] = integer ? IntegerAttr::get(op.getResult(0).getType(), integer.getValue()) : Attribute();
      continue;
    }
    SmallVector<OpFoldResult> folded;
    if (failed(op.fold(operands, folded)) || folded.size() != 1)
      return {};
    Attribute value = dyn_cast<Attribute>(folded.front());
    values[op.getResult(0)] = value ? value : values.lookup(cast<Value>(folded.front()));
  }
  return values.lookup(result);
}

// Folds an op whose scalar formula `build` writes, when all operands are small dense constants (or splats).
static OpFoldResult foldScalars(Operation *op, ArrayRef<Attribute> operands,
                                function_ref<Value(OpBuilder &, ValueRange)> build) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<DenseElementsAttr> constants;
  for (Attribute operand : operands)
    constants.push_back(dyn_cast_or_null<DenseElementsAttr>(operand));
  if (!type.hasStaticShape() || llvm::is_contained(constants, DenseElementsAttr()))
    return {};
  bool splat = llvm::all_of(constants, [](DenseElementsAttr constant) { return constant.isSplat(); });
  auto tooLarge = [](DenseElementsAttr constant) { return !constant.isSplat() && constant.size() > foldLimit; };
  if ((!splat && type.getNumElements() > foldLimit) || llvm::any_of(constants, tooLarge) || type.getNumElements() == 0)
    return {};

  Block formula;
  for (DenseElementsAttr constant : constants)
    formula.addArgument(constant.getElementType(), op->getLoc());
  OpBuilder builder(op->getContext());
  builder.setInsertionPointToStart(&formula);
  Value result = build(builder, formula.getArguments());

  SmallVector<Attribute> elements;
  SmallVector<int64_t> strides = computeStrides(type.getShape());
  for (int64_t i = 0, e = splat ? 1 : type.getNumElements(); i < e; ++i) {
    SmallVector<int64_t> position = delinearize(i, strides);
    SmallVector<Attribute> args;
    for (DenseElementsAttr constant : constants) {
      ArrayRef<int64_t> shape = constant.getType().getShape();
      SmallVector<uint64_t> index;
      for (auto [at, size] : llvm::zip(ArrayRef<int64_t>(position).take_back(shape.size()), shape))
        index.push_back(size == 1 ? 0 : at);
      args.push_back(constant.isSplat() ? constant.getSplatValue<Attribute>() : constant.getValues<Attribute>()[index]);
    }
    Attribute value = evaluate(formula, result, args);
    if (!value)
      return {};
    elements.push_back(value);
  }
  return DenseElementsAttr::get(type, elements);
}

// Whether every element of `constant` is `value`.
static bool isSplatOf(Attribute constant, double value) {
  auto dense = dyn_cast_or_null<DenseElementsAttr>(constant);
  if (!dense || !dense.isSplat())
    return false;
  if (isa<FloatType>(dense.getElementType()))
    return dense.getSplatValue<APFloat>().isExactlyValue(value);
  return isa<IntegerType>(dense.getElementType()) && dense.getSplatValue<APInt>() == uint64_t(value);
}

// x + 0, 0 + x, x - 0, x * 1, 1 * x, x / 1: the operand that stays, where it has the result's type.
static Value neutralOperand(ElementwiseOp op, ArrayRef<Attribute> constants) {
  ElementwiseKind kind = op.getKind();
  bool sum = kind == ElementwiseKind::add || kind == ElementwiseKind::sub;
  bool product = kind == ElementwiseKind::mul || kind == ElementwiseKind::div;
  if (!sum && !product)
    return {};
  double neutral = sum ? 0 : 1;
  Value left = op.getInputs()[0], right = op.getInputs()[1];
  if (isSplatOf(constants[1], neutral) && left.getType() == op.getType())
    return left;
  bool commutes = kind == ElementwiseKind::add || kind == ElementwiseKind::mul;
  if (commutes && isSplatOf(constants[0], neutral) && right.getType() == op.getType())
    return right;
  return {};
}

OpFoldResult ElementwiseOp::fold(FoldAdaptor adaptor) {
  if (getKind() == ElementwiseKind::relu) // relu(relu(x))
    if (auto inner = getInputs().front().getDefiningOp<ElementwiseOp>())
      if (inner.getKind() == ElementwiseKind::relu)
        return inner.getResult();
  if (Value stays = neutralOperand(*this, adaptor.getInputs()))
    return stays;
  return foldScalars(*this, adaptor.getInputs(),
                     [&](OpBuilder &builder, ValueRange args) { return buildScalar(builder, getLoc(), args); });
}

//===----------------------------------------------------------------------===//
// coat.cast
//===----------------------------------------------------------------------===//

LogicalResult CastOp::verify() {
  RankedTensorType input = tensorType(getInput()), result = tensorType(getResult());
  if (input.getShape() != result.getShape()) // C1
    return emitOpError() << "expected a result of shape " << formatShape(input.getShape()) << ", got "
                         << formatShape(result.getShape());
  for (RankedTensorType type : {input, result})
    if (!type.getElementType().isIntOrFloat()) // C2
      return emitOpError() << "expected integers or floating-point, got " << type;
  return success();
}

LogicalResult CastOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(builder, getLoc(), getInput()));
  return success();
}

OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType())
    return getInput();
  return foldScalars(*this, adaptor.getInput(),
                     [&](OpBuilder &builder, ValueRange args) { return buildScalar(builder, getLoc(), args.front()); });
}

//===----------------------------------------------------------------------===//
// coat.reduce, coat.arg_reduce
//===----------------------------------------------------------------------===//

// Shape after `axes` are gone, or of size 1 with `keepDims`; `sources` gets the input dimension of each result
// dimension.
static SmallVector<int64_t> reducedShape(ArrayRef<int64_t> shape, ArrayRef<int64_t> axes, bool keepDims,
                                         SmallVectorImpl<int64_t> *sources = nullptr) {
  SmallVector<int64_t> result;
  for (auto [dim, size] : llvm::enumerate(shape)) {
    bool reduced = llvm::is_contained(axes, int64_t(dim));
    if (reduced && !keepDims)
      continue;
    result.push_back(reduced ? 1 : size);
    if (sources)
      sources->push_back(dim);
  }
  return result;
}

static SmallVector<OpFoldResult> reifyReduced(OpBuilder &builder, Operation *op, Value input, ArrayRef<int64_t> axes,
                                              bool keepDims) {
  SmallVector<int64_t> sources;
  reducedShape(tensorType(input).getShape(), axes, keepDims, &sources);
  return reifySizes(builder, op->getLoc(), op->getResult(0).getType(),
                    [&](int64_t dim) { return tensor::getMixedSize(builder, op->getLoc(), input, sources[dim]); });
}

LogicalResult ReduceOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType input = tensorType(op.getInput());
  ArrayRef<int64_t> axes = op.getAxes();
  bool sorted = llvm::is_sorted(axes) && std::adjacent_find(axes.begin(), axes.end()) == axes.end();
  if (!sorted || (!axes.empty() && (axes.front() < 0 || axes.back() >= input.getRank()))) // C1
    return emitError() << "expected sorted, unique axes of at least 0 and less than rank " << input.getRank()
                       << ", got [" << axes << "]";
  switch (op.getKind()) { // C2
  case ReduceKind::mean:
  case ReduceKind::l2:
  case ReduceKind::log_sum:
  case ReduceKind::log_sum_exp:
    return checkFloat(emitError, input);
  default:
    if (input.getElementType().isIntOrFloat() && !input.getElementType().isInteger(1))
      return success();
    return emitError() << "expected a numeric element type, got " << input.getElementType();
  }
}

LogicalResult ReduceOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<ReduceOp>(context, location, op)))
    return failure();
  RankedTensorType input = tensorType(op.getInput());
  types.push_back(
      RankedTensorType::get(reducedShape(input.getShape(), op.getAxes(), op.getKeepDims()), input.getElementType()));
  return success();
}

LogicalResult ReduceOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyReduced(builder, *this, getInput(), getAxes(), getKeepDims()));
  return success();
}

int64_t ReduceOp::getFlops() { return elementCount(getInput().getType()); }

LogicalResult ArgReduceOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkAxis(emitError, op.getAxis(), tensorType(op.getInput()).getRank()))) // C1
    return failure();
  if (op.getKind() == ReduceKind::max || op.getKind() == ReduceKind::min) // C2
    return success();
  return emitError() << "expected kind max or min, got " << stringifyReduceKind(op.getKind());
}

LogicalResult ArgReduceOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<ArgReduceOp>(context, location, op)))
    return failure();
  types.push_back(RankedTensorType::get(
      reducedShape(tensorType(op.getInput()).getShape(), {int64_t(op.getAxis())}, op.getKeepDims()),
      IntegerType::get(context, 64)));
  return success();
}

LogicalResult ArgReduceOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyReduced(builder, *this, getInput(), {int64_t(getAxis())}, getKeepDims()));
  return success();
}

int64_t ArgReduceOp::getFlops() { return elementCount(getInput().getType()); }
