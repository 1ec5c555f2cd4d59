// Files of arrays for coat run: .npy, and .npz where the first byte says so.
#include "Tensor.h"
#include "memory_file.h"
#include <cmath>
#include <cstdio>

using namespace coat::tool;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  MemoryFile file(data, size);
  std::string path = file.path(), link;
  if (size && data[0] == 'P') { // zip's first letter
    link = "/tmp/coat-fuzz-" + std::to_string(getpid()) + ".npz";
    unlink(link.c_str());
    if (symlink(path.c_str(), link.c_str()))
      abort();
    path = link;
  }
  auto tensors = readTensors(path);
  if (!link.empty())
    unlink(link.c_str());
  if (!tensors) {
    llvm::consumeError(tensors.takeError());
    return 0;
  }
  double sum = 0;
  for (const NamedTensor &named : *tensors)
    for (int64_t i = 0, n = named.tensor.elements(); i < n; ++i)
      sum += named.tensor.at(i);
  return std::isnan(sum) ? 0 : 0;
}
