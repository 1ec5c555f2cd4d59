// Stacks and the switch between them.
#include "Fiber.h"
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>

using namespace coat::emulator;

static constexpr size_t stackBytes = 128 << 10, guardBytes = 4 << 10;

static void *newStack() {
  void *memory = mmap(nullptr, stackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, guardBytes, PROT_NONE)) {
    perror("expected memory for a thread's stack");
    abort();
  }
  return memory;
}

Fiber::~Fiber() {
  if (stack)
    munmap(stack, stackBytes);
}

#ifdef __x86_64__

// Keeps what the calling convention asks a function to keep, and nothing else.
asm(R"(
.text
.type coat_emu_switch, @function
coat_emu_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size coat_emu_switch, . - coat_emu_switch
)");
extern "C" __attribute__((visibility("hidden"))) void coat_emu_switch(void **from, void *to);

void Fiber::start(void (*entry)()) {
  if (!stack)
    stack = newStack();
  auto *top = reinterpret_cast<uintptr_t *>(static_cast<char *>(stack) + stackBytes);
  *--top = 0; // entry sees a stack as behind a call
  *--top = reinterpret_cast<uintptr_t>(entry);
  for (int kept = 0; kept < 6; ++kept)
    *--top = 0;
  inside = top;
}

void Fiber::resume() { coat_emu_switch(&outside, inside); }

void Fiber::suspend() { coat_emu_switch(&inside, outside); }

#else

void Fiber::start(void (*entry)()) {
  if (!stack)
    stack = newStack();
  getcontext(&inside);
  inside.uc_stack.ss_sp = static_cast<char *>(stack) + guardBytes;
  inside.uc_stack.ss_size = stackBytes - guardBytes;
  makecontext(&inside, entry, 0);
}

void Fiber::resume() { swapcontext(&outside, &inside); }

void Fiber::suspend() { swapcontext(&inside, &outside); }

#endif
