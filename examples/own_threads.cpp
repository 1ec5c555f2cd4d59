// A C++ program that has threads of its own gives them to the model: tasks are taken from a counter by all of them.
#include "edges.hpp"
#include "image.h"
#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

static void parallelFor(void *ctx, int64_t n, coat_task_fn fn, void *arg) {
  int workers = *static_cast<int *>(ctx);
  std::atomic<int64_t> next{0};
  auto work = [&](int worker) {
    for (int64_t task; (task = next.fetch_add(1)) < n;)
      fn(arg, task, worker);
  };
  std::vector<std::thread> threads;
  for (int worker = 1; worker < workers; ++worker)
    threads.emplace_back(work, worker);
  work(0);
  for (std::thread &thread : threads)
    thread.join();
}

int main() {
  paint();
  int workers = 2;
  edges::options options;
  options.parallel_for = parallelFor;
  options.parallel_ctx = &workers;
  options.threads = workers;
  edges::args args;
  args.image = image;
  args.strength = strength;
  edges::run(args, options);
  std::printf("strongest edge: %.1f\n", strongest());
}
