// The emulated machine: one block of threads at a time, each thread a fiber, and everything that is in flight between
// them. Files beside this one give the instructions their meaning:
//   Warp.cpp       shuffles, votes, ldmatrix, stmatrix, mma.sync
//   WarpGroup.cpp  wgmma
//   Barriers.cpp   bar.sync, mbarriers, fences
//   Copies.cpp     cp.async, and bulk copies by tensor maps (TMA)
//   Shared.cpp     shared memory, checks of every access
//   Math.cpp       approximate functions
// Generated code calls `coat_emu_*` with a pointer to its packed operands (first the place in the kernel's text, then
// the operands in the op's order, absent ones as their default, then the attributes as i32) and one to room for
// results.
#ifndef COAT_EMULATE_RUNTIME_MACHINE_H
#define COAT_EMULATE_RUNTIME_MACHINE_H

#include "Fiber.h"
#include "coat/Emulate/Emulate.h"
#include <csetjmp>
#include <cstdarg>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#define COAT_EMULATED extern "C" __attribute__((visibility("default")))

namespace coat::emulator {

/// What read.ptx.sreg.* gives; generated code reads it by index.
struct Registers {
  uint32_t tid[3], ntid[3], ctaid[3], nctaid[3], lane, warp, warps, dynamicShared;
};

/// Something that happens later than it is asked for.
struct Late {
  std::function<void()> run;
  bool done = false;
};
using LateRef = std::shared_ptr<Late>;

struct Copy { // of cp.async
  uint32_t to;
  const uint8_t *from;
  uint32_t bytes, valid; // the rest is zeros
};

struct Thread {
  Registers registers;
  Fiber fiber;
  uint32_t id = 0;
  bool finished = false;
  const char *at = "its start"; // the last instruction that it met others at
  uint32_t fences = 0;          // fence.proxy.async so far
  // cp.async: not committed yet, and committed groups, oldest first
  std::vector<Copy> openCopies;
  std::deque<std::vector<Copy>> copyGroups;
  // the same of bulk stores
  std::vector<LateRef> openStores;
  std::deque<std::vector<LateRef>> storeGroups;
  // wgmma: how many this thread has issued and waited for, where each group ends, and whether its registers are fenced
  uint64_t products = 0, waited = 0;
  std::deque<uint64_t> productGroups;
  bool registersFenced = false;
};

struct Meeting { // of lanes of a warp, at one instruction
  uint32_t mask = 0, arrived = 0;
  const char *site = nullptr;
  const void *operands[32];
  void *results[32];
};

struct NamedBarrier {
  uint32_t expected = 0;
  std::vector<Thread *> waiting;
  uint32_t arrived = 0;
};

struct MBarrier {
  uint32_t count = 0;
  int64_t pending = 0, bytes = 0;
  uint64_t phase = 0;
  uint32_t initialiser = 0, fencesAtInit = 0;
  std::vector<Thread *> waiting;
};

struct Product; // one wgmma of a warpgroup

struct WarpGroup {
  uint64_t first = 0; // number of products.front()
  std::deque<std::shared_ptr<Product>> products;
};

struct Extent {
  uintptr_t begin, end;
};

/// Threads that can go on. Warps differ in how soon they get their turn: one that is far behind all others shows a
/// missing barrier, which threads that take turns evenly would hide.
class ReadyThreads {
public:
  void start(uint32_t warps);
  void push(Thread *thread);
  Thread *pop();
  bool empty() const { return !count; }

private:
  std::vector<std::vector<Thread *>> ready; // a warp
  std::vector<uint32_t> order;              // of warps, the first that is ready runs
  size_t count = 0;
  bool isEven = false; // or any that is ready
};

struct Machine {
  // the launch
  const coat_emulated_kernel *kernel = nullptr;
  void *const *params = nullptr;
  uint32_t threadCount = 0, sharedBytes = 0;
  std::vector<Extent> arguments, allocations;
  uint64_t random = 1;
  uint32_t lateness = 16;   // one scheduling step in so many completes a copy; 0: none before all threads wait
  uint32_t electedLane = 0; // of warps
  // the block
  std::vector<std::unique_ptr<Thread>> threads;
  ReadyThreads runnable;
  std::vector<Thread *> polling;
  std::vector<LateRef> late;
  std::vector<std::vector<Meeting>> meetings; // a warp
  std::vector<WarpGroup> warpGroups;
  NamedBarrier barriers[16];
  std::unordered_map<uint32_t, MBarrier> mbarriers; // by address
  uint64_t progress = 0, pollProgress = 0;
  Thread *current = nullptr; // null: the scheduler
  // faults
  bool failed = false;
  std::string error;
  jmp_buf scheduler;

  uint64_t draw(uint64_t below);
  bool launch(const uint32_t grid[3], const uint32_t block[3]);

private:
  void startBlock(const uint32_t index[3], const uint32_t grid[3], const uint32_t block[3]);
  bool runPlain();
  bool runFibers();
  void completeLate(size_t number);
  void reportDeadlock();
};

extern Machine machine;

/// Ends the launch with a message that names kernel, block, thread and place.
[[noreturn]] void fault(const char *site, const char *format, ...) __attribute__((format(printf, 2, 3)));
/// Stops the current thread until wake() is called for it.
void sleepAt(const char *site);
void wake(Thread *thread);
/// Lets others run; the current thread goes on when anything has happened.
void pollAt(const char *site);

// ---- shared memory (Shared.cpp)
/// The address space of shared memory is a window whose addresses fit 32 bits and begin at a multiple of 256 KiB.
uint8_t *sharedAt(uint32_t address);
uint32_t sharedBegin();
void resetShared();
void checkShared(const char *site, uint64_t address, uint64_t bytes, uint64_t alignment);
void checkGlobal(const char *site, const void *address, uint64_t bytes, uint64_t alignment, const char *what);
/// Notes that the thread wrote there through the generic proxy.
void noteWrite(const char *site, const Thread &thread, uint32_t address, uint64_t bytes);
/// Fails when something there is still being copied, or was written by a thread that has not fenced its writes for the
/// async proxy since.
void checkFenced(const char *site, uint32_t address, uint64_t bytes);
/// What a copy in flight leaves at its destination until it has arrived; no thread's write is remembered there.
void poison(const char *site, uint32_t address, uint64_t bytes);
/// The copy has arrived.
void land(uint32_t address, uint64_t bytes);
void markBarrier(uint32_t address, bool is);

// ---- barriers (Barriers.cpp)
MBarrier &barrierAt(const char *site, uint32_t address);
void settleBarrier(const char *site, MBarrier &barrier);
void checkBarrierFenced(const char *site, const MBarrier &barrier);

/// Calls `compute(meeting)` in the last of the lanes of `mask` to arrive, and lets all go on.
void meet(uint32_t mask, const char *site, const void *operands, void *results,
          const std::function<void(Meeting &)> &compute);

} // namespace coat::emulator

#endif
