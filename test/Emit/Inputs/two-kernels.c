// Runs the model of two-kernels.mlir, serially and with tasks out of order; prints the first bad element.
#include "coat/coat.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

int net_run_flat(void *const *tensors, const int64_t *dims, const coat_options *options);
const char *net_strerror(int code);

static void backwards(void *ctx, int64_t n, void (*fn)(void *arg, int64_t task, int worker), void *arg) {
  for (int64_t task = n; task-- > 0;)
    fn(arg, task, (int)(task % 2));
  (void)ctx;
}

int main(void) {
  float x[32], y[32];
  coat_options threads = {.struct_size = sizeof threads, .parallel_for = backwards, .threads = 2};
  const coat_options *options[] = {NULL, &threads};
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 32; i++)
      x[i] = 0.25f * i - 4;
    memset(y, 0, sizeof y);
    void *tensors[] = {x, y};
    int code = net_run_flat(tensors, NULL, options[round]);
    if (code) {
      printf("error: %s\n", net_strerror(code));
      return 1;
    }
    for (int i = 0; i < 32; i++)
      if (fabsf(y[i] - (x[i] + i % 8 + 1)) > 1e-5f) {
        printf("element %d: expected %g, got %g\n", i, x[i] + i % 8 + 1, y[i]);
        return 1;
      }
  }
  puts("all right");
  return 0;
}
