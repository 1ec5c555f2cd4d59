// Ops along one dimension whose order matters: TopK, ReverseSequence, CumSum and CumProd.
#include "Indices.h"
#include "coat/Dialect/IndexOps.h"

using namespace mlir;
using namespace coat;

//===----------------------------------------------------------------------===//
// coat.top_k
//===----------------------------------------------------------------------===//

LogicalResult TopKOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType input = tensorType(op.getInput());
  int64_t axis = op.getAxis(), k = op.getK();
  if (failed(checkAxis(emitError, axis, input.getRank()))) // C1
    return failure();
  int64_t size = input.getDimSize(axis);
  if (k < 0 || (!ShapedType::isDynamic(size) && k > size)) // C2
    return emitError() << "expected a k of 0 to " << size << ", got " << k;
  return checkNumeric(emitError, op.getInput()); // C3
}

LogicalResult TopKOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                       SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<TopKOp>(context, location, op)))
    return failure();
  RankedTensorType input = tensorType(op.getInput());
  SmallVector<int64_t> shape(input.getShape());
  shape[op.getAxis()] = op.getK();
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  types.push_back(RankedTensorType::get(shape, IntegerType::get(context, 64)));
  return success();
}

LogicalResult TopKOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, getLoc(), getInput());
  sizes[getAxis()] = builder.getIndexAttr(getK());
  shapes.assign(2, sizes);
  return success();
}

int64_t TopKOp::getFlops() { return elementCount(getInput().getType()); }

/// Each element is put into the list of the best so far, behind those that are as good, while it is better than the
/// last or the list has room.
LogicalResult TopKOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], values = out[0], indices = out[1];
  int64_t axis = getAxis();
  auto better = [&](Scalar a, Scalar b) { return getSmallest() ? a < b : a > b; };
  loops.eachResult(values, axis, [&](const Scalars &at) {
    auto place = [&](Scalar i) {
      Scalars to = at;
      to[axis] = i;
      return to;
    };
    if (getK() == 0)
      return;
    Scalar k = loops.index(getK()), last = loops.index(getK() - 1);
    loops.each({loops.dim(input, axis)}, [&](const Scalars &position) {
      Scalar x = loops.load(input, place(position[0])), filled = min(position[0], k);
      Scalar taken = loops.ifElse(
          filled < k, [&] { return truth(loops, true); }, [&] { return better(x, loops.load(values, place(last))); });
      loops.ifTrue(taken, [&] {
        Scalar to = loops.accumulate({loops.upTo(filled)}, {loops.index(0)}, [&](const Scalars &i, const Scalars &n) {
          return Scalars{select(better(x, loops.load(values, place(i[0]))), n[0], n[0] + 1)};
        })[0];
        Scalar end = min(filled, last);
        loops.each({end - to}, [&](const Scalars &i) {
          Scalar from = end - 1 - i[0];
          loops.store(loops.load(values, place(from)), values, place(from + 1));
          loops.store(loops.load(indices, place(from)), indices, place(from + 1));
        });
        loops.store(x, values, place(to));
        loops.store(toInteger(loops, position[0]), indices, place(to));
      });
    });
  });
  return success();
}

//===----------------------------------------------------------------------===//
// coat.reverse_sequence
//===----------------------------------------------------------------------===//

LogicalResult ReverseSequenceOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType input = tensorType(op.getInput()), lengths = tensorType(op.getLengths());
  int64_t time = op.getTimeAxis(), batch = op.getBatchAxis();
  if (failed(checkAxis(emitError, time, input.getRank())) || failed(checkAxis(emitError, batch, input.getRank())))
    return failure();
  if (time == batch) // C1
    return emitError() << "expected two dimensions for time and batch, got " << time << " for both";
  if (lengths.getRank() != 1 || !isIndexElement(lengths.getElementType()) ||
      !sizesAgree(lengths.getDimSize(0), input.getDimSize(batch))) // C2
    return emitError() << "expected " << input.getDimSize(batch) << " lengths of i32 or i64, got " << lengths;
  return success();
}

LogicalResult ReverseSequenceOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                                  SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<ReverseSequenceOp>(context, location, op)))
    return failure();
  types.push_back(op.getInput().getType());
  return success();
}

LogicalResult ReverseSequenceOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(builder, getLoc(), getInput()));
  return success();
}

int64_t ReverseSequenceOp::getFlops() { return 0; }

LogicalResult ReverseSequenceOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], lengths = in[1], result = out[0];
  loops.eachResult(result, {}, [&](const Scalars &at) {
    Scalar time = at[getTimeAxis()], length = loops.toIndex(loops.load(lengths, {at[getBatchAxis()]}));
    length = min(length, loops.dim(input, getTimeAxis()));
    Scalars from = at;
    from[getTimeAxis()] = select(time < length, length - 1 - time, time);
    loops.storeElement(loops.loadElement(input, from), result, at);
  });
  return success();
}

//===----------------------------------------------------------------------===//
// coat.cumulate
//===----------------------------------------------------------------------===//

LogicalResult CumulateOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType axis = tensorType(op.getAxis());
  if (failed(checkIndexVector(emitError, "axis", op.getAxis())))
    return failure();
  if (axis.getNumElements() != 1) // C1
    return emitError() << "expected one axis, got " << axis;
  return checkNumeric(emitError, op.getInput()); // C2
}

LogicalResult CumulateOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                           SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<CumulateOp>(context, location, op)))
    return failure();
  types.push_back(op.getInput().getType());
  return success();
}

LogicalResult CumulateOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(builder, getLoc(), getInput()));
  return success();
}

int64_t CumulateOp::getFlops() { return elementCount(getType()); }

LogicalResult CumulateOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], result = out[0];
  auto type = cast<MemRefType>(input.getType());
  Scalars first(cast<MemRefType>(in[1].getType()).getRank(), loops.index(0));
  Scalar axis = fromFront(loops.toIndex(loops.load(in[1], first)), loops.index(type.getRank()));
  Scalar begin = loops.number(getProduct(), ScalarLoops::computeType(type.getElementType()));
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    loops.ifTrue(axis == loops.index(dim), [&] {
      eachExcept(loops, result, dim, [&](const Scalars &row) {
        Scalar size = loops.dim(input, dim);
        loops.accumulate({loops.upTo(size)}, {begin}, [&](const Scalars &step, const Scalars &total) {
          Scalars at = row;
          at[dim] = getReverse() ? size - 1 - step[0] : step[0];
          Scalar x = loops.load(input, at), next = getProduct() ? total[0] * x : total[0] + x;
          loops.store(getExclusive() ? total[0] : next, result, at);
          return Scalars{next};
        });
      });
    });
  return success();
}
