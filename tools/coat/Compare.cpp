// Two libraries in a temporary folder, the same inputs, two tolerances: rtol of the reference's element and atol of its
// largest magnitude. Between thread counts nothing may differ.
#include "Compare.h"
#include "Library.h"
#include "Session.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include <cmath>
#include <cstring>

using namespace coat;
using namespace coat::tool;
namespace fs = llvm::sys::fs;

namespace {
/// A folder that goes away with its files.
struct TemporaryFolder {
  llvm::SmallString<128> path;
  TemporaryFolder() { failed = static_cast<bool>(fs::createUniqueDirectory("coat-verify", path)); }
  ~TemporaryFolder() { fs::remove_directories(path); }
  bool failed;
};
} // namespace

static Status build(mlir::ModuleOp imported, llvm::StringRef source, CompileFlags flags, int level,
                    llvm::StringRef file) {
  flags.pipeline.optLevel = flags.emit.optLevel = level;
  if (level == 0)
    flags.pipeline.device = Device::cpu; // the reference is the same for all devices
  flags.weightsInFile = false;
  Session session(*imported.getContext(), flags);
  session.take(imported.clone(), source);
  if (Status status = session.lower())
    return status;
  return session.write(file);
}

static bool isFloat(int32_t dtype) { return dtype >= COAT_F16 && dtype <= COAT_F8E5M2; }

static Difference compare(const Tensor &got, const Tensor &expected, const Flags &flags) {
  double largest = 0;
  for (int64_t i = 0; i < expected.elements(); ++i)
    if (double value = std::fabs(expected.at(i)); std::isfinite(value))
      largest = std::fmax(largest, value);
  Difference result;
  for (int64_t i = 0; i < expected.elements(); ++i) {
    double a = got.at(i), b = expected.at(i);
    if (a == b || (std::isnan(a) && std::isnan(b)))
      continue;
    double allowed = isFloat(expected.dtype) ? flags.atol * largest + flags.rtol * std::fabs(b) : 0;
    double ratio = std::isfinite(a) && std::isfinite(b) && allowed > 0 ? std::fabs(a - b) / allowed : INFINITY;
    if (ratio > result.worst)
      result = {"", i, a, b, ratio, ""};
  }
  return result;
}

/// All outputs at the given sizes; false when the comparison has ended.
static bool compareAt(Library &reference, Library &tested, const std::map<std::string, int64_t> &sizes,
                      const Flags &flags, Comparison &result) {
  auto fails = [&](llvm::Error error) {
    result.status = fail(wrong, std::move(error));
    return false;
  };
  const coat_model_info &info = reference.info();
  auto expected = bindTensors(info, flags.inputs, sizes, flags.seed);
  if (!expected)
    return fails(expected.takeError());
  if (llvm::Error error = runOnce(reference, *expected, reference.options(nullptr)))
    return fails(std::move(error));
  std::vector<Binding> runs;
  for (int threads : {1, 2}) {
    auto binding = bindTensors(tested.info(), flags.inputs, sizes, flags.seed);
    if (!binding)
      return fails(binding.takeError());
    Pool pool = makePool(threads);
    if (llvm::Error error = runOnce(tested, *binding, tested.options(pool.get())))
      return fails(std::move(error));
    runs.push_back(std::move(*binding));
  }
  for (int32_t t = info.input_count; t < info.input_count + info.output_count; ++t) {
    if (runs[0].tensors[t].shape != expected->tensors[t].shape) { // what the data decide
      result.worst = INFINITY;
      result.difference = {info.tensors[t].name,
                           0,
                           0,
                           0,
                           INFINITY,
                           llvm::formatv("output '{0}': expected shape {1}, got {2}", info.tensors[t].name,
                                         shapeText(expected->tensors[t].shape), shapeText(runs[0].tensors[t].shape))};
      return false;
    }
    Difference difference = compare(runs[0].tensors[t], expected->tensors[t], flags);
    difference.output = info.tensors[t].name;
    difference.message =
        llvm::formatv("output '{0}' at element {1}: expected {2}, got {3}, {4:f1} times what is allowed",
                      difference.output, difference.index, difference.expected, difference.got, difference.worst);
    if (std::memcmp(runs[0].tensors[t].data(), runs[1].tensors[t].data(), runs[0].tensors[t].bytes())) {
      difference.message = "output '" + difference.output + "': expected the same bits with 1 and 2 threads";
      difference.worst = INFINITY;
    }
    result.worst = std::fmax(result.worst, difference.worst);
    if (difference.worst > 1) {
      result.difference = difference;
      return false;
    }
  }
  return true;
}

Comparison coat::tool::compareWithReference(mlir::ModuleOp imported, const Flags &flags) {
  Comparison result;
  TemporaryFolder folder;
  if (folder.failed) {
    result.status = fail(wrong, "expected to make a temporary folder, set TMPDIR to one that can be written");
    return result;
  }
  std::string paths[] = {(folder.path + "/reference.so").str(), (folder.path + "/tested.so").str()};
  for (auto [path, level] : {std::pair(paths[0], 0), std::pair(paths[1], flags.compile.pipeline.optLevel)})
    if ((result.status = build(imported, flags.input, flags.compile, level, path)))
      return result;
  nowDoing("verify");
  auto reference = Library::open(paths[0]), tested = Library::open(paths[1]);
  if (!reference || !tested) {
    // A machine without a GPU is no bug.
    Status status = flags.compile.pipeline.device == Device::cuda ? wrong : bug;
    result.status = fail(status, llvm::joinErrors(reference.takeError(), tested.takeError()));
    return result;
  }
  llvm::ArrayRef symbols((*reference)->info().symbols, (*reference)->info().symbol_count);
  std::map<std::string, int64_t> least, most;
  for (const coat_symbol_info &symbol : symbols) {
    least[symbol.name] = symbol.min;
    most[symbol.name] = symbol.max;
  }
  bool fixed = !flags.inputs.empty() || symbols.empty(); // files fix the sizes
  if (fixed)
    least.clear();
  if (compareAt(**reference, **tested, least, flags, result) && !fixed)
    compareAt(**reference, **tested, most, flags, result);
  return result;
}
