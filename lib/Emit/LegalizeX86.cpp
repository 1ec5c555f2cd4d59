// Fused multiply-add and f16 conversions as plain arithmetic, per ISA: the Lower stage does not know the ISA, and where
// FMA and F16C exist the instructions must stay. Transfers of bf16 are those of its bits.
#include "LegalizeX86.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/MC/MCSubtargetInfo.h"

using namespace llvm;

namespace {
/// fma(a, b, c) -> fmuladd, which is a product and a sum where there is no fused instruction.
void splitFma(IntrinsicInst &call) {
  call.setCalledFunction(Intrinsic::getOrInsertDeclaration(call.getModule(), Intrinsic::fmuladd, call.getType()));
}

/// Builds conversions between the bits of f16 and f32; scalars and vectors alike.
class HalfBits {
public:
  HalfBits(IRBuilder<> &b, Type *type) : b(b) {
    auto shaped = dyn_cast<VectorType>(type);
    auto as = [&](Type *element) -> Type * {
      return shaped ? VectorType::get(element, shaped->getElementCount()) : element;
    };
    i16 = as(b.getInt16Ty());
    i32 = as(b.getInt32Ty());
    f16 = as(b.getHalfTy());
    f32 = as(b.getFloatTy());
  }

  Value *extend(Value *half) {
    Value *bits = b.CreateZExt(b.CreateBitCast(half, i16), i32);
    Value *magnitude = b.CreateAnd(bits, word(0x7fff));
    // The exponents differ by 112; a product corrects them and normalizes denormals on the way.
    Value *moved = b.CreateBitCast(b.CreateShl(magnitude, word(13)), f32);
    Value *finite = b.CreateBitCast(b.CreateFMul(moved, ConstantFP::get(f32, 0x1p112)), i32);
    Value *special = b.CreateOr(b.CreateShl(magnitude, word(13)), word(0x7f800000));
    Value *isSpecial = b.CreateICmpUGE(magnitude, word(0x7c00));
    Value *sign = b.CreateShl(b.CreateAnd(bits, word(0x8000)), word(16));
    return b.CreateBitCast(b.CreateOr(b.CreateSelect(isSpecial, special, finite), sign), f32);
  }

  /// To nearest, ties to even.
  Value *truncate(Value *single) {
    Value *bits = b.CreateBitCast(single, i32);
    Value *magnitude = b.CreateAnd(bits, word(0x7fffffff));
    // Normal results: round by adding just under half a unit, or half where the last kept bit is odd.
    Value *odd = b.CreateAnd(b.CreateLShr(magnitude, word(13)), word(1));
    Value *rounded = b.CreateAdd(b.CreateAdd(magnitude, word(0xfff - (112u << 23))), odd);
    Value *normal = b.CreateLShr(rounded, word(13));
    // Denormal results: one unit of f16 is the last bit of 0.5, so the addition rounds.
    Constant *half = ConstantFP::get(f32, 0.5);
    Value *sum = b.CreateFAdd(b.CreateBitCast(magnitude, f32), half);
    Value *denormal = b.CreateSub(b.CreateBitCast(sum, i32), word(0x3f000000));
    Value *isNaN = b.CreateICmpUGT(magnitude, word(0x7f800000));
    Value *large = b.CreateSelect(isNaN, word(0x7e00), word(0x7c00));
    Value *result = b.CreateSelect(b.CreateICmpULT(magnitude, word(0x38800000)), denormal, normal);
    result = b.CreateSelect(b.CreateICmpUGE(magnitude, word(0x47800000)), large, result);
    Value *sign = b.CreateLShr(b.CreateAnd(bits, word(0x80000000)), word(16));
    return b.CreateBitCast(b.CreateTrunc(b.CreateOr(result, sign), i16), f16);
  }

private:
  Constant *word(uint32_t value) { return ConstantInt::get(i32, value); }
  IRBuilder<> &b;
  Type *i16, *i32, *f16, *f32;
};

/// fpext half -> float and fptrunc float -> half; other widths do not occur, Lower goes through f32.
Value *convertHalf(CastInst &cast) {
  IRBuilder<> b(&cast);
  Type *from = cast.getSrcTy()->getScalarType(), *to = cast.getDestTy()->getScalarType();
  if (cast.getOpcode() == Instruction::FPExt && from->isHalfTy() && to->isFloatTy())
    return HalfBits(b, cast.getSrcTy()).extend(cast.getOperand(0));
  if (cast.getOpcode() == Instruction::FPTrunc && from->isFloatTy() && to->isHalfTy())
    return HalfBits(b, cast.getSrcTy()).truncate(cast.getOperand(0));
  return nullptr;
}
/// A masked load or store of bf16 -> one of i16: where LLVM takes it apart, a bf16 would go through f32 and be rounded
/// by a function of a library.
bool transferBits(IntrinsicInst &call) {
  bool loads = call.getIntrinsicID() == Intrinsic::masked_load;
  if (!loads && call.getIntrinsicID() != Intrinsic::masked_store)
    return false;
  auto *type = cast<VectorType>(loads ? call.getType() : call.getArgOperand(0)->getType());
  if (!type->getElementType()->isBFloatTy())
    return false;
  IRBuilder<> b(&call);
  Type *bits = VectorType::get(b.getInt16Ty(), type->getElementCount());
  Align alignment = call.getParamAlign(loads ? 0 : 1).valueOrOne();
  if (loads) {
    Value *rest = b.CreateBitCast(call.getArgOperand(2), bits);
    Value *loaded = b.CreateMaskedLoad(bits, call.getArgOperand(0), alignment, call.getArgOperand(1), rest);
    call.replaceAllUsesWith(b.CreateBitCast(loaded, type));
  } else {
    b.CreateMaskedStore(b.CreateBitCast(call.getArgOperand(0), bits), call.getArgOperand(1), alignment,
                        call.getArgOperand(2));
  }
  call.eraseFromParent();
  return true;
}

/// The same of plain loads and stores: what chooses between loaded elements then chooses between integers.
bool moveBits(Instruction &instruction) {
  Value *stored = isa<StoreInst>(instruction) ? instruction.getOperand(0) : nullptr;
  Type *type = stored ? stored->getType() : instruction.getType();
  if ((!stored && !isa<LoadInst>(instruction)) || !type->getScalarType()->isBFloatTy())
    return false;
  IRBuilder<> b(&instruction);
  Type *bits = type->getWithNewType(b.getInt16Ty());
  if (stored)
    b.CreateAlignedStore(b.CreateBitCast(stored, bits), instruction.getOperand(1),
                         cast<StoreInst>(instruction).getAlign());
  else
    instruction.replaceAllUsesWith(b.CreateBitCast(
        b.CreateAlignedLoad(bits, instruction.getOperand(0), cast<LoadInst>(instruction).getAlign()), type));
  instruction.eraseFromParent();
  return true;
}
} // namespace

void coat::legalizeForX86(Module &module, const TargetMachine &machine) {
  if (!machine.getTargetTriple().isX86())
    return;
  const MCSubtargetInfo &features = *machine.getMCSubtargetInfo();
  bool fma = features.checkFeatures("+fma"), f16c = features.checkFeatures("+f16c");
  for (Function &function : module)
    for (Instruction &instruction : make_early_inc_range(instructions(function))) {
      auto *call = dyn_cast<IntrinsicInst>(&instruction);
      if ((call && transferBits(*call)) || moveBits(instruction))
        continue;
      if (call && !fma && call->getIntrinsicID() == Intrinsic::fma)
        splitFma(*call);
      if (auto *cast = dyn_cast<CastInst>(&instruction); cast && !f16c)
        if (Value *value = convertHalf(*cast)) {
          cast->replaceAllUsesWith(value);
          cast->eraseFromParent();
        }
    }
}
