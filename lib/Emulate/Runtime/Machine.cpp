// The scheduler: which thread runs next and when a copy in flight arrives are drawn from the seed, so that a kernel
// that is right only in one order is caught, and is caught again by the same seed.
#include "Machine.h"
#include <algorithm>
#include <cstdio>
#include <numeric>

using namespace coat::emulator;

Machine coat::emulator::machine;
/// What generated code reads thread numbers from.
COAT_EMULATED Registers *coat_emu_registers;
Registers *coat_emu_registers;

uint64_t Machine::draw(uint64_t below) { // splitmix64
  uint64_t z = random += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return uint64_t((unsigned __int128)(z ^ z >> 31) * below >> 64); // no division: this runs at every step
}

void ReadyThreads::start(uint32_t warps) {
  ready.assign(warps, {});
  order.resize(warps);
  std::iota(order.begin(), order.end(), 0);
  for (uint32_t left = warps; left > 1; --left)
    std::swap(order[left - 1], order[machine.draw(left)]);
  isEven = machine.draw(4) == 0;
  count = 0;
}

void ReadyThreads::push(Thread *thread) {
  ready[thread->registers.warp].push_back(thread);
  ++count;
}

Thread *ReadyThreads::pop() {
  if (machine.draw(512) == 0) // a warp that was ahead falls behind
    std::swap(order[machine.draw(order.size())], order[machine.draw(order.size())]);
  size_t place = isEven ? machine.draw(order.size()) : 0;
  while (ready[order[place]].empty())
    place = (place + 1) % order.size();
  std::vector<Thread *> &lanes = ready[order[place]];
  std::swap(lanes[machine.draw(lanes.size())], lanes.back());
  Thread *thread = lanes.back();
  lanes.pop_back();
  --count;
  return thread;
}

void coat::emulator::fault(const char *site, const char *format, ...) {
  char text[512], where[256] = "";
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  const uint32_t *block = coat_emu_registers ? coat_emu_registers->ctaid : nullptr;
  if (block)
    snprintf(where, sizeof where, "%s, block (%u, %u, %u), thread %u, %s: ", machine.kernel->name, block[0], block[1],
             block[2], machine.current ? machine.current->id : 0, site);
  machine.error = std::string(where) + text;
  machine.failed = true;
  if (!machine.current)
    longjmp(machine.scheduler, 1);
  machine.current->fiber.suspend();
  __builtin_unreachable();
}

void coat::emulator::sleepAt(const char *site) {
  machine.current->at = site;
  machine.current->fiber.suspend();
}

void coat::emulator::wake(Thread *thread) {
  ++machine.progress;
  machine.runnable.push(thread);
}

void coat::emulator::pollAt(const char *site) {
  machine.polling.push_back(machine.current);
  sleepAt(site);
}

void coat::emulator::meet(uint32_t mask, const char *site, const void *operands, void *results,
                          const std::function<void(Meeting &)> &compute) {
  const Registers &registers = machine.current->registers;
  uint32_t lane = registers.lane, self = 1u << lane;
  if (!(mask & self))
    fault(site, "expected this lane, %u, in the mask, got %#x", lane, mask);
  std::vector<Meeting> &meetings = machine.meetings[registers.warp];
  Meeting *meeting = nullptr;
  for (Meeting &other : meetings) {
    if (other.arrived & self)
      fault(site, "expected lane %u to have left %s", lane, other.site);
    if (!(other.mask & mask))
      continue;
    if (other.mask != mask || other.site != site)
      fault(site, "expected all lanes of the warp at one instruction, got others, of mask %#x, at %s", other.mask,
            other.site);
    meeting = &other;
  }
  if (!meeting) {
    meetings.emplace_back();
    meeting = &meetings.back();
    meeting->mask = mask;
    meeting->site = site;
  }
  meeting->arrived |= self;
  meeting->operands[lane] = operands;
  meeting->results[lane] = results;
  ++machine.progress;
  if (meeting->arrived != mask)
    return sleepAt(site);
  Meeting all = *meeting;
  meetings.erase(meetings.begin() + (meeting - meetings.data()));
  compute(all);
  for (uint32_t other = 0; other < 32; ++other)
    if (other != lane && mask >> other & 1)
      wake(machine.threads[registers.warp * 32 + other].get());
}

/// The body of every fiber.
static void runThread() {
  machine.kernel->entry(machine.params);
  Thread &self = *machine.current;
  if (!self.openStores.empty() || !self.storeGroups.empty())
    fault(self.at, "expected bulk stores to be committed and waited for before the thread ends");
  bool isCopying = !self.openCopies.empty();
  for (auto &group : self.copyGroups) // one without copies is not waited for by anybody
    isCopying |= !group.empty();
  if (isCopying)
    fault(self.at, "expected cp.async to be waited for before the thread ends");
  self.finished = true;
  ++machine.progress;
  self.fiber.suspend();
}

/// The body of the one fiber of a kernel whose threads never meet.
static void runThreadsInTurn() {
  for (auto &thread : machine.threads) {
    machine.current->id = thread->id;
    coat_emu_registers = &thread->registers;
    machine.kernel->entry(machine.params);
  }
  machine.current->finished = true;
  machine.current->fiber.suspend();
}

void Machine::startBlock(const uint32_t index[3], const uint32_t grid[3], const uint32_t block[3]) {
  threads.resize(threadCount);
  static const uint32_t latenesses[] = {0, 0, 0, 64};
  lateness = latenesses[draw(4)];
  uint32_t warps = (threadCount + 31) / 32;
  runnable.start(warps);
  polling.clear(), late.clear(), mbarriers.clear();
  meetings.assign(warps, {});
  warpGroups.clear();
  warpGroups.resize((threadCount + 127) / 128);
  for (NamedBarrier &barrier : barriers)
    barrier = {};
  for (uint32_t id = 0; id < threadCount; ++id) {
    if (!threads[id])
      threads[id] = std::make_unique<Thread>();
    Thread &thread = *threads[id];
    thread.id = id;
    thread.finished = false;
    thread.at = "its start";
    thread.fences = 0;
    thread.openCopies.clear(), thread.copyGroups.clear(), thread.openStores.clear(), thread.storeGroups.clear();
    thread.productGroups.clear();
    thread.products = thread.waited = 0;
    thread.registersFenced = false;
    Registers &registers = thread.registers;
    uint32_t tid[3] = {id % block[0], id / block[0] % block[1], id / block[0] / block[1]};
    for (int dim = 0; dim < 3; ++dim) {
      registers.tid[dim] = tid[dim], registers.ntid[dim] = block[dim];
      registers.ctaid[dim] = index[dim], registers.nctaid[dim] = grid[dim];
    }
    registers.lane = id % 32, registers.warp = id / 32, registers.warps = warps;
    registers.dynamicShared = sharedBytes - kernel->static_shared;
  }
  if (sharedBytes)
    resetShared();
}

bool Machine::runPlain() {
  current = threads[0].get();
  coat_emu_registers = &current->registers;
  current->fiber.start(runThreadsInTurn);
  current->fiber.resume();
  current = nullptr;
  return !failed;
}

void Machine::completeLate(size_t number) {
  LateRef copy = late[number];
  late[number] = late.back();
  late.pop_back();
  if (copy->done)
    return;
  copy->done = true;
  copy->run();
  ++progress;
}

void Machine::reportDeadlock() {
  std::map<std::string, std::vector<uint32_t>> places;
  for (auto &thread : threads)
    if (!thread->finished)
      places[thread->at].push_back(thread->id);
  std::string text = "deadlock:";
  for (auto &[place, ids] : places)
    text += " " + std::to_string(ids.size()) + " threads (" + std::to_string(ids.front()) + " ..) at " + place + ";";
  text.pop_back();
  fault("no thread can go on", "%s", text.c_str());
}

bool Machine::runFibers() {
  for (auto &thread : threads) {
    thread->fiber.start(runThread);
    runnable.push(thread.get());
  }
  uint32_t left = threadCount;
  if (setjmp(scheduler)) // a fault in what is late, or here
    return false;
  while (true) {
    if (!late.empty() && (runnable.empty() || (lateness && draw(lateness) == 0))) {
      completeLate(draw(late.size()));
      continue;
    }
    if (runnable.empty() && !polling.empty() && progress != pollProgress) {
      pollProgress = progress;
      for (Thread *thread : polling)
        runnable.push(thread);
      polling.clear();
    }
    if (runnable.empty()) {
      if (!left)
        return true;
      reportDeadlock();
    }
    current = runnable.pop();
    coat_emu_registers = &current->registers;
    current->fiber.resume();
    left -= current->finished;
    current = nullptr;
    if (failed)
      return false;
  }
}

bool Machine::launch(const uint32_t grid[3], const uint32_t block[3]) {
  electedLane = uint32_t(draw(32));
  std::vector<uint32_t> order(grid[0] * grid[1] * grid[2]);
  std::iota(order.begin(), order.end(), 0);
  for (size_t left = order.size(); left > 1; --left)
    std::swap(order[left - 1], order[draw(left)]);
  for (uint32_t number : order) {
    uint32_t index[3] = {number % grid[0], number / grid[0] % grid[1], number / grid[0] / grid[1]};
    startBlock(index, grid, block);
    if (!(kernel->meets ? runFibers() : runPlain()))
      return false;
  }
  return true;
}

static std::vector<Extent> allocations;

void coat_emulate_extents(const void *const *bases, const unsigned long *bytes, unsigned long count) {
  allocations.clear();
  for (unsigned long i = 0; i < count; ++i)
    allocations.push_back({uintptr_t(bases[i]), uintptr_t(bases[i]) + bytes[i]});
}

/// What is wrong with the launch itself, as the driver would see it; empty when nothing is.
static std::string checkLaunch(const coat_emulated_kernel &kernel, const unsigned grid[3], const unsigned block[3],
                               unsigned shared) {
  uint64_t threads = uint64_t(block[0]) * block[1] * block[2];
  if (!threads || threads > 1024 || (kernel.threads && threads != kernel.threads))
    return "expected " + (kernel.threads ? std::to_string(kernel.threads) : "1 to 1024") + " threads, got " +
           std::to_string(threads);
  if (!grid[0] || !grid[1] || !grid[2])
    return "expected a grid of one or more blocks";
  if (kernel.static_shared + uint64_t(shared) > (227 << 10))
    return "expected at most 232448 bytes of shared memory, got " + std::to_string(kernel.static_shared + shared);
  return "";
}

int coat_emulate(const void *kernel, const unsigned grid[3], const unsigned block[3], unsigned dynamicShared,
                 void *const *params, unsigned long long seed, char *error, unsigned long errorSize) {
  Machine &m = machine;
  m.kernel = static_cast<const coat_emulated_kernel *>(kernel);
  m.params = params;
  m.threadCount = block[0] * block[1] * block[2];
  m.sharedBytes = m.kernel->static_shared + dynamicShared;
  m.random = seed * 0x2545F4914F6CDD1Du + 1;
  m.failed = false;
  m.current = nullptr;
  m.allocations = allocations;
  m.arguments.assign(m.kernel->count, {0, 0});
  for (uint32_t i = 0; i < m.kernel->count; ++i)
    if (int64_t bytes = m.kernel->bytes[i]; bytes >= 0) {
      auto begin = *static_cast<const uintptr_t *>(params[i]);
      m.arguments[i] = {begin, begin + bytes};
    }
  m.error = checkLaunch(*m.kernel, grid, block, dynamicShared);
  bool right = m.error.empty() && m.launch(grid, block);
  coat_emu_registers = nullptr;
  if (!right && errorSize)
    snprintf(error, errorSize, "%s", m.error.c_str());
  return !right;
}
