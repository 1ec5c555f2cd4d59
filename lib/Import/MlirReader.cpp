// MLIR to plain nodes; see MlirReader.h.
//
// The ops stay what they are and the handlers read their attributes where they lie; as nodes they get what every import
// has: sizes that are expressions of symbols, --dim and --shape, one line for each refusal, coat check.
#include "MlirReader.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace coat::onnx;

static int32_t dataTypeOf(Type type) {
  if (type.isF32())
    return Float;
  if (type.isF64())
    return Double;
  if (type.isF16())
    return Float16;
  if (type.isBF16())
    return BFloat16;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return Undefined;
  switch (integer.getWidth()) {
  case 1:
    return Bool;
  case 8:
    return integer.isUnsigned() ? UInt8 : Int8;
  case 16:
    return integer.isUnsigned() ? UInt16 : Int16;
  case 32:
    return integer.isUnsigned() ? UInt32 : Int32;
  case 64:
    return integer.isUnsigned() ? UInt64 : Int64;
  default:
    return Undefined;
  }
}

/// What messages and profiles call an op: its name in the location, or its line.
static std::string labelOf(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName().str();
  if (auto place = dyn_cast<FileLineColLoc>(loc))
    return "line " + std::to_string(place.getLine());
  if (auto fused = dyn_cast<FusedLoc>(loc); fused && !fused.getLocations().empty())
    return labelOf(fused.getLocations().front());
  return "op";
}

static std::string nameOr(StringAttr name, const llvm::Twine &fallback) {
  return name && !name.getValue().empty() ? name.str() : fallback.str();
}

namespace {
class FunctionReader {
public:
  FunctionReader(func::FuncOp function, Model &model, std::string &error)
      : function(function), model(model), error(error) {}

  bool run() {
    if (!function.getBody().hasOneBlock())
      return fail("function '" + function.getName() + "': expected a body of one block, got none or several");
    return readArguments() && readOps();
  }

private:
  bool fail(const llvm::Twine &message) {
    error = message.str();
    return false;
  }
  bool readArguments();
  bool readOps();
  bool readReturn(func::ReturnOp op);
  bool isNew(const std::string &name) {
    return taken.insert(name).second ||
           fail("expected different names of arguments and results, got '" + name + "' twice");
  }

  func::FuncOp function;
  Model &model;
  std::string &error;
  llvm::DenseMap<Value, std::string> names;
  llvm::StringSet<> taken; // names of arguments and results
};
} // namespace

bool FunctionReader::readArguments() {
  for (BlockArgument argument : function.getArguments()) {
    unsigned index = argument.getArgNumber();
    ValueInfo input;
    input.name = nameOr(function.getArgAttrOfType<StringAttr>(index, "coat.name"), "arg" + llvm::Twine(index));
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    input.isTensor = bool(type);
    input.type = type ? dataTypeOf(type.getElementType()) : int32_t(Undefined);
    input.hasShape = bool(type);
    auto dims = function.getArgAttrOfType<ArrayAttr>(index, "coat.dims");
    for (auto [position, size] : llvm::enumerate(type ? type.getShape() : ArrayRef<int64_t>())) {
      auto name = dims && position < dims.size() ? dyn_cast<StringAttr>(dims[position]) : StringAttr();
      bool isSymbol = ShapedType::isDynamic(size);
      input.dims.push_back({isSymbol ? -1 : size, isSymbol && name ? name.str() : ""});
    }
    names[argument] = input.name;
    if (!isNew(input.name))
      return false;
    model.graph.inputs.push_back(std::move(input));
  }
  return true;
}

bool FunctionReader::readReturn(func::ReturnOp op) {
  if (op.getNumOperands() == 0)
    return fail("function '" + function.getName() + "': expected results, got none");
  for (auto [index, value] : llvm::enumerate(op.getOperands())) {
    ValueInfo output;
    output.name = nameOr(function.getResultAttrOfType<StringAttr>(index, "coat.name"), "result" + llvm::Twine(index));
    if (!isNew(output.name))
      return false;
    if (!isa<RankedTensorType>(value.getType()))
      return fail("output '" + output.name + "': expected a ranked tensor, got another type");
    Node node; // gives the value the result's name
    node.name = output.name;
    node.op = "Identity";
    node.opset = 13;
    node.inputs = {names[value]};
    node.outputs = {output.name};
    model.graph.nodes.push_back(std::move(node));
    model.graph.outputs.push_back(std::move(output));
  }
  return true;
}

bool FunctionReader::readOps() {
  for (Operation &op : function.getBody().front()) {
    if (auto done = dyn_cast<func::ReturnOp>(op))
      return readReturn(done);
    Node node;
    node.operation = &op;
    node.name = labelOf(op.getLoc());
    node.domain = op.getName().getDialectNamespace().str();
    node.op = op.getName().stripDialect().str();
    node.opset = 1;
    for (Value operand : op.getOperands())
      node.inputs.push_back(names[operand]);
    for (Value result : op.getResults())
      node.outputs.push_back(names[result] = "%" + std::to_string(names.size()));
    model.graph.nodes.push_back(std::move(node));
  }
  return fail("function '" + function.getName() + "': expected func.return at its end, got none");
}

bool coat::onnx::readFunction(func::FuncOp function, Model &model, std::string &error) {
  return FunctionReader(function, model, error).run();
}
