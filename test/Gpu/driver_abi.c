// runtime/driver.h against NVIDIA's cuda.h: values, layouts and, by initialising the table with the real functions, every
// prototype. Needs only the header, of a toolkit or of PyPI's nvidia-cuda-runtime; nothing is linked.
#include "driver.h"
#include <cuda.h>

#define SAME(ours, theirs) _Static_assert((long)(ours) == (long)(theirs), "expected " #ours " to be " #theirs)
SAME(COAT_CU_SUCCESS, CUDA_SUCCESS);
SAME(COAT_CU_MAJOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
SAME(COAT_CU_MINOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
SAME(COAT_CU_SHARED_OPTIN, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
SAME(COAT_CU_REGISTERS, CU_FUNC_ATTRIBUTE_NUM_REGS);
SAME(COAT_CU_MAX_DYNAMIC_SHARED, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
SAME(COAT_CU_CLUSTER, CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION);
SAME(COAT_CU_L2_128, CU_TENSOR_MAP_L2_PROMOTION_L2_128B);
// What lib/Emit writes into the tables of TMA maps.
SAME(6, CU_TENSOR_MAP_DATA_TYPE_FLOAT16);
SAME(7, CU_TENSOR_MAP_DATA_TYPE_FLOAT32);
SAME(9, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16);
SAME(11, CU_TENSOR_MAP_DATA_TYPE_TFLOAT32);
SAME(0, CU_TENSOR_MAP_SWIZZLE_NONE);
SAME(1, CU_TENSOR_MAP_SWIZZLE_32B);
SAME(2, CU_TENSOR_MAP_SWIZZLE_64B);
SAME(3, CU_TENSOR_MAP_SWIZZLE_128B);
SAME(0, CU_TENSOR_MAP_INTERLEAVE_NONE);
SAME(0, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);

SAME(sizeof(coat_device), sizeof(CUdevice));
SAME(sizeof(coat_tensor_map), sizeof(CUtensorMap));
SAME(_Alignof(coat_tensor_map), _Alignof(CUtensorMap));
SAME(sizeof(coat_launch_attribute), sizeof(CUlaunchAttribute));
SAME(offsetof(coat_launch_attribute, value), offsetof(CUlaunchAttribute, value));
SAME(sizeof(((coat_launch_attribute *)0)->value), sizeof(CUlaunchAttributeValue));
SAME(sizeof(coat_launch_config), sizeof(CUlaunchConfig));
SAME(offsetof(coat_launch_config, block), offsetof(CUlaunchConfig, blockDimX));
SAME(offsetof(coat_launch_config, shared), offsetof(CUlaunchConfig, sharedMemBytes));
SAME(offsetof(coat_launch_config, stream), offsetof(CUlaunchConfig, hStream));
SAME(offsetof(coat_launch_config, attributes), offsetof(CUlaunchConfig, attrs));
SAME(offsetof(coat_launch_config, attribute_count), offsetof(CUlaunchConfig, numAttrs));

// Those whose types are the same, cuda.h's enumerations being unsigned, must be accepted as they are. cuda.h's macros give
// cuMemAlloc and its kin the names with their version.
static const coat_driver driver = {
    .init = cuInit,
    .errorString = cuGetErrorString,
    .deviceGet = cuDeviceGet,
    .deviceAttribute = cuDeviceGetAttribute,
    .primaryRetain = cuDevicePrimaryCtxRetain,
    .primaryRelease = cuDevicePrimaryCtxRelease,
    .contextCurrent = cuCtxGetCurrent,
    .contextDevice = cuCtxGetDevice,
    .contextPush = cuCtxPushCurrent,
    .contextPop = cuCtxPopCurrent,
    .moduleLoad = cuModuleLoadData,
    .moduleUnload = cuModuleUnload,
    .moduleFunction = cuModuleGetFunction,
    .functionGet = cuFuncGetAttribute,
    .functionSet = cuFuncSetAttribute,
    .allocate = cuMemAlloc,
    .release = cuMemFree,
    .toDevice = cuMemcpyHtoDAsync,
    .toHost = cuMemcpyDtoHAsync,
    .synchronize = cuStreamSynchronize,
    .launch = cuLaunchKernel,
};
// Those that take structs of ours: the shape of the prototype, with the struct's own type put in.
static CUresult (*const launchEx)(const CUlaunchConfig *, CUfunction, void **, void **) = cuLaunchKernelEx;
static unsigned (*const mapTiled)(CUtensorMap *, unsigned, uint32_t, void *, const cuuint64_t *, const cuuint64_t *,
                                  const cuuint32_t *, const cuuint32_t *, unsigned, unsigned, unsigned,
                                  unsigned) = cuTensorMapEncodeTiled;
static unsigned (*const mapIm2col)(CUtensorMap *, unsigned, uint32_t, void *, const cuuint64_t *, const cuuint64_t *,
                                   const int *, const int *, cuuint32_t, cuuint32_t, const cuuint32_t *, unsigned,
                                   unsigned, unsigned, unsigned) = cuTensorMapEncodeIm2col;

// The names in runtime/device.h are those that the macros stand for.
#define NAME(function) #function
#define EXPANDED(function) NAME(function)
#define ENDS(function, name) _Static_assert(sizeof(EXPANDED(function)) == sizeof(name), "expected " name)
ENDS(cuDevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2");
ENDS(cuCtxPushCurrent, "cuCtxPushCurrent_v2");
ENDS(cuCtxPopCurrent, "cuCtxPopCurrent_v2");
ENDS(cuMemAlloc, "cuMemAlloc_v2");
ENDS(cuMemFree, "cuMemFree_v2");
ENDS(cuMemcpyHtoDAsync, "cuMemcpyHtoDAsync_v2");
ENDS(cuMemcpyDtoHAsync, "cuMemcpyDtoHAsync_v2");
ENDS(cuStreamSynchronize, "cuStreamSynchronize");
ENDS(cuModuleGetFunction, "cuModuleGetFunction");
ENDS(cuLaunchKernel, "cuLaunchKernel");

const void *const used[] = {&driver, &launchEx, &mapTiled, &mapIm2col};
