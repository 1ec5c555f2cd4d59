// Where threads wait for each other: bar.sync and its named barriers, mbarriers in shared memory, and the fence between
// the generic and the async proxy.
#include "Machine.h"

using namespace coat::emulator;

namespace {
struct BarrierOperands {
  const char *site;
  uint32_t id, threads; // threads 0: all of the block
};
struct ReductionOperands {
  const char *site;
  uint32_t id, threads, predicate;
  int32_t kind; // popc, and, or
};
struct SiteOperands {
  const char *site;
};
struct InitOperands {
  const char *site;
  uint64_t address;
  uint32_t count, predicate;
};
struct ArriveOperands {
  const char *site;
  uint64_t address;
  uint32_t count, predicate; // count: of arrivals, or of bytes that are expected
};
struct WaitOperands {
  const char *site;
  uint64_t address;
  uint64_t phase;
  int32_t isParity;
};
} // namespace

// ---- bar.sync

/// Counts the current thread in; true when it was the last.
static bool arriveAt(const BarrierOperands &in) {
  uint32_t expected = in.threads ? in.threads : machine.threadCount;
  if (in.id >= 16)
    fault(in.site, "expected a barrier from 0 to 15, got %u", in.id);
  if (in.threads % 32 || expected > (machine.threadCount + 31) / 32 * 32)
    fault(in.site, "expected whole warps of the block at a barrier, got %u threads", in.threads);
  NamedBarrier &barrier = machine.barriers[in.id];
  if (!barrier.arrived)
    barrier.expected = expected;
  if (barrier.expected != expected)
    fault(in.site, "expected %u threads at barrier %u as others there do, got %u", barrier.expected, in.id, expected);
  ++machine.progress;
  return ++barrier.arrived == expected;
}

static void releaseAt(uint32_t id) {
  NamedBarrier &barrier = machine.barriers[id];
  for (Thread *thread : barrier.waiting)
    wake(thread);
  barrier = {};
}

COAT_EMULATED void coat_emu_barrier(const BarrierOperands *operands, void *) {
  if (arriveAt(*operands))
    return releaseAt(operands->id);
  machine.barriers[operands->id].waiting.push_back(machine.current);
  sleepAt(operands->site);
}

COAT_EMULATED void coat_emu_barrier_arrive(const BarrierOperands *operands, void *) {
  if (arriveAt(*operands))
    releaseAt(operands->id);
}

COAT_EMULATED void coat_emu_barrier_reduce(const ReductionOperands *operands, uint32_t *result) {
  static uint32_t counts[16], sums[16];
  uint32_t id = operands->id % 16;
  if (!machine.barriers[id].arrived)
    counts[id] = 0;
  counts[id] += operands->predicate != 0;
  uint32_t expected = operands->threads ? operands->threads : machine.threadCount;
  BarrierOperands plain = {operands->site, operands->id, operands->threads};
  if (arriveAt(plain)) {
    uint32_t sum[] = {counts[id], counts[id] == expected, counts[id] != 0};
    sums[id] = sum[operands->kind];
    releaseAt(id);
  } else {
    machine.barriers[id].waiting.push_back(machine.current);
    sleepAt(operands->site);
  }
  *result = sums[id];
}

// ---- fences

COAT_EMULATED void coat_emu_fence_proxy(const SiteOperands *, void *) { ++machine.current->fences; }

// ---- mbarriers

MBarrier &coat::emulator::barrierAt(const char *site, uint32_t address) {
  auto found = machine.mbarriers.find(address);
  if (found == machine.mbarriers.end())
    fault(site, "expected an mbarrier that was initialised, got address %ld of shared memory",
          long(address) - long(sharedBegin()));
  return found->second;
}

/// Ends the phase when nothing is missing any more.
void coat::emulator::settleBarrier(const char *site, MBarrier &barrier) {
  ++machine.progress;
  if (barrier.pending < 0)
    fault(site, "expected %u arrivals at an mbarrier in one phase, got more", barrier.count);
  if (barrier.pending || barrier.bytes)
    return;
  ++barrier.phase;
  barrier.pending = barrier.count;
  for (Thread *thread : barrier.waiting)
    wake(thread);
  barrier.waiting.clear();
}

void coat::emulator::checkBarrierFenced(const char *site, const MBarrier &barrier) {
  if (machine.threads[barrier.initialiser]->fences == barrier.fencesAtInit)
    fault(site, "expected fence.mbarrier.init or fence.proxy.async behind the mbarrier's initialisation");
}

COAT_EMULATED void coat_emu_mbarrier_init(const InitOperands *operands, void *) {
  if (!operands->predicate)
    return;
  auto address = uint32_t(operands->address);
  checkShared(operands->site, operands->address, 8, 8);
  if (machine.mbarriers.count(address))
    fault(operands->site, "expected an mbarrier to be initialised once, got a second time");
  MBarrier barrier;
  barrier.count = operands->count;
  barrier.pending = operands->count;
  barrier.initialiser = machine.current->id;
  barrier.fencesAtInit = machine.current->fences;
  machine.mbarriers[address] = barrier;
  markBarrier(address, true);
}

COAT_EMULATED void coat_emu_mbarrier_inval(const InitOperands *operands, void *) {
  barrierAt(operands->site, uint32_t(operands->address));
  machine.mbarriers.erase(uint32_t(operands->address));
  markBarrier(uint32_t(operands->address), false);
}

/// arrive: gives the phase that it counts for, which a later test_wait waits for.
COAT_EMULATED void coat_emu_mbarrier_arrive(const ArriveOperands *operands, uint64_t *result) {
  MBarrier &barrier = barrierAt(operands->site, uint32_t(operands->address));
  *result = barrier.phase;
  barrier.pending -= operands->count;
  settleBarrier(operands->site, barrier);
}

COAT_EMULATED void coat_emu_mbarrier_arrive_expect_tx(const ArriveOperands *operands, uint64_t *result) {
  if (!operands->predicate)
    return;
  MBarrier &barrier = barrierAt(operands->site, uint32_t(operands->address));
  *result = barrier.phase;
  barrier.bytes += operands->count;
  --barrier.pending;
  settleBarrier(operands->site, barrier);
}

COAT_EMULATED void coat_emu_mbarrier_expect_tx(const ArriveOperands *operands, void *) {
  barrierAt(operands->site, uint32_t(operands->address)).bytes += operands->count;
  ++machine.progress;
}

COAT_EMULATED void coat_emu_mbarrier_complete_tx(const ArriveOperands *operands, void *) {
  MBarrier &barrier = barrierAt(operands->site, uint32_t(operands->address));
  barrier.bytes -= operands->count;
  settleBarrier(operands->site, barrier);
}

static bool isOver(const WaitOperands &in, const MBarrier &barrier) {
  return in.isParity ? (barrier.phase & 1) != (in.phase & 1) : barrier.phase != in.phase;
}

/// A loop of try_wait.
COAT_EMULATED void coat_emu_mbarrier_wait(const WaitOperands *operands, void *) {
  while (true) {
    MBarrier &barrier = barrierAt(operands->site, uint32_t(operands->address));
    if (isOver(*operands, barrier))
      return;
    barrier.waiting.push_back(machine.current);
    sleepAt(operands->site);
  }
}

/// One try_wait or test_wait: lets others run when it was in vain.
COAT_EMULATED void coat_emu_mbarrier_try(const WaitOperands *operands, uint32_t *result) {
  *result = isOver(*operands, barrierAt(operands->site, uint32_t(operands->address)));
  if (!*result)
    pollAt(operands->site);
}
