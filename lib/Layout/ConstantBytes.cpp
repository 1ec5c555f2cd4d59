// See ConstantBytes.h.
#include "ConstantBytes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

std::optional<ArrayRef<char>> coat::bytesOf(Value value, int64_t &elementBytes) {
  ElementsAttr attr;
  auto type = cast<RankedTensorType>(value.getType());
  if (!matchPattern(value, m_Constant(&attr)) || !type.getElementType().isIntOrFloat() ||
      type.getElementTypeBitWidth() % 8)
    return std::nullopt;
  elementBytes = type.getElementTypeBitWidth() / 8;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr))
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      return blob->getData();
  if (auto dense = dyn_cast<DenseElementsAttr>(attr))
    return dense.getRawData();
  return std::nullopt;
}

const char *coat::elementAt(ArrayRef<char> bytes, int64_t i, int64_t size) {
  return bytes.data() + (static_cast<int64_t>(bytes.size()) == size ? 0 : i * size);
}

Value coat::packedConstant(OpBuilder &b, Value source, ArrayRef<int64_t> shape,
                           llvm::function_ref<void(char *, ArrayRef<char>, int64_t)> fill) {
  int64_t size = 0;
  ArrayRef<char> bytes = *bytesOf(source, size);
  auto type = cast<RankedTensorType>(source.getType()).clone(shape);
  AsmResourceBlob blob = HeapAsmResourceBlob::allocate(type.getNumElements() * size, 64, /*dataIsMutable=*/true);
  std::memset(blob.getMutableData().data(), 0, blob.getMutableData().size());
  fill(blob.getMutableData().data(), bytes, size);
  auto attr = DenseResourceElementsAttr::get(type, "packed", std::move(blob));
  return arith::ConstantOp::create(b, source.getLoc(), attr);
}
