// Reader of torch.export archives: a zip of model.json (the graph, in PyTorch's export schema 8) and of one file a
// weight.
//
// The program is taken as torch.export wrote it. What names of the schema mean: torch/_export/serde/schema.py of
// PyTorch.
#include "TorchReader.h"
#include "Known.h"
#include "TorchArchive.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/JSON.h"

using namespace coat::onnx;
using namespace coat::torch;
namespace json = llvm::json;

bool coat::torch::isArchive(llvm::ArrayRef<char> bytes) {
  return llvm::StringRef(bytes.data(), bytes.size()).starts_with(llvm::StringRef("PK\3\4", 4));
}

namespace {
constexpr int64_t schemaMajor = 8;

/// ONNX's data type and the bytes of an element; none for types that coat does not know.
struct ElementType {
  int32_t type = Undefined;
  int64_t bytes = 0;
};

/// What the schema's ScalarType stands for.
ElementType elementOf(int64_t scalarType) {
  static const llvm::DenseMap<int64_t, ElementType> types = {
      {1, {UInt8, 1}}, {2, {Int8, 1}},   {3, {Int16, 2}}, {4, {Int32, 4}},     {5, {Int64, 8}},  {6, {Float16, 2}},
      {7, {Float, 4}}, {8, {Double, 8}}, {12, {Bool, 1}}, {13, {BFloat16, 2}}, {28, {UInt16, 2}}};
  return types.lookup(scalarType);
}

/// One argument of a call as an attribute; the tensors and symbolic sizes it names go to `inputs`.
class ArgumentReader {
public:
  ArgumentReader(AttributeData &attribute, std::vector<std::string> &inputs) : attribute(attribute), inputs(inputs) {}

  /// False when the kind of argument is not known; `attribute.kind` stays Undefined for None and for what says nothing
  /// about the values (device, layout, memory format).
  bool read(const json::Object &argument) {
    if (argument.size() != 1)
      return false;
    llvm::StringRef kind = argument.begin()->first;
    const json::Value &value = argument.begin()->second;
    const json::Array *list = value.getAsArray();
    const json::Object *object = value.getAsObject();
    if (kind == "as_none" || kind == "as_device" || kind == "as_layout" || kind == "as_memory_format")
      return true;
    if (kind == "as_tensor" || kind == "as_optional_tensor" || kind == "as_sym_int" || kind == "as_sym_float")
      return object && one(*object);
    if (kind == "as_int" || kind == "as_bool" || kind == "as_scalar_type")
      return integer(value, kind == "as_scalar_type");
    if (kind == "as_float")
      return real(value);
    if (kind == "as_string") {
      attribute.kind = AttributeData::String;
      attribute.s = value.getAsString().value_or("").str();
      return value.getAsString().has_value();
    }
    if (!list)
      return false;
    if (kind == "as_ints" || kind == "as_bools")
      return integers(*list);
    if (kind == "as_floats")
      return reals(*list);
    if (kind == "as_tensors" || kind == "as_optional_tensors" || kind == "as_sym_ints")
      return names(*list);
    return false;
  }

private:
  /// {"as_tensor": {"name"}}, {"as_name"}, {"as_int"}, {"as_none"}, {"name"}.
  bool one(const json::Object &object) {
    if (auto number = object.getInteger("as_int")) {
      attribute.kind = AttributeData::Int;
      attribute.i = *number;
      return true;
    }
    if (object.get("as_none"))
      return true;
    attribute.kind = AttributeData::Names;
    return addName(object);
  }
  bool addName(const json::Object &object) {
    const json::Object *tensor = object.getObject("as_tensor");
    auto name = tensor ? tensor->getString("name") : object.getString("name");
    if (!name)
      name = object.getString("as_name");
    if (!name || name->empty() || llvm::isDigit(name->front()) || name->starts_with("-"))
      return false;
    attribute.strings.push_back(name->str());
    inputs.push_back(name->str());
    return true;
  }
  bool integer(const json::Value &value, bool isType) {
    auto boolean = value.getAsBoolean();
    auto number = value.getAsInteger();
    if (!boolean && !number)
      return false;
    attribute.kind = AttributeData::Int;
    attribute.i = boolean ? *boolean : isType ? elementOf(*number).type : *number;
    return true;
  }
  /// Numbers that JSON lacks are strings.
  static std::optional<double> realOf(const json::Value &value) {
    if (auto number = value.getAsNumber())
      return *number;
    double sign = 1;
    llvm::StringRef text = value.getAsString().value_or("");
    if (text.consume_front("-"))
      sign = -1;
    if (text == "Infinity")
      return sign * std::numeric_limits<double>::infinity();
    return text == "NaN" ? std::optional(std::numeric_limits<double>::quiet_NaN()) : std::nullopt;
  }
  bool real(const json::Value &value) {
    attribute.kind = AttributeData::Float;
    auto number = realOf(value);
    attribute.f = number.value_or(0);
    return number.has_value();
  }
  bool integers(const json::Array &list) {
    attribute.kind = AttributeData::Ints;
    for (const json::Value &value : list) {
      auto boolean = value.getAsBoolean();
      auto number = value.getAsInteger();
      if (!boolean && !number)
        return false;
      attribute.ints.push_back(boolean ? *boolean : *number);
    }
    return true;
  }
  bool reals(const json::Array &list) {
    attribute.kind = AttributeData::Floats;
    for (const json::Value &value : list) {
      auto number = realOf(value);
      if (!number)
        return false;
      attribute.floats.push_back(*number);
    }
    return true;
  }
  /// Names, numbers as text, and nothing for None.
  bool names(const json::Array &list) {
    attribute.kind = AttributeData::Names;
    for (const json::Value &value : list) {
      const json::Object *object = value.getAsObject();
      if (!object)
        return false;
      if (auto number = object->getInteger("as_int"))
        attribute.strings.push_back(std::to_string(*number));
      else if (object->get("as_none"))
        attribute.strings.emplace_back();
      else if (!addName(*object))
        return false;
    }
    return true;
  }

  AttributeData &attribute;
  std::vector<std::string> &inputs;
};

/// Whether brackets nest no deeper than any program's; llvm::json calls itself for each.
bool isShallow(llvm::StringRef text) {
  constexpr int deepest = 64;
  int depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size() && depth <= deepest; ++i) {
    char c = text[i];
    if (inString && c == '\\')
      ++i; // whatever it escapes
    else if (c == '"')
      inString = !inString;
    else if (!inString)
      depth += (c == '[' || c == '{') - (c == ']' || c == '}');
  }
  return depth <= deepest;
}

class ProgramReader {
public:
  ProgramReader(const Archive &archive, uint64_t size, Model &model, std::string &error)
      : archive(archive), model(model), error(error), allowance(16 * size + (64 << 20)) {}

  bool run() {
    auto found = archive.isOpen() ? archive.folderOf("models/model.json") : std::nullopt;
    if (!found)
      return fail("expected an archive of torch.export with a file models/model.json, got another");
    folder = *found;
    std::optional<json::Object> program = object("models/model.json");
    if (!program)
      return false;
    const json::Object *version = program->getObject("schema_version");
    int64_t major = version ? version->getInteger("major").value_or(0) : 0;
    if (major != schemaMajor)
      return fail("expected schema version " + llvm::Twine(schemaMajor) + " of torch.export, got " +
                  llvm::Twine(major));
    const json::Object *opsets = program->getObject("opset_version");
    model.irVersion = 10; // of what this becomes
    model.opsets = {{"aten", opsets ? opsets->getInteger("aten").value_or(1) : 1}, {"python", 1}};
    const json::Object *module = program->getObject("graph_module");
    graph = module ? module->getObject("graph") : nullptr;
    const json::Object *signature = module ? module->getObject("signature") : nullptr;
    if (!graph || !signature)
      return fail("expected a graph with a signature, got none");
    return readTables() && readInputs(*signature) && readNodes() && readOutputs(*signature);
  }

private:
  bool fail(const llvm::Twine &message) {
    error = message.str();
    return false;
  }

  std::optional<json::Object> object(const std::string &path) {
    constexpr uint64_t most = 64 << 20; // JSON takes many times its size in memory
    auto bytes = archive.read(folder + path, most);
    if (!bytes) {
      fail("expected a file " + path + " of at most 64 MiB in the archive, got none, or a damaged or compressed one");
      return std::nullopt;
    }
    llvm::StringRef text(bytes->data(), bytes->size());
    if (!isShallow(text)) {
      fail(path + ": expected JSON of a program, got brackets that nest too deep");
      return std::nullopt;
    }
    auto value = json::parse(text);
    json::Object *result = value ? value->getAsObject() : nullptr;
    if (!value)
      fail(path + ": " + llvm::toString(value.takeError()));
    else if (!result)
      fail(path + ": expected a JSON object, got another value");
    return result ? std::optional(std::move(*result)) : std::nullopt;
  }

  bool readTables() {
    for (llvm::StringRef kind : {"weights", "constants"}) {
      auto file = object("data/" + kind.str() + "/model_" + kind.str() + "_config.json");
      if (!file)
        return false;
      if (const json::Object *config = file->getObject("config"))
        for (const auto &[name, value] : *config)
          if (const json::Object *record = value.getAsObject())
            weights.try_emplace(name, std::make_pair("data/" + kind.str() + "/", *record));
    }
    return true;
  }

  /// SymPy writes "Symbol('s77', positive=True, integer=True)".
  static std::string symbolOf(llvm::StringRef expression) {
    return expression.consume_front("Symbol('") ? expression.split('\'').first.str() : expression.str();
  }

  bool readSizes(const json::Array *sizes, llvm::StringRef what, std::vector<Dimension> &dims) {
    if (!sizes)
      return fail(what + ": expected sizes, got none");
    for (const json::Value &value : *sizes) {
      const json::Object *size = value.getAsObject();
      const json::Object *expression = size ? size->getObject("as_expr") : nullptr;
      if (auto number = size ? size->getInteger("as_int") : std::nullopt)
        dims.push_back({*number, ""});
      else if (auto name = expression ? expression->getString("expr_str") : std::nullopt)
        dims.push_back({-1, symbolOf(*name)});
      else
        return fail(what + ": expected sizes, got another value");
    }
    return true;
  }

  /// One weight, its elements in row-major order.
  bool addWeight(llvm::StringRef placeholder, llvm::StringRef name) {
    auto found = weights.find(name);
    const json::Object *meta = found == weights.end() ? nullptr : found->second.second.getObject("tensor_meta");
    std::string what = ("weight '" + name + "'").str();
    if (!meta)
      return fail(what + ": expected it in the archive, got none");
    const json::Object &record = found->second.second;
    if (record.getBoolean("use_pickle").value_or(false))
      return fail(what + ": expected the bytes of a tensor, got a pickled one");
    Tensor tensor;
    tensor.name = placeholder.str();
    ElementType element = elementOf(meta->getInteger("dtype").value_or(0));
    tensor.type = element.type;
    std::vector<Dimension> dims, strides;
    if (!readSizes(meta->getArray("sizes"), what, dims) || !readSizes(meta->getArray("strides"), what, strides))
      return false;
    for (const Dimension &dim : dims)
      tensor.dims.push_back(dim.size);
    auto count = elementCount(tensor.dims);
    if (!count || !element.bytes || *count > int64_t(Archive::maxEntry) / element.bytes ||
        strides.size() != dims.size())
      return fail(what + ": expected sizes, strides and a type that coat knows, got others");
    auto bytes = archive.read(folder + found->second.first + record.getString("path_name").value_or("").str());
    if (!bytes)
      return fail(what + ": expected its bytes in the archive, got none, or damaged or compressed ones");
    if (!spend(bytes->size()) || !spend(*count * element.bytes))
      return fail(what + ": expected weights of at most 16 times the archive's size in all, got more");
    const json::Object *offset = meta->getObject("storage_offset");
    bytes = rowMajor(bytes, tensor.dims, strides, offset ? offset->getInteger("as_int").value_or(0) : 0, element.bytes);
    if (!bytes)
      return fail(what + ": expected the bytes of all elements, got fewer");
    tensor.bytes = *bytes;
    tensor.owner = bytes;
    model.graph.initializers.push_back(std::move(tensor));
    return true;
  }

  /// Weights may share a file, and all elements of one may be the same bytes of it: what they take in memory is bounded
  /// by what the archive takes on the disk.
  bool spend(uint64_t bytes) {
    bool enough = bytes <= allowance;
    allowance -= enough ? bytes : allowance;
    return enough;
  }

  static std::shared_ptr<std::vector<char>> rowMajor(std::shared_ptr<std::vector<char>> bytes,
                                                     llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<Dimension> strides,
                                                     int64_t offset, int64_t width) {
    if (llvm::any_of(shape, [](int64_t size) { return size < 1; }))
      return std::make_shared<std::vector<char>>();
    int64_t elements = bytes->size() / width, next = 1, last = offset;
    bool dense = offset == 0;
    for (int64_t i = shape.size() - 1; i >= 0; --i) {
      int64_t span;
      dense &= shape[i] == 1 || strides[i].size == next;
      next *= shape[i];
      if (strides[i].size < 0 || llvm::MulOverflow(shape[i] - 1, strides[i].size, span) ||
          llvm::AddOverflow(last, span, last))
        return nullptr;
    }
    if (offset < 0 || last >= elements)
      return nullptr;
    if (dense) {
      bytes->resize(next * width);
      return bytes;
    }
    auto result = std::make_shared<std::vector<char>>();
    result->reserve(next * width);
    forEachIndex(shape, [&](llvm::ArrayRef<int64_t> index) {
      int64_t at = offset;
      for (auto [i, stride] : llvm::zip(index, strides))
        at += i * stride.size;
      result->insert(result->end(), bytes->begin() + at * width, bytes->begin() + (at + 1) * width);
    });
    return result;
  }

  bool addInput(llvm::StringRef name) {
    const json::Object *values = graph->getObject("tensor_values");
    const json::Object *meta = values ? values->getObject(name) : nullptr;
    if (!meta)
      return fail("input '" + name + "': expected a tensor with a type, got none");
    ValueInfo input{name.str(), true, elementOf(meta->getInteger("dtype").value_or(0)).type, true, {}};
    if (!readSizes(meta->getArray("sizes"), ("input '" + name + "'").str(), input.dims))
      return false;
    model.graph.inputs.push_back(std::move(input));
    return true;
  }

  bool readInputs(const json::Object &signature) {
    const json::Array *specs = signature.getArray("input_specs");
    for (const json::Value &value : specs ? *specs : json::Array()) {
      const json::Object *spec = value.getAsObject();
      if (!spec || spec->size() != 1)
        return fail("expected input specifications, got another value");
      llvm::StringRef kind = spec->begin()->first;
      const json::Object *record = spec->begin()->second.getAsObject();
      const json::Object *argument = record ? record->getObject("arg") : nullptr;
      if (!argument)
        return fail("expected input specifications with arguments, got " + kind);
      if (kind == "user_input") {
        const json::Object *tensor = argument->getObject("as_tensor");
        if (!tensor)
          return fail("expected inputs that are tensors, got another");
        if (!addInput(tensor->getString("name").value_or("")))
          return false;
        continue;
      }
      llvm::StringRef nameOf = kind == "parameter" ? "parameter_name"
                               : kind == "buffer"  ? "buffer_name"
                                                   : "tensor_constant_name";
      auto name = record->getString(nameOf);
      if (!name)
        return fail("expected parameters, buffers, constants and inputs, got " + kind);
      if (!addWeight(argument->getString("name").value_or(""), *name))
        return false;
    }
    return true;
  }

  bool readOutputs(const json::Object &signature) {
    const json::Array *specs = signature.getArray("output_specs");
    for (const json::Value &value : specs ? *specs : json::Array()) {
      const json::Object *spec = value.getAsObject();
      const json::Object *output = spec ? spec->getObject("user_output") : nullptr;
      const json::Object *argument = output ? output->getObject("arg") : nullptr;
      const json::Object *tensor = argument ? argument->getObject("as_tensor") : nullptr;
      if (!tensor)
        return fail("expected outputs that are tensors and a program that changes none of its inputs, got another; try "
                    "run_decompositions()");
      ValueInfo info;
      info.name = tensor->getString("name").value_or("").str();
      model.graph.outputs.push_back(std::move(info));
    }
    return true;
  }

  bool readNodes() {
    const json::Array *nodes = graph->getArray("nodes");
    for (const json::Value &value : nodes ? *nodes : json::Array()) {
      const json::Object *call = value.getAsObject();
      if (!call || !readNode(*call))
        return error.empty() ? fail("expected nodes that are calls, got another value") : false;
    }
    return true;
  }

  bool readNode(const json::Object &call) {
    Node node;
    llvm::StringRef target = call.getString("target").value_or("");
    if (target.consume_front("torch.ops.")) {
      // <namespace>.<op>.<overload>; arguments tell overloads apart
      auto [domain, rest] = target.split('.');
      node.domain = domain.str();
      node.op = rest.split('.').first.str();
    } else {
      node.domain = "python"; // arithmetic on symbolic sizes: _operator.mul
      node.op = target.rsplit('.').second.str();
    }
    node.name = call.getString("name").value_or(node.op).str();
    const json::Array *arguments = call.getArray("inputs"), *results = call.getArray("outputs");
    for (const json::Value &value : arguments ? *arguments : json::Array()) {
      const json::Object *named = value.getAsObject();
      const json::Object *argument = named ? named->getObject("arg") : nullptr;
      AttributeData attribute;
      attribute.name = named ? named->getString("name").value_or("").str() : "";
      if (!argument || !ArgumentReader(attribute, node.inputs).read(*argument))
        return fail("node '" + node.name + "' (" + node.domain + "." + node.op +
                    "): expected arguments that coat knows, got '" + attribute.name + "' of another kind");
      if (attribute.kind != AttributeData::Undefined)
        node.attributes.push_back(std::move(attribute));
    }
    for (const json::Value &value : results ? *results : json::Array()) {
      const json::Object *result = value.getAsObject();
      AttributeData names;
      if (!result || !ArgumentReader(names, node.outputs).read(*result))
        return fail("node '" + node.name + "' (" + node.domain + "." + node.op +
                    "): expected results that are tensors, got another");
    }
    model.graph.nodes.push_back(std::move(node));
    return true;
  }

  const Archive &archive;
  Model &model;
  std::string &error;
  uint64_t allowance; // bytes of weights
  std::string folder;
  const json::Object *graph = nullptr;
  llvm::StringMap<std::pair<std::string, json::Object>> weights; // folder and record by name
};
} // namespace

bool coat::torch::readProgram(llvm::ArrayRef<char> bytes, Model &model, std::string &error) {
  Archive archive(bytes);
  return ProgramReader(archive, bytes.size(), model, error).run();
}
