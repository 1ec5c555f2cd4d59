/* device.h: finding the driver and the kernels for the GPU at hand. Part of cuda.c.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#ifndef COAT_DEVICE_H
#define COAT_DEVICE_H

#include "cuda_model.h"
#include "driver.h"
#include "messages.h"

void *dlopen(const char *name, int flags);
void *dlsym(void *library, const char *name);

/* ---- The driver -------------------------------------------------------------------------------------------------- */

/* In the order of coat_driver's members; those that may be missing come last. */
static const char *const driverNames[] = {
    "cuInit",           "cuGetErrorString",   "cuDeviceGet",      "cuDeviceGetAttribute", "cuDevicePrimaryCtxRetain",
    "cuDevicePrimaryCtxRelease_v2", "cuCtxGetCurrent", "cuCtxGetDevice", "cuCtxPushCurrent_v2", "cuCtxPopCurrent_v2",
    "cuModuleLoadData", "cuModuleUnload",     "cuModuleGetFunction", "cuFuncGetAttribute", "cuFuncSetAttribute",
    "cuMemAlloc_v2",    "cuMemFree_v2",       "cuMemcpyHtoDAsync_v2", "cuMemcpyDtoHAsync_v2", "cuStreamSynchronize",
    "cuLaunchKernel",   "cuLaunchKernelEx",   "cuTensorMapEncodeTiled", "cuTensorMapEncodeIm2col"};
enum { driverFunctions = sizeof driverNames / sizeof *driverNames, optionalFunctions = 3 };
_Static_assert(sizeof(coat_driver) == driverFunctions * sizeof(void *), "expected one name for each member");

/* The library stays loaded: the driver does not survive being unloaded. */
static int findDriver(message *m, coat_driver *driver) {
  void *library = dlopen("libcuda.so.1", 2 /* RTLD_NOW */);
  if (!library) {
    text(m, "libcuda.so.1: expected an NVIDIA driver, found none");
    return COAT_ERROR_DEVICE;
  }
  void **functions = (void **)driver;
  for (int i = 0; i < driverFunctions; ++i) {
    functions[i] = dlsym(library, driverNames[i]);
    if (functions[i] || i >= driverFunctions - optionalFunctions)
      continue;
    text(m, "libcuda.so.1: expected the function ");
    text(m, driverNames[i]);
    text(m, ", found none; the driver is too old");
    return COAT_ERROR_DEVICE;
  }
  return COAT_OK;
}

/* "what: the driver says why (number)". */
static int driverError(message *m, const coat_driver *driver, const char *what, coat_result result) {
  const char *why = 0;
  text(m, what);
  text(m, ": expected success, the GPU driver reports ");
  if (driver->errorString(result, &why) || !why)
    why = "an unknown error";
  text(m, why);
  text(m, " (");
  number(m, result);
  text(m, ")");
  return COAT_ERROR_DEVICE;
}

/* ---- Targets ----------------------------------------------------------------------------------------------------- */

static int fits(const coat_cuda_target *target, int major, int minor) {
  if (target->kind == COAT_CUDA_EXACT)
    return target->major == major && target->minor == minor;
  if (target->kind == COAT_CUDA_FAMILY)
    return target->major == major && target->minor <= minor;
  return target->major < major || (target->major == major && target->minor <= minor);
}

/* A device may need kernels that its driver cannot give it: an old driver knows neither new cubins nor TMA. */
static int driverSuffices(const coat_cuda_target *target, const coat_driver *driver) {
  for (int32_t k = 0; k < coat_the_cuda_model.kernel_count; ++k) {
    const coat_cuda_kernel *kernel = &target->kernels[k];
    for (int32_t i = 0; i < kernel->map_count; ++i)
      if (kernel->maps[i].im2col ? !driver->mapIm2col : !driver->mapTiled)
        return 0;
    if (kernel->cluster[0] * kernel->cluster[1] * kernel->cluster[2] > 1 && !driver->launchEx)
      return 0;
  }
  return 1;
}

static int noTarget(message *m, int major, int minor) {
  text(m, "GPU of compute capability ");
  number(m, major);
  text(m, ".");
  number(m, minor);
  text(m, ": expected one that the kernels were compiled for:");
  for (int32_t t = 0; t < coat_the_cuda_model.target_count; ++t) {
    text(m, t ? ", " : " ");
    text(m, coat_the_cuda_model.targets[t].name);
    if (coat_the_cuda_model.targets[t].kind == COAT_CUDA_PTX)
      text(m, " or later");
  }
  return COAT_ERROR_DEVICE;
}

#endif
