// What is known about a model besides its code: the one source of the C tables (coat_model of runtime/model.h), of the
// header and of the .json, so that they cannot disagree.
//
// The driver reads it in three steps, because no stage knows everything: annotateKernels() when kernels have just been
// formed and still hold ops, describeModel() when Memory has placed everything, describeTasks() when Lower has counted
// the tasks. All leave the code as it is.
#ifndef COAT_EMIT_DESCRIPTION_H
#define COAT_EMIT_DESCRIPTION_H

#include "coat/Emit/DeviceCode.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include <cstdint>
#include <string>
#include <vector>

namespace coat {

/// One dimension: a number, or an expression of symbols.
struct DimDescription {
  int64_t size = -1;         // >= 0: static
  int32_t symbol = -1;       // >= 0: equals this symbol
  std::string text;          // "224", "N" or "2*N + 1"
  std::vector<int64_t> code; // postfix program of coat_code, ended; empty when static
  int64_t max = 0;           // largest value
  int32_t count = -1;        // >= 0: the data decide, and this tensor has the number
};

struct TensorDescription {
  std::string name;  // as in the model
  std::string field; // as in net_args
  int32_t dtype;     // enum coat_dtype
  bool isOutput = false;
  bool isCount = false; // how much there is of other outputs, `most` at most
  int64_t most = 0;
  std::vector<DimDescription> dims;
};

struct SymbolDescription {
  std::string name, field;
  int64_t min = 1, max = 1;
};

/// One launch, in order.
struct KernelDescription {
  std::string name;               // kernel function without the model's prefix
  std::vector<std::string> nodes; // of the model
  std::vector<std::string> ops;   // kinds, root first
  std::string signature;          // what tuning knows the kernel by; empty when nothing is tuned
  std::string schedule;           // as printed; empty without one
  int64_t flops = 0, bytes = 0;   // symbolic dimensions count as 1
  int64_t tasks = -1;             // -1: depends on symbolic dimensions
};

/// Bytes of the weight blob; the rest of it is zero.
struct WeightDescription {
  mlir::ElementsAttr value;
  int64_t offset; // bytes, a multiple of 64
};

struct ModelDescription {
  std::string name; // prefix of every symbol
  std::string sourceHash;
  std::vector<TensorDescription> tensors; // inputs, then outputs
  std::vector<SymbolDescription> symbols;
  std::vector<std::pair<int32_t, int32_t>> aliases; // (input, output), as indices into tensors
  std::vector<std::string> isas;                    // best first
  std::vector<KernelDescription> kernels;
  std::vector<std::string> requirements; // messages, in the order of the body
  std::vector<WeightDescription> weights;
  int64_t weightsSize = 0;
  bool weightsInFile = false; // --weights=file
  int64_t workspaceSize = 0;  // at the largest sizes
  int64_t scratchSize = 0;    // a worker's
  bool onDevice = false;      // --device=cuda: then `isas` names the targets of these
  std::vector<DeviceKernel> deviceKernels;
};

/// Writes coat.ops, coat.flops and coat.bytes on each kernel function from the coat ops inside.
void annotateKernels(mlir::ModuleOp module);

/// Reads everything but sourceHash, isas and weightsInFile from a module that has left the Memory stage.
llvm::FailureOr<ModelDescription> describeModel(mlir::ModuleOp module);

/// Fills the tasks of the kernels from a module that has left the Lower stage.
void describeTasks(mlir::ModuleOp lowered, ModelDescription &model);

/// The C identifier for a name of the model: every character that C does not allow becomes '_', a leading digit gets
/// '_' before it, a keyword of C or C++ or a member of net_args ("struct_size") gets '_' after it; then, if `taken`
/// holds it already, "_2", "_3" .. is appended. The result is added to `taken`.
std::string fieldName(llvm::StringRef name, std::vector<std::string> &taken);

} // namespace coat

#endif
