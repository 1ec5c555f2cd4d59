// Constants of a model as MLIR attributes.
#ifndef COAT_LIB_IMPORT_ONNXTENSOR_H
#define COAT_LIB_IMPORT_ONNXTENSOR_H

#include "Known.h"
#include "OnnxModel.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"

namespace coat::onnx {

/// The MLIR type of a TensorProto.DataType: i1 for bool, signless and (ui8 ..) unsigned integers; null for types that
/// coat does not compute.
mlir::Type elementTypeOf(int32_t dataType, mlir::MLIRContext *context);
/// "float16", "uint8" ..; "type 77" for an unknown number.
std::string dataTypeName(int32_t dataType);
/// The types that elementTypeOf knows, for messages.
inline constexpr llvm::StringLiteral knownDataTypes =
    "float, double, float16, bfloat16, int8, int16, int32, int64, uint8, uint16, uint32, uint64 or bool";

/// Makes attributes of tensors. The file's mapping, and those of external data, live as long as any attribute.
class TensorReader {
public:
  TensorReader(mlir::MLIRContext *context, std::shared_ptr<llvm::MemoryBuffer> file, std::string folder,
               std::string prefix)
      : context(context), file(std::move(file)), folder(std::move(folder)), prefix(std::move(prefix)) {}

  /// Finds the bytes of external data and compares the number of bytes with the shape. False with `error`.
  bool resolve(Tensor &tensor, std::string &error);
  /// Null for an element type that coat does not compute.
  mlir::RankedTensorType typeOf(const Tensor &tensor) const;
  /// The bytes as they lie in the file for large tensors, a dense attribute for small and uniform ones.
  mlir::ElementsAttr attributeOf(const Tensor &tensor) const;
  /// The elements of a tensor that is small enough to track.
  std::optional<Known> knownOf(const Tensor &tensor, const Symbols &symbols) const;

private:
  bool findExternal(Tensor &tensor, std::string &error);

  mlir::MLIRContext *context;
  std::shared_ptr<llvm::MemoryBuffer> file;
  std::string folder, prefix;
  llvm::StringMap<std::shared_ptr<llvm::MemoryBuffer>> externalFiles;
};

} // namespace coat::onnx

#endif
