// See WarpgroupBuilder.h.
#include "WarpgroupBuilder.h"

using namespace mlir;
using namespace coat;

DictionaryAttr TensorMap::attribute(Builder &b) const {
  NamedAttrList list;
  auto array = [&](StringRef name, ArrayRef<int64_t> values) { list.set(name, b.getDenseI64ArrayAttr(values)); };
  list.set("arg", b.getI64IntegerAttr(argument));
  list.set("kind", b.getStringAttr(im2col ? "im2col" : "tile"));
  list.set("type", b.getStringAttr(tf32 ? "tf32" : type.isF16() ? "f16" : type.isBF16() ? "bf16" : "f32"));
  array("sizes", sizes);
  array("strides", strides);
  list.set("swizzle", b.getI64IntegerAttr(swizzle));
  if (!im2col) {
    array("box", box);
    return list.getDictionary(b.getContext());
  }
  array("lower", lower);
  array("upper", upper);
  array("element_strides", elementStrides);
  list.set("channels", b.getI64IntegerAttr(channels));
  list.set("pixels", b.getI64IntegerAttr(pixels));
  return list.getDictionary(b.getContext());
}

//===----------------------------------------------------------------------===//
// Barriers and copies
//===----------------------------------------------------------------------===//

void WarpgroupBuilder::initBarrier(Value barrier, int64_t arrivals) {
  NVVM::MBarrierInitOp::create(b, loc, sharedAt(barrier), i32(arrivals), Value());
}
void WarpgroupBuilder::initializedBarriers() {
  NVVM::FenceMbarrierInitOp::create(b, loc);
  NVVM::FenceProxyOp::create(b, loc, NVVM::ProxyKind::async_shared,
                             NVVM::SharedSpaceAttr::get(b.getContext(), NVVM::SharedSpace::shared_cta));
}
void WarpgroupBuilder::wait(Value barrier, Value phase) {
  NVVM::MBarrierTryWaitParityOp::create(b, loc, sharedAt(barrier), phase, i32(10000000));
}
void WarpgroupBuilder::expectBytes(Value barrier, int64_t bytes) {
  NVVM::MBarrierArriveExpectTxOp::create(b, loc, Type(), sharedAt(barrier), i32(bytes), NVVM::MemScopeKind::CTA, false,
                                         Value());
}
void WarpgroupBuilder::arrive(Value barrier) {
  NVVM::MBarrierArriveOp::create(b, loc, b.getI64Type(), sharedAt(barrier), Value());
}

void WarpgroupBuilder::copyBox(Value place, Value map, Value barrier, ValueRange coordinates, ValueRange offsets) {
  Value target = LLVM::AddrSpaceCastOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext(), 7), sharedAt(place));
  Values small;
  for (Value offset : offsets)
    small.push_back(b.createOrFold<arith::TruncIOp>(loc, b.getI16Type(), offset));
  NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp::create(
      b, loc, target, map, coordinates, sharedAt(barrier), small, Value(), Value(),
      offsets.empty() ? NVVM::TMALoadMode::TILE : NVVM::TMALoadMode::IM2COL, false, NVVM::CTAGroupKindAttr(), Value());
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

Value WarpgroupBuilder::sharedBytes() { return LLVM::PtrToIntOp::create(b, loc, b.getI32Type(), shared); }

Value WarpgroupBuilder::descriptor(Value bytes, int64_t leading, int64_t stride) {
  // 14 bits of address / 16; leading and stride / 16 at bits 16 and 32; swizzle of 128 bytes at bit 62.
  Value address = div(b.createOrFold<arith::AndIOp>(loc, bytes, i32(0x3FFFF)), 16);
  int64_t rest = int64_t(uint64_t(1) << 62) | (stride >> 4) << 32 | (leading >> 4) << 16;
  return arith::OrIOp::create(b, loc, arith::ExtUIOp::create(b, loc, b.getI64Type(), address),
                              arith::ConstantIntOp::create(b, loc, rest, 64));
}

Value WarpgroupBuilder::advance(Value descriptor, int64_t bytes) {
  return bytes ? arith::AddIOp::create(b, loc, descriptor, arith::ConstantIntOp::create(b, loc, bytes >> 4, 64))
                     .getResult()
               : descriptor;
}

Type WarpgroupBuilder::sumsType(int64_t n) {
  return LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(n / 2, b.getF32Type()));
}

Value WarpgroupBuilder::zeroSums(int64_t n) { return repack(Values(n / 2, f32(0))); }

Value WarpgroupBuilder::repack(ArrayRef<Value> sums) {
  Value packed = LLVM::UndefOp::create(b, loc, sumsType(sums.size() * 2));
  for (auto [i, sum] : llvm::enumerate(sums))
    packed = LLVM::InsertValueOp::create(b, loc, packed, sum, i);
  return packed;
}

Values WarpgroupBuilder::unpack(Value sums, int64_t n) {
  Values values;
  for (int64_t i = 0; i < n / 2; ++i)
    values.push_back(LLVM::ExtractValueOp::create(b, loc, sums, i));
  return values;
}

Value WarpgroupBuilder::multiplyTiles(Value left, Value right, Value sums, int64_t n, Type type, bool across,
                                      bool fromZero) {
  auto kind = type.isF16() ? NVVM::WGMMATypes::f16 : type.isBF16() ? NVVM::WGMMATypes::bf16 : NVVM::WGMMATypes::tf32;
  auto shape = NVVM::MMAShapeAttr::get(b.getContext(), 64, n, type.isF32() ? 8 : 16);
  return NVVM::WgmmaMmaAsyncOp::create(
      b, loc, sumsType(n), sums, left, right, shape, kind, kind, NVVM::WGMMATypes::f32,
      fromZero ? NVVM::WGMMAScaleOut::zero : NVVM::WGMMAScaleOut::one, NVVM::WGMMAScaleIn::one, NVVM::WGMMAScaleIn::one,
      NVVM::MMALayout::row, across ? NVVM::MMALayout::row : NVVM::MMALayout::col, NVVM::MMAIntOverflowAttr());
}

Value WarpgroupBuilder::multiplyFragment(ArrayRef<Value> left, Value right, Value sums, int64_t n, Type type,
                                         bool across) {
  // nvvm.wgmma.mma_async has no form with registers on the left.
  int64_t count = n / 2;
  std::string text = "wgmma.mma_async.sync.aligned.m64n" + std::to_string(n) + "k16.f32." +
                     (type.isF16() ? "f16.f16" : "bf16.bf16") + " {";
  std::string constraints;
  for (int64_t i = 0; i < count; ++i) {
    text += (i ? ", $" : "$") + std::to_string(i);
    constraints += "=f,";
  }
  text += "}, {";
  for (int64_t i = 0; i < 4; ++i)
    text += (i ? ", $" : "$") + std::to_string(count + i);
  text += "}, $" + std::to_string(count + 4) + ", 1, 1, 1, " + (across ? "1" : "0") + ";";
  constraints += "r,r,r,r,l";
  for (int64_t i = 0; i < count; ++i)
    constraints += "," + std::to_string(i);
  Values operands(left);
  operands.push_back(right);
  llvm::append_range(operands, unpack(sums, n));
  return LLVM::InlineAsmOp::create(b, loc, sumsType(n), operands, text, constraints, /*has_side_effects=*/true,
                                   /*is_align_stack=*/false, LLVM::TailCallKind::None,
                                   LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT), ArrayAttr())
      .getResult(0);
}

void WarpgroupBuilder::beginProducts() { NVVM::WgmmaFenceAlignedOp::create(b, loc); }
void WarpgroupBuilder::commitProducts() { NVVM::WgmmaGroupSyncAlignedOp::create(b, loc); }
void WarpgroupBuilder::waitProducts(int64_t pending) { NVVM::WgmmaWaitGroupSyncOp::create(b, loc, uint64_t(pending)); }

void WarpgroupBuilder::setRegisters(int64_t count, bool more) {
  NVVM::SetMaxRegisterOp::create(b, loc, uint32_t(count),
                                 more ? NVVM::SetMaxRegisterAction::increase : NVVM::SetMaxRegisterAction::decrease);
}

Value WarpgroupBuilder::elected() { return NVVM::ElectSyncOp::create(b, loc, b.getI1Type(), Value()); }
