// A model on a GPU: device pointers and a stream of one's own; then the same run as a CUDA graph.
#include "../image.h"
#include "driver.h"
#include "edges_cuda.h"
#include <stdlib.h>
#include <string.h>

#define CHECK(call)                                                                                                    \
  do {                                                                                                                 \
    int result_ = (int)(call);                                                                                         \
    if (result_) {                                                                                                     \
      fprintf(stderr, "%s: error %d\n", #call, result_);                                                               \
      return 1;                                                                                                        \
    }                                                                                                                  \
  } while (0)

/* What the model gets, all of it in the memory of the GPU. */
typedef struct {
  CUdeviceptr image, strength, workspace;
} buffers;

static int report(const char *how, const buffers *device, CUstream stream) {
  memset(strength, 0, sizeof strength);
  CHECK(cuda.toHost(strength, device->strength, sizeof strength, stream));
  CHECK(cuda.streamWait(stream));
  printf("%s: strongest edge: %.1f\n", how, strongest());
  return 0;
}

int main(void) {
  if (findDriver())
    return 1;
  CUdevice gpu;
  CUcontext context;
  CUstream stream;
  CHECK(cuda.init(0));
  CHECK(cuda.deviceGet(&gpu, 0));
  CHECK(cuda.contextRetain(&context, gpu));
  CHECK(cuda.contextSet(context));
  CHECK(cuda.streamCreate(&stream, CU_STREAM_NON_BLOCKING));

  // Once: kernels are loaded and weights uploaded for the current context.
  char error[256] = "";
  coat_options options = {.struct_size = sizeof options, .stream = stream, .error = error, .error_size = sizeof error};
  options.state = aligned_alloc(COAT_ALIGNMENT, edges_cuda_state_size());
  int status = edges_cuda_init(options.state, &options);
  if (status != COAT_OK) {
    fprintf(stderr, "%s: %s\n", edges_cuda_strerror(status), error);
    return 1;
  }

  buffers device;
  options.workspace_size = edges_cuda_WORKSPACE_SIZE(1);
  CHECK(cuda.allocate(&device.image, sizeof image));
  CHECK(cuda.allocate(&device.strength, sizeof strength));
  CHECK(cuda.allocate(&device.workspace, options.workspace_size));
  options.workspace = (void *)(size_t)device.workspace;
  edges_cuda_args args = {.struct_size = sizeof args,
                          .image = (const float *)(size_t)device.image,
                          .strength = (float *)(size_t)device.strength};
  paint();
  CHECK(cuda.toDevice(device.image, image, sizeof image, stream));

  // Queued on the stream; nothing waits.
  if ((status = edges_cuda_run(&args, &options)) != COAT_OK) {
    fprintf(stderr, "%s: %s\n", edges_cuda_strerror(status), error);
    return 1;
  }
  if (report("stream", &device, stream))
    return 1;

  // A run neither allocates nor synchronises, so it can be captured and launched as one piece, as often as one likes.
  CUgraph graph;
  CUgraphExec launchable;
  CHECK(cuda.captureBegin(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
  status = edges_cuda_run(&args, &options);
  CHECK(cuda.captureEnd(stream, &graph));
  if (status != COAT_OK) {
    fprintf(stderr, "%s: %s\n", edges_cuda_strerror(status), error);
    return 1;
  }
  CHECK(cuda.graphInstantiate(&launchable, graph, 0));
  for (int i = 0; i < 3; ++i)
    CHECK(cuda.graphLaunch(launchable, stream));
  if (report("graph", &device, stream))
    return 1;

  CHECK(cuda.graphExecDestroy(launchable));
  CHECK(cuda.graphDestroy(graph));
  CHECK(cuda.release(device.workspace));
  CHECK(cuda.release(device.strength));
  CHECK(cuda.release(device.image));
  edges_cuda_fini(options.state);
  free(options.state);
  CHECK(cuda.streamDestroy(stream));
  CHECK(cuda.contextRelease(gpu));
  return 0;
}
