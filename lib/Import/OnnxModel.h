// An ONNX model as plain data. The rest of the importer reads this and not
// protobuf's classes: weights are views of the mapped file, attribute types are
// checked, and functions can be inlined by copying nodes.
#ifndef COAT_LIB_IMPORT_ONNXMODEL_H
#define COAT_LIB_IMPORT_ONNXMODEL_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mlir {
class Operation;
}

namespace coat::onnx {

/// TensorProto.DataType, the values that the importer names.
enum DataType : int32_t {
  Undefined = 0,
  Float = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  UInt32 = 12,
  UInt64 = 13,
  Complex64 = 14,
  Complex128 = 15,
  BFloat16 = 16,
  Float8E4M3FN = 17,
  Float8E4M3FNUZ = 18,
  Float8E5M2 = 19,
  Float8E5M2FNUZ = 20,
  UInt4 = 21,
  Int4 = 22
};

/// A constant. `bytes` are little-endian elements in row-major order: a view of the mapped file or of `owner`.
struct Tensor {
  std::string name;
  int32_t type = Undefined;
  llvm::SmallVector<int64_t, 4> dims;
  llvm::ArrayRef<char> bytes;
  std::shared_ptr<const void> owner;
  bool external = false;
  std::string location; // of external data, relative to the model's folder
  uint64_t offset = 0;
  uint64_t length = 0; // 0: what the shape says
};

struct Graph;

struct AttributeData {
  /// AttributeProto.AttributeType.
  enum Kind {
    Undefined = 0,
    Float = 1,
    Int = 2,
    String = 3,
    TensorKind = 4,
    GraphKind = 5,
    Floats = 6,
    Ints = 7,
    Strings = 8,
    Other = 9,
    Names = 10 // of a PyTorch call: values of the graph, numbers as text, "" for None
  };
  std::string name;
  std::string reference; // name of the enclosing function's attribute that gives the value
  Kind kind = Undefined;
  double f = 0;
  int64_t i = 0;
  std::string s;
  std::vector<double> floats;
  std::vector<int64_t> ints;
  std::vector<std::string> strings;
  std::shared_ptr<Tensor> tensor;
  std::shared_ptr<Graph> graph;
};

struct Node {
  std::string name, op, domain;
  int64_t opset = 0; // of the node's domain, set when functions are inlined
  std::vector<std::string> inputs, outputs;
  std::vector<AttributeData> attributes;
  std::vector<std::string> captures;    // names outside that its graphs read, set by validate()
  mlir::Operation *operation = nullptr; // of an MLIR program: what the node stands for

  /// The node's name, or that of its first result.
  llvm::StringRef label() const;
  /// Whether the node computes what graphs of its own say: If, Loop, Scan, FlexAttention.
  bool hasGraphs() const;
  /// Calls `visit` with every name that the node reads.
  void forEachRead(llvm::function_ref<void(const std::string &)> visit) const;
};

/// A dimension of a declared type: a size, a name, or neither.
struct Dimension {
  int64_t size = -1;
  std::string name;
};

struct ValueInfo {
  std::string name;
  bool isTensor = false;
  int32_t type = Undefined;
  bool hasShape = false;
  std::vector<Dimension> dims;
};

struct OpsetImport {
  std::string domain;
  int64_t version = 0;
};

struct Function {
  std::string domain, name, overload;
  std::vector<std::string> inputs, outputs, attributes;
  std::vector<AttributeData> defaults;
  std::vector<Node> nodes;
  std::vector<OpsetImport> opsets;
};

struct Graph {
  std::vector<Node> nodes;
  std::vector<Tensor> initializers;
  std::vector<ValueInfo> inputs, outputs;
  bool sparse = false; // has sparse initializers
};

struct Model {
  int64_t irVersion = 0;
  std::vector<OpsetImport> opsets;
  Graph graph;
  std::vector<Function> functions;
};

/// Parses the bytes of a model file. `error` is what is wrong, without the file's name. The model's tensors
/// view `bytes`, which the caller keeps alive.
bool readModel(llvm::ArrayRef<char> bytes, Model &model, std::string &error);

} // namespace coat::onnx

#endif
