// The C interface of kernels that run on the CPU instead of a GPU: what `coat-emulate` writes and whoever plays the
// driver (the tests' mock of libcuda, ctypes) loads.
#ifndef COAT_EMULATE_EMULATE_H
#define COAT_EMULATE_EMULATE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/// A kernel in a library of coat-emulate: the data symbol named as its gpu.module, `k0_sm_80`.
typedef struct coat_emulated_kernel {
  const char *name;
  void (*entry)(void *const *params);
  uint32_t threads;       /* of nvvm.reqntid, 0 when not required */
  uint32_t static_shared; /* bytes before dynamic shared memory */
  uint32_t meets;         /* 0: no thread ever waits for another */
  uint32_t count;         /* of parameters */
  const int64_t *bytes;   /* behind each pointer parameter; -1: unknown, -2: no pointer */
} coat_emulated_kernel;

/// Runs a kernel; parameters as those of cuLaunchKernel, tensor maps as in TensorMap.h. `seed` chooses the
/// order of threads and of copies that are in flight. Returns 0, or 1 with a message: a deadlock, an access out of
/// bounds ..
int coat_emulate(const void *kernel, const unsigned grid[3], const unsigned block[3], unsigned dynamic_shared,
                 void *const *params, unsigned long long seed, char *error, unsigned long error_size);

/// All device memory there is, from now on: an access outside is a fault. None, the default: only what kernels say of
/// their own parameters is checked.
void coat_emulate_extents(const void *const *bases, const unsigned long *bytes, unsigned long count);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
