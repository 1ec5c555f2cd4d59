// coat.col2im: each element of the image collects what the windows over it hold there.
#include "Shapes.h"
#include "coat/Dialect/SamplingOps.h"
#include "coat/Dialect/ScalarLoops.h"

using namespace mlir;
using namespace coat;

/// Number of windows along each dimension.
static SmallVector<int64_t> windowCounts(Col2ImOp::Adaptor op) {
  SmallVector<int64_t> counts;
  for (auto [i, size] : llvm::enumerate(op.getImage()))
    counts.push_back(windowAt(i, op.getKernel()[i], op.getStrides(), op.getDilations(), op.getPads()).count(size));
  return counts;
}

LogicalResult Col2ImOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType input = tensorType(op.getInput());
  if (input.getRank() != 3) // C1
    return emitError() << "expected an input of rank 3, got " << input;
  int64_t spatial = op.getImage().size();
  if (failed(checkEntries(emitError, "image", op.getImage(), std::max<int64_t>(spatial, 1), 1)) || // C2
      failed(checkEntries(emitError, "kernel", op.getKernel(), spatial, 1)) ||
      failed(checkEntries(emitError, "strides", op.getStrides(), spatial, 1)) ||
      failed(checkEntries(emitError, "dilations", op.getDilations(), spatial, 1)) ||
      failed(checkEntries(emitError, "pads", op.getPads(), 2 * spatial, 0)))
    return failure();
  SmallVector<int64_t> counts = windowCounts(op);
  if (failed(checkPositive(emitError, counts))) // C3
    return failure();
  int64_t taps = llvm::product_of(op.getKernel()), columns = llvm::product_of(counts);
  if (ShapedType::isDynamic(input.getDimSize(1)) || input.getDimSize(1) % taps != 0 ||
      !sizesAgree(input.getDimSize(2), columns)) // C3
    return emitError() << "expected channels in multiples of " << taps << " and " << columns << " columns, got "
                       << input;
  if (input.getElementType().isInteger(1)) // C4
    return emitError() << "expected a numeric element type, got i1";
  return success();
}

LogicalResult Col2ImOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<Col2ImOp>(context, location, op)))
    return failure();
  RankedTensorType input = tensorType(op.getInput());
  SmallVector<int64_t> shape = {input.getDimSize(0), input.getDimSize(1) / llvm::product_of(op.getKernel())};
  llvm::append_range(shape, op.getImage());
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

LogicalResult Col2ImOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifySizes(builder, getLoc(), getType(), // only the batch can be symbolic
                              [&](int64_t dim) { return tensor::getMixedSize(builder, getLoc(), getInput(), dim); }));
  return success();
}

int64_t Col2ImOp::getFlops() { return elementCount(getInput().getType()); }

/// A row-major position.
static Scalar flatten(Scalar outer, ArrayRef<Scalar> indices, ArrayRef<int64_t> sizes) {
  for (auto [index, size] : llvm::zip(indices, sizes))
    outer = outer * double(size) + index;
  return outer;
}

LogicalResult Col2ImOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  SmallVector<int64_t> counts = windowCounts(Adaptor(*this));
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    auto ranges = llvm::map_to_vector(getKernel(), [&](int64_t size) { return loops.upTo(loops.index(size)); });
    Type type = ScalarLoops::computeType(tensorType(getInput()).getElementType());
    auto collect = [&](const Scalars &tap, const Scalars &sums) -> Scalars {
      Scalars window;
      Scalar isThere;
      for (auto [i, k] : llvm::enumerate(tap)) {
        Scalar from = at[2 + i] + double(getPads()[i]) - k * double(getDilations()[i]);
        Scalar number = from / double(getStrides()[i]);
        Scalar fits = from >= 0.0 && from % double(getStrides()[i]) == 0.0 && number < double(counts[i]);
        isThere = isThere.value ? isThere && fits : fits;
        window.push_back(number);
      }
      Scalar element = loops.ifElse(
          isThere,
          [&] {
            return loops.load(in[0],
                              {at[0], flatten(at[1], tap, getKernel()), flatten(loops.index(0), window, counts)});
          },
          [&] { return loops.number(0, type); });
      return {sums[0] + element};
    };
    loops.store(loops.accumulate(ranges, {loops.number(0, type)}, collect)[0], out[0], at);
  });
  return success();
}
