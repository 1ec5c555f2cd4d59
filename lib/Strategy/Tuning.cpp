// The file of measured schedules, and what there is to measure; see Tuning.h.
#include "coat/Strategy/Tuning.h"
#include "mlir/AsmParser/AsmParser.h"
#include "llvm/Support/LineIterator.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace coat;
using llvm::Twine;

static constexpr StringLiteral header = "# coat tuning", separator = " | ";

std::string coat::signatureOf(Operation *op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << op->getName() << " (";
  llvm::interleaveComma(op->getOperandTypes(), os);
  os << ") -> ";
  llvm::interleaveComma(op->getResultTypes(), os);
  // Attributes print in the order of their names.
  SmallVector<NamedAttribute> own;
  for (NamedAttribute attr : op->getAttrDictionary())
    if (!attr.getName().strref().starts_with("coat."))
      own.push_back(attr);
  if (!own.empty())
    os << " " << DictionaryAttr::get(op->getContext(), own);
  return text;
}

//===----------------------------------------------------------------------===//
// Alternatives
//===----------------------------------------------------------------------===//

namespace {
/// Schedules near a chosen one. A cut is only changed so that parts stay equal: unequal ones need code for unknown
/// sizes.
class Neighbours {
public:
  Neighbours(Operation *op, ScheduleAttr chosen)
      : chosen(chosen), shape(cast<RankedTensorType>(op->getResult(0).getType()).getShape()) {}

  /// Tasks twice or half as large along `dim`, in steps of `step` elements.
  void addCuts(int64_t dim, int64_t step) {
    if (ShapedType::isDynamic(shape[dim]))
      return;
    int64_t size = chosen.getTile()[dim] ? chosen.getTile()[dim] : shape[dim];
    for (int64_t other : {2 * size, size / 2}) {
      SmallVector<int64_t> tile(chosen.getTile());
      tile[dim] = other >= shape[dim] ? 0 : other;
      bool even = other > 0 && other % step == 0 && (tile[dim] == 0 || shape[dim] % other == 0);
      if (even && tile[dim] != chosen.getTile()[dim])
        add(tile, chosen.getOrder());
    }
  }

  /// Channels slowest where they were fastest, and the other way round.
  void addOrder() {
    SmallVector<int64_t> order;
    if (chosen.getOrder().empty()) {
      order.push_back(shape.size() - 1);
      llvm::append_range(order, llvm::seq<int64_t>(0, shape.size() - 1));
    }
    add(llvm::to_vector(chosen.getTile()), order);
  }

  SmallVector<ScheduleAttr> take() { return std::move(found); }

private:
  void add(ArrayRef<int64_t> tile, ArrayRef<int64_t> order) {
    found.push_back(ScheduleAttr::get(chosen.getContext(), chosen.getAlgorithm(), tile, chosen.getReg(), order,
                                      chosen.getVector()));
  }

  ScheduleAttr chosen;
  ArrayRef<int64_t> shape;
  SmallVector<ScheduleAttr> found;
};
} // namespace

SmallVector<ScheduleAttr> coat::alternativeSchedules(Operation *op, ScheduleAttr chosen) {
  constexpr int64_t block = 16;
  Neighbours near(op, chosen);
  int64_t rank = cast<RankedTensorType>(op->getResult(0).getType()).getRank();
  auto conv = dyn_cast<ConvOp>(op);
  bool isProduct = isa<MatmulOp>(op) || (conv && chosen.getAlgorithm() == "direct");
  if (!isProduct || rank < 2) {
    // The dimension that is cut already; which others may be is Strategy's knowledge.
    auto cut = llvm::find_if(chosen.getTile(), [](int64_t size) { return size != 0; });
    if (cut != chosen.getTile().end())
      near.addCuts(cut - chosen.getTile().begin(), 1);
    return near.take();
  }
  near.addCuts(conv ? 1 : rank - 2, 1);
  if (!conv || conv.getGroup() == 1) {
    near.addCuts(rank - 1, block);
    near.addOrder();
  }
  return near.take();
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

llvm::Expected<Tuning> coat::readTuning(StringRef path, StringRef cpu, MLIRContext &context) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return llvm::createStringError(buffer.getError(), Twine(path) + ": " + buffer.getError().message());
  Tuning tuning;
  for (llvm::line_iterator line(**buffer, /*SkipBlanks=*/true, '#'); !line.is_at_eof(); ++line) {
    auto [forCpu, rest] = line->split(separator);
    auto [signature, schedule] = rest.rsplit(separator);
    if (schedule.empty())
      return llvm::createStringError(path + ":" + Twine(line.line_number()) +
                                     ": expected 'cpu | op | schedule', got '" + line->take_front(40) + "'");
    if (forCpu != cpu)
      continue;
    ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
    auto attr = dyn_cast_or_null<ScheduleAttr>(parseAttribute(schedule, &context));
    if (!attr)
      return llvm::createStringError(path + ":" + Twine(line.line_number()) + ": expected a #coat.schedule, got '" +
                                     schedule.take_front(40) + "'");
    tuning[signature] = attr;
  }
  return tuning;
}

std::string coat::tuningText(StringRef cpu, ArrayRef<std::pair<std::string, std::string>> schedules) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << header << "\n";
  for (auto &[signature, schedule] : schedules)
    os << cpu << separator << signature << separator << schedule << "\n";
  return text;
}
