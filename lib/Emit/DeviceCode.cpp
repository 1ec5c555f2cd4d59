// Reads how GPU kernels are launched from the attributes of their functions, and sorts them into targets.
#include "coat/Emit/DeviceCode.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace coat;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

/// A list of integers, however it is spelled: array<i64: ..>, array<i32: ..> or [1 : i64, ..].
static std::vector<int64_t> integers(Attribute attribute) {
  std::vector<int64_t> result;
  if (auto array = dyn_cast_or_null<DenseI64ArrayAttr>(attribute))
    result.assign(array.asArrayRef().begin(), array.asArrayRef().end());
  else if (auto array = dyn_cast_or_null<DenseI32ArrayAttr>(attribute))
    result.assign(array.asArrayRef().begin(), array.asArrayRef().end());
  else if (auto list = dyn_cast_or_null<ArrayAttr>(attribute))
    for (Attribute item : list)
      result.push_back(isa<IntegerAttr>(item) ? cast<IntegerAttr>(item).getInt() : -1);
  return result;
}

static int64_t integer(DictionaryAttr dictionary, StringRef name) {
  auto attribute = dictionary.getAs<IntegerAttr>(name);
  return attribute ? attribute.getInt() : 0;
}

static LogicalResult readSizes(Operation *function, StringRef name, std::array<int64_t, 3> &sizes) {
  Attribute attribute = function->getAttr(name);
  std::vector<int64_t> values = integers(attribute);
  if (attribute && (values.empty() || values.size() > 3 || llvm::any_of(values, [](int64_t n) { return n < 1; })))
    return function->emitOpError("expected ") << name << " of one to three positive numbers, got " << attribute;
  llvm::copy(values, sizes.begin());
  return success();
}

//===----------------------------------------------------------------------===//
// Maps
//===----------------------------------------------------------------------===//

static int64_t elementBytes(StringRef type) {
  return llvm::StringSwitch<int64_t>(type).Cases({"f16", "bf16"}, 2).Cases({"f32", "tf32"}, 4).Default(0);
}

/// What the driver would refuse when the library runs; texts of cuTensorMapEncodeTiled and cuTensorMapEncodeIm2col.
static const char *problemOf(const DeviceMap &map, int64_t pointers) {
  size_t rank = map.sizes.size();
  int64_t bytes = elementBytes(map.type);
  auto within = [](int64_t n, int64_t least, int64_t most) { return n >= least && n <= most; };
  if (!bytes)
    return "a type of f16, bf16, f32 or tf32";
  if (map.argument < 0 || map.argument >= pointers)
    return "an argument of the kernel";
  if (rank < (map.im2col ? 3 : 1) || rank > 5 || map.strides.size() != rank - 1 || map.elementStrides.size() != rank)
    return "one to five sizes (three to five for im2col), a stride less, as many element strides";
  if (llvm::any_of(map.sizes, [&](int64_t n) { return !within(n, 1, int64_t(1) << 32); }))
    return "sizes of 1 to 2^32";
  if (llvm::any_of(map.strides, [&](int64_t n) { return n % 16 || !within(n, 16, (int64_t(1) << 40) - 16); }))
    return "strides that are multiples of 16 bytes, below 2^40";
  if (llvm::any_of(map.elementStrides, [&](int64_t n) { return !within(n, 1, 8); }))
    return "element strides of 1 to 8";
  if (!llvm::is_contained({0, 32, 64, 128}, map.swizzle))
    return "a swizzle of 0, 32, 64 or 128 bytes";
  int64_t inner = map.im2col ? map.channels : map.box.empty() ? 0 : map.box[0];
  if (inner * bytes % 16 || (map.swizzle && inner * bytes > map.swizzle))
    return "rows of the box that are multiples of 16 bytes, and no longer than the swizzle";
  if (!map.im2col)
    return map.box.size() != rank || llvm::any_of(map.box, [&](int64_t n) { return !within(n, 1, 256); })
               ? "a box with as many sizes, of 1 to 256"
               : nullptr;
  if (map.lower.size() != rank - 2 || map.upper.size() != rank - 2)
    return "lower and upper corners of two numbers less than sizes";
  return within(map.channels, 1, 256) && within(map.pixels, 1, 1024) ? nullptr
                                                                     : "1 to 256 channels and 1 to 1024 pixels";
}

static LogicalResult readMaps(Operation *function, DeviceKernel &kernel) {
  auto list = function->getAttrOfType<ArrayAttr>("coat.maps");
  for (Attribute attribute : list ? list.getValue() : ArrayRef<Attribute>()) {
    auto fields = dyn_cast<DictionaryAttr>(attribute);
    auto kind = fields ? fields.getAs<StringAttr>("kind") : StringAttr();
    auto type = fields ? fields.getAs<StringAttr>("type") : StringAttr();
    if (!kind || !type || (kind != "tile" && kind != "im2col"))
      return function->emitOpError("expected coat.maps of {kind = \"tile\" or \"im2col\", type = .., ..}, got ")
             << attribute;
    DeviceMap map;
    map.argument = integer(fields, "arg");
    map.im2col = kind == "im2col";
    map.type = type.str();
    map.sizes = integers(fields.get("sizes"));
    map.strides = integers(fields.get("strides"));
    map.box = integers(fields.get("box"));
    map.elementStrides = integers(fields.get("element_strides"));
    if (map.elementStrides.empty())
      map.elementStrides.assign(map.sizes.size(), 1);
    map.swizzle = integer(fields, "swizzle");
    map.lower = integers(fields.get("lower"));
    map.upper = integers(fields.get("upper"));
    map.channels = integer(fields, "channels");
    map.pixels = integer(fields, "pixels");
    if (const char *problem = problemOf(map, kernel.pointers))
      return function->emitOpError("expected a TMA map with ") << problem << ", got " << attribute;
    kernel.maps.push_back(std::move(map));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

static FailureOr<DeviceKernel> readKernel(gpu::GPUModuleOp module) {
  LLVM::LLVMFuncOp function;
  for (auto candidate : module.getOps<LLVM::LLVMFuncOp>())
    if (candidate->hasAttr("coat.grid"))
      function = candidate;
  if (!function)
    return module.emitOpError("expected an llvm.func with coat.grid, got none"), failure();
  DeviceKernel kernel;
  kernel.kernel = function.getName().str();
  StringRef arch = module.getName();
  if (!arch.consume_front(kernel.kernel) || !arch.consume_front("_"))
    return module.emitOpError("expected the name ") << kernel.kernel << "_<architecture>", failure();
  kernel.arch = arch.str();
  auto maps = function->getAttrOfType<ArrayAttr>("coat.maps");
  kernel.pointers = int32_t(function.getNumArguments()) - int32_t(maps ? maps.size() : 0);
  if (auto shared = function->getAttrOfType<IntegerAttr>("coat.shared"))
    kernel.shared = shared.getInt();
  if (failed(readSizes(function, "coat.grid", kernel.grid)) ||
      failed(readSizes(function, "nvvm.reqntid", kernel.block)) ||
      failed(readSizes(function, "coat.cluster", kernel.cluster)) || failed(readMaps(function, kernel)))
    return failure();
  return kernel;
}

FailureOr<std::vector<DeviceKernel>> coat::describeDeviceKernels(ModuleOp module) {
  llvm::StringMap<std::vector<DeviceKernel>> byName;
  std::vector<std::string> archs; // in the order of the first kernel
  for (auto code : module.getOps<gpu::GPUModuleOp>()) {
    FailureOr<DeviceKernel> kernel = readKernel(code);
    if (failed(kernel))
      return failure();
    if (!llvm::is_contained(archs, kernel->arch))
      archs.push_back(kernel->arch);
    byName[kernel->kernel].push_back(std::move(*kernel));
  }
  ArrayAttr names;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    if (auto list = function->getAttrOfType<ArrayAttr>("coat.kernels"))
      names = list;
  if (!names)
    return module.emitError("expected a function with coat.kernels, got none"), failure();
  std::vector<DeviceKernel> result;
  for (auto name : names.getAsValueRange<StringAttr>())
    for (const std::string &arch : archs) {
      std::vector<DeviceKernel> &kernels = byName[name];
      auto found = llvm::find_if(kernels, [&](const DeviceKernel &kernel) { return kernel.arch == arch; });
      if (found == kernels.end())
        return module.emitError("expected kernel ") << name << " for " << arch << ", as others are", failure();
      result.push_back(std::move(*found));
    }
  return result;
}

//===----------------------------------------------------------------------===//
// Targets
//===----------------------------------------------------------------------===//

std::vector<DeviceTarget> coat::deviceTargets(const std::vector<DeviceKernel> &kernels) {
  std::vector<DeviceTarget> targets;
  for (const DeviceKernel &kernel : kernels) {
    auto found = llvm::find_if(targets, [&](const DeviceTarget &target) { return target.name == kernel.arch; });
    if (found == targets.end()) {
      DeviceTarget &target = targets.emplace_back();
      target.name = kernel.arch;
      StringRef digits = StringRef(kernel.arch).drop_front(strlen("sm_"));
      target.kind = llvm::isDigit(digits.back()) ? DeviceTarget::family : DeviceTarget::exact;
      int capability = 0;
      digits.take_while(llvm::isDigit).getAsInteger(10, capability);
      target.major = capability / 10;
      target.minor = capability % 10;
      found = std::prev(targets.end());
    }
    found->kernels.push_back(&kernel);
  }
  auto order = [](const DeviceTarget &target) { return std::tuple(-int(target.kind), target.major, target.minor); };
  for (size_t i = 0, cubins = targets.size(); i < cubins; i++) {
    const DeviceTarget &target = targets[i];
    bool latest = llvm::none_of(targets, [&](const DeviceTarget &other) {
      return other.kind == DeviceTarget::family && other.major == target.major && other.minor > target.minor;
    });
    if (target.kind != DeviceTarget::family || !latest)
      continue;
    DeviceTarget ptx = target;
    ptx.kind = DeviceTarget::ptx;
    ptx.name = "compute_" + std::to_string(ptx.major * 10 + ptx.minor);
    targets.push_back(std::move(ptx));
  }
  llvm::stable_sort(targets, [&](auto &a, auto &b) { return order(a) > order(b); });
  return targets;
}
