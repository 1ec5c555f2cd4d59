// From protobuf's classes to OnnxModel.h. The only file that includes the generated schema.
#include "OnnxModel.h"
#include "OnnxWire.h"
#include "onnx-ml.pb.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include <limits>

using namespace coat::onnx;

namespace {

using Blobs = std::vector<llvm::ArrayRef<char>>;

class Reader {
public:
  Reader(const Blobs &blobs, std::string &error) : blobs(blobs), error(error) {}
  bool model(const ::onnx::ModelProto &proto, Model &result);

private:
  bool fail(const std::string &message) {
    error = message;
    return false;
  }
  bool tensor(const ::onnx::TensorProto &proto, Tensor &result);
  bool external(const ::onnx::TensorProto &proto, Tensor &result);
  bool attribute(const ::onnx::AttributeProto &proto, AttributeData &result);
  bool node(const ::onnx::NodeProto &proto, Node &result);
  bool graph(const ::onnx::GraphProto &proto, Graph &result);
  bool function(const ::onnx::FunctionProto &proto, Function &result);
  static ValueInfo valueInfo(const ::onnx::ValueInfoProto &proto);

  const Blobs &blobs;
  std::string &error;
};

/// Appends `values`, each converted to T, as little-endian bytes.
template <typename T, typename Values> std::string bytesOf(const Values &values) {
  std::string bytes(size_t(values.size()) * sizeof(T), '\0');
  for (int i = 0; i < values.size(); ++i) {
    T value = static_cast<T>(values[i]);
    memcpy(&bytes[i * sizeof(T)], &value, sizeof(T));
  }
  return bytes;
}

/// The elements of the typed field that the element type uses, as raw bytes.
std::string typedBytes(const ::onnx::TensorProto &proto) {
  switch (proto.data_type()) {
  case Float:
    return bytesOf<float>(proto.float_data());
  case Double:
    return bytesOf<double>(proto.double_data());
  case Int64:
    return bytesOf<int64_t>(proto.int64_data());
  case UInt64:
    return bytesOf<uint64_t>(proto.uint64_data());
  case UInt32:
    return bytesOf<uint32_t>(proto.uint64_data());
  case Int32:
    return bytesOf<int32_t>(proto.int32_data());
  case Int16:
  case UInt16:
  case Float16:
  case BFloat16:
    return bytesOf<uint16_t>(proto.int32_data());
  case Int8:
  case UInt8:
  case Bool:
  case Float8E4M3FN:
  case Float8E4M3FNUZ:
  case Float8E5M2:
  case Float8E5M2FNUZ:
  case UInt4: // two elements a byte
  case Int4:
    return bytesOf<uint8_t>(proto.int32_data());
  default:
    return {};
  }
}

bool Reader::external(const ::onnx::TensorProto &proto, Tensor &result) {
  result.external = true;
  for (const auto &entry : proto.external_data()) {
    uint64_t *number = entry.key() == "offset" ? &result.offset : entry.key() == "length" ? &result.length : nullptr;
    if (entry.key() == "location")
      result.location = entry.value();
    else if (number && !llvm::to_integer(entry.value(), *number, 10))
      return fail("tensor '" + result.name + "': expected a number as " + entry.key() + " of external data, got '" +
                  entry.value() + "'");
  }
  return true;
}

bool Reader::tensor(const ::onnx::TensorProto &proto, Tensor &result) {
  result.name = proto.name();
  result.type = proto.data_type();
  result.dims.assign(proto.dims().begin(), proto.dims().end());
  if (proto.has_segment())
    return fail("tensor '" + result.name + "': expected a whole tensor, got a segment");
  if (proto.data_location() == ::onnx::TensorProto::EXTERNAL)
    return external(proto, result);
  if (proto.has_raw_data()) {
    uint64_t index = proto.raw_data().size() == 8 ? llvm::support::endian::read64le(proto.raw_data().data()) : ~0ull;
    if (index >= blobs.size())
      return fail("tensor '" + result.name + "': expected raw data, got a broken field");
    result.bytes = blobs[index];
    return true;
  }
  auto storage = std::make_shared<std::string>(typedBytes(proto));
  result.bytes = {storage->data(), storage->size()};
  result.owner = storage;
  return true;
}

bool Reader::attribute(const ::onnx::AttributeProto &proto, AttributeData &result) {
  using Proto = ::onnx::AttributeProto;
  result.name = proto.name();
  result.reference = proto.ref_attr_name();
  switch (proto.type()) {
  case Proto::FLOAT:
    result.kind = AttributeData::Float;
    result.f = proto.f();
    return true;
  case Proto::INT:
    result.kind = AttributeData::Int;
    result.i = proto.i();
    return true;
  case Proto::STRING:
    result.kind = AttributeData::String;
    result.s = proto.s();
    return true;
  case Proto::FLOATS:
    result.kind = AttributeData::Floats;
    result.floats.assign(proto.floats().begin(), proto.floats().end());
    return true;
  case Proto::INTS:
    result.kind = AttributeData::Ints;
    result.ints.assign(proto.ints().begin(), proto.ints().end());
    return true;
  case Proto::STRINGS:
    result.kind = AttributeData::Strings;
    result.strings.assign(proto.strings().begin(), proto.strings().end());
    return true;
  case Proto::TENSOR:
    result.kind = AttributeData::TensorKind;
    result.tensor = std::make_shared<Tensor>();
    return tensor(proto.t(), *result.tensor);
  case Proto::GRAPH:
    result.kind = AttributeData::GraphKind;
    result.graph = std::make_shared<Graph>();
    return graph(proto.g(), *result.graph);
  case Proto::UNDEFINED:
    if (result.reference.empty())
      return fail("attribute '" + result.name + "': expected a type, got none");
    return true;
  default:
    result.kind = AttributeData::Other;
    return true;
  }
}

/// The tensors that attributes of a Gradient name become inputs behind its own, which functions and the order of nodes
/// know of.
void readNamed(Node &node) {
  for (llvm::StringRef name : {"xs", "zs", "y"})
    for (const AttributeData &attribute : node.attributes)
      if (attribute.name == name) {
        llvm::append_range(node.inputs, attribute.strings);
        if (attribute.kind == AttributeData::String)
          node.inputs.push_back(attribute.s);
      }
}

bool Reader::node(const ::onnx::NodeProto &proto, Node &result) {
  result.name = proto.name();
  result.op = proto.op_type();
  result.domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
  if (!proto.overload().empty())
    result.op += ":" + proto.overload();
  result.inputs.assign(proto.input().begin(), proto.input().end());
  result.outputs.assign(proto.output().begin(), proto.output().end());
  for (const auto &attr : proto.attribute())
    if (!attribute(attr, result.attributes.emplace_back())) {
      error = "node '" + result.label().str() + "' (" + result.op + "): " + error;
      return false;
    }
  if (result.domain == "ai.onnx.preview.training" && result.op == "Gradient")
    readNamed(result);
  return true;
}

ValueInfo Reader::valueInfo(const ::onnx::ValueInfoProto &proto) {
  ValueInfo result;
  result.name = proto.name();
  if (!proto.type().has_tensor_type())
    return result;
  const auto &type = proto.type().tensor_type();
  result.isTensor = true;
  result.type = type.elem_type();
  result.hasShape = type.has_shape();
  for (const auto &dim : type.shape().dim()) {
    Dimension &dimension = result.dims.emplace_back();
    if (dim.has_dim_value() && dim.dim_value() >= 0)
      dimension.size = dim.dim_value();
    else
      dimension.name = dim.dim_param();
  }
  return result;
}

bool Reader::graph(const ::onnx::GraphProto &proto, Graph &result) {
  for (const auto &item : proto.node())
    if (!node(item, result.nodes.emplace_back()))
      return false;
  for (const auto &item : proto.initializer())
    if (!tensor(item, result.initializers.emplace_back()))
      return false;
  for (const auto &item : proto.input())
    result.inputs.push_back(valueInfo(item));
  for (const auto &item : proto.output())
    result.outputs.push_back(valueInfo(item));
  result.sparse = proto.sparse_initializer_size() > 0;
  return true;
}

template <typename Protos> std::vector<OpsetImport> opsetsOf(const Protos &protos) {
  std::vector<OpsetImport> result;
  for (const auto &proto : protos)
    result.push_back({proto.domain() == "ai.onnx" ? "" : proto.domain(), proto.version()});
  return result;
}

bool Reader::function(const ::onnx::FunctionProto &proto, Function &result) {
  result.domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
  result.name = proto.name();
  result.overload = proto.overload();
  result.inputs.assign(proto.input().begin(), proto.input().end());
  result.outputs.assign(proto.output().begin(), proto.output().end());
  result.attributes.assign(proto.attribute().begin(), proto.attribute().end());
  for (const auto &item : proto.attribute_proto())
    if (!attribute(item, result.defaults.emplace_back()))
      return false;
  for (const auto &item : proto.node())
    if (!node(item, result.nodes.emplace_back()))
      return false;
  result.opsets = opsetsOf(proto.opset_import());
  return true;
}

bool Reader::model(const ::onnx::ModelProto &proto, Model &result) {
  if (!proto.has_graph())
    return fail("expected an ONNX model, got a file without a graph");
  result.irVersion = proto.ir_version();
  result.opsets = opsetsOf(proto.opset_import());
  for (const auto &item : proto.functions())
    if (!function(item, result.functions.emplace_back()))
      return false;
  return graph(proto.graph(), result.graph);
}

} // namespace

llvm::StringRef Node::label() const {
  if (!name.empty())
    return name;
  for (const std::string &output : outputs)
    if (!output.empty())
      return output;
  return "";
}

bool Node::hasGraphs() const {
  if (domain == "ai.onnx.preview")
    return op == "FlexAttention";
  return domain.empty() && (op == "If" || op == "Loop" || op == "Scan");
}

void Node::forEachRead(llvm::function_ref<void(const std::string &)> visit) const {
  for (const auto *names : {&inputs, &captures})
    for (const std::string &name : *names)
      if (!name.empty())
        visit(name);
}

bool coat::onnx::readModel(llvm::ArrayRef<char> bytes, Model &model, std::string &error) {
  std::string stripped;
  Blobs blobs;
  if (bytes.empty()) {
    error = "expected an ONNX model, got an empty file";
    return false;
  }
  if (!stripRawData(bytes, stripped, blobs, error))
    return false;
  ::onnx::ModelProto proto;
  if (stripped.size() > size_t(std::numeric_limits<int>::max()) ||
      !proto.ParseFromArray(stripped.data(), int(stripped.size()))) {
    error = "expected an ONNX model, got a file that protobuf cannot parse";
    return false;
  }
  return Reader(blobs, error).model(proto, model);
}
