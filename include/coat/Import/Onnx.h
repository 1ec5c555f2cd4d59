// The ONNX importer: a model file in, a module of coat ops on tensors out
// (docs/Architecture.md, "Import"), or one line that says why not.
#ifndef COAT_IMPORT_ONNX_H
#define COAT_IMPORT_ONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace coat {

struct ImportOptions {
  /// Name of the entry function and prefix of the weights; empty takes the file's name, made a C identifier.
  std::string name;
  /// Range of each symbolic dimension (--dim N=1..8); equal bounds make it static.
  std::map<std::string, std::pair<int64_t, int64_t>> dims;
  /// The size within that range for which schedules are chosen (--dim N=1..32:8), where one is given.
  std::map<std::string, int64_t> optima;
  /// Static shape of an input (--shape x=1x3x224x224), by the input's name.
  std::map<std::string, std::vector<int64_t>> shapes;
};

/// One node of the model and, when coat cannot compile it, why.
struct CoverageEntry {
  std::string node, op;
  int64_t opset = 0;
  std::string domain;
  std::string refusal; // empty: supported
};

/// Imports the model at `path` ("-" is stdin). Weights stay where the file is mapped; the blobs in `context`
/// keep the mapping alive. On failure `error` is one line without a newline, and `notSupported` tells a
/// model that coat cannot compile yet from one that is wrong.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> importOnnx(llvm::StringRef path, mlir::MLIRContext &context,
                                                              const ImportOptions &options, std::string &error,
                                                              bool &notSupported);

/// What importOnnx would say of each node, functions of the model inlined, in execution order. A node that
/// depends on a refused one counts as supported when its op and opset are. Fails only on a wrong model.
mlir::FailureOr<std::vector<CoverageEntry>> checkOnnx(llvm::StringRef path, mlir::MLIRContext &context,
                                                      const ImportOptions &options, std::string &error,
                                                      bool &notSupported);

/// An operator that a handler knows: "Conv", "com.microsoft.Gelu", "aten.conv2d"; `first` and `last` opset of its
/// domain.
struct SupportedOp {
  std::string name;
  int64_t first = 0, last = 0;
};
/// All of them by name, the rows of the importer's own table. Not every attribute or type of each is supported.
std::vector<SupportedOp> supportedOps();

/// `name` made a C identifier: every other character becomes '_', a leading digit gets one in front.
std::string identifierOf(llvm::StringRef name);

} // namespace coat

#endif
