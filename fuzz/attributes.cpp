// coat's own parsers of text: attributes, the expressions of coat.dims, and files of measured schedules. What an
// attribute prints as is read as the same attribute.
#include "coat/Dialect/Coat.h"
#include "coat/Dialect/SymbolicDims.h"
#include "coat/Strategy/Tuning.h"
#include "memory_file.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

static void roundTrip(StringRef text, MLIRContext *context) {
  Attribute attribute = parseAttribute(text, context);
  if (!attribute)
    return;
  std::string printed;
  llvm::raw_string_ostream(printed) << attribute;
  if (parseAttribute(printed, context) == attribute)
    return;
  llvm::errs() << "expected '" << text << "' to be read as it prints, got '" << printed << "'\n";
  abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static std::unique_ptr<MLIRContext> context;
  static unsigned uses = 0;
  if (uses++ % 4096 == 0) { // it keeps all attributes
    context = std::make_unique<MLIRContext>(MLIRContext::Threading::DISABLED);
    context->loadDialect<coat::CoatDialect>();
    context->getDiagEngine().registerHandler([](Diagnostic &) { return success(); });
  }
  if (size == 0)
    return 0;
  std::string text(reinterpret_cast<const char *>(data + 1), size - 1);
  switch (data[0] % 4) {
  case 0:
    roundTrip("#coat.schedule<" + text + ">", context.get());
    break;
  case 1:
    roundTrip("#coat." + text, context.get());
    break;
  case 2:
    (void)coat::parseSymbolicDim(text, {"N", "batch size", "s0", "2", "N + 1"}, context.get());
    break;
  default: {
    MemoryFile file(data + 1, size - 1);
    auto tuning = coat::readTuning(file.path(), "x86-64-v3", *context);
    if (!tuning)
      llvm::consumeError(tuning.takeError());
  }
  }
  return 0;
}
