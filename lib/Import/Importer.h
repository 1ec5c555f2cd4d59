// The state of one import: the function being built, the model's values, and
// the sizes that have become IR.
#ifndef COAT_LIB_IMPORT_IMPORTER_H
#define COAT_LIB_IMPORT_IMPORTER_H

#include "Known.h"
#include "OnnxModel.h"
#include "OnnxTensor.h"
#include "coat/Import/Onnx.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

namespace coat::onnx {

/// A value of the model: known element by element, a tensor in the IR, or both. A list of such values, and bytes of a
/// type that nothing computes on, have no type and a refusal for those who expect a tensor of numbers.
struct ModelValue {
  mlir::RankedTensorType type;
  mlir::Value tensor; // null until an op needs it
  std::optional<Known> known;
  const Tensor *data = nullptr; // of a constant of the model
  std::string refusal;          // why the value cannot be used, if so
  bool poisoned = false;        // computed from a refused node (checkOnnx)
  std::shared_ptr<std::vector<std::shared_ptr<ModelValue>>> list;
  mlir::Value bytes; // of strings, in a last dimension of their own, or of numbers of 8 or 4 bits: OnnxBytes.h
  int32_t bytesType = Undefined;

  static ModelValue ofBytes(mlir::Value bytes, int32_t type);
};

/// Type of a graph input, its symbolic sizes resolved.
struct InputType {
  std::string name;
  mlir::RankedTensorType type;
  llvm::SmallVector<mlir::AffineExpr> dims;
  int32_t bytesType = Undefined; // where it is the bytes of that type
};

/// Types of the graph's inputs under the options; adds the symbols. False with `error`.
bool resolveInputs(const Model &model, const ImportOptions &options, mlir::MLIRContext *context, Symbols &symbols,
                   std::vector<InputType> &inputs, std::string &error, bool &notSupported);

/// Notes on results of a complete entry which input's place they may take.
void markInPlace(mlir::func::FuncOp entry);

class Importer {
public:
  Importer(mlir::MLIRContext *context, std::string fileName, std::string entryName, TensorReader &tensors)
      : context(context), builder(context), symbols(context), fileName(std::move(fileName)),
        entryName(std::move(entryName)), tensors(tensors) {}

  /// Builds the module. With `coverage`, goes on after a refused node and writes one entry a node.
  mlir::OwningOpRef<mlir::ModuleOp> run(Model &model, llvm::ArrayRef<Node> nodes, const ImportOptions &options,
                                        std::vector<CoverageEntry> *coverage);

  /// The tensor of a value, built now if it was not; null, with `why`, when it cannot be.
  mlir::Value materialize(ModelValue &value, mlir::Location loc, std::string &why);
  /// Sizes of a tensor in the IR.
  llvm::SmallVector<mlir::AffineExpr> dims(mlir::Value tensor) const;
  void setDims(mlir::Value tensor, llvm::ArrayRef<mlir::AffineExpr> sizes);
  /// A size as an index value, computed once at the top of the entry.
  mlir::Value size(mlir::AffineExpr expr);
  /// A size that only a run can tell: the value of `count`, an i64 scalar of at least 0 and at most `most`.
  mlir::AffineExpr addCount(mlir::Value count, int64_t most, llvm::StringRef name);
  /// The expression of a value that size() made, else null.
  mlir::AffineExpr exprOf(mlir::Value value) const { return sizeExprs.lookup(value); }
  /// Imports the nodes of a flattened and validated graph of a node, once more for each step of a loop. False with the
  /// reason.
  bool importGraph(Graph &graph, std::string &message, bool &refused);
  /// Registers a constant; null type when its element type is not supported.
  ModelValue constant(const Tensor &tensor);

  mlir::MLIRContext *context;
  mlir::OpBuilder builder;
  Symbols symbols;
  llvm::StringMap<ModelValue> values;
  llvm::StringSet<> used;                               // names that a node or a graph output reads
  llvm::StringMap<llvm::SmallVector<int64_t>> declared; // static shapes that the model declares of its outputs
  std::string fileName, entryName;
  int64_t unrolled = 0; // nodes of all steps of loops
  int64_t imported = 0; // nodes, those of branches and steps too
  int64_t derived = 0;  // ops that Gradients have gone through
  TensorReader &tensors;
  std::string error;
  bool notSupported = false;

private:
  bool fail(const llvm::Twine &message) {
    error = message.str();
    return false;
  }
  bool createEntry(const Model &model, const ImportOptions &options);
  bool importNodes(llvm::ArrayRef<Node> nodes, std::vector<CoverageEntry> *coverage);
  bool createReturn(const Model &model);
  bool dependsOnCount(mlir::AffineExpr size) const;
  mlir::Value countOf(mlir::AffineExpr size);
  bool nameCounts(const Model &model, llvm::SmallVectorImpl<mlir::Value> &results);
  void eraseDeadOps();
  void collectUses(llvm::ArrayRef<Node> nodes, llvm::ArrayRef<ValueInfo> outputs);

  mlir::func::FuncOp entry;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::AffineExpr>> sizesOf;
  llvm::DenseMap<mlir::AffineExpr, mlir::Value> sizeValues;
  llvm::DenseMap<mlir::Value, mlir::AffineExpr> sizeExprs;
  llvm::DenseMap<mlir::AffineExpr, mlir::Value> counts;      // of the symbols that addCount made
  llvm::MapVector<mlir::AffineExpr, std::string> countNames; // of the sizes of results that depend on them
  mlir::Operation *lastSize = nullptr;                       // sizes are inserted behind it, at the top of the entry
};

} // namespace coat::onnx

#endif
