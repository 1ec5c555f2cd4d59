// Runs the model of symbolic.mlir for all sizes of its range.
#include "coat/coat.h"
#include <stdio.h>
#include <string.h>

int net_run_flat(void *const *tensors, const int64_t *dims, const coat_options *options);
const char *net_strerror(int code);

int main(void) {
  static float x[8 * 5 * 8], y[8 * 5 * 8 + 1];
  for (int64_t n = 1; n <= 8; n++)
    for (int64_t l = 1; l <= 5; l++) {
      int count = (int)(n * l * 8);
      for (int i = 0; i < count; i++)
        x[i] = (float)i + 1;
      memset(y, 0, sizeof y);
      void *tensors[] = {x, y};
      int64_t dims[] = {n, l};
      int code = net_run_flat(tensors, dims, NULL);
      if (code) {
        printf("error: %s\n", net_strerror(code));
        return 1;
      }
      for (int i = 0; i <= count; i++)
        if (y[i] != (i < count ? 2 * ((float)i + 1) : 0)) {
          printf("N = %d, L = %d, element %d: got %g\n", (int)n, (int)l, i, y[i]);
          return 1;
        }
    }
  puts("all right");
  return 0;
}
