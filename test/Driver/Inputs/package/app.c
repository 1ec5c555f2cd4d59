// Links the package `small`.
#include "small.h"
#include <stdio.h>

int main(void) {
  float x[32], y[24];
  for (int i = 0; i < 32; ++i)
    x[i] = 1;
  small_args args = {.struct_size = sizeof args, .x = x, .y = y};
  int status = small_run(&args, NULL);
  printf("%d %.3f\n", status, y[0]);
  return status;
}
