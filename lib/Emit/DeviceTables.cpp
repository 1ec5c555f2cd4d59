// The tables of runtime/cuda_model.h, field by field in the order of its structs.
#include "DeviceTables.h"
#include "TableBuilder.h"
#include "cuda_model.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;
using namespace coat;

namespace {
class DeviceTableBuilder : public TableBuilder {
public:
  using TableBuilder::TableBuilder;

  /// Numbers, and zeros up to `count`.
  Constant *words(ArrayRef<int64_t> values, size_t count, unsigned bits) {
    Type *type = Type::getIntNTy(context, bits);
    SmallVector<Constant *> items;
    for (size_t i = 0; i < count; i++)
      items.push_back(ConstantInt::getSigned(type, i < values.size() ? values[i] : 0));
    return ConstantArray::get(ArrayType::get(type, count), items);
  }

  /// Code, once however many targets use it; with a NUL behind it, which ends PTX.
  Constant *image(StringRef bytes) {
    Constant *&known = images[bytes];
    if (!known)
      known = global(ConstantDataArray::getString(context, bytes), /*alignment=*/64);
    return known;
  }

  Constant *map(const DeviceMap &map) {
    int32_t type = StringSwitch<int32_t>(map.type).Case("f16", 6).Case("f32", 7).Case("bf16", 9).Default(11);
    int32_t swizzle =
        map.swizzle ? Log2_64(map.swizzle) - 4 : 0; // CUtensorMapSwizzle: 32 bytes is 1, 64 is 2, 128 is 3
    return record({i32(map.argument), i32(map.im2col), i32(type), i32(map.sizes.size()), i32(swizzle),
                   i32(map.channels), i32(map.pixels), words(map.lower, 3, 32), words(map.upper, 3, 32),
                   words(map.box, 5, 32), words(map.elementStrides, 5, 32), words(map.sizes, 5, 64),
                   words(map.strides, 4, 64)});
  }

  Constant *kernel(const DeviceKernel &kernel, DeviceTarget::Kind kind) {
    return record({text(kernel.kernel), image(kind == DeviceTarget::ptx ? kernel.ptx : kernel.cubin),
                   table(kernel.maps, [&](const DeviceMap &m) { return map(m); }), i32(kernel.maps.size()),
                   i32(kernel.pointers), words(kernel.grid, 3, 32), words(kernel.block, 3, 32),
                   words(kernel.cluster, 3, 32), i32(kernel.shared)});
  }

  Constant *target(const DeviceTarget &target) {
    return record({text(target.name), i32(target.major), i32(target.minor), i64(target.kind),
                   table(target.kernels, [&](const DeviceKernel *k) { return kernel(*k, target.kind); })});
  }

private:
  StringMap<Constant *> images;
};

Error check(const DeviceKernel &kernel) {
  if (kernel.pointers > COAT_CUDA_MAX_POINTERS || kernel.maps.size() > COAT_CUDA_MAX_MAPS)
    return createStringError("kernel %s: more than %d arguments or %d TMA maps are not supported, got %d and %d",
                             kernel.kernel.c_str(), COAT_CUDA_MAX_POINTERS, COAT_CUDA_MAX_MAPS, kernel.pointers,
                             int(kernel.maps.size()));
  return Error::success();
}
} // namespace

Error coat::addDeviceTables(Module &module, const ModelDescription &model, Function *body) {
  static_assert(sizeof(coat_cuda_map) == 168 && sizeof(coat_cuda_kernel) == 72 && sizeof(coat_cuda_target) == 32 &&
                    sizeof(coat_cuda_model) == 40,
                "expected the tables to list every field");
  static_assert(int(DeviceTarget::exact) == COAT_CUDA_EXACT && int(DeviceTarget::family) == COAT_CUDA_FAMILY &&
                int(DeviceTarget::ptx) == COAT_CUDA_PTX);
  DeviceTableBuilder t(module);
  std::vector<DeviceTarget> targets = deviceTargets(model.deviceKernels);
  size_t maps = 0;
  for (const DeviceKernel &kernel : model.deviceKernels) {
    if (Error error = check(kernel))
      return error;
    maps = std::max(maps, kernel.maps.size());
  }
  size_t kernels = targets.empty() ? 0 : targets.front().kernels.size();
  t.define(
      "coat_the_cuda_model",
      t.record({t.table(targets, [&](const DeviceTarget &target) { return t.target(target); }), t.i32(targets.size()),
                t.i32(kernels), t.i32(model.kernels.size()), t.i32(maps), t.i64(model.weightsSize), body}));
  return Error::success();
}
