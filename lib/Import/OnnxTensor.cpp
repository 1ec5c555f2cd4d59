// Weights: from bytes in a mapped file to dense and dense_resource attributes.
//
// Large tensors are never copied unless they lie unaligned for their element
// type; small ones always are. External data is only read inside the model's folder: a model from
// elsewhere must not make the compiler embed a private file in a library.
#include "OnnxTensor.h"
#include "coat/Import/Onnx.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace coat::onnx;

Type coat::onnx::elementTypeOf(int32_t dataType, MLIRContext *context) {
  switch (dataType) {
  case Float:
    return Float32Type::get(context);
  case Double:
    return Float64Type::get(context);
  case Float16:
    return Float16Type::get(context);
  case BFloat16:
    return BFloat16Type::get(context);
  case Int8:
    return IntegerType::get(context, 8);
  case Int16:
    return IntegerType::get(context, 16);
  case Int32:
    return IntegerType::get(context, 32);
  case Int64:
    return IntegerType::get(context, 64);
  case UInt8:
    return IntegerType::get(context, 8, IntegerType::Unsigned);
  case UInt16:
    return IntegerType::get(context, 16, IntegerType::Unsigned);
  case UInt32:
    return IntegerType::get(context, 32, IntegerType::Unsigned);
  case UInt64:
    return IntegerType::get(context, 64, IntegerType::Unsigned);
  case Bool:
    return IntegerType::get(context, 1);
  default:
    return {};
  }
}

std::string coat::onnx::dataTypeName(int32_t dataType) {
  static const char *const names[] = {"undefined",      "float",    "uint8",        "int8",           "uint16",
                                      "int16",          "int32",    "int64",        "string",         "bool",
                                      "float16",        "double",   "uint32",       "uint64",         "complex64",
                                      "complex128",     "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2",
                                      "float8e5m2fnuz", "uint4",    "int4",         "float4e2m1",     "float8e8m0",
                                      "uint2",          "int2",     "float6e2m3",   "float6e3m2"};
  if (dataType >= 0 && size_t(dataType) < std::size(names))
    return names[dataType];
  return "type " + std::to_string(dataType);
}

/// Bytes an element takes in the file.
static int64_t fileBytes(Type elementType) {
  return elementType.isInteger(1) ? 1 : elementType.getIntOrFloatBitWidth() / 8;
}

RankedTensorType TensorReader::typeOf(const Tensor &tensor) const {
  Type elementType = elementTypeOf(tensor.type, context);
  return elementType ? RankedTensorType::get(tensor.dims, elementType) : RankedTensorType();
}

bool TensorReader::findExternal(Tensor &tensor, std::string &error) {
  auto fail = [&](const Twine &message) {
    error = ("tensor '" + tensor.name + "': " + message).str();
    return false;
  };
  StringRef location = tensor.location;
  if (folder.empty())
    return fail("expected a model file beside its external data, got a model from stdin");
  bool climbs = llvm::any_of(llvm::make_range(llvm::sys::path::begin(location), llvm::sys::path::end(location)),
                             [](StringRef part) { return part == ".."; });
  if (location.empty() || llvm::sys::path::is_absolute(location) || climbs || location.contains('\0'))
    return fail("expected external data under the model's folder, got '" + location + "'");
  SmallString<256> path(folder), real, root;
  llvm::sys::path::append(path, location);
  if (std::error_code code = llvm::sys::fs::real_path(path, real))
    return fail("cannot open external data '" + location + "': " + code.message());
  bool unknown = bool(llvm::sys::fs::real_path(folder, root));
  StringRef rest = real;
  if (unknown || !rest.consume_front(root) || !(root == "/" || rest.empty() || rest.starts_with("/")))
    return fail("expected external data under the model's folder, got '" + location + "', a link out of it");
  std::shared_ptr<llvm::MemoryBuffer> &buffer = externalFiles[real];
  if (!buffer) {
    // Not a pipe, which would be waited for; nor a second name of a file that may lie elsewhere, as in ONNX's checker.
    llvm::sys::fs::file_status status;
    if (std::error_code code = llvm::sys::fs::status(real, status))
      return fail("cannot open external data '" + location + "': " + code.message());
    if (!llvm::sys::fs::is_regular_file(status))
      return fail("expected external data in a file, got '" + location + "', which is none");
    if (status.getLinkCount() > 1)
      return fail("expected external data in a file of its own, got '" + location +
                  "', which has several names (hard links); try a copy");
    auto opened = llvm::MemoryBuffer::getFile(real, /*IsText=*/false, /*RequiresNullTerminator=*/false);
    if (!opened)
      return fail("cannot open external data '" + location + "': " + opened.getError().message());
    buffer = std::move(*opened);
  }
  uint64_t size = buffer->getBufferSize();
  if (tensor.offset > size || tensor.length > size - tensor.offset)
    return fail("expected " + Twine(tensor.length) + " bytes at " + Twine(tensor.offset) + " of '" + location +
                "', got a file of " + Twine(size) + " bytes");
  uint64_t length = tensor.length ? tensor.length : size - tensor.offset;
  if (auto type = typeOf(tensor); type && tensor.length == 0)
    if (auto count = elementCount(tensor.dims))
      length = std::min<uint64_t>(length, uint64_t(*count) * fileBytes(type.getElementType()));
  tensor.bytes = {buffer->getBufferStart() + tensor.offset, length};
  tensor.owner = buffer;
  return true;
}

bool TensorReader::resolve(Tensor &tensor, std::string &error) {
  if (tensor.dims.size() > maxDimensions) {
    error = "tensor '" + tensor.name + "': expected at most " + std::to_string(maxDimensions) + " dimensions, got " +
            std::to_string(tensor.dims.size());
    return false;
  }
  auto count = elementCount(tensor.dims);
  Type elementType = elementTypeOf(tensor.type, context);
  int64_t bytes;
  if (!count || llvm::MulOverflow(*count, int64_t(16), bytes)) {
    error = "tensor '" + tensor.name + "': expected sizes that fit in memory, got a negative or huge one";
    return false;
  }
  if (!elementType) // refused where it is used
    return true;
  if (tensor.external && !findExternal(tensor, error))
    return false;
  if (!tensor.owner)
    tensor.owner = file;
  bytes = *count * fileBytes(elementType);
  if (int64_t(tensor.bytes.size()) == bytes)
    return true;
  error = "tensor '" + tensor.name + "': expected " + std::to_string(bytes) + " bytes of data, got " +
          std::to_string(tensor.bytes.size());
  return false;
}

/// Whether all elements of `size` bytes are the same.
static bool isUniform(ArrayRef<char> bytes, size_t size) {
  return bytes.size() >= size && memcmp(bytes.data(), bytes.data() + size, bytes.size() - size) == 0;
}

ElementsAttr TensorReader::attributeOf(const Tensor &tensor) const {
  RankedTensorType type = typeOf(tensor);
  if (type.getNumElements() == 0)
    return DenseElementsAttr::get(type, ArrayRef<mlir::Attribute>());
  if (type.getElementType().isInteger(1)) {
    SmallVector<bool> bits = llvm::map_to_vector(tensor.bytes, [](char byte) { return byte != 0; });
    return DenseElementsAttr::get(type, bits);
  }
  size_t size = fileBytes(type.getElementType());
  if (isUniform(tensor.bytes, size))
    return DenseElementsAttr::getFromRawBuffer(type, tensor.bytes.take_front(size));
  if (type.getNumElements() <= 64)
    return DenseElementsAttr::getFromRawBuffer(type, tensor.bytes);
  std::string name = prefix + "_" + coat::identifierOf(tensor.name);
  // A small one would keep the mapping of the whole file alive after the large ones have been packed.
  constexpr size_t small = 64 * 1024;
  if (tensor.bytes.size() < small || reinterpret_cast<uintptr_t>(tensor.bytes.data()) % size != 0)
    return DenseResourceElementsAttr::get(type, name,
                                          HeapAsmResourceBlob::allocateAndCopyWithAlign(
                                              tensor.bytes, std::max<size_t>(size, 16), /*dataIsMutable=*/false));
  return DenseResourceElementsAttr::get(
      type, name,
      UnmanagedAsmResourceBlob::allocateWithAlign(
          tensor.bytes, size, [owner = tensor.owner](void *, size_t, size_t) {}, /*dataIsMutable=*/false));
}

std::optional<Known> TensorReader::knownOf(const Tensor &tensor, const Symbols &symbols) const {
  RankedTensorType type = typeOf(tensor);
  if (!type || !isTrackable(type.getShape(), type.getElementType()))
    return std::nullopt;
  Known result{type.getElementType(), SmallVector<int64_t>(type.getShape()), {}};
  size_t size = fileBytes(type.getElementType());
  for (size_t at = 0; at < tensor.bytes.size(); at += size) {
    uint64_t bits = 0;
    memcpy(&bits, tensor.bytes.data() + at, size);
    if (auto floatType = dyn_cast<FloatType>(result.elementType)) {
      llvm::APFloat number(floatType.getFloatSemantics(), llvm::APInt(size * 8, bits));
      bool loses;
      number.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &loses);
      result.elements.push_back({{}, number.convertToDouble()});
    } else {
      int64_t value = tensor.type == Bool ? int64_t(bits != 0) : llvm::SignExtend64(bits, size * 8);
      result.elements.push_back({symbols.constant(value)});
    }
  }
  return result;
}
