// Ops that only move elements: for each element of the result, where it comes from.
#include "Formulas.h"

using namespace mlir;
using namespace coat;

/// Copies an element as it is.
static void move(ScalarLoops &loops, Value from, const Scalars &fromIndices, Value to, const Scalars &toIndices) {
  loops.storeElement(loops.loadElement(from, fromIndices), to, toIndices);
}

void formulas::writeCopy(ScalarLoops &loops, Value in, Value out) {
  loops.eachResult(out, {}, [&](const Scalars &at) { move(loops, in, at, out, at); });
}

LogicalResult formulas::write(ScalarLoops &loops, TransposeOp op, TransposeOp::Adaptor in, ValueRange out) {
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    Scalars from(at.size());
    for (auto [i, source] : llvm::enumerate(op.getPermutation()))
      from[source] = at[i];
    move(loops, in.getInput(), from, out[0], at);
  });
  return success();
}

LogicalResult formulas::write(ScalarLoops &loops, BroadcastOp op, BroadcastOp::Adaptor in, ValueRange out) {
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    move(loops, in.getInput(), loops.broadcastIndices(in.getInput(), at), out[0], at);
  });
  return success();
}

/// The input index of a padded position, for the modes that repeat elements.
static Scalar repeated(PadMode mode, Scalar position, Scalar size) {
  Scalar last = size - 1.0, zero = position.constant(0);
  switch (mode) {
  case PadMode::edge:
    return clamp(position, zero, last);
  case PadMode::wrap:
    return (position % size + size) % size;
  case PadMode::reflect: {
    Scalar fromStart = abs(position);
    return last - abs(last - fromStart);
  }
  case PadMode::constant:
    return position;
  }
  llvm_unreachable("unknown padding");
}

LogicalResult formulas::write(ScalarLoops &loops, PadOp op, PadOp::Adaptor in, ValueRange out) {
  Type type = op.getInput().getType().getElementType();
  double value = op.getValue().convertToDouble();
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    Scalars from;
    Scalar isInside = {loops, loops.number(1, loops.builder.getI1Type())};
    for (auto [i, index] : llvm::enumerate(at)) {
      Scalar size = loops.dim(in.getInput(), i), position = index - op.getLow()[i];
      from.push_back(repeated(op.getMode(), position, size));
      isInside = isInside && position >= 0.0 && position < size;
    }
    if (op.getMode() != PadMode::constant)
      return move(loops, in.getInput(), from, out[0], at);
    Scalar filling = loops.number(isa<FloatType>(type) ? value : std::round(value), ScalarLoops::computeType(type));
    loops.store(
        loops.ifElse(isInside, [&] { return loops.load(in.getInput(), from); }, [&] { return filling; }), out[0], at);
  });
  return success();
}

LogicalResult formulas::write(ScalarLoops &loops, GatherOp op, GatherOp::Adaptor in, ValueRange out) {
  int64_t axis = op.getAxis(), indexRank = op.getIndices().getType().getRank();
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    Scalars position = at;
    if (!op.getElementwise())
      position = Scalars(at.begin() + axis, at.begin() + axis + indexRank);
    Scalar size = loops.dim(in.getInput(), axis);
    Scalar index = loops.toIndex(loops.load(in.getIndices(), position));
    index = clamp(select(index < 0.0, index + size, index), loops.index(0), size - 1.0);
    Scalars from = at;
    if (!op.getElementwise()) {
      from.erase(from.begin() + axis, from.begin() + axis + indexRank);
      from.insert(from.begin() + axis, index);
    }
    from[axis] = index;
    move(loops, in.getInput(), from, out[0], at);
  });
  return success();
}

LogicalResult formulas::write(ScalarLoops &loops, tensor::ConcatOp op, tensor::ConcatOp::Adaptor in, ValueRange out) {
  int64_t axis = op.getDim();
  loops.eachResult(out[0], {axis}, [&](Scalars at) {
    Scalar offset = loops.index(0);
    for (Value input : in.getInputs()) {
      Scalar size = loops.dim(input, axis);
      loops.each({size}, [&](const Scalars &i) {
        Scalars from = at;
        from[axis] = i[0];
        at[axis] = offset + i[0];
        move(loops, input, from, out[0], at);
      });
      offset = offset + size;
    }
  });
  return success();
}

LogicalResult formulas::writeSlice(ScalarLoops &loops, tensor::ExtractSliceOp op, ValueRange in, Value out) {
  llvm::SmallBitVector dropped = op.getDroppedDims();
  size_t nextDynamic = 1;
  auto number = [&](OpFoldResult value) {
    if (auto constant = getConstantIntValue(value))
      return loops.index(*constant);
    return loops.dim(in[nextDynamic++], 0);
  };
  Scalars offsets = llvm::map_to_vector(op.getMixedOffsets(), number);
  Scalars strides = llvm::map_to_vector(op.getMixedStrides(), number);
  loops.eachResult(out, {}, [&](const Scalars &at) {
    Scalars from;
    size_t nextKept = 0;
    for (auto [i, offset] : llvm::enumerate(offsets))
      from.push_back(dropped.test(i) ? offset : offset + at[nextKept++] * strides[i]);
    move(loops, in[0], from, out, at);
  });
  return success();
}
