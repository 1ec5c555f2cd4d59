// The zip archive that torch.export writes.
#ifndef COAT_LIB_IMPORT_TORCHARCHIVE_H
#define COAT_LIB_IMPORT_TORCHARCHIVE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct zip;

namespace coat::torch {

/// The files of an archive.
class Archive {
public:
  explicit Archive(llvm::ArrayRef<char> bytes);
  ~Archive();
  Archive(const Archive &) = delete;

  bool isOpen() const { return archive; }
  /// The folder that everything lies in, with its slash; nothing when there is no file `name` in one.
  std::optional<std::string> folderOf(llvm::StringRef name) const;
  /// The whole file, null when it is not there, damaged, larger than `most` or compressed: torch.export stores all
  /// files as they are, and what is not compressed is no larger than the archive.
  std::shared_ptr<std::vector<char>> read(const std::string &path, uint64_t most = maxEntry) const;

  static constexpr uint64_t maxEntry = uint64_t(1) << 36;

private:
  zip *archive = nullptr;
};

} // namespace coat::torch

#endif
