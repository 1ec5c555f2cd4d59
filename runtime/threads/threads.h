/* coat::threads: a thread pool for coat_options, over pthreadpool. For programs that have no pool of their own.
 *
 *   coat_threads *pool = coat_threads_create(4);
 *   coat_options options = {.struct_size = sizeof options};
 *   coat_threads_use(pool, &options);
 *   net_run(&args, &options);
 *   coat_threads_destroy(pool);
 *
 * A pool runs one parallel_for at a time; calls from several threads wait for each other.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#ifndef COAT_THREADS_H
#define COAT_THREADS_H

#include "coat/coat.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct coat_threads coat_threads;

/* A pool of `threads` workers, the calling thread being one of them; 0: one for each CPU this process may use. NULL
 * when the threads cannot be started. */
coat_threads *coat_threads_create(int threads);
void coat_threads_destroy(coat_threads *pool);

/* The number of workers. */
int coat_threads_count(const coat_threads *pool);

/* Sets parallel_for, parallel_ctx and threads of the options. */
void coat_threads_use(coat_threads *pool, coat_options *options);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
