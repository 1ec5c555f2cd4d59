// coat run: a library, tensors in, tensors out.
#include "Library.h"
#include "Verbs.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace coat;
using namespace coat::tool;

/// One line an output: enough to see whether it is sane.
static void print(llvm::StringRef name, const Tensor &tensor) {
  double least = INFINITY, most = -INFINITY, sum = 0;
  for (int64_t i = 0; i < tensor.elements(); ++i) {
    double value = tensor.at(i);
    least = std::fmin(least, value);
    most = std::fmax(most, value);
    sum += value;
  }
  llvm::outs() << llvm::formatv("{0}: {1} {2}, min {3:e4}, max {4:e4}, mean {5:e4}\n", name, dtypeName(tensor.dtype),
                                shapeText(tensor.shape), least, most, sum / std::max<int64_t>(1, tensor.elements()));
}

Status coat::tool::run(const Flags &flags) {
  nowDoing("run");
  auto opened = openToRun(flags);
  if (!opened)
    return fail(wrong, opened.takeError());
  auto &[library, binding, pool] = *opened;
  if (llvm::Error error = runOnce(*library, binding, library->options(pool.get())))
    return fail(wrong, std::move(error));

  const coat_model_info &info = library->info();
  std::vector<NamedTensor> outputs;
  for (int32_t t = info.input_count; t < info.input_count + info.output_count; ++t)
    if (!(info.tensors[t].flags & COAT_TENSOR_COUNT))
      outputs.push_back({info.tensors[t].name, std::move(binding.tensors[t])});
  if (flags.output.empty()) {
    for (const NamedTensor &output : outputs)
      print(output.name, output.tensor);
    return ok;
  }
  if (llvm::Error error = writeTensors(flags.output, outputs))
    return fail(wrong, std::move(error));
  return ok;
}
