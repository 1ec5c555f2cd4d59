// One program, two models linked statically (and their references, to compare with), both run from four threads.
// RUN: rm -rf %t && mkdir %t
// RUN: coat compile %S/Inputs/alpha.mlir -o %t/alpha.o
// RUN: coat compile %S/Inputs/beta.mlir -o %t/libbeta.a
// RUN: coat compile %S/Inputs/alpha.mlir -O0 --name alpha0 -o %t/alpha0.o
// RUN: coat compile %S/Inputs/beta.mlir -O0 --name beta0 -o %t/beta0.o
// RUN: cc -std=c11 -Wall -Wextra -Wpedantic -Werror -I%build/include -I%t %s %t/alpha.o %t/alpha0.o %t/beta0.o -L%t -lbeta -lpthread -lm -o %t/app
// RUN: %t/app | FileCheck %s
// CHECK: 4 threads, 400 runs, 0 differences
#include "alpha.h"
#include "alpha0.h"
#include "beta.h"
#include "beta0.h"
#include <math.h>
#include <pthread.h>
#include <stdio.h>

enum { runs = 50, batch = 3, xSize = batch * 3 * 8 * 8, ySize = batch * 4 * 6 * 6 };

static int differ(const float *got, const float *expected, int count) {
  for (int i = 0; i < count; ++i)
    if (!(fabsf(got[i] - expected[i]) <= 1e-5f + 1e-5f * fabsf(expected[i])))
      return 1;
  return 0;
}

static int runAlpha(unsigned seed) {
  float x[xSize], y[ySize], y0[ySize];
  for (int i = 0; i < xSize; ++i)
    x[i] = (float)((i * 7 + (int)seed) % 13) / 6 - 1;
  alpha_args args = {.struct_size = sizeof args, .x = x, .y = y, .N = batch};
  alpha0_args reference = {.struct_size = sizeof reference, .x = x, .y = y0, .N = batch};
  return alpha_run(&args, NULL) || alpha0_run(&reference, NULL) || differ(y, y0, ySize);
}

static int runBeta(unsigned seed) {
  float a[5 * 16], b[16 * 7], y[5 * 7], y0[5 * 7];
  for (int i = 0; i < 80; ++i)
    a[i] = (float)((i * 5 + (int)seed) % 11) / 5 - 1;
  for (int i = 0; i < 112; ++i)
    b[i] = (float)((i * 3 + (int)seed) % 7) / 3 - 1;
  // The rule of names: in:0 -> in_0, int -> int_, in/0 -> in_0_2.
  beta_args args = {.struct_size = sizeof args, .in_0 = a, .int_ = b, .in_0_2 = y};
  beta0_args reference = {.struct_size = sizeof reference, .in_0 = a, .int_ = b, .in_0_2 = y0};
  return beta_run(&args, NULL) || beta0_run(&reference, NULL) || differ(y, y0, 35);
}

static void *work(void *arg) {
  size_t *bad = arg;
  unsigned seed = (unsigned)*bad;
  *bad = 0;
  for (unsigned i = 0; i < runs; ++i)
    *bad += (size_t)(runAlpha(seed + i) + runBeta(seed + i));
  return NULL;
}

int main(void) {
  pthread_t threads[4];
  size_t state[4], bad = 0;
  for (size_t i = 0; i < 4; ++i) {
    state[i] = i * 100;
    pthread_create(&threads[i], NULL, work, &state[i]);
  }
  for (size_t i = 0; i < 4; ++i) {
    pthread_join(threads[i], NULL);
    bad += state[i];
  }
  printf("4 threads, %d runs, %zu differences\n", 4 * runs * 2, bad);
  return bad != 0;
}
