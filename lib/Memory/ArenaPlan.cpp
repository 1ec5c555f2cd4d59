// Best fit by decreasing size: the largest buffers are placed first, each into the smallest hole that is free during
// its whole lifetime. Why not in program order: a small early buffer would split the place of a large later one.
#include "ArenaPlan.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;
using namespace coat;

int64_t coat::bytesOfElement(Type elementType) {
  return elementType.isIndex() ? 8 : llvm::divideCeil(elementType.getIntOrFloatBitWidth(), 8);
}

static int64_t alignedSize(const ArenaBuffer &buffer) { return llvm::alignTo(buffer.size, bufferAlignment); }

/// The offset of the smallest hole of at least `size` bytes between `taken` (sorted by offset), else the end of them.
static int64_t bestHole(ArrayRef<const ArenaBuffer *> taken, int64_t size) {
  int64_t best = -1, bestSize = std::numeric_limits<int64_t>::max(), end = 0;
  for (const ArenaBuffer *buffer : taken) {
    int64_t hole = buffer->offset - end;
    if (hole >= size && hole < bestSize) {
      best = end;
      bestSize = hole;
    }
    end = std::max(end, buffer->offset + alignedSize(*buffer));
  }
  return best >= 0 ? best : end;
}

int64_t coat::planArena(std::vector<ArenaBuffer> &buffers) {
  std::vector<ArenaBuffer *> order;
  for (ArenaBuffer &buffer : buffers)
    order.push_back(&buffer);
  llvm::sort(order, [](auto *a, auto *b) { return std::pair(-a->size, a) < std::pair(-b->size, b); });
  int64_t arenaSize = 0;
  for (auto [count, buffer] : llvm::enumerate(order)) {
    SmallVector<const ArenaBuffer *> taken;
    for (const ArenaBuffer *other : ArrayRef(order).take_front(count))
      if (other->begin <= buffer->end && buffer->begin <= other->end)
        taken.push_back(other);
    llvm::sort(taken, [](auto *a, auto *b) { return a->offset < b->offset; });
    buffer->offset = bestHole(taken, alignedSize(*buffer));
    arenaSize = std::max(arenaSize, buffer->offset + alignedSize(*buffer));
  }
  return arenaSize;
}
