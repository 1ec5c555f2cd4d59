// Ops that pick or place elements by index or by order: formula ops.
#include "coat/Dialect/IndexOps.h"
#include "Shapes.h"
#include "coat/Dialect/ScalarLoops.h"

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

/// Copies every element.
static void copyAll(ScalarLoops &loops, Value from, Value to) {
  loops.each(loops.dims(to), [&](const Scalars &at) { loops.storeElement(loops.loadElement(from, at), to, at); });
}

/// Runs `body` with the index that element `at` of `indices` names in a dimension of `size` elements, where there is one.
static void ifInside(ScalarLoops &loops, Value indices, const Scalars &at, Scalar size,
                     llvm::function_ref<void(Scalar)> body) {
  Scalar index = loops.toIndex(loops.load(indices, at));
  index = select(index < 0.0, index + size, index);
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

//===----------------------------------------------------------------------===//
// coat.scatter_elements
//===----------------------------------------------------------------------===//

LogicalResult ScatterElementsOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType input = tensorType(op.getInput()), indices = tensorType(op.getIndices()),
                   updates = tensorType(op.getUpdates());
  int64_t axis = op.getAxis(), rank = input.getRank();
  if (failed(checkAxis(emitError, axis, rank))) // C1
    return failure();
  Type indexType = indices.getElementType();
  bool isIndex = indexType.isSignlessInteger(32) || indexType.isSignlessInteger(64);
  if (!isIndex || indices.getRank() != rank || failed(verifyCompatibleShape(indices, updates))) // C2
    return emitError() << "expected i32 or i64 indices of the shape of updates and rank " << rank << ", got " << indices
                       << " and " << updates;
  if (input.getElementType() != updates.getElementType() ||
      (op.getKind() != ScatterKind::replace && input.getElementType().isInteger(1))) // C3
    return emitError() << "expected one numeric element type, got " << input.getElementType() << " and "
                       << updates.getElementType();
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

int64_t ScatterElementsOp::getFlops() { return getKind() == ScatterKind::replace ? 0 : elementCount(getUpdates().getType()); }

LogicalResult ScatterElementsOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], indices = in[1], updates = in[2], result = out[0];
  int64_t axis = getAxis();
  copyAll(loops, input, result);
  loops.each(loops.dims(updates), [&](const Scalars &at) {
    ifInside(loops, indices, at, loops.dim(result, axis), [&](Scalar index) {
      Scalars to = at;
      to[axis] = index;
      if (getKind() == ScatterKind::replace)
        loops.storeElement(loops.loadElement(updates, at), result, to);
      else
        loops.store(combine(getKind(), loops.load(result, to), loops.load(updates, at)), result, to);
    });
  });
  return success();
}
