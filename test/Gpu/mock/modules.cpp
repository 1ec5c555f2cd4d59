// Modules and launches. The parameters of a kernel are read from its code, cubin or PTX, and not from what the caller says.
#include "mock.h"
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <map>
#include <set>

using namespace mock;

namespace {
struct Kernel {
  std::string name, arch;                // "k0", "sm_90a"
  std::vector<unsigned> parameters;      // bytes of each
  std::array<unsigned, 3> block = {0, 0, 0}; // as compiled for; 0: any
  unsigned shared = 48 * 1024;           // dynamic shared memory that a launch may ask for
};
struct Module {
  std::string arch;
  bool isPtx = false;
  const char *image = nullptr;
  std::map<std::string, Kernel> kernels; // those that were asked for
};
std::set<Module *> modules;
std::set<Kernel *> functions;

//===----------------------------------------------------------------------===//
// Cubins
//===----------------------------------------------------------------------===//

const Elf64_Shdr *findSection(const char *image, const std::string &name) {
  auto *header = reinterpret_cast<const Elf64_Ehdr *>(image);
  auto *sections = reinterpret_cast<const Elf64_Shdr *>(image + header->e_shoff);
  const char *names = image + sections[header->e_shstrndx].sh_offset;
  for (int i = 0; i < header->e_shnum; ++i)
    if (name == names + sections[i].sh_name)
      return &sections[i];
  return nullptr;
}

/// Attributes in .nv.info.<kernel>: 0x17 a parameter's number and size, 0x10 the block that the code is for.
bool readCubin(const char *image, Kernel &kernel) {
  const Elf64_Shdr *info = findSection(image, ".nv.info." + kernel.name);
  if (!findSection(image, ".text." + kernel.name) || !info)
    return false;
  const char *at = image + info->sh_offset, *end = at + info->sh_size;
  while (at + 4 <= end) {
    uint16_t size;
    memcpy(&size, at + 2, 2);
    int format = at[0], attribute = at[1];
    const char *payload = at + 4;
    at += 4 + (format == 4 ? size : 0);
    if (format == 4 && attribute == 0x17) {
      uint16_t ordinal;
      uint32_t word;
      memcpy(&ordinal, payload + 4, 2);
      memcpy(&word, payload + 8, 4);
      if (kernel.parameters.size() <= ordinal)
        kernel.parameters.resize(ordinal + 1u);
      kernel.parameters[ordinal] = word >> 18;
    }
    if (format == 4 && attribute == 0x10)
      memcpy(kernel.block.data(), payload, 12);
  }
  return true;
}

/// The architecture is in the flags, its letter only in the assembler's note.
std::string archOfCubin(const char *image) {
  auto *header = reinterpret_cast<const Elf64_Ehdr *>(image);
  std::string arch = "sm_" + std::to_string(header->e_flags >> 8 & 0xff);
  if (const Elf64_Shdr *note = findSection(image, ".note.nv.tkinfo")) {
    std::string text(image + note->sh_offset, note->sh_size);
    if (text.find(arch + "a") != std::string::npos)
      arch += "a";
  }
  return arch;
}

//===----------------------------------------------------------------------===//
// PTX
//===----------------------------------------------------------------------===//

bool readPtx(const std::string &text, Kernel &kernel) {
  size_t at = text.find(".entry " + kernel.name + "(");
  if (at == std::string::npos)
    return false;
  size_t end = text.find(')', at), body = text.find('{', end);
  for (size_t param = text.find(".param", at); param < end; param = text.find(".param", param + 1)) {
    std::string one = text.substr(param, text.find_first_of(",)\n", param) - param);
    size_t bracket = one.find('[');
    kernel.parameters.push_back(bracket == std::string::npos ? 8 : unsigned(atoi(one.c_str() + bracket + 1)));
  }
  size_t block = text.find(".reqntid", end);
  if (block < body)
    sscanf(text.c_str() + block, ".reqntid %u, %u, %u", &kernel.block[0], &kernel.block[1], &kernel.block[2]);
  return true;
}

std::string archOfPtx(const char *text) {
  const char *at = strstr(text, ".target ");
  return at ? std::string(at + 8, strcspn(at + 8, ", \n")) : "";
}

/// Whether code for `arch` runs on the device.
bool fits(const std::string &arch, bool isPtx) {
  int capability = atoi(arch.c_str() + 3), have = major() * 10 + minor();
  if (arch.back() == 'a')
    return capability == have;
  return isPtx ? capability <= have : capability / 10 == major() && capability <= have;
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

using Emulate = int (*)(void *kernel, const unsigned *grid, const unsigned *block, unsigned shared, void *const *params,
                        unsigned long long seed, char *error, unsigned long errorSize);
using Extents = void (*)(const void *const *bases, const unsigned long *bytes, unsigned long count);

/// Parameters by value, as a driver keeps them.
struct Parameters {
  std::vector<std::array<uint64_t, 16>> values;
};

int emulate(const Kernel &kernel, std::array<unsigned, 3> grid, std::array<unsigned, 3> block, unsigned shared,
            Parameters &parameters) {
  const char *path = setting("COAT_EMULATED", "");
  if (!*path)
    return success;
  static std::map<std::string, void *> libraries;
  void *&library = libraries[path];
  if (!library)
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return fault(launchFailed, "%s: %s", path, dlerror());
  std::string name = kernel.name + "_" + kernel.arch;
  void *code = dlsym(library, name.c_str());
  auto run = reinterpret_cast<Emulate>(dlsym(library, "coat_emulate"));
  if (!code || !run)
    return fault(launchFailed, "%s: expected %s and coat_emulate", path, name.c_str());
  if (auto extents = reinterpret_cast<Extents>(dlsym(library, "coat_emulate_extents"))) {
    std::vector<const void *> bases;
    std::vector<unsigned long> bytes;
    allocations(bases, bytes);
    extents(bases.data(), bytes.data(), bases.size());
  }
  std::vector<void *> pointers;
  for (auto &value : parameters.values)
    pointers.push_back(&value);
  char error[400] = "";
  Access access;
  if (run(code, grid.data(), block.data(), shared, pointers.data(), strtoull(setting("COAT_MOCK_SEED", "1"), nullptr, 10),
          error, sizeof error))
    return fault(launchFailed, "%s: %s", name.c_str(), error);
  return success;
}

int launch(Kernel *kernel, std::array<unsigned, 3> grid, std::array<unsigned, 3> block, unsigned shared, Stream *stream,
           void **arguments, void **extra) {
  if (int result = needContext("cuLaunchKernel"))
    return result;
  if (!functions.count(kernel))
    return fault(invalidHandle, "cuLaunchKernel: expected a function of a loaded module");
  const char *name = kernel->name.c_str();
  if (!grid[0] || !grid[1] || !grid[2] || grid[0] > 0x7fffffff || grid[1] > 65535 || grid[2] > 65535)
    return fault(invalidValue, "%s: expected a grid of at most 2^31-1 x 65535 x 65535, got %u x %u x %u", name, grid[0],
                 grid[1], grid[2]);
  if (kernel->block[0] ? block != kernel->block : block[0] * block[1] * block[2] > 1024)
    return fault(invalidValue, "%s: expected blocks of %u x %u x %u threads, got %u x %u x %u", name, kernel->block[0],
                 kernel->block[1], kernel->block[2], block[0], block[1], block[2]);
  if (shared > kernel->shared)
    return fault(invalidValue, "%s: expected at most %u bytes of dynamic shared memory, as was set, got %u", name,
                 kernel->shared, shared);
  if (extra || !arguments)
    return fault(invalidValue, "%s: expected arguments", name);
  Parameters parameters;
  for (size_t i = 0; i < kernel->parameters.size(); ++i) {
    unsigned bytes = kernel->parameters[i];
    auto &value = parameters.values.emplace_back();
    if (!arguments[i] || bytes > sizeof value)
      return fault(invalidValue, "%s: expected argument %zu of %u bytes", name, i, bytes);
    memcpy(&value, arguments[i], bytes);
    if (bytes == 8 && !isDevice(reinterpret_cast<void *>(value[0]), 1))
      return fault(illegalAddress, "%s: expected argument %zu in device memory, got %#lx", name, i,
                   (unsigned long)value[0]);
    if (bytes == 128 && !mapIn(&value))
      return fault(illegalAddress, "%s: expected argument %zu to be a TMA map", name, i);
  }
  return enqueue(stream, [=]() mutable { return emulate(*kernel, grid, block, shared, parameters); });
}
} // namespace

namespace mock {
long liveModules() { return long(modules.size()); }
} // namespace mock

MOCK_API cuModuleLoadData(Module **result, const void *data) {
  MOCK_ENTER();
  if (int error = needContext(__func__))
    return error;
  if (capturing())
    return fault(captureUnsupported, "cuModuleLoadData: expected no stream to capture");
  auto *image = static_cast<const char *>(data);
  bool isElf = !memcmp(image, "\177ELF", 4);
  if (isElf && reinterpret_cast<const Elf64_Ehdr *>(image)->e_machine != 190)
    return fault(invalidImage, "cuModuleLoadData: expected a cubin, got code for another machine");
  std::string arch = isElf ? archOfCubin(image) : archOfPtx(image);
  if (arch.compare(0, 3, "sm_"))
    return fault(invalidImage, "cuModuleLoadData: expected a cubin or PTX");
  if (!fits(arch, !isElf))
    return fault(noBinary, "cuModuleLoadData: expected code for compute capability %d.%d, got %s", major(), minor(),
                 arch.c_str());
  count(("load " + arch + (isElf ? " cubin" : " ptx")).c_str());
  *result = new Module{arch, !isElf, image, {}};
  modules.insert(*result);
  return success;
}

MOCK_API cuModuleUnload(Module *module) {
  MOCK_ENTER();
  if (!modules.erase(module))
    return fault(invalidHandle, "cuModuleUnload: expected a loaded module");
  for (auto &[name, kernel] : module->kernels)
    functions.erase(&kernel);
  delete module;
  return success;
}

MOCK_API cuModuleGetFunction(Kernel **function, Module *module, const char *name) {
  MOCK_ENTER();
  if (!modules.count(module))
    return fault(invalidHandle, "cuModuleGetFunction: expected a loaded module");
  Kernel kernel;
  kernel.name = name;
  kernel.arch = module->arch;
  if (!(module->isPtx ? readPtx(module->image, kernel) : readCubin(module->image, kernel)))
    return fault(notFound, "cuModuleGetFunction: expected %s in the module", name);
  *function = &(module->kernels[name] = kernel);
  functions.insert(*function);
  return success;
}

MOCK_API cuFuncGetAttribute(int *value, int attribute, Kernel *function) {
  MOCK_ENTER();
  if (!functions.count(function) || attribute != 4)
    return fault(invalidValue, "cuFuncGetAttribute: expected a function and its number of registers");
  *value = 32;
  return success;
}

MOCK_API cuFuncSetAttribute(Kernel *function, int attribute, int value) {
  MOCK_ENTER();
  if (!functions.count(function) || attribute != 8)
    return fault(invalidValue, "cuFuncSetAttribute: expected a function and its dynamic shared memory");
  if (value < 0 || value > mostShared())
    return fault(invalidValue, "cuFuncSetAttribute: expected at most %d bytes of shared memory, got %d", mostShared(),
                 value);
  function->shared = unsigned(value);
  return success;
}

MOCK_API cuLaunchKernel(Kernel *function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                        unsigned blockY, unsigned blockZ, unsigned shared, Stream *stream, void **arguments,
                        void **extra) {
  MOCK_ENTER();
  return launch(function, {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, shared, stream, arguments, extra);
}

namespace {
/// CUlaunchConfig; the attributes are those of clusters.
struct Config {
  unsigned grid[3], block[3], shared;
  Stream *stream;
  const unsigned *attributes;
  unsigned count;
};
} // namespace

MOCK_API cuLaunchKernelEx(const Config *config, Kernel *function, void **arguments, void **extra) {
  MOCK_ENTER();
  for (unsigned i = 0; i < config->count; ++i)
    if (config->attributes[18 * i] != 4)
      return fault(invalidValue, "cuLaunchKernelEx: expected the cluster dimension as attribute");
  for (unsigned d = 0; config->count && d < 3; ++d)
    if (unsigned size = config->attributes[2 + d]; !size || config->grid[d] % size)
      return fault(invalidValue, "cuLaunchKernelEx: expected a grid of whole clusters");
  return launch(function, {config->grid[0], config->grid[1], config->grid[2]},
                {config->block[0], config->block[1], config->block[2]}, config->shared, config->stream, arguments, extra);
}
