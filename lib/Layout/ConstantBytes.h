// The bytes of constants: what packing reads and writes.
#ifndef COAT_LIB_LAYOUT_CONSTANTBYTES_H
#define COAT_LIB_LAYOUT_CONSTANTBYTES_H

#include "mlir/IR/Builders.h"
#include <optional>

namespace coat {
/// The bytes of a constant of a byte-sized element type, or nothing where they are not at hand.
std::optional<llvm::ArrayRef<char>> bytesOf(mlir::Value value, int64_t &elementBytes);

/// Element `i` of `bytes`, which hold one element where the constant is a splat.
const char *elementAt(llvm::ArrayRef<char> bytes, int64_t i, int64_t size);

/// A constant of `shape` and the element type of `source`: zeros that `fill` (to, bytes of source, bytes of an element)
/// writes into.
mlir::Value packedConstant(mlir::OpBuilder &b, mlir::Value source, llvm::ArrayRef<int64_t> shape,
                           llvm::function_ref<void(char *, llvm::ArrayRef<char>, int64_t)> fill);
} // namespace coat

#endif
