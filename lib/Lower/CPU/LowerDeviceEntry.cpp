// coat-lower-device-entry: the launch list of a model whose kernels run on a GPU becomes @<entry>_body(frame).
//
// The body computes device addresses and hands each launch to coat_cuda_launch of the runtime (runtime/cuda_model.h) by
// number; how a kernel is launched differs from GPU to GPU and is in the tables that Emit writes.
//
//   coat.launch @k(%x, %w) outs(%y)  ->  pointers[0..2] = addresses of the first elements
//                                        coat_cuda_launch(frame, 0, 1, pointers)
//
// Kernels are numbered as their functions stand in the module; these functions, declarations by now, are gone after it,
// and their names, in order, are the body's attribute coat.kernels.
#include "EntryFrame.h"
#include "coat/Lower/Passes.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"

namespace coat {
#define GEN_PASS_DEF_LOWERDEVICEENTRY
#include "coat/Lower/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

namespace {
class DeviceEntryLowering : EntryFrame {
public:
  using EntryFrame::EntryFrame;

  LogicalResult run() {
    b.setInsertionPointToStart(module.getBody());
    auto type = b.getFunctionType({ptr, b.getI32Type(), b.getI32Type(), ptr}, {});
    func::FuncOp::create(b, entry.getLoc(), "coat_cuda_launch", type).setPrivate();
    size_t most = 1;
    for (auto kernel : module.getOps<func::FuncOp>())
      if (kernel->hasAttr("coat.kernel")) {
        kernels.insert({kernel.getName(), kernel});
        most = std::max<size_t>(most, kernel.getNumArguments());
      }
    if (failed(openFrame()))
      return failure();
    pointers = LLVM::AllocaOp::create(b, entry.getLoc(), ptr, i64, constant(entry.getLoc(), most));
    if (failed(bindTensors()))
      return failure();
    WalkResult result = entry.walk([&](Operation *op) {
      b.setInsertionPoint(op);
      return WalkResult(TypeSwitch<Operation *, LogicalResult>(op)
                            .Case<WeightOp, WorkspaceOp, LaunchOp>([&](auto op) { return lower(op); })
                            .Case<RequireOp, memref::LoadOp>([](auto op) {
                              return op->emitError(
                                  "what a run computes decides a size or an error of the run, which is "
                                  "not supported with --device=cuda: the host would have to wait");
                            })
                            .Case<memref::AllocOp>([](auto op) {
                              return op.emitOpError("expected the Memory stage to have placed every buffer");
                            })
                            .Default(success()));
    });
    if (result.wasInterrupted())
      return failure();
    SmallVector<StringRef> names = llvm::to_vector(llvm::make_first_range(kernels));
    entry->setAttr("coat.kernels", b.getStrArrayAttr(names));
    for (auto [name, kernel] : kernels)
      kernel.erase();
    return success();
  }

private:
  using EntryFrame::lower;

  LogicalResult lower(LaunchOp op) {
    Location loc = op.getLoc();
    auto kernel = kernels.find(op.getKernel());
    if (kernel == kernels.end())
      return op.emitOpError("expected a function with coat.kernel, got ") << op.getKernel();
    for (auto [i, operand] : llvm::enumerate(op.getOperands())) {
      auto type = cast<MemRefType>(operand.getType());
      SmallVector<Value> extents;
      Value pointer = takeApart(b, loc, converter, operand, extents);
      if (!extents.empty())
        return op.emitError("symbolic sizes are not supported with --device=cuda");
      LLVM::StoreOp::create(b, loc, offset(loc, pointer, type), address(loc, pointers, i));
    }
    func::CallOp::create(b, loc, "coat_cuda_launch", TypeRange(),
                         ValueRange{frame, constant32(loc, launches++),
                                    constant32(loc, std::distance(kernels.begin(), kernel)), pointers});
    op.erase();
    return success();
  }

  /// A kernel for CPUs adds the static offset of its argument's type; one for GPUs gets the address of the first
  /// element.
  Value offset(Location loc, Value pointer, MemRefType type) {
    int64_t elements = type.getStridesAndOffset().second;
    if (ShapedType::isDynamic(elements) || elements == 0)
      return pointer;
    return LLVM::GEPOp::create(b, loc, ptr, converter.convertType(type.getElementType()), pointer,
                               ArrayRef<LLVM::GEPArg>{constant(loc, elements)});
  }

  Value pointers;
  llvm::MapVector<StringRef, func::FuncOp> kernels;
  int32_t launches = 0;
};

struct LowerDeviceEntry : coat::impl::LowerDeviceEntryBase<LowerDeviceEntry> {
  void runOnOperation() override {
    auto entries = llvm::make_filter_range(getOperation().getOps<func::FuncOp>(),
                                           [](func::FuncOp f) { return f->hasAttr("coat.entry"); });
    for (func::FuncOp entry : llvm::to_vector(entries)) // kernels are erased on the way
      if (failed(DeviceEntryLowering(getOperation(), entry).run()))
        return signalPassFailure();
  }
};
} // namespace
