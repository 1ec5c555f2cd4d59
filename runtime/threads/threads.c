/* coat::threads over pthreadpool. */
#include "threads.h"

#include <pthreadpool.h>
#include <stdatomic.h>
#include <stdlib.h>

struct coat_threads {
  pthreadpool_t pool;
};

coat_threads *coat_threads_create(int threads) {
  coat_threads *made = malloc(sizeof *made);
  if (!made)
    return NULL;
  made->pool = pthreadpool_create(threads < 0 ? 0 : (size_t)threads);
  if (made->pool)
    return made;
  free(made);
  return NULL;
}

void coat_threads_destroy(coat_threads *pool) {
  if (!pool)
    return;
  pthreadpool_destroy(pool->pool);
  free(pool);
}

int coat_threads_count(const coat_threads *pool) { return (int)pthreadpool_get_threads_count(pool->pool); }

/* One item of pthreadpool's loop is a worker, not a task: Debian's version does not tell a task which thread it is on.
 * A worker then takes tasks from the shared counter, which also balances tasks of unequal length. */
typedef struct {
  coat_task_fn fn;
  void *arg;
  int64_t count;
  _Atomic int64_t next;
} work;

static void runWorker(void *context, size_t worker) {
  work *w = context;
  for (;;) {
    int64_t task = atomic_fetch_add_explicit(&w->next, 1, memory_order_relaxed);
    if (task >= w->count)
      return;
    w->fn(w->arg, task, (int)worker);
  }
}

static void runAll(void *ctx, int64_t n, coat_task_fn fn, void *arg) {
  coat_threads *threads = ctx;
  size_t workers = pthreadpool_get_threads_count(threads->pool);
  work w = {fn, arg, n, 0};
  pthreadpool_parallelize_1d(threads->pool, runWorker, &w, (size_t)n < workers ? (size_t)n : workers, 0);
}

void coat_threads_use(coat_threads *pool, coat_options *options) {
  options->parallel_for = runAll;
  options->parallel_ctx = pool;
  options->threads = coat_threads_count(pool);
}
