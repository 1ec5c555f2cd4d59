// Packing and unpacking of memrefs at the boundary of a kernel; see the header.
#include "KernelSignature.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

int64_t coat::numExtents(MemRefType type) {
  int64_t n = type.getNumDynamicDims();
  if (!type.getLayout().isIdentity())
    n += llvm::count_if(type.getStridesAndOffset().first, ShapedType::isDynamic);
  return n;
}

int64_t coat::numWords(func::FuncOp kernel) {
  int64_t n = 0;
  for (Type type : kernel.getArgumentTypes())
    if (auto memref = dyn_cast<MemRefType>(type))
      n += 1 + numExtents(memref);
  return n;
}

Value coat::makeMemRef(OpBuilder &b, Location loc, const LLVMTypeConverter &converter, MemRefType type, Value pointer,
                       ValueRange extents) {
  auto descriptor = MemRefDescriptor::poison(b, loc, converter.convertType(type));
  descriptor.setAllocatedPtr(b, loc, pointer);
  descriptor.setAlignedPtr(b, loc, pointer);
  auto [strides, offset] = type.getStridesAndOffset();
  descriptor.setConstantOffset(b, loc, ShapedType::isDynamic(offset) ? 0 : offset);
  for (int64_t dim = 0; dim < type.getRank(); dim++) {
    if (type.isDynamicDim(dim)) {
      descriptor.setSize(b, loc, dim, extents.front());
      extents = extents.drop_front();
    } else {
      descriptor.setConstantSize(b, loc, dim, type.getDimSize(dim));
    }
  }
  bool dense = type.getLayout().isIdentity();
  if (!dense)
    for (int64_t dim = 0; dim < type.getRank(); dim++)
      if (ShapedType::isDynamic(strides[dim])) {
        descriptor.setStride(b, loc, dim, extents.front());
        extents = extents.drop_front();
      }
  Value running;
  for (int64_t dim = type.getRank() - 1; dim >= 0; dim--) {
    if (!ShapedType::isDynamic(strides[dim])) {
      descriptor.setConstantStride(b, loc, dim, strides[dim]);
      continue;
    }
    if (!dense)
      continue;
    Value inner = descriptor.size(b, loc, dim + 1);
    Value below = running ? running : LLVM::ConstantOp::create(b, loc, b.getI64Type(), strides[dim + 1]).getResult();
    running = LLVM::MulOp::create(b, loc, inner, below);
    descriptor.setStride(b, loc, dim, running);
  }
  return UnrealizedConversionCastOp::create(b, loc, type, Value(descriptor)).getResult(0);
}

Value coat::takeApart(OpBuilder &b, Location loc, const LLVMTypeConverter &converter, Value memref,
                      SmallVectorImpl<Value> &extents) {
  auto type = cast<MemRefType>(memref.getType());
  MemRefDescriptor descriptor(
      UnrealizedConversionCastOp::create(b, loc, converter.convertType(type), memref).getResult(0));
  auto [strides, offset] = type.getStridesAndOffset();
  for (int64_t dim = 0; dim < type.getRank(); dim++)
    if (type.isDynamicDim(dim))
      extents.push_back(descriptor.size(b, loc, dim));
  if (!type.getLayout().isIdentity())
    for (int64_t dim = 0; dim < type.getRank(); dim++)
      if (ShapedType::isDynamic(strides[dim]))
        extents.push_back(descriptor.stride(b, loc, dim));
  Value pointer = descriptor.alignedPtr(b, loc);
  if (!ShapedType::isDynamic(offset))
    return pointer;
  Type element = converter.convertType(type.getElementType());
  return LLVM::GEPOp::create(b, loc, pointer.getType(), element, pointer,
                             ArrayRef<LLVM::GEPArg>{descriptor.offset(b, loc)});
}
