// Packing of operands and results.
#include "RuntimeCalls.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"

using namespace mlir;
using namespace coat::emulate;

static constexpr int64_t roomBytes = 1024; // wgmma of n = 256 takes 592

RuntimeCalls::RuntimeCalls(LLVM::LLVMFuncOp function) : function(function), module(function->getParentOp()) {}

LLVM::LLVMFuncOp RuntimeCalls::declare(StringRef name, Type result, TypeRange arguments) {
  if (auto known = SymbolTable::lookupNearestSymbolFrom<LLVM::LLVMFuncOp>(function,
                                                                          StringAttr::get(function.getContext(), name)))
    return known;
  OpBuilder builder = OpBuilder::atBlockBegin(&module->getRegion(0).front());
  auto type = LLVM::LLVMFunctionType::get(result, llvm::to_vector(arguments));
  return LLVM::LLVMFuncOp::create(builder, function.getLoc(), name, type);
}

Value RuntimeCalls::room(StringRef which) {
  Value &room = which == "operands" ? operandRoom : resultRoom;
  if (!room) {
    OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
    Value bytes = LLVM::ConstantOp::create(builder, function.getLoc(), builder.getI64IntegerAttr(roomBytes));
    room = LLVM::AllocaOp::create(builder, function.getLoc(), LLVM::LLVMPointerType::get(builder.getContext()),
                                  builder.getI8Type(), bytes, /*alignment=*/16);
  }
  return room;
}

Value RuntimeCalls::constant(Operation *before, int64_t value, unsigned bits) {
  OpBuilder builder(before);
  return LLVM::ConstantOp::create(builder, before->getLoc(),
                                  builder.getIntegerAttr(builder.getIntegerType(bits), value));
}

Value RuntimeCalls::data(Operation *before, StringRef name) {
  OpBuilder builder(before);
  if (!SymbolTable::lookupNearestSymbolFrom(function, builder.getStringAttr(name))) {
    OpBuilder top = OpBuilder::atBlockBegin(&module->getRegion(0).front());
    LLVM::GlobalOp::create(top, function.getLoc(), LLVM::LLVMPointerType::get(builder.getContext()),
                           /*isConstant=*/false, LLVM::Linkage::External, name, Attribute());
  }
  return LLVM::AddressOfOp::create(builder, before->getLoc(), LLVM::LLVMPointerType::get(builder.getContext()), name);
}

Value RuntimeCalls::site(Operation *op) {
  std::string text = op->getName().getStringRef().str();
  auto place = op->getLoc()->findInstanceOf<FileLineColLoc>();
  if (place)
    text += " at " + place.getFilename().str() + ":" + std::to_string(place.getLine());
  std::string name = "site." + text;
  OpBuilder builder(op);
  if (!SymbolTable::lookupNearestSymbolFrom(function, builder.getStringAttr(name))) {
    OpBuilder top = OpBuilder::atBlockBegin(&module->getRegion(0).front());
    auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), text.size() + 1);
    LLVM::GlobalOp::create(top, op->getLoc(), type, /*isConstant=*/true, LLVM::Linkage::Internal, name,
                           builder.getStringAttr(text + StringRef("\0", 1)));
  }
  return LLVM::AddressOfOp::create(builder, op->getLoc(), LLVM::LLVMPointerType::get(builder.getContext()), name);
}

Value RuntimeCalls::call(Operation *op, StringRef name, Type result, ValueRange arguments) {
  OpBuilder builder(op);
  Type returned = result ? result : LLVM::LLVMVoidType::get(op->getContext());
  auto callee = declare(name, returned, arguments.getTypes());
  auto called = LLVM::CallOp::create(builder, op->getLoc(), callee, arguments);
  return result ? called.getResult() : Value();
}

void RuntimeCalls::flatten(OpBuilder &builder, Location loc, Value value, SmallVectorImpl<Value> &words) {
  if (auto type = dyn_cast<LLVM::LLVMStructType>(value.getType())) {
    for (int64_t i = 0, count = type.getBody().size(); i < count; ++i)
      flatten(builder, loc, LLVM::ExtractValueOp::create(builder, loc, value, i), words);
    return;
  }
  if (value.getType().isInteger() && value.getType().getIntOrFloatBitWidth() < 32)
    value = LLVM::ZExtOp::create(builder, loc, builder.getI32Type(), value);
  words.push_back(value);
}

/// Bytes of a field, which are its alignment too.
static int64_t bytesOf(Type type) {
  if (isa<LLVM::LLVMPointerType>(type))
    return 8;
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.getNumElements() * vector.getElementTypeBitWidth() / 8;
  return std::max(type.getIntOrFloatBitWidth(), 32u) / 8;
}

static Value fieldAt(OpBuilder &builder, Location loc, Value room, int64_t &offset, Type type) {
  offset = llvm::alignTo(offset, bytesOf(type));
  Value address = LLVM::GEPOp::create(builder, loc, room.getType(), builder.getI8Type(), room,
                                      ArrayRef<LLVM::GEPArg>{int32_t(offset)});
  offset += bytesOf(type);
  return address;
}

void RuntimeCalls::replacePacked(Operation *op, StringRef name, ArrayRef<Value> fields) {
  hasPacked = true;
  Value operands = room("operands"), results = room("results");
  SmallVector<Value> words = {site(op)};
  OpBuilder builder(op);
  Location loc = op->getLoc();
  for (Value field : fields)
    flatten(builder, loc, field ? field : constant(op, 0), words);
  int64_t offset = 0;
  for (Value word : words)
    LLVM::StoreOp::create(builder, loc, word, fieldAt(builder, loc, operands, offset, word.getType()),
                          bytesOf(word.getType()));
  assert(offset <= roomBytes);
  call(op, name, Type(), {operands, results});
  offset = 0;
  auto read = [&](Type type) -> Value {
    bool isNarrow = type.isInteger() && type.getIntOrFloatBitWidth() < 32;
    Type word = isNarrow ? builder.getI32Type() : type;
    Value value = LLVM::LoadOp::create(builder, loc, word, fieldAt(builder, loc, results, offset, word), bytesOf(word));
    return isNarrow ? LLVM::TruncOp::create(builder, loc, type, value).getResult() : value;
  };
  for (OpResult result : op->getResults()) {
    Value value;
    if (auto type = dyn_cast<LLVM::LLVMStructType>(result.getType())) {
      value = LLVM::UndefOp::create(builder, loc, type);
      for (auto [i, element] : llvm::enumerate(type.getBody()))
        value = LLVM::InsertValueOp::create(builder, loc, value, read(element), int64_t(i));
    } else {
      value = read(result.getType());
    }
    result.replaceAllUsesWith(value);
  }
  op->erase();
}
