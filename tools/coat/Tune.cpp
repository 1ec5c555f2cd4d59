// coat compile -O3: which of the schedules that Strategy finds promising is the fastest here? Whole models are
// measured, not kernels alone: a kernel then finds its operands where the kernels before it left them, in the cache or
// in memory.
#include "Tune.h"
#include "KernelTimes.h"
#include "coat/Strategy/Tuning.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"

using namespace coat;
using namespace coat::tool;
using llvm::StringRef;

namespace {
constexpr int64_t mostVariants = 6;      // the chosen schedule and the first alternatives to it
constexpr int fewestRuns = 5;            // of each variant
constexpr double secondsOfVariant = 0.5; // it runs at least so long
constexpr double worthChanging = 0.97;   // what is closer to the chosen one is noise

/// What was measured of one op: all its launches together.
struct Measured {
  double chosen = 0, best = 0;
  std::string chosenSchedule, bestSchedule;
};

class Tuner {
public:
  Tuner(Context &context, const Flags &flags) : context(context), flags(flags) {}

  Status measure(int64_t variant) {
    CompileFlags compile = flags.compile;
    compile.pipeline.variant = variant;
    compile.pipeline.tuning.clear();
    compile.verbose = compile.emit.verbose = compile.saveTemps = compile.timeReport = false;
    compile.weightsInFile = false;
    Session session(*context, compile);
    if (Status status = session.read(flags.input))
      return status;
    if (Status status = session.lower())
      return status;
    llvm::SmallString<128> file;
    if (std::error_code error = llvm::sys::fs::createTemporaryFile("coat-tune", "so", file))
      return fail(wrong, "-O3: temporary file: " + error.message());
    llvm::FileRemover remover(file);
    if (Status status = session.write(file))
      return status;
    llvm::Expected<std::vector<double>> seconds = run(file);
    if (!seconds)
      return fail(wrong, "-O3 measures on this machine: " + llvm::toString(seconds.takeError()));
    record(session.model(), *seconds, variant);
    return ok;
  }

  std::string text() const {
    std::vector<std::pair<std::string, std::string>> lines;
    for (auto &[signature, measured] : ops)
      if (measured.best < worthChanging * measured.chosen)
        lines.push_back({signature, measured.bestSchedule});
    llvm::sort(lines);
    return tuningText(flags.compile.pipeline.cpu, lines);
  }

private:
  llvm::Expected<std::vector<double>> run(StringRef file) {
    auto library = Library::open(file);
    if (!library)
      return library.takeError();
    const coat_model_info &info = (*library)->info();
    auto binding = bindTensors(info, {}, {}, flags.seed);
    if (!binding)
      return binding.takeError();
    coat_options options = (*library)->options(nullptr);
    KernelTimes times(info);
    times.attachTo(options);
    Clock::time_point start = Clock::now();
    for (int runs = 0; runs < fewestRuns || secondsSince(start) < secondsOfVariant; ++runs)
      if (llvm::Error error = runOnce(**library, *binding, options))
        return error;
    return times.seconds;
  }

  void record(const ModelDescription &model, llvm::ArrayRef<double> seconds, int64_t variant) {
    llvm::MapVector<StringRef, Measured> now;
    for (auto [kernel, time] : llvm::zip_equal(model.kernels, seconds))
      if (!kernel.signature.empty()) {
        now[kernel.signature].best += time;
        now[kernel.signature].bestSchedule = kernel.schedule;
      }
    for (auto &[signature, measured] : now) {
      Measured &op = ops[signature.str()];
      if (variant == 0)
        op = {measured.best, measured.best, measured.bestSchedule, measured.bestSchedule};
      else if (measured.best < op.best && measured.bestSchedule != op.chosenSchedule)
        op = {op.chosen, measured.best, op.chosenSchedule, measured.bestSchedule};
    }
  }

  Context &context;
  const Flags &flags;
  llvm::MapVector<std::string, Measured, std::map<std::string, unsigned>> ops; // by signature
};
} // namespace

Status coat::tool::tune(Context &context, const Flags &flags, StringRef path) {
  Tuner tuner(context, flags);
  for (int64_t variant = 0; variant < mostVariants; ++variant)
    if (Status status = tuner.measure(variant))
      return status;
  return writeText(path, tuner.text());
}
