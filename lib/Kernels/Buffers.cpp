// The buffers of an entry; see Buffers.h. Producers write in place where a padding, a concatenation or a result waits
// for them.
#include "Buffers.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace coat;

namespace {
RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Are the strides of a part of a dense buffer of this type known? Kernels need them to be.
bool hasStaticStrides(RankedTensorType type) {
  return llvm::none_of(type.getShape().drop_front(type.getRank() ? 1 : 0), ShapedType::isDynamic);
}

SmallVector<Value> dynamicSizes(RankedTensorType type, ArrayRef<Value> all) {
  SmallVector<Value> result;
  for (auto [size, value] : llvm::zip_equal(type.getShape(), all))
    if (ShapedType::isDynamic(size))
      result.push_back(value);
  return result;
}
} // namespace

/// Kernels that differ only in where their part of a buffer begins are then equal.
Value Buffers::withUnknownOffset(Value part) {
  auto type = cast<MemRefType>(part.getType());
  auto layout = StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, type.getStridesAndOffset().first);
  return memref::CastOp::create(b, part.getLoc(), MemRefType::get(type.getShape(), type.getElementType(), layout),
                                part);
}

MemRefType coat::denseMemRef(RankedTensorType type) { return MemRefType::get(type.getShape(), type.getElementType()); }

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

SmallVector<Value> Buffers::sizesOf(Value tensor) {
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
      Operation *end = b.getInsertionPoint() == b.getBlock()->end() ? nullptr : &*b.getInsertionPoint();
      // Sizes that are read here first come before what was built from them.
      OpBuilder::InsertionGuard guard(b);
      if (before)
        b.setInsertionPointAfter(before);
      else
        b.setInsertionPointToStart(&block);
      for (Value &size : result)
        if (auto dim = size.getDefiningOp<tensor::DimOp>())
          size = sizesOf(dim.getSource())[*dim.getConstantIndex()];
      resolveDims(before, end);
      return sizes[tensor] = result;
    }
  }
  for (auto [i, size] : llvm::enumerate(type.getShape())) {
    if (!ShapedType::isDynamic(size))
      result.push_back(arith::ConstantIndexOp::create(b, loc, size));
    else
      result.push_back(memref::DimOp::create(b, loc, of(tensor), i));
  }
  return sizes[tensor] = result;
}

/// Replaces every tensor.dim between `before` and `end` by the size that is known.
void Buffers::resolveDims(Operation *before, Operation *end) {
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

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

Value Buffers::of(Value tensor) {
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

Value Buffers::allocate(Value tensor) {
  RankedTensorType type = tensorType(tensor);
  return memref::AllocOp::create(b, tensor.getLoc(), denseMemRef(type), dynamicSizes(type, sizesOf(tensor)));
}

Value Buffers::viewAs(Value memref, RankedTensorType shape, ValueRange dynamic) {
  auto from = cast<MemRefType>(memref.getType());
  if (from.getShape() == shape.getShape())
    return memref;
  if (!from.getLayout().isIdentity())
    return viewOfPart(memref, shape, dynamic);
  unsigned next = 0;
  SmallVector<OpFoldResult> dims;
  for (int64_t size : shape.getShape())
    dims.push_back(ShapedType::isDynamic(size) ? OpFoldResult(dynamic[next++]) : b.getIndexAttr(size));
  return viewDense(memref, shape, dims);
}

Value Buffers::viewDense(Value memref, RankedTensorType shape, ArrayRef<OpFoldResult> dims) {
  Location loc = memref.getLoc();
  // Strides from the last dimension on.
  SmallVector<OpFoldResult> strides(shape.getRank());
  OpFoldResult stride = b.getIndexAttr(1);
  for (int64_t i = shape.getRank() - 1; i >= 0; --i) {
    strides[i] = stride;
    stride = affine::makeComposedFoldedAffineApply(b, loc, b.getAffineSymbolExpr(0) * b.getAffineSymbolExpr(1),
                                                   {stride, dims[i]});
  }
  Value view = memref::ReinterpretCastOp::create(b, loc, memref, b.getIndexAttr(0), dims, strides);
  MemRefType dense = denseMemRef(shape);
  return view.getType() == dense ? view : memref::CastOp::create(b, loc, dense, view);
}

Value Buffers::viewOfPart(Value memref, RankedTensorType shape, ValueRange dynamic) {
  auto from = cast<MemRefType>(memref.getType());
  auto groups = getReassociationIndicesForReshape(from, denseMemRef(shape));
  if (!groups)
    return nullptr;
  if (from.getRank() > shape.getRank())
    return memref::CollapseShapeOp::isGuaranteedCollapsible(from, *groups)
               ? memref::CollapseShapeOp::create(b, memref.getLoc(), memref, *groups).getResult()
               : Value();
  unsigned next = 0;
  SmallVector<OpFoldResult> sizes;
  for (int64_t size : shape.getShape())
    sizes.push_back(ShapedType::isDynamic(size) ? OpFoldResult(dynamic[next++]) : b.getIndexAttr(size));
  auto type = memref::ExpandShapeOp::computeExpandedType(from, shape.getShape(), *groups);
  if (failed(type))
    return nullptr;
  return memref::ExpandShapeOp::create(b, memref.getLoc(), *type, memref, *groups, sizes);
}

Value Buffers::viewOfSlice(tensor::ExtractSliceOp slice) {
  auto known = [](ArrayRef<int64_t> values) { return llvm::none_of(values, ShapedType::isDynamic); };
  if (!hasStaticStrides(slice.getSourceType()) || !known(slice.getStaticOffsets()) ||
      !known(slice.getStaticStrides()) || slice.getStaticStrides().back() != 1 || !hasStaticStrides(slice.getType()))
    return nullptr;
  Value source = of(slice.getSource());
  SmallVector<OpFoldResult> sizes = slice.getMixedSizes();
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  SmallVector<Value> own = sizesOf(slice.getResult());
  for (unsigned dim = 0, at = 0; dim < sizes.size(); ++dim)
    if (!dropped[dim])
      sizes[dim] = getAsOpFoldResult(own[at++]);
  auto type =
      memref::SubViewOp::inferRankReducedResultType(slice.getType().getShape(), cast<MemRefType>(source.getType()),
                                                    slice.getMixedOffsets(), sizes, slice.getMixedStrides());
  return withUnknownOffset(memref::SubViewOp::create(b, slice.getLoc(), cast<MemRefType>(type), source,
                                                     slice.getMixedOffsets(), sizes, slice.getMixedStrides()));
}

/// Whether `use` is a query, key or value of attention, perhaps converted in its kernel.
static bool isAttended(OpOperand &use) {
  Operation *user = use.getOwner();
  if (isa<CastOp>(user) && user->hasAttr("coat.prologue") && user->hasOneUse())
    return isAttended(*user->use_begin());
  return isa<AttentionOp>(user) && use.getOperandNumber() < 3;
}

Value Buffers::viewOfTranspose(TransposeOp transpose) {
  ArrayRef<int64_t> permutation = transpose.getPermutation();
  if (!llvm::all_of(transpose->getUses(), isAttended) || transpose->use_empty() ||
      permutation.back() != int64_t(permutation.size()) - 1 || permutation.size() < 2 ||
      !tensorType(transpose.getInput()).hasStaticShape())
    return nullptr;
  AffineMap map = AffineMap::getPermutationMap(permutation, b.getContext());
  auto view = memref::TransposeOp::create(b, transpose.getLoc(), of(transpose.getInput()), AffineMapAttr::get(map));
  // Rows a power of two apart share few sets of the caches; then a copy is faster.
  constexpr int64_t setsApart = 2048;
  auto [strides, offset] = cast<MemRefType>(view.getType()).getStridesAndOffset();
  int64_t ofRows = strides[strides.size() - 2];
  int64_t bytes = tensorType(transpose.getInput()).getElementTypeBitWidth() / 8;
  if (ShapedType::isDynamic(ofRows) || ofRows * bytes % setsApart == 0) {
    view.erase();
    return nullptr;
  }
  return withUnknownOffset(view);
}

Value Buffers::placeFor(Value tensor) {
  // What a reshape reads must be dense, or it is copied.
  bool dense = !tensor.hasOneUse() && llvm::any_of(tensor.getUsers(), llvm::IsaPred<ReshapeOp>);
  for (OpOperand &use : tensor.getUses()) {
    if (dense && isa<PadOp>(use.getOwner()))
      continue;
    if (Value place = placeIn(use.getOwner(), tensor, use.getOperandNumber()))
      return place;
  }
  return allocate(tensor);
}

Value Buffers::placeIn(Operation *user, Value tensor, unsigned operand) {
  Value place;
  if (auto pad = dyn_cast<PadOp>(user))
    place = placeInPad(pad, tensor);
  else if (auto concat = dyn_cast<tensor::ConcatOp>(user))
    place = placeInConcat(concat, tensor, operand);
  else if (isa<func::ReturnOp>(user))
    place = placeOfResult(operand, tensor);
  else if (auto reshape = dyn_cast<ReshapeOp>(user))
    place = placeInReshape(reshape, tensor);
  else if (auto transpose = dyn_cast<TransposeOp>(user))
    place = placeInTranspose(transpose, tensor);
  if (place)
    placed.insert({user, operand});
  return place;
}

/// A result of a size that was counted fills the beginning of an argument that has room for more.
Value Buffers::placeOfResult(unsigned number, Value tensor) {
  auto entry = cast<func::FuncOp>(block.getParentOp());
  Value argument = block.getArgument(block.getNumArguments() - entry.getNumResults() + number);
  if (!entry.getResultAttr(number, "coat.counted"))
    return argument;
  SmallVector<OpFoldResult> extents = getAsOpFoldResult(sizesOf(tensor));
  return viewDense(argument, tensorType(tensor), extents);
}

/// The place of the reshape's result, seen as `tensor`. Where strides do not allow that, the result is copied there.
Value Buffers::placeInReshape(ReshapeOp reshape, Value tensor) {
  if (!reshape->hasOneUse() || !hasStaticStrides(tensorType(tensor)))
    return nullptr;
  OpOperand &use = *reshape.getResult().use_begin();
  if (!isa<func::ReturnOp, tensor::ConcatOp>(use.getOwner()))
    return nullptr;
  Value place = placeIn(use.getOwner(), reshape.getResult(), use.getOperandNumber());
  Value view = place ? viewAs(place, tensorType(tensor), dynamicSizes(tensorType(tensor), sizesOf(tensor))) : Value();
  if (view)
    buffers[reshape.getResult()] = place;
  else
    placed.erase({use.getOwner(), use.getOperandNumber()});
  return view;
}

Value Buffers::placeInTranspose(TransposeOp transpose, Value tensor) {
  Operation *producer = tensor.getDefiningOp();
  while (auto cast = dyn_cast_or_null<CastOp>(producer))
    producer = cast.getInput().getDefiningOp();
  ArrayRef<int64_t> permutation = transpose.getPermutation();
  bool isReshaped =
      llvm::all_of(transpose->getUsers(), llvm::IsaPred<ReshapeOp>); // and no kernel of the transpose's own computes
  if (!isa_and_nonnull<AttentionOp>(producer) || !tensor.hasOneUse() || !isReshaped || transpose->use_empty() ||
      permutation.size() < 2 || permutation.back() != int64_t(permutation.size()) - 1 ||
      !tensorType(tensor).hasStaticShape())
    return nullptr;
  Value place = placeFor(transpose.getResult());
  buffers[transpose.getResult()] = place;
  AffineMap map = inversePermutation(AffineMap::getPermutationMap(permutation, b.getContext()));
  return memref::TransposeOp::create(b, tensor.getLoc(), place, AffineMapAttr::get(map));
}

Value Buffers::placeInPad(PadOp pad, Value tensor) {
  RankedTensorType type = tensorType(tensor);
  if (pad.getMode() != PadMode::constant || !hasStaticStrides(type) || buffers.count(pad.getResult()) ||
      (ShapedType::isDynamic(type.getDimSize(0)) && (pad.getLow()[0] || pad.getHigh()[0])) || !standsAlone(pad))
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

Value Buffers::placeInConcat(tensor::ConcatOp concat, Value tensor, unsigned operand) {
  RankedTensorType type = tensorType(tensor);
  // Where one part's end is not known, none has a place of its own.
  if (!hasStaticStrides(tensorType(concat.getResult())) || !standsAlone(concat) ||
      llvm::any_of(concat.getInputs(), [&](Value part) { return tensorType(part).isDynamicDim(concat.getDim()); }))
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
  Value part = memref::SubViewOp::create(b, tensor.getLoc(), buffers[concat.getResult()], offsets, extents, ones);
  return withUnknownOffset(part);
}
