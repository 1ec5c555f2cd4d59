// Device memory: pages of the host that cannot be touched outside of copies and kernels. It starts as NaN.
#include "mock.h"
#include <cstring>
#include <map>
#include <sys/mman.h>
#include <unistd.h>

using namespace mock;

namespace {
struct Allocation {
  uint64_t bytes, pages;
};
std::map<uint64_t, Allocation> live; // by address
int accesses = 0;

void protect(int protection) {
  for (auto &[base, allocation] : live)
    mprotect(reinterpret_cast<void *>(base), allocation.pages, protection);
}

/// The allocation that starts at or before `address`.
std::map<uint64_t, Allocation>::iterator before(uint64_t address) {
  auto next = live.upper_bound(address);
  return next == live.begin() ? live.end() : std::prev(next);
}

int refuseWhileCapturing(const char *function) {
  return capturing() ? fault(captureUnsupported, "%s: expected no stream to capture", function) : success;
}
} // namespace

namespace mock {
long liveAllocations() { return long(live.size()); }
} // namespace mock

Access::Access() {
  if (!accesses++)
    protect(PROT_READ | PROT_WRITE);
}
Access::~Access() {
  if (!--accesses)
    protect(PROT_NONE);
}

bool mock::isDevice(const void *address, uint64_t bytes) {
  uint64_t at = reinterpret_cast<uint64_t>(address);
  auto found = before(at);
  return found != live.end() && at + bytes <= found->first + found->second.bytes;
}

bool mock::touchesDevice(const void *address, uint64_t bytes) {
  uint64_t at = reinterpret_cast<uint64_t>(address);
  auto found = before(at + (bytes ? bytes - 1 : 0));
  return found != live.end() && at < found->first + found->second.bytes;
}

void mock::allocations(std::vector<const void *> &bases, std::vector<unsigned long> &bytes) {
  for (auto &[base, allocation] : live) {
    bases.push_back(reinterpret_cast<const void *>(base));
    bytes.push_back(allocation.bytes);
  }
}

MOCK_API cuMemAlloc_v2(uint64_t *pointer, size_t bytes) {
  MOCK_ENTER();
  if (int result = needContext(__func__))
    return result;
  if (int result = refuseWhileCapturing(__func__))
    return result;
  if (!bytes)
    return fault(invalidValue, "cuMemAlloc: expected a size above 0");
  uint64_t page = uint64_t(sysconf(_SC_PAGESIZE)), pages = (bytes + page - 1) / page * page;
  void *base = mmap(nullptr, pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED)
    return outOfMemory;
  memset(base, 0xff, pages);
  *pointer = reinterpret_cast<uint64_t>(base);
  live[*pointer] = {bytes, pages};
  if (!accesses)
    mprotect(base, pages, PROT_NONE);
  return success;
}

MOCK_API cuMemFree_v2(uint64_t pointer) {
  MOCK_ENTER();
  if (int result = needContext(__func__))
    return result;
  if (int result = refuseWhileCapturing(__func__))
    return result;
  auto found = live.find(pointer);
  if (found == live.end())
    return fault(invalidValue, "cuMemFree: expected the start of an allocation, got %#lx", (unsigned long)pointer);
  munmap(reinterpret_cast<void *>(pointer), found->second.pages);
  live.erase(found);
  return success;
}

static int copy(const char *function, void *to, const void *from, size_t bytes, Stream *stream, bool toDevice) {
  if (int result = needContext(function))
    return result;
  if (!isKnown(stream))
    return fault(invalidHandle, "%s: expected a stream", function);
  if (capturing()) // the copies of coat are of pageable memory
    return fault(captureUnsupported, "%s: expected no stream to capture", function);
  if (!isDevice(toDevice ? to : from, bytes))
    return fault(invalidValue, "%s: expected %zu bytes within one allocation of the device", function, bytes);
  if (touchesDevice(toDevice ? from : to, bytes))
    return fault(invalidValue, "%s: expected host memory, got device memory", function);
  Access access;
  memcpy(to, from, bytes);
  return success;
}

MOCK_API cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, Stream *stream) {
  MOCK_ENTER();
  return copy(__func__, reinterpret_cast<void *>(to), from, bytes, stream, true);
}

MOCK_API cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, Stream *stream) {
  MOCK_ENTER();
  return copy(__func__, to, reinterpret_cast<void *>(from), bytes, stream, false);
}

MOCK_API cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) {
  MOCK_ENTER();
  return copy(__func__, reinterpret_cast<void *>(to), from, bytes, nullptr, true);
}

MOCK_API cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) {
  MOCK_ENTER();
  return copy(__func__, to, reinterpret_cast<void *>(from), bytes, nullptr, false);
}
