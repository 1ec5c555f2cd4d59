// See Contraction.h.
#include "Contraction.h"
#include "coat/Dialect/Coat.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/STLExtras.h"
#include <numeric>

using namespace mlir;
using namespace coat;

int64_t coat::sizeOf(ArrayRef<Digit> digits) {
  int64_t size = 1;
  for (const Digit &digit : digits)
    size *= digit.size;
  return size;
}

int64_t coat::offsetOf(BlockArgument argument) {
  auto [strides, offset] = cast<MemRefType>(argument.getType()).getStridesAndOffset();
  if (!ShapedType::isDynamic(offset))
    return offset;
  // Kernels are shared by launches whose views begin at different places.
  auto kernel = cast<func::FuncOp>(argument.getOwner()->getParentOp());
  int64_t divisor = 0, launches = 0;
  kernel->getParentOfType<ModuleOp>().walk([&](LaunchOp launch) {
    if (launch.getKernel() != kernel.getSymName())
      return;
    ++launches;
    Value operand = launch->getOperand(argument.getArgNumber());
    while (auto view = operand.getDefiningOp<memref::CastOp>())
      operand = view.getSource();
    auto [strides, offset] = cast<MemRefType>(operand.getType()).getStridesAndOffset();
    divisor = std::gcd(divisor, ShapedType::isDynamic(offset) ? 1 : offset);
  });
  return launches ? divisor : 1;
}

/// A chain of conversions between floating-point types on one operand, perhaps transposed.
static bool movesOrConverts(linalg::GenericOp op) {
  if (op.getNumReductionLoops() || op.getInputs().size() != 1 || op.getNumResults() != 1)
    return false;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  if (!maps[0].isPermutation() || !maps[1].isIdentity())
    return false;
  Value last = op.getBody()->getArgument(0);
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (!isa<arith::ExtFOp, arith::TruncFOp>(inner) || inner.getOperand(0) != last)
      return false;
    last = inner.getResult(0);
  }
  return op.getBody()->getTerminator()->getOperand(0) == last;
}

FailureOr<Source> coat::findSource(Value tensor) {
  Source source;
  source.narrowest = getElementTypeOrSelf(tensor);
  SmallVector<AffineMap> permutations;
  while (auto generic = tensor.getDefiningOp<linalg::GenericOp>()) {
    if (!movesOrConverts(generic))
      return failure();
    tensor = generic.getInputs().front();
    for (Operation &op : generic.getBody()->without_terminator())
      if (Type type = op.getOperand(0).getType();
          type.getIntOrFloatBitWidth() < source.narrowest.getIntOrFloatBitWidth())
        source.narrowest = type;
    permutations.push_back(generic.getIndexingMapsArray().front());
  }
  auto read = tensor.getDefiningOp<bufferization::ToTensorOp>();
  auto argument = read ? dyn_cast<BlockArgument>(read.getBuffer()) : BlockArgument();
  auto type = argument ? dyn_cast<MemRefType>(argument.getType()) : MemRefType();
  if (!type || !type.hasStaticShape() || failed(type.getStridesAndOffset(source.strides, source.offset)) ||
      llvm::any_of(source.strides, ShapedType::isDynamic))
    return failure();
  int64_t last = 0; // steps are counted in 32 bits
  for (auto [size, stride] : llvm::zip(type.getShape(), source.strides))
    last += (size - 1) * stride;
  if (last > std::numeric_limits<int32_t>::max())
    return failure();
  source.offset = offsetOf(argument);
  source.argument = argument.getArgNumber();
  source.memory = type.getElementType();
  source.shape.assign(type.getShape().begin(), type.getShape().end());
  for (AffineMap map : llvm::reverse(permutations)) {
    SmallVector<int64_t> shape(source.shape), strides(source.strides);
    for (auto [i, expr] : llvm::enumerate(map.getResults())) {
      unsigned dim = cast<AffineDimExpr>(expr).getPosition();
      source.shape[dim] = shape[i];
      source.strides[dim] = strides[i];
    }
  }
  return source;
}

//===----------------------------------------------------------------------===//
// Digits
//===----------------------------------------------------------------------===//

void coat::simplify(Digits &digits) {
  Digits joined;
  for (const Digit &digit : digits) {
    if (digit.size == 1)
      continue;
    if (!joined.empty() && joined.back().window < 0 && digit.window < 0 &&
        joined.back().stride == digit.stride * digit.size) {
      joined.back() = {joined.back().size * digit.size, digit.stride};
      continue;
    }
    joined.push_back(digit);
  }
  if (joined.empty())
    joined.push_back({1, 0});
  digits = joined;
}

/// The longest run of elements along the last digit of `along` that is aligned wherever it starts: a divisor of all
/// strides.
static int64_t runAlong(const ProductOperand &operand, const Digits &along) {
  const Digit &dense = along.back();
  if (dense.stride != 1 || (dense.window >= 0 && dense.step))
    return 1;
  int64_t most = 16 / (operand.memory.getIntOrFloatBitWidth() / 8);
  int64_t run = std::gcd(most, std::gcd(dense.size, operand.offset));
  for (const Digits *digits : {&operand.batch, &operand.outer, &operand.inner})
    for (const Digit &digit : *digits)
      if (&digit != &dense)
        run = std::gcd(run, digit.stride);
  return run;
}

void coat::finish(ProductOperand &operand, int64_t pointerOffset) {
  for (Digits *digits : {&operand.batch, &operand.outer, &operand.inner})
    simplify(*digits);
  operand.offset += pointerOffset; // for alignment only: the pointer contains it
  int64_t inner = runAlong(operand, operand.inner), outer = runAlong(operand, operand.outer);
  operand.innerIsDense = inner >= outer;
  operand.run = std::max(inner, outer);
  operand.offset -= pointerOffset;
}

static ProductOperand operandOf(const Source &source) {
  ProductOperand operand;
  operand.argument = source.argument;
  operand.memory = source.memory;
  return operand;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static FailureOr<Contraction> contractionOf(MatmulOp op) {
  if (op.getFilterLayout() != FilterLayout::plain)
    return failure();
  FailureOr<Source> left = findSource(op.getLhs()), right = findSource(op.getRhs());
  if (failed(left) || failed(right))
    return failure();
  auto shape = cast<RankedTensorType>(op.getResult().getType()).getShape();
  Contraction c;
  c.root = op;
  c.m = shape[shape.size() - 2];
  c.n = shape.back();
  auto fill = [&](ProductOperand &operand, const Source &source, bool innerFirst) {
    int64_t rank = source.shape.size();
    int64_t inner = innerFirst ? rank - 2 : rank - 1, outer = innerFirst ? rank - 1 : rank - 2;
    operand = operandOf(source);
    operand.inner = {{source.shape[inner], source.strides[inner]}};
    operand.outer = {{source.shape[outer], source.strides[outer]}};
    for (int64_t i = 0, batches = shape.size() - 2; i < batches; ++i) {
      int64_t dim = i - (batches - (rank - 2));
      bool moves = dim >= 0 && source.shape[dim] != 1;
      operand.batch.push_back({shape[i], moves ? source.strides[dim] : 0});
    }
  };
  fill(c.left, *left, op.getTransposeLhs());
  fill(c.right, *right, !op.getTransposeRhs());
  c.k = c.left.inner.front().size;
  c.batch = sizeOf(c.left.batch);
  c.batchRows = c.m;
  c.bias = op.getBias();
  // A right-hand side that all batches share: they are rows of one product.
  if (llvm::all_of(c.right.batch, [](const Digit &digit) { return digit.stride == 0 || digit.size == 1; })) {
    c.left.outer.insert(c.left.outer.begin(), c.left.batch.begin(), c.left.batch.end());
    c.left.batch.clear();
    c.right.batch.clear();
    c.m *= c.batch;
    c.batch = 1;
  }
  finish(c.left, left->offset);
  finish(c.right, right->offset);
  return c;
}

static FailureOr<Contraction> contractionOf(ConvOp op) {
  FailureOr<Source> input = findSource(op.getInput()), filter = findSource(op.getFilter());
  if (op.getFilterLayout() != FilterLayout::plain || failed(input) || failed(filter))
    return failure();
  auto shape = cast<RankedTensorType>(op.getResult().getType()).getShape();
  coat::DataLayout layout = op.getDataLayout();
  if (layout != coat::DataLayout::channels_last &&
      !llvm::all_of(shape.drop_front(2), [](int64_t size) { return size == 1; }))
    return failure();
  int64_t rank = shape.size(), channel = channelDim(layout, rank), group = op.getGroup();
  int64_t channels = input->shape[channel] / group;
  Contraction c;
  c.root = op;
  c.batch = group;
  c.n = shape[channel] / group;
  c.m = shape[0];
  c.k = channels;
  c.batchColumns = c.n;
  c.bias = op.getBias();
  c.left = operandOf(*input);
  c.right = operandOf(*filter);
  c.left.outer = {{shape[0], input->strides[0]}};
  for (int64_t i = 0; i < rank - 2; ++i) {
    int64_t dim = spatialDim(layout, i), stride = input->strides[dim], taps = filter->shape[2 + i];
    int64_t step = op.getStrides()[i], dilation = op.getDilations()[i];
    int64_t before = op.getPads()[i], after = op.getPads()[rank - 2 + i];
    int64_t window = -1;
    if (before || after) {
      window = c.left.windows.size();
      c.left.windows.push_back({input->shape[dim], before});
    }
    c.left.outer.push_back({shape[dim], step * stride, window, window < 0 ? 0 : step});
    c.left.inner.push_back({taps, dilation * stride, window, window < 0 ? 0 : dilation});
    c.left.offset -= before * stride;
    c.right.inner.push_back({taps, filter->strides[2 + i]});
    c.m *= shape[dim];
    c.k *= taps;
  }
  c.left.inner.push_back({channels, input->strides[channel]});
  c.right.inner.push_back({channels, filter->strides[1]});
  c.left.batch = {{group, channels * input->strides[channel]}};
  c.right.outer = {{c.n, filter->strides[0]}};
  c.right.batch = {{group, c.n * filter->strides[0]}};
  finish(c.left, input->offset);
  finish(c.right, filter->offset);
  return c;
}

FailureOr<Contraction> coat::findContraction(func::FuncOp kernel) {
  Operation *root = nullptr;
  for (Operation &op : kernel.getBody().front())
    if (isa<ConvOp, MatmulOp>(op)) {
      if (root)
        return failure();
      root = &op;
    }
  if (!root)
    return failure();
  auto conv = dyn_cast<ConvOp>(root);
  FailureOr<Contraction> c = conv ? contractionOf(conv) : contractionOf(cast<MatmulOp>(root));
  if (failed(c))
    return failure();
  auto narrowest = [&](Value operand) { return findSource(operand)->narrowest; };
  Type left = narrowest(root->getOperand(0)), right = narrowest(root->getOperand(1));
  c->type = left == right ? left : Float32Type::get(kernel.getContext());
  if (!c->type.isF16() && !c->type.isBF16() && !c->type.isF32())
    return failure();
  if (!left.isF32() && !left.isF16() && !left.isBF16())
    return failure();
  if (!getElementTypeOrSelf(root->getResult(0)).isF32())
    return failure();
  return c;
}
