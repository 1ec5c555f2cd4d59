// The C interface of a CUDA model, as a program with device pointers meets it: what is refused and with which words, hooks,
// threads that share a state, a run within a capture. Runs on the mock driver and on a GPU. The model is Inputs/tma.mlir.
#include "../../examples/cuda/driver.h"
#include "tma.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { elements = 32 * 64, runs = 8 };
static char error[256];
static int failures;
static CUcontext context;

static void expect(int condition, const char *what) {
  if (condition)
    return;
  fprintf(stderr, "expected %s; the last message is '%s'\n", what, error);
  failures++;
}
#define REFUSED(call, code, words) expect((call) == (code) && strstr(error, words), "status " #code " and '" words "'")

static void *allocate(size_t size) {
  CUdeviceptr pointer = 0;
  expect(!cuda.allocate(&pointer, size), "device memory");
  return (void *)(size_t)pointer;
}
static void release(void *pointer) { expect(!cuda.release((CUdeviceptr)(size_t)pointer), "to give back device memory"); }

static int hooked;
static void *hookAlloc(void *ctx, size_t size, size_t alignment) {
  (void)ctx, (void)alignment;
  hooked++;
  return allocate(size);
}
static void hookFree(void *ctx, void *pointer, size_t size) {
  (void)ctx, (void)size;
  hooked--;
  release(pointer);
}

static coat_options optionsWith(void *state, void *workspace, CUstream stream) {
  coat_options options = {.struct_size = sizeof options,
                          .state = state,
                          .workspace = workspace,
                          .workspace_size = workspace ? tma_WORKSPACE_SIZE(1) : 0,
                          .stream = stream,
                          .error = error,
                          .error_size = sizeof error};
  error[0] = 0;
  return options;
}

/* y = x + 1, unless kernels do not run (the mock without the emulator): then nobody wrote y. */
static void expectRight(const float *x, const float *y, const char *what) {
  int right = 1, untouched = 1;
  for (int i = 0; i < elements; ++i) {
    right &= y[i] == x[i] + 1;
    untouched &= y[i] != y[i];
  }
  expect(right || (untouched && !getenv("COAT_EMULATED") && getenv("COAT_MOCK")), what);
}

static void *runOften(void *state) {
  CUstream stream;
  float x[elements], y[elements];
  expect(!cuda.contextSet(context), "a context");
  expect(!cuda.streamCreate(&stream, CU_STREAM_NON_BLOCKING), "a stream");
  void *dx = allocate(sizeof x), *dy = allocate(sizeof y), *workspace = allocate(tma_WORKSPACE_SIZE(1));
  tma_args args = {.struct_size = sizeof args, .x = dx, .y = dy};
  coat_options options = optionsWith(state, workspace, stream);
  options.error = NULL;
  for (int run = 0; run < runs; ++run) {
    for (int i = 0; i < elements; ++i)
      x[i] = (float)(i + run);
    expect(!cuda.toDevice((CUdeviceptr)(size_t)dx, x, sizeof x, stream), "a copy to the device");
    expect(tma_run(&args, &options) == COAT_OK, "a run in a thread");
    expect(!cuda.toHost(y, (CUdeviceptr)(size_t)dy, sizeof y, stream) && !cuda.streamWait(stream), "a copy back");
    expectRight(x, y, "x + 1 in a thread");
  }
  options.flags = COAT_HOST_TENSORS;
  tma_args host = {.struct_size = sizeof host, .x = x, .y = y};
  for (int run = 0; run < runs; ++run) {
    expect(tma_run(&host, &options) == COAT_OK, "a run with host tensors in a thread");
    expectRight(x, y, "x + 1 from host tensors");
  }
  release(dx);
  release(dy);
  release(workspace);
  expect(!cuda.streamDestroy(stream), "to destroy the stream");
  return NULL;
}

static void runCaptured(void *state, void *workspace) {
  float x[elements], y[elements];
  CUstream stream;
  CUgraph graph;
  CUgraphExec launchable;
  void *dx = allocate(sizeof x), *dy = allocate(sizeof y);
  tma_args args = {.struct_size = sizeof args, .x = dx, .y = dy};
  expect(!cuda.streamCreate(&stream, CU_STREAM_NON_BLOCKING), "a stream");
  coat_options options = optionsWith(state, workspace, stream);
  for (int i = 0; i < elements; ++i)
    x[i] = (float)i / 8;
  expect(!cuda.toDevice((CUdeviceptr)(size_t)dx, x, sizeof x, stream) && !cuda.streamWait(stream), "a copy");
  expect(!cuda.captureBegin(stream, CU_STREAM_CAPTURE_MODE_GLOBAL), "a capture");
  expect(tma_run(&args, &options) == COAT_OK, "a run within a capture"); // with pointers that the state has never seen
  expect(!cuda.captureEnd(stream, &graph) && !cuda.graphInstantiate(&launchable, graph, 0), "a graph");
  expect(!cuda.graphLaunch(launchable, stream), "to launch the graph");
  expect(!cuda.toHost(y, (CUdeviceptr)(size_t)dy, sizeof y, stream) && !cuda.streamWait(stream), "a copy back");
  expectRight(x, y, "x + 1 from the graph");
  expect(!cuda.graphExecDestroy(launchable) && !cuda.graphDestroy(graph) && !cuda.streamDestroy(stream), "to clean up");
  release(dx);
  release(dy);
}

int main(void) {
  CUdevice device;
  if (findDriver() || cuda.init(0) || cuda.deviceGet(&device, 0) || cuda.contextRetain(&context, device) ||
      cuda.contextSet(context))
    return 2;
  expect(tma_info()->device == COAT_DEVICE_CUDA, "a CUDA model");
  void *state = aligned_alloc(COAT_ALIGNMENT, tma_state_size());
  memset(state, 0, tma_state_size());
  char *x = allocate(elements * 4 + 16), *y = allocate(elements * 4), *workspace = allocate(tma_WORKSPACE_SIZE(1) + 64);
  tma_args args = {.struct_size = sizeof args, .x = (float *)x, .y = (float *)y};

  coat_options options = optionsWith(NULL, workspace, NULL);
  REFUSED(tma_run(&args, &options), COAT_ERROR_NULL, "options.state: expected the state that init has filled, got NULL");
  options = optionsWith(state, workspace, NULL);
  REFUSED(tma_run(&args, &options), COAT_ERROR_NULL, "options.state: expected one that init has filled");
  REFUSED(tma_init(NULL, &options), COAT_ERROR_NULL, "state: expected a pointer, got NULL");
  REFUSED(tma_init((char *)state + 8, &options), COAT_ERROR_ALIGNMENT, "state: expected a pointer aligned to 64 bytes");

  // Weights come from the hooks, and go back to them.
  options.alloc = hookAlloc;
  options.free = hookFree;
  expect(tma_init(state, &options) == COAT_OK && hooked == 1, "weights from the hooks");
  tma_fini(state);
  expect(hooked == 0, "weights given back");
  tma_fini(state); // of a state that has nothing
  options = optionsWith(NULL, NULL, NULL);
  expect(tma_init(state, &options) == COAT_OK, "init");

  options = optionsWith(state, NULL, NULL);
  REFUSED(tma_run(&args, &options), COAT_ERROR_WORKSPACE, "options.workspace: expected 8192 bytes of device memory, got NULL");
  options = optionsWith(state, workspace, NULL);
  options.workspace_size = 100;
  REFUSED(tma_run(&args, &options), COAT_ERROR_WORKSPACE, "options.workspace_size: expected at least 8192 bytes, got 100");
  options = optionsWith(state, workspace + 4, NULL);
  REFUSED(tma_run(&args, &options), COAT_ERROR_ALIGNMENT, "options.workspace: expected a pointer aligned to 64 bytes");
  options = optionsWith(state, workspace, NULL);
  args.x = (float *)(x + 4);
  REFUSED(tma_run(&args, &options), COAT_ERROR_ALIGNMENT, "x: expected a device pointer aligned to 16 bytes, got one at offset 4");
  args.x = (float *)y;
  REFUSED(tma_run(&args, &options), COAT_ERROR_OVERLAP, "y: expected memory of its own, got an overlap with x");
  args.x = (float *)x;

  // A workspace from the hooks, which then work in the order of the stream.
  options = optionsWith(state, NULL, NULL);
  options.alloc = hookAlloc;
  options.free = hookFree;
  expect(tma_run(&args, &options) == COAT_OK && hooked == 0, "a workspace from the hooks");

  runCaptured(state, workspace);
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i)
    pthread_create(&threads[i], NULL, runOften, state);
  for (int i = 0; i < 3; ++i)
    pthread_join(threads[i], NULL);

  // A thread without a context borrows the state's.
  cuda.contextSet(NULL);
  float hostX[elements] = {0}, hostY[elements];
  memset(hostY, 255, sizeof hostY);
  tma_args host = {.struct_size = sizeof host, .x = hostX, .y = hostY};
  options = optionsWith(state, NULL, NULL);
  options.flags = COAT_HOST_TENSORS;
  expect(tma_run(&host, &options) == COAT_OK, "a run without a context");
  expectRight(hostX, hostY, "x + 1 without a context");
  tma_fini(state);
  cuda.contextSet(context);
  release(x);
  release(y);
  release(workspace);
  free(state);
  cuda.contextRelease(device);
  printf(failures ? "failed\n" : "right\n");
  return failures != 0;
}
