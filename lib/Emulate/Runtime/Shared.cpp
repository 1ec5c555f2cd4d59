// Shared memory: a window of 256 KiB at a low address, full of NaN when a block starts. Beside each word stands who
// wrote it last through the generic proxy (a thread's own stores) and how many proxy fences that thread had passed by
// then.
#include "Machine.h"
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>

using namespace coat::emulator;

static constexpr uint32_t windowBytes = 256 << 10;
/// The driver keeps the first KiB of a block's shared memory: nothing of a kernel lies at address 0.
static constexpr uint32_t reserved = 1 << 10;

namespace {
struct Word {
  uint16_t writer = 0; // thread + 1; 0: nobody, or not through the generic proxy
  bool barrier = false, inFlight = false;
  uint32_t fences = 0;
};
} // namespace

static Word words[windowBytes / 4];

static uint8_t *window() {
  static uint8_t *begin = [] {
    void *memory = mmap(nullptr, 2 * windowBytes, PROT_READ | PROT_WRITE,
#ifdef MAP_32BIT
                        MAP_32BIT |
#endif
                            MAP_PRIVATE | MAP_ANONYMOUS,
                        -1, 0);
    uintptr_t aligned = (reinterpret_cast<uintptr_t>(memory) + windowBytes - 1) & -uintptr_t(windowBytes);
    if (memory == MAP_FAILED || aligned > UINT32_MAX) {
      fputs("expected memory below 4 GiB for the window of shared memory\n", stderr);
      abort();
    }
    return reinterpret_cast<uint8_t *>(aligned);
  }();
  return begin;
}

uint32_t coat::emulator::sharedBegin() { return uint32_t(reinterpret_cast<uintptr_t>(window())) + reserved; }

uint8_t *coat::emulator::sharedAt(uint32_t address) { return reinterpret_cast<uint8_t *>(uintptr_t(address)); }

COAT_EMULATED void *coat_emu_shared() { return window() + reserved; }

void coat::emulator::resetShared() {
  uint32_t used = reserved + machine.sharedBytes;
  memset(window(), 0xFF, used);
  std::fill(words, words + (used + 3) / 4, Word());
}

static Word &wordAt(uint32_t address) { return words[(address % windowBytes) / 4]; }

void coat::emulator::checkShared(const char *site, uint64_t address, uint64_t bytes, uint64_t alignment) {
  uint64_t offset = address - sharedBegin();
  if (offset > machine.sharedBytes || bytes > machine.sharedBytes - offset)
    fault(site, "expected an access within %u bytes of shared memory, got %lu bytes at %ld", machine.sharedBytes,
          (unsigned long)bytes, (long)offset);
  if (address % alignment)
    fault(site, "expected an address aligned to %lu bytes, got %#lx of shared memory", (unsigned long)alignment,
          (unsigned long)offset);
}

static bool within(const Extent &extent, uintptr_t address, uint64_t bytes) {
  return address >= extent.begin && address <= extent.end && bytes <= extent.end - address;
}

void coat::emulator::checkGlobal(const char *site, const void *pointer, uint64_t bytes, uint64_t alignment,
                                 const char *what) {
  auto address = reinterpret_cast<uintptr_t>(pointer);
  if (address % alignment)
    fault(site, "expected an address aligned to %lu bytes, got one ending in %lu", (unsigned long)alignment,
          (unsigned long)(address % alignment));
  static size_t last = 0;
  if (machine.allocations.empty() ||
      (last < machine.allocations.size() && within(machine.allocations[last], address, bytes)))
    return;
  for (last = 0; last < machine.allocations.size(); ++last)
    if (within(machine.allocations[last], address, bytes))
      return;
  fault(site, "expected %s within device memory, got %lu bytes at %p", what, (unsigned long)bytes, pointer);
}

void coat::emulator::noteWrite(const char *site, const Thread &thread, uint32_t address, uint64_t bytes) {
  for (uint32_t at = address & ~3u; at < address + bytes; at += 4) {
    Word &word = wordAt(at);
    if (word.barrier)
      fault(site, "expected no write over an mbarrier, got one at %u", at - sharedBegin());
    word.writer = thread.id + 1;
    word.fences = thread.fences;
  }
}

void coat::emulator::checkFenced(const char *site, uint32_t address, uint64_t bytes) {
  for (uint32_t at = address & ~3u; at < address + bytes; at += 4) {
    const Word &word = wordAt(at);
    if (word.inFlight)
      fault(site, "expected the copy to %u of shared memory to have arrived before it is read here",
            at - sharedBegin());
    if (word.writer && machine.threads[word.writer - 1]->fences == word.fences)
      fault(site, "expected fence.proxy.async behind the write of thread %u to %u of shared memory, which is read here",
            word.writer - 1, at - sharedBegin());
  }
}

void coat::emulator::poison(const char *site, uint32_t address, uint64_t bytes) {
  memset(sharedAt(address), 0xFF, bytes);
  for (uint32_t at = address & ~3u; at < address + bytes; at += 4) {
    if (wordAt(at).barrier)
      fault(site, "expected no copy over an mbarrier, got one at %u", at - sharedBegin());
    wordAt(at).writer = 0;
    wordAt(at).inFlight = true;
  }
}

void coat::emulator::land(uint32_t address, uint64_t bytes) {
  for (uint32_t at = address & ~3u; at < address + bytes; at += 4)
    wordAt(at).inFlight = false;
}

void coat::emulator::markBarrier(uint32_t address, bool is) {
  wordAt(address).barrier = wordAt(address + 4).barrier = is;
  wordAt(address).writer = wordAt(address + 4).writer = 0;
}

// ---- what generated code calls before its own loads and stores; argument: the parameter an address was computed from,
// -1: any memory, -2: shared

/// Checks, and tells whether the address is one of shared memory.
static bool checkAccess(const char *site, const void *pointer, uint32_t bytes, uint32_t alignment, int32_t argument,
                        const char *what) {
  auto address = reinterpret_cast<uintptr_t>(pointer);
  if (argument == -2 || (argument == -1 && address - uintptr_t(window()) < windowBytes)) {
    checkShared(site, address, bytes, alignment);
    return true;
  }
  const Extent *extent = argument >= 0 ? &machine.arguments[argument] : nullptr;
  if (extent && extent->end && !within(*extent, address, bytes))
    fault(site, "expected %s within the %ld bytes of parameter %d, got %u bytes at %ld", what,
          long(extent->end - extent->begin), argument, bytes, long(address - extent->begin));
  if (!extent || !extent->end || address % alignment)
    checkGlobal(site, pointer, bytes, alignment, what);
  return false;
}

COAT_EMULATED void coat_emu_read(const char *site, const void *pointer, uint32_t bytes, uint32_t alignment,
                                 int32_t argument) {
  checkAccess(site, pointer, bytes, alignment, argument, "a read");
}

COAT_EMULATED void coat_emu_write(const char *site, const void *pointer, uint32_t bytes, uint32_t alignment,
                                  int32_t argument) {
  if (checkAccess(site, pointer, bytes, alignment, argument, "a write") && machine.kernel->meets)
    noteWrite(site, *machine.current, uint32_t(reinterpret_cast<uintptr_t>(pointer)), bytes);
}
