// coat verify: is the optimised code right? Compares with the reference (-O0); where the whole model differs, cuts the
// imported graph at one value after the other to name the first op that does. --ref=ort asks ONNX Runtime instead.
#include "Compare.h"
#include "Session.h"
#include "Verbs.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace mlir;
using namespace coat;
using namespace coat::tool;

static func::FuncOp entryOf(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr("coat.entry"))
      return function;
  return {};
}

//===----------------------------------------------------------------------===//
// Cutting
//===----------------------------------------------------------------------===//

/// Ops whose results are worth comparing: static tensors that an op of the model computes.
static SmallVector<unsigned> cuts(func::FuncOp entry) {
  SmallVector<unsigned> places;
  for (auto [i, op] : llvm::enumerate(entry.getBody().front().without_terminator())) {
    bool isStatic = llvm::all_of(op.getResultTypes(), [](Type type) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      return tensor && tensor.hasStaticShape() && (tensor.getElementType().isIntOrFloat());
    });
    if (op.getNumResults() && isStatic && !op.hasTrait<OpTrait::ConstantLike>())
      places.push_back(i);
  }
  return places;
}

/// A copy of the model that ends at op number `place` and returns what it computes.
static OwningOpRef<ModuleOp> cutAt(ModuleOp imported, unsigned place) {
  OwningOpRef<ModuleOp> module = imported.clone();
  func::FuncOp entry = entryOf(*module);
  Block &body = entry.getBody().front();
  Operation *last = &*std::next(body.begin(), place);
  body.getTerminator()->setOperands(last->getResults());
  entry.setType(FunctionType::get(entry.getContext(), entry.getArgumentTypes(), last->getResultTypes()));
  Builder b(entry.getContext());
  SmallVector<Attribute> attributes;
  for (OpResult result : last->getResults()) {
    SmallVector<Attribute> dims;
    for (int64_t size : cast<RankedTensorType>(result.getType()).getShape())
      dims.push_back(b.getStringAttr(std::to_string(size)));
    NamedAttribute name =
        b.getNamedAttr("coat.name", b.getStringAttr("value" + std::to_string(result.getResultNumber())));
    attributes.push_back(b.getDictionaryAttr({name, b.getNamedAttr("coat.dims", b.getArrayAttr(dims))}));
  }
  entry.setResAttrsAttr(b.getArrayAttr(attributes));
  // The counts were results of the whole.
  SmallVector<Attribute> symbols;
  if (auto list = entry->getAttrOfType<ArrayAttr>("coat.symbols"))
    llvm::copy_if(list, std::back_inserter(symbols),
                  [](Attribute symbol) { return !cast<DictionaryAttr>(symbol).contains("count"); });
  entry->setAttr("coat.symbols", b.getArrayAttr(symbols));
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
    if (isOpTriviallyDead(&op))
      op.erase();
  return module;
}

/// The first op, by bisection, whose value differs; the ops before it agree as far as they were looked at.
static Status nameFirst(ModuleOp imported, const Flags &flags, const std::string &fallback) {
  SmallVector<unsigned> places = cuts(entryOf(imported));
  size_t low = 0, high = places.size(); // everything before low agrees; high differs or is the end
  std::string message = fallback;
  while (low < high) {
    size_t middle = (low + high) / 2;
    OwningOpRef<ModuleOp> part = cutAt(imported, places[middle]);
    Comparison comparison = compareWithReference(*part, flags);
    if (comparison.status)
      return comparison.status;
    if (!comparison.difference) {
      low = middle + 1;
      continue;
    }
    high = middle;
    message = comparison.difference->message;
  }
  llvm::StringRef file = llvm::sys::path::filename(flags.input);
  if (high == places.size())
    return fail(bug, file + ": differs only as a whole: " + message);
  Operation *first = &*std::next(entryOf(imported).getBody().front().begin(), places[high]);
  std::string text;
  {
    Collect collect(*imported.getContext()); // turns the location into our words
    first->emitError("(" + first->getName().getStringRef() + ") is the first that differs: " + message);
    text = collect.message();
  }
  return fail(bug, text);
}

//===----------------------------------------------------------------------===//
// The verb
//===----------------------------------------------------------------------===//

/// Python and ONNX Runtime live in the pip package, which this starts.
static Status verifyWithOrt(const Flags &flags) {
  auto python = llvm::sys::findProgramByName("python3");
  if (!python)
    return fail(wrong, "--ref=ort: expected python3 on the path");
  std::vector<std::string> args = {*python,
                                   "-m",
                                   "coat",
                                   "verify",
                                   flags.input,
                                   "--level",
                                   std::to_string(flags.compile.pipeline.optLevel),
                                   "--seed",
                                   std::to_string(flags.seed)};
  for (auto &[name, range] : flags.compile.import.dims)
    args.insert(args.end(), {"--dim", llvm::formatv("{0}={1}..{2}", name, range.first, range.second)});
  for (auto &[name, shape] : flags.compile.import.shapes) {
    std::string text = name + "=";
    for (auto [i, size] : llvm::enumerate(shape))
      text += (i ? "x" : "") + std::to_string(size);
    args.insert(args.end(), {"--shape", text});
  }
  std::string probe = "import coat, onnxruntime";
  if (llvm::sys::ExecuteAndWait(*python, {*python, "-c", probe}, std::nullopt, {std::nullopt, "", ""}))
    return fail(wrong,
                "--ref=ort: expected the Python packages coat and onnxruntime; try pip install coat onnxruntime");
  SmallVector<llvm::StringRef> words(args.begin(), args.end());
  return static_cast<Status>(llvm::sys::ExecuteAndWait(*python, words));
}

/// The model again with every symbol fixed at its largest size, so that each value has a shape to compare.
static Status readStatic(Flags &fixed, Session &session) {
  for (auto &[name, range] : fixed.compile.import.dims)
    range.first = range.second;
  return session.read(fixed.input);
}

Status coat::tool::verify(const Flags &flags) {
  if (flags.reference == "ort")
    return verifyWithOrt(flags);
  if (flags.compile.pipeline.optLevel == 0)
    return fail(wrong, "-O0: expected -O1 or above, -O0 is the reference itself");
  Context context(flags.compile.emit.jobs);
  Session session(*context, flags.compile);
  if (Status status = session.read(flags.input))
    return status;
  Comparison comparison = compareWithReference(session.ir(), flags);
  if (comparison.status)
    return comparison.status;
  if (!comparison.difference) {
    llvm::outs() << llvm::formatv(
        "{0}: equal to the reference, at most {1:f3} of what is allowed (rtol {2:e1}, atol {3:e1} of "
        "the largest), the same bits with 1 and 2 threads\n",
        llvm::sys::path::filename(flags.input), comparison.worst, flags.rtol, flags.atol);
    return ok;
  }
  Flags fixed = flags;
  Session again(*context, fixed.compile);
  if (Status status = readStatic(fixed, again))
    return status;
  return nameFirst(again.ir(), fixed, comparison.difference->message);
}
