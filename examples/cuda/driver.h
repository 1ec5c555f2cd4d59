/* The functions of the CUDA driver that the example calls, found at run time: it builds on machines without CUDA, and
 * says what is missing on those without a driver. Where there is NVIDIA's cuda.h, types and prototypes are from there.
 */
#ifndef EXAMPLE_DRIVER_H
#define EXAMPLE_DRIVER_H

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>

#if __has_include(<cuda.h>)
#include <cuda.h>
#else
typedef int CUresult, CUdevice;
typedef unsigned long long CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUstream_st *CUstream;
typedef struct CUgraph_st *CUgraph;
typedef struct CUgraphExec_st *CUgraphExec;
typedef enum { CU_STREAM_CAPTURE_MODE_GLOBAL = 0 } CUstreamCaptureMode;
enum { CU_STREAM_NON_BLOCKING = 1 };
#endif

static struct {
  CUresult (*init)(unsigned);
  CUresult (*deviceGet)(CUdevice *, int);
  CUresult (*contextRetain)(CUcontext *, CUdevice);
  CUresult (*contextRelease)(CUdevice);
  CUresult (*contextSet)(CUcontext);
  CUresult (*allocate)(CUdeviceptr *, size_t);
  CUresult (*release)(CUdeviceptr);
  CUresult (*toDevice)(CUdeviceptr, const void *, size_t, CUstream);
  CUresult (*toHost)(void *, CUdeviceptr, size_t, CUstream);
  CUresult (*streamCreate)(CUstream *, unsigned);
  CUresult (*streamWait)(CUstream);
  CUresult (*streamDestroy)(CUstream);
  CUresult (*captureBegin)(CUstream, CUstreamCaptureMode);
  CUresult (*captureEnd)(CUstream, CUgraph *);
  CUresult (*graphInstantiate)(CUgraphExec *, CUgraph, unsigned long long);
  CUresult (*graphLaunch)(CUgraphExec, CUstream);
  CUresult (*graphDestroy)(CUgraph);
  CUresult (*graphExecDestroy)(CUgraphExec);
} cuda;

/* Returns 0, or 1 after naming what is missing. */
static int findDriver(void) {
  static const char *const names[] = {"cuInit",
                                      "cuDeviceGet",
                                      "cuDevicePrimaryCtxRetain",
                                      "cuDevicePrimaryCtxRelease_v2",
                                      "cuCtxSetCurrent",
                                      "cuMemAlloc_v2",
                                      "cuMemFree_v2",
                                      "cuMemcpyHtoDAsync_v2",
                                      "cuMemcpyDtoHAsync_v2",
                                      "cuStreamCreate",
                                      "cuStreamSynchronize",
                                      "cuStreamDestroy_v2",
                                      "cuStreamBeginCapture_v2",
                                      "cuStreamEndCapture",
                                      "cuGraphInstantiateWithFlags",
                                      "cuGraphLaunch",
                                      "cuGraphDestroy",
                                      "cuGraphExecDestroy"};
  void *library = dlopen("libcuda.so.1", RTLD_NOW);
  if (!library) {
    fprintf(stderr, "no CUDA driver: %s\n", dlerror());
    return 1;
  }
  void **functions = (void **)&cuda;
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
    if (!(functions[i] = dlsym(library, names[i]))) {
      fprintf(stderr, "the CUDA driver lacks %s\n", names[i]);
      return 1;
    }
  return 0;
}

#endif
