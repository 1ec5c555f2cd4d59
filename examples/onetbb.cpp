// The adapter for oneTBB: an arena bounds the workers and numbers them.
#include "edges.hpp"
#include "image.h"
#include <cstdio>
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

static void parallelFor(void *ctx, int64_t n, coat_task_fn fn, void *arg) {
  static_cast<tbb::task_arena *>(ctx)->execute([&] {
    tbb::parallel_for(int64_t(0), n,
                      [&](int64_t task) { fn(arg, task, tbb::this_task_arena::current_thread_index()); });
  });
}

int main() {
  paint();
  tbb::task_arena arena(2);
  edges::options options;
  options.parallel_for = parallelFor;
  options.parallel_ctx = &arena;
  options.threads = 2;
  edges::args args;
  args.image = image;
  args.strength = strength;
  edges::run(args, options);
  std::printf("strongest edge: %.1f\n", strongest());
}
