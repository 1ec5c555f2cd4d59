/* cuda.c: what a model compiled for CUDA does around its kernels: finds the driver, loads the kernels that fit the GPU,
 * uploads the weights, queues launches.
 *
 * Compiled and linked as model.c is, in its place; as freestanding, but for dlopen and dlsym. It has no changing global:
 * what outlives a run is in the state, which the caller owns. Once initialised, the state only changes in its caches
 * (TMA maps, the memory of runs with host tensors), whose entries are taken without waiting: who finds one taken does
 * without it. So a run never blocks, and threads share a state.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#include "device.h"
#include "interface.h"

/* ---- State ------------------------------------------------------------------------------------------------------- */

typedef struct {
  coat_module module;
  coat_function function;
} loaded_kernel;

/* The map of one launch's argument, for the address it had last. */
typedef struct {
  uint32_t taken;
  uint32_t filled;
  const void *address;
  uint64_t words[16];
} cached_map;

/* Memory on the device for a run with host tensors; one is kept. */
typedef struct {
  uint32_t taken;
  uint32_t unused;
  coat_device_pointer base;
  size_t size;
} cached_memory;

/* Followed by kernel_count loaded_kernels, then launch_count * map_count cached_maps. All zero: nothing to give back. */
typedef struct {
  coat_driver driver;
  const coat_cuda_target *target; /* NULL: not initialised */
  coat_context context;
  int64_t retained;               /* 1 + the device whose primary context is held; 0: none */
  char *weights;                  /* 64-byte aligned */
  memory weightsMemory;           /* from the hooks, or (owned NULL) from the driver at weightsPointer */
  coat_device_pointer weightsPointer;
  void (*free)(void *ctx, void *ptr, size_t size);
  void *allocContext;
  cached_memory memory;
} device_state;

static loaded_kernel *kernelsOf(device_state *state) { return (loaded_kernel *)(state + 1); }
static cached_map *mapsOf(device_state *state) {
  return (cached_map *)(kernelsOf(state) + coat_the_cuda_model.kernel_count);
}

static int takeEntry(uint32_t *taken) { return !__atomic_exchange_n(taken, 1, __ATOMIC_ACQUIRE); }
static void giveEntry(uint32_t *taken) { __atomic_store_n(taken, 0, __ATOMIC_RELEASE); }

size_t coat_export_state_size(void) {
  return roundUp(sizeof(device_state) + (size_t)coat_the_cuda_model.kernel_count * sizeof(loaded_kernel) +
                 (size_t)coat_the_cuda_model.launch_count * (size_t)coat_the_cuda_model.map_count * sizeof(cached_map));
}

/* ---- Contexts ---------------------------------------------------------------------------------------------------- */

/* Threads without a context, or with another one, borrow the state's. */
static int enter(message *m, device_state *state, int *entered) {
  coat_context current = 0;
  *entered = 0;
  coat_result result = state->driver.contextCurrent(&current);
  if (!result && current != state->context && !(result = state->driver.contextPush(state->context)))
    *entered = 1;
  return result ? driverError(m, &state->driver, "context", result) : COAT_OK;
}

static void leave(device_state *state, int entered) {
  coat_context popped;
  if (entered)
    state->driver.contextPop(&popped);
}

/* The context that is current, or else the primary one of device 0. */
static int findContext(message *m, device_state *state, coat_device *device) {
  coat_driver *driver = &state->driver;
  coat_result result = driver->init(0);
  if (!result)
    result = driver->contextCurrent(&state->context);
  if (!result && state->context)
    result = driver->contextDevice(device);
  else if (!result && !(result = driver->deviceGet(device, 0)) &&
           !(result = driver->primaryRetain(&state->context, *device)))
    state->retained = 1 + *device;
  return result ? driverError(m, driver, "device", result) : COAT_OK;
}

/* ---- Loading ----------------------------------------------------------------------------------------------------- */

static void unload(device_state *state) {
  for (int32_t k = 0; k < coat_the_cuda_model.kernel_count; ++k) {
    loaded_kernel *kernel = &kernelsOf(state)[k];
    if (kernel->module)
      state->driver.moduleUnload(kernel->module);
    kernel->module = 0;
  }
}

static coat_result loadKernel(device_state *state, const coat_cuda_kernel *kernel, loaded_kernel *loaded) {
  coat_driver *driver = &state->driver;
  int registers;
  coat_result result = driver->moduleLoad(&loaded->module, kernel->image);
  if (!result)
    result = driver->moduleFunction(&loaded->function, loaded->module, kernel->name);
  if (!result && kernel->shared)
    result = driver->functionSet(loaded->function, COAT_CU_MAX_DYNAMIC_SHARED, (int)kernel->shared);
  /* The driver loads code when it is first asked about it. Not at the first launch: that one may be captured. */
  return result ? result : driver->functionGet(&registers, COAT_CU_REGISTERS, loaded->function);
}

static int loadKernels(message *m, device_state *state, const coat_cuda_target *target, coat_device device) {
  int most = 0;
  state->driver.deviceAttribute(&most, COAT_CU_SHARED_OPTIN, device);
  for (int32_t k = 0; k < coat_the_cuda_model.kernel_count; ++k) {
    const coat_cuda_kernel *kernel = &target->kernels[k];
    if (kernel->shared > (uint32_t)most) {
      text(m, kernel->name);
      text(m, ": expected ");
      number(m, kernel->shared);
      text(m, " bytes of shared memory, the GPU has ");
      number(m, most);
      return COAT_ERROR_DEVICE;
    }
    coat_result result = loadKernel(state, kernel, &kernelsOf(state)[k]);
    if (result)
      return driverError(m, &state->driver, kernel->name, result);
  }
  state->target = target;
  return COAT_OK;
}

/* The best target that can be loaded: an old driver may know the GPU and not the cubin. The last reason is told. */
static int findTarget(message *m, device_state *state, coat_device device) {
  int major = 0, minor = 0, status = COAT_OK;
  state->driver.deviceAttribute(&major, COAT_CU_MAJOR, device);
  state->driver.deviceAttribute(&minor, COAT_CU_MINOR, device);
  message start = *m;
  for (int32_t t = 0; t < coat_the_cuda_model.target_count; ++t) {
    const coat_cuda_target *target = &coat_the_cuda_model.targets[t];
    if (!fits(target, major, minor) || !driverSuffices(target, &state->driver))
      continue;
    *m = start;
    status = loadKernels(m, state, target, device);
    if (!status) {
      *m = start;
      text(m, "");
      return COAT_OK;
    }
    unload(state);
  }
  return status ? status : noTarget(m, major, minor);
}

/* Weights lie in one block of device memory, the caller's by the hooks or the driver's. */
static int uploadWeights(message *m, device_state *state, const coat_options *options) {
  const char *weights;
  size_t size = (size_t)coat_the_cuda_model.weights_size;
  int status = findWeights(m, options, &weights);
  if (status || !size)
    return status;
  coat_result result = 0;
  if (options->alloc) {
    state->free = options->free;
    state->allocContext = options->alloc_ctx;
    state->weightsMemory.size = size + COAT_ALIGNMENT - 1;
    state->weightsMemory.owned = options->alloc(options->alloc_ctx, state->weightsMemory.size, COAT_ALIGNMENT);
    if (!state->weightsMemory.owned) {
      text(m, "weights: expected ");
      number(m, (int64_t)size);
      text(m, " bytes of device memory from the allocator, got NULL");
      return COAT_ERROR_MEMORY;
    }
    state->weights = (char *)roundUp((uintptr_t)state->weightsMemory.owned);
  } else {
    result = state->driver.allocate(&state->weightsPointer, size);
    state->weights = (char *)(uintptr_t)state->weightsPointer;
  }
  if (!result)
    result = state->driver.toDevice((uintptr_t)state->weights, weights, size, options->stream);
  if (!result)
    result = state->driver.synchronize(options->stream);
  return result ? driverError(m, &state->driver, "weights", result) : COAT_OK;
}

int coat_export_init(void *pointer, const coat_options *given) {
  device_state *state = pointer;
  coat_options options;
  int status = readOptions(&options, given);
  if (status)
    return status;
  message m = messageOf(&options);
  if (!state) {
    text(&m, "state: expected a pointer, got NULL");
    return COAT_ERROR_NULL;
  }
  if ((uintptr_t)state % COAT_ALIGNMENT) {
    text(&m, "state: expected a pointer aligned to 64 bytes");
    return COAT_ERROR_ALIGNMENT;
  }
  memset(state, 0, coat_export_state_size());
  coat_device device;
  int entered = 0;
  status = findDriver(&m, &state->driver);
  if (status) { /* fini must find nothing to call */
    memset(state, 0, sizeof *state);
    return status;
  }
  status = findContext(&m, state, &device);
  if (!status)
    status = enter(&m, state, &entered);
  if (!status)
    status = findTarget(&m, state, device);
  if (!status)
    status = uploadWeights(&m, state, &options);
  leave(state, entered);
  if (status)
    coat_export_fini(state);
  return status;
}

void coat_export_fini(void *pointer) {
  device_state *state = pointer;
  message none = {0};
  int entered = 0;
  if (!state || !state->context)
    return;
  if (!enter(&none, state, &entered)) {
    unload(state);
    if (state->weightsMemory.owned)
      state->free(state->allocContext, state->weightsMemory.owned, state->weightsMemory.size);
    if (state->weightsPointer)
      state->driver.release(state->weightsPointer);
    if (state->memory.base)
      state->driver.release(state->memory.base);
  }
  leave(state, entered);
  if (state->retained)
    state->driver.primaryRelease((coat_device)(state->retained - 1));
  memset(state, 0, sizeof *state);
}

/* ---- Launches ---------------------------------------------------------------------------------------------------- */

/* One run. The body hands the frame back. */
typedef struct {
  coat_frame frame;
  device_state *state;
  message *m;
  int status;
} device_run;

static coat_result encode(const coat_driver *driver, const coat_cuda_map *map, void *address, coat_tensor_map *into) {
  if (map->im2col)
    return driver->mapIm2col(into, (unsigned)map->type, (uint32_t)map->rank, address, map->sizes, map->strides,
                             map->lower, map->upper, (uint32_t)map->channels, (uint32_t)map->pixels,
                             map->element_strides, 0, (unsigned)map->swizzle, COAT_CU_L2_128, 0);
  return driver->mapTiled(into, (unsigned)map->type, (uint32_t)map->rank, address, map->sizes, map->strides, map->box,
                          map->element_strides, 0, (unsigned)map->swizzle, COAT_CU_L2_128, 0);
}

static coat_result findMap(const coat_driver *driver, cached_map *cached, const coat_cuda_map *map, void *address,
                           coat_tensor_map *into) {
  if (!takeEntry(&cached->taken))
    return encode(driver, map, address, into);
  coat_result result = 0;
  if (cached->filled && cached->address == address) {
    memcpy(into, cached->words, sizeof cached->words);
  } else if (!(result = encode(driver, map, address, into))) {
    memcpy(cached->words, into, sizeof cached->words);
    cached->address = address;
    cached->filled = 1;
  }
  giveEntry(&cached->taken);
  return result;
}

/* Maps are parameters by value, so the driver copies them before a launch returns. */
static coat_result launch(device_run *run, int32_t number, int32_t index, void *const *pointers) {
  device_state *state = run->state;
  const coat_cuda_kernel *kernel = &state->target->kernels[index];
  coat_function function = kernelsOf(state)[index].function;
  coat_tensor_map maps[COAT_CUDA_MAX_MAPS];
  void *arguments[COAT_CUDA_MAX_POINTERS + COAT_CUDA_MAX_MAPS];
  for (int32_t i = 0; i < kernel->pointer_count; ++i)
    arguments[i] = (void *)&pointers[i];
  cached_map *cached = mapsOf(state) + (size_t)number * (size_t)coat_the_cuda_model.map_count;
  for (int32_t i = 0; i < kernel->map_count; ++i) {
    coat_result result = findMap(&state->driver, &cached[i], &kernel->maps[i], pointers[kernel->maps[i].argument], &maps[i]);
    if (result)
      return result;
    arguments[kernel->pointer_count + i] = &maps[i];
  }
  coat_stream stream = run->frame.options->stream;
  const uint32_t *grid = kernel->grid, *block = kernel->block, *cluster = kernel->cluster;
  if (cluster[0] * cluster[1] * cluster[2] == 1)
    return state->driver.launch(function, grid[0], grid[1], grid[2], block[0], block[1], block[2], kernel->shared,
                                stream, arguments, 0);
  coat_launch_attribute attribute = {.id = COAT_CU_CLUSTER, .value.cluster = {cluster[0], cluster[1], cluster[2]}};
  coat_launch_config config = {{grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]}, kernel->shared, stream,
                               &attribute, 1};
  return state->driver.launchEx(&config, function, arguments, 0);
}

void coat_cuda_launch(coat_frame *frame, int32_t number, int32_t kernel, void *const *pointers) {
  device_run *run = (device_run *)frame; /* its first member */
  const coat_options *options = frame->options;
  if (run->status)
    return;
  if (options->profile)
    options->profile(options->profile_ctx, number, 1);
  coat_result result = launch(run, number, kernel, pointers);
  if (!result && options->profile)
    result = run->state->driver.synchronize(options->stream);
  if (options->profile)
    options->profile(options->profile_ctx, number, 0);
  if (result)
    run->status = driverError(run->m, &run->state->driver, run->state->target->kernels[kernel].name, result);
}

/* ---- Runs -------------------------------------------------------------------------------------------------------- */

/* The hooks give memory of the device. */
static void *takeHost(const coat_options *options, size_t size, size_t alignment) {
  (void)options, (void)alignment;
  return malloc(size);
}
static void giveHost(const coat_options *options, void *pointer, size_t size) {
  (void)options, (void)size;
  free(pointer);
}

static int runBody(message *m, device_state *state, coat_frame frame) {
  device_run run = {frame, state, m, COAT_OK};
  coat_the_cuda_model.body(&run.frame);
  return run.status;
}

enum { deviceAlignment = 16 }; /* of tensors: kernels move 16 bytes at a time */

static int runOnDevice(message *m, device_state *state, coat_frame frame) {
  for (int32_t t = 0; t < tensorCount(); ++t) {
    if ((uintptr_t)frame.tensors[t] % deviceAlignment == 0)
      continue;
    text(m, coat_the_model.info.tensors[t].name);
    text(m, ": expected a device pointer aligned to 16 bytes, got one at offset ");
    number(m, (int64_t)((uintptr_t)frame.tensors[t] % deviceAlignment));
    return COAT_ERROR_ALIGNMENT;
  }
  if (!frame.options->workspace && !frame.options->alloc && workspaceBytes(frame.options)) {
    text(m, "options.workspace: expected ");
    number(m, (int64_t)workspaceBytes(frame.options));
    text(m, " bytes of device memory, got NULL");
    return COAT_ERROR_WORKSPACE;
  }
  memory found;
  int status = findWorkspace(m, frame.options, &found);
  if (status)
    return status;
  frame.workspace = found.base;
  status = runBody(m, state, frame);
  releaseWorkspace(frame.options, &found);
  return status;
}

/* ---- Runs with host tensors -------------------------------------------------------------------------------------- */

enum { blockAlignment = 256 };

static size_t roundUpBlock(size_t size) { return (size + (blockAlignment - 1)) & ~(size_t)(blockAlignment - 1); }

/* Bytes of tensor `t`; `dims` moves on to those of the next. */
static size_t nextBytes(int32_t t, const int64_t **dims) {
  const coat_tensor_info *tensor = &coat_the_model.info.tensors[t];
  size_t bytes = byteSize(tensor, *dims);
  *dims += tensor->rank;
  return bytes;
}

/* An output that lies where an input lies does so on the device, too. */
static int32_t sharedWith(void *const *tensors, int32_t t) {
  for (int32_t i = 0; i < coat_the_model.info.alias_count; ++i) {
    const coat_alias_info *alias = &coat_the_model.info.aliases[i];
    if (alias->output == t && tensors[t] && tensors[alias->input] == tensors[t])
      return alias->input;
  }
  return t;
}

/* All tensors, then the workspace, in one block at `base`. */
static coat_result copyAndRun(message *m, device_state *state, coat_frame frame, char *base, void **onDevice, int *status) {
  coat_driver *driver = &state->driver;
  coat_stream stream = frame.options->stream;
  const int64_t *dims = frame.dims;
  coat_result result = 0;
  char *at = base;
  for (int32_t t = 0; t < tensorCount(); ++t) {
    size_t bytes = nextBytes(t, &dims);
    int32_t place = sharedWith(frame.tensors, t);
    onDevice[t] = frame.tensors[t] ? at : 0;
    if (place != t)
      onDevice[t] = onDevice[place];
    at += roundUpBlock(bytes);
    if (!result && t < coat_the_model.info.input_count && bytes && frame.tensors[t])
      result = driver->toDevice((uintptr_t)onDevice[t], frame.tensors[t], bytes, stream);
  }
  if (result)
    return result;
  void *const *onHost = frame.tensors;
  frame.tensors = onDevice;
  frame.workspace = at;
  *status = runBody(m, state, frame);
  dims = frame.dims;
  for (int32_t t = 0; t < tensorCount(); ++t) {
    size_t bytes = nextBytes(t, &dims);
    if (!result && !*status && t >= coat_the_model.info.input_count && bytes && onHost[t])
      result = driver->toHost(onHost[t], (uintptr_t)onDevice[t], bytes, stream);
  }
  coat_result waited = driver->synchronize(stream);
  return result ? result : waited;
}

static int runFromHost(message *m, device_state *state, coat_frame frame) {
  size_t need = roundUpBlock(workspaceBytes(frame.options));
  const int64_t *dims = frame.dims;
  for (int32_t t = 0; t < tensorCount(); ++t)
    need += roundUpBlock(nextBytes(t, &dims));
  cached_memory own = {0}, *memory = takeEntry(&state->memory.taken) ? &state->memory : &own;
  coat_result result = 0;
  int status = COAT_OK;
  if (memory->size < need) {
    if (memory->base)
      state->driver.release(memory->base);
    memory->base = memory->size = 0;
    result = state->driver.allocate(&memory->base, need);
    memory->size = result ? 0 : need;
  }
  void **onDevice = malloc((size_t)tensorCount() * sizeof *onDevice);
  if (!onDevice) {
    text(m, "tensors: expected memory from malloc, got NULL");
    status = COAT_ERROR_MEMORY;
  } else if (!result) {
    result = copyAndRun(m, state, frame, (char *)(uintptr_t)memory->base, onDevice, &status);
  }
  free(onDevice);
  if (memory == &own && own.base)
    state->driver.release(own.base);
  if (memory == &state->memory)
    giveEntry(&memory->taken);
  return result && !status ? driverError(m, &state->driver, "run", result) : status;
}

static int runChecked(message *m, void *const *tensors, const int64_t *symbols, const int64_t *dims,
                      const coat_options *options) {
  device_state *state = options->state;
  if (!state || !state->target) {
    text(m, state ? "options.state: expected one that init has filled" : "options.state: expected the state that init has filled, got NULL");
    return COAT_ERROR_NULL;
  }
  coat_frame frame = {.tensors = tensors, .dims = dims, .symbols = symbols, .weights = state->weights, .options = options};
  int entered;
  int status = enter(m, state, &entered);
  if (status)
    return status;
  status = options->flags & COAT_HOST_TENSORS ? runFromHost(m, state, frame) : runOnDevice(m, state, frame);
  leave(state, entered);
  return status;
}
