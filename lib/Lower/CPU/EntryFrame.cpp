// See EntryFrame.h.
#include "EntryFrame.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace coat;

namespace {
/// Fields of coat_frame (runtime/model.h), 8 bytes each.
enum FrameField { frameTensors = 0, frameDims = 1, frameWorkspace = 3, frameWeights = 4 };
} // namespace

EntryFrame::EntryFrame(ModuleOp module, func::FuncOp entry)
    : module(module), entry(entry), prefix(entry.getName()), b(entry.getContext()), converter(entry.getContext()),
      ptr(LLVM::LLVMPointerType::get(entry.getContext())), i64(b.getI64Type()) {}

Value EntryFrame::constant(Location loc, int64_t n) { return LLVM::ConstantOp::create(b, loc, i64, n); }
Value EntryFrame::constant32(Location loc, int32_t n) { return LLVM::ConstantOp::create(b, loc, b.getI32Type(), n); }

Value EntryFrame::load(Location loc, Type type, Value base, int64_t index) {
  Value address = LLVM::GEPOp::create(b, loc, ptr, ptr, base, ArrayRef<LLVM::GEPArg>{int32_t(index)});
  return LLVM::LoadOp::create(b, loc, type, address);
}

Value EntryFrame::address(Location loc, Value array, int32_t word) {
  return LLVM::GEPOp::create(b, loc, ptr, i64, array, ArrayRef<LLVM::GEPArg>{word});
}

LogicalResult EntryFrame::openFrame() {
  entry.setName(prefix + "_body");
  for (unsigned i = 0; i < entry.getNumArguments(); i++)
    if (auto type = dyn_cast<MemRefType>(entry.getArgument(i).getType()); !type || !type.getLayout().isIdentity())
      return entry.emitOpError("expected row-major memref arguments, got ") << entry.getArgument(i).getType();
  if (failed(entry.insertArgument(0, ptr, {}, entry.getLoc())))
    return failure();
  frame = entry.getArgument(0);
  b.setInsertionPointToStart(&entry.getBody().front());
  return success();
}

LogicalResult EntryFrame::bindTensors() {
  Location loc = entry.getLoc();
  unsigned count = entry.getNumArguments() - 1;
  Value tensors = load(loc, ptr, frame, frameTensors), dims = load(loc, ptr, frame, frameDims);
  workspace = load(loc, ptr, frame, frameWorkspace);
  weights = load(loc, ptr, frame, frameWeights);
  int64_t firstDim = 0;
  for (unsigned i = 0; i < count; i++) {
    BlockArgument arg = entry.getArgument(i + 1);
    auto type = cast<MemRefType>(arg.getType());
    SmallVector<Value> sizes;
    for (int64_t dim = 0; dim < type.getRank(); dim++)
      if (type.isDynamicDim(dim))
        sizes.push_back(load(loc, i64, dims, firstDim + dim));
    firstDim += type.getRank();
    arg.replaceAllUsesWith(makeMemRef(b, loc, converter, type, load(loc, ptr, tensors, i), sizes));
  }
  llvm::BitVector old(count + 1, true);
  old.reset(0);
  return entry.eraseArguments(old);
}

LogicalResult EntryFrame::lower(WeightOp op) {
  if (!op.getOffset())
    return op.emitOpError("expected an offset, set by the Memory stage");
  // A value, because the constant indices of a GEP have 29 bits.
  Value offset = LLVM::ConstantOp::create(b, op.getLoc(), i64, *op.getOffset());
  Value address = LLVM::GEPOp::create(b, op.getLoc(), ptr, b.getI8Type(), weights, ArrayRef<LLVM::GEPArg>{offset});
  auto type = cast<MemRefType>(op.getType());
  return replace(op, makeMemRef(b, op.getLoc(), converter, type, address, {}));
}

LogicalResult EntryFrame::lower(WorkspaceOp op) {
  auto type = cast<MemRefType>(op.getType());
  SmallVector<Value> sizes;
  for (Value size : op.getSizes())
    sizes.push_back(arith::IndexCastOp::create(b, op.getLoc(), i64, size));
  Value offset = arith::IndexCastOp::create(b, op.getLoc(), i64, op.getOffset());
  Value address = LLVM::GEPOp::create(b, op.getLoc(), ptr, b.getI8Type(), workspace, ArrayRef<LLVM::GEPArg>{offset});
  return replace(op, makeMemRef(b, op.getLoc(), converter, type, address, sizes));
}

LogicalResult EntryFrame::replace(Operation *op, Value value) {
  op->getResult(0).replaceAllUsesWith(value);
  op->erase();
  return success();
}
