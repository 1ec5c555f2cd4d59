// Ops that read an image at computed positions: grid_sample, deform_columns. Regions are in RoiOps.cpp, col2im in
// Col2Im.cpp.
#include "coat/Dialect/SamplingOps.h"
#include "Interpolation.h"
#include "Shapes.h"

using namespace mlir;
using namespace coat;

#define GET_OP_CLASSES
#include "coat/Dialect/SamplingOps.cpp.inc"

void CoatDialect::addSamplingOps() {
  addOperations<
#define GET_OP_LIST
#include "coat/Dialect/SamplingOps.cpp.inc"
      >();
}

/// Elements that one interpolation in `dimensions` dimensions reads.
static int64_t neighbours(ResizeMode mode, int64_t dimensions) {
  int64_t taps = mode == ResizeMode::nearest ? 1 : mode == ResizeMode::linear ? 2 : 4, count = 1;
  while (dimensions-- > 0)
    count *= taps;
  return count;
}

/// The interpolated value of `input` at the corners, whose indices stand between `before` and `after`.
static Scalar interpolate(ScalarLoops &loops, Value input, ArrayRef<Corner> corners, const Scalars &before,
                          const Scalars &after) {
  Scalar sum;
  for (const Corner &corner : corners) {
    Scalars at = before;
    llvm::append_range(at, corner.indices);
    llvm::append_range(at, after);
    Scalar term = weighted(corner, loops.load(input, at));
    sum = sum.value ? sum + term : term;
  }
  return sum;
}

//===----------------------------------------------------------------------===//
// coat.grid_sample
//===----------------------------------------------------------------------===//

LogicalResult GridSampleOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType input = tensorType(op.getInput()), grid = tensorType(op.getGrid());
  int64_t rank = input.getRank();
  if (rank < 3 || rank > 5) // C1
    return emitError() << "expected an input of 1 to 3 spatial dimensions, got " << input;
  if (llvm::is_contained(input.getShape().drop_front(2), 0)) // C1
    return emitError() << "expected spatial dimensions that are not empty, got " << input;
  if (grid.getRank() != rank || !sizesAgree(grid.getDimSize(0), input.getDimSize(0)) ||
      grid.getDimSize(rank - 1) != rank - 2) // C2
    return emitError() << "expected a grid of the input's rank and batch size with " << rank - 2
                       << " coordinates a position, got " << grid << " for " << input;
  if (failed(checkFloat(emitError, input)) || failed(checkFloat(emitError, grid))) // C3
    return failure();
  if (op.getPadding() == PadMode::wrap) // C4
    return emitError() << "expected padding constant, edge or reflect, got wrap";
  return success();
}

LogicalResult GridSampleOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                             SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<GridSampleOp>(context, location, op)))
    return failure();
  RankedTensorType input = tensorType(op.getInput());
  SmallVector<int64_t> shape(input.getShape().take_front(2));
  llvm::append_range(shape, tensorType(op.getGrid()).getShape().drop_front().drop_back());
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

LogicalResult GridSampleOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifySizes(builder, getLoc(), getType(), [&](int64_t dim) {
    return dim < 2 ? tensor::getMixedSize(builder, getLoc(), getInput(), dim)
                   : tensor::getMixedSize(builder, getLoc(), getGrid(), dim - 1);
  }));
  return success();
}

int64_t GridSampleOp::getFlops() {
  return 2 * elementCount(getType()) * neighbours(getMode(), tensorType(getInput()).getRank() - 2);
}

/// A coordinate from -1 to 1 as a position among `size` elements.
static Scalar positionOf(Scalar coordinate, Scalar size, bool alignCorners) {
  Scalar length = coordinate.loops->toFloat(size, coordinate.type());
  if (alignCorners)
    return (coordinate + 1) / 2 * (length - 1);
  return ((coordinate + 1) * length - 1) / 2;
}

LogicalResult GridSampleOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], grid = in[1];
  Scalars inputSizes = loops.dims(input), sizes = loops.dims(out[0]);
  int64_t spatial = sizes.size() - 2;
  loops.parallel({sizes[0], sizes[2]}, [&](const Scalars &outer) {
    loops.each(ArrayRef(sizes).drop_front(3), [&](const Scalars &inner) {
      Scalars place = {outer[1]};
      llvm::append_range(place, inner);
      SmallVector<Taps> taps;
      for (int64_t i = 0; i < spatial; ++i) {
        Scalars at = {outer[0]};
        llvm::append_range(at, place);
        at.push_back(loops.index(spatial - 1 - i));
        Scalar x = positionOf(loops.load(grid, at), inputSizes[2 + i], getAlignCorners());
        taps.push_back(tapsAt(x, inputSizes[2 + i], getMode(), getPadding(), getAlignCorners()));
      }
      SmallVector<Corner> corners = cornersOf(taps);
      Type type = ScalarLoops::computeType(tensorType(getInput()).getElementType());
      for (Corner &corner : corners)
        corner.weight = loops.toFloat(corner.weight, type);
      loops.each(sizes[1], [&](const Scalars &channel) {
        Scalars to = {outer[0], channel[0]};
        llvm::append_range(to, place);
        loops.store(interpolate(loops, input, corners, {outer[0], channel[0]}, {}), out[0], to);
      });
    });
  });
  return success();
}

//===----------------------------------------------------------------------===//
// coat.deform_columns
//===----------------------------------------------------------------------===//

/// Sizes of the result's windows, one a spatial dimension.
static SmallVector<int64_t> deformedSizes(DeformColumnsOp::Adaptor op) {
  SmallVector<int64_t> sizes;
  for (auto [i, kernel] : llvm::enumerate(op.getKernel()))
    sizes.push_back(windowAt(i, kernel, op.getStrides(), op.getDilations(), op.getPads())
                        .count(tensorType(op.getInput()).getDimSize(1 + i)));
  return sizes;
}

LogicalResult DeformColumnsOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType input = tensorType(op.getInput());
  int64_t spatial = input.getRank() - 2, taps = llvm::product_of(op.getKernel());
  if (spatial < 1 || spatial > 3) // C1
    return emitError() << "expected an input of 1 to 3 spatial dimensions, got " << input;
  if (failed(checkEntries(emitError, "kernel", op.getKernel(), spatial, 1)) || // C2
      failed(checkEntries(emitError, "strides", op.getStrides(), spatial, 1)) ||
      failed(checkEntries(emitError, "dilations", op.getDilations(), spatial, 1)) ||
      failed(checkEntries(emitError, "pads", op.getPads(), 2 * spatial, 0)))
    return failure();
  int64_t channels = input.getDimSize(spatial + 1), groups = op.getGroups();
  if (groups < 1 || ShapedType::isDynamic(channels) || channels % groups != 0) // C3
    return emitError() << "expected groups that divide " << channels << " channels, got " << groups;
  SmallVector<int64_t> sizes = deformedSizes(op);
  if (failed(checkPositive(emitError, sizes)) || failed(checkFloat(emitError, input)) ||
      failed(checkElementTypes(emitError, {op.getInput(), op.getOffset(), op.getMask()}))) // C5
    return failure();
  auto check = [&](StringRef name, Value value, int64_t entries) -> LogicalResult { // C4
    SmallVector<int64_t> expected = {input.getDimSize(0), entries};
    llvm::append_range(expected, sizes);
    if (!value || succeeded(verifyCompatibleShape(expected, tensorType(value).getShape())))
      return success();
    return emitError() << "expected " << name << " of shape " << formatShape(expected) << ", got " << value.getType();
  };
  if (failed(check("offset", op.getOffset(), groups * taps * spatial)))
    return failure();
  return check("mask", op.getMask(), groups * taps);
}

LogicalResult DeformColumnsOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                                SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<DeformColumnsOp>(context, location, op)))
    return failure();
  RankedTensorType input = tensorType(op.getInput());
  SmallVector<int64_t> shape = {input.getDimSize(0)};
  llvm::append_range(shape, deformedSizes(op));
  llvm::append_range(shape, op.getKernel());
  shape.push_back(input.getShape().back());
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

LogicalResult DeformColumnsOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifySizes(builder, getLoc(), getType(), [&](int64_t dim) {
    OpFoldResult size = tensor::getMixedSize(builder, getLoc(), getInput(), dim);
    if (dim == 0)
      return size;
    int64_t i = dim - 1, kernel = getKernel()[i]; // the kernel and the channels are static
    return windowAt(i, kernel, getStrides(), getDilations(), getPads())
        .count(builder, getLoc(), size, builder.getIndexAttr(kernel));
  }));
  return success();
}

int64_t DeformColumnsOp::getFlops() {
  return 2 * elementCount(getType()) * neighbours(ResizeMode::linear, getKernel().size());
}

LogicalResult DeformColumnsOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], offset = in[1], mask = getMask() ? in[2] : Value();
  Scalars inputSizes = loops.dims(input), sizes = loops.dims(out[0]);
  int64_t spatial = getKernel().size(), perGroup = tensorType(getInput()).getShape().back() / getGroups();
  Scalars extents(llvm::drop_end(llvm::drop_begin(sizes, 2)));
  extents.push_back(loops.index(getGroups()));
  loops.parallel({sizes[0], sizes[1]}, [&](const Scalars &outer) {
    loops.each(extents, [&](const Scalars &inner) { // o2.., k1.., group
      Scalars place = {outer[1]}, to = {outer[0], outer[1]};
      llvm::append_range(place, ArrayRef(inner).take_front(spatial - 1));
      llvm::append_range(to, llvm::drop_end(inner));
      ArrayRef<Scalar> kernel = ArrayRef(inner).slice(spatial - 1, spatial);
      Scalar tap = inner.back(); // (group, k1..)
      for (int64_t i = 0; i < spatial; ++i)
        tap = tap * double(getKernel()[i]) + kernel[i];
      auto at = [&](Scalar channel) {
        Scalars indices = {outer[0], channel};
        llvm::append_range(indices, place);
        return indices;
      };
      SmallVector<Taps> taps;
      for (int64_t i = 0; i < spatial; ++i) {
        Scalar moved = loops.load(offset, at(tap * double(spatial) + double(i)));
        Scalar start =
            place[i] * double(getStrides()[i]) + kernel[i] * double(getDilations()[i]) - double(getPads()[i]);
        taps.push_back(tapsAt(loops.toFloat(start, moved.type()) + moved, inputSizes[1 + i], ResizeMode::linear,
                              PadMode::constant, /*alignCorners=*/false));
      }
      SmallVector<Corner> corners = cornersOf(taps);
      if (mask)
        for (Corner &corner : corners)
          corner.weight = corner.weight * loops.load(mask, at(tap));
      loops.each(loops.index(perGroup), [&](const Scalars &channel) {
        Scalar c = inner.back() * double(perGroup) + channel[0];
        Scalars target = to;
        target.push_back(c);
        loops.store(interpolate(loops, input, corners, {outer[0]}, {c}), out[0], target);
      });
    });
  });
  return success();
}
