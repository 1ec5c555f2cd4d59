// coat-outline-kernels: enters scheduled coat ops on tensors; leaves the entry as a list of launches
// on memrefs and one function a kernel, whose body still works on tensors. Left alone: nothing.
//
// Why here: from Tile on, each kernel is compiled on its own, and what a buffer is called, where it
// lies and who shares it concerns only the list of launches.
#include "Buffers.h"
#include "Groups.h"
#include "coat/Dialect/Coat.h"
#include "coat/Dialect/ScalarLoops.h"
#include "coat/Kernels/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace coat;

namespace coat {
#define GEN_PASS_DEF_COATOUTLINEKERNELS
#include "coat/Kernels/Passes.h.inc"
} // namespace coat

namespace {
RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

/// A constant that a kernel holds itself rather than reads: a number, or a tensor of one value.
bool isImmediate(Value value) {
  if (!isa<RankedTensorType>(value.getType()))
    return matchPattern(value, m_Constant());
  DenseElementsAttr dense;
  return matchPattern(value, m_Constant(&dense)) && dense.isSplat();
}

class Outliner {
public:
  Outliner(func::FuncOp entry, bool fuse)
      : entry(entry), block(entry.getBody().front()), b(entry.getContext()), groups(formGroups(block, fuse)),
        buffers(entry, b, [this](Operation *op) { return groupOf.lookup(op)->size() == 1; }) {
    for (Group &group : groups)
      groupOf[group.back()] = &group;
  }

  LogicalResult run();

private:
  LogicalResult convert(Operation *op);
  LogicalResult launchGroup(Group &group);
  void launchCopy(Location loc, Value from, Value to);
  func::FuncOp makeKernel(Location loc, TypeRange types);
  void launch(Location loc, func::FuncOp kernel, ValueRange ins, ValueRange outs);

  func::FuncOp entry;
  Block &block;
  OpBuilder b;
  SmallVector<Group> groups;
  DenseMap<Operation *, Group *> groupOf;
  Buffers buffers;
  unsigned kernels = 0;
};

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

func::FuncOp Outliner::makeKernel(Location loc, TypeRange types) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(entry->getBlock());
  auto kernel = func::FuncOp::create(b, loc, ("k" + Twine(kernels++)).str(), b.getFunctionType(types, {}));
  kernel.setPrivate();
  kernel->setAttr("coat.kernel", b.getUnitAttr());
  kernel.addEntryBlock();
  return kernel;
}

void Outliner::launch(Location loc, func::FuncOp kernel, ValueRange ins, ValueRange outs) {
  LaunchOp::create(b, loc, FlatSymbolRefAttr::get(kernel.getNameAttr()), ins, outs);
}

Value asTensor(OpBuilder &b, Location loc, Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  return bufferization::ToTensorOp::create(b, loc, RankedTensorType::get(type.getShape(), type.getElementType()),
                                           memref,
                                           /*restrict=*/true);
}

void writeTo(OpBuilder &b, Location loc, Value tensor, Value memref) {
  bufferization::MaterializeInDestinationOp::create(b, loc, Type(), tensor, memref, /*restrict=*/true,
                                                    /*writable=*/true);
}

/// The index operands of `op` that are dynamic sizes of its result, each with its dimension there.
SmallVector<std::pair<Value, int64_t>> sizeOperands(Operation *op) {
  SmallVector<std::pair<Value, int64_t>> result;
  if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
    unsigned next = 0;
    for (auto [i, size] : llvm::enumerate(tensorType(broadcast.getResult()).getShape()))
      if (ShapedType::isDynamic(size))
        result.push_back({broadcast.getSizes()[next++], i});
  } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    int64_t dim = 0;
    for (auto [i, size] : llvm::enumerate(slice.getMixedSizes())) {
      if (auto value = dyn_cast<Value>(size))
        result.push_back({value, dim});
      dim += !dropped[i];
    }
  }
  return result;
}

/// Calls `visit` with each buffer whose size the index `value` is computed from. False where it is not computed so.
bool forEachSizedBuffer(Value value, llvm::function_ref<void(Value)> visit) {
  Operation *op = value.getDefiningOp();
  auto dim = dyn_cast_or_null<memref::DimOp>(op);
  if (dim && dim.getConstantIndex()) {
    visit(dim.getSource());
    return true;
  }
  auto isSize = [&](Value operand) { return operand.getType().isIndex() && forEachSizedBuffer(operand, visit); };
  return op && value.getType().isIndex() && op->getNumRegions() == 0 && isPure(op) &&
         llvm::all_of(op->getOperands(), isSize);
}

/// The computation of an index once more, from the sizes of the arguments that stand for `outside`; the offset of a
/// slice or of a tile of queries reaches a kernel this way.
Value cloneIndex(OpBuilder &b, IRMapping &map, Value value, ArrayRef<Value> outside, ValueRange args) {
  if (map.contains(value))
    return map.lookup(value);
  Operation *op = value.getDefiningOp();
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    Value argument = args[llvm::find(outside, dim.getSource()) - outside.begin()];
    map.map(value, memref::DimOp::create(b, value.getLoc(), argument, *dim.getConstantIndex()).getResult());
    return map.lookup(value);
  }
  for (Value operand : op->getOperands())
    cloneIndex(b, map, operand, outside, args);
  b.clone(*op, map);
  return map.lookup(value);
}

void fillBorder(OpBuilder &b, PadOp pad, Value buffer);

/// The ops of `group` on the kernel's arguments, which stand for `outside` and then for the results.
LogicalResult writeTensorBody(OpBuilder &b, Location loc, const Group &group, ArrayRef<Value> outside,
                              ValueRange args) {
  Operation *root = rootOf(group), *last = group.back();
  IRMapping map;
  for (auto [value, arg] : llvm::zip(outside, args))
    if (isa<RankedTensorType>(value.getType()))
      map.map(value, asTensor(b, loc, arg));
  for (Operation *op : group) {
    for (Value operand : op->getOperands())
      if (!map.contains(operand) && isImmediate(operand))
        map.map(operand, b.clone(*operand.getDefiningOp())->getResult(0));
    // A size that the op takes as an operand is one of the buffer it fills.
    for (auto [size, dim] : sizeOperands(op))
      map.map(size, memref::DimOp::create(b, loc, args[outside.size()], dim));
    for (Value operand : op->getOperands()) {
      auto isOutside = [&](Value buffer) { return llvm::is_contained(outside, buffer); };
      bool areOutside = true;
      if (!map.contains(operand)) {
        if (!forEachSizedBuffer(operand, [&](Value buffer) { areOutside &= isOutside(buffer); }) || !areOutside)
          return op->emitError("expected offsets and strides that are computed from sizes");
        cloneIndex(b, map, operand, outside, args);
      }
    }
    Operation *clone = b.clone(*op, map);
    clone->removeAttr("coat.schedule");
    clone->removeAttr("coat.signature");
    if (op == root && root->hasAttr("coat.schedule"))
      clone->setAttr("coat.schedule", root->getAttr("coat.schedule"));
  }
  for (auto [result, arg] : llvm::zip(last->getResults(), args.drop_front(outside.size())))
    writeTo(b, loc, map.lookup(result), arg);
  return success();
}

/// A formula's kernel works on the buffers themselves.
LogicalResult writeFormulaBody(OpBuilder &b, Location loc, FormulaOpInterface op, ArrayRef<Value> outside,
                               ValueRange args) {
  SmallVector<Value> ins;
  for (Value operand : op->getOperands())
    if (isa<RankedTensorType>(operand.getType()))
      ins.push_back(args[llvm::find(outside, operand) - outside.begin()]);
  ScalarLoops loops(b, loc);
  return op.writeFormula(loops, ins, args.slice(outside.size(), op->getNumResults()));
}

/// What profiles call the op.
StringRef nameOf(Operation *op) {
  auto elementwise = dyn_cast<ElementwiseOp>(op);
  return elementwise ? stringifyElementwiseKind(elementwise.getKind()) : op->getName().stripDialect();
}

LogicalResult Outliner::launchGroup(Group &group) {
  Operation *root = rootOf(group), *last = group.back();
  auto formula = dyn_cast<FormulaOpInterface>(last);
  // Operands from outside, in order of appearance; results of the last op are the kernel's.
  SmallVector<Value> ins, outs;
  llvm::SmallSetVector<Value, 8> outside;
  SmallVector<Location> locations;
  SmallVector<Attribute> names;
  for (Operation *op : group) {
    locations.push_back(op->getLoc());
    names.push_back(b.getStringAttr(nameOf(op)));
    for (Value operand : op->getOperands())
      if (isa<RankedTensorType>(operand.getType()) && (formula || !isImmediate(operand)) &&
          !llvm::is_contained(group, operand.getDefiningOp()))
        outside.insert(operand);
    // And buffers whose sizes make offsets; the sizes of results are those of the buffers that they fill.
    auto sizes = sizeOperands(op);
    for (Value operand : op->getOperands())
      if (!formula && operand.getType().isIndex() && !isImmediate(operand) &&
          llvm::none_of(sizes, [&](auto pair) { return pair.first == operand; }))
        forEachSizedBuffer(operand, [&](Value buffer) { outside.insert(buffer); });
  }
  Location loc = b.getFusedLoc(locations);
  for (Value operand : outside)
    ins.push_back(isa<MemRefType>(operand.getType()) ? operand : buffers.of(operand));
  for (Value result : last->getResults()) {
    outs.push_back(buffers.placeFor(result));
    buffers.set(result, outs.back());
  }
  auto around = buffers.takeBorders();
  for (auto [pad, buffer] : around)
    outs.push_back(buffer);

  SmallVector<Type> types(ValueRange(ins).getTypes());
  llvm::append_range(types, ValueRange(outs).getTypes());
  func::FuncOp kernel = makeKernel(loc, types);
  launch(loc, kernel, ins, outs);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&kernel.getBody().front());
  ValueRange args = kernel.getArguments();
  if (failed(formula ? writeFormulaBody(b, loc, formula, outside.getArrayRef(), args)
                     : writeTensorBody(b, loc, group, outside.getArrayRef(), args)))
    return failure();
  for (auto [border, arg] : llvm::zip(around, args.take_back(around.size())))
    fillBorder(b, border.first, arg);
  func::ReturnOp::create(b, loc);
  kernel->setAttr("coat.ops", b.getArrayAttr(names));
  for (StringRef name : {"coat.schedule", "coat.signature"})
    if (Attribute attr = root->getAttr(name))
      kernel->setAttr(name, attr);
  return success();
}

void Outliner::launchCopy(Location loc, Value from, Value to) {
  func::FuncOp kernel = makeKernel(loc, {from.getType(), to.getType()});
  launch(loc, kernel, from, to);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&kernel.getBody().front());
  kernel->setAttr("coat.ops", b.getStrArrayAttr({"copy"}));
  writeTo(b, loc, asTensor(b, loc, kernel.getArgument(0)), kernel.getArgument(1));
  func::ReturnOp::create(b, loc);
}

/// Fills what lies outside the inside of a padded buffer, once for all tasks: for each dimension the slabs
/// before and after it, over the inside of the dimensions that are done, so that nothing is written twice.
void fillBorder(OpBuilder &b, PadOp pad, Value buffer) {
  Location loc = pad.getLoc();
  RankedTensorType type = tensorType(pad.getResult());
  Type element = type.getElementType();
  double number = pad.getValue().convertToDouble();
  Type signless = isa<FloatType>(element) ? element : b.getIntegerType(element.getIntOrFloatBitWidth());
  TypedAttr value = isa<FloatType>(element) ? TypedAttr(b.getFloatAttr(element, number))
                                            : TypedAttr(b.getIntegerAttr(signless, (int64_t)number));
  OpBuilder::InsertionGuard guard(b);
  auto once = OnceOp::create(b, loc);
  b.setInsertionPointToStart(&once.getBody().emplaceBlock());
  Value fill = arith::ConstantOp::create(b, loc, value);
  if (signless != element)
    fill = UnrealizedConversionCastOp::create(b, loc, element, fill).getResult(0);
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)), ones(type.getRank(), b.getIndexAttr(1));
  SmallVector<OpFoldResult> extents = memref::getMixedSizes(b, loc, buffer);
  auto slab = [&](int64_t dim, int64_t at, int64_t size) {
    if (!size)
      return;
    SmallVector<OpFoldResult> o(offsets), e(extents);
    o[dim] = b.getIndexAttr(at);
    e[dim] = b.getIndexAttr(size);
    Value view = memref::SubViewOp::create(b, loc, buffer, o, e, ones);
    linalg::FillOp::create(b, loc, fill, view);
  };
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    int64_t low = pad.getLow()[dim], high = pad.getHigh()[dim], size = type.getDimSize(dim);
    if (!low && !high)
      continue;
    slab(dim, 0, low);
    slab(dim, size - high, high);
    offsets[dim] = b.getIndexAttr(low);
    extents[dim] = b.getIndexAttr(size - low - high);
  }
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

LogicalResult Outliner::convert(Operation *op) {
  b.setInsertionPoint(op);
  if (auto reshape = dyn_cast<ReshapeOp>(op)) {
    if (buffers.known(reshape.getResult()))
      return success();
    Value source = buffers.of(reshape.getInput());
    Value view = buffers.viewAs(source, tensorType(reshape.getResult()), reshape.getSizes());
    if (!view) {
      // The producer wrote into a larger buffer, where the elements do not lie as the view needs them.
      Value dense = buffers.allocate(reshape.getInput());
      launchCopy(op->getLoc(), source, dense);
      view = buffers.viewAs(dense, tensorType(reshape.getResult()), reshape.getSizes());
    }
    buffers.set(reshape.getResult(), view);
    return success();
  }
  if (auto prefix = dyn_cast<PrefixOp>(op)) {
    Value list = buffers.of(prefix.getInput()), result = prefix.getResult();
    buffers.set(result, buffers.viewDense(list, tensorType(result), getAsOpFoldResult(buffers.sizesOf(result))));
    return success();
  }
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    Value number = memref::LoadOp::create(b, op->getLoc(), buffers.of(extract.getTensor()), extract.getIndices());
    extract.getResult().replaceAllUsesWith(number);
    return success();
  }
  if (auto require = dyn_cast<RequireOp>(op)) {
    require.getConditionMutable().assign(buffers.of(require.getCondition()));
    return success();
  }
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    std::optional<int64_t> index = dim.getConstantIndex();
    if (!index)
      return op->emitError("expected a constant dimension");
    dim.getResult().replaceAllUsesWith(buffers.sizesOf(dim.getSource())[*index]);
    return success();
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    if (Value view = buffers.viewOfSlice(slice)) {
      buffers.set(slice.getResult(), view);
      return success();
    }
  if (auto transpose = dyn_cast<TransposeOp>(op))
    if (Value view = buffers.viewOfTranspose(transpose)) {
      buffers.set(transpose.getResult(), view);
      return success();
    }
  Group *group = groupOf.lookup(op);
  if (!group)
    return success();
  // A pad or concat that some producer wrote into needs only its other operands copied.
  bool whole = op->getNumResults() == 1 && buffers.known(op->getResult(0));
  if (!whole)
    return launchGroup(*group);
  for (OpOperand &operand : op->getOpOperands()) {
    if (buffers.isPlaced(op, operand.getOperandNumber()))
      continue;
    Value place = buffers.placeInConcat(cast<tensor::ConcatOp>(op), operand.get(), operand.getOperandNumber());
    launchCopy(op->getLoc(), buffers.of(operand.get()), place);
  }
  return success();
}

LogicalResult Outliner::run() {
  auto ret = cast<func::ReturnOp>(block.getTerminator());
  unsigned inputs = block.getNumArguments();
  SmallVector<DictionaryAttr> attrs;
  entry.getAllArgAttrs(attrs);
  for (unsigned i = 0; i < inputs; ++i) {
    BlockArgument arg = block.getArgument(i);
    Value memref = block.addArgument(denseMemRef(tensorType(arg)), arg.getLoc());
    buffers.set(arg, memref);
  }
  // Results become arguments behind the inputs.
  SmallVector<Value> results;
  for (auto [i, result] : llvm::enumerate(ret.getOperands())) {
    results.push_back(block.addArgument(denseMemRef(tensorType(result)), result.getLoc()));
    NamedAttrList named(entry.getResultAttrDict(i));
    named.set("coat.result", b.getUnitAttr());
    attrs.push_back(named.getDictionary(b.getContext()));
  }
  SmallVector<Operation *> ops;
  for (Operation &op : block)
    ops.push_back(&op);
  for (Operation *op : ops)
    if (failed(convert(op)))
      return failure();
  b.setInsertionPoint(ret);
  for (auto [i, result] : llvm::enumerate(ret.getOperands()))
    if (!buffers.isPlaced(ret, i))
      launchCopy(ret.getLoc(), buffers.of(result), buffers.placeOfResult(i, result));
  ret->setOperands({});
  for (Operation *op : llvm::reverse(ops))
    if (op != ret && op->use_empty() &&
        (groupOf.count(op) ||
         isa_and_nonnull<RankedTensorType>(op->getNumResults() ? op->getResult(0).getType() : Type()) ||
         isa<tensor::DimOp, tensor::ExtractOp>(op)))
      op->erase();
  block.eraseArguments(0, inputs);
  SmallVector<Type> types(block.getArgumentTypes());
  entry.setResAttrsAttr(nullptr);
  entry.setFunctionType(b.getFunctionType(types, {}));
  entry.setAllArgAttrs(attrs);
  return success();
}

struct OutlineKernels : coat::impl::CoatOutlineKernelsBase<OutlineKernels> {
  using Base::Base;

  void runOnOperation() override {
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (function->hasAttr("coat.entry") && failed(Outliner(function, fuse).run()))
        return signalPassFailure();
  }
};
} // namespace
