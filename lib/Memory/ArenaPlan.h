// Offsets of buffers with known lifetimes in one arena, so that buffers which are never alive together share bytes.
#ifndef COAT_LIB_MEMORY_ARENAPLAN_H
#define COAT_LIB_MEMORY_ARENAPLAN_H

#include "mlir/IR/BuiltinTypes.h"
#include <cstdint>
#include <vector>

namespace coat {

/// Alignment of every buffer in bytes: a cache line, and the widest vector register.
constexpr int64_t bufferAlignment = 64;

/// Bytes of one element in memory; a bool takes a whole byte.
int64_t bytesOfElement(mlir::Type elementType);

/// A buffer of `size` bytes that is needed from time `begin` to time `end`, both included.
struct ArenaBuffer {
  int64_t size, begin, end;
  int64_t offset = 0; // the answer
};

/// Sets the offset of every buffer (multiples of bufferAlignment) and returns the size of the arena in bytes.
int64_t planArena(std::vector<ArenaBuffer> &buffers);

} // namespace coat

#endif
