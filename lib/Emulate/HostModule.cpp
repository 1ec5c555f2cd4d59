// A gpu.module in the LLVM and NVVM dialects becomes a module for the host: instructions of the GPU become calls,
// shared memory an address range, all address spaces one, and each kernel gets an entry that takes its parameters as
// cuLaunchKernel does.
#include "RuntimeCalls.h"
#include "coat/Emulate/Host.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace coat::emulate;

/// Upstream's conversions refuse some of what they would leave themselves, so they run only where something is left to
/// do.
static bool isLowered(gpu::GPUModuleOp module) {
  return !module.getBody()
              ->walk([](Operation *op) {
                return isa<LLVM::LLVMDialect, NVVM::NVVMDialect>(op->getDialect()) ? WalkResult::advance()
                                                                                   : WalkResult::interrupt();
              })
              .wasInterrupted();
}

LogicalResult coat::emulate::lowerToNVVM(gpu::GPUModuleOp module) {
  if (isLowered(module))
    return success();
  PassManager gpu(module.getContext(), gpu::GPUModuleOp::getOperationName());
  gpu.addPass(createConvertNVGPUToNVVMPass());
  gpu.addPass(createConvertVectorToSCFPass());
  gpu.addPass(createSCFToControlFlowPass());
  gpu.addPass(memref::createExpandStridedMetadataPass());
  gpu.addPass(createLowerAffinePass());
  ConvertGpuOpsToNVVMOpsOptions bare;
  bare.useBarePtrCallConv = true;
  gpu.addPass(createConvertGpuOpsToNVVMOps(bare));
  gpu.addPass(createCanonicalizerPass());
  gpu.addPass(createCSEPass());
  gpu.addPass(createReconcileUnrealizedCastsPass());
  return gpu.run(module);
}

namespace {
/// The variables of a gpu.module in shared memory, one behind the other; one without a size is the dynamic rest.
struct SharedLayout {
  llvm::StringMap<int64_t> offsets;
  int64_t bytes = 0;
};

struct HostModule {
  gpu::GPUModuleOp from;
  OwningOpRef<ModuleOp> module;
  SharedLayout shared;
  SmallVector<LLVM::LLVMFuncOp> kernels;

  explicit HostModule(gpu::GPUModuleOp from);
  LogicalResult run();

private:
  void layOutShared();
  LogicalResult replaceInstructions(LLVM::LLVMFuncOp function, bool &meets);
  void mergeAddressSpaces();
  void stripAttributes(LLVM::LLVMFuncOp function);
  LLVM::LLVMFuncOp createEntry(LLVM::LLVMFuncOp kernel, StringRef name);
  void describe(LLVM::LLVMFuncOp kernel, LLVM::LLVMFuncOp entry, StringRef name, bool meets);
  Value globalText(OpBuilder &builder, StringRef name, StringRef text);
};
} // namespace

HostModule::HostModule(gpu::GPUModuleOp from) : from(from), module(ModuleOp::create(from.getLoc())) {
  IRMapping map;
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  for (Operation &op : *from.getBody())
    builder.clone(op, map);
  for (auto function : module->getOps<LLVM::LLVMFuncOp>())
    if (function->hasAttr("nvvm.kernel") || function->hasAttr("gpu.kernel"))
      kernels.push_back(function);
}

void HostModule::layOutShared() {
  DataLayout layout(*module);
  SmallVector<LLVM::GlobalOp> dynamic, globals;
  for (auto global : module->getOps<LLVM::GlobalOp>())
    if (global.getAddrSpace() == 3)
      (layout.getTypeSize(global.getType()).isZero() ? dynamic : globals).push_back(global);
  globals.append(dynamic);
  for (LLVM::GlobalOp global : globals) {
    shared.bytes = llvm::alignTo(shared.bytes, std::max<uint64_t>(global.getAlignment().value_or(16), 16));
    shared.offsets[global.getSymName()] = shared.bytes;
    if (!llvm::is_contained(dynamic, global))
      shared.bytes += layout.getTypeSize(global.getType()).getFixedValue();
  }
  for (LLVM::GlobalOp global : globals)
    global.erase();
}

LogicalResult HostModule::replaceInstructions(LLVM::LLVMFuncOp function, bool &meets) {
  RuntimeCalls calls(function);
  guardMemory(function, calls, llvm::is_contained(kernels, function));
  if (failed(settleProducts(function, calls)))
    return failure();
  SmallVector<Operation *> ops;
  function.walk([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : ops) {
    if (auto address = dyn_cast<LLVM::AddressOfOp>(op); address && shared.offsets.count(address.getGlobalName())) {
      OpBuilder builder(op);
      Value base = calls.call(op, "coat_emu_shared", address.getType(), {});
      int32_t offset = shared.offsets[address.getGlobalName()];
      Value place = LLVM::GEPOp::create(builder, op->getLoc(), address.getType(), builder.getI8Type(), base,
                                        ArrayRef<LLVM::GEPArg>{offset});
      address.replaceAllUsesWith(place);
      op->erase();
    } else if (failed(replaceInstruction(op, calls))) {
      return failure();
    }
  }
  meets |= calls.meets();
  return success();
}

void HostModule::mergeAddressSpaces() {
  AttrTypeReplacer replacer;
  auto plain = LLVM::LLVMPointerType::get(module->getContext());
  replacer.addReplacement([&](LLVM::LLVMPointerType) -> std::optional<Type> { return plain; });
  replacer.recursivelyReplaceElementsIn(*module, /*replaceAttrs=*/true, /*replaceLocs=*/false, /*replaceTypes=*/true);
  module->walk([](LLVM::AddrSpaceCastOp cast) {
    cast.replaceAllUsesWith(cast.getArg());
    cast.erase();
  });
  for (auto global : module->getOps<LLVM::GlobalOp>())
    global.setAddrSpace(0);
}

/// What only PTX knows; the host gets none of it.
void HostModule::stripAttributes(LLVM::LLVMFuncOp function) {
  SmallVector<StringAttr> names;
  for (NamedAttribute attribute : function->getDiscardableAttrs())
    names.push_back(attribute.getName());
  for (StringAttr name : names)
    function->removeDiscardableAttr(name);
  function.removeArgAttrsAttr();
  function.removeResAttrsAttr();
  function.setLinkage(LLVM::Linkage::Internal);
  function.setCConv(LLVM::CConv::C);
}

/// void entry(void *const *params): a tensor map is passed where it lies, anything else is loaded.
LLVM::LLVMFuncOp HostModule::createEntry(LLVM::LLVMFuncOp kernel, StringRef name) {
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  Location loc = kernel.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()), {pointer});
  auto entry = LLVM::LLVMFuncOp::create(builder, loc, (name + ".entry").str(), type, LLVM::Linkage::Internal);
  builder.setInsertionPointToStart(entry.addEntryBlock(builder));
  SmallVector<Value> arguments;
  for (auto [number, argument] : llvm::enumerate(kernel.getArgumentTypes())) {
    Value slot = LLVM::GEPOp::create(builder, loc, pointer, pointer, entry.getArgument(0),
                                     ArrayRef<LLVM::GEPArg>{int32_t(number)});
    Value place = LLVM::LoadOp::create(builder, loc, pointer, slot);
    bool isInPlace = kernel.getArgAttr(number, LLVM::LLVMDialect::getByValAttrName()) != nullptr;
    arguments.push_back(isInPlace ? place : LLVM::LoadOp::create(builder, loc, argument, place).getResult());
  }
  LLVM::CallOp::create(builder, loc, kernel, arguments);
  LLVM::ReturnOp::create(builder, loc, ValueRange());
  return entry;
}

Value HostModule::globalText(OpBuilder &builder, StringRef name, StringRef text) {
  OpBuilder top = OpBuilder::atBlockBegin(module->getBody());
  auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), text.size() + 1);
  LLVM::GlobalOp::create(top, module->getLoc(), type, true, LLVM::Linkage::Internal, name,
                         builder.getStringAttr(text + StringRef("\0", 1)));
  return LLVM::AddressOfOp::create(builder, module->getLoc(), LLVM::LLVMPointerType::get(builder.getContext()), name);
}

/// Bytes behind each parameter: of the attribute coat.bytes; -1 where there is none, -2 where it is no pointer to them.
static SmallVector<int64_t> parameterBytes(LLVM::LLVMFuncOp kernel) {
  SmallVector<int64_t> bytes;
  for (auto [number, type] : llvm::enumerate(kernel.getArgumentTypes())) {
    bool isPointer =
        isa<LLVM::LLVMPointerType>(type) && !kernel.getArgAttr(number, LLVM::LLVMDialect::getByValAttrName());
    auto known = kernel.getArgAttrOfType<IntegerAttr>(number, "coat.bytes");
    bytes.push_back(!isPointer ? -2 : known ? known.getInt() : -1);
  }
  return bytes;
}

static int64_t threadsOf(LLVM::LLVMFuncOp kernel) {
  auto required = kernel->getAttrOfType<DenseI32ArrayAttr>("nvvm.reqntid");
  int64_t threads = required ? 1 : 0;
  if (required)
    for (int32_t size : required.asArrayRef())
      threads *= size;
  return threads;
}

/// The coat_emulated_kernel (include/coat/Emulate/Emulate.h).
void HostModule::describe(LLVM::LLVMFuncOp kernel, LLVM::LLVMFuncOp entry, StringRef name, bool meets) {
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  Location loc = kernel.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  Type word = builder.getI32Type();
  SmallVector<int64_t> bytes = parameterBytes(kernel);
  std::string bytesName = (name + ".bytes").str();
  auto array = LLVM::LLVMArrayType::get(builder.getI64Type(), bytes.size());
  LLVM::GlobalOp::create(builder, loc, array, true, LLVM::Linkage::Internal, bytesName,
                         builder.getI64TensorAttr(bytes));
  auto type =
      LLVM::LLVMStructType::getLiteral(builder.getContext(), {pointer, pointer, word, word, word, word, pointer});
  auto global = LLVM::GlobalOp::create(builder, loc, type, true, LLVM::Linkage::External, name, Attribute());
  builder.createBlock(&global.getInitializerRegion());
  auto number = [&](int64_t value) { return LLVM::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(value)); };
  Value fields[] = {globalText(builder, (name + ".name").str(), name),
                    LLVM::AddressOfOp::create(builder, loc, entry),
                    number(threadsOf(kernel)),
                    number(shared.bytes),
                    number(meets),
                    number(bytes.size()),
                    LLVM::AddressOfOp::create(builder, loc, pointer, bytesName)};
  Value value = LLVM::UndefOp::create(builder, loc, type);
  for (auto [i, field] : llvm::enumerate(fields))
    value = LLVM::InsertValueOp::create(builder, loc, value, field, int64_t(i));
  LLVM::ReturnOp::create(builder, loc, value);
}

LogicalResult HostModule::run() {
  layOutShared();
  bool meets = false;
  for (auto function : llvm::to_vector(module->getOps<LLVM::LLVMFuncOp>()))
    if (!function.isExternal() && failed(replaceInstructions(function, meets)))
      return failure();
  mergeAddressSpaces();
  for (LLVM::LLVMFuncOp kernel : kernels) {
    std::string name = from.getName().str();
    if (kernels.size() > 1)
      name += "_" + kernel.getSymName().str();
    kernel.setSymName(name + ".kernel"); // the plain name is that of its description; nothing calls a kernel
    describe(kernel, createEntry(kernel, name), name, meets);
  }
  for (auto function : module->getOps<LLVM::LLVMFuncOp>())
    if (!function.isExternal())
      stripAttributes(function);
  return success();
}

OwningOpRef<ModuleOp> coat::emulate::makeHostModule(gpu::GPUModuleOp from) {
  HostModule host(from);
  return succeeded(host.run()) ? std::move(host.module) : OwningOpRef<ModuleOp>();
}
