// What a handler sees of one node: inputs, attributes, and the ways to emit ops.
//
// Errors are sticky: the first one is kept, emission of later ops gives null
// values, and a handler only has to test what it dereferences.
#ifndef COAT_LIB_IMPORT_NODE_H
#define COAT_LIB_IMPORT_NODE_H

#include "Importer.h"
#include "mlir/IR/Diagnostics.h"

namespace coat::onnx {

class NodeImporter {
public:
  NodeImporter(Importer &importer, const Node &node);

  /// Checks after the handler: every attribute was read, every used result is there.
  void finish();
  bool failed() const { return !error.empty(); }
  /// The model is wrong: "expected .., got ..".
  void fail(const llvm::Twine &message);
  /// The model is right, coat cannot compile it yet.
  void refuse(const llvm::Twine &message);
  const std::string &message() const { return error; }
  bool isNotSupported() const { return notSupported; }

  int64_t opset() const { return node.opset; }
  llvm::StringRef op() const { return node.op; }
  /// The op of an MLIR program that the node stands for.
  mlir::Operation *operation() const { return node.operation; }

  // Inputs. An input that is absent (or empty) is an error unless has() was asked.
  unsigned numInputs() const { return node.inputs.size(); }
  bool has(unsigned input) const { return input < node.inputs.size() && !node.inputs[input].empty(); }
  mlir::RankedTensorType type(unsigned input);
  mlir::Type elementType(unsigned input);
  int64_t rank(unsigned input);
  llvm::SmallVector<mlir::AffineExpr> dims(unsigned input);
  mlir::Value tensor(unsigned input);
  /// An input whatever form it has, and a value of any form as a tensor.
  ModelValue modelValue(unsigned input);
  mlir::Value tensor(ModelValue value);
  /// Null when the input is not known element by element.
  const Known *known(unsigned input);
  /// A known input as integers; `what` names it in the error when it is not constant.
  llvm::SmallVector<int64_t> integers(unsigned input, llvm::StringRef what);
  /// The same, symbolic elements allowed.
  llvm::SmallVector<mlir::AffineExpr> sizes(unsigned input, llvm::StringRef what);
  /// A known input of one element as a number.
  double number(unsigned input, llvm::StringRef what);

  // Attributes, each with its default.
  bool hasAttribute(llvm::StringRef name);
  int64_t integer(llvm::StringRef name, int64_t fallback);
  double real(llvm::StringRef name, double fallback);
  std::string string(llvm::StringRef name, llvm::StringRef fallback);
  llvm::SmallVector<int64_t> integers(llvm::StringRef name);
  llvm::SmallVector<double> reals(llvm::StringRef name);
  llvm::SmallVector<std::string> strings(llvm::StringRef name);
  const Tensor *tensorAttribute(llvm::StringRef name);
  /// A graph attribute; null, with an error, when there is none.
  Graph *graph(llvm::StringRef name);
  /// Imports the nodes of a graph attribute with these values as its inputs. Its outputs; none after an error.
  llvm::SmallVector<ModelValue> importGraph(Graph &graph, llvm::ArrayRef<ModelValue> inputs);
  /// The attribute may only have this value: others are refused by name.
  void only(llvm::StringRef name, int64_t value);
  /// The attribute itself, of whatever kind; null when it is not there.
  const AttributeData *argument(llvm::StringRef name);
  llvm::ArrayRef<std::string> inputNames() const { return node.inputs; }
  /// Marks an attribute as read, for those that say nothing about inference.
  void ignore(llvm::StringRef name) { read.insert(name); }
  /// `axis` counted from the front, an error outside the rank.
  int64_t normalizeAxis(int64_t axis, int64_t rank);
  llvm::SmallVector<int64_t> normalizeAxes(llvm::ArrayRef<int64_t> axes, int64_t rank);

  // Results.
  unsigned numOutputs() const { return node.outputs.size(); }
  bool wants(unsigned output) const;
  /// The type of a result that was set; null before, and of an unused one.
  mlir::RankedTensorType resultType(unsigned output) const;
  void set(unsigned output, mlir::Value value);
  void set(unsigned output, Known known);
  void set(unsigned output, ModelValue value);
  /// The result is the input itself.
  void forward(unsigned output, unsigned input);

  // Ops. Results whose symbolic sizes differ from what the op says are an error of ours.
  template <typename OpTy>
  mlir::Operation *create(mlir::ValueRange operands, llvm::ArrayRef<mlir::NamedAttribute> attributes);
  template <typename OpTy>
  mlir::Value emit(mlir::ValueRange operands, llvm::ArrayRef<mlir::NamedAttribute> attributes = {});
  /// Elementwise on broadcast operands; two different symbolic sizes are refused.
  mlir::Value elementwise(ElementwiseKind kind, mlir::ValueRange operands, std::optional<double> alpha = {},
                          std::optional<double> beta = {});
  mlir::Value convert(mlir::Value value, mlir::Type elementType);
  mlir::Value reduce(ReduceKind kind, mlir::Value value, llvm::ArrayRef<int64_t> axes, bool keepDims = true);
  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<mlir::AffineExpr> shape);
  mlir::Value broadcast(mlir::Value value, llvm::ArrayRef<mlir::AffineExpr> shape);
  mlir::Value transpose(mlir::Value value, llvm::ArrayRef<int64_t> permutation);
  mlir::Value concat(mlir::ValueRange values, int64_t axis);
  mlir::Value slice(mlir::Value value, llvm::ArrayRef<mlir::AffineExpr> offsets, llvm::ArrayRef<mlir::AffineExpr> shape,
                    llvm::ArrayRef<int64_t> strides);
  /// A slice of one dimension.
  mlir::Value slice(mlir::Value value, int64_t axis, mlir::AffineExpr offset, mlir::AffineExpr size);
  /// A rank-0 constant.
  mlir::Value scalar(double value, mlir::Type elementType);
  mlir::Value constant(mlir::ElementsAttr value);
  mlir::Value constant(const Known &known);
  /// The i64 vector 0, 1 .. size - 1.
  mlir::Value positions(mlir::AffineExpr size);

  // What only a run can tell.
  /// The static shape that the model declares of a result; none unless it is an output of the model.
  std::optional<llvm::SmallVector<int64_t>> declaredShape(unsigned output) const;
  /// A run in which `truth`, an i1 scalar, is false ends with an error that says `message`.
  void require(mlir::Value truth, const llvm::Twine &message);
  /// A new size: the value of `count`, an i64 scalar of up to `most`.
  mlir::AffineExpr count(mlir::Value count, mlir::AffineExpr most);
  /// The beginning of a list in another shape.
  mlir::Value prefix(mlir::Value list, llvm::ArrayRef<mlir::AffineExpr> shape);

  // Sizes.
  llvm::SmallVector<mlir::AffineExpr> dims(mlir::Value value) { return importer.dims(value); }
  mlir::AffineExpr number(int64_t value) { return symbols.constant(value); }
  llvm::SmallVector<mlir::AffineExpr> numbers(llvm::ArrayRef<int64_t> values);
  /// An error unless the two sizes are provably equal. `what` says what must agree.
  bool requireEqual(mlir::AffineExpr a, mlir::AffineExpr b, llvm::StringRef what);
  /// Broadcast of leading dimensions, an error when they do not.
  llvm::SmallVector<mlir::AffineExpr> broadcastDims(llvm::ArrayRef<mlir::AffineExpr> a,
                                                    llvm::ArrayRef<mlir::AffineExpr> b);
  std::string print(llvm::ArrayRef<mlir::AffineExpr> shape) const;

  // Attributes of ops.
  mlir::NamedAttribute attr(llvm::StringRef name, llvm::ArrayRef<int64_t> values);
  mlir::NamedAttribute attr(llvm::StringRef name, int64_t value);
  mlir::NamedAttribute attr(llvm::StringRef name, double value);
  mlir::NamedAttribute attr(llvm::StringRef name, mlir::Attribute value);
  mlir::NamedAttribute unit(llvm::StringRef name);
  /// operandSegmentSizes of an op with optional operands.
  mlir::NamedAttribute segments(llvm::ArrayRef<int32_t> sizes);

  Importer &importer;
  mlir::OpBuilder &builder;
  mlir::MLIRContext *context;
  Symbols &symbols;
  mlir::Location loc;

private:
  ModelValue *value(unsigned input);
  const AttributeData *find(llvm::StringRef name, AttributeData::Kind kind, llvm::StringRef kindName);
  mlir::Operation *insert(mlir::OperationState &state, mlir::LogicalResult inferred);
  mlir::Value insert(mlir::OperationState &state, llvm::ArrayRef<mlir::AffineExpr> shape);
  mlir::Value foldOrKeep(mlir::Operation *op);
  bool deriveDims(mlir::Operation *op);
  mlir::AffineExpr exprOf(mlir::OpFoldResult size);
  void recordDims(mlir::Value value, llvm::ArrayRef<mlir::AffineExpr> shape);

  const Node &node;
  llvm::StringSet<> read;
  llvm::SmallVector<bool> produced;
  std::string error, diagnostic;
  bool notSupported = false;
  mlir::ScopedDiagnosticHandler diagnostics;
};

template <typename OpTy>
mlir::Operation *NodeImporter::create(mlir::ValueRange operands, llvm::ArrayRef<mlir::NamedAttribute> attributes) {
  if (failed() || llvm::is_contained(operands, mlir::Value()))
    return nullptr;
  mlir::OperationState state(loc, OpTy::getOperationName(), operands, mlir::TypeRange(), attributes);
  typename OpTy::Properties properties;
  OpTy::populateDefaultProperties(state.name, properties);
  mlir::DictionaryAttr dictionary = builder.getDictionaryAttr(attributes);
  mlir::LogicalResult inferred =
      OpTy::setPropertiesFromAttr(properties, dictionary, [&] { return mlir::emitError(loc); });
  if (succeeded(inferred))
    inferred = OpTy::inferReturnTypes(context, loc, operands, dictionary, &properties, {}, state.types);
  return insert(state, inferred);
}

template <typename OpTy>
mlir::Value NodeImporter::emit(mlir::ValueRange operands, llvm::ArrayRef<mlir::NamedAttribute> attributes) {
  mlir::Operation *op = create<OpTy>(operands, attributes);
  return op ? foldOrKeep(op) : mlir::Value();
}

/// One row of the table: an ONNX op (domain.op outside the default domain), the opsets whose meaning `import` knows,
/// and the handler.
struct Handler {
  llvm::StringLiteral op;
  int64_t first, last;
  void (*import)(NodeImporter &);
};

/// The newest opset that was checked against the handlers.
constexpr int64_t newest = 28;

// The families' parts of the table.
llvm::ArrayRef<Handler> attentionHandlers();
llvm::ArrayRef<Handler> contribHandlers();
llvm::ArrayRef<Handler> controlHandlers();
llvm::ArrayRef<Handler> convHandlers();
llvm::ArrayRef<Handler> einsumHandlers();
llvm::ArrayRef<Handler> elementwiseHandlers();
llvm::ArrayRef<Handler> gradientHandlers();
llvm::ArrayRef<Handler> indexHandlers();
llvm::ArrayRef<Handler> listHandlers();
llvm::ArrayRef<Handler> lossHandlers();
llvm::ArrayRef<Handler> movementHandlers();
llvm::ArrayRef<Handler> normHandlers();
llvm::ArrayRef<Handler> padHandlers();
llvm::ArrayRef<Handler> poolHandlers();
llvm::ArrayRef<Handler> productHandlers();
llvm::ArrayRef<Handler> quantHandlers();
llvm::ArrayRef<Handler> randomHandlers();
llvm::ArrayRef<Handler> recurrentHandlers();
llvm::ArrayRef<Handler> reduceHandlers();
llvm::ArrayRef<Handler> resizeHandlers();
llvm::ArrayRef<Handler> samplingHandlers();
llvm::ArrayRef<Handler> selectHandlers();
llvm::ArrayRef<Handler> sequenceHandlers();
llvm::ArrayRef<Handler> shapeHandlers();
llvm::ArrayRef<Handler> signalHandlers();
llvm::ArrayRef<Handler> sliceHandlers();
llvm::ArrayRef<Handler> stringHandlers();
llvm::ArrayRef<Handler> trainingHandlers();

llvm::ArrayRef<Handler> atenConvHandlers();
llvm::ArrayRef<Handler> atenElementwiseHandlers();
llvm::ArrayRef<Handler> atenProductHandlers();
llvm::ArrayRef<Handler> atenReduceHandlers();
llvm::ArrayRef<Handler> atenShapeHandlers();

llvm::ArrayRef<Handler> mlirLinalgHandlers();
llvm::ArrayRef<Handler> mlirScalarHandlers();
llvm::ArrayRef<Handler> mlirTensorHandlers();
llvm::ArrayRef<Handler> mlirWindowHandlers();
llvm::ArrayRef<Handler> tosaConvHandlers();
llvm::ArrayRef<Handler> tosaElementwiseHandlers();
llvm::ArrayRef<Handler> tosaMovementHandlers();

/// The handler of a node, or null with the reason.
const Handler *findHandler(const Node &node, std::string &refusal);

} // namespace coat::onnx

#endif
