// Archives of torch.export. An input is the archive itself where it begins as a zip does, else JSON text with the
// archive's files in it: {"model": .., "weights": .., "constants": ..}, which json_mutator.cpp changes value by value;
// a zip's checksums would reject most mutants.
#include "importer.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include <string>
#include <vector>
#include <zip.h>

namespace json = llvm::json;

static void add(zip_t *archive, const std::string &name, llvm::StringRef text) {
  zip_source_t *source = zip_source_buffer(archive, text.data(), text.size(), 0);
  zip_int64_t index = zip_file_add(archive, ("m/" + name).c_str(), source, ZIP_FL_OVERWRITE);
  if (index < 0 || zip_set_file_compression(archive, index, ZIP_CM_STORE, 0))
    abort();
}

static std::string textOf(const json::Object &files, llvm::StringRef name) {
  const json::Value *file = files.get(name);
  return file ? llvm::formatv("{0}", *file).str() : "{}";
}

static std::vector<uint8_t> archiveOf(const json::Object &files) {
  static const std::string bytes(4096, '\x3d');
  std::string model = textOf(files, "model"), weights = textOf(files, "weights"),
              constants = textOf(files, "constants");
  zip_error_t error;
  zip_source_t *source = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_source_keep(source);
  zip_t *archive = zip_open_from_source(source, ZIP_TRUNCATE, &error);
  if (!archive)
    abort();
  add(archive, "models/model.json", model);
  add(archive, "data/weights/model_weights_config.json", weights);
  add(archive, "data/constants/model_constants_config.json", constants);
  for (const char *name : {"weights/weight_0", "weights/weight_1", "weights/weight_2", "constants/tensor_0"})
    add(archive, std::string("data/") + name, bytes);
  if (zip_close(archive) || zip_source_open(source))
    abort();
  zip_stat_t stat;
  zip_source_stat(source, &stat);
  std::vector<uint8_t> result(stat.size);
  if (zip_source_read(source, result.data(), result.size()) != zip_int64_t(result.size()))
    abort();
  zip_source_close(source);
  zip_source_free(source);
  return result;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef text(reinterpret_cast<const char *>(data), size);
  if (text.starts_with("PK")) {
    importBytes(data, size);
    return 0;
  }
  auto value = json::parse(text);
  const json::Object *files = value ? value->getAsObject() : nullptr;
  if (files) {
    std::vector<uint8_t> archive = archiveOf(*files);
    importBytes(archive.data(), archive.size());
  }
  if (!value)
    llvm::consumeError(value.takeError());
  return 0;
}
