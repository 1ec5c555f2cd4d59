// A compiled model in this process: any .so that exports coat_model_v1.
#ifndef COAT_TOOLS_LIBRARY_H
#define COAT_TOOLS_LIBRARY_H

#include "Flags.h"
#include "Tensor.h"
#include "coat/threads.h"
#include <map>
#include <string>
#include <vector>

namespace coat::tool {

class Library {
public:
  /// `weights` is the file of --weights=file; empty: <name>.weights beside the library. For a CUDA model kernels and
  /// weights are on the device then.
  static llvm::Expected<std::unique_ptr<Library>> open(llvm::StringRef path, llvm::StringRef weights = {});
  ~Library();

  const coat_model_info &info() const { return *model; }
  /// Options with the weights, the state and what `pool` gives; NULL: one thread. Tensors are the host's, wherever the
  /// model runs.
  coat_options options(coat_threads *pool);

private:
  Library() = default;
  llvm::Error init();
  void *handle = nullptr;
  const coat_model_info *model = nullptr;
  Tensor weights, state; // only their memory
};

struct PoolDeleter {
  void operator()(coat_threads *pool) const { coat_threads_destroy(pool); }
};
using Pool = std::unique_ptr<coat_threads, PoolDeleter>;
/// NULL for one thread.
Pool makePool(int threads);

/// The tensors of one run, ready for info().run.
struct Binding {
  std::vector<Tensor> tensors; // inputs, then outputs
  std::vector<void *> pointers;
  std::vector<int64_t> sizes; // values of the symbols
};

/// Inputs come from `files` ("x.npy" in order, "name=x.npy", "x.npz"), the rest is random; symbols come from the inputs
/// given, from `sizes` by name, or else take their largest value. Outputs are zero.
llvm::Expected<Binding> bindTensors(const coat_model_info &info, llvm::ArrayRef<std::string> files,
                                    const std::map<std::string, int64_t> &sizes, uint64_t seed);

/// What the verbs that run a library begin with: the library, its tensors and threads, as the flags ask.
struct Opened {
  std::unique_ptr<Library> library;
  Binding binding;
  Pool pool;
};
llvm::Expected<Opened> openToRun(const Flags &flags);

/// Runs once. The message of a failure is the library's.
llvm::Error runOnce(Library &library, Binding &binding, coat_options options);

} // namespace coat::tool

#endif
