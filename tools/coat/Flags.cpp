// The command line: clang's words where clang has one. LLVM's option library parses; what it cannot express (lists of
// name=value, levels, ISA lists) is read here, with the flag's name in every message.
#include "Flags.h"
#include "coat/Target/Cpu.h"
#include "coat/Target/Gpu.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/TargetParser/Triple.h"

using namespace coat;
using namespace coat::tool;
using llvm::StringRef;
namespace cl = llvm::cl;

namespace {
/// Options register themselves with LLVM when they are made.
struct CommandLine {
  cl::SubCommand compile{"compile", "compile a model into a library"};
  cl::SubCommand check{"check", "say which ops of a model are supported, and why others are not"};
  cl::SubCommand ops{"ops", "list the operators that coat compiles, as Markdown"};
  cl::SubCommand run{"run", "run a compiled library"};
  cl::SubCommand bench{"bench", "time a compiled library"};
  cl::SubCommand verify{"verify", "compare a model's compiled code with the reference, op by op"};

  cl::opt<std::string> input{cl::Positional,   cl::Required,   cl::desc("<model or library>"),
                             cl::sub(compile), cl::sub(check), cl::sub(run),
                             cl::sub(bench),   cl::sub(verify)};
  cl::opt<std::string> output{
      "o",
      cl::desc("output; compile: the suffix picks .so .a .o .s .ll .bc .ptx .cubin .mlir .mlirbc; run: "
               ".npz or .npy"),
      cl::value_desc("path"), cl::sub(compile), cl::sub(run)};
  cl::opt<std::string> level{
      "O",
      cl::Prefix,
      cl::init("2"),
      cl::desc("0: the reference; 1: no fusion across ops; 2: default; 3: as 2, tuned on this machine; "
               "s: as 2, but weights do not grow and scalar code is short"),
      cl::value_desc("level"),
      cl::sub(compile),
      cl::sub(check),
      cl::sub(verify)};
  cl::opt<std::string> march{"march",
                             cl::desc("CPU to compile for, 'native' for this one (default x86-64-v3)"),
                             cl::value_desc("cpu"),
                             cl::sub(compile),
                             cl::sub(check),
                             cl::sub(verify)};
  cl::opt<std::string> mcpu{
      "mcpu", cl::desc("the same as -march"), cl::value_desc("cpu"), cl::sub(compile), cl::sub(check), cl::sub(verify)};
  cl::opt<std::string> device{"device",
                              cl::init("cpu"),
                              cl::desc("where kernels run: cpu or cuda (docs/Gpu.md)"),
                              cl::value_desc("cpu|cuda"),
                              cl::sub(compile),
                              cl::sub(verify)};
  cl::list<std::string> gpuArch{"gpu-arch",
                                cl::CommaSeparated,
                                cl::desc("--device=cuda: architectures to compile for (default sm_80,sm_90a)"),
                                cl::value_desc("sm_80,.."),
                                cl::sub(compile),
                                cl::sub(verify)};
  cl::opt<bool> tf32{"tf32", cl::desc("--device=cuda: products of f32 round their operands to tf32, for tensor cores"),
                     cl::sub(compile), cl::sub(verify)};
  cl::opt<std::string> dtype{"dtype",
                             cl::desc("--device=cuda: round the operands of convolutions, products and attention of an "
                                      "f32 model to f16 or bf16, for tensor cores"),
                             cl::value_desc("f16|bf16"), cl::sub(compile), cl::sub(verify)};
  cl::opt<std::string> cudaPath{"cuda-path",
                                cl::desc("folder of a CUDA toolkit, or of PyPI's nvidia-cuda-nvcc, for ptxas"),
                                cl::value_desc("folder"), cl::sub(compile), cl::sub(verify)};
  cl::list<std::string> isa{"isa",
                            cl::CommaSeparated,
                            cl::desc("several CPUs in one library, chosen once at run time"),
                            cl::value_desc("cpu,cpu"),
                            cl::sub(compile),
                            cl::sub(verify)};
  cl::opt<std::string> target{"target",
                              cl::init("x86_64-unknown-linux-gnu"),
                              cl::desc("triple to compile for"),
                              cl::value_desc("triple"),
                              cl::sub(compile),
                              cl::sub(check),
                              cl::sub(verify)};
  cl::opt<std::string> floats{"ffp-model",
                              cl::init("precise"),
                              cl::desc("strict: no re-association, no fused multiply-adds, no Winograd; precise "
                                       "(default): whole models within rtol 1e-3; fast: shorter polynomials, too"),
                              cl::value_desc("model"),
                              cl::sub(compile),
                              cl::sub(verify)};
  cl::opt<unsigned> jobs{"j",
                         cl::Prefix,
                         cl::init(0),
                         cl::desc("threads of the compiler; 0: one a core"),
                         cl::value_desc("n"),
                         cl::sub(compile),
                         cl::sub(verify)};
  cl::opt<bool> verbose{"v", cl::desc("name each stage with its time, each kernel with its code"), cl::sub(compile),
                        cl::sub(verify)};
  cl::opt<bool> debug{
      "g", cl::desc("line tables of the kernels, whose text is written beside the output as <name>.kernels.mlir"),
      cl::sub(compile)};
  cl::opt<std::string> sanitize{
      "sanitize",
      cl::desc("address: check every access of the generated code; the program that links it needs "
               "-fsanitize=address, too"),
      cl::value_desc("address"), cl::sub(compile)};
  cl::opt<bool> saveTemps{"save-temps", cl::desc("write the IR after each stage beside the output"), cl::sub(compile)};
  cl::opt<bool> timeReport{"ftime-report", cl::desc("time of each pass"), cl::sub(compile)};
  cl::list<std::string> dims{
      "dim",
      cl::desc("range of a symbolic dimension, and the size in it to be fastest at (compile, verify); its "
               "value (run, bench)"),
      cl::value_desc("N=1..32:8"),
      cl::sub(compile),
      cl::sub(check),
      cl::sub(run),
      cl::sub(bench),
      cl::sub(verify)};
  cl::list<std::string> shapes{"shape",
                               cl::desc("static shape of an input"),
                               cl::value_desc("x=1x3x224x224"),
                               cl::sub(compile),
                               cl::sub(check),
                               cl::sub(verify)};
  cl::opt<std::string> name{"name", cl::desc("prefix of every symbol (default: the model's file name)"),
                            cl::sub(compile), cl::sub(verify)};
  cl::opt<std::string> weights{"weights",
                               cl::init("embed"),
                               cl::desc("compile: embed (in the library) or file (beside it); run, bench: that file"),
                               cl::value_desc("embed|file"),
                               cl::sub(compile),
                               cl::sub(run),
                               cl::sub(bench)};
  cl::opt<std::string> startAt{"start-at", cl::desc("first stage to run; the input is IR that entered it"),
                               cl::value_desc("stage"), cl::sub(compile)};
  cl::opt<std::string> stopAfter{"stop-after", cl::desc("last stage to run; the output is its IR"),
                                 cl::value_desc("stage"), cl::sub(compile)};
  cl::list<std::string> disablePass{
      "disable-pass",   cl::CommaSeparated, cl::desc("a pass to leave out"), cl::value_desc("coat-.."),
      cl::sub(compile), cl::sub(verify)};
  cl::opt<std::string> tune{"tune",
                            cl::desc("file of measured schedules: read; written first by -O3 where it does not exist "
                                     "(its default: the output's name with .tune)"),
                            cl::value_desc("file"), cl::sub(compile)};
  cl::opt<bool> package{"package", cl::desc("write a CMake package with pkg-config file into the folder -o"),
                        cl::sub(compile)};
  cl::opt<std::string> diagnostics{"diagnostics",  cl::init("text"), cl::desc("text or json"), cl::sub(compile),
                                   cl::sub(check), cl::sub(run),     cl::sub(bench),           cl::sub(verify)};
  cl::list<std::string> inputs{"input",
                               cl::desc("a tensor: x.npy (in order), name=x.npy, or x.npz; random otherwise"),
                               cl::value_desc("file"),
                               cl::sub(run),
                               cl::sub(bench),
                               cl::sub(verify)};
  cl::opt<int> threads{"threads",           cl::init(1),  cl::desc("threads to run on"),
                       cl::value_desc("n"), cl::sub(run), cl::sub(bench)};
  cl::opt<uint64_t> seed{"seed",       cl::init(0),    cl::desc("of the random inputs"),
                         cl::sub(run), cl::sub(bench), cl::sub(verify)};
  cl::opt<double> seconds{"seconds", cl::init(2), cl::desc("how long to measure"), cl::sub(bench)};
  cl::opt<bool> profile{"profile", cl::desc("share of each kernel"), cl::sub(bench)};
  cl::opt<double> rtol{"rtol", cl::init(1e-3), cl::desc("allowed error relative to the reference"), cl::sub(verify)};
  cl::opt<double> atol{"atol", cl::init(1e-4), cl::desc("allowed error relative to the largest magnitude"),
                       cl::sub(verify)};
  cl::opt<std::string> reference{"ref", cl::init("coat"), cl::desc("coat (-O0) or ort (ONNX Runtime, by Python)"),
                                 cl::sub(verify)};
};

/// Turns the raw strings into Flags; the first problem ends it.
class Reader {
public:
  Reader(CommandLine &line, Flags &flags) : line(line), flags(flags) {}

  Status read() {
    readVerb();
    readPlain();
    for (auto part : {&Reader::readLevel, &Reader::readTarget, &Reader::readCpus, &Reader::readGpus, &Reader::readDims,
                      &Reader::readShapes, &Reader::readChoices})
      if (Status status = (this->*part)())
        return status;
    recordCommand();
    return ok;
  }

private:
  void readVerb() {
    flags.verb = line.compile ? Verb::compile
                 : line.check ? Verb::check
                 : line.ops   ? Verb::ops
                 : line.run   ? Verb::run
                 : line.bench ? Verb::bench
                              : Verb::verify;
  }

  void readPlain() {
    flags.input = line.input;
    flags.output = line.output;
    flags.package = line.package;
    flags.inputs = {line.inputs.begin(), line.inputs.end()};
    flags.threads = line.threads;
    flags.seed = line.seed;
    flags.seconds = line.seconds;
    flags.profile = line.profile;
    flags.rtol = line.rtol;
    flags.atol = line.atol;
    CompileFlags &c = flags.compile;
    c.import.name = line.name;
    c.emit.jobs = line.jobs;
    c.emit.verbose = line.verbose;
    c.verbose = c.emit.verbose = line.verbose;
    c.saveTemps = line.saveTemps;
    c.timeReport = line.timeReport;
    c.pipeline.tuning = line.tune;
    c.pipeline.startAt = line.startAt;
    c.pipeline.stopAfter = line.stopAfter;
    c.pipeline.disabledPasses = {line.disablePass.begin(), line.disablePass.end()};
  }

  Status readLevel() {
    StringRef level = line.level;
    if (level == "s") {
      flags.compile.pipeline.smallest = flags.compile.emit.smallest = true;
      level = "2";
    }
    if (level.size() != 1 || level[0] < '0' || level[0] > '3')
      return fail(wrong, "-O" + level + ": expected -O0, -O1, -O2, -O3 or -Os");
    flags.compile.pipeline.optLevel = flags.compile.emit.optLevel = level[0] - '0';
    return ok;
  }

  Status readTarget() {
    llvm::Triple triple(line.target);
    if (triple.getArch() != llvm::Triple::x86_64 || !triple.isOSLinux())
      return fail(unsupported,
                  "--target=" + line.target + ": expected x86_64-unknown-linux-gnu; others are not supported yet");
    flags.compile.emit.triple = flags.compile.pipeline.triple = triple.str();
    return ok;
  }

  static Status findCpu(StringRef flag, StringRef name, const CpuTarget *&found) {
    found = findCpuTarget(name);
    if (found)
      return ok;
    std::string names = "native";
    for (const CpuTarget &target : cpuTargets())
      names += ", " + target.name.str();
    return fail(wrong, "-" + flag + "=" + name + ": expected one of " + names);
  }

  /// One CPU by -march, or several by --isa. Layouts and tiles are chosen once, for the least of them, so that all
  /// share one weight blob.
  Status readCpus() {
    if (!line.march.empty() && !line.mcpu.empty() && line.march != line.mcpu)
      return fail(wrong, "-mcpu=" + line.mcpu + ": expected the same as -march=" + line.march);
    if (!line.isa.empty() && !(line.march.empty() && line.mcpu.empty()))
      return fail(wrong, "--isa: expected without -march, got both");
    std::vector<std::string> names(line.isa.begin(), line.isa.end());
    StringRef flag = names.empty() ? "march" : "-isa";
    if (names.empty())
      names.push_back(!line.march.empty()  ? line.march.getValue()
                      : !line.mcpu.empty() ? line.mcpu.getValue()
                                           : "x86-64-v3");
    std::vector<const CpuTarget *> cpus;
    for (const std::string &name : names) {
      const CpuTarget *cpu = nullptr;
      if (Status status = findCpu(flag, name, cpu))
        return status;
      if (!llvm::is_contained(cpus, cpu))
        cpus.push_back(cpu);
    }
    llvm::stable_sort(cpus, [](auto *a, auto *b) {
      return std::pair(a->vector, a->fusedMultiplyAdd) > std::pair(b->vector, b->fusedMultiplyAdd);
    });
    flags.compile.emit.isas.clear();
    for (const CpuTarget *cpu : cpus)
      flags.compile.emit.isas.push_back({cpu->name.str(), "", ""});
    flags.compile.pipeline.cpu = cpus.back()->name.str();
    return ok;
  }

  Status readGpus() {
    CompileOptions &pipeline = flags.compile.pipeline;
    if (line.device != "cpu" && line.device != "cuda")
      return fail(wrong, "--device=" + line.device + ": expected cpu or cuda");
    if (line.device == "cpu") {
      const char *only = !line.gpuArch.empty()    ? "--gpu-arch"
                         : line.tf32              ? "--tf32"
                         : !line.dtype.empty()    ? "--dtype"
                         : !line.cudaPath.empty() ? "--cuda-path"
                                                  : nullptr;
      return only ? fail(wrong, llvm::Twine(only) + ": expected with --device=cuda") : ok;
    }
    pipeline.device = Device::cuda;
    pipeline.gpuArchs = {line.gpuArch.begin(), line.gpuArch.end()};
    if (pipeline.gpuArchs.empty())
      pipeline.gpuArchs = {"sm_80", "sm_90a"};
    for (const std::string &name : pipeline.gpuArchs)
      if (!findGpuTarget(name)) {
        std::string names;
        for (const GpuTarget &target : gpuTargets())
          names += (names.empty() ? "" : ", ") + target.name.str();
        return fail(wrong, "--gpu-arch=" + name + ": expected one of " + names);
      }
    if (!line.dtype.empty() && line.dtype != "f16" && line.dtype != "bf16")
      return fail(wrong, "--dtype=" + line.dtype + ": expected f16 or bf16");
    if (line.tf32 && line.floats == "strict")
      return fail(wrong, "--tf32: expected without -ffp-model=strict, as tensor cores add up in an order of their own");
    pipeline.tf32 = line.tf32;
    pipeline.dtype = line.dtype;
    flags.compile.emit.cudaPath = line.cudaPath;
    return ok;
  }

  Status readDims() {
    bool isValue = flags.verb == Verb::run || flags.verb == Verb::bench;
    for (StringRef text : line.dims) {
      auto [name, given] = text.split('=');
      auto [range, best] = given.split(':');
      auto [low, high] = range.split("..");
      int64_t min = 0, max = 0, optimum = 0;
      bool hasOptimum = given.contains(':');
      bool bad = name.empty() || low.getAsInteger(10, min) || (range.contains("..") && high.getAsInteger(10, max));
      if (!range.contains(".."))
        max = min;
      bad |= hasOptimum && (best.getAsInteger(10, optimum) || optimum < min || optimum > max);
      if (bad || min < 0 || max < min || (isValue && (min != max || hasOptimum)))
        return fail(wrong,
                    "--dim " + text + ": expected " + (isValue ? "name=size" : "name=size or name=least..most[:best]"));
      if (hasOptimum)
        flags.compile.import.optima[name.str()] = optimum;
      flags.sizes[name.str()] = min;
      flags.compile.import.dims[name.str()] = {min, max};
    }
    return ok;
  }

  Status readShapes() {
    for (StringRef text : line.shapes) {
      auto [name, list] = text.rsplit('=');
      std::vector<int64_t> shape;
      llvm::SmallVector<StringRef> parts;
      list.split(parts, 'x', -1, false);
      bool bad = name.empty() || !text.contains('=');
      for (StringRef part : parts)
        bad |= part.getAsInteger(10, shape.emplace_back()) || shape.back() < 0;
      if (bad)
        return fail(wrong, "--shape " + text + ": expected name=1x3x224x224");
      flags.compile.import.shapes[name.str()] = shape;
    }
    return ok;
  }

  Status readChoices() {
    if (line.diagnostics != "text" && line.diagnostics != "json")
      return fail(wrong, "--diagnostics=" + line.diagnostics + ": expected text or json");
    auto floats = llvm::StringSwitch<std::optional<FloatModel>>(line.floats)
                      .Case("strict", FloatModel::strict)
                      .Case("precise", FloatModel::precise)
                      .Case("fast", FloatModel::fast)
                      .Default(std::nullopt);
    if (!floats)
      return fail(wrong, "-ffp-model=" + line.floats + ": expected strict, precise or fast");
    flags.compile.pipeline.floats = *floats;
    flags.compile.pipeline.debugLines = line.debug;
    if (!line.sanitize.empty() && line.sanitize != "address")
      return fail(wrong, "--sanitize=" + line.sanitize + ": expected address");
    flags.compile.emit.sanitizeAddress = !line.sanitize.empty();
    if (line.threads < 1)
      return fail(wrong, "--threads=" + llvm::Twine(line.threads) + ": expected 1 or more");
    if (line.reference != "coat" && line.reference != "ort")
      return fail(wrong, "--ref=" + line.reference + ": expected coat or ort");
    flags.reference = line.reference;
    if (flags.verb == Verb::run || flags.verb == Verb::bench) {
      flags.weights = line.weights == "embed" ? "" : line.weights.getValue();
      return ok;
    }
    if (line.weights != "embed" && line.weights != "file")
      return fail(wrong, "--weights=" + line.weights + ": expected embed or file");
    flags.compile.weightsInFile = line.weights == "file";
    if (Status status = checkStages())
      return status;
    return checkDisabled();
  }

  /// A misspelt name would silently disable nothing.
  Status checkDisabled() {
    for (const std::string &name : flags.compile.pipeline.disabledPasses)
      if (!mlir::PassInfo::lookup(name))
        return fail(wrong, "--disable-pass=" + name + ": expected a pass of coat, such as coat-fuse-epilogues");
    return ok;
  }

  Status checkStages() {
    std::vector<std::string> names = stageNames(flags.compile.pipeline);
    for (auto [flag, stage] : {std::pair("start-at", &flags.compile.pipeline.startAt),
                               std::pair("stop-after", &flags.compile.pipeline.stopAfter)})
      if (!stage->empty() && *stage != "import" && !llvm::is_contained(names, *stage))
        return fail(wrong, "--" + llvm::Twine(flag) + "=" + *stage + ": expected import, " + llvm::join(names, ", "));
    return ok;
  }

  void recordCommand() {
    CompileFlags &c = flags.compile;
    llvm::raw_string_ostream os(c.command);
    os << "-O" << (c.pipeline.smallest ? "s" : std::to_string(c.pipeline.optLevel)) << " --target=" << c.emit.triple
       << " -ffp-model=" << llvm::StringRef(line.floats) << " --isa=";
    llvm::interleave(c.emit.isas, os, [&](const IsaOptions &isa) { os << isa.name; }, ",");
    for (auto &[name, range] : c.import.dims) {
      os << " --dim " << name << "=" << range.first << ".." << range.second;
      if (auto optimum = c.import.optima.find(name); optimum != c.import.optima.end())
        os << ":" << optimum->second;
    }
    for (auto &[name, shape] : c.import.shapes) {
      os << " --shape " << name << "=";
      llvm::interleave(shape, os, "x");
    }
    for (const std::string &pass : c.pipeline.disabledPasses)
      os << " --disable-pass=" << pass;
    os << (c.weightsInFile ? " --weights=file" : " --weights=embed") << (c.pipeline.debugLines ? " -g" : "")
       << (c.emit.sanitizeAddress ? " --sanitize=address" : "");
    if (c.pipeline.device == Device::cuda)
      os << " --device=cuda --gpu-arch=" << llvm::join(c.pipeline.gpuArchs, ",") << (c.pipeline.tf32 ? " --tf32" : "")
         << (c.pipeline.dtype.empty() ? "" : " --dtype=" + c.pipeline.dtype);
  }

  CommandLine &line;
  Flags &flags;
};
} // namespace

Status coat::tool::parseFlags(int argc, char **argv, Flags &flags) {
  for (int i = 1; i < argc; ++i) // errors of the flags themselves, too
    if (StringRef(argv[i]).ltrim('-') == "diagnostics=json")
      setJsonDiagnostics(true);
  static CommandLine line; // LLVM keeps pointers to it, and lld resets all options when it runs
  cl::SetVersionPrinter([](llvm::raw_ostream &os) { os << "coat " COAT_VERSION ", LLVM " LLVM_VERSION_STRING "\n"; });
  std::string text;
  llvm::raw_string_ostream errors(text);
  // The options of the LLVM libraries are no promise of ours.
  for (auto &[name, option] : cl::getRegisteredOptions())
    if (name != "help" && name != "version")
      option->setHiddenFlag(cl::ReallyHidden);
  std::vector<const char *> words(argv, argv + argc);
  words[0] = "coat";
  if (!cl::ParseCommandLineOptions(argc, words.data(), "coat: compiles convolution-attention models into libraries\n",
                                   &errors))
    return fail(wrong, StringRef(text).trim().take_until([](char c) { return c == '\n'; }));
  bool anyVerb = line.compile || line.check || line.ops || line.run || line.bench || line.verify;
  if (!anyVerb)
    return fail(wrong, "coat: expected a verb: compile, check, ops, run, bench or verify; try coat --help");
  return Reader(line, flags).read();
}
