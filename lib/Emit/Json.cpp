// net.json: what a compiled model is made of, for people, profilers and tests.
#include "llvm/Support/JSON.h"
#include "coat/Emit/Interface.h"
#include "coat/coat.h"
#include "llvm/Support/raw_ostream.h"

using namespace coat;
namespace json = llvm::json;

static const char *dtypeName(int32_t dtype) {
  static const char *names[] = {"",    "bool", "i8",   "i16", "i32", "i64",      "u8",     "u16", "u32",
                                "u64", "f16",  "bf16", "f32", "f64", "f8e4m3fn", "f8e5m2", "i4",  "u4"};
  return names[dtype];
}

/// Names of a model may be no UTF-8.
static std::string text(const std::string &name) { return json::fixUTF8(name); }

static void writeTensor(json::OStream &os, const TensorDescription &tensor) {
  os.object([&] {
    os.attribute("name", text(tensor.name));
    os.attribute("field", tensor.field);
    os.attribute("kind", tensor.isCount ? "count" : tensor.isOutput ? "output" : "input");
    if (tensor.isCount)
      os.attribute("most", tensor.most);
    os.attribute("dtype", dtypeName(tensor.dtype));
    os.attributeArray("dims", [&] {
      for (const DimDescription &dim : tensor.dims)
        if (dim.size >= 0)
          os.value(dim.size);
        else
          os.value(text(dim.text));
    });
  });
}

static void writeStrings(json::OStream &os, llvm::StringRef key, llvm::ArrayRef<std::string> values) {
  os.attributeArray(key, [&] {
    for (const std::string &value : values)
      os.value(text(value));
  });
}

static void writeKernel(json::OStream &os, const KernelDescription &kernel) {
  os.object([&] {
    os.attribute("name", kernel.name);
    writeStrings(os, "nodes", kernel.nodes);
    writeStrings(os, "ops", kernel.ops);
    if (!kernel.schedule.empty())
      os.attribute("schedule", kernel.schedule);
    if (kernel.tasks >= 0) // else it depends on symbolic dimensions
      os.attribute("tasks", kernel.tasks);
    os.attribute("flops", kernel.flops);
    os.attribute("bytes", kernel.bytes);
  });
}

static void writeSizes(json::OStream &os, llvm::StringRef key, const std::array<int64_t, 3> &sizes) {
  os.attributeArray(key, [&] {
    for (int64_t size : sizes)
      os.value(size);
  });
}

/// A kernel of "kernels" on one GPU architecture.
static void writeDeviceKernel(json::OStream &os, const DeviceKernel &kernel) {
  os.object([&] {
    os.attribute("name", kernel.kernel);
    os.attribute("arch", kernel.arch);
    writeSizes(os, "grid", kernel.grid);
    writeSizes(os, "block", kernel.block);
    os.attribute("dynamic_shared", kernel.shared);
    os.attribute("static_shared", kernel.staticShared);
    os.attribute("registers", kernel.registers);
    os.attribute("spills", kernel.spills);
    os.attribute("stack", kernel.stack);
    os.attribute("tma_maps", int64_t(kernel.maps.size()));
    os.attribute("cubin_bytes", int64_t(kernel.cubin.size()));
  });
}

std::string coat::jsonText(const ModelDescription &model) {
  std::string result;
  llvm::raw_string_ostream stream(result);
  json::OStream os(stream, /*IndentSize=*/1);
  os.object([&] {
    os.attribute("name", model.name);
    os.attribute("abi", COAT_ABI);
    os.attribute("compiler", compilerVersion);
    os.attribute("source_hash", model.sourceHash);
    os.attribute("device", model.onDevice ? "cuda" : "cpu");
    writeStrings(os, model.onDevice ? "targets" : "isas", model.isas);
    os.attributeArray("tensors", [&] {
      for (const TensorDescription &tensor : model.tensors)
        writeTensor(os, tensor);
    });
    os.attributeArray("symbols", [&] {
      for (const SymbolDescription &symbol : model.symbols)
        os.object([&] {
          os.attribute("name", text(symbol.name));
          os.attribute("field", symbol.field);
          os.attribute("min", symbol.min);
          os.attribute("max", symbol.max);
        });
    });
    os.attributeArray("aliases", [&] {
      for (auto [input, output] : model.aliases)
        os.value(json::Array{text(model.tensors[input].name), text(model.tensors[output].name)});
    });
    os.attributeObject("memory", [&] {
      os.attribute("weights", model.weightsSize);
      os.attribute("weights_in_file", model.weightsInFile);
      os.attribute("workspace", model.workspaceSize);
      os.attribute("scratch_per_worker", model.scratchSize);
    });
    os.attributeArray("kernels", [&] {
      for (const KernelDescription &kernel : model.kernels)
        writeKernel(os, kernel);
    });
    if (model.onDevice)
      os.attributeArray("device_kernels", [&] {
        for (const DeviceKernel &kernel : model.deviceKernels)
          writeDeviceKernel(os, kernel);
      });
  });
  return result + "\n";
}
