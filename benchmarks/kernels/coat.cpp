// Runs a library that coat compiled, in a loop of C: what the benchmark of kernels calls through ctypes.
//
// The time of a run is the time of its kernels that compute, from the profile callback. A model of one op has kernels
// that only move data at its borders (to channels-last, into a padded buffer); in a network the neighbours do without
// them, and oneDNN is called in its blocked formats, too. `all` counts them as well.
#include "coat.h"
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <dlfcn.h>
#include <string>
#include <vector>

using Clock = std::chrono::steady_clock;

namespace {
struct Library {
  const coat_model_info *info;
  coat_options options;
  std::vector<void *> tensors;
  std::vector<bool> computes; // by kernel
  double computing = 0, all = 0;
  Clock::time_point start;
};

bool onlyMoves(const char *ops) {
  std::string rest = ops;
  for (size_t from = 0; from <= rest.size();) {
    size_t to = std::min(rest.find('+', from), rest.size());
    std::string op = rest.substr(from, to - from);
    if (op != "transpose" && op != "pad" && op != "copy" && op != "extract_slice")
      return false;
    from = to + 1;
  }
  return true;
}

void profile(void *ctx, int32_t kernel, int begin) {
  auto &library = *static_cast<Library *>(ctx);
  if (begin) {
    library.start = Clock::now();
    return;
  }
  double seconds = std::chrono::duration<double>(Clock::now() - library.start).count();
  library.all += seconds;
  if (library.computes[kernel])
    library.computing += seconds;
}
} // namespace

extern "C" {
/// `tensors`: inputs, then outputs, of static shape. Null when the library cannot be opened.
void *coatOpen(const char *path, void *const *tensors) {
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  auto describe = handle ? reinterpret_cast<coat_model_v1_fn>(dlsym(handle, "coat_model_v1")) : nullptr;
  if (!describe)
    return nullptr;
  auto *library = new Library{describe(), {}, {}, {}};
  const coat_model_info &info = *library->info;
  library->tensors.assign(tensors, tensors + info.input_count + info.output_count);
  for (int32_t k = 0; k < info.kernel_count; ++k)
    library->computes.push_back(!onlyMoves(info.kernels[k].ops));
  library->options.struct_size = sizeof(coat_options);
  size_t size = info.workspace_size(nullptr, &library->options);
  library->options.workspace = aligned_alloc(COAT_ALIGNMENT, (size + COAT_ALIGNMENT) / COAT_ALIGNMENT * COAT_ALIGNMENT);
  library->options.workspace_size = size;
  library->options.profile = profile;
  library->options.profile_ctx = library;
  return library;
}

/// Runs `count` times; seconds[i] of run i are those of the kernels that compute, all[i] those of all. Not 0 on an
/// error.
int coatRun(void *handle, int count, double *seconds, double *all) {
  auto *library = static_cast<Library *>(handle);
  for (int i = 0; i < count; ++i) {
    library->computing = library->all = 0;
    if (int error = library->info->run(library->tensors.data(), nullptr, &library->options))
      return error;
    seconds[i] = library->computing;
    all[i] = library->all;
  }
  return 0;
}
}
