// Works on the text of a pipeline: elements separated by commas outside of parentheses and braces.
#include "DisablePasses.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace coat::tool;
using llvm::StringRef;

/// The first element of a list; `rest` loses it and its comma.
static StringRef takeElement(StringRef &rest) {
  int depth = 0;
  size_t end = 0;
  for (; end < rest.size(); ++end) {
    char c = rest[end];
    if (c == ',' && depth == 0)
      break;
    depth += (c == '(' || c == '{') - (c == ')' || c == '}');
  }
  StringRef element = rest.take_front(end);
  rest = rest.drop_front(std::min(end + 1, rest.size()));
  return element;
}

std::string coat::tool::withoutPasses(StringRef list, llvm::ArrayRef<std::string> names, int &removed) {
  std::string result;
  while (!list.empty()) {
    StringRef element = takeElement(list);
    StringRef name = element.take_until([](char c) { return c == '(' || c == '{'; });
    if (llvm::is_contained(names, name)) {
      ++removed;
      continue;
    }
    std::string kept = element.str();
    if (StringRef nested = element.drop_front(name.size()); nested.starts_with("(")) {
      kept = withoutPasses(nested.drop_front().drop_back(), names, removed);
      if (kept.empty()) // a pass manager of nothing does not parse
        continue;
      kept = (name + "(" + kept + ")").str();
    }
    result += (result.empty() ? "" : ",") + kept;
  }
  return result;
}

LogicalResult coat::tool::rebuildWithout(PassManager &pm, llvm::ArrayRef<std::string> names, PassManager &rebuilt) {
  std::string text;
  llvm::raw_string_ostream os(text);
  pm.printAsTextualPipeline(os);
  int removed = 0;
  // The pipeline of a pass manager prints as builtin.module(..).
  StringRef inner = StringRef(text).drop_until([](char c) { return c == '('; }).drop_front().drop_back();
  return parsePassPipeline(withoutPasses(inner, names, removed), rebuilt, llvm::errs());
}
