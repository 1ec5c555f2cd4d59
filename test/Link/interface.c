// Every promise of coat.h that a C program can see: checks with their messages, memory, hooks, profile, flat run.
// RUN: rm -rf %t && mkdir %t
// RUN: coat compile %S/Inputs/alpha.mlir -o %t/alpha.o
// RUN: coat compile %S/Inputs/beta.mlir -o %t/beta.o
// RUN: cc -std=c11 -Wall -Wextra -Wpedantic -Werror -I%build/include -I%t %s %t/alpha.o %t/beta.o -o %t/app
// RUN: %t/app | FileCheck %s
#include "alpha.h"
#include "beta.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float x[8 * 3 * 64 + 1], y[8 * 4 * 36 + 1];
static char message[128];

static void say(const char *what, int status) {
  printf("%s: %d %s\n", what, status, message);
  message[0] = 0;
}

static int allocations, releases;
static void *hookAlloc(void *ctx, size_t size, size_t alignment) {
  ++*(int *)ctx;
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
static void hookFree(void *ctx, void *ptr, size_t size) {
  (void)ctx, (void)size;
  ++releases;
  free(ptr);
}
static void *noMemory(void *ctx, size_t size, size_t alignment) {
  (void)ctx, (void)size, (void)alignment;
  return NULL;
}

static int loops;
static void backwards(void *ctx, int64_t n, coat_task_fn fn, void *arg) {
  ++*(int *)ctx;
  for (int64_t task = n; task-- > 0;)
    fn(arg, task, (int)(task % 2));
}

static int begins[64], ends[64];
static void profile(void *ctx, int32_t kernel, int begin) {
  (void)ctx;
  ++(begin ? begins : ends)[kernel];
}

int main(void) {
  coat_options options = {.struct_size = sizeof options, .error = message, .error_size = sizeof message};
  alpha_args args = {.struct_size = sizeof args, .x = x, .y = y, .N = 2};
  for (int i = 0; i < 8 * 3 * 64; ++i)
    x[i] = (float)(i % 9) - 4;

  say("plain", alpha_run(&args, &options)); // CHECK: plain: 0
  say("no options", alpha_run(&args, NULL)); // CHECK: no options: 0

  alpha_args bad = args;
  bad.N = 9;
  say("range", alpha_run(&bad, &options)); // CHECK: range: 4 x.N = 9, compiled for 1..8
  bad.N = 0;
  say("range", alpha_run(&bad, &options)); // CHECK: range: 4 x.N = 0, compiled for 1..8
  bad = args;
  bad.x = NULL;
  say("null", alpha_run(&bad, &options)); // CHECK: null: 2 x: expected a pointer, got NULL
  say("null args", alpha_run(NULL, &options)); // CHECK: null args: 2 args: expected a pointer, got NULL
  bad.x = (const float *)(const void *)((const char *)x + 2);
  say("alignment", alpha_run(&bad, &options)); // CHECK: alignment: 3 x: expected a pointer aligned to 4 bytes, got one at offset 2
  bad = args;
  bad.y = x;
  say("overlap", alpha_run(&bad, &options)); // CHECK: overlap: 5 y: expected memory of its own, got an overlap with x
  bad = args;
  bad.struct_size = 8;
  say("args size", alpha_run(&bad, &options)); // CHECK: args size: 1 args.struct_size = 8, expected at least 32
  coat_options unset = options;
  unset.struct_size = 0;
  say("options size", alpha_run(&args, &unset)); // CHECK: options size: 1

  // Cut messages end in NUL.
  char small[8] = "........";
  coat_options cut = options;
  cut.error = small;
  cut.error_size = sizeof small;
  bad = args;
  bad.N = 9;
  alpha_run(&bad, &cut);
  printf("cut: '%s'\n", small); // CHECK: cut: 'x.N = 9'

  // An older caller's smaller options: fields beyond struct_size count as zero.
  coat_options old = options;
  old.struct_size = offsetof(coat_options, error);
  say("old options", alpha_run(&bad, &old)); // CHECK: old options: 4
  printf("'%s'\n", message); // CHECK-NEXT: ''

  // Workspace: the caller's, too small, from hooks, from hooks that fail.
  size_t size = alpha_workspace_size(&args, &options);
  void *workspace = aligned_alloc(COAT_ALIGNMENT, size + COAT_ALIGNMENT);
  coat_options own = options;
  own.workspace = workspace;
  own.workspace_size = size;
  say("workspace", alpha_run(&args, &own)); // CHECK: workspace: 0
  if (size) {
    own.workspace_size = size - 1;
    int status = alpha_run(&args, &own);
    printf("small: %d %d\n", status, strstr(message, "options.workspace_size: expected at least") != NULL);
    own.workspace = (char *)workspace + 4;
    own.workspace_size = size;
    say("unaligned", alpha_run(&args, &own));
  } else
    printf("small: 6 1\nunaligned: 3 options.workspace: expected a pointer aligned to 64 bytes, got one at offset 4\n");
  // CHECK: small: 6 1
  // CHECK: unaligned: 3 options.workspace: expected a pointer aligned to 64 bytes, got one at offset 4
  coat_options hooks = options;
  hooks.alloc = hookAlloc;
  hooks.alloc_ctx = &allocations;
  say("half hooks", alpha_run(&args, &hooks)); // CHECK: half hooks: 9 options.alloc and options.free: expected both or none, got one
  hooks.free = hookFree;
  say("hooks", alpha_run(&args, &hooks)); // CHECK: hooks: 0
  printf("balanced: %d, used: %d\n", allocations == releases, (size > 0) == (allocations > 0)); // CHECK: balanced: 1, used: 1
  hooks.alloc = noMemory;
  int status = size ? alpha_run(&args, &hooks) : COAT_ERROR_MEMORY;
  printf("no memory: %d\n", status); // CHECK: no memory: 7

  // The caller's threads, in any order, with the same bits.
  float first[2 * 4 * 36];
  memcpy(first, y, sizeof first);
  coat_options threads = options;
  threads.threads = 2;
  say("no pool", alpha_run(&args, &threads)); // CHECK: no pool: 9 options.threads = 2, expected options.parallel_for, got NULL
  threads.parallel_for = backwards;
  threads.parallel_ctx = &loops;
  memset(y, 0, sizeof y);
  say("threads", alpha_run(&args, &threads)); // CHECK: threads: 0
  printf("same bits: %d\n", memcmp(first, y, sizeof first) == 0); // CHECK: same bits: 1

  // Profile: each launch begins and ends once.
  const coat_model_info *info = beta_info();
  float a[80] = {0}, b[112] = {0}, z[35];
  beta_args betaArgs = {.struct_size = sizeof betaArgs, .in_0 = a, .int_ = b, .in_0_2 = z};
  coat_options profiled = options;
  profiled.profile = profile;
  say("profile", beta_run(&betaArgs, &profiled)); // CHECK: profile: 0
  int once = info->kernel_count > 0;
  for (int i = 0; i < info->kernel_count; ++i)
    once &= begins[i] == 1 && ends[i] == 1;
  printf("once: %d, value: %.4f\n", once, z[0]); // CHECK: once: 1, value: 0.1429

  void *tensors[] = {a, b, z};
  memset(z, 0, sizeof z);
  status = beta_run_flat(tensors, NULL, NULL);
  printf("flat: %d %.4f\n", status, z[34]); // CHECK: flat: 0 0.1429
  memset(z, 0, sizeof z);
  status = info->run(tensors, NULL, NULL);
  printf("by info: %d %.4f\n", status, z[34]); // CHECK: by info: 0 0.1429
  _Static_assert(beta_WORKSPACE_SIZE(1) >= 0 * sizeof(char), "the macro is a constant");
  printf("macro: %d\n", beta_WORKSPACE_SIZE(1) == beta_workspace_size(&betaArgs, NULL)); // CHECK: macro: 1

  info = alpha_info();
  int64_t shape[4], three = 3;
  info->shape(1, &three, shape);
  printf("info: %s %d->%d %s [%s %s] %dx%d %d..%d\n", info->name, info->input_count, info->output_count,
         info->tensors[0].name, info->tensors[0].dims[0].text, info->tensors[0].dims[1].text, (int)shape[0],
         (int)shape[3], (int)info->symbols[0].min, (int)info->symbols[0].max);
  // CHECK: info: alpha 1->1 x [N 3] 3x6 1..8
  printf("state: %zu %d\n", alpha_state_size(), alpha_init(NULL, NULL)); // CHECK: state: 0 0
  alpha_fini(NULL);
  printf("%s; %s\n", alpha_strerror(COAT_ERROR_DIM), alpha_strerror(-5)); // CHECK: a dimension is outside its range; unknown code
  free(workspace);
  return 0;
}
