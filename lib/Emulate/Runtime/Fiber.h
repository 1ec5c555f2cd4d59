// A thread of a kernel that can be stopped in the middle: a stack of its own and a switch to and from it. The switch is
// a few instructions, not swapcontext, because that asks the kernel for the signal mask each time and a warp meets
// often.
#ifndef COAT_EMULATE_RUNTIME_FIBER_H
#define COAT_EMULATE_RUNTIME_FIBER_H

#include <cstddef>
#ifndef __x86_64__
#include <ucontext.h>
#endif

namespace coat::emulator {

class Fiber {
public:
  Fiber() = default;
  Fiber(const Fiber &) = delete;
  ~Fiber();
  /// Lets the next resume() begin at `entry`, which must never return.
  void start(void (*entry)());
  /// Runs the fiber until it suspends.
  void resume();
  /// Gives control back to whoever resumed this fiber.
  void suspend();

private:
  void *stack = nullptr;
#ifdef __x86_64__
  void *inside = nullptr, *outside = nullptr; // stack pointers
#else
  ucontext_t inside, outside;
#endif
};

} // namespace coat::emulator

#endif
