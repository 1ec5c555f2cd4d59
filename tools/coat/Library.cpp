// Loading a library, and giving its inputs values.
#include "Library.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <cstring>
#include <dlfcn.h>

using namespace coat::tool;
using llvm::StringRef;
namespace path = llvm::sys::path;

static llvm::Error problem(const llvm::Twine &message) { return llvm::createStringError(message.str()); }

llvm::Expected<std::unique_ptr<Library>> Library::open(StringRef file, StringRef weightsFile) {
  std::unique_ptr<Library> library(new Library);
  // dlopen looks at the folders of the system for a name without a slash.
  std::string path = file.contains('/') ? file.str() : "./" + file.str();
  library->handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library->handle)
    return problem(file + ": expected a library: " + StringRef(dlerror()));
  auto get = reinterpret_cast<coat_model_v1_fn>(dlsym(library->handle, "coat_model_v1"));
  if (!get)
    return problem(file + ": expected a coat library, got one without coat_model_v1");
  library->model = get();
  if (library->model->abi != COAT_ABI)
    return problem(file + ": expected ABI " + llvm::Twine(COAT_ABI) + ", got " + llvm::Twine(library->model->abi));
  if (size_t size = library->model->weights_size) {
    llvm::SmallString<128> beside = path::parent_path(path);
    path::append(beside, StringRef(library->model->name) + ".weights");
    std::string name = weightsFile.empty() ? std::string(beside) : weightsFile.str();
    auto bytes = llvm::MemoryBuffer::getFile(name, false, false);
    if (!bytes)
      return problem(name + ": " + bytes.getError().message());
    if ((*bytes)->getBufferSize() != size)
      return problem(name + ": expected " + llvm::Twine(size) + " bytes, got " +
                     llvm::Twine((*bytes)->getBufferSize()));
    library->weights = Tensor(COAT_U8, {int64_t(size)});
    std::memcpy(library->weights.data(), (*bytes)->getBufferStart(), size);
  }
  if (llvm::Error error = library->init())
    return std::move(error);
  return library;
}

llvm::Error Library::init() {
  size_t size = model->state_size();
  if (!size)
    return llvm::Error::success();
  state = Tensor(COAT_U8, {int64_t(size)});
  char message[256] = "";
  coat_options given = options(nullptr);
  given.error = message;
  given.error_size = sizeof message;
  int status = model->init(state.data(), &given);
  if (status == COAT_OK)
    return llvm::Error::success();
  state = Tensor();
  return problem(message[0] ? message : model->strerror(status));
}

Library::~Library() {
  if (state.data())
    model->fini(state.data());
  if (handle)
    dlclose(handle);
}

coat_options Library::options(coat_threads *pool) {
  coat_options options = {};
  options.struct_size = sizeof options;
  options.weights = weights.data();
  options.state = state.data();
  options.flags = COAT_HOST_TENSORS;
  if (pool)
    coat_threads_use(pool, &options);
  return options;
}

Pool coat::tool::makePool(int threads) { return Pool(threads > 1 ? coat_threads_create(threads) : nullptr); }

//===----------------------------------------------------------------------===//
// Binding
//===----------------------------------------------------------------------===//

namespace {
class Binder {
public:
  Binder(const coat_model_info &info, const std::map<std::string, int64_t> &sizes) : info(info), sizes(sizes) {
    binding.tensors.resize(info.input_count + info.output_count);
    given.resize(info.input_count);
    binding.sizes.assign(info.symbol_count, -1);
  }

  llvm::Error read(llvm::ArrayRef<std::string> files) {
    int32_t next = 0;
    for (StringRef text : files) {
      auto [name, file] = text.split('=');
      if (file.empty())
        std::swap(name, file);
      auto tensors = readTensors(file);
      if (!tensors)
        return tensors.takeError();
      for (NamedTensor &named : *tensors) {
        std::string target = !named.name.empty() ? named.name : name.str();
        int32_t index = target.empty() ? next++ : find(target);
        if (index < 0 || index >= info.input_count)
          return problem(file + ": expected one of the inputs " + names() + ", got " +
                         (target.empty() ? "more files than inputs" : target));
        if (llvm::Error error = give(index, std::move(named.tensor)))
          return error;
      }
    }
    return llvm::Error::success();
  }

  llvm::Expected<Binding> finish(uint64_t seed) {
    for (int32_t s = 0; s < info.symbol_count; ++s)
      if (binding.sizes[s] < 0) {
        auto size = sizes.find(info.symbols[s].name);
        binding.sizes[s] = size != sizes.end() ? size->second : info.symbols[s].max;
      }
    for (auto &[name, size] : sizes)
      if (llvm::none_of(llvm::ArrayRef(info.symbols, info.symbol_count),
                        [&](const coat_symbol_info &symbol) { return name == symbol.name; }))
        return problem("--dim " + name + ": expected a symbolic dimension of the model, got none of that name");
    for (int32_t t = 0; t < info.input_count + info.output_count; ++t) {
      if (t < info.input_count && given[t])
        continue;
      std::vector<int64_t> shape(info.tensors[t].rank);
      info.shape(t, binding.sizes.data(), shape.data());
      for (int64_t &size : shape)
        size = std::max<int64_t>(size, 0); // the library refuses such sizes with a better message
      binding.tensors[t] = Tensor(info.tensors[t].dtype, shape);
      if (t < info.input_count)
        fillRandom(binding.tensors[t], seed + t);
    }
    for (Tensor &tensor : binding.tensors)
      binding.pointers.push_back(tensor.data());
    return std::move(binding);
  }

private:
  int32_t find(StringRef name) const {
    for (int32_t i = 0; i < info.input_count; ++i)
      if (name == info.tensors[i].name || name == info.tensors[i].field)
        return i;
    return -1;
  }

  std::string names() const {
    std::string list;
    for (int32_t i = 0; i < info.input_count; ++i)
      list += (i ? ", " : "") + std::string(info.tensors[i].name);
    return list;
  }

  /// Checks type and shape, and learns the values of symbols.
  llvm::Error give(int32_t index, Tensor tensor) {
    const coat_tensor_info &expected = info.tensors[index];
    bool sameBits = tensor.dtype == expected.dtype ||
                    (Tensor(tensor.dtype, {1}).bytes() == Tensor(expected.dtype, {1}).bytes() &&
                     (expected.dtype == COAT_BF16 || expected.dtype == COAT_F8E4M3FN || expected.dtype == COAT_F8E5M2));
    if (!sameBits)
      return problem(StringRef(expected.name) + ": expected " + dtypeName(expected.dtype) + ", got " +
                     dtypeName(tensor.dtype));
    tensor.dtype = expected.dtype;
    bool fits = tensor.shape.size() == size_t(expected.rank);
    for (int32_t d = 0; fits && d < expected.rank; ++d) {
      const coat_dim_info &dim = expected.dims[d];
      if (dim.symbol >= 0 && binding.sizes[dim.symbol] < 0)
        binding.sizes[dim.symbol] = tensor.shape[d];
      fits =
          dim.size >= 0 ? dim.size == tensor.shape[d] : dim.symbol < 0 || binding.sizes[dim.symbol] == tensor.shape[d];
    }
    if (!fits) {
      std::string shape;
      for (int32_t d = 0; d < expected.rank; ++d)
        shape += (d ? "x" : "") + std::string(expected.dims[d].text);
      return problem(StringRef(expected.name) + ": expected shape " + shape + ", got " + shapeText(tensor.shape));
    }
    binding.tensors[index] = std::move(tensor);
    given[index] = true;
    return llvm::Error::success();
  }

  const coat_model_info &info;
  const std::map<std::string, int64_t> &sizes;
  Binding binding;
  std::vector<bool> given;
};
} // namespace

llvm::Expected<Binding> coat::tool::bindTensors(const coat_model_info &info, llvm::ArrayRef<std::string> files,
                                                const std::map<std::string, int64_t> &sizes, uint64_t seed) {
  Binder binder(info, sizes);
  if (llvm::Error error = binder.read(files))
    return std::move(error);
  return binder.finish(seed);
}

/// Outputs whose size the data decide have room for the most there may be; now it is known how much there is.
static void cutToCounts(const coat_model_info &info, Binding &binding) {
  for (int32_t t = info.input_count; t < info.input_count + info.output_count; ++t)
    for (int32_t d = 0; d < info.tensors[t].rank; ++d)
      if (int32_t count = info.tensors[t].dims[d].count)
        binding.tensors[t].shape[d] = *static_cast<const int64_t *>(binding.pointers[count - 1]);
}

llvm::Error coat::tool::runOnce(Library &library, Binding &binding, coat_options options) {
  char message[256] = "";
  options.error = message;
  options.error_size = sizeof message;
  int status = library.info().run(binding.pointers.data(), binding.sizes.data(), &options);
  if (status == COAT_OK) {
    cutToCounts(library.info(), binding);
    return llvm::Error::success();
  }
  return problem(message[0] ? message : library.info().strerror(status));
}

llvm::Expected<Opened> coat::tool::openToRun(const Flags &flags) {
  auto library = Library::open(flags.input, flags.weights);
  if (!library)
    return library.takeError();
  auto binding = bindTensors((*library)->info(), flags.inputs, flags.sizes, flags.seed);
  if (!binding)
    return binding.takeError();
  return Opened{std::move(*library), std::move(*binding), makePool(flags.threads)};
}
