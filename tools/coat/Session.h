// One model on its way through the compiler: read, lowered stage by stage, emitted.
#ifndef COAT_TOOLS_SESSION_H
#define COAT_TOOLS_SESSION_H

#include "Flags.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/ThreadPool.h"

namespace coat::tool {

/// A context with coat's dialects and -j threads; shared by the sessions of `verify`.
class Context {
public:
  explicit Context(unsigned jobs);
  mlir::MLIRContext &operator*() { return context; }

private:
  std::unique_ptr<llvm::DefaultThreadPool> pool; // outlives the context
  mlir::MLIRContext context;
};

class Session {
public:
  Session(mlir::MLIRContext &context, const CompileFlags &flags) : context(context), flags(flags) {}

  /// Reads a model (.onnx, .pt2) or IR (.mlir, .mlirbc), by suffix; "-" is a model from stdin.
  Status read(llvm::StringRef path);
  /// Takes a module that Import made from the file `path`.
  void take(mlir::OwningOpRef<mlir::ModuleOp> imported, llvm::StringRef path) {
    module = std::move(imported);
    source = path.str();
  }

  /// Weights that a stage has replaced are freed after it: nothing else in the context may refer to them.
  void freeWeights() { freesWeights = true; }

  /// Runs the stages from --start-at to --stop-after.
  Status lower();

  /// Writes one artifact (.so .a .o .s .ll .bc) or the IR (.mlir .mlirbc), by suffix. After the `last` one embedded
  /// weights are gone, if freeWeights() allows it.
  Status write(llvm::StringRef path, llvm::StringRef soname = {}, bool last = false);

  mlir::ModuleOp ir() { return *module; }
  const ModelDescription &model() const { return description; }
  /// -g: the kernels as text, to be written as kernelsFile() beside the library; empty without -g.
  const std::string &kernels() const { return kernelsText; }
  std::string kernelsFile() { return name() + ".kernels.mlir"; }
  /// The name that symbols start with, known after read().
  std::string name();

private:
  Status readOnnx(llvm::StringRef path);
  Status readIR(llvm::StringRef path);
  Status importIR(llvm::StringRef path);
  Status runStage(const std::string &stage);
  Status runPasses(mlir::PassManager &pm, const std::string &stage);
  Status describe();
  Status assemble();
  void saveTemp(llvm::StringRef stage);
  std::string writeReproducer(const std::string &stage);
  Status failStage(const std::string &stage, const std::string &message);

  mlir::MLIRContext &context;
  const CompileFlags &flags;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::OwningOpRef<mlir::ModuleOp> entered; // what entered the stage that is running
  ModelDescription description;
  bool described = false, freesWeights = false;
  std::string kernelsText;
  std::string source; // path of the model, for messages
};

/// What is wrong with a file that does not parse as MLIR.
Status failParse(llvm::StringRef path, const std::string &message);

/// Writes the bytes that --weights=file leaves out of the library.
Status writeWeights(const ModelDescription &model, llvm::StringRef path);

/// Writes `text` to `path`: whole or not at all.
Status writeText(llvm::StringRef path, llvm::StringRef text);

} // namespace coat::tool

#endif
