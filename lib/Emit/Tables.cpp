// The tables of runtime/model.h, field by field in the order of its structs and of those of runtime/coat.h.
#include "Tables.h"
#include "Compile.h"
#include "TableBuilder.h"
#include "coat/Emit/Interface.h"
#include "model.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"

using namespace llvm;
using namespace coat;

namespace {
class InfoBuilder : public TableBuilder {
public:
  InfoBuilder(Module &module, const ModelDescription &model) : TableBuilder(module), model(model) {}

  Constant *joined(ArrayRef<std::string> parts) { return text(llvm::join(parts, "+")); }

  Constant *dim(const DimDescription &dim) {
    Constant *code = dim.code.empty() ? null : global(ConstantDataArray::get(context, ArrayRef<int64_t>(dim.code)));
    return record({i64(dim.size), i32(dim.symbol), i32(dim.count + 1), text(dim.text), code});
  }
  Constant *tensor(const TensorDescription &tensor) {
    SmallVector<Constant *> dims;
    for (const DimDescription &d : tensor.dims)
      dims.push_back(dim(d));
    return record({text(tensor.name), text(tensor.field), i32(tensor.dtype), i32(tensor.dims.size()),
                   i32((tensor.isOutput ? COAT_TENSOR_OUTPUT : 0) | (tensor.isCount ? COAT_TENSOR_COUNT : 0)), i32(0),
                   array(dims)});
  }
  /// A function of model.c, by its name there.
  Constant *function(StringRef name) {
    auto *type = FunctionType::get(Type::getVoidTy(context), false);
    return cast<Constant>(module.getOrInsertFunction(name, type).getCallee());
  }

  Constant *info() {
    int64_t inputs = llvm::count_if(model.tensors, [](const TensorDescription &t) { return !t.isOutput; });
    return record({i64(sizeof(coat_model_info)),
                   i32(COAT_ABI),
                   i32(model.onDevice ? COAT_DEVICE_CUDA : COAT_DEVICE_CPU),
                   text(model.name),
                   text(compilerVersion),
                   text(model.sourceHash),
                   i32(inputs),
                   i32(model.tensors.size() - inputs),
                   i32(model.symbols.size()),
                   i32(model.aliases.size()),
                   i32(model.isas.size()),
                   i32(model.kernels.size()),
                   table(model.tensors, [&](const TensorDescription &t) { return tensor(t); }),
                   table(model.symbols,
                         [&](const SymbolDescription &s) {
                           return record({text(s.name), text(s.field), i64(s.min), i64(s.max)});
                         }),
                   table(model.aliases, [&](auto &pair) { return record({i32(pair.first), i32(pair.second)}); }),
                   texts(model.isas),
                   table(model.kernels,
                         [&](const KernelDescription &k) {
                           return record({text(k.name), joined(k.nodes), joined(k.ops), i64(k.flops), i64(k.bytes)});
                         }),
                   i64(model.weightsInFile ? model.weightsSize : 0),
                   function("coat_export_run_flat"),
                   function("coat_flat_workspace_size"),
                   function("coat_shape"),
                   function("coat_export_state_size"),
                   function("coat_export_init"),
                   function("coat_export_fini"),
                   function("coat_export_strerror")});
  }

  const ModelDescription &model;
};

/// The enum coat_cpu_feature bits that code for `isa` needs, from the features that LLVM may use for it.
Expected<uint64_t> featuresOf(const EmitOptions &options, const IsaOptions &isa) {
  auto machine = makeTargetMachine(options, isa);
  if (!machine)
    return machine.takeError();
  if (!(*machine)->getTargetTriple().isX86())
    return 0;
  constexpr std::pair<const char *, uint64_t> groups[] = {
      {"+sse4.2", COAT_CPU_X86_64_V2},       {"+avx2", COAT_CPU_X86_64_V3},
      {"+avx512f", COAT_CPU_X86_64_V4},      {"+avx512vnni", COAT_CPU_AVX512_VNNI},
      {"+avx512bf16", COAT_CPU_AVX512_BF16}, {"+avx512fp16", COAT_CPU_AVX512_FP16},
      {"+avxvnni", COAT_CPU_AVX_VNNI}};
  uint64_t bits = 0;
  for (auto [feature, bit] : groups)
    if ((*machine)->getMCSubtargetInfo()->checkFeatures(feature))
      bits |= bit;
  return bits;
}
} // namespace

Error coat::addTables(Module &module, const ModelDescription &model, const EmitOptions &options,
                      ArrayRef<Function *> bodies, GlobalVariable *weights) {
  static_assert(sizeof(coat_model_info) == 168, "expected the tables below to list every field of coat_model_info");
  InfoBuilder t(module, model);
  SmallVector<Constant *> isas;
  for (auto [isa, body] : llvm::zip(options.isas, bodies)) {
    Expected<uint64_t> features = featuresOf(options, isa);
    if (!features)
      return features.takeError();
    isas.push_back(t.record({t.i64(*features), body}));
  }
  int64_t dims = 0;
  for (const TensorDescription &tensor : model.tensors)
    dims += tensor.dims.size();
  t.define("coat_the_model",
           t.record({t.info(), t.array(isas), weights ? static_cast<Constant *>(weights) : t.null,
                     t.i64(model.workspaceSize), t.i64(model.scratchSize), t.i64(dims), t.texts(model.requirements)}));
  return Error::success();
}
