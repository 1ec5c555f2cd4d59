// Instructions that have no op, or not in the form that is needed: PTX in llvm.inline_asm and nvvm.inline_ptx, one
// instruction each, and intrinsics by name. Unknown text is refused: an instruction must not be skipped silently.
#include "RuntimeCalls.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace coat::emulate;

namespace {
/// `$0` .. are results, then operands.
struct Text {
  Operation *op;
  std::string ptx;
  StringRef mnemonic;
  SmallVector<StringRef> arguments; // `$1`, `1`, `{$1, $2}`
  StringRef predicate;              // `setp.ne.b32 p, $1, 0;` in front: $1

  explicit Text(Operation *op);
  /// The value that an argument names; null for a number.
  Value valueOf(StringRef argument) const;
  SmallVector<Value> listOf(StringRef argument) const;
  int64_t resultCount() const;
};
} // namespace

static std::string textOf(Operation *op) {
  if (auto assembly = dyn_cast<LLVM::InlineAsmOp>(op))
    return assembly.getAsmString().str();
  std::string text = cast<NVVM::InlinePtxOp>(op).getPtxCode().str();
  return text;
}

/// Splits at commas outside braces and brackets.
static SmallVector<StringRef> splitArguments(StringRef text) {
  SmallVector<StringRef> parts;
  size_t begin = 0, depth = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    char c = i < text.size() ? text[i] : ',';
    depth += c == '{' || c == '[';
    depth -= c == '}' || c == ']';
    if (c == ',' && !depth) {
      parts.push_back(text.slice(begin, i).trim());
      begin = i + 1;
    }
  }
  return parts;
}

Text::Text(Operation *op) : op(op), ptx(textOf(op)) {
  SmallVector<StringRef> lines;
  StringRef body = StringRef(ptx).trim();
  if (body.starts_with("{") && body.ends_with("}")) // a scope for registers
    body = body.drop_front().drop_back().trim();
  body.split(lines, ';', -1, false);
  for (StringRef line : lines) {
    line = line.trim(" \t\n\r");
    auto [name, rest] = line.split(' ');
    SmallVector<StringRef> parts = splitArguments(rest.trim());
    if (name.empty() || name.starts_with(".reg"))
      continue;
    if (name == "setp.ne.b32" && parts.size() == 3 && parts[2] == "0") {
      predicate = parts[1];
      continue;
    }
    mnemonic = mnemonic.empty() ? name : ""; // one instruction, or none that is known
    arguments = parts;
  }
}

int64_t Text::resultCount() const {
  if (op->getNumResults() == 1)
    if (auto type = dyn_cast<LLVM::LLVMStructType>(op->getResult(0).getType()))
      return type.getBody().size();
  return op->getNumResults();
}

Value Text::valueOf(StringRef argument) const {
  int64_t index;
  if (!argument.consume_front("$") || argument.getAsInteger(10, index) || index < resultCount())
    return Value();
  index -= resultCount();
  return index < int64_t(op->getNumOperands()) ? op->getOperand(index) : Value();
}

SmallVector<Value> Text::listOf(StringRef argument) const {
  SmallVector<Value> values;
  for (StringRef part : splitArguments(argument.trim("{} ")))
    values.push_back(valueOf(part));
  return values;
}

static constexpr StringRef wgmmaPrefix = "wgmma.mma_async.sync.aligned.m64n";

bool coat::emulate::isProductText(Operation *op) {
  return isa<LLVM::InlineAsmOp, NVVM::InlinePtxOp>(op) && StringRef(textOf(op)).contains(wgmmaPrefix);
}

/// For each result the operand that is tied to its register; null: none.
static SmallVector<Value> tiedOperands(const Text &text) {
  SmallVector<Value> tied(text.resultCount());
  auto assembly = dyn_cast<LLVM::InlineAsmOp>(text.op);
  if (!assembly)
    return tied;
  SmallVector<StringRef> constraints;
  assembly.getConstraints().split(constraints, ',');
  size_t operand = 0;
  for (StringRef constraint : constraints) {
    size_t result;
    if (constraint.starts_with("=") || constraint.starts_with("~"))
      continue;
    if (!constraint.getAsInteger(10, result) && result < tied.size() && operand < text.op->getNumOperands())
      tied[result] = text.op->getOperand(operand);
    ++operand;
  }
  return tied;
}

/// wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {d..}, {a..} or a, b, scale of d, sign of a, sign of b[,
/// [transposed a,] transposed b]
static LogicalResult replaceProduct(const Text &text, RuntimeCalls &calls) {
  StringRef shape = text.mnemonic;
  int64_t n, k;
  shape.consume_front(wgmmaPrefix);
  bool isRight = !shape.consumeInteger(10, n) && shape.consume_front("k") && !shape.consumeInteger(10, k);
  int32_t type = llvm::StringSwitch<int32_t>(shape)
                     .Case(".f32.f16.f16", 0)
                     .Case(".f32.bf16.bf16", 1)
                     .Case(".f32.tf32.tf32", 2)
                     .Default(-1);
  ArrayRef<StringRef> arguments = text.arguments;
  if (!isRight || type < 0 || arguments.size() < 6 || text.resultCount() != n / 2)
    return text.op->emitError("expected wgmma of f16, bf16 or tf32 with sums in f32, got ") << text.mnemonic;
  bool fromRegisters = arguments[1].starts_with("{");
  auto number = [&](StringRef word) { return calls.constant(text.op, word == "1" ? 1 : word == "-1" ? -1 : 0); };
  SmallVector<Value> fragments = fromRegisters ? text.listOf(arguments[1]) : SmallVector<Value>();
  Value a = fromRegisters ? calls.constant(text.op, 0, 64) : text.valueOf(arguments[1]), b = text.valueOf(arguments[2]);
  bool isNumber = arguments[3] == "0" || arguments[3] == "1";
  Value scale = isNumber ? number(arguments[3]) : text.valueOf(text.predicate);
  fragments.resize(4);
  if (!a || !b || !scale)
    return text.op->emitError("expected descriptors and a scale for wgmma");
  SmallVector<Value> fields = {a, b};
  llvm::append_range(fields, fragments);
  llvm::append_range(
      fields, ArrayRef<Value>{calls.constant(text.op, n), calls.constant(text.op, k), calls.constant(text.op, type)});
  fields.push_back(number(!fromRegisters && arguments.size() > 7 ? arguments[6] : "0"));
  fields.push_back(number(arguments.size() > 6 ? arguments.back() : "0"));
  llvm::append_range(fields, ArrayRef<Value>{scale, number(arguments[4]), number(arguments[5])});
  fields.push_back(calls.constant(text.op, fromRegisters));
  llvm::append_range(fields, tiedOperands(text));
  calls.replacePacked(text.op, "coat_emu_wgmma", fields);
  return success();
}

/// `ex2.approx.ftz.f32`: the runtime's function of f32 that an approximation is; empty: none.
static StringRef functionOf(StringRef mnemonic) {
  auto [name, rest] = mnemonic.split('.');
  if (!rest.ends_with("f32") && !rest.ends_with("f"))
    return "";
  return llvm::StringSwitch<StringRef>(name)
      .Case("ex2", "coat_emu_ex2")
      .Case("lg2", "coat_emu_lg2")
      .Case("rcp", "coat_emu_rcp")
      .Case("rsqrt", "coat_emu_rsqrt")
      .Case("sqrt", "coat_emu_sqrt")
      .Case("tanh", "coat_emu_tanh")
      .Case("sin", "coat_emu_sin")
      .Case("cos", "coat_emu_cos")
      .Default("");
}

static LogicalResult replaceBy(Operation *op, StringRef name, ValueRange arguments, RuntimeCalls &calls) {
  op->getResult(0).replaceAllUsesWith(calls.call(op, name, op->getResult(0).getType(), arguments));
  op->erase();
  return success();
}

LogicalResult coat::emulate::replaceText(Operation *op, RuntimeCalls &calls) {
  if (auto call = dyn_cast<LLVM::CallIntrinsicOp>(op)) {
    StringRef name = call.getIntrin();
    StringRef function = name.consume_front("llvm.nvvm.") ? functionOf(name) : "";
    if (function.empty() || op->getNumResults() != 1)
      return op->emitError("expected an intrinsic that the emulator has, got ") << call.getIntrin();
    return replaceBy(op, function, op->getOperands(), calls);
  }
  Text text(op);
  if (text.mnemonic.starts_with(wgmmaPrefix))
    return replaceProduct(text, calls);
  SmallVector<Value> sources;
  for (StringRef argument : llvm::drop_begin(text.arguments, text.arguments.empty() ? 0 : 1))
    sources.push_back(text.valueOf(argument));
  StringRef function = functionOf(text.mnemonic);
  if (function.empty())
    function = llvm::StringSwitch<StringRef>(text.mnemonic)
                   .Case("cvt.rna.tf32.f32", "coat_emu_tf32")
                   .Case("cvt.rn.bf16x2.f32", "coat_emu_bf16x2")
                   .Case("cvt.rn.f16x2.f32", "coat_emu_f16x2")
                   .Default("");
  bool isPair = function.ends_with("16x2");
  if (function.empty() || op->getNumResults() != 1 || sources.size() != (isPair ? 2 : 1) ||
      llvm::is_contained(sources, Value()))
    return op->emitError("expected PTX that the emulator has, got ") << text.ptx;
  return replaceBy(op, function, sources, calls);
}
