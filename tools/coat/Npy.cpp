// NumPy's .npy (format 1.0, a header in Python syntax and the elements) and .npz (a zip of them, by libzip).
#include "Tensor.h"
#include "coat/Emit/WholeFile.h"
#include "elements.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>
#include <zip.h>

using namespace coat::tool;
using llvm::Error;
using llvm::StringRef;

/// Descriptors as NumPy writes them; types it lacks go as integers of their size.
static constexpr std::pair<int32_t, const char *> descriptors[] = {
    {COAT_BOOL, "|b1"}, {COAT_I8, "|i1"},  {COAT_I16, "<i2"},  {COAT_I32, "<i4"},      {COAT_I64, "<i8"},
    {COAT_U8, "|u1"},   {COAT_U16, "<u2"}, {COAT_U32, "<u4"},  {COAT_U64, "<u8"},      {COAT_F16, "<f2"},
    {COAT_F32, "<f4"},  {COAT_F64, "<f8"}, {COAT_BF16, "<u2"}, {COAT_F8E4M3FN, "|u1"}, {COAT_F8E5M2, "|u1"}};

static Error problem(StringRef path, const llvm::Twine &message) {
  return llvm::createStringError((path + ": " + message).str());
}

static std::string encode(const Tensor &tensor) {
  std::string shape;
  for (int64_t size : tensor.shape)
    shape += std::to_string(size) + ", ";
  const char *descriptor = "|u1";
  for (auto [dtype, text] : descriptors)
    if (dtype == tensor.dtype)
      descriptor = text;
  std::string header = std::string("{'descr': '") + descriptor + "', 'fortran_order': False, 'shape': (" +
                       StringRef(shape).rtrim(tensor.shape.size() == 1 ? " " : ", ").str() + "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size() & 255);
  text += static_cast<char>(header.size() >> 8);
  return text + header + std::string(tensor.data(), tensor.bytes());
}

/// The text after `'key':` in the header.
static StringRef field(StringRef header, StringRef key) {
  size_t at = header.find(("'" + key + "'").str());
  return at == StringRef::npos ? StringRef() : header.substr(at + key.size() + 2).ltrim(": ");
}

static llvm::Expected<Tensor> decode(StringRef path, StringRef bytes) {
  if (!bytes.starts_with("\x93NUMPY") || bytes.size() < 12)
    return problem(path, "expected a .npy file, got other bytes");
  bool isLong = bytes[6] > 1; // version 2 and 3 have four bytes of length
  size_t length = 0;
  for (int i = isLong ? 3 : 1; i >= 0; --i)
    length = length << 8 | static_cast<uint8_t>(bytes[8 + i]);
  size_t begin = isLong ? 12 : 10;
  if (bytes.size() < begin + length)
    return problem(path, "expected a whole .npy file, got a truncated one");
  StringRef header = bytes.substr(begin, length), data = bytes.substr(begin + length);
  for (StringRef key : {"descr", "fortran_order", "shape"})
    if (field(header, key).size() < 2)
      return problem(path, "expected '" + key + "' in the header of a .npy file, got none");
  if (!field(header, "fortran_order").starts_with("False"))
    return problem(path, "expected row-major order, got Fortran order; try numpy.ascontiguousarray");
  StringRef descriptor = field(header, "descr").drop_front(1).take_until([](char c) { return c == '\'' || c == '"'; });
  int32_t dtype = 0;
  for (auto [known, text] : llvm::reverse(descriptors))
    if (descriptor == text)
      dtype = known; // the first of the table wins: what NumPy itself means
  if (!dtype)
    return problem(path, "expected little-endian numbers, got dtype " + descriptor);
  std::vector<int64_t> shape;
  llvm::SmallVector<StringRef> parts;
  field(header, "shape").drop_front(1).take_until([](char c) { return c == ')'; }).split(parts, ',');
  for (StringRef part : parts)
    if (!part.trim().empty() && (part.trim().getAsInteger(10, shape.emplace_back()) || shape.back() < 0))
      return problem(path, "expected a shape of numbers, got " + part);
  // Before memory is taken for them.
  int64_t need = (coatElementBits(dtype) + 7) / 8;
  bool huge = llvm::any_of(shape, [&](int64_t size) { return llvm::MulOverflow(need, size, need); });
  if (huge || data.size() < size_t(need))
    return problem(path, "expected " + (huge ? std::string("more") : std::to_string(need)) +
                             " bytes of elements, got " + llvm::Twine(data.size()));
  Tensor tensor(dtype, shape);
  std::memcpy(tensor.data(), data.data(), tensor.bytes());
  return tensor;
}

static llvm::Expected<std::vector<NamedTensor>> readZip(StringRef path) {
  uint64_t fileSize = 0;
  if (std::error_code error = llvm::sys::fs::file_size(path, fileSize))
    return problem(path, error.message());
  int code = 0;
  std::unique_ptr<zip_t, decltype(&zip_discard)> archive(zip_open(path.str().c_str(), ZIP_RDONLY, &code), zip_discard);
  if (!archive)
    return problem(path, "expected a .npz file that can be read");
  std::vector<NamedTensor> tensors;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive.get(), 0); ++i) {
    zip_stat_t stat;
    std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file(zip_fopen_index(archive.get(), i, 0), zip_fclose);
    if (!file || zip_stat_index(archive.get(), i, 0, &stat))
      return problem(path, "expected entry " + llvm::Twine(i) + " to be readable");
    std::string bytes;
    // An archive may claim any size; deflate shrinks at most 1032 times, and no entry is larger than the file.
    constexpr zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    if ((stat.valid & needed) != needed || stat.comp_size > fileSize || stat.size / 1032 > stat.comp_size + 1)
      return problem(path, "expected entry " + llvm::Twine(stat.name) + " to be as large as it says");
    bytes.resize(stat.size);
    if (zip_fread(file.get(), bytes.data(), bytes.size()) != static_cast<zip_int64_t>(stat.size))
      return problem(path, "expected entry " + llvm::Twine(stat.name) + " to be whole");
    auto tensor = decode((path + ":" + stat.name).str(), bytes);
    if (!tensor)
      return tensor.takeError();
    StringRef name = stat.name;
    name.consume_back(".npy");
    tensors.push_back({name.str(), std::move(*tensor)});
  }
  return tensors;
}

llvm::Expected<std::vector<NamedTensor>> coat::tool::readTensors(StringRef path) {
  if (path.ends_with(".npz"))
    return readZip(path);
  auto file = llvm::MemoryBuffer::getFile(path, false, false);
  if (!file)
    return problem(path, file.getError().message());
  auto tensor = decode(path, (*file)->getBuffer());
  if (!tensor)
    return tensor.takeError();
  std::vector<NamedTensor> tensors;
  tensors.push_back({"", std::move(*tensor)});
  return tensors;
}

/// libzip writes to a temporary file and renames it in zip_close.
static Error writeZip(StringRef path, llvm::ArrayRef<NamedTensor> tensors) {
  int code = 0;
  zip_t *archive = zip_open(path.str().c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  if (!archive)
    return problem(path, "cannot be written");
  std::vector<std::string> bytes;
  for (const NamedTensor &named : tensors)
    bytes.push_back(encode(named.tensor));
  for (auto [named, content] : llvm::zip(tensors, bytes)) {
    zip_source_t *source = zip_source_buffer(archive, content.data(), content.size(), 0);
    zip_int64_t index = source ? zip_file_add(archive, (named.name + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0 || zip_set_file_compression(archive, index, ZIP_CM_STORE, 0)) {
      zip_discard(archive);
      return problem(path, "cannot hold the tensor " + named.name);
    }
    zip_file_set_dostime(archive, index, 0, 0x21, 0); // 1980-01-01: the same tensors give the same bytes
  }
  if (zip_close(archive) == 0)
    return Error::success();
  std::string message = zip_strerror(archive);
  zip_discard(archive);
  return problem(path, message);
}

Error coat::tool::writeTensors(StringRef path, llvm::ArrayRef<NamedTensor> tensors) {
  if (path.ends_with(".npz"))
    return writeZip(path, tensors);
  if (!path.ends_with(".npy"))
    return problem(path, "expected .npz or .npy");
  if (tensors.size() != 1)
    return problem(path, "expected .npz for " + llvm::Twine(tensors.size()) + " outputs");
  return coat::writeWhole(path, [&](llvm::raw_ostream &os) {
    os << encode(tensors[0].tensor);
    return Error::success();
  });
}
