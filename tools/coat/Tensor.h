// Tensors of `run`, `bench` and `verify`: memory with a shape, .npy and .npz files, seeded random values.
#ifndef COAT_TOOLS_TENSOR_H
#define COAT_TOOLS_TENSOR_H

#include "coat/coat.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace coat::tool {

struct Tensor {
  int32_t dtype = COAT_F32; // enum coat_dtype
  std::vector<int64_t> shape;

  Tensor() = default;
  /// Zero-filled, aligned to COAT_ALIGNMENT.
  Tensor(int32_t dtype, std::vector<int64_t> shape);

  int64_t elements() const;
  size_t bytes() const;
  char *data() { return memory.get(); }
  const char *data() const { return memory.get(); }
  /// Element `i` as a number.
  double at(int64_t i) const;

private:
  struct Free {
    void operator()(char *pointer) const;
  };
  std::unique_ptr<char, Free> memory;
};

/// "f32": as messages say it.
llvm::StringRef dtypeName(int32_t dtype);
/// "1x3x224x224", or "scalar".
std::string shapeText(llvm::ArrayRef<int64_t> shape);

/// Normal floats, integers 0..7, booleans; the same for the same seed on every machine.
void fillRandom(Tensor &tensor, uint64_t seed);

struct NamedTensor {
  std::string name; // empty for a .npy
  Tensor tensor;
};

/// Reads a .npy (one tensor) or a .npz (all of them).
llvm::Expected<std::vector<NamedTensor>> readTensors(llvm::StringRef path);
/// Writes a .npz, or a .npy when there is one tensor; whole or not at all.
llvm::Error writeTensors(llvm::StringRef path, llvm::ArrayRef<NamedTensor> tensors);

} // namespace coat::tool

#endif
