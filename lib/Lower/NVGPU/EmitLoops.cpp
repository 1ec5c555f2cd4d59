// Emitter of kernels that are loops over buffers already: formula ops (docs/AddAnOp.md), which move elements or carry
// something from one to the next.
//
//   scf.forall (%i, %j) in (4, 5) {           n = block * threads + thread; if (n < 20) { i = n / 5; j = n % 5
//     scf.for %k .. { memref.load %x[%i, %k] }   ->  for k: load x + i * 7 + k }
//
// Iterations of the forall, and of the loops right in it that ScalarLoops marks as independent, are threads; loops
// without a forall are one thread. Buffers lie in shared memory, a slice a thread, and as many threads are in a block
// as slices fit.
//
// Does not apply to kernels of ops on tensors. Emits an error where it fails.
#include "KernelFunction.h"
#include "coat/Dialect/ScalarLoops.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/Transforms/Transforms.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace coat;

namespace {
/// The loops whose iterations are threads, outermost first, and what each thread does: `body`, after what is pure in
/// front of it.
struct Threads {
  SmallVector<std::pair<Value, int64_t>> loops; // induction variable, number of iterations
  SmallVector<Operation *> before;
  Block *body;

  int64_t count() const {
    int64_t result = 1;
    for (auto [variable, iterations] : loops)
      result *= iterations;
    return result;
  }
};

/// The only op of `block` that does anything, if there is one.
Operation *onlyActor(Block &block) {
  Operation *actor = nullptr;
  for (Operation &op : block) {
    if (isPure(&op) || op.hasTrait<OpTrait::IsTerminator>())
      continue;
    if (actor)
      return nullptr;
    actor = &op;
  }
  return actor;
}

/// Appends the loops of `op`; false where its iterations are not independent, or their number is not known.
bool appendLoops(Operation *op, bool isOutermost, Threads &threads) {
  if (auto forall = dyn_cast_or_null<scf::ForallOp>(op); forall && isOutermost) {
    if (!forall.isNormalized() || llvm::any_of(forall.getStaticUpperBound(), ShapedType::isDynamic))
      return false;
    for (auto [variable, bound] : llvm::zip_equal(forall.getInductionVars(), forall.getStaticUpperBound()))
      threads.loops.push_back({variable, bound});
    threads.body = forall.getBody();
    return true;
  }
  auto loop = dyn_cast_or_null<scf::ForOp>(op);
  if (!loop || isOutermost || !loop->hasAttr(ScalarLoops::independent) || loop.getNumRegionIterArgs())
    return false;
  std::optional<int64_t> lower = getConstantIntValue(loop.getLowerBound()),
                         upper = getConstantIntValue(loop.getUpperBound()), step = getConstantIntValue(loop.getStep());
  if (lower != 0 || !upper || step != 1)
    return false;
  threads.loops.push_back({loop.getInductionVar(), *upper});
  threads.body = loop.getBody();
  return true;
}

Threads findThreads(func::FuncOp kernel) {
  Threads threads;
  threads.body = &kernel.front();
  while (true) {
    Block *block = threads.body;
    if (!appendLoops(onlyActor(*block), threads.loops.empty(), threads))
      return threads;
    for (Operation &op : *block)
      if (isPure(&op) && !op.hasTrait<OpTrait::IsTerminator>())
        threads.before.push_back(&op);
  }
}

class LoopEmitter {
public:
  LoopEmitter(func::FuncOp kernel, const GpuTarget &target, KernelFunction &function)
      : kernel(kernel), target(target), function(function), g(function.builder, kernel.getLoc()), b(function.builder),
        loc(kernel.getLoc()) {}

  FailureOr<GpuKernel> emit();

private:
  LogicalResult placeBuffers();
  void writeThreads(const Threads &threads, Value number, Value inside);
  LogicalResult replaceAccesses();
  LogicalResult replaceAccess(Operation *op);
  FailureOr<Value> addressOf(Value memref, ValueRange at, Type stored);
  InFlightDiagnostic refuse() {
    return kernel.emitError("the loops of ") << kernel->getAttr("coat.ops") << " with --device=cuda: ";
  }

  func::FuncOp kernel;
  const GpuTarget &target;
  KernelFunction &function;
  GpuBuilder g;
  OpBuilder &b;
  Location loc;
  IRMapping map;
  DenseMap<Value, Value> pointers;        // of memrefs
  DenseMap<Operation *, int64_t> offsets; // of the kernel's buffers in a thread's slice
  int64_t sliceBytes = 0;
};

/// What an element is in memory: bits are bytes, indices 64 bits.
Type inMemory(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  if (type.isIndex() || !integer)
    return type.isIndex() ? IntegerType::get(type.getContext(), 64) : type;
  return IntegerType::get(type.getContext(), std::max(integer.getWidth(), 8u));
}
} // namespace

LogicalResult LoopEmitter::placeBuffers() {
  WalkResult result = kernel.walk([&](memref::AllocOp buffer) {
    MemRefType type = buffer.getType();
    if (!type.hasStaticShape())
      return refuse() << "expected buffers of static sizes, got " << type, WalkResult::interrupt();
    offsets[buffer] = sliceBytes;
    sliceBytes += llvm::alignTo(type.getNumElements() * inMemory(type.getElementType()).getIntOrFloatBitWidth() / 8, 8);
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();
  if (sliceBytes > target.sharedPerBlock)
    return refuse() << "expected buffers of at most " << target.sharedPerBlock << " bytes for " << target.name
                    << ", got " << sliceBytes;
  return success();
}

/// The loops' variables from the thread's number, then the body.
void LoopEmitter::writeThreads(const Threads &threads, Value number, Value inside) {
  g.when(inside, [&] {
    Value rest = number;
    for (auto [variable, iterations] : llvm::reverse(threads.loops)) {
      map.map(variable, arith::IndexCastUIOp::create(b, loc, b.getIndexType(), g.rem(rest, iterations)));
      rest = g.div(rest, iterations);
    }
    for (Operation *op : threads.before)
      b.clone(*op, map);
    for (Operation &op : threads.body->without_terminator())
      b.clone(op, map);
  });
}

FailureOr<Value> LoopEmitter::addressOf(Value memref, ValueRange at, Type stored) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  Value pointer = pointers.lookup(memref);
  if (!pointer || failed(type.getStridesAndOffset(strides, offset)) || llvm::any_of(strides, ShapedType::isDynamic))
    return refuse() << "expected arguments and buffers of static layout, got " << type, failure();
  Value place = arith::ConstantIndexOp::create(b, loc, 0);
  for (auto [index, stride] : llvm::zip_equal(at, strides)) {
    Value step = b.createOrFold<arith::MulIOp>(loc, index, arith::ConstantIndexOp::create(b, loc, stride));
    place = b.createOrFold<arith::AddIOp>(loc, place, step);
  }
  return g.step(pointer, arith::IndexCastOp::create(b, loc, b.getI64Type(), place), stored);
}

LogicalResult LoopEmitter::replaceAccess(Operation *op) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  if (isa<memref::AllocOp, memref::DeallocOp>(op)) // all uses of a buffer are gone when its alloc goes
    return success();
  if (auto cast = dyn_cast<UnrealizedConversionCastOp>(op)) { // of unsigned elements
    pointers[cast.getResult(0)] = pointers.lookup(cast.getOperand(0));
    return success();
  }
  if (auto extent = dyn_cast<memref::DimOp>(op)) {
    auto type = dyn_cast<MemRefType>(extent.getSource().getType());
    std::optional<int64_t> dim = extent.getConstantIndex();
    if (!type || !type.hasStaticShape() || !dim)
      return refuse() << "expected static sizes, got " << extent.getSource().getType();
    extent.replaceAllUsesWith(arith::ConstantIndexOp::create(b, loc, type.getDimSize(*dim)).getResult());
    return success();
  }
  if (auto address = dyn_cast<memref::ExtractAlignedPointerAsIndexOp>(op)) {
    Value number = LLVM::PtrToIntOp::create(b, loc, b.getI64Type(), pointers.lookup(address.getSource()));
    address.replaceAllUsesWith(arith::IndexCastOp::create(b, loc, b.getIndexType(), number).getResult());
    return success();
  }
  auto load = dyn_cast<memref::LoadOp>(op);
  auto store = dyn_cast<memref::StoreOp>(op);
  if (!load && !store)
    return refuse() << "expected loads and stores, got " << op->getName();
  Value memref = load ? load.getMemRef() : store.getMemRef();
  Type type = cast<MemRefType>(memref.getType()).getElementType(), stored = inMemory(type);
  FailureOr<Value> address = addressOf(memref, load ? load.getIndices() : store.getIndices(), stored);
  if (failed(address))
    return failure();
  int64_t bytes = stored.getIntOrFloatBitWidth() / 8;
  // Between the type of the kernel and the one in memory, in either direction.
  auto converted = [&](Value value, Type to) -> Value {
    if (type.isInteger(1))
      return load ? arith::TruncIOp::create(b, loc, to, value).getResult()
                  : arith::ExtUIOp::create(b, loc, to, value).getResult();
    if (type.isIndex())
      return arith::IndexCastOp::create(b, loc, to, value);
    return type == stored ? value : UnrealizedConversionCastOp::create(b, loc, to, value).getResult(0);
  };
  if (load)
    load.replaceAllUsesWith(converted(g.load(stored, *address, bytes), type));
  else
    g.store(converted(store.getValue(), stored), *address, bytes);
  return success();
}

/// Loads and stores of memrefs become those of pointers. In the order of the text: casts and buffers come before their
/// uses.
LogicalResult LoopEmitter::replaceAccesses() {
  auto isOfMemory = [](Value value) { return isa<BaseMemRefType>(value.getType()); };
  SmallVector<Operation *> accesses;
  function.function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (llvm::any_of(op->getOperands(), isOfMemory) || llvm::any_of(op->getResults(), isOfMemory))
      accesses.push_back(op);
  });
  for (Operation *op : accesses)
    if (failed(replaceAccess(op)))
      return failure();
  for (Operation *op : llvm::reverse(accesses))
    op->erase();
  return success();
}

FailureOr<GpuKernel> LoopEmitter::emit() {
  if (failed(placeBuffers()))
    return failure();
  Threads threads = findThreads(kernel);
  int64_t count = threads.count(),
          perBlock = sliceBytes ? std::min<int64_t>(128, target.sharedPerBlock / sliceBytes) : 128;
  if (count > std::numeric_limits<int32_t>::max())
    return refuse() << "expected fewer than 2^31 threads, got " << count, failure();
  perBlock = std::min(perBlock, std::max<int64_t>(count, 1));
  Value number = g.add(g.mul(g.block, perBlock), g.thread), slice = g.sharedAt(g.mul(g.thread, sliceBytes));
  Value inside = g.less(number, count);
  if (perBlock % 32)
    inside = g.both(inside, g.less(g.thread, perBlock));
  // Memrefs of the kernel stay until accesses are replaced: nothing else of it is used.
  for (auto [memref, pointer] : llvm::zip_equal(kernel.getArguments(), function.globalPointers(g)))
    pointers[memref] = pointer;
  SmallVector<std::pair<Operation *, Value>> slots;
  for (auto [buffer, offset] : offsets)
    slots.push_back({buffer, g.step(slice, g.i32(offset), b.getI8Type())});
  writeThreads(threads, number, inside);
  for (auto [buffer, slot] : slots)
    pointers[map.lookup(buffer->getResult(0))] = slot;

  SmallVector<scf::ForallOp> inOrder;
  function.function.walk([&](scf::ForallOp forall) { inOrder.push_back(forall); });
  IRRewriter rewriter(b.getContext());
  for (scf::ForallOp forall : inOrder) {
    rewriter.setInsertionPoint(forall);
    if (failed(scf::forallToForLoop(rewriter, forall)))
      return refuse() << "expected loops without results, got " << forall->getName(), failure();
  }
  if (failed(replaceAccesses()))
    return failure();
  return function.finish(std::max<int64_t>(llvm::divideCeil(count, perBlock), 1), llvm::alignTo(perBlock, 32),
                         perBlock * sliceBytes);
}

bool coat::isOfLoops(func::FuncOp kernel) {
  return llvm::any_of(kernel.front(),
                      [](Operation &op) { return isa<scf::SCFDialect, memref::MemRefDialect>(op.getDialect()); });
}

FailureOr<GpuKernel> coat::emitLoops(func::FuncOp kernel, const GpuTarget &target, const GpuOptions &,
                                     gpu::GPUModuleOp into) {
  if (!isOfLoops(kernel))
    return failure();
  KernelFunction function(kernel, into);
  return LoopEmitter(kernel, target, function).emit();
}
