// Ops that pick or place elements by index or by order: formula ops.
#include "coat/Dialect/IndexOps.h"
#include "Indices.h"

using namespace mlir;
using namespace coat;

#define GET_OP_CLASSES
#include "coat/Dialect/IndexOps.cpp.inc"

void CoatDialect::addIndexOps() {
  addOperations<
#define GET_OP_LIST
#include "coat/Dialect/IndexOps.cpp.inc"
      >();
}

LogicalResult coat::checkIndexVector(EmitError emitError, StringRef name, Value value) {
  RankedTensorType type = tensorType(value);
  if (type.getRank() <= 1 && type.hasStaticShape() && isIndexElement(type.getElementType()))
    return success();
  return emitError() << "expected " << name << " to be a vector of i32 or i64 of static size, got " << type;
}

LogicalResult coat::checkNumeric(EmitError emitError, Value value) {
  Type type = tensorType(value).getElementType();
  if (type.isIntOrFloat() && !type.isInteger(1))
    return success();
  return emitError() << "expected numeric elements, got " << type;
}

void coat::copyAll(ScalarLoops &loops, Value from, Value to) {
  loops.each(loops.dims(to), [&](const Scalars &at) { loops.storeElement(loops.loadElement(from, at), to, at); });
}

Scalar coat::fromFront(Scalar index, Scalar size) { return select(index < 0.0, index + size, index); }

Scalar coat::toInteger(ScalarLoops &loops, Scalar index) {
  return {loops, arith::IndexCastOp::create(loops.builder, loops.loc, loops.builder.getI64Type(), index)};
}

Scalar coat::truth(ScalarLoops &loops, bool value) { return loops.number(value, loops.builder.getI1Type()); }
Scalar coat::either(Scalar a, Scalar b) { return select(a, a, b); }

void coat::eachExcept(ScalarLoops &loops, Value memref, int64_t axis, ScalarLoops::Body body) {
  Scalars extents = loops.dims(memref);
  extents.erase(extents.begin() + axis);
  loops.each(extents, [&](const Scalars &others) {
    Scalars at = others;
    at.insert(at.begin() + axis, Scalar());
    body(at);
  });
}

Scalars coat::linearPosition(ScalarLoops &loops, ArrayRef<Scalar> at, ArrayRef<Scalar> sizes) {
  Scalar position = loops.index(0);
  for (auto [index, size] : llvm::zip_equal(at, sizes))
    position = position * size + index;
  return {position};
}

/// Runs `body` with the index that element `at` of `indices` names in a dimension of `size` elements, where there is
/// one.
static void ifInside(ScalarLoops &loops, Value indices, const Scalars &at, Scalar size,
                     llvm::function_ref<void(Scalar)> body) {
  Scalar index = fromFront(loops.toIndex(loops.load(indices, at)), size);
  loops.ifTrue(index >= 0.0 && index < size, [&] { body(index); });
}

static Scalar combine(ScatterKind kind, Scalar old, Scalar update) {
  switch (kind) {
  case ScatterKind::replace:
    return update;
  case ScatterKind::add:
    return old + update;
  case ScatterKind::mul:
    return old * update;
  case ScatterKind::max:
    return max(old, update);
  case ScatterKind::min:
    return min(old, update);
  }
  llvm_unreachable("unknown scatter");
}

/// C3 of both scatters.
static LogicalResult checkUpdates(EmitError emitError, ScatterKind kind, RankedTensorType input,
                                  RankedTensorType updates) {
  Type element = input.getElementType();
  if (element == updates.getElementType() && (kind == ScatterKind::replace || !element.isInteger(1)))
    return success();
  return emitError() << "expected one numeric element type, got " << element << " and " << updates.getElementType();
}

/// Puts element `at` of the updates to `to`.
static void storeUpdate(ScalarLoops &loops, ScatterKind kind, Value updates, const Scalars &at, Value result,
                        const Scalars &to) {
  if (kind == ScatterKind::replace)
    loops.storeElement(loops.loadElement(updates, at), result, to);
  else
    loops.store(combine(kind, loops.load(result, to), loops.load(updates, at)), result, to);
}

//===----------------------------------------------------------------------===//
// coat.scatter_elements
//===----------------------------------------------------------------------===//

LogicalResult ScatterElementsOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType input = tensorType(op.getInput()), indices = tensorType(op.getIndices()),
                   updates = tensorType(op.getUpdates());
  int64_t axis = op.getAxis(), rank = input.getRank();
  if (failed(checkAxis(emitError, axis, rank))) // C1
    return failure();
  if (!isIndexElement(indices.getElementType()) || indices.getRank() != rank ||
      failed(verifyCompatibleShape(indices, updates))) // C2
    return emitError() << "expected i32 or i64 indices of the shape of updates and rank " << rank << ", got " << indices
                       << " and " << updates;
  if (failed(checkUpdates(emitError, op.getKind(), input, updates))) // C3
    return failure();
  for (int64_t dim = 0; dim < rank; ++dim) {
    int64_t size = input.getDimSize(dim), count = updates.getDimSize(dim);
    if (dim != axis && !ShapedType::isDynamic(size) && !ShapedType::isDynamic(count) && count > size) // C4
      return emitError() << "expected updates of sizes up to " << formatShape(input.getShape()) << " except along axis "
                         << axis << ", got " << formatShape(updates.getShape());
  }
  return success();
}

LogicalResult ScatterElementsOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                                  SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<ScatterElementsOp>(context, location, op)))
    return failure();
  types.push_back(op.getInput().getType());
  return success();
}

LogicalResult ScatterElementsOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(builder, getLoc(), getInput()));
  return success();
}

int64_t ScatterElementsOp::getFlops() {
  return getKind() == ScatterKind::replace ? 0 : elementCount(getUpdates().getType());
}

LogicalResult ScatterElementsOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], indices = in[1], updates = in[2], result = out[0];
  int64_t axis = getAxis();
  copyAll(loops, input, result);
  loops.each(loops.dims(updates), [&](const Scalars &at) {
    ifInside(loops, indices, at, loops.dim(result, axis), [&](Scalar index) {
      Scalars to = at;
      to[axis] = index;
      storeUpdate(loops, getKind(), updates, at, result, to);
    });
  });
  return success();
}

//===----------------------------------------------------------------------===//
// coat.scatter_nd, coat.gather_nd
//===----------------------------------------------------------------------===//

/// The length of the tuples of indices; fails unless it is static and at most `most`.
static LogicalResult checkTuples(EmitError emitError, RankedTensorType indices, int64_t most) {
  int64_t length = indices.getRank() ? indices.getShape().back() : -1;
  if (isIndexElement(indices.getElementType()) && length >= 0 && length <= most)
    return success();
  return emitError() << "expected i32 or i64 tuples of up to " << most << " indices, got " << indices;
}

/// The element of `memref` that tuple `at` of `indices` and the indices `rest` name, behind those of the batch, and
/// whether there is one.
static std::pair<Scalars, Scalar> elementOf(ScalarLoops &loops, Value memref, Value indices, ArrayRef<Scalar> batch,
                                            ArrayRef<Scalar> at, ArrayRef<Scalar> rest) {
  Scalars where(at), element(batch);
  Scalar inside = truth(loops, true);
  where.push_back(Scalar());
  for (int64_t i = 0; i < cast<MemRefType>(indices.getType()).getShape().back(); ++i) {
    where.back() = loops.index(i);
    Scalar size = loops.dim(memref, element.size());
    Scalar index = fromFront(loops.toIndex(loops.load(indices, where)), size);
    inside = inside && index >= 0.0 && index < size;
    element.push_back(index);
  }
  llvm::append_range(element, rest);
  return {element, inside};
}

LogicalResult ScatterNDOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType input = tensorType(op.getInput()), indices = tensorType(op.getIndices()),
                   updates = tensorType(op.getUpdates());
  if (failed(checkTuples(emitError, indices, input.getRank()))) // C1
    return failure();
  SmallVector<int64_t> shape(indices.getShape().drop_back());
  llvm::append_range(shape, input.getShape().drop_front(indices.getShape().back()));
  if (failed(verifyCompatibleShape(shape, updates.getShape()))) // C2
    return emitError() << "expected updates of shape " << formatShape(shape) << ", got "
                       << formatShape(updates.getShape());
  return checkUpdates(emitError, op.getKind(), input, updates); // C3
}

LogicalResult ScatterNDOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<ScatterNDOp>(context, location, op)))
    return failure();
  types.push_back(op.getInput().getType());
  return success();
}

LogicalResult ScatterNDOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(builder, getLoc(), getInput()));
  return success();
}

int64_t ScatterNDOp::getFlops() { return getKind() == ScatterKind::replace ? 0 : elementCount(getUpdates().getType()); }

LogicalResult ScatterNDOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], indices = in[1], updates = in[2], result = out[0];
  int64_t leading = cast<MemRefType>(indices.getType()).getRank() - 1;
  copyAll(loops, input, result);
  loops.each(loops.dims(updates), [&](const Scalars &at) {
    ArrayRef<Scalar> all = at;
    auto [to, inside] = elementOf(loops, result, indices, {}, all.take_front(leading), all.drop_front(leading));
    loops.ifTrue(inside, [&, to = to] { storeUpdate(loops, getKind(), updates, at, result, to); });
  });
  return success();
}

LogicalResult GatherNDOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType input = tensorType(op.getInput()), indices = tensorType(op.getIndices());
  int64_t batch = op.getBatchDims();
  if (batch < 0 || batch >= indices.getRank() || batch > input.getRank() ||
      failed(verifyCompatibleShape(input.getShape().take_front(batch), indices.getShape().take_front(batch)))) // C2
    return emitError() << "expected " << batch << " leading dimensions that input and indices share, got " << input
                       << " and " << indices;
  return checkTuples(emitError, indices, input.getRank() - batch); // C1
}

LogicalResult GatherNDOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                           SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<GatherNDOp>(context, location, op)))
    return failure();
  RankedTensorType input = tensorType(op.getInput()), indices = tensorType(op.getIndices());
  SmallVector<int64_t> shape(indices.getShape().drop_back());
  llvm::append_range(shape, input.getShape().drop_front(op.getBatchDims() + indices.getShape().back()));
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

LogicalResult GatherNDOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  RankedTensorType indices = tensorType(getIndices());
  int64_t leading = indices.getRank() - 1, skipped = getBatchDims() + indices.getShape().back();
  shapes.push_back(reifySizes(builder, getLoc(), getType(), [&](int64_t dim) {
    return dim < leading ? tensor::getMixedSize(builder, getLoc(), getIndices(), dim)
                         : tensor::getMixedSize(builder, getLoc(), getInput(), dim - leading + skipped);
  }));
  return success();
}

int64_t GatherNDOp::getFlops() { return 0; }

LogicalResult GatherNDOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], indices = in[1], result = out[0];
  int64_t leading = cast<MemRefType>(indices.getType()).getRank() - 1;
  loops.eachResult(result, {}, [&](const Scalars &at) {
    ArrayRef<Scalar> all = at;
    auto [from, inside] = elementOf(loops, input, indices, all.take_front(getBatchDims()), all.take_front(leading),
                                    all.drop_front(leading));
    Type type = ScalarLoops::computeType(cast<MemRefType>(input.getType()).getElementType());
    Scalar element = loops.ifElse(
        inside, [&, from = from] { return loops.load(input, from); }, [&] { return loops.number(0, type); });
    loops.store(element, result, at);
  });
  return success();
}
