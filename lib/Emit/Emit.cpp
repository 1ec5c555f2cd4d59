// Puts an artifact together: kernels, host, weights; then one of three ways to join them.
//
//   .so .a .o      objects, joined by lld (.so: shared; .o: -r; .a: that .o as its one member)
//   .s .ll .bc     LLVM IR of all of them in one module
#include "coat/Emit/Emit.h"
#include "CompileHost.h"
#include "CompileKernels.h"
#include "Link.h"
#include "coat/Emit/AssembleKernels.h"
#include "coat/Emit/WeightsObject.h"
#include "coat/Emit/WholeFile.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/Constants.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace coat;

namespace {
/// A folder for the objects that lld reads; gone at the end.
class TemporaryFolder {
public:
  ~TemporaryFolder() {
    if (!path.empty())
      sys::fs::remove_directories(path);
  }
  Error create() { return errorCodeToError(sys::fs::createUniqueDirectory("coat", path)); }
  std::string file(const Twine &name) const { return (path + "/" + name).str(); }

private:
  SmallString<128> path;
};

Error writeFile(StringRef path, StringRef bytes) {
  return writeInPlace(path, [&](raw_ostream &os) {
    os << bytes;
    return Error::success();
  });
}

class Emitter {
public:
  Emitter(mlir::ModuleOp lowered, const ModelDescription &model, const EmitOptions &options)
      : lowered(lowered), model(model), options(options), triple(options.triple),
        embedded(!model.weights.empty() && !model.weightsInFile) {}

  Error emitObjects(Artifact artifact, StringRef path, StringRef soname) {
    TemporaryFolder folder;
    if (Error error = folder.create())
      return error;
    Expected<std::vector<std::string>> files = compileObjects(folder, artifact == Artifact::sharedLibrary);
    if (!files)
      return files.takeError();
    WholeFile whole(path);
    Expected<std::string> output = whole.create();
    if (!output)
      return output.takeError();
    std::vector<std::string> arguments = {
        "-o", artifact == Artifact::archive ? folder.file(model.name + ".o") : *output,
        "--threads=" + std::to_string(hardware_concurrency(options.jobs).compute_thread_count())};
    if (artifact == Artifact::sharedLibrary) {
      std::string script = "{ global:";
      for (const std::string &name : exportedNames(model, /*loadable=*/true))
        script += " " + name + ";";
      script += " local: *; };\n";
      if (Error error = writeFile(folder.file("exports"), script))
        return error;
      append_range(arguments, std::vector<std::string>{"-shared", "-nostdlib", "--hash-style=gnu", "--gc-sections",
                                                       "--build-id=none", "-z", "now", "-soname", soname.str(),
                                                       "--version-script=" + folder.file("exports")});
    } else {
      arguments.push_back("-r");
    }
    append_range(arguments, *files);
    if (embedded && options.weightsWritten)
      options.weightsWritten();
    if (Error error = runLinker(arguments))
      return error;
    if (artifact == Artifact::archive)
      if (Error error = writeArchiveOf(folder.file(model.name + ".o"), *output))
        return error;
    return whole.commit(artifact == Artifact::sharedLibrary);
  }

  Error emitText(Artifact artifact, StringRef path) {
    LLVMContext context;
    auto module = linkIR(context);
    if (!module)
      return module.takeError();
    SmallString<0> text;
    raw_svector_ostream os(text);
    if (artifact == Artifact::llvmText)
      (*module)->print(os, nullptr);
    else if (artifact == Artifact::bitcode)
      WriteBitcodeToFile(**module, os);
    else if (auto machine = makeHostMachine(options); !machine)
      return machine.takeError();
    else if (auto code = generate(**module, **machine, CodeGenFileType::AssemblyFile); !code)
      return code.takeError();
    else
      text = std::move(code->bytes);
    WholeFile whole(path);
    Expected<std::string> output = whole.create();
    if (!output)
      return output.takeError();
    if (Error error = writeFile(*output, text))
      return error;
    return whole.commit(false);
  }

private:
  /// One file a kernel, the host, the weights.
  Expected<std::vector<std::string>> compileObjects(const TemporaryFolder &folder, bool loadable) {
    auto kernels = compileKernels(lowered, options, /*keepBitcode=*/false);
    if (!kernels)
      return kernels.takeError();
    std::vector<std::string> files = {folder.file("host.o")};
    StringSet<> known;
    if (model.onDevice)
      for (StringRef name : {"dlopen", "dlsym"}) // of the driver
        known.insert(name);
    for (const CompiledKernel &kernel : *kernels) {
      known.insert(kernel.name);
      files.push_back(folder.file(kernel.name + ".o"));
      if (Error error = writeFile(files.back(), kernel.object))
        return std::move(error);
    }
    if (embedded) {
      known.insert(weightsSymbol(model));
      files.push_back(folder.file("weights.o"));
      if (Error error = writeInPlace(files.back(), [&](raw_ostream &os) {
            return writeWeightsObject(model, weightsSymbol(model), triple, os);
          }))
        return std::move(error);
    }
    LLVMContext context;
    auto host = buildHost(lowered, model, options, loadable, context);
    if (!host)
      return host.takeError();
    auto machine = makeHostMachine(options);
    if (!machine)
      return machine.takeError();
    auto code = generate(**host, **machine, CodeGenFileType::ObjectFile);
    if (!code)
      return code.takeError();
    if (Error error = checkStack(code->statistics, options))
      return std::move(error);
    if (Error error = checkUndefined(code->bytes, "the host code", known))
      return std::move(error);
    if (Error error = writeFile(files.front(), code->bytes))
      return std::move(error);
    return files;
  }

  Error writeArchiveOf(StringRef object, StringRef output) {
    auto member = NewArchiveMember::getFile(object, /*Deterministic=*/true);
    if (!member)
      return member.takeError();
    std::string name = model.name + ".o";
    member->MemberName = name;
    std::vector<NewArchiveMember> members;
    members.push_back(std::move(*member));
    return writeArchive(output, members, SymtabWritingMode::NormalSymtab, object::Archive::K_GNU,
                        /*Deterministic=*/true, /*Thin=*/false);
  }

  Expected<std::unique_ptr<Module>> linkIR(LLVMContext &context) {
    auto kernels = compileKernels(lowered, options, /*keepBitcode=*/true);
    if (!kernels)
      return kernels.takeError();
    auto module = buildHost(lowered, model, options, /*loadable=*/false, context);
    if (!module)
      return module.takeError();
    for (const CompiledKernel &kernel : *kernels) {
      auto part = parseBitcodeFile(MemoryBufferRef(kernel.bitcode, kernel.name), context);
      if (!part)
        return part.takeError();
      if (Linker::linkModules(**module, std::move(*part)))
        return createStringError("expected kernel %s to link", kernel.name.c_str());
    }
    if (GlobalVariable *weights = embedded ? (*module)->getGlobalVariable(weightsSymbol(model)) : nullptr) {
      std::string bytes;
      raw_string_ostream os(bytes);
      if (Error error = writeWeights(model, os))
        return std::move(error);
      weights->setInitializer(ConstantDataArray::getRaw(bytes, bytes.size(), Type::getInt8Ty(context)));
    }
    return std::move(*module);
  }

  mlir::ModuleOp lowered;
  const ModelDescription &model;
  const EmitOptions &options;
  Triple triple;
  bool embedded;
};
} // namespace

/// The kernels alone, without host code and weights.
static Error emitDeviceCode(mlir::ModuleOp lowered, const EmitOptions &options, Artifact artifact, StringRef path) {
  Expected<std::string> code = assembleTogether(lowered, options, artifact == Artifact::cubin);
  if (!code)
    return code.takeError();
  WholeFile whole(path);
  Expected<std::string> output = whole.create();
  if (!output)
    return output.takeError();
  if (Error error = writeFile(*output, *code))
    return error;
  return whole.commit(false);
}

std::optional<Artifact> coat::artifactOf(StringRef path) {
  return StringSwitch<std::optional<Artifact>>(sys::path::extension(path))
      .Case(".so", Artifact::sharedLibrary)
      .Case(".a", Artifact::archive)
      .Case(".o", Artifact::object)
      .Case(".s", Artifact::assembly)
      .Case(".ll", Artifact::llvmText)
      .Case(".bc", Artifact::bitcode)
      .Case(".ptx", Artifact::ptx)
      .Case(".cubin", Artifact::cubin)
      .Default(std::nullopt);
}

Error coat::emitArtifact(mlir::ModuleOp lowered, const ModelDescription &model, const EmitOptions &options,
                         Artifact artifact, StringRef path, StringRef soname) {
  mlir::registerBuiltinDialectTranslation(*lowered.getContext());
  mlir::registerLLVMDialectTranslation(*lowered.getContext());
  if (artifact == Artifact::ptx || artifact == Artifact::cubin)
    return emitDeviceCode(lowered, options, artifact, path);
  Emitter emitter(lowered, model, options);
  if (artifact == Artifact::assembly || artifact == Artifact::llvmText || artifact == Artifact::bitcode)
    return emitter.emitText(artifact, path);
  return emitter.emitObjects(artifact, path, soname.empty() ? sys::path::filename(path) : soname);
}
