// coat check: what of a model is supported, op by op, without compiling it. coat ops: what any model may hold.
#include "Session.h"
#include "Verbs.h"
#include "coat/Import/Mlir.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace coat;
using namespace coat::tool;

namespace {
/// Nodes of one op and opset.
struct Row {
  int64_t nodes = 0, refused = 0;
};
} // namespace

static std::string opName(const CoverageEntry &entry) {
  std::string name = entry.domain.empty() || entry.domain == "ai.onnx" ? entry.op : entry.domain + "." + entry.op;
  return name + "-" + std::to_string(entry.opset);
}

Status coat::tool::check(const Flags &flags) {
  llvm::StringRef suffix = llvm::sys::path::extension(flags.input);
  bool isText = suffix == ".mlir" || suffix == ".mlirbc";
  if (suffix != ".onnx" && suffix != ".pt2" && !isText && flags.input != "-")
    return fail(wrong, flags.input + ": expected a model (.onnx, .pt2, .mlir)");
  Context context(1);
  Collect collect(*context);
  std::string error;
  bool notSupported = false;
  mlir::OwningOpRef<mlir::ModuleOp> program;
  if (isText) {
    program = mlir::parseSourceFile<mlir::ModuleOp>(flags.input, mlir::ParserConfig(&*context));
    if (!program)
      return failParse(flags.input, collect.message());
  }
  auto entries = isText ? checkMlir(*program, flags.input, flags.compile.import, error, notSupported)
                        : checkOnnx(flags.input, *context, flags.compile.import, error, notSupported);
  if (mlir::failed(entries))
    return fail(notSupported ? unsupported : wrong, error);

  std::map<std::string, Row> rows;
  int64_t refused = 0;
  for (const CoverageEntry &entry : *entries) {
    Row &row = rows[opName(entry)];
    ++row.nodes;
    row.refused += !entry.refusal.empty();
    refused += !entry.refusal.empty();
  }
  llvm::outs() << llvm::formatv("{0,-32} {1,6} {2,8}\n", "op", "nodes", "refused");
  for (auto &[name, row] : rows)
    llvm::outs() << llvm::formatv("{0,-32} {1,6} {2,8}\n", name, row.nodes, row.refused);
  for (const CoverageEntry &entry : *entries)
    if (!entry.refusal.empty())
      llvm::outs() << "node '" << entry.node << "' (" << opName(entry) << "): " << entry.refusal << "\n";
  if (!refused) {
    llvm::outs() << "all " << entries->size() << " nodes are supported\n";
    return ok;
  }
  return fail(unsupported, llvm::sys::path::filename(flags.input) + ": " + llvm::Twine(refused) + " of " +
                               llvm::Twine(entries->size()) + " nodes are not supported");
}

Status coat::tool::ops() {
  llvm::outs() << "# Supported operators\n\nThe importer's table of handlers. `coat check` tells which nodes of a "
                  "model are supported, with the reason "
                  "for each refusal.\n\n| operator | opset |\n|---|---|\n";
  for (const SupportedOp &op : supportedOps()) {
    bool isOnnx = op.name.find('.') == std::string::npos;
    llvm::outs() << "| " << op.name << " | "
                 << (isOnnx ? llvm::formatv("{0} to {1}", std::max<int64_t>(op.first, 7), op.last).str() : "any")
                 << " |\n";
  }
  return ok;
}
