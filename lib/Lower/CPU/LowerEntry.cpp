// coat-lower-entry: the launch list becomes @<entry>_body(frame).
//
// The body is straight code: it computes addresses and hands the tasks of each launch to coat_parallel of the runtime
// (runtime/model.h), which knows about threads, scratch and profiling. Operands travel through one array on the stack,
// shared by all launches because coat_parallel returns only after the last task; a thunk a kernel unpacks it. Launches
// that were joined are handed over together.
//
//   coat.launch @k(%x, %w) outs(%y)  ->  args[0..] = pointers, dynamic sizes, dynamic strides
//                                        parts[0] = {@net_k_thunk, args, 12}
//                                        coat_parallel(frame, 0, 1, parts)
//
// KernelSignature.h says how a memref becomes words of the struct.
#include "EntryFrame.h"
#include "coat/Lower/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace coat {
#define GEN_PASS_DEF_LOWERENTRY
#include "coat/Lower/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

namespace {
/// A field of coat_frame (runtime/model.h), 8 bytes each.
constexpr int32_t frameFailed = 8;

/// Fields of coat_part: thunk, args, n.
constexpr int32_t partFields = 3;

class EntryLowering : EntryFrame {
public:
  using EntryFrame::EntryFrame;

  LogicalResult run() {
    declareParallel();
    for (func::FuncOp kernel : llvm::to_vector(module.getOps<func::FuncOp>()))
      if (kernel->hasAttr("coat.kernel"))
        renameKernel(kernel);
    if (failed(lowerSignature()))
      return failure();
    WalkResult result = entry.walk([&](Operation *op) {
      b.setInsertionPoint(op);
      return WalkResult(TypeSwitch<Operation *, LogicalResult>(op)
                            .Case<WeightOp, WorkspaceOp, LaunchOp, RequireOp>([&](auto op) { return lower(op); })
                            .Case<memref::AllocOp>([](auto op) {
                              return op.emitOpError("expected the Memory stage to have placed every buffer");
                            })
                            .Default(success()));
    });
    return failure(result.wasInterrupted());
  }

private:
  void declareParallel() {
    b.setInsertionPointToStart(module.getBody());
    auto type = b.getFunctionType({ptr, b.getI32Type(), b.getI32Type(), ptr}, {});
    func::FuncOp::create(b, entry.getLoc(), "coat_parallel", type).setPrivate();
  }

  /// One library holds many models' worth of names, so every symbol starts with the model's.
  void renameKernel(func::FuncOp kernel) {
    std::string name = prefix + "_" + kernel.getName().str();
    kernels[kernel.getName()] = kernel;
    if (auto count = kernel->getAttrOfType<FlatSymbolRefAttr>("coat.tasks")) {
      auto func = module.lookupSymbol<func::FuncOp>(count.getValue());
      func.setName(name + "_tasks");
      kernel->setAttr("coat.tasks", FlatSymbolRefAttr::get(func));
    }
    kernel.setName(name);
  }

  LogicalResult lowerSignature() {
    if (failed(openFrame()))
      return failure();
    Location loc = entry.getLoc();
    auto [mostWords, mostParts] = largestMeeting();
    args = LLVM::AllocaOp::create(b, loc, ptr, i64, constant(loc, mostWords));
    parts = LLVM::AllocaOp::create(b, loc, ptr, i64, constant(loc, mostParts * partFields));
    return bindTensors();
  }

  /// The most words of operands, and the most launches, that are handed over together.
  std::pair<int64_t, int64_t> largestMeeting() {
    int64_t mostWords = 1, mostParts = 1, words = 0, count = 0;
    for (LaunchOp launch : entry.getOps<LaunchOp>()) {
      if (!launch->hasAttr("coat.joined"))
        words = count = 0;
      if (func::FuncOp kernel = kernels.lookup(launch.getKernel()))
        words += numWords(kernel);
      mostWords = std::max(mostWords, words);
      mostParts = std::max(mostParts, ++count);
    }
    return {mostWords, mostParts};
  }

  using EntryFrame::lower;
  LogicalResult lower(LaunchOp op) {
    func::FuncOp kernel = kernels.lookup(op.getKernel());
    if (!kernel || !kernel->hasAttr("coat.tasks"))
      return op.emitOpError("expected a kernel that went through coat-lower-tasks");
    Location loc = op.getLoc();
    SmallVector<Value> pointers, extents, sizes;
    for (Value operand : op.getOperands()) {
      SmallVector<Value> own;
      pointers.push_back(takeApart(b, loc, converter, operand, own));
      llvm::append_range(extents, own);
      llvm::append_range(sizes, ArrayRef(own).take_front(cast<MemRefType>(operand.getType()).getNumDynamicDims()));
    }
    Value own = address(loc, args, word);
    for (Value value : llvm::concat<Value>(pointers, extents))
      LLVM::StoreOp::create(b, loc, value, address(loc, args, word++));
    for (Value field : {thunkOf(kernel), own, countTasks(loc, kernel, sizes)})
      LLVM::StoreOp::create(b, loc, field, address(loc, parts, partField++));
    if (!joinsNext(op))
      meet(loc);
    op.erase();
    return success();
  }

  /// The first requirement that does not hold leaves its number in the frame.
  LogicalResult lower(RequireOp op) {
    Location loc = op.getLoc();
    Value holds = memref::LoadOp::create(b, loc, op.getCondition());
    Value slot = address(loc, frame, frameFailed), failed = LLVM::LoadOp::create(b, loc, i64, slot);
    Value isFirst = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::eq, failed, constant(loc, 0));
    Value number = LLVM::SelectOp::create(b, loc, isFirst, constant(loc, ++requirements), failed);
    LLVM::StoreOp::create(b, loc, LLVM::SelectOp::create(b, loc, holds, failed, number), slot);
    op.erase();
    return success();
  }

  static bool joinsNext(LaunchOp op) {
    Operation *next = op->getNextNode();
    while (next && !isa<LaunchOp>(next))
      next = next->getNextNode();
    return next && next->hasAttr("coat.joined");
  }

  /// Hands over the launches whose parts are written.
  void meet(Location loc) {
    int32_t count = partField / partFields;
    func::CallOp::create(b, loc, "coat_parallel", TypeRange(),
                         ValueRange{frame, constant32(loc, launches), constant32(loc, count), parts});
    launches += count;
    word = partField = 0;
  }

  /// The number of tasks: a constant, or a call of the counting function that coat-lower-tasks made.
  Value countTasks(Location loc, func::FuncOp kernel, ArrayRef<Value> sizes) {
    if (auto number = kernel->getAttrOfType<IntegerAttr>("coat.tasks"))
      return constant(loc, number.getInt());
    auto count = kernel->getAttrOfType<FlatSymbolRefAttr>("coat.tasks");
    SmallVector<Value> indices;
    for (Value size : sizes)
      indices.push_back(arith::IndexCastOp::create(b, loc, b.getIndexType(), size));
    auto call = func::CallOp::create(b, loc, count.getValue(), b.getIndexType(), indices);
    return arith::IndexCastOp::create(b, loc, i64, call.getResult(0));
  }

  /// The address of `@<kernel>_thunk(args, task, scratch)`, whose body coat-lower-kernels writes.
  Value thunkOf(func::FuncOp kernel) {
    std::string name = (kernel.getName() + "_thunk").str();
    auto type = b.getFunctionType({ptr, i64, ptr}, {});
    if (!module.lookupSymbol(name)) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(kernel);
      func::FuncOp::create(b, kernel.getLoc(), name, type).setPrivate();
    }
    Value function = func::ConstantOp::create(b, entry.getLoc(), type, name);
    return UnrealizedConversionCastOp::create(b, entry.getLoc(), ptr, function).getResult(0);
  }

  Value args, parts;
  llvm::MapVector<StringRef, func::FuncOp> kernels; // by the name that launches use
  int32_t launches = 0;                             // that were handed over
  int64_t requirements = 0;                         // in the order of the body, as the tables list them
  int32_t word = 0, partField = 0;                  // written since
};

struct LowerEntry : coat::impl::LowerEntryBase<LowerEntry> {
  void runOnOperation() override {
    for (auto func : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (func->hasAttr("coat.entry"))
        if (failed(EntryLowering(getOperation(), func).run()))
          return signalPassFailure();
  }
};
} // namespace
