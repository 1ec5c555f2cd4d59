// An output whose size the data decide: a buffer with room for the most there may be, and a count. And values that do
// not fit.
// RUN: rm -rf %t && mkdir %t
// RUN: coat compile %S/Inputs/places.mlir -o %t/places.o
// RUN: FileCheck %s --check-prefix=HEADER --input-file=%t/places.h
// RUN: cc -std=c11 -Wall -Wextra -Wpedantic -Werror -I%build/include -I%t %s %t/places.o -o %t/app
// RUN: %t/app | FileCheck %s
// HEADER-DAG: int64_t *at; {{ *}}/* [2, at_count] */
// HEADER-DAG: int64_t *at_count; {{ *}}/* gets how many there are, at most 12 */
// HEADER-DAG: #define places_at_count_MAX 12
// CHECK: 3 places: 0,1 1,3 2,2
// CHECK: 0 places
// CHECK: 11: expected kind 1 or 2, got another
// CHECK: 2 outputs, at.1 = 12 at most, said by at_count
#include "places.h"
#include <stdio.h>

static void run(const float *x, int64_t kind) {
  int64_t at[2 * places_at_count_MAX], count = -1;
  char message[64] = "";
  coat_options options = {.struct_size = sizeof options, .error = message, .error_size = sizeof message};
  places_args args = {.struct_size = sizeof args, .x = x, .kind = &kind, .at = at, .at_count = &count};
  int status = places_run(&args, &options);
  if (status) {
    printf("%d: %s\n", status, message);
    return;
  }
  printf("%d places:", (int)count);
  for (int64_t i = 0; i < count; ++i)
    printf(" %d,%d", (int)at[i], (int)at[count + i]);
  printf("\n");
}

int main(void) {
  const float some[12] = {0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 3, 0}, none[12] = {0};
  run(some, 2);
  run(none, 1);
  run(some, 3);
  const coat_model_info *info = places_info();
  int64_t shape[2];
  info->shape(2, NULL, shape);
  printf("%d outputs, at.1 = %d at most, said by %s\n", (int)info->output_count, (int)shape[1],
         info->tensors[info->tensors[2].dims[1].count - 1].name);
  return 0;
}
