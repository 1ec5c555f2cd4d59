// One import from file to module: read, validate, resolve inputs, then the nodes
// in order, each by its handler.
#include "Importer.h"
#include "Node.h"
#include "OnnxBytes.h"
#include "OnnxFlatten.h"
#include "TorchReader.h"
#include "coat/Dialect/Coat.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/Path.h"
#include <sys/mman.h>

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

//===--- values and sizes ---===//

static ElementsAttr attributeOf(const Known &known) {
  auto type = RankedTensorType::get(known.shape, known.elementType);
  SmallVector<mlir::Attribute> elements;
  for (const Scalar &element : known.elements) {
    if (known.isFloat())
      elements.push_back(FloatAttr::get(known.elementType, element.number));
    else if (auto constant = constantOf(element.integer))
      elements.push_back(IntegerAttr::get(known.elementType,
                                          llvm::APInt(known.elementType.getIntOrFloatBitWidth(), uint64_t(*constant),
                                                      /*isSigned=*/true, /*implicitTrunc=*/true)));
    else
      return {};
  }
  return DenseElementsAttr::get(type, elements);
}

Value Importer::materialize(ModelValue &value, Location loc, std::string &why) {
  if (value.tensor)
    return value.tensor;
  why = value.refusal;
  if (!value.type)
    return {};
  ElementsAttr attribute = value.data ? tensors.attributeOf(*value.data) : attributeOf(*value.known);
  if (!attribute) {
    why = "expected a constant, got integers computed from a symbolic dimension; try a static shape with --dim";
    return {};
  }
  if (value.data && !value.data->name.empty())
    loc = NameLoc::get(builder.getStringAttr(value.data->name));
  value.tensor = arith::ConstantOp::create(builder, loc, cast<TypedAttr>(attribute));
  return value.tensor;
}

SmallVector<AffineExpr> Importer::dims(Value tensor) const {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (auto found = sizesOf.find(tensor); found != sizesOf.end())
    return found->second;
  return llvm::map_to_vector(type.getShape(), [&](int64_t size) {
    return ShapedType::isDynamic(size) ? AffineExpr() : symbols.constant(size);
  });
}

void Importer::setDims(Value tensor, ArrayRef<AffineExpr> sizes) { sizesOf[tensor] = llvm::to_vector(sizes); }

Value Importer::size(AffineExpr expr) {
  if (auto found = sizeValues.find(expr); found != sizeValues.end())
    return found->second;
  OpBuilder::InsertionGuard guard(builder);
  Block &block = entry.getBody().front();
  if (lastSize)
    builder.setInsertionPointAfter(lastSize);
  else
    builder.setInsertionPointToStart(&block);
  Value result;
  if (isa<AffineSymbolExpr>(expr)) {
    for (BlockArgument argument : block.getArguments())
      for (auto [position, size] : llvm::enumerate(dims(argument)))
        if (size == expr && !result)
          result = tensor::DimOp::create(builder, entry.getLoc(), argument, position);
  } else {
    SmallVector<Value> symbolValues;
    for (unsigned position = 0; position < symbols.all().size(); ++position)
      symbolValues.push_back(size(getAffineSymbolExpr(position, context)));
    if (lastSize)
      builder.setInsertionPointAfter(lastSize);
    result = affine::expandAffineExpr(builder, entry.getLoc(), expr, {}, symbolValues);
  }
  lastSize = result.getDefiningOp();
  sizeValues[expr] = result;
  sizeExprs[result] = expr;
  return result;
}

ModelValue Importer::constant(const Tensor &tensor) {
  ModelValue value;
  value.data = &tensor;
  value.type = tensors.typeOf(tensor);
  if (!value.type)
    value.refusal = "tensor '" + tensor.name + "': expected elements of " + knownDataTypes.str() + ", got " +
                    dataTypeName(tensor.type);
  return value;
}

//===--- the entry ---===//

/// "N", "224" or an expression, one string a dimension.
static ArrayAttr dimsAttr(OpBuilder &builder, const Symbols &symbols, ArrayRef<AffineExpr> dims) {
  return builder.getArrayAttr(llvm::map_to_vector(
      dims, [&](AffineExpr dim) -> mlir::Attribute { return builder.getStringAttr(symbols.print(dim)); }));
}

bool Importer::createEntry(const Model &model, const ImportOptions &options) {
  std::vector<InputType> inputs;
  if (!resolveInputs(model, options, context, symbols, inputs, error, notSupported))
    return false;
  Location loc = FileLineColLoc::get(builder.getStringAttr(fileName), 0, 0);
  auto types = llvm::map_to_vector(inputs, [](const InputType &input) -> Type { return input.type; });
  entry = func::FuncOp::create(builder, loc, entryName, builder.getFunctionType(types, {}));
  Block *block = entry.addEntryBlock();
  for (auto [argument, input] : llvm::zip_equal(block->getArguments(), inputs)) {
    argument.setLoc(NameLoc::get(builder.getStringAttr(input.name)));
    setDims(argument, input.dims);
    ModelValue &value = values[input.name];
    if (input.bytesType != Undefined) {
      value = ModelValue::ofBytes(argument, input.bytesType);
    } else {
      value.type = input.type;
      value.tensor = argument;
    }
    entry.setArgAttr(argument.getArgNumber(), "coat.name", builder.getStringAttr(input.name));
    entry.setArgAttr(argument.getArgNumber(), "coat.dims", dimsAttr(builder, symbols, input.dims));
  }
  entry->setAttr("coat.entry", builder.getUnitAttr());
  SmallVector<mlir::Attribute> records;
  for (const Symbol &symbol : symbols.all()) {
    NamedAttrList record;
    record.set("name", builder.getStringAttr(symbol.name));
    record.set("min", builder.getI64IntegerAttr(symbol.min));
    record.set("max", builder.getI64IntegerAttr(symbol.max));
    if (auto optimum = options.optima.find(symbol.name); optimum != options.optima.end())
      record.set("optimum", builder.getI64IntegerAttr(optimum->second));
    records.push_back(record.getDictionary(context));
  }
  if (!records.empty())
    entry->setAttr("coat.symbols", builder.getArrayAttr(records));
  builder.setInsertionPointToStart(block);
  return true;
}

bool Importer::createReturn(const Model &model) {
  SmallVector<Value> results;
  builder.setInsertionPointToEnd(&entry.getBody().front());
  for (const ValueInfo &output : model.graph.outputs) {
    std::string why;
    ModelValue &value = values[output.name];
    bool isInterface = value.bytes && (value.bytesType == String || isFloat8(value.bytesType));
    Value result = isInterface ? value.bytes : materialize(value, entry.getLoc(), why);
    if (!result) {
      notSupported = true;
      return fail("output '" + output.name + "': " + why);
    }
    results.push_back(result);
  }
  if (!nameCounts(model, results))
    return false;
  func::ReturnOp::create(builder, entry.getLoc(), results);
  entry.setType(builder.getFunctionType(entry.getArgumentTypes(), ValueRange(results).getTypes()));
  for (auto [index, output] : llvm::enumerate(model.graph.outputs)) {
    SmallVector<AffineExpr> sizes = dims(results[index]);
    auto texts = llvm::map_to_vector(sizes, [&](AffineExpr size) {
      return countNames.contains(size) ? countNames.lookup(size) : symbols.print(size);
    });
    entry.setResultAttr(index, "coat.name", builder.getStringAttr(output.name));
    entry.setResultAttr(index, "coat.dims", builder.getStrArrayAttr(llvm::to_vector_of<StringRef>(texts)));
    if (llvm::any_of(sizes, [&](AffineExpr size) { return countNames.contains(size); }))
      entry.setResultAttr(index, "coat.counted", builder.getUnitAttr());
  }
  for (auto [index, entryOfCount] : llvm::enumerate(countNames)) {
    unsigned position = model.graph.outputs.size() + index;
    entry.setResultAttr(position, "coat.name", builder.getStringAttr(entryOfCount.second));
    entry.setResultAttr(position, "coat.dims", builder.getArrayAttr({}));
  }
  return true;
}

/// Ops whose results nothing reads: dead nodes of the model, sizes that folded away, constants of folded ops.
void Importer::eraseDeadOps() {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(entry.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
}

//===--- nodes ---===//

static std::string describe(const Node &node, StringRef message) {
  std::string op = node.domain.empty() ? node.op : node.domain + "." + node.op;
  return ("node '" + node.label() + "' (" + op + ", opset " + Twine(node.opset) + "): " + message).str();
}

/// Runs the handler of one node; on failure the message, and whether it is only not supported.
static bool importNode(Importer &importer, const Node &node, std::string &message, bool &notSupported) {
  const Handler *handler = findHandler(node, message);
  if (!handler) {
    notSupported = true;
    return false;
  }
  // Loops are unrolled, and what they hold with them.
  constexpr int64_t most = 1 << 18;
  if (++importer.imported > most) {
    notSupported = true;
    message = ("expected at most " + Twine(most) + " nodes in all branches and steps of loops, got more").str();
    return false;
  }
  NodeImporter nodeImporter(importer, node);
  handler->import(nodeImporter);
  if (!nodeImporter.failed())
    nodeImporter.finish();
  message = nodeImporter.message();
  notSupported = nodeImporter.isNotSupported();
  return !nodeImporter.failed();
}

bool Importer::importNodes(ArrayRef<Node> nodes, std::vector<CoverageEntry> *coverage) {
  for (const Node &node : nodes) {
    bool poisoned = false;
    node.forEachRead([&](const std::string &name) { poisoned |= values.lookup(name).poisoned; });
    std::string message;
    bool refused = false;
    bool imported = poisoned ? findHandler(node, message) != nullptr : importNode(*this, node, message, refused);
    if (!imported && !coverage) {
      notSupported = refused;
      return fail(describe(node, message));
    }
    if (!imported || poisoned)
      for (const std::string &output : node.outputs)
        values[output].poisoned = true;
    values[""] = ModelValue(); // absent inputs are never poisoned
    if (coverage)
      coverage->push_back({node.label().str(), node.op, node.opset, node.domain, imported ? "" : message});
  }
  return true;
}

bool Importer::importGraph(Graph &graph, std::string &message, bool &refused) {
  for (Tensor &tensor : graph.initializers) {
    if (values.contains(tensor.name))
      continue; // from the step before
    if (!tensors.resolve(tensor, message))
      return false;
    values[tensor.name] = constant(tensor);
  }
  for (const Node &node : graph.nodes)
    for (const std::string &output : node.outputs)
      values[output] = ModelValue();
  for (const Node &node : graph.nodes)
    if (!importNode(*this, node, message, refused)) {
      message = describe(node, message);
      return false;
    }
  return true;
}

/// Notes the names that nodes, their graphs and `outputs` read.
void Importer::collectUses(ArrayRef<Node> nodes, ArrayRef<ValueInfo> outputs) {
  for (const Node &node : nodes) {
    node.forEachRead([&](const std::string &name) { used.insert(name); });
    for (const AttributeData &attribute : node.attributes)
      if (attribute.graph)
        collectUses(attribute.graph->nodes, attribute.graph->outputs);
  }
  for (const ValueInfo &output : outputs)
    used.insert(output.name);
}

OwningOpRef<ModuleOp> Importer::run(Model &model, ArrayRef<Node> nodes, const ImportOptions &options,
                                    std::vector<CoverageEntry> *coverage) {
  for (Tensor &tensor : model.graph.initializers) {
    if (!tensors.resolve(tensor, error))
      return {};
    values[tensor.name] = constant(tensor);
  }
  for (const Node &node : nodes) {
    std::string refusal;
    if (!coverage && !findHandler(node, refusal)) {
      notSupported = true;
      fail(describe(node, refusal));
      return {};
    }
  }
  collectUses(nodes, model.graph.outputs);
  for (const ValueInfo &output : model.graph.outputs)
    if (output.hasShape && llvm::all_of(output.dims, [](const Dimension &dim) { return dim.size >= 0; }))
      for (const Dimension &dim : (declared[output.name] = {}, output.dims))
        declared[output.name].push_back(dim.size);

  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, FileLineColLoc::get(builder.getStringAttr(fileName), 0, 0));
  builder.setInsertionPointToEnd(module->getBody());
  if (!createEntry(model, options) || !importNodes(nodes, coverage))
    return {};
  if (coverage)
    return module;
  if (!createReturn(model))
    return {};
  eraseDeadOps();
  markInPlace(entry);
  if (mlir::failed(mlir::verify(*module))) {
    fail("expected the imported module to verify, got an error (a bug in coat)");
    return {};
  }
  return module;
}

//===--- entry points ---===//

std::string coat::identifierOf(StringRef name) {
  std::string result;
  for (char c : name)
    result += llvm::isAlnum(c) ? c : '_';
  if (result.empty() || llvm::isDigit(result.front()))
    result.insert(0, "_");
  return result;
}

/// Takes the pages of a mapped model out of memory: most weights were copied, because protobuf aligns nothing, and the
/// others are read again. By hand, because LLVM's dontNeedIfMmap calls posix_madvise, which glibc makes a no-op.
static void forgetPages(const llvm::MemoryBuffer &buffer) {
  if (buffer.getBufferKind() == llvm::MemoryBuffer::MemoryBuffer_MMap)
    ::madvise(const_cast<char *>(buffer.getBufferStart()), buffer.getBufferSize(), MADV_DONTNEED);
}

static OwningOpRef<ModuleOp> importFile(StringRef path, MLIRContext &context, const ImportOptions &options,
                                        std::string &error, bool &notSupported, std::vector<CoverageEntry> *coverage) {
  notSupported = false;
  bool isStdin = path == "-";
  std::string shown = isStdin ? "<stdin>" : path.str();
  auto fail = [&](const Twine &message) {
    error = shown + ": " + message.str();
    auto isControl = [](char c) { return uint8_t(c) < ' '; }; // names in a model may hold anything
    std::replace_if(error.begin(), error.end(), isControl, ' ');
    return OwningOpRef<ModuleOp>();
  };
  auto opened = llvm::MemoryBuffer::getFileOrSTDIN(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!opened)
    return fail("cannot open: " + opened.getError().message());
  std::shared_ptr<llvm::MemoryBuffer> buffer = std::move(*opened);
  Model model;
  std::vector<Node> nodes;
  std::string message;
  llvm::ArrayRef<char> bytes(buffer->getBufferStart(), buffer->getBufferSize());
  if (!(torch::isArchive(bytes) ? torch::readProgram(bytes, model, message) : readModel(bytes, model, message)) ||
      !flatten(model, nodes, message) || !validate(model, nodes, message, notSupported))
    return fail(message);

  context
      .loadDialect<CoatDialect, func::FuncDialect, arith::ArithDialect, tensor::TensorDialect, affine::AffineDialect>();
  StringRef folder = llvm::sys::path::parent_path(path);
  std::string name = !options.name.empty() ? options.name
                     : isStdin             ? "model"
                                           : identifierOf(llvm::sys::path::stem(path));
  TensorReader tensors(&context, buffer, isStdin ? "" : folder.empty() ? "." : folder.str(), name);
  std::string fileName = isStdin ? shown : llvm::sys::path::filename(path).str();
  Importer importer(&context, fileName, name, tensors);
  OwningOpRef<ModuleOp> module = importer.run(model, nodes, options, coverage);
  notSupported = importer.notSupported;
  forgetPages(*buffer);
  return module ? std::move(module) : fail(importer.error);
}

FailureOr<OwningOpRef<ModuleOp>> coat::importOnnx(StringRef path, MLIRContext &context, const ImportOptions &options,
                                                  std::string &error, bool &notSupported) {
  OwningOpRef<ModuleOp> module = importFile(path, context, options, error, notSupported, nullptr);
  if (!module)
    return failure();
  return module;
}

FailureOr<std::vector<CoverageEntry>> coat::checkOnnx(StringRef path, MLIRContext &context,
                                                      const ImportOptions &options, std::string &error,
                                                      bool &notSupported) {
  std::vector<CoverageEntry> coverage;
  if (!importFile(path, context, options, error, notSupported, &coverage))
    return failure();
  return coverage;
}
