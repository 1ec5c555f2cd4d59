// See TorchArchive.h; libzip reads.
#include "TorchArchive.h"
#include "llvm/ADT/ScopeExit.h"
#include <zip.h>

using namespace coat::torch;

Archive::Archive(llvm::ArrayRef<char> bytes) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t *source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  archive = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  zip_error_fini(&error);
  if (!archive && source)
    zip_source_free(source);
}

Archive::~Archive() {
  if (archive)
    zip_discard(archive); // frees the source, too
}

std::optional<std::string> Archive::folderOf(llvm::StringRef name) const {
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0); ++i) {
    llvm::StringRef path = zip_get_name(archive, i, 0);
    if (path.consume_back(name) && path.ends_with("/"))
      return path.str();
  }
  return std::nullopt;
}

std::shared_ptr<std::vector<char>> Archive::read(const std::string &path, uint64_t most) const {
  zip_stat_t stat;
  constexpr uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD;
  if (zip_stat(archive, path.c_str(), 0, &stat) || (stat.valid & needed) != needed || stat.size > most ||
      stat.comp_method != ZIP_CM_STORE)
    return nullptr;
  zip_file_t *file = zip_fopen(archive, path.c_str(), 0);
  auto close = llvm::scope_exit([&] {
    if (file)
      zip_fclose(file);
  });
  // A file that claims to be larger than all of the archive grows as it is read.
  auto result = std::make_shared<std::vector<char>>();
  std::vector<char> chunk(std::min<uint64_t>(stat.size, 1 << 20));
  while (file && result->size() < stat.size) {
    zip_int64_t count = zip_fread(file, chunk.data(), std::min<uint64_t>(chunk.size(), stat.size - result->size()));
    if (count <= 0)
      break;
    result->insert(result->end(), chunk.begin(), chunk.begin() + count);
  }
  return file && result->size() == stat.size ? result : nullptr;
}
