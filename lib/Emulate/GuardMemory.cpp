// A check in front of each access of a kernel to memory: within the parameter that its address was computed from,
// within shared memory, aligned as the instruction on a GPU wants it.
#include "RuntimeCalls.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"

using namespace mlir;
using namespace coat::emulate;

int32_t coat::emulate::rootOfAddress(Value address, bool isKernel) {
  while (true) {
    auto type = dyn_cast<LLVM::LLVMPointerType>(address.getType());
    if (type && (type.getAddressSpace() == 3 || type.getAddressSpace() == 7))
      return -2;
    Operation *op = address.getDefiningOp();
    if (!op) {
      auto argument = cast<BlockArgument>(address);
      return isKernel && argument.getOwner()->isEntryBlock() ? int32_t(argument.getArgNumber()) : -1;
    }
    if (auto gep = dyn_cast<LLVM::GEPOp>(op))
      address = gep.getBase();
    else if (isa<LLVM::AddrSpaceCastOp, LLVM::BitcastOp>(op))
      address = op->getOperand(0);
    else
      return isa<LLVM::AllocaOp>(op) ? -3 : -1;
  }
}

static bool isGlobalData(Value address) {
  while (auto gep = address.getDefiningOp<LLVM::GEPOp>())
    address = gep.getBase();
  return address.getDefiningOp<LLVM::AddressOfOp>() != nullptr;
}

static void guard(Operation *op, Value address, Type type, std::optional<uint64_t> alignment, bool isWrite,
                  RuntimeCalls &calls, bool isKernel) {
  int32_t root = rootOfAddress(address, isKernel);
  if (root == -3 || (root == -1 && isGlobalData(address)))
    return;
  DataLayout layout = DataLayout::closest(op);
  int64_t bytes = layout.getTypeSize(type).getFixedValue();
  int64_t aligned = alignment ? *alignment : layout.getTypeABIAlignment(type);
  Value arguments[] = {calls.site(op), address, calls.constant(op, bytes), calls.constant(op, aligned),
                       calls.constant(op, root)};
  calls.call(op, isWrite ? "coat_emu_write" : "coat_emu_read", Type(), arguments);
}

void coat::emulate::guardMemory(LLVM::LLVMFuncOp function, RuntimeCalls &calls, bool isKernel) {
  function.walk([&](Operation *op) {
    if (auto load = dyn_cast<LLVM::LoadOp>(op))
      guard(op, load.getAddr(), load.getType(), load.getAlignment(), false, calls, isKernel);
    else if (auto store = dyn_cast<LLVM::StoreOp>(op))
      guard(op, store.getAddr(), store.getValue().getType(), store.getAlignment(), true, calls, isKernel);
    else if (auto rmw = dyn_cast<LLVM::AtomicRMWOp>(op))
      guard(op, rmw.getPtr(), rmw.getType(), rmw.getAlignment(), true, calls, isKernel);
    else if (auto exchange = dyn_cast<LLVM::AtomicCmpXchgOp>(op))
      guard(op, exchange.getPtr(), exchange.getVal().getType(), exchange.getAlignment(), true, calls, isKernel);
  });
}
