// External data: whatever a model says of its place, what is read lies in a file of the model's folder, and in its
// bounds. The folder holds links, pipes and files of several names; files outside hold the letter S, those inside the
// letter i.
#include "OnnxTensor.h"
#include "mlir/IR/MLIRContext.h"
#include <cassert>
#include <cstdlib>
#include <fstream>
#include <fuzzer/FuzzedDataProvider.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace coat::onnx;

static void fill(const std::string &path, char letter) { std::ofstream(path) << std::string(1000, letter); }

/// Makes the folder once; the path of the model's.
static const std::string &folder() {
  static const std::string made = [] {
    char root[] = "/tmp/coat-fuzz-XXXXXX";
    if (!mkdtemp(root))
      abort();
    std::string outside = root, model = outside + "/model";
    for (const std::string &path : {model, model + "/sub", outside + "/model2"})
      if (mkdir(path.c_str(), 0755))
        abort();
    for (const std::string &path : {outside + "/secret", outside + "/model2/a"})
      fill(path, 'S');
    for (const std::string &path : {model + "/a", model + "/sub/b", model + "/ c"})
      fill(path, 'i');
    bool ok = symlink("../secret", (model + "/l").c_str()) == 0 && symlink("sub/b", (model + "/n").c_str()) == 0 &&
              symlink("..", (model + "/u").c_str()) == 0 && symlink("../model2", (model + "/m").c_str()) == 0 &&
              symlink("o", (model + "/o").c_str()) == 0 && mkfifo((model + "/p").c_str(), 0644) == 0 &&
              link((outside + "/secret").c_str(), (model + "/h").c_str()) == 0;
    if (!ok)
      abort();
    return model;
  }();
  return made;
}

static std::string location(FuzzedDataProvider &input) {
  static const char *const parts[] = {"a", "sub", "b", "..", ".",  "/",      "//",     "l",    "n",         "u",
                                      "m", "o",   "p", "h",  " c", "secret", "model2", "/tmp", "/dev/zero", ""};
  std::string result;
  for (unsigned count = input.ConsumeIntegralInRange(0, 6); count; --count)
    result += input.ConsumeBool() ? std::string(input.PickValueInArray(parts)) + (input.ConsumeBool() ? "/" : "")
                                  : input.ConsumeRandomLengthString(8);
  return result;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  static const Symbols symbols(&context);
  FuzzedDataProvider input(data, size);
  Tensor tensor;
  tensor.name = "w";
  tensor.type = input.ConsumeIntegralInRange(-1, 30);
  for (unsigned rank = input.ConsumeIntegralInRange(0, 4); rank; --rank)
    tensor.dims.push_back(input.ConsumeBool() ? input.ConsumeIntegralInRange<int64_t>(-2, 40)
                                              : input.ConsumeIntegral<int64_t>());
  tensor.external = input.ConsumeIntegralInRange(0, 7) != 0;
  tensor.offset = input.ConsumeBool() ? input.ConsumeIntegralInRange(0, 1100) : input.ConsumeIntegral<uint64_t>();
  tensor.length = input.ConsumeBool() ? input.ConsumeIntegralInRange(0, 1100) : input.ConsumeIntegral<uint64_t>();
  tensor.location = location(input);
  std::string inlined = input.ConsumeRandomLengthString(200);
  if (!tensor.external)
    tensor.bytes = {inlined.data(), inlined.size()};

  std::shared_ptr<llvm::MemoryBuffer> model = llvm::MemoryBuffer::getMemBufferCopy("model");
  TensorReader reader(&context, model, folder(), "net");
  std::string error;
  if (!reader.resolve(tensor, error)) {
    assert(!error.empty() && "expected the reason");
    return 0;
  }
  if (!reader.typeOf(tensor))
    return 0;
  if (tensor.external)
    for (char letter : tensor.bytes)
      if (letter != 'i')
        abort(); // not from the model's folder
  assert(int64_t(tensor.bytes.size()) >= reader.typeOf(tensor).getNumElements() && "expected a byte an element");
  if (tensor.bytes.size() <= 4096) {
    (void)reader.attributeOf(tensor);
    (void)reader.knownOf(tensor, symbols);
  }
  return 0;
}
