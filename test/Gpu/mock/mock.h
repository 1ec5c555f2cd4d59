// A libcuda.so.1 without a GPU: what runtime/cuda.c calls, and what an application around it does (streams, graphs).
// Every call is checked as the documentation of CUDA 13.0 asks; kernels run in coat's emulator. A call that a driver
// would refuse, or that a driver would accept and a GPU would not survive, is a fault: named on stderr, and the call
// fails.
//
//   COAT_EMULATED=net.emu.so     the kernels, as coat-emulate makes them; without it launches are checked and not run
//   COAT_MOCK_CAPABILITY=9.0     compute capability of the one device; "none": no device
//   COAT_MOCK_SHARED=232448      shared memory that a block may ask for
//   COAT_MOCK_SEED=1             order of threads and of what completes late
//   COAT_MOCK_TRACE=file.json    gets the number of calls of each function, the faults and what was not given back
#ifndef COAT_TEST_GPU_MOCK_H
#define COAT_TEST_GPU_MOCK_H

#include "coat/Emulate/TensorMap.h"
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#define MOCK_API extern "C" __attribute__((visibility("default"))) int

namespace mock {

/// CUresult.
enum {
  success = 0,
  invalidValue = 1,
  outOfMemory = 2,
  noDevice = 100,
  invalidDevice = 101,
  invalidImage = 200,
  invalidContext = 201,
  noBinary = 209,
  invalidHandle = 400,
  notFound = 500,
  illegalAddress = 700,
  launchFailed = 719,
  captureUnsupported = 900
};

/// One lock for all calls: what is tested is coat's side of the threads.
std::unique_lock<std::recursive_mutex> lock();

/// Counts a call by its name for the trace.
void count(const char *function);
/// Names a fault; returns `result`.
int fault(int result, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define MOCK_ENTER()                                                                                                   \
  auto locked = mock::lock();                                                                                          \
  mock::count(__func__)

const char *setting(const char *name, const char *otherwise);

// driver.cpp
int major();
int minor();
int mostShared();
/// 0, or a fault when the calling thread has no current context.
int needContext(const char *function);

// memory.cpp: device memory is the host's, which nobody may touch outside a copy or a kernel.
/// Whether [address, address + bytes) lies in one allocation.
bool isDevice(const void *address, uint64_t bytes);
bool touchesDevice(const void *address, uint64_t bytes);
/// Device memory can be read and written while one of these lives.
class Access {
public:
  Access();
  ~Access();
};
void allocations(std::vector<const void *> &bases, std::vector<unsigned long> &bytes);

// streams.cpp
struct Stream;
bool isKnown(Stream *stream);
/// Whether any stream captures: then nothing may allocate, load or wait.
bool capturing();
/// Runs `work` now, or when the graph that `stream` captures is launched.
int enqueue(Stream *stream, std::function<int()> work);

// maps.cpp
const coat_emulated_map *mapIn(const void *tensorMap);

} // namespace mock

#endif
