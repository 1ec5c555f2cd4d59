// From a module of upstream dialects to one of coat ops; see coat/Import/Mlir.h.
#include "Importer.h"
#include "MlirReader.h"
#include "coat/Dialect/Coat.h"
#include "coat/Dialect/SymbolicDims.h"
#include "coat/Import/Mlir.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

static func::FuncOp markedEntry(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr("coat.entry"))
      return function;
  return {};
}

bool coat::isCoatForm(ModuleOp module) {
  func::FuncOp entry = markedEntry(module);
  if (!entry || entry.isExternal())
    return bool(entry);
  return llvm::none_of(entry.getOps(), [](Operation &op) {
    StringRef dialect = op.getName().getDialectNamespace();
    return dialect == "tosa" || dialect == "linalg" || dialect == "math";
  });
}

//===--- coat's own form ---===//

namespace {
class CoatForm {
public:
  CoatForm(func::FuncOp entry, const ImportOptions &options, std::string &error)
      : entry(entry), options(options), error(error) {}

  bool run() {
    if (!options.shapes.empty())
      return fail("--shape " + options.shapes.begin()->first +
                  ": expected a model whose sizes can be chosen, got IR in coat's form");
    if (!readSymbols())
      return false;
    for (auto [index, type] : llvm::enumerate(entry.getArgumentTypes()))
      if (!check("argument " + Twine(index), type, entry.getArgAttrDict(index)))
        return false;
    for (auto [index, type] : llvm::enumerate(entry.getResultTypes()))
      if (!check("result " + Twine(index), type, entry.getResultAttrDict(index)))
        return false;
    return true;
  }

private:
  bool fail(const Twine &message) {
    error = message.str();
    return false;
  }
  bool readSymbols();
  bool check(const Twine &what, Type type, DictionaryAttr attributes);

  func::FuncOp entry;
  const ImportOptions &options;
  std::string &error;
  SmallVector<StringRef> symbols;
  llvm::StringSet<> names;
};
} // namespace

/// {name, min, max[, optimum]}, with what --dim says of them.
bool CoatForm::readSymbols() {
  Builder builder(entry.getContext());
  SmallVector<mlir::Attribute> records;
  llvm::StringSet<> known;
  auto list = entry->getAttrOfType<ArrayAttr>("coat.symbols");
  for (mlir::Attribute attribute : list ? list.getValue() : ArrayRef<mlir::Attribute>()) {
    NamedAttrList record(dyn_cast<DictionaryAttr>(attribute));
    auto name = dyn_cast_or_null<StringAttr>(record.get("name"));
    if (!name || !isa_and_nonnull<IntegerAttr>(record.get("min")) || !isa_and_nonnull<IntegerAttr>(record.get("max")))
      return fail("expected coat.symbols of {name, min, max}, got another attribute");
    if (auto range = options.dims.find(name.str()); range != options.dims.end()) {
      record.set("min", builder.getI64IntegerAttr(range->second.first));
      record.set("max", builder.getI64IntegerAttr(range->second.second));
    }
    if (auto optimum = options.optima.find(name.str()); optimum != options.optima.end())
      record.set("optimum", builder.getI64IntegerAttr(optimum->second));
    int64_t least = cast<IntegerAttr>(record.get("min")).getInt(), most = cast<IntegerAttr>(record.get("max")).getInt();
    if (least < 0 || most < least)
      return fail("symbol '" + name.getValue() + "': expected a range such as 1..8, got " + Twine(least) + ".." +
                  Twine(most));
    if (!known.insert(name.getValue()).second)
      return fail("symbol '" + name.getValue() + "': expected one record in coat.symbols, got two");
    symbols.push_back(name.getValue());
    records.push_back(record.getDictionary(entry.getContext()));
  }
  for (const auto &[name, range] : options.dims)
    if (!known.contains(name))
      return fail("--dim " + name + ": expected a symbolic dimension of the model (" +
                  (symbols.empty() ? "it has none" : llvm::join(symbols, ", ")) + "), got '" + name + "'");
  if (list)
    entry->setAttr("coat.symbols", builder.getArrayAttr(records));
  return true;
}

bool CoatForm::check(const Twine &what, Type type, DictionaryAttr attributes) {
  auto shaped = dyn_cast<ShapedType>(type);
  auto text = [&](llvm::StringRef problem) { return fail(what + " of the entry: " + problem); };
  auto name = attributes ? attributes.getAs<StringAttr>("coat.name") : StringAttr();
  auto dims = attributes ? attributes.getAs<ArrayAttr>("coat.dims") : ArrayAttr();
  if (!shaped || !shaped.hasRank())
    return true; // sizes and the like, of later stages
  if (name && !names.insert(name.getValue()).second)
    return text(("expected a coat.name of its own, got '" + name.getValue() + "' again").str());
  if (dims && int64_t(dims.size()) != shaped.getRank())
    return text("expected coat.dims of " + std::to_string(shaped.getRank()) + " sizes, got " +
                std::to_string(dims.size()));
  for (int64_t dim = 0; dim < shaped.getRank(); ++dim) {
    auto size = dims ? dyn_cast<StringAttr>(dims[dim]) : StringAttr();
    if (!size && (dims || shaped.isDynamicDim(dim)))
      return text("expected coat.dims to say what dimension " + std::to_string(dim) + " is, got nothing");
    if (!size)
      continue;
    AffineExpr expr = parseSymbolicDim(size.getValue(), symbols, entry.getContext());
    auto number = dyn_cast_or_null<AffineConstantExpr>(expr);
    bool fits = expr && (shaped.isDynamicDim(dim) || (number && number.getValue() == shaped.getDimSize(dim)));
    if (!fits && !attributes.contains("coat.counted"))
      return text(("expected coat.dims in terms of coat.symbols and of the type, got '" + size.getValue() + "'").str());
  }
  return true;
}

bool coat::prepareCoatForm(ModuleOp module, const ImportOptions &options, std::string &error) {
  return CoatForm(markedEntry(module), options, error).run();
}

//===--- upstream dialects ---===//

/// The function to compile; null with `error`.
static func::FuncOp entryOf(ModuleOp module, std::string &error) {
  if (func::FuncOp entry = markedEntry(module))
    return entry;
  SmallVector<func::FuncOp> candidates;
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPublic() && !function.isExternal())
      candidates.push_back(function);
  if (candidates.size() == 1)
    return candidates.front();
  error = "expected one public function or one with the attribute coat.entry, got " + std::to_string(candidates.size());
  return {};
}

static OwningOpRef<ModuleOp> importModule(ModuleOp source, StringRef path, const ImportOptions &options,
                                          std::string &error, bool &notSupported,
                                          std::vector<CoverageEntry> *coverage) {
  notSupported = false;
  MLIRContext *context = source.getContext();
  auto fail = [&](const Twine &message) {
    error = path.str() + ": " + message.str();
    return OwningOpRef<ModuleOp>();
  };
  OwningOpRef<ModuleOp> inlined = source.clone(); // the nodes refer to its ops
  PassManager passes(context);
  passes.addPass(createInlinerPass());
  std::string message;
  func::FuncOp entry = succeeded(passes.run(*inlined)) ? entryOf(*inlined, message) : func::FuncOp();
  if (!entry)
    return fail(message.empty() ? "expected calls that can be inlined, got others" : message);

  Model model;
  if (!readFunction(entry, model, message))
    return fail(message);
  context->loadDialect<CoatDialect, func::FuncDialect, arith::ArithDialect, tensor::TensorDialect,
                       affine::AffineDialect>();
  std::string name = options.name.empty() ? identifierOf(llvm::sys::path::stem(path)) : options.name;
  TensorReader tensors(context, /*file=*/nullptr, "", name);
  Importer importer(context, llvm::sys::path::filename(path).str(), name, tensors);
  OwningOpRef<ModuleOp> module = importer.run(model, model.graph.nodes, options, coverage);
  notSupported = importer.notSupported;
  return module ? std::move(module) : fail(importer.error);
}

FailureOr<OwningOpRef<ModuleOp>> coat::importMlir(ModuleOp source, StringRef path, const ImportOptions &options,
                                                  std::string &error, bool &notSupported) {
  OwningOpRef<ModuleOp> module = importModule(source, path, options, error, notSupported, nullptr);
  if (!module)
    return failure();
  return module;
}

FailureOr<std::vector<CoverageEntry>> coat::checkMlir(ModuleOp source, StringRef path, const ImportOptions &options,
                                                      std::string &error, bool &notSupported) {
  std::vector<CoverageEntry> coverage;
  if (!isCoatForm(source)) {
    if (!importModule(source, path, options, error, notSupported, &coverage))
      return failure();
    llvm::erase_if(coverage, [](const CoverageEntry &entry) { return entry.domain.empty(); }); // names of results
    return coverage;
  }
  for (Operation &op : markedEntry(source).getOps())
    if (!op.hasTrait<OpTrait::IsTerminator>()) {
      auto [domain, name] = op.getName().getStringRef().split('.');
      coverage.push_back({"", name.str(), 1, domain.str(), ""});
    }
  return coverage;
}
