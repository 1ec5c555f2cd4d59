// One case for each NVVM op that our kernels use: which function of the runtime it is, and what its fields are. The
// order of fields is that of the structs beside the functions (Runtime/*.cpp).
#include "RuntimeCalls.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace coat::emulate;

namespace {
/// Fields of a call, in order.
struct Fields {
  Operation *op;
  RuntimeCalls &calls;
  SmallVector<Value> values;

  Fields &add(Value value) { // null: zero
    values.push_back(value);
    return *this;
  }
  Fields &add(ValueRange range) {
    llvm::append_range(values, range);
    return *this;
  }
  /// As many as `count` words, zeros behind.
  Fields &addPadded(ValueRange range, size_t count) {
    add(range);
    for (size_t i = range.size(); i < count; ++i)
      values.push_back(Value());
    return *this;
  }
  Fields &number(int64_t value) {
    values.push_back(calls.constant(op, value));
    return *this;
  }
  Fields &orNumber(Value value, int64_t otherwise) { return value ? add(value) : number(otherwise); }
  LogicalResult call(StringRef name) {
    calls.replacePacked(op, name, values);
    return success();
  }
};
} // namespace

/// Ops without meaning here: hints, and fences that order what the emulator orders anyway.
static bool isNoOp(Operation *op) {
  return isa<NVVM::PrefetchOp, NVVM::CpAsyncBulkTensorPrefetchOp, NVVM::CpAsyncBulkPrefetchOp, NVVM::GriddepcontrolOp,
             NVVM::MembarOp, NVVM::FenceScClusterOp, NVVM::NanosleepOp>(op);
}

/// read.ptx.sreg.*: the index into the runtime's Registers, or -1.
static int registerIndex(StringRef name) {
  return llvm::StringSwitch<int>(name)
      .Case("tid.x", 0)
      .Case("tid.y", 1)
      .Case("tid.z", 2)
      .Case("ntid.x", 3)
      .Case("ntid.y", 4)
      .Case("ntid.z", 5)
      .Case("ctaid.x", 6)
      .Case("ctaid.y", 7)
      .Case("ctaid.z", 8)
      .Case("nctaid.x", 9)
      .Case("nctaid.y", 10)
      .Case("nctaid.z", 11)
      .Case("laneid", 12)
      .Case("warpid", 13)
      .Case("nwarpid", 14)
      .Case("dynamic.smem.size", 15)
      .Default(-1);
}

static LogicalResult replaceRegister(Operation *op, StringRef name, RuntimeCalls &calls) {
  OpBuilder builder(op);
  Location loc = op->getLoc();
  Value value;
  if (name == "warpsize") {
    value = calls.constant(op, 32);
  } else {
    int index = registerIndex(name);
    if (index < 0)
      return op->emitError("expected a special register that the emulator has, got ") << name;
    auto pointer = LLVM::LLVMPointerType::get(op->getContext());
    Value registers = LLVM::LoadOp::create(builder, loc, pointer, calls.data(op, "coat_emu_registers"));
    Value address =
        LLVM::GEPOp::create(builder, loc, pointer, builder.getI32Type(), registers, ArrayRef<LLVM::GEPArg>{index});
    value = LLVM::LoadOp::create(builder, loc, builder.getI32Type(), address);
  }
  op->getResult(0).replaceAllUsesWith(value);
  op->erase();
  return success();
}

static std::optional<int32_t> elementOf(NVVM::MMATypes type) {
  switch (type) {
  case NVVM::MMATypes::f16:
    return 0;
  case NVVM::MMATypes::bf16:
    return 1;
  case NVVM::MMATypes::tf32:
    return 2;
  default:
    return std::nullopt;
  }
}

static std::optional<int32_t> elementOf(NVVM::WGMMATypes type) {
  switch (type) {
  case NVVM::WGMMATypes::f16:
    return 0;
  case NVVM::WGMMATypes::bf16:
    return 1;
  case NVVM::WGMMATypes::tf32:
    return 2;
  default:
    return std::nullopt;
  }
}

static LogicalResult replaceMma(NVVM::MmaOp op, Fields fields) {
  auto result = dyn_cast<LLVM::LLVMStructType>(op.getType());
  std::optional<int32_t> type = elementOf(op.getMultiplicandAPtxType().value_or(NVVM::MMATypes::f16));
  if (!type || op.getShape().getM() != 16 || op.getShape().getN() != 8 || !result || !result.getBody().front().isF32())
    return op.emitError("expected mma.sync m16n8 of f16, bf16 or tf32 with sums in f32");
  fields.number(op.getShape().getK()).number(*type);
  return fields.add(op.getOperandA()).add(op.getOperandB()).add(op.getOperandC()).call("coat_emu_mma");
}

static LogicalResult replaceWgmma(NVVM::WgmmaMmaAsyncOp op, Fields fields) {
  std::optional<int32_t> type = elementOf(op.getTypeA());
  if (!type || op.getTypeD() != NVVM::WGMMATypes::f32)
    return op.emitError("expected wgmma of f16, bf16 or tf32 with sums in f32");
  fields.add(op.getDescriptorA()).add(op.getDescriptorB()).addPadded({}, 4);
  fields.number(op.getShape().getN()).number(op.getShape().getK()).number(*type);
  fields.number(op.getLayoutA() == NVVM::MMALayout::col).number(op.getLayoutB() == NVVM::MMALayout::row);
  fields.number(op.getScaleD() == NVVM::WGMMAScaleOut::one);
  fields.number(int32_t(op.getScaleA())).number(int32_t(op.getScaleB())).number(0);
  return fields.add(op.getInouts()).call("coat_emu_wgmma");
}

static LogicalResult replaceTensorLoad(NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp op, Fields fields) {
  if (op.getMulticastMask() || op.getGroup() ||
      (op.getMode() != NVVM::TMALoadMode::TILE && op.getMode() != NVVM::TMALoadMode::IM2COL))
    return op.emitError("expected a tile or im2col load into one block, which is all the emulator has");
  fields.add(op.getDstMem()).add(op.getTmaDescriptor()).addPadded(op.getCoordinates(), 5).add(op.getMbar());
  fields.addPadded(op.getIm2colOffsets(), 3).orNumber(op.getPredicate(), 1);
  fields.number(op.getCoordinates().size()).number(op.getMode() == NVVM::TMALoadMode::IM2COL);
  return fields.call("coat_emu_tensor_load");
}

static LogicalResult replaceTensorStore(NVVM::CpAsyncBulkTensorSharedCTAToGlobalOp op, Fields fields) {
  if (op.getMode() != NVVM::TMAStoreMode::TILE)
    return op.emitError("expected a tile store, which is all the emulator has");
  fields.add(op.getSrcMem())
      .add(op.getTmaDescriptor())
      .addPadded(op.getCoordinates(), 5)
      .add(fields.calls.constant(op, 0, 64));
  fields.addPadded({}, 3).orNumber(op.getPredicate(), 1).number(op.getCoordinates().size()).number(0);
  return fields.call("coat_emu_tensor_store");
}

static LogicalResult replaceCpAsync(NVVM::CpAsyncOp op, Fields fields) {
  fields.add(op.getDst()).add(op.getSrc()).orNumber(op.getCpSize(), op.getSize()).number(op.getSize());
  return fields.number(rootOfAddress(op.getSrc(), /*isKernel=*/true)).call("coat_emu_cp_async");
}

/// An mbarrier's phase is a parity of 32 bits or a state of 64.
static LogicalResult replaceWait(Operation *op, Value address, Value phase, StringRef name, Fields fields) {
  bool isParity = phase.getType().isInteger(32);
  OpBuilder builder(op);
  if (isParity)
    phase = LLVM::ZExtOp::create(builder, op->getLoc(), builder.getI64Type(), phase);
  return fields.add(address).add(phase).number(isParity).call(name);
}

static LogicalResult replaceBarrier(NVVM::BarrierOp op, Fields fields) {
  fields.orNumber(op.getBarrierId(), 0).orNumber(op.getNumberOfThreads(), 0);
  if (!op.getReductionOp())
    return fields.call("coat_emu_barrier");
  return fields.add(op.getReductionPredicate()).number(int32_t(*op.getReductionOp())).call("coat_emu_barrier_reduce");
}

static LogicalResult replaceFence(NVVM::FenceProxyOp op, Fields fields) {
  if (op.getKind() == NVVM::ProxyKind::async || op.getKind() == NVVM::ProxyKind::async_shared)
    return fields.call("coat_emu_fence_proxy");
  op.erase();
  return success();
}

/// A pure function of its operands.
static LogicalResult replaceFunction(Operation *op, StringRef name, RuntimeCalls &calls) {
  op->getResult(0).replaceAllUsesWith(calls.call(op, name, op->getResult(0).getType(), op->getOperands()));
  op->erase();
  return success();
}

static LogicalResult replacePair(Operation *op, Value high, Value low, StringRef name, RuntimeCalls &calls) {
  OpBuilder builder(op);
  Value pair = calls.call(op, name, builder.getI32Type(), {high, low});
  op->getResult(0).replaceAllUsesWith(LLVM::BitcastOp::create(builder, op->getLoc(), op->getResult(0).getType(), pair));
  op->erase();
  return success();
}

static LogicalResult replaceShuffle(NVVM::ShflOp op, Fields fields) {
  fields.add(op.getThreadMask()).add(op.getVal()).add(op.getOffset()).add(op.getMaskAndClamp());
  return fields.number(int32_t(op.getKind())).call("coat_emu_shfl");
}

LogicalResult coat::emulate::replaceInstruction(Operation *op, RuntimeCalls &calls) {
  if (StringRef name = op->getName().getStringRef(); name.consume_front("nvvm.read.ptx.sreg."))
    return replaceRegister(op, name, calls);
  if (isa<LLVM::InlineAsmOp, NVVM::InlinePtxOp, LLVM::CallIntrinsicOp>(op))
    return replaceText(op, calls);
  if (!isa_and_nonnull<NVVM::NVVMDialect>(op->getDialect()))
    return success();
  if (isNoOp(op)) {
    op->erase();
    return success();
  }
  using namespace NVVM;
  Fields fields{op, calls, {}};
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](Barrier0Op) { return fields.number(0).number(0).call("coat_emu_barrier"); })
      .Case([&](BarrierOp barrier) { return replaceBarrier(barrier, fields); })
      .Case([&](BarrierArriveOp barrier) {
        return fields.orNumber(barrier.getBarrierId(), 0)
            .add(barrier.getNumberOfThreads())
            .call("coat_emu_barrier_arrive");
      })
      .Case([&](SyncWarpOp sync) { return fields.add(sync.getMask()).call("coat_emu_syncwarp"); })
      .Case([&](ShflOp shuffle) { return replaceShuffle(shuffle, fields); })
      .Case([&](VoteSyncOp vote) {
        return fields.add(vote.getMask()).add(vote.getPred()).number(int32_t(vote.getKind())).call("coat_emu_vote");
      })
      .Case([&](ReduxOp redux) {
        fields.add(redux.getVal()).add(redux.getMaskAndClamp()).number(int32_t(redux.getKind()));
        return fields.number(redux.getAbs()).number(redux.getNan()).call("coat_emu_redux");
      })
      .Case([&](ElectSyncOp elect) { return fields.orNumber(elect.getMembermask(), -1).call("coat_emu_elect"); })
      .Case([&](SetMaxRegisterOp) { return fields.number(0).call("coat_emu_setmaxnreg"); })
      .Case([&](LdMatrixOp matrix) {
        fields.add(matrix.getPtr()).number(matrix.getNum());
        return fields.number(matrix.getLayout() == MMALayout::col).call("coat_emu_ldmatrix");
      })
      .Case([&](StMatrixOp matrix) {
        fields.add(matrix.getPtr()).addPadded(matrix.getSources(), 4).number(matrix.getSources().size());
        return fields.number(matrix.getLayout() == MMALayout::col).call("coat_emu_stmatrix");
      })
      .Case([&](MmaOp mma) { return replaceMma(mma, fields); })
      .Case([&](WgmmaMmaAsyncOp wgmma) { return replaceWgmma(wgmma, fields); })
      .Case([&](WgmmaFenceAlignedOp) { return fields.call("coat_emu_wgmma_fence"); })
      .Case([&](WgmmaGroupSyncAlignedOp) { return fields.call("coat_emu_wgmma_commit"); })
      .Case([&](WgmmaWaitGroupSyncOp wait) { return fields.number(wait.getGroup()).call("coat_emu_wgmma_wait"); })
      .Case([&](CpAsyncOp copy) { return replaceCpAsync(copy, fields); })
      .Case([&](CpAsyncCommitGroupOp) { return fields.call("coat_emu_cp_async_commit"); })
      .Case([&](CpAsyncWaitGroupOp wait) { return fields.number(wait.getN()).call("coat_emu_cp_async_wait"); })
      .Case([&](CpAsyncMBarrierArriveOp arrive) {
        return fields.add(arrive.getAddr()).number(arrive.getNoinc()).call("coat_emu_cp_async_mbarrier_arrive");
      })
      .Case([&](MBarrierInitOp init) {
        return fields.add(init.getAddr())
            .add(init.getCount())
            .orNumber(init.getPredicate(), 1)
            .call("coat_emu_mbarrier_init");
      })
      .Case([&](MBarrierInvalOp inval) { return fields.add(inval.getAddr()).call("coat_emu_mbarrier_inval"); })
      .Case([&](MBarrierArriveOp arrive) {
        return fields.add(arrive.getAddr()).orNumber(arrive.getCount(), 1).number(1).call("coat_emu_mbarrier_arrive");
      })
      .Case([&](MBarrierArriveExpectTxOp arrive) {
        fields.add(arrive.getAddr()).add(arrive.getTxcount()).orNumber(arrive.getPredicate(), 1);
        return fields.call("coat_emu_mbarrier_arrive_expect_tx");
      })
      .Case([&](MBarrierExpectTxOp expect) {
        return fields.add(expect.getAddr()).add(expect.getTxcount()).number(1).call("coat_emu_mbarrier_expect_tx");
      })
      .Case([&](MBarrierCompleteTxOp complete) {
        return fields.add(complete.getAddr())
            .add(complete.getTxcount())
            .number(1)
            .call("coat_emu_mbarrier_complete_tx");
      })
      .Case([&](MBarrierTryWaitParityOp wait) {
        return replaceWait(op, wait.getAddr(), wait.getPhase(), "coat_emu_mbarrier_wait", fields);
      })
      .Case<MBarrierTestWaitOp, MBarrierTryWaitOp>([&](auto wait) {
        return replaceWait(op, wait.getAddr(), wait.getStateOrPhase(), "coat_emu_mbarrier_try", fields);
      })
      .Case([&](CpAsyncBulkTensorGlobalToSharedClusterOp load) { return replaceTensorLoad(load, fields); })
      .Case([&](CpAsyncBulkTensorSharedCTAToGlobalOp store) { return replaceTensorStore(store, fields); })
      .Case([&](CpAsyncBulkGlobalToSharedClusterOp copy) {
        fields.add(copy.getDstMem()).add(copy.getSrcMem()).add(copy.getMbar());
        return fields.add(copy.getSize()).call("coat_emu_bulk_load");
      })
      .Case([&](CpAsyncBulkSharedCTAToGlobalOp copy) {
        fields.add(copy.getSrcMem()).add(copy.getDstMem()).add(calls.constant(op, 0, 64));
        return fields.add(copy.getSize()).call("coat_emu_bulk_store");
      })
      .Case([&](CpAsyncBulkCommitGroupOp) { return fields.call("coat_emu_bulk_commit"); })
      .Case([&](CpAsyncBulkWaitGroupOp wait) { return fields.number(wait.getGroup()).call("coat_emu_bulk_wait"); })
      .Case([&](FenceProxyOp fence) { return replaceFence(fence, fields); })
      .Case([&](FenceMbarrierInitOp) { return fields.call("coat_emu_fence_proxy"); })
      .Case([&](ConvertFloatToTF32Op) { return replaceFunction(op, "coat_emu_tf32", calls); })
      .Case([&](RcpApproxFtzF32Op) { return replaceFunction(op, "coat_emu_rcp", calls); })
      .Case([&](ConvertF32x2ToBF16x2Op pair) {
        return replacePair(op, pair.getSrcHi(), pair.getSrcLo(), "coat_emu_bf16x2", calls);
      })
      .Case([&](ConvertF32x2ToF16x2Op pair) {
        return replacePair(op, pair.getSrcHi(), pair.getSrcLo(), "coat_emu_f16x2", calls);
      })
      .Default([](Operation *other) { return other->emitError("expected an instruction that the emulator has"); });
}
