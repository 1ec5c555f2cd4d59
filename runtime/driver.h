/* driver.h: what cuda.c needs of the CUDA driver API, declared here so that neither building coat nor a compiled model needs
 * a toolkit. test/Gpu/driver_abi.c holds these declarations against NVIDIA's cuda.h wherever there is one.
 *
 * The driver is found by dlopen and each function by dlsym under the name that the library exports, which includes the
 * version of its ABI ("cuMemAlloc_v2"): such a name never changes its meaning.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#ifndef COAT_DRIVER_H
#define COAT_DRIVER_H

#include <stddef.h>
#include <stdint.h>

/* Handles; the tags are those of cuda.h. */
typedef struct CUctx_st *coat_context;
typedef struct CUmod_st *coat_module;
typedef struct CUfunc_st *coat_function;
typedef struct CUstream_st *coat_stream;
typedef unsigned long long coat_device_pointer;
typedef int coat_device;
typedef unsigned coat_result; /* CUresult: 0 is success */

/* Values of enumerations of cuda.h. */
enum {
  COAT_CU_SUCCESS = 0,
  COAT_CU_MAJOR = 75,                    /* CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR */
  COAT_CU_MINOR = 76,                    /* CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR */
  COAT_CU_SHARED_OPTIN = 97,             /* CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN */
  COAT_CU_REGISTERS = 4,                 /* CU_FUNC_ATTRIBUTE_NUM_REGS */
  COAT_CU_MAX_DYNAMIC_SHARED = 8,        /* CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES */
  COAT_CU_CLUSTER = 4,                   /* CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION */
  COAT_CU_L2_128 = 2                     /* CU_TENSOR_MAP_L2_PROMOTION_L2_128B */
};

/* CUlaunchAttribute and CUlaunchConfig. */
typedef struct {
  unsigned id;
  char pad[4];
  union {
    char bytes[64];
    unsigned cluster[3];
  } value;
} coat_launch_attribute;

typedef struct {
  unsigned grid[3], block[3], shared;
  coat_stream stream;
  coat_launch_attribute *attributes;
  unsigned attribute_count;
} coat_launch_config;

/* CUtensorMap: opaque, passed to kernels by value. */
typedef struct {
  _Alignas(128) uint64_t words[16];
} coat_tensor_map;

/* One member a function, in the order of the names in cuda.c. */
typedef struct {
  coat_result (*init)(unsigned flags);
  coat_result (*errorString)(coat_result error, const char **text);
  coat_result (*deviceGet)(coat_device *device, int ordinal);
  coat_result (*deviceAttribute)(int *value, unsigned attribute, coat_device device);
  coat_result (*primaryRetain)(coat_context *context, coat_device device);
  coat_result (*primaryRelease)(coat_device device);
  coat_result (*contextCurrent)(coat_context *context);
  coat_result (*contextDevice)(coat_device *device);
  coat_result (*contextPush)(coat_context context);
  coat_result (*contextPop)(coat_context *context);
  coat_result (*moduleLoad)(coat_module *module, const void *image);
  coat_result (*moduleUnload)(coat_module module);
  coat_result (*moduleFunction)(coat_function *function, coat_module module, const char *name);
  coat_result (*functionGet)(int *value, unsigned attribute, coat_function function);
  coat_result (*functionSet)(coat_function function, unsigned attribute, int value);
  coat_result (*allocate)(coat_device_pointer *pointer, size_t size);
  coat_result (*release)(coat_device_pointer pointer);
  coat_result (*toDevice)(coat_device_pointer to, const void *from, size_t size, coat_stream stream);
  coat_result (*toHost)(void *to, coat_device_pointer from, size_t size, coat_stream stream);
  coat_result (*synchronize)(coat_stream stream);
  coat_result (*launch)(coat_function function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                        unsigned blockY, unsigned blockZ, unsigned shared, coat_stream stream, void **arguments,
                        void **extra);
  /* Drivers older than CUDA 12 lack these; only kernels that need them ask. */
  coat_result (*launchEx)(const coat_launch_config *config, coat_function function, void **arguments, void **extra);
  coat_result (*mapTiled)(coat_tensor_map *map, unsigned type, uint32_t rank, void *address, const uint64_t *sizes,
                          const uint64_t *strides, const uint32_t *box, const uint32_t *elementStrides,
                          unsigned interleave, unsigned swizzle, unsigned promotion, unsigned fill);
  coat_result (*mapIm2col)(coat_tensor_map *map, unsigned type, uint32_t rank, void *address, const uint64_t *sizes,
                           const uint64_t *strides, const int *lower, const int *upper, uint32_t channels,
                           uint32_t pixels, const uint32_t *elementStrides, unsigned interleave, unsigned swizzle,
                           unsigned promotion, unsigned fill);
} coat_driver;

#endif
