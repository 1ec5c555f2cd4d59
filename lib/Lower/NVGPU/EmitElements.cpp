// Emitter for any kernel of linalg and tensor ops: a thread computes a few neighbouring elements of the result, with
// all that they are made from (Elements.h).
//
//   %s = linalg.generic {reduction} ins(%a, %b)      if (thread < count) {
//   %r = linalg.generic ins(%s, %bias)          ->     s0..s3 = for (k) s0..s3 + a[i, k] * b[k, j .. j + 3]
//   materialize %r in %o                               o[i, j .. j + 3] = s0..s3 + bias[j .. j + 3] }
//
// No intermediate value is stored, so there is nothing to wait for. What several elements need alike (the sum of a row)
// each thread computes again: rows have an emitter of their own.
#include "Elements.h"
#include "KernelFunction.h"
#include "coat/Dialect/Coat.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace coat;

namespace {
/// The box of elements that a thread computes: `across` neighbours in the last dimension, `down` in dimension `dim`.
struct ThreadBox {
  int64_t across = 1, down = 1;
  size_t dim = 0;
};

constexpr int64_t threadsPerBlock = 256;

/// The generic with reduction loops that `tensor` is made from, element by element, or null.
linalg::GenericOp reductionBehind(Value tensor) {
  auto op = tensor.getDefiningOp<linalg::GenericOp>();
  if (!op || op.getNumReductionLoops())
    return op;
  for (OpOperand *input : op.getDpsInputOperands())
    if (op.getMatchingIndexingMap(input).isIdentity())
      if (linalg::GenericOp found = reductionBehind(input->get()))
        return found;
  return {};
}

/// Whether `op` is a sum of products of which one factor does not depend on the last dimension of the result: rows of a
/// thread's box then share the other.
bool isProduct(linalg::GenericOp op) {
  if (!op || op.getNumDpsInputs() < 2 || op->getNumResults() != 1)
    return false;
  unsigned last = cast<RankedTensorType>(op->getResult(0).getType()).getRank();
  if (last == 0)
    return false;
  auto dependsOnLast = [&](OpOperand *input) { return op.getMatchingIndexingMap(input).isFunctionOfDim(last - 1); };
  return llvm::count_if(op.getDpsInputOperands(), dependsOnLast) == 1;
}

ThreadBox chooseBox(Value tensor, MemRefType place, const GpuTarget &target) {
  ArrayRef<int64_t> shape = place.getShape();
  ThreadBox box;
  if (shape.empty())
    return box;
  int64_t total = place.getNumElements(), bytes = std::max<int64_t>(place.getElementTypeBitWidth() / 8, 1);
  linalg::GenericOp reduction = reductionBehind(tensor);
  // Enough threads come first: two waves of half the threads that fit.
  int64_t enough = target.processors * 1024;
  int64_t widest = reduction ? 4 : 16 / bytes;
  for (int64_t across = std::min<int64_t>(widest, 8); across > 1; across /= 2)
    if (shape.back() % across == 0 &&
        (total / across >= enough || (across * bytes <= 16 && !reduction && total / across >= enough / 8))) {
      box.across = across;
      break;
    }
  if (shape.size() < 2 || !isProduct(reduction))
    return box;
  // The innermost other dimension that a power of two divides.
  for (size_t dim = shape.size() - 1; dim-- > 0;)
    for (int64_t down : {8, 4, 2})
      if (shape[dim] % down == 0 && total / box.across / down >= enough)
        return box.down = down, box.dim = dim, box;
  return box;
}

class Emitter {
public:
  Emitter(func::FuncOp kernel, const GpuTarget &target, KernelFunction &function)
      : kernel(kernel), target(target), b(function.builder), loc(kernel.getLoc()), elements(b, loc) {
    for (auto [memref, pointer] : llvm::zip_equal(kernel.getArguments(), function.pointers()))
      elements.setPointer(memref, pointer);
  }

  /// The number of blocks, or failure.
  FailureOr<int64_t> emit() {
    Type i32 = b.getI32Type();
    Value block = NVVM::BlockIdXOp::create(b, loc, i32), thread = NVVM::ThreadIdXOp::create(b, loc, i32);
    Value size = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(threadsPerBlock));
    id = arith::AddIOp::create(b, loc, arith::MulIOp::create(b, loc, block, size), thread);
    for (Operation &op : kernel.getBody().front()) {
      LogicalResult done = success();
      if (auto store = dyn_cast<bufferization::MaterializeInDestinationOp>(op))
        done = emitResult(store.getSource(), store.getDest());
      else if (auto once = dyn_cast<OnceOp>(op))
        done = emitFills(once);
      if (failed(done))
        return failure();
    }
    return std::max<int64_t>(llvm::divideCeil(threads, threadsPerBlock), 1);
  }

private:
  /// `write` in the threads below `count`, with the thread's number.
  void inThreads(int64_t count, llvm::function_ref<void(Index)> write) {
    threads = std::max(threads, count);
    if (count == 0)
      return;
    auto guard = scf::IfOp::create(b, loc, elements.indices().isBelow(elements.indices().unknown(id), count),
                                   /*withElse=*/false);
    OpBuilder::InsertionGuard restore(b);
    b.setInsertionPointToStart(guard.thenBlock());
    Elements::Scope scope(elements);
    write(elements.indices().unknown(id));
  }

  LogicalResult emitResult(Value tensor, Value place) {
    auto type = cast<MemRefType>(place.getType());
    if (type.getNumElements() > std::numeric_limits<int32_t>::max())
      return kernel.emitError("expected fewer than 2^31 elements for --device=cuda, got ") << type;
    ThreadBox box = chooseBox(tensor, type, target);
    SmallVector<int64_t> boxes(type.getShape());
    if (!boxes.empty())
      boxes.back() /= box.across;
    if (box.down > 1)
      boxes[box.dim] /= box.down;
    LogicalResult result = success();
    inThreads(type.getNumElements() / box.across / box.down, [&](Index number) {
      Indices &idx = elements.indices();
      Position first = idx.delinear(number, boxes);
      SmallVector<Position> at;
      for (int64_t row = 0; row < box.down; ++row)
        for (int64_t column = 0; column < box.across; ++column) {
          Position position = first;
          if (!position.empty())
            position.back() = idx.add(idx.mul(first.back(), box.across), column);
          if (box.down > 1)
            position[box.dim] = idx.add(idx.mul(first[box.dim], box.down), row);
          at.push_back(position);
        }
      SmallVector<Value> values = elements.get(tensor, at);
      result = llvm::is_contained(values, Value()) ? failure() : elements.store(values, place, at);
    });
    return result;
  }

  /// The border of a padded buffer.
  LogicalResult emitFills(OnceOp once) {
    for (auto fill : once.getBody().getOps<linalg::FillOp>()) {
      auto view = fill.getOutputs()[0].getDefiningOp<memref::SubViewOp>();
      if (!view || llvm::any_of(view.getStaticOffsets(), ShapedType::isDynamic) || view.getDroppedDims().any())
        return fill.emitError("expected a static view of an argument");
      Value value = elements.scalar(fill.getInputs()[0]);
      LogicalResult result = success();
      inThreads(view.getType().getNumElements(), [&](Index number) {
        Indices &idx = elements.indices();
        Position at = idx.delinear(number, view.getStaticSizes());
        for (auto [index, offset, stride] : llvm::zip_equal(at, view.getStaticOffsets(), view.getStaticStrides()))
          index = idx.add(idx.mul(index, stride), offset);
        result = elements.store(value, view.getSource(), at);
      });
      if (failed(result))
        return failure();
    }
    return success();
  }

  func::FuncOp kernel;
  const GpuTarget &target;
  OpBuilder &b;
  Location loc;
  Elements elements;
  Value id;
  int64_t threads = 0;
};
} // namespace

FailureOr<GpuKernel> coat::emitElements(func::FuncOp kernel, const GpuTarget &target, const GpuOptions &,
                                        gpu::GPUModuleOp into) {
  if (isOfLoops(kernel))
    return failure(); // reported
  KernelFunction function(kernel, into);
  FailureOr<int64_t> blocks = Emitter(kernel, target, function).emit();
  if (failed(blocks))
    return failure();
  return function.finish(*blocks, threadsPerBlock);
}
