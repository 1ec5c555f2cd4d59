// Types of the graph's inputs: --shape and --dim applied to what the model declares.
#include "Importer.h"
#include "OnnxBytes.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

namespace {

class InputResolver {
public:
  InputResolver(const Model &model, const ImportOptions &options, MLIRContext *context, Symbols &symbols,
                std::string &error, bool &notSupported)
      : model(model), options(options), context(context), symbols(symbols), error(error), notSupported(notSupported) {}

  bool run(std::vector<InputType> &inputs);

private:
  bool fail(const llvm::Twine &message) {
    error = message.str();
    return false;
  }
  bool bindShape(const ValueInfo &input);
  bool checkFlags();
  bool resolve(const ValueInfo &input, InputType &result);
  AffineExpr size(const ValueInfo &input, size_t position);
  static std::string nameOf(const ValueInfo &input, size_t position);

  const Model &model;
  const ImportOptions &options;
  MLIRContext *context;
  Symbols &symbols;
  std::string &error;
  bool &notSupported;
  std::vector<ValueInfo> inputs;
  std::map<std::string, int64_t> bound; // named dimensions that --shape fixes
  std::vector<std::string> names;       // of all symbolic dimensions
  llvm::StringSet<> known;              // the same
};

/// A dimension without a name is called after its input and position.
std::string InputResolver::nameOf(const ValueInfo &input, size_t position) {
  const Dimension &dim = input.dims[position];
  return dim.name.empty() ? input.name + "_" + std::to_string(position) : dim.name;
}

bool InputResolver::bindShape(const ValueInfo &input) {
  auto found = options.shapes.find(input.name);
  if (found == options.shapes.end())
    return true;
  ArrayRef<int64_t> shape = found->second;
  if (input.hasShape && shape.size() != input.dims.size())
    return fail("--shape " + input.name + ": expected " + Twine(input.dims.size()) + " dimensions, got " +
                Twine(shape.size()));
  for (auto [position, size] : llvm::enumerate(shape)) {
    if (size < 1)
      return fail("--shape " + input.name + ": expected sizes of at least 1, got " + Twine(size));
    if (!input.hasShape)
      continue;
    const Dimension &dim = input.dims[position];
    if (dim.size >= 0 && dim.size != size)
      return fail("--shape " + input.name + ": expected size " + Twine(dim.size) + " of dimension " + Twine(position) +
                  ", as the model says, got " + Twine(size));
    if (dim.size < 0) {
      int64_t other = bound.try_emplace(nameOf(input, position), size).first->second;
      if (other != size)
        return fail("--shape " + input.name + ": expected one size of dimension '" + nameOf(input, position) +
                    "', got " + Twine(other) + " and " + Twine(size));
    }
  }
  return true;
}

bool InputResolver::checkFlags() {
  for (const auto &[name, shape] : options.shapes)
    if (llvm::none_of(inputs, [&, wanted = StringRef(name)](const ValueInfo &input) { return input.name == wanted; }))
      return fail("--shape " + name + ": expected an input of the model (" +
                  llvm::join(llvm::map_range(inputs, [](const ValueInfo &input) { return input.name; }), ", ") +
                  "), got '" + name + "'");
  for (const auto &[name, range] : options.dims) {
    if (!llvm::is_contained(names, name))
      return fail("--dim " + name + ": expected a symbolic dimension of the model (" +
                  (names.empty() ? "it has none" : llvm::join(names, ", ")) + "), got '" + name + "'");
    if (range.first < 1 || range.second < range.first)
      return fail("--dim " + name + ": expected a range such as 1..8, got " + Twine(range.first) + ".." +
                  Twine(range.second));
  }
  return true;
}

AffineExpr InputResolver::size(const ValueInfo &input, size_t position) {
  const Dimension &dim = input.dims[position];
  if (dim.size >= 0)
    return symbols.constant(dim.size);
  std::string name = nameOf(input, position);
  if (auto found = bound.find(name); found != bound.end())
    return symbols.constant(found->second);
  auto found = options.dims.find(name);
  if (found == options.dims.end()) {
    fail("input '" + input.name + "' has symbolic dimension '" + name + "'; give it a range with --dim " + name +
         "=1..8");
    return {};
  }
  auto [min, max] = found->second;
  return min == max ? symbols.constant(min) : symbols.add(name, min, max);
}

bool InputResolver::resolve(const ValueInfo &input, InputType &result) {
  result.name = input.name;
  bool asBytes = input.type == String || isFloat8(input.type);
  result.bytesType = asBytes ? input.type : Undefined;
  Type elementType = elementTypeOf(asBytes ? UInt8 : input.type, context);
  if (!input.isTensor || !elementType) {
    notSupported = true;
    return fail("input '" + input.name + "': expected a tensor of " + knownDataTypes + ", got " +
                (input.isTensor ? dataTypeName(input.type) : "another type"));
  }
  auto found = options.shapes.find(input.name);
  if (!input.hasShape && found == options.shapes.end())
    return fail("input '" + input.name + "' has no shape; give it one with --shape " + input.name + "=1x3x224x224");
  if (!input.hasShape)
    result.dims = llvm::map_to_vector(found->second, [&](int64_t size) { return symbols.constant(size); });
  if (std::max(input.dims.size(), result.dims.size()) > maxDimensions)
    return fail("input '" + input.name + "': expected at most " + Twine(maxDimensions) + " dimensions, got " +
                Twine(std::max(input.dims.size(), result.dims.size())));
  for (size_t position = 0; position < input.dims.size(); ++position) {
    AffineExpr expr = size(input, position);
    if (!expr)
      return false;
    result.dims.push_back(expr);
  }
  auto shape =
      llvm::map_to_vector(result.dims, [](AffineExpr expr) { return constantOf(expr).value_or(ShapedType::kDynamic); });
  result.type = RankedTensorType::get(shape, elementType);
  auto count =
      elementCount(llvm::map_to_vector(result.dims, [&](AffineExpr expr) { return symbols.range(expr)->max; }));
  if (!count || *count > INT64_MAX / 16)
    return fail("input '" + input.name + "': expected sizes that fit in memory, got a huge one");
  return true;
}

bool InputResolver::run(std::vector<InputType> &result) {
  llvm::StringSet<> initializers;
  for (const Tensor &tensor : model.graph.initializers)
    initializers.insert(tensor.name);
  for (const ValueInfo &input : model.graph.inputs)
    if (!initializers.contains(input.name)) // the initializer wins
      inputs.push_back(input);
  for (ValueInfo &input : inputs) {
    if (input.type == String && input.hasShape) // one dimension more: docs/rationale/strings.md
      input.dims.push_back({-1, "string_bytes"});
    for (size_t position = 0; position < input.dims.size(); ++position)
      if (input.dims[position].size < 0 && known.insert(nameOf(input, position)).second)
        names.push_back(nameOf(input, position));
  }
  if (!checkFlags() || !llvm::all_of(inputs, [&](const ValueInfo &input) { return bindShape(input); }))
    return false;
  return llvm::all_of(inputs, [&](const ValueInfo &input) { return resolve(input, result.emplace_back()); });
}

} // namespace

bool coat::onnx::resolveInputs(const Model &model, const ImportOptions &options, MLIRContext *context, Symbols &symbols,
                               std::vector<InputType> &inputs, std::string &error, bool &notSupported) {
  return InputResolver(model, options, context, symbols, error, notSupported).run(inputs);
}
