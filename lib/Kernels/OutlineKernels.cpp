// coat-outline-kernels: enters scheduled coat ops on tensors; leaves the entry as a list of launches
// on memrefs and one function a kernel, whose body still works on tensors. Left alone: nothing.
//
// Why here: from Tile on, each kernel is compiled on its own, and what a buffer is called, where it
// lies and who shares it concerns only the list of launches.
#include "Groups.h"
#include "coat/Dialect/Coat.h"
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
MemRefType denseMemRef(RankedTensorType type) { return MemRefType::get(type.getShape(), type.getElementType()); }

/// Are the strides of a part of a dense buffer of this type known? Kernels need them to be.
bool hasStaticStrides(RankedTensorType type) {
  return llvm::none_of(type.getShape().drop_front(type.getRank() ? 1 : 0), ShapedType::isDynamic);
}

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
      : entry(entry), block(entry.getBody().front()), b(entry.getContext()), groups(formGroups(block, fuse)) {
    for (Group &group : groups)
      groupOf[group.back()] = &group;
  }

  LogicalResult run();

private:
  // Buffers and sizes of the tensors that the list has met.
  Value bufferOf(Value tensor);
  SmallVector<Value> sizesOf(Value tensor);
  Value allocate(Value tensor);
  Value placeFor(Value tensor);
  Value placeIn(Operation *user, Value tensor, unsigned operand);
  Value placeInPad(PadOp pad, Value tensor);
  Value placeInConcat(tensor::ConcatOp concat, Value tensor, unsigned operand);
  Value viewAs(Value memref, RankedTensorType shape, ValueRange dynamic);

  // Launches.
  LogicalResult convert(Operation *op);
  LogicalResult launchGroup(Group &group);
  void launchCopy(Location loc, Value from, Value to);
  func::FuncOp makeKernel(Location loc, TypeRange types);
  void launch(Location loc, func::FuncOp kernel, ValueRange ins, ValueRange outs);
  void resolveDims(Operation *first, Operation *last);

  func::FuncOp entry;
  Block &block;
  OpBuilder b;
  SmallVector<Group> groups;
  DenseMap<Operation *, Group *> groupOf;
  DenseMap<Value, Value> buffers;               // tensor -> memref
  DenseMap<Value, SmallVector<Value>> sizes;    // tensor -> one index value a dimension
  llvm::DenseSet<std::pair<Operation *, unsigned>> placed; // operands written in place
  SmallVector<std::pair<PadOp, Value>> borders;            // of the buffers that the next launch writes into
  unsigned kernels = 0;
};

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

SmallVector<Value> Outliner::sizesOf(Value tensor) {
  auto known = sizes.find(tensor);
  if (known != sizes.end())
    return known->second;
  Location loc = tensor.getLoc();
  RankedTensorType type = tensorType(tensor);
  SmallVector<Value> result;
  SmallVector<OpFoldResult> mixed;
  if (!type.hasStaticShape() && tensor.getDefiningOp()) {
    // What reification builds asks for sizes of operands, which are known by now.
    ReifiedRankedShapedTypeDims shapes;
    auto reify = dyn_cast<ReifyRankedShapedTypeOpInterface>(tensor.getDefiningOp());
    Operation *before = b.getInsertionPoint()->getPrevNode();
    if (reify && succeeded(reify.reifyResultShapes(b, shapes))) {
      mixed = shapes[cast<OpResult>(tensor).getResultNumber()];
      result = getValueOrCreateConstantIndexOp(b, loc, mixed);
      for (Value &size : result)
        if (auto dim = size.getDefiningOp<tensor::DimOp>())
          size = sizesOf(dim.getSource())[*dim.getConstantIndex()];
      resolveDims(before, &*b.getInsertionPoint());
      return sizes[tensor] = result;
    }
  }
  for (auto [i, size] : llvm::enumerate(type.getShape())) {
    if (!ShapedType::isDynamic(size))
      result.push_back(arith::ConstantIndexOp::create(b, loc, size));
    else
      result.push_back(memref::DimOp::create(b, loc, bufferOf(tensor), i));
  }
  return sizes[tensor] = result;
}

/// Replaces every tensor.dim between `before` and `end` by the size that is known.
void Outliner::resolveDims(Operation *before, Operation *end) {
  Operation *op = before ? before->getNextNode() : &block.front();
  while (op && op != end) {
    Operation *next = op->getNextNode();
    if (auto dim = dyn_cast<tensor::DimOp>(op)) {
      dim.getResult().replaceAllUsesWith(sizesOf(dim.getSource())[*dim.getConstantIndex()]);
      dim.erase();
    }
    op = next;
  }
}

SmallVector<Value> dynamicSizes(RankedTensorType type, ArrayRef<Value> all) {
  SmallVector<Value> result;
  for (auto [size, value] : llvm::zip_equal(type.getShape(), all))
    if (ShapedType::isDynamic(size))
      result.push_back(value);
  return result;
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

Value Outliner::bufferOf(Value tensor) {
  if (Value known = buffers.lookup(tensor))
    return known;
  ElementsAttr value;
  bool constant = matchPattern(tensor, m_Constant(&value));
  assert(constant && "a tensor is used before the launch that writes it");
  (void)constant;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&block);
  return buffers[tensor] = WeightOp::create(b, tensor.getLoc(), denseMemRef(tensorType(tensor)), value, nullptr);
}

Value Outliner::allocate(Value tensor) {
  RankedTensorType type = tensorType(tensor);
  return memref::AllocOp::create(b, tensor.getLoc(), denseMemRef(type), dynamicSizes(type, sizesOf(tensor)));
}

/// `memref` (dense, row-major) under another shape.
Value Outliner::viewAs(Value memref, RankedTensorType shape, ValueRange dynamic) {
  auto from = cast<MemRefType>(memref.getType());
  if (from.getShape() == shape.getShape())
    return memref;
  Location loc = memref.getLoc();
  // Strides of a dense row-major buffer, from the last dimension on.
  SmallVector<OpFoldResult> dims, strides(shape.getRank());
  unsigned next = 0;
  for (int64_t size : shape.getShape())
    dims.push_back(ShapedType::isDynamic(size) ? OpFoldResult(dynamic[next++]) : b.getIndexAttr(size));
  OpFoldResult stride = b.getIndexAttr(1);
  for (int64_t i = shape.getRank() - 1; i >= 0; --i) {
    strides[i] = stride;
    stride = affine::makeComposedFoldedAffineApply(b, loc, b.getAffineSymbolExpr(0) * b.getAffineSymbolExpr(1), {stride, dims[i]});
  }
  Value view = memref::ReinterpretCastOp::create(b, loc, memref, b.getIndexAttr(0), dims, strides);
  MemRefType dense = denseMemRef(shape);
  return view.getType() == dense ? view : memref::CastOp::create(b, loc, dense, view);
}

/// Where the producer of `tensor` writes: the place that its one padding or concatenating user
/// keeps for it, the result of the entry, or a buffer of its own.
Value Outliner::placeFor(Value tensor) {
  for (OpOperand &use : tensor.getUses())
    if (Value place = placeIn(use.getOwner(), tensor, use.getOperandNumber())) {
      placed.insert({use.getOwner(), use.getOperandNumber()});
      return place;
    }
  return allocate(tensor);
}

Value Outliner::placeIn(Operation *user, Value tensor, unsigned operand) {
  if (auto pad = dyn_cast<PadOp>(user))
    return placeInPad(pad, tensor);
  if (auto concat = dyn_cast<tensor::ConcatOp>(user))
    return placeInConcat(concat, tensor, operand);
  if (isa<func::ReturnOp>(user))
    return block.getArgument(block.getNumArguments() - user->getNumOperands() + operand);
  auto reshape = dyn_cast<ReshapeOp>(user);
  if (!reshape || !reshape->hasOneUse() || !tensorType(reshape.getResult()).hasStaticShape())
    return nullptr;
  // Through a reshape only into a dense buffer, that is, into a result of the entry.
  OpOperand &use = *reshape.getResult().use_begin();
  if (!isa<func::ReturnOp, ReshapeOp>(use.getOwner()))
    return nullptr;
  Value place = placeIn(use.getOwner(), reshape.getResult(), use.getOperandNumber());
  return place ? viewAs(place, tensorType(tensor), {}) : nullptr;
}

Value Outliner::placeInPad(PadOp pad, Value tensor) {
  RankedTensorType type = tensorType(tensor);
  if (pad.getMode() != PadMode::constant || !hasStaticStrides(type) || buffers.count(pad.getResult()) ||
      (ShapedType::isDynamic(type.getDimSize(0)) && (pad.getLow()[0] || pad.getHigh()[0])) ||
      groupOf.lookup(pad)->size() != 1)
    return nullptr;
  Value whole = placeFor(pad.getResult());
  buffers[pad.getResult()] = whole;
  borders.push_back({pad, whole});
  SmallVector<OpFoldResult> offsets, ones(type.getRank(), b.getIndexAttr(1));
  for (int64_t low : pad.getLow())
    offsets.push_back(b.getIndexAttr(low));
  SmallVector<OpFoldResult> extents = getAsOpFoldResult(sizesOf(tensor));
  return memref::SubViewOp::create(b, tensor.getLoc(), whole, offsets, extents, ones);
}

Value Outliner::placeInConcat(tensor::ConcatOp concat, Value tensor, unsigned operand) {
  RankedTensorType type = tensorType(tensor);
  if (!hasStaticStrides(tensorType(concat.getResult())) || groupOf.lookup(concat)->size() != 1 ||
      ShapedType::isDynamic(type.getDimSize(concat.getDim())))
    return nullptr;
  Value &whole = buffers[concat.getResult()];
  if (!whole) {
    Value place = placeFor(concat.getResult());
    buffers[concat.getResult()] = place;
  }
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)), ones(type.getRank(), b.getIndexAttr(1));
  int64_t at = 0;
  for (Value before : concat.getInputs().take_front(operand))
    at += tensorType(before).getDimSize(concat.getDim());
  offsets[concat.getDim()] = b.getIndexAttr(at);
  SmallVector<OpFoldResult> extents = getAsOpFoldResult(sizesOf(tensor));
  return memref::SubViewOp::create(b, tensor.getLoc(), buffers[concat.getResult()], offsets, extents, ones);
}

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
  return bufferization::ToTensorOp::create(b, loc, RankedTensorType::get(type.getShape(), type.getElementType()), memref,
                                           /*restrict=*/true);
}

void writeTo(OpBuilder &b, Location loc, Value tensor, Value memref) {
  bufferization::MaterializeInDestinationOp::create(b, loc, Type(), tensor, memref, /*restrict=*/true, /*writable=*/true);
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

void fillBorder(OpBuilder &b, PadOp pad, Value buffer);

LogicalResult Outliner::launchGroup(Group &group) {
  // Operands from outside, in order of appearance; results of the last op are the kernel's.
  SmallVector<Value> ins, outs;
  llvm::SmallSetVector<Value, 8> outside;
  SmallVector<Location> locations;
  for (Operation *op : group) {
    locations.push_back(op->getLoc());
    for (Value operand : op->getOperands())
      if (isa<RankedTensorType>(operand.getType()) && !isImmediate(operand) && !llvm::is_contained(group, operand.getDefiningOp()))
        outside.insert(operand);
  }
  Location loc = b.getFusedLoc(locations);
  Operation *root = group.front(), *last = group.back();
  for (Value operand : outside)
    ins.push_back(bufferOf(operand));
  for (Value result : last->getResults())
    outs.push_back(buffers[result] = placeFor(result));
  auto around = std::exchange(borders, {});
  for (auto [pad, buffer] : around)
    outs.push_back(buffer);

  SmallVector<Type> types(ValueRange(ins).getTypes());
  llvm::append_range(types, ValueRange(outs).getTypes());
  func::FuncOp kernel = makeKernel(loc, types);
  launch(loc, kernel, ins, outs);
  SmallVector<Attribute> names;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&kernel.getBody().front());
    auto args = kernel.getArguments();
    IRMapping map;
    for (auto [value, arg] : llvm::zip(outside, args))
      map.map(value, asTensor(b, loc, arg));
    for (Operation *op : group) {
      for (Value operand : op->getOperands()) {
        if (map.contains(operand))
          continue;
        if (isImmediate(operand))
          map.map(operand, b.clone(*operand.getDefiningOp())->getResult(0));
      }
      // A size that the op takes as an operand is one of the buffer it fills.
      for (auto [size, dim] : sizeOperands(op))
        map.map(size, memref::DimOp::create(b, loc, args[ins.size()], dim));
      for (Value operand : op->getOperands())
        if (!map.contains(operand))
          return op->emitError("expected offsets and strides that are known at compile time");
      Operation *clone = b.clone(*op, map);
      clone->removeAttr("coat.schedule");
      names.push_back(b.getStringAttr(isa<ElementwiseOp>(op) ? stringifyElementwiseKind(cast<ElementwiseOp>(op).getKind())
                                                             : op->getName().stripDialect()));
      if (op == root && root->hasAttr("coat.schedule"))
        clone->setAttr("coat.schedule", root->getAttr("coat.schedule"));
    }
    for (auto [result, arg] : llvm::zip(last->getResults(), args.drop_front(ins.size())))
      writeTo(b, loc, map.lookup(result), arg);
    for (auto [border, arg] : llvm::zip(around, args.take_back(around.size())))
      fillBorder(b, border.first, arg);
    func::ReturnOp::create(b, loc);
  }
  kernel->setAttr("coat.ops", b.getArrayAttr(names));
  if (Attribute schedule = root->getAttr("coat.schedule"))
    kernel->setAttr("coat.schedule", schedule);
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
  TypedAttr value = isa<FloatType>(element) ? TypedAttr(b.getFloatAttr(element, number))
                                            : TypedAttr(b.getIntegerAttr(element, (int64_t)number));
  OpBuilder::InsertionGuard guard(b);
  auto once = OnceOp::create(b, loc);
  b.setInsertionPointToStart(&once.getBody().emplaceBlock());
  Value fill = arith::ConstantOp::create(b, loc, value);
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
    Value source = bufferOf(reshape.getInput());
    if (!cast<MemRefType>(source.getType()).getLayout().isIdentity()) {
      // The producer wrote into a larger buffer; a view needs dense elements.
      Value dense = allocate(reshape.getInput());
      launchCopy(op->getLoc(), source, dense);
      source = dense;
    }
    buffers[reshape.getResult()] = viewAs(source, tensorType(reshape.getResult()), reshape.getSizes());
    return success();
  }
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    std::optional<int64_t> index = dim.getConstantIndex();
    if (!index)
      return op->emitError("expected a constant dimension");
    dim.getResult().replaceAllUsesWith(sizesOf(dim.getSource())[*index]);
    return success();
  }
  Group *group = groupOf.lookup(op);
  if (!group)
    return success();
  // A pad or concat that some producer wrote into needs only its other operands copied.
  Value whole = op->getNumResults() == 1 ? buffers.lookup(op->getResult(0)) : Value();
  if (!whole)
    return launchGroup(*group);
  for (OpOperand &operand : op->getOpOperands()) {
    if (placed.contains({op, operand.getOperandNumber()}))
      continue;
    Value place = placeInConcat(cast<tensor::ConcatOp>(op), operand.get(), operand.getOperandNumber());
    launchCopy(op->getLoc(), bufferOf(operand.get()), place);
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
    buffers[arg] = memref;
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
    if (!placed.contains({ret.getOperation(), (unsigned)i}))
      launchCopy(ret.getLoc(), bufferOf(result), results[i]);
  ret->setOperands({});
  for (Operation *op : llvm::reverse(ops))
    if (op != ret && op->use_empty() && (groupOf.count(op) || isa<RankedTensorType>(op->getNumResults() ? op->getResult(0).getType() : Type()) || isa<tensor::DimOp>(op)))
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
