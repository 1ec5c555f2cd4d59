// coat._runtime: a compiled model as a Python object. It knows a library only through coat_model_v1,
// as any loader does; names, dtypes and shapes come from its coat_model_info.
#include "coat/coat.h"
#include "coat/threads.h"
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <memory>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace nb = nanobind;

namespace {

nb::dlpack::dtype dlpackType(int32_t dtype) {
  using Code = nb::dlpack::dtype_code;
  auto make = [](Code code, int bits) { return nb::dlpack::dtype{(uint8_t)code, (uint8_t)bits, 1}; };
  switch (dtype) {
  case COAT_BOOL:
    return make(Code::Bool, 8);
  case COAT_I8:
    return make(Code::Int, 8);
  case COAT_I16:
    return make(Code::Int, 16);
  case COAT_I32:
    return make(Code::Int, 32);
  case COAT_I64:
    return make(Code::Int, 64);
  case COAT_U8:
    return make(Code::UInt, 8);
  case COAT_U16:
    return make(Code::UInt, 16);
  case COAT_U32:
    return make(Code::UInt, 32);
  case COAT_U64:
    return make(Code::UInt, 64);
  case COAT_F16:
    return make(Code::Float, 16);
  case COAT_BF16:
    return make(Code::Bfloat, 16);
  case COAT_F32:
    return make(Code::Float, 32);
  case COAT_F64:
    return make(Code::Float, 64);
  }
  throw std::runtime_error("expected an element type that DLPack knows, got number " + std::to_string(dtype));
}

constexpr nb::dlpack::dtype uint16Type{(uint8_t)nb::dlpack::dtype_code::UInt, 16, 1};

std::string nameOf(int32_t dtype) {
  nb::dlpack::dtype type = dlpackType(dtype);
  using Code = nb::dlpack::dtype_code;
  if (type.code == (uint8_t)Code::Bool)
    return "bool";
  const char *kind = type.code == (uint8_t)Code::Int      ? "int"
                     : type.code == (uint8_t)Code::UInt   ? "uint"
                     : type.code == (uint8_t)Code::Bfloat ? "bfloat"
                                                          : "float";
  return kind + std::to_string(type.bits);
}

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? "," : "") + std::to_string(shape[i]);
  return text + "]";
}

using Array = nb::ndarray<nb::ro, nb::device::cpu>;

/// A loaded library. Calls may come from several Python threads; each has its own workspace.
class Module {
public:
  Module(const std::string &path, int threads) : pool(nullptr, coat_threads_destroy) {
    library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library)
      throw std::runtime_error(dlerror());
    auto entry = reinterpret_cast<coat_model_v1_fn>(dlsym(library, "coat_model_v1"));
    if (!entry)
      throw std::runtime_error(path + ": expected a library compiled by coat, got one without coat_model_v1");
    info = entry();
    if (info->abi != COAT_ABI)
      throw std::runtime_error(path + ": expected ABI " + std::to_string(COAT_ABI) + ", got " +
                               std::to_string(info->abi));
    if (threads > 1)
      pool.reset(coat_threads_create(threads));
    initialise();
  }

  Module(const Module &) = delete;
  ~Module() {
    if (state)
      info->fini(state.get());
    dlclose(library);
  }

  nb::list run(const std::vector<Array> &inputs) {
    if ((int32_t)inputs.size() != info->input_count)
      throw std::invalid_argument("expected " + std::to_string(info->input_count) + " inputs, got " +
                                  std::to_string(inputs.size()));
    std::vector<int64_t> symbols(info->symbol_count, -1);
    std::vector<void *> tensors;
    for (int32_t i = 0; i < info->input_count; ++i) {
      readShape(info->tensors[i], inputs[i], symbols);
      tensors.push_back(const_cast<void *>(inputs[i].data()));
    }
    for (int32_t i = 0; i < info->input_count; ++i)
      checkShape(i, inputs[i], symbols);
    std::vector<nb::capsule> owners; // of the outputs' memory
    for (int32_t i = info->input_count; i < info->input_count + info->output_count; ++i)
      owners.push_back(allocate(i, symbols, tensors));
    int status;
    std::string message(256, 0);
    {
      nb::gil_scoped_release release;
      coat_options options = {};
      options.struct_size = sizeof options;
      if (pool)
        coat_threads_use(pool.get(), &options);
      options.state = state.get();
      options.flags = COAT_HOST_TENSORS; // arrays are the host's, wherever the model runs
      options.error = message.data();
      options.error_size = message.size();
      status = info->run(tensors.data(), symbols.data(), &options);
    }
    if (status == COAT_ERROR_DEVICE)
      throw std::runtime_error(message.c_str());
    if (status != COAT_OK)
      throw std::invalid_argument(message.c_str());
    nb::list outputs;
    for (int32_t i = info->input_count; i < info->input_count + info->output_count; ++i)
      if (!(info->tensors[i].flags & COAT_TENSOR_COUNT))
        outputs.append(output(i, symbols, tensors, owners[i - info->input_count]));
    return outputs;
  }

  /// Names, dtypes and dimensions of all tensors, symbols, kernels.
  nb::dict describe() const {
    nb::dict result;
    result["name"] = info->name;
    result["device"] = info->device == COAT_DEVICE_CUDA ? "cuda" : "cpu";
    result["compiler"] = info->compiler;
    nb::list tensors, kernels, symbols;
    for (int32_t i = 0; i < info->input_count + info->output_count; ++i) {
      const coat_tensor_info &tensor = info->tensors[i];
      nb::list dims;
      for (int32_t d = 0; d < tensor.rank; ++d)
        tensor.dims[d].size >= 0 ? dims.append(tensor.dims[d].size) : dims.append(tensor.dims[d].text);
      nb::dict entry;
      entry["name"] = tensor.name;
      entry["shape"] = dims;
      entry["dtype"] = nameOf(tensor.dtype);
      entry["output"] = bool(tensor.flags & COAT_TENSOR_OUTPUT);
      entry["count"] = bool(tensor.flags & COAT_TENSOR_COUNT);
      tensors.append(entry);
    }
    for (int32_t i = 0; i < info->kernel_count; ++i) {
      nb::dict entry;
      entry["name"] = info->kernels[i].name;
      entry["nodes"] = info->kernels[i].nodes;
      entry["ops"] = info->kernels[i].ops;
      entry["flops"] = info->kernels[i].flops;
      kernels.append(entry);
    }
    for (int32_t i = 0; i < info->symbol_count; ++i) {
      nb::dict entry;
      entry["name"] = info->symbols[i].name;
      entry["min"] = info->symbols[i].min;
      entry["max"] = info->symbols[i].max;
      symbols.append(entry);
    }
    result["tensors"] = tensors;
    result["kernels"] = kernels;
    result["symbols"] = symbols;
    return result;
  }

private:
  /// What outlives a run: for a CUDA model its kernels and weights on the device.
  void initialise() {
    size_t size = info->state_size();
    if (!size)
      return;
    std::unique_ptr<void, void (*)(void *)> memory(aligned_alloc(COAT_ALIGNMENT, size), free);
    std::string message(256, 0);
    coat_options options = {};
    options.struct_size = sizeof options;
    options.error = message.data();
    options.error_size = message.size();
    int status = memory ? info->init(memory.get(), &options) : COAT_ERROR_MEMORY;
    if (status != COAT_OK) {
      dlclose(library);
      throw std::runtime_error(message[0] ? message.c_str() : info->strerror(status));
    }
    state = std::move(memory);
  }

  static void readShape(const coat_tensor_info &tensor, const Array &array, std::vector<int64_t> &symbols) {
    if ((int32_t)array.ndim() != tensor.rank)
      throw std::invalid_argument(std::string(tensor.name) + ": expected rank " + std::to_string(tensor.rank) +
                                  ", got " + std::to_string(array.ndim()));
    bool isBits = tensor.dtype == COAT_BF16 && array.dtype() == uint16Type;
    if (array.dtype() != dlpackType(tensor.dtype) && !isBits)
      throw std::invalid_argument(std::string(tensor.name) + ": expected elements of " + nameOf(tensor.dtype) +
                                  ", got others");
    for (int32_t d = 0; d < tensor.rank; ++d)
      if (tensor.dims[d].symbol >= 0)
        symbols[tensor.dims[d].symbol] = array.shape(d);
    int64_t stride = 1;
    for (int32_t d = tensor.rank - 1; d >= 0; --d) {
      if (array.size() && array.shape(d) != 1 && array.stride(d) != stride)
        throw std::invalid_argument(std::string(tensor.name) + ": expected a dense row-major array");
      stride *= array.shape(d);
    }
  }

  std::vector<int64_t> shapeOf(int32_t index, const std::vector<int64_t> &symbols) const {
    std::vector<int64_t> shape(info->tensors[index].rank);
    info->shape(index, symbols.data(), shape.data());
    return shape;
  }

  void checkShape(int32_t index, const Array &array, const std::vector<int64_t> &symbols) const {
    std::vector<int64_t> expected = shapeOf(index, symbols), got;
    for (size_t d = 0; d < array.ndim(); ++d)
      got.push_back(array.shape(d));
    if (expected != got)
      throw std::invalid_argument(std::string(info->tensors[index].name) + ": expected shape " + shapeText(expected) +
                                  ", got " + shapeText(got));
  }

  /// numpy has no bf16: its bits, which the package's __init__ gives their type.
  nb::dlpack::dtype typeOf(int32_t index) const {
    return info->tensors[index].dtype == COAT_BF16 ? uint16Type : dlpackType(info->tensors[index].dtype);
  }

  /// Memory for the most elements that an output may have; its address goes to the end of `tensors`.
  nb::capsule allocate(int32_t index, const std::vector<int64_t> &symbols, std::vector<void *> &tensors) const {
    size_t bytes = typeOf(index).bits / 8;
    // Sizes outside their range are reported by the run itself; they allocate nothing.
    for (int64_t size : shapeOf(index, symbols))
      bytes *= size < 0 ? 0 : size;
    for (int32_t i = 0; i < info->symbol_count; ++i)
      if (symbols[i] < info->symbols[i].min || symbols[i] > info->symbols[i].max)
        bytes = 0;
    char *data = new char[bytes + 64];
    tensors.push_back(data);
    return nb::capsule(data, [](void *p) noexcept { delete[] static_cast<char *>(p); });
  }

  /// An output after the run, as large as its counts say.
  nb::object output(int32_t index, const std::vector<int64_t> &symbols, const std::vector<void *> &tensors,
                    nb::capsule &owner) const {
    std::vector<size_t> shape;
    for (int64_t size : shapeOf(index, symbols))
      shape.push_back(size);
    for (size_t d = 0; d < shape.size(); ++d)
      if (int32_t count = info->tensors[index].dims[d].count)
        shape[d] = *static_cast<const int64_t *>(tensors[count - 1]);
    return nb::ndarray<nb::numpy>(tensors[index], shape.size(), shape.data(), owner, nullptr, typeOf(index)).cast();
  }

  void *library = nullptr;
  const coat_model_info *info = nullptr;
  std::unique_ptr<coat_threads, void (*)(coat_threads *)> pool;
  std::unique_ptr<void, void (*)(void *)> state{nullptr, free};
};

} // namespace

NB_MODULE(_runtime, m) {
  m.doc() = "Loads libraries that coat compiled.";
  nb::class_<Module>(m, "Module")
      .def(nb::init<const std::string &, int>(), nb::arg("path"), nb::arg("threads") = 1)
      .def("run", &Module::run, nb::arg("inputs"))
      .def("describe", &Module::describe);
}
