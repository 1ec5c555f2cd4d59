// The thread pool that comes with coat.
#include "coat/threads.h"
#include "edges.h"
#include "image.h"
#include <stdio.h>

int main(void) {
  paint();
  coat_threads *pool = coat_threads_create(2);
  coat_options options = {.struct_size = sizeof options};
  coat_threads_use(pool, &options);
  edges_args args = {.struct_size = sizeof args, .image = image, .strength = strength};
  int status = edges_run(&args, &options);
  coat_threads_destroy(pool);
  printf("strongest edge: %.1f\n", strongest());
  return status;
}
