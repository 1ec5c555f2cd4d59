// The adapter for OpenMP: tasks differ in length, so they are dealt one by one.
#include "edges.h"
#include "image.h"
#include <omp.h>
#include <stdio.h>

static void parallelFor(void *ctx, int64_t n, coat_task_fn fn, void *arg) {
  int threads = *(int *)ctx;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (int64_t task = 0; task < n; ++task)
    fn(arg, task, omp_get_thread_num());
}

int main(void) {
  paint();
  int threads = 2;
  coat_options options = {
      .struct_size = sizeof options, .parallel_for = parallelFor, .parallel_ctx = &threads, .threads = threads};
  edges_args args = {.struct_size = sizeof args, .image = image, .strength = strength};
  int status = edges_run(&args, &options);
  printf("strongest edge: %.1f\n", strongest());
  return status;
}
