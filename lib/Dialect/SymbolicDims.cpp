// Reads the strings of coat.dims. The names of symbols may be anything, so each becomes s0, s1 .. before MLIR's parser
// of affine expressions sees the text.
#include "coat/Dialect/SymbolicDims.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

static bool isWord(char c) { return llvm::isAlnum(c) || c == '_'; }

/// The longest symbol that `text` starts with, as a whole word; -1 for none.
static int64_t symbolAt(StringRef text, ArrayRef<StringRef> symbols) {
  int64_t best = -1;
  for (auto [i, name] : llvm::enumerate(symbols)) {
    bool fits = !name.empty() && text.starts_with(name) &&
                (text.size() == name.size() || !isWord(name.back()) || !isWord(text[name.size()]));
    if (fits && (best < 0 || name.size() > symbols[best].size()))
      best = static_cast<int64_t>(i);
  }
  return best;
}

AffineExpr coat::parseSymbolicDim(StringRef text, ArrayRef<StringRef> symbols, MLIRContext *context) {
  std::string renamed;
  while (!text.empty()) {
    int64_t symbol = symbolAt(text, symbols);
    size_t length = symbol >= 0 ? symbols[symbol].size() : std::max<size_t>(1, text.take_while(isWord).size());
    renamed += symbol >= 0 ? "s" + std::to_string(symbol) : text.take_front(length).str();
    text = text.drop_front(length);
  }
  std::string list;
  for (size_t i = 0; i < symbols.size(); ++i)
    list += (i ? ", s" : "s") + std::to_string(i);
  ScopedDiagnosticHandler quiet(context, [](Diagnostic &) { return success(); });
  Attribute parsed = parseAttribute("affine_map<()[" + list + "] -> (" + renamed + ")>", context);
  auto map = dyn_cast_or_null<AffineMapAttr>(parsed);
  return map && map.getValue().getNumResults() == 1 ? map.getValue().getResult(0) : AffineExpr();
}
