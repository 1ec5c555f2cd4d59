// The importer on any bytes: a module that verifies, or one line that says why not. `coat check` must agree.
#include "importer.h"
#include "coat/Import/Onnx.h"
#include "memory_file.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/raw_ostream.h"

using namespace coat;

static void expect(bool holds, const char *what, const std::string &detail) {
  if (holds)
    return;
  llvm::errs() << "expected " << what << ", got: " << detail << "\n";
  abort();
}

/// The dimension that the message asks for, if it does.
static std::string dimensionIn(llvm::StringRef error) {
  auto [before, after] = error.split("' has symbolic dimension '");
  return after.split("'; give it").first.str();
}

static std::string importOnce(const std::string &path, mlir::MLIRContext &context, const ImportOptions &options) {
  std::string error;
  bool notSupported = false;
  auto module = importOnnx(path, context, options, error, notSupported);
  if (mlir::succeeded(module)) {
    expect(mlir::succeeded(mlir::verify(**module)), "a module that verifies", error);
    return {};
  }
  expect(!error.empty() && error.find('\n') == std::string::npos, "one line", error);
  expect(!llvm::StringRef(error).ends_with("(a bug in coat)"), "no bug", error);
  return error;
}

void importBytes(const uint8_t *data, size_t size) {
  // A context keeps every attribute it has seen; a new one now and then bounds that.
  static std::unique_ptr<mlir::MLIRContext> context;
  static unsigned uses = 0;
  if (uses++ % 256 == 0) {
    context = std::make_unique<mlir::MLIRContext>(mlir::MLIRContext::Threading::DISABLED);
    context->getDiagEngine().registerHandler([](mlir::Diagnostic &) { return mlir::success(); });
  }
  MemoryFile file(data, size);
  ImportOptions options;
  std::string error = importOnce(file.path(), *context, options);
  for (int tries = 0; tries < 3 && !dimensionIn(error).empty(); ++tries) {
    options.dims[dimensionIn(error)] = {1, 5};
    error = importOnce(file.path(), *context, options);
  }
  std::string checkError;
  bool notSupported = false;
  auto coverage = checkOnnx(file.path(), *context, options, checkError, notSupported);
  if (error.empty()) {
    expect(mlir::succeeded(coverage), "a model that coat check knows", checkError);
    for (const CoverageEntry &entry : *coverage)
      expect(entry.refusal.empty(), "no refusal of a model that can be imported", entry.refusal);
  }
}
