// coat bench: how long a library takes, and which kernels take it.
#include "KernelTimes.h"
#include "Peak.h"
#include "Verbs.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>

using namespace coat;
using namespace coat::tool;

static double median(std::vector<double> &times) {
  auto middle = times.begin() + times.size() / 2;
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

/// `peak`: GFLOP/s that all threads together reach, 0 when not known.
static void printProfile(const coat_model_info &info, const KernelTimes &times, double peak) {
  std::vector<int32_t> order(info.kernel_count);
  double total = 0;
  for (int32_t k = 0; k < info.kernel_count; ++k) {
    order[k] = k;
    total += times.seconds[k];
  }
  llvm::stable_sort(order, [&](int32_t a, int32_t b) { return times.seconds[a] > times.seconds[b]; });
  llvm::outs() << llvm::formatv("{0,6} {1,10} {2,9} {3,6} {4,-10} {5,-32} {6}\n", "share", "us", "GFLOP/s", "peak",
                                "kernel", "ops", "nodes");
  for (int32_t k : order) {
    const coat_kernel_info &kernel = info.kernels[k];
    double seconds = times.seconds[k];
    double rate = kernel.flops / std::max(seconds, 1e-12) * 1e-9;
    std::string share = peak ? llvm::formatv("{0:f0}%", 100 * rate / peak).str() : "";
    llvm::outs() << llvm::formatv("{0,5:f1}% {1,10:f1} {2,9:f1} {3,6} {4,-10} {5,-32} {6}\n",
                                  100 * seconds / std::max(total, 1e-12), seconds * 1e6, rate, share, kernel.name,
                                  kernel.ops, kernel.nodes);
  }
}

Status coat::tool::bench(const Flags &flags) {
  nowDoing("bench");
  auto opened = openToRun(flags);
  if (!opened)
    return fail(wrong, opened.takeError());
  auto &[library, binding, pool] = *opened;
  const coat_model_info &info = library->info();
  bool onDevice = info.device == COAT_DEVICE_CUDA;
  coat_options options = library->options(pool.get());
  // One workspace for all runs, as a program that cares would do.
  Tensor workspace(COAT_U8, {int64_t(info.workspace_size(binding.sizes.data(), &options))});
  options.workspace = workspace.data();
  options.workspace_size = workspace.bytes();

  Clock::time_point start = Clock::now();
  if (llvm::Error error = runOnce(*library, binding, options)) // also warms caches
    return fail(wrong, std::move(error));
  std::vector<double> times;
  for (start = Clock::now(); times.size() < 3 || secondsSince(start) < flags.seconds;) {
    Clock::time_point before = Clock::now();
    llvm::cantFail(runOnce(*library, binding, options));
    times.push_back(secondsSince(before));
  }
  int64_t flops = 0;
  for (int32_t k = 0; k < info.kernel_count; ++k)
    flops += info.kernels[k].flops;
  double middle = median(times);
  llvm::outs() << llvm::formatv("{0}: min {1:f3} ms, median {2:f3} ms, {3} runs, {4}", info.name,
                                *llvm::min_element(times) * 1e3, middle * 1e3, times.size(),
                                onDevice
                                    ? "copies to and from the GPU included"
                                    : std::to_string(flags.threads) + (flags.threads == 1 ? " thread" : " threads"));
  // The kernels' counts take a symbolic dimension as 1, so a rate would be wrong for such a model.
  if (flops && !info.symbol_count)
    llvm::outs() << llvm::formatv(", {0:f1} GFLOP/s", flops / middle * 1e-9);
  llvm::outs() << "\n";
  if (!flags.profile)
    return ok;
  KernelTimes kernelTimes(info);
  kernelTimes.attachTo(options);
  size_t runs = std::max<size_t>(3, times.size() / 4);
  for (size_t i = 0; i < runs; ++i)
    llvm::cantFail(runOnce(*library, binding, options));
  printProfile(info, kernelTimes, onDevice ? 0 : flags.threads * coatMeasuredPeak());
  return ok;
}
