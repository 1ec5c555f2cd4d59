// See GpuBuilder.h.
#include "GpuBuilder.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace coat;

/// The dynamic shared memory of the kernels of the gpu.module around `b`.
static LLVM::GlobalOp sharedOf(OpBuilder &b, Location loc) {
  auto module = b.getInsertionBlock()->getParentOp()->getParentOfType<gpu::GPUModuleOp>();
  if (auto variable = module.lookupSymbol<LLVM::GlobalOp>("coat_shared"))
    return variable;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(module.getBody());
  return LLVM::GlobalOp::create(b, loc, LLVM::LLVMArrayType::get(b.getI8Type(), 0), /*isConstant=*/false,
                                LLVM::Linkage::External, "coat_shared", Attribute(), /*alignment=*/1024,
                                /*addrSpace=*/3);
}

GpuBuilder::GpuBuilder(OpBuilder &builder, Location loc) : b(builder), loc(loc) {
  Type word = b.getI32Type();
  shared = LLVM::AddressOfOp::create(b, loc, sharedOf(b, loc));
  thread = NVVM::ThreadIdXOp::create(b, loc, word);
  block = NVVM::BlockIdXOp::create(b, loc, word);
  lane = rem(thread, 32);
  warp = NVVM::ShflOp::create(b, loc, word, i32(-1), div(thread, 32), i32(0), i32(31), NVVM::ShflKind::idx, UnitAttr());
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value GpuBuilder::i32(int64_t value) { return arith::ConstantIntOp::create(b, loc, value, 32); }
Value GpuBuilder::truth(bool value) { return arith::ConstantIntOp::create(b, loc, value, 1); }
Value GpuBuilder::add(Value x, Value y) { return b.createOrFold<arith::AddIOp>(loc, x, y); }
Value GpuBuilder::sub(Value x, Value y) { return b.createOrFold<arith::SubIOp>(loc, x, y); }
Value GpuBuilder::mul(Value x, Value y) { return b.createOrFold<arith::MulIOp>(loc, x, y); }
Value GpuBuilder::div(Value x, int64_t constant) {
  return constant == 1 ? x : b.createOrFold<arith::DivUIOp>(loc, x, i32(constant));
}
Value GpuBuilder::rem(Value x, int64_t constant) {
  return constant == 1 ? i32(0) : b.createOrFold<arith::RemUIOp>(loc, x, i32(constant));
}
Value GpuBuilder::bitXor(Value x, Value y) { return b.createOrFold<arith::XOrIOp>(loc, x, y); }
Value GpuBuilder::both(Value x, Value y) { return !x ? y : !y ? x : b.createOrFold<arith::AndIOp>(loc, x, y); }
Value GpuBuilder::compare(arith::CmpIPredicate predicate, Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, predicate, x, y);
}
Value GpuBuilder::smaller(Value x, Value y) { return b.createOrFold<arith::MinSIOp>(loc, x, y); }
Value GpuBuilder::select(Value condition, Value x, Value y) {
  return b.createOrFold<arith::SelectOp>(loc, condition, x, y);
}
Value GpuBuilder::f32(double value) { return arith::ConstantOp::create(b, loc, b.getFloatAttr(b.getF32Type(), value)); }
Value GpuBuilder::zero(Type type) { return arith::ConstantOp::create(b, loc, b.getZeroAttr(type)); }
Value GpuBuilder::bitcast(Value value, Type type) {
  return value.getType() == type ? value : LLVM::BitcastOp::create(b, loc, type, value).getResult();
}

Type coat::pairOf(Type type) { return VectorType::get(2, type); }

Value GpuBuilder::pack(Value low, Value high, Type type) {
  Value pair = vector::FromElementsOp::create(b, loc, pairOf(b.getF32Type()), ValueRange{low, high});
  return bitcast(arith::TruncFOp::create(b, loc, pairOf(type), pair), b.getI32Type());
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

Values GpuBuilder::loop(Value lower, Value upper, ValueRange carried, LoopBody body) {
  auto loop =
      scf::ForOp::create(b, loc, lower, upper, i32(1), carried, [&](OpBuilder &, Location, Value iv, ValueRange inner) {
        scf::YieldOp::create(b, loc, body(iv, inner));
      });
  // Unrolled, multiplications would move behind the waits of later steps, and what they read would fill the registers.
  auto unroll = LLVM::LoopUnrollAttr::get(b.getContext(), b.getBoolAttr(true), {}, {}, {}, {}, {}, {});
  loop->setAttr("loop_annotation", LLVM::LoopAnnotationAttr::get(b.getContext(), {}, {}, {}, unroll, {}, {}, {}, {}, {},
                                                                 {}, {}, {}, {}, {}, {}));
  return Values(loop.getResults());
}

void GpuBuilder::when(Value condition, function_ref<void()> body) {
  if (!condition)
    return body();
  scf::IfOp::create(b, loc, condition, [&](OpBuilder &, Location) {
    body();
    scf::YieldOp::create(b, loc);
  });
}

Values GpuBuilder::choose(Value condition, function_ref<Values()> then, function_ref<Values()> otherwise) {
  auto branch = scf::IfOp::create(
      b, loc, condition, [&](OpBuilder &, Location) { scf::YieldOp::create(b, loc, then()); },
      [&](OpBuilder &, Location) { scf::YieldOp::create(b, loc, otherwise()); });
  return Values(branch.getResults());
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value GpuBuilder::step(Value pointer, Value elements, Type type) {
  return LLVM::GEPOp::create(b, loc, pointer.getType(), type, pointer, ArrayRef<LLVM::GEPArg>{elements});
}
Value GpuBuilder::load(Type type, Value pointer, int64_t alignment) {
  return LLVM::LoadOp::create(b, loc, type, pointer, alignment);
}
void GpuBuilder::store(Value value, Value pointer, int64_t alignment) {
  LLVM::StoreOp::create(b, loc, value, pointer, alignment);
}
Value GpuBuilder::global(Value pointer) {
  return LLVM::AddrSpaceCastOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext(), 1), pointer);
}

//===----------------------------------------------------------------------===//
// Threads and warps
//===----------------------------------------------------------------------===//

void GpuBuilder::barrier() { NVVM::BarrierOp::create(b, loc); }

Value GpuBuilder::shuffleXor(Value value, int64_t mask) {
  return NVVM::ShflOp::create(b, loc, value.getType(), i32(-1), value, i32(mask), i32(31), NVVM::ShflKind::bfly,
                              UnitAttr());
}

void GpuBuilder::copyAsync(Value shared, Value global, int64_t size, Value valid) {
  auto kind = size == 16 ? NVVM::LoadCacheModifierKind::CG : NVVM::LoadCacheModifierKind::CA;
  NVVM::CpAsyncOp::create(b, loc, shared, global, uint32_t(size), kind, valid);
}
void GpuBuilder::commitCopies() { NVVM::CpAsyncCommitGroupOp::create(b, loc); }
void GpuBuilder::waitCopies(int64_t pending) { NVVM::CpAsyncWaitGroupOp::create(b, loc, uint32_t(pending)); }

Values GpuBuilder::loadMatrices(Value shared, int64_t count, bool transpose) {
  Type word = b.getI32Type();
  Type type =
      count == 1 ? word : Type(LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(count, word)));
  auto shape = NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8);
  Value matrices = NVVM::LdMatrixOp::create(b, loc, type, shared, uint32_t(count),
                                            transpose ? NVVM::MMALayout::col : NVVM::MMALayout::row, shape,
                                            NVVM::LdStMatrixEltType::B16);
  if (count == 1)
    return {matrices};
  Values words;
  for (int64_t i = 0; i < count; ++i)
    words.push_back(LLVM::ExtractValueOp::create(b, loc, matrices, i));
  return words;
}

Values GpuBuilder::multiply(ArrayRef<Value> x, ArrayRef<Value> y, ArrayRef<Value> sums, Type type) {
  Type f32 = b.getF32Type();
  auto result = LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(4, f32));
  auto kind = type.isF16() ? NVVM::MMATypes::f16 : type.isBF16() ? NVVM::MMATypes::bf16 : NVVM::MMATypes::tf32;
  Values left(x), right(y);
  if (type.isF16())
    for (Values *words : {&left, &right})
      for (Value &word : *words)
        word = bitcast(word, pairOf(type));
  Value product =
      NVVM::MmaOp::create(b, loc, result, left, right, sums, ArrayRef<int64_t>{16, 8, type.isF32() ? 8 : 16},
                          std::nullopt, std::nullopt, std::array<NVVM::MMATypes, 2>{kind, kind},
                          std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row, NVVM::MMALayout::col});
  Values words;
  for (int64_t i = 0; i < 4; ++i)
    words.push_back(LLVM::ExtractValueOp::create(b, loc, product, i));
  return words;
}

Value GpuBuilder::toTf32(Value bits) {
  return NVVM::ConvertFloatToTF32Op::create(b, loc, b.getI32Type(), bitcast(bits, b.getF32Type()),
                                            NVVM::FPRoundingMode::RNA);
}

Value GpuBuilder::exp2(Value x) {
  return NVVM::InlinePtxOp::create(b, loc, TypeRange{b.getF32Type()}, ValueRange{x}, ValueRange{},
                                   "ex2.approx.ftz.f32 $0, $1;", Value())
      .getResult(0);
}
