// Reads a ModelDescription from the attributes and launches of an entry function.
#include "coat/Emit/Description.h"
#include "coat/Dialect/Coat.h"
#include "coat/Dialect/SymbolicDims.h"
#include "coat/coat.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "model.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace coat;

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

/// Keywords of C17, C23 and C++20, and the identifiers that net_args or its header use themselves.
static bool isReserved(StringRef name) {
  static const llvm::StringSet<> reserved = {"alignas",
                                             "alignof",
                                             "and",
                                             "and_eq",
                                             "asm",
                                             "auto",
                                             "bitand",
                                             "bitor",
                                             "bool",
                                             "break",
                                             "case",
                                             "catch",
                                             "char",
                                             "char16_t",
                                             "char32_t",
                                             "char8_t",
                                             "class",
                                             "co_await",
                                             "co_return",
                                             "co_yield",
                                             "compl",
                                             "concept",
                                             "const",
                                             "const_cast",
                                             "consteval",
                                             "constexpr",
                                             "constinit",
                                             "continue",
                                             "decltype",
                                             "default",
                                             "delete",
                                             "do",
                                             "double",
                                             "dynamic_cast",
                                             "else",
                                             "enum",
                                             "explicit",
                                             "export",
                                             "extern",
                                             "false",
                                             "float",
                                             "for",
                                             "friend",
                                             "goto",
                                             "if",
                                             "inline",
                                             "int",
                                             "long",
                                             "mutable",
                                             "namespace",
                                             "new",
                                             "noexcept",
                                             "not",
                                             "not_eq",
                                             "nullptr",
                                             "operator",
                                             "or",
                                             "or_eq",
                                             "private",
                                             "protected",
                                             "public",
                                             "register",
                                             "reinterpret_cast",
                                             "requires",
                                             "restrict",
                                             "return",
                                             "short",
                                             "signed",
                                             "sizeof",
                                             "static",
                                             "static_assert",
                                             "static_cast",
                                             "struct",
                                             "switch",
                                             "template",
                                             "this",
                                             "thread_local",
                                             "throw",
                                             "true",
                                             "try",
                                             "typedef",
                                             "typeid",
                                             "typename",
                                             "typeof",
                                             "typeof_unqual",
                                             "union",
                                             "unsigned",
                                             "using",
                                             "virtual",
                                             "void",
                                             "volatile",
                                             "wchar_t",
                                             "while",
                                             "xor",
                                             "xor_eq",
                                             "struct_size",
                                             "NULL",
                                             "errno",
                                             "assert",
                                             "linux",
                                             "unix"};
  return reserved.contains(name);
}

std::string coat::fieldName(StringRef name, std::vector<std::string> &taken) {
  std::string field;
  for (char c : name)
    field += llvm::isAlnum(c) || c == '_' ? c : '_';
  if (field.empty() || llvm::isDigit(field[0]))
    field.insert(0, "_");
  if (isReserved(field))
    field += "_";
  std::string unique = field;
  for (int n = 2; llvm::is_contained(taken, unique); ++n)
    unique = field + "_" + std::to_string(n);
  taken.push_back(unique);
  return unique;
}

//===----------------------------------------------------------------------===//
// Dimensions
//===----------------------------------------------------------------------===//

namespace {
/// Turns the strings of coat.dims into DimDescriptions.
struct DimReader {
  MLIRContext *context;
  const std::vector<SymbolDescription> &symbols;
  ArrayRef<SymbolDescription> counts;

  LogicalResult read(StringRef text, DimDescription &dim) const {
    dim.text = text.str();
    if (!text.getAsInteger(10, dim.size)) {
      dim.max = dim.size;
      return success();
    }
    dim.size = -1;
    for (auto [i, count] : llvm::enumerate(counts))
      if (count.name == text) {
        dim.count = static_cast<int32_t>(i); // its tensor, once that is read
        dim.code = {COAT_CODE_CONST, dim.max = count.max, COAT_CODE_END};
        return success();
      }
    for (auto [i, symbol] : llvm::enumerate(symbols))
      if (symbol.name == text)
        dim.symbol = static_cast<int32_t>(i);
    SmallVector<StringRef> names;
    for (const SymbolDescription &symbol : symbols)
      names.push_back(symbol.name);
    AffineExpr expr = parseSymbolicDim(text, names, context);
    if (!expr || failed(encode(expr, dim.code)) || stackDepth(dim.code) > COAT_CODE_DEPTH)
      return failure();
    dim.code.push_back(COAT_CODE_END);
    dim.max = largest(expr);
    return success();
  }

private:
  static LogicalResult encode(AffineExpr expr, std::vector<int64_t> &code) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
      code.insert(code.end(), {COAT_CODE_CONST, constant.getValue()});
      return success();
    }
    if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
      code.insert(code.end(), {COAT_CODE_SYMBOL, int64_t(symbol.getPosition())});
      return success();
    }
    auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
    if (!binary || failed(encode(binary.getLHS(), code)) || failed(encode(binary.getRHS(), code)))
      return failure();
    switch (binary.getKind()) {
    case AffineExprKind::Add:
      code.push_back(COAT_CODE_ADD);
      break;
    case AffineExprKind::Mul:
      code.push_back(COAT_CODE_MUL);
      break;
    case AffineExprKind::FloorDiv:
      code.push_back(COAT_CODE_FLOORDIV);
      break;
    case AffineExprKind::CeilDiv:
      code.push_back(COAT_CODE_CEILDIV);
      break;
    default:
      code.push_back(COAT_CODE_MOD);
    }
    return success();
  }

  static int64_t stackDepth(ArrayRef<int64_t> code) {
    int64_t depth = 0, most = 0;
    for (size_t i = 0; i < code.size(); ++i) {
      bool pushes = code[i] == COAT_CODE_CONST || code[i] == COAT_CODE_SYMBOL;
      depth += pushes ? 1 : -1;
      i += pushes;
      most = std::max(most, depth);
    }
    return most;
  }

  /// At the largest values of the symbols: sizes grow with them.
  int64_t largest(AffineExpr expr) const {
    SmallVector<Attribute> values;
    Builder b(context);
    for (const SymbolDescription &symbol : symbols)
      values.push_back(b.getIndexAttr(symbol.max));
    SmallVector<Attribute> result;
    AffineMap map = AffineMap::get(0, symbols.size(), expr);
    if (failed(map.constantFold(values, result)))
      return 0;
    return cast<IntegerAttr>(result[0]).getInt();
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// Tensors and symbols
//===----------------------------------------------------------------------===//

static int32_t dtypeOf(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type)) {
    bool isUnsigned = integer.isUnsigned();
    switch (integer.getWidth()) {
    case 1:
      return COAT_BOOL;
    case 4:
      return isUnsigned ? COAT_U4 : COAT_I4;
    case 8:
      return isUnsigned ? COAT_U8 : COAT_I8;
    case 16:
      return isUnsigned ? COAT_U16 : COAT_I16;
    case 32:
      return isUnsigned ? COAT_U32 : COAT_I32;
    case 64:
      return isUnsigned ? COAT_U64 : COAT_I64;
    }
  }
  return llvm::TypeSwitch<Type, int32_t>(type)
      .Case<Float16Type>([](auto) { return COAT_F16; })
      .Case<BFloat16Type>([](auto) { return COAT_BF16; })
      .Case<Float32Type>([](auto) { return COAT_F32; })
      .Case<Float64Type>([](auto) { return COAT_F64; })
      .Case<Float8E4M3FNType>([](auto) { return COAT_F8E4M3FN; })
      .Case<Float8E5M2Type>([](auto) { return COAT_F8E5M2; })
      .Default([](auto) { return 0; });
}

static LogicalResult readSymbols(func::FuncOp entry, ModelDescription &model, std::vector<SymbolDescription> &counts) {
  auto list = entry->getAttrOfType<ArrayAttr>("coat.symbols");
  for (Attribute attribute : list ? list.getValue() : ArrayRef<Attribute>()) {
    auto fields = dyn_cast<DictionaryAttr>(attribute);
    auto name = fields ? fields.getAs<StringAttr>("name") : StringAttr();
    auto min = fields ? fields.getAs<IntegerAttr>("min") : IntegerAttr();
    auto max = fields ? fields.getAs<IntegerAttr>("max") : IntegerAttr();
    if (!name || !min || !max)
      return entry.emitOpError("expected coat.symbols of {name, min, max}, got ") << attribute;
    (fields.contains("count") ? counts : model.symbols).push_back({name.str(), "", min.getInt(), max.getInt()});
  }
  return success();
}

static LogicalResult readTensor(func::FuncOp entry, unsigned index, ModelDescription &model,
                                ArrayRef<SymbolDescription> counts, std::vector<std::string> &taken) {
  auto name = entry.getArgAttrOfType<StringAttr>(index, "coat.name");
  auto type = cast<ShapedType>(entry.getArgumentTypes()[index]);
  TensorDescription tensor;
  tensor.name = name ? name.str() : "tensor" + std::to_string(index);
  tensor.field = fieldName(tensor.name, taken);
  tensor.isOutput = static_cast<bool>(entry.getArgAttr(index, "coat.result"));
  if (auto input = entry.getArgAttrOfType<IntegerAttr>(index, "coat.in_place"))
    model.aliases.emplace_back(input.getInt(), index);
  tensor.dtype = dtypeOf(type.getElementType());
  if (!tensor.dtype)
    return entry.emitOpError("expected an element type of the C interface for '")
           << tensor.name << "', got " << type.getElementType();
  auto dims = entry.getArgAttrOfType<ArrayAttr>(index, "coat.dims");
  DimReader reader{entry.getContext(), model.symbols, counts};
  for (auto [i, size] : llvm::enumerate(type.getShape())) {
    auto text = dims && i < dims.size() ? dyn_cast<StringAttr>(dims[i]) : StringAttr();
    std::string number = std::to_string(size);
    if (!ShapedType::isDynamic(size))
      text = StringAttr::get(entry.getContext(), number);
    if (!text || failed(reader.read(text, tensor.dims.emplace_back())))
      return entry.emitOpError("expected dimension ")
             << i << " of '" << tensor.name << "' to be a number, a symbol or an affine expression of symbols, got "
             << (text ? text.getValue() : "nothing");
  }
  model.tensors.push_back(std::move(tensor));
  return success();
}

/// Counts are the outputs of their names, behind all others.
static LogicalResult findCounts(func::FuncOp entry, ModelDescription &model, ArrayRef<SymbolDescription> counts) {
  size_t first = model.tensors.size() - std::min(counts.size(), model.tensors.size());
  for (auto [i, count] : llvm::enumerate(counts)) {
    TensorDescription *tensor = first + i < model.tensors.size() ? &model.tensors[first + i] : nullptr;
    if (!tensor || tensor->name != count.name || !tensor->isOutput || !tensor->dims.empty() ||
        tensor->dtype != COAT_I64)
      return entry.emitOpError("expected a last result '") << count.name << "' of one i64 for the count of that name";
    tensor->isCount = true;
    tensor->most = count.max;
  }
  for (TensorDescription &tensor : model.tensors)
    for (DimDescription &dim : tensor.dims)
      dim.count += dim.count < 0 ? 0 : static_cast<int32_t>(first);
  return success();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// "addf" -> "add": names of scalar ops without their element type.
static std::string scalarOpName(Operation *op) {
  StringRef name = op->getName().stripDialect();
  if (name == "erf" || name == "constant")
    return name.str();
  if (!name.consume_back("imumf"))
    (void)(name.consume_back("numf") || name.consume_back("f") || name.consume_back("i"));
  return name.str();
}

static int64_t elements(ShapedType type) {
  int64_t count = 1;
  for (int64_t size : type.getShape())
    count *= ShapedType::isDynamic(size) ? 1 : size;
  return count;
}

/// Kinds and work of one op of a kernel.
static void collect(Operation *op, SmallVectorImpl<std::string> &kinds, int64_t &flops) {
  if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    int64_t count = 0;
    for (Operation &scalar : generic.getBody()->without_terminator()) {
      StringRef dialect = scalar.getName().getDialectNamespace();
      if (dialect != "arith" && dialect != "math")
        continue;
      kinds.push_back(scalarOpName(&scalar));
      ++count;
    }
    SmallVector<int64_t> loops = generic.getStaticLoopRanges();
    for (int64_t size : loops)
      count *= ShapedType::isDynamic(size) ? 1 : size;
    flops += count;
    return;
  }
  if (auto elementwise = dyn_cast<ElementwiseOp>(op))
    kinds.push_back(stringifyElementwiseKind(elementwise.getKind()).str());
  else
    kinds.push_back(op->getName().stripDialect().str());
  if (auto cost = dyn_cast<CostOpInterface>(op))
    flops += cost.getFlops();
}

void coat::annotateKernels(ModuleOp module) {
  Builder b(module.getContext());
  for (auto kernel : module.getOps<func::FuncOp>()) {
    if (!kernel->hasAttr("coat.kernel"))
      continue;
    SmallVector<std::string> kinds;
    int64_t flops = 0, bytes = 0;
    for (Operation &op : kernel.getOps())
      if (isa<linalg::GenericOp, tensor::ConcatOp, tensor::PadOp, tensor::ExtractSliceOp, memref::CopyOp>(op) ||
          isa<CoatDialect>(op.getDialect()))
        collect(&op, kinds, flops);
    for (Type type : kernel.getArgumentTypes())
      if (auto memref = dyn_cast<MemRefType>(type))
        bytes += elements(memref) * ((memref.getElementTypeBitWidth() + 7) / 8);
    if (kinds.empty())
      kinds.push_back("copy"); // a kernel of nothing but its boundary
    SmallVector<StringRef> names(kinds.begin(), kinds.end());
    // Kernels names those that hold no op of its own: borders and copies.
    if (!kernel->hasAttr("coat.ops"))
      kernel->setAttr("coat.ops", b.getStrArrayAttr(names));
    kernel->setAttr("coat.flops", b.getI64IntegerAttr(flops));
    kernel->setAttr("coat.bytes", b.getI64IntegerAttr(bytes));
  }
}

/// The nodes of the model that a fused location names, in order, each once.
static void collectNodes(Location loc, llvm::SetVector<StringRef> &names) {
  if (auto name = dyn_cast<NameLoc>(loc)) {
    names.insert(name.getName());
    collectNodes(name.getChildLoc(), names);
  } else if (auto fused = dyn_cast<FusedLoc>(loc)) {
    for (Location part : fused.getLocations())
      collectNodes(part, names);
  } else if (auto call = dyn_cast<CallSiteLoc>(loc)) {
    collectNodes(call.getCallee(), names);
  }
}

static int64_t integerOr(Operation *op, StringRef name, int64_t otherwise) {
  auto attribute = op->getAttrOfType<IntegerAttr>(name);
  return attribute ? attribute.getInt() : otherwise;
}

static KernelDescription describeLaunch(LaunchOp launch, func::FuncOp kernel) {
  KernelDescription result;
  result.name = kernel.getName().str();
  llvm::SetVector<StringRef> nodes;
  collectNodes(launch.getLoc(), nodes);
  result.nodes.assign(nodes.begin(), nodes.end());
  if (auto ops = kernel->getAttrOfType<ArrayAttr>("coat.ops"))
    for (auto op : ops.getAsValueRange<StringAttr>())
      result.ops.push_back(op.str());
  // Equal kernels are one function, but their launches may do different work.
  result.flops = integerOr(launch, "coat.flops", integerOr(kernel, "coat.flops", 0));
  result.bytes = integerOr(kernel, "coat.bytes", 0);
  if (Attribute schedule = kernel->getAttr("coat.schedule"))
    llvm::raw_string_ostream(result.schedule) << schedule;
  if (auto signature = kernel->getAttrOfType<StringAttr>("coat.signature"))
    result.signature = signature.str();
  return result;
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

FailureOr<ModelDescription> coat::describeModel(ModuleOp module) {
  func::FuncOp entry;
  ModelDescription model;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function->hasAttr("coat.entry"))
      entry = function;
    model.scratchSize = std::max(model.scratchSize, integerOr(function, "coat.scratch", 0));
  }
  if (!entry)
    return module.emitError("expected a function with coat.entry, got none"), failure();
  model.name = entry.getName().str();
  model.workspaceSize = integerOr(entry, "coat.workspace", 0);
  model.weightsSize = integerOr(entry, "coat.weights_size", 0);
  std::vector<std::string> taken; // tensors take their names before symbols do
  std::vector<SymbolDescription> counts;
  if (failed(readSymbols(entry, model, counts)))
    return failure();
  for (unsigned i = 0; i < entry.getNumArguments(); ++i)
    if (failed(readTensor(entry, i, model, counts, taken)))
      return failure();
  if (failed(findCounts(entry, model, counts)))
    return failure();
  for (SymbolDescription &symbol : model.symbols)
    symbol.field = fieldName(symbol.name, taken);
  SymbolTable symbols(module);
  entry.walk([&](LaunchOp launch) {
    model.kernels.push_back(describeLaunch(launch, symbols.lookup<func::FuncOp>(launch.getKernel())));
  });
  entry.walk([&](RequireOp require) { model.requirements.push_back(require.getMessage().str()); });
  entry.walk(
      [&](WeightOp weight) { model.weights.push_back({weight.getValue(), int64_t(weight.getOffset().value_or(0))}); });
  return model;
}

void coat::describeTasks(ModuleOp lowered, ModelDescription &model) {
  for (KernelDescription &kernel : model.kernels)
    if (Operation *function = lowered.lookupSymbol(model.name + "_" + kernel.name))
      kernel.tasks = integerOr(function, "coat.tasks", -1);
}
