// The time of each launch of a model, by its profile callback.
#ifndef COAT_TOOLS_KERNELTIMES_H
#define COAT_TOOLS_KERNELTIMES_H

#include "Library.h"
#include <algorithm>
#include <chrono>
#include <limits>

namespace coat::tool {

using Clock = std::chrono::steady_clock;

inline double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The fastest time of each launch over the runs it is attached to: what else the machine does only adds to it.
class KernelTimes {
public:
  explicit KernelTimes(const coat_model_info &info) : seconds(info.kernel_count, std::numeric_limits<double>::max()) {}

  void attachTo(coat_options &options) {
    options.profile = callback;
    options.profile_ctx = this;
  }

  std::vector<double> seconds;

private:
  static void callback(void *ctx, int32_t launch, int begin) {
    auto &times = *static_cast<KernelTimes *>(ctx);
    if (begin)
      times.start = Clock::now();
    else
      times.seconds[launch] = std::min(times.seconds[launch], secondsSince(times.start));
  }

  Clock::time_point start;
};

} // namespace coat::tool

#endif
